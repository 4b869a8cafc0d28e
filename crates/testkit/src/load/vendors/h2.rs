//! Vendors that speak HTTP/2, well or badly.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use h2::server::{self, SendResponse};
use h2::{Reason, RecvStream};
use http::{HeaderMap, Request, Response, Version};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::{Held, Vendor};
use crate::io::Io;
use crate::load::content::Check;
use crate::load::place::{Manner, Place};
use crate::load::plan::{Framing, Plan};
use crate::load::wire::http2::send;

/// The time that a vendor waits for a gateway that must give up.
const PATIENCE: Duration = Duration::from_secs(30);

/// The effect of a stream on its connection.
#[derive(Debug)]
enum Leave {
    Gracefully,
    AtOnce,
}

/// Settings of a vendor that doesn't count its callers' resets: many callers leave.
fn settings(place: Place) -> server::Builder {
    let mut settings = server::Builder::new();
    if place == Place::Streams {
        // There are sometimes more calls than this limit.
        settings.max_concurrent_streams(16);
    }
    settings
        .initial_window_size(256 << 10)
        .initial_connection_window_size(4 << 20)
        .max_pending_accept_reset_streams(10_000)
        .max_local_error_reset_streams(None);
    settings
}

pub async fn serve(io: Io, vendor: &Arc<Vendor>) {
    let Ok(mut connection) = settings(vendor.place)
        .handshake::<_, Bytes>(Lingering(io))
        .await
    else {
        return;
    };
    let (leave, mut leaving) = mpsc::unbounded_channel();
    let mut calls = JoinSet::new();
    loop {
        tokio::select! {
            accepted = connection.accept() => {
                let Some(Ok((request, respond))) = accepted else { return };
                let (vendor, leave) = (Arc::clone(vendor), leave.clone());
                calls.spawn(async move {
                    let _call = Held::one(&vendor.open.calls);
                    // An error means that the gateway left, which the gateway may do when its
                    // caller has left.
                    let _ = call(request, respond, &vendor, &leave).await;
                });
            }
            Some(how) = leaving.recv() => match how {
                Leave::Gracefully => connection.graceful_shutdown(),
                Leave::AtOnce => connection.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM),
            },
            Some(ended) = calls.join_next() => ended.expect("a vendor that doesn't panic"),
        }
    }
}

/// Continues to read after the last write: a socket that is closed with unread bytes is reset, and
/// the reset discards the bytes that the gateway hasn't read yet (RFC 9112 §9.6).
struct Lingering(Io);

impl AsyncRead for Lingering {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Lingering {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.0).poll_shutdown(cx))?;
        loop {
            let mut room = [0; 4096];
            let mut buffer = ReadBuf::new(&mut room);
            let read = ready!(Pin::new(&mut self.0).poll_read(cx, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

async fn call(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    vendor: &Vendor,
    leave: &mpsc::UnboundedSender<Leave>,
) -> Result<(), h2::Error> {
    let (parts, mut body) = request.into_parts();
    let values = |name: &str| {
        let values = parts.headers.get_all(name).iter();
        let text = values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        text.collect()
    };
    let (method, target) = (parts.method.as_str(), parts.uri.path());
    let plan = vendor.book.read(vendor.place, method, target, values);
    let Some(plan) = plan else { return Ok(()) };
    if plan.manner == Manner::Refuse && vendor.book.refuses(&plan) {
        respond.send_reset(Reason::REFUSED_STREAM);
        return Ok(());
    }
    vendor.book.acts(&plan);
    let mut upload = Check::new(plan.sent()).paced(plan.slow_vendor);
    if plan.manner == Manner::EarlyReset {
        if let Some(piece) = body.data().await {
            note(upload.take(&piece?), &plan, vendor);
        }
    } else {
        read(&mut body, &mut upload, &plan, vendor).await?;
        sleep(plan.delay).await;
    }
    match plan.manner {
        Manner::HeadReset => {
            respond.send_reset(Reason::INTERNAL_ERROR);
            return Ok(());
        }
        Manner::HeadStall => {
            let given_up = timeout(PATIENCE, poll_fn(|cx| respond.poll_reset(cx)));
            return kept(given_up.await.is_err(), &plan, vendor);
        }
        _ => {}
    }
    let content = plan.answer(plan.read_before_answer());
    let mut stream = respond.send_response(head(&plan), !plan.has_body())?;
    if plan.has_body() {
        let breaks = plan.manner.breaks_body();
        let upto = if breaks { plan.cut } else { content.length };
        send(&mut stream, content, upto).await?;
        match plan.manner {
            Manner::BodyReset => {
                // A reset takes back the bytes that aren't on the way yet.
                sleep(Duration::from_millis(10)).await;
                stream.send_reset(Reason::INTERNAL_ERROR);
            }
            Manner::BodyStall => {
                let given_up = timeout(PATIENCE, poll_fn(|cx| stream.poll_reset(cx)));
                return kept(given_up.await.is_err(), &plan, vendor);
            }
            Manner::BreakOff => {}
            _ if plan.trailers => stream.send_trailers(trailers(&plan))?,
            _ => stream.send_data(Bytes::new(), true)?,
        }
    }
    let _ = match plan.manner {
        Manner::GoAway => leave.send(Leave::Gracefully),
        Manner::BreakOff => leave.send(Leave::AtOnce),
        _ => Ok(()),
    };
    // The unread rest of the body is reset without an error when `body` is dropped.
    Ok(())
}

/// Reads the upload to its end, and checks the upload.
async fn read(
    body: &mut RecvStream,
    upload: &mut Check,
    plan: &Plan,
    vendor: &Vendor,
) -> Result<(), h2::Error> {
    while let Some(piece) = body.data().await {
        let piece = piece?;
        note(upload.take(&piece), plan, vendor);
        upload.pause().await;
        body.flow_control().release_capacity(piece.len())?;
    }
    body.trailers().await?;
    if !upload.is_whole() {
        let at = upload.at();
        note(Err(format!("ended well at {at}")), plan, vendor);
    }
    Ok(())
}

fn note(checked: Result<(), String>, plan: &Plan, vendor: &Vendor) {
    if let Err(wrong) = checked {
        vendor.book.fault(format!("an upload {wrong}: {plan:?}"));
    }
}

fn kept(kept: bool, plan: &Plan, vendor: &Vendor) -> Result<(), h2::Error> {
    if kept {
        vendor.book.fault(format!("a stall that stays: {plan:?}"));
    }
    Ok(())
}

fn head(plan: &Plan) -> Response<()> {
    let mut head = Response::builder()
        .version(Version::HTTP_2)
        .status(plan.status)
        .header("x-nonce", format!("{:016x}", plan.nonce))
        .header("x-tenant", plan.tenant);
    if plan.framing == Framing::Length && plan.status != 204 {
        head = head.header("content-length", plan.length);
    }
    if plan.trailers {
        head = head.header("trailer", "x-sum");
    }
    head.body(()).expect("a head")
}

fn trailers(plan: &Plan) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    let sum = format!("{:016x}", plan.nonce);
    trailers.insert("x-sum", sum.parse().expect("a value"));
    trailers
}
