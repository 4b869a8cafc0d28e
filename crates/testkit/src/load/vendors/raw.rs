//! Vendors that speak HTTP/1.1, well or badly, over literal bytes.

use std::io;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::{sleep, timeout};

use super::{Held, Vendor};
use crate::head::Head;
use crate::io::Io;
use crate::load::content::Check;
use crate::load::draw::{Draw, mix};
use crate::load::place::Manner;
use crate::load::plan::{Framing, Plan};
use crate::load::wire::http1::{Messages, Outgoing};
use crate::wire::Framing as Delimited;

/// The time that a vendor waits for a gateway that must give up: far above the gateway's own
/// timeouts.
const PATIENCE: Duration = Duration::from_secs(30);

/// The fate of the connection after an answer.
enum Then {
    Keep,
    /// The vendor closes, even with unread bytes.
    Drop,
    /// The vendor closes the writing side, and reads to the end.
    Finish,
    Reset,
    /// The gateway must not use the connection any more.
    Spoilt,
    /// The gateway must give up.
    Stall,
}

pub async fn serve(io: Io, vendor: &Vendor) {
    let mut messages = Messages::of(io);
    while let Ok(Some(head)) = messages.head().await {
        let _call = Held::one(&vendor.open.calls);
        let values = |name: &str| head.values(name).into_iter().map(str::to_owned).collect();
        let plan = vendor
            .book
            .read(vendor.place, head.method(), head.target(), values);
        let Some(plan) = plan else { return };
        vendor.book.acts(&plan);
        // An error means that the gateway left, which the gateway may do when its caller has left.
        let Ok(then) = answer(&mut messages, &head, &plan, vendor).await else {
            return;
        };
        match then {
            Then::Keep => {}
            Then::Drop => return,
            Then::Reset => {
                let _ = messages.peer().socket().set_zero_linger();
                return;
            }
            Then::Finish => {
                let _ = messages.peer().shutdown().await;
                if until_closed(&mut messages).await {
                    vendor.book.fault(format!("kept after a close: {plan:?}"));
                }
                return;
            }
            Then::Spoilt => {
                if messages.hears_more().await {
                    vendor
                        .book
                        .fault(format!("used after stray bytes: {plan:?}"));
                }
                return;
            }
            Then::Stall => {
                if until_closed(&mut messages).await {
                    vendor.book.fault(format!("a stall that stays: {plan:?}"));
                }
                return;
            }
        }
    }
}

/// Reads until the gateway closes. `true` means that the gateway doesn't close.
async fn until_closed(messages: &mut Messages<Io>) -> bool {
    timeout(PATIENCE, drain(messages)).await.is_err()
}

async fn drain(messages: &mut Messages<Io>) {
    messages.expect(Delimited::UntilClose);
    while let Ok(Some(_)) = messages.piece().await {}
}

/// Returns the framing of the request's body.
fn delimited(head: &Head) -> Delimited {
    match (head.has("transfer-encoding"), head.value("content-length")) {
        (true, _) => Delimited::Chunked,
        (false, Some(length)) => Delimited::Length(length.parse().unwrap_or(usize::MAX)),
        (false, None) => Delimited::None,
    }
}

async fn answer(
    messages: &mut Messages<Io>,
    request: &Head,
    plan: &Plan,
    vendor: &Vendor,
) -> io::Result<Then> {
    messages.expect(delimited(request));
    let mut upload = Check::new(plan.sent()).paced(plan.slow_vendor);
    if plan.manner.is_early() {
        // The vendor reads a part of the upload, so that the upload is in progress.
        if let Some(piece) = messages.piece().await? {
            note(upload.take(piece), plan, vendor);
        }
    } else {
        read(messages, &mut upload, plan, vendor).await?;
        sleep(plan.delay).await;
    }
    let read_first = plan.read_before_answer();
    let content = plan.answer(read_first);
    let mut outgoing = Outgoing::whole(content, plan.framing);
    outgoing.trailer = plan
        .trailers
        .then(|| format!("X-Sum: {:016x}\r\n", plan.nonce));
    let mut head = head(plan);
    if !plan.has_body() {
        outgoing.framing = Framing::Close;
    }
    match plan.manner {
        Manner::HeadReset | Manner::HeadClose => {
            // The head is cut by at least its last byte.
            let cut = mix(plan.nonce) as usize % head.len();
            head.truncate(cut);
            messages.peer().write_all(&head).await?;
            messages.peer().flush().await?;
            let resets = plan.manner == Manner::HeadReset;
            return Ok(if resets { Then::Reset } else { Then::Drop });
        }
        Manner::NoHttp => {
            messages.peer().write_all(b"220 ready\r\n\r\n").await?;
            messages.peer().flush().await?;
            return Ok(Then::Stall);
        }
        Manner::HeadStall => return Ok(Then::Stall),
        Manner::BodyReset | Manner::BodyClose | Manner::BodyStall => outgoing.upto = plan.cut,
        Manner::Stray => {
            head.extend(content.piece(0, usize::MAX));
            head.extend(stray(plan));
            outgoing.upto = 0;
        }
        _ => {}
    }
    outgoing.write(head, messages.peer()).await?;
    match plan.manner {
        Manner::EarlyLinger | Manner::EarlyClose => {
            read(messages, &mut upload, plan, vendor).await?;
        }
        _ => {}
    }
    Ok(match plan.manner {
        Manner::BodyReset => Then::Reset,
        Manner::BodyClose | Manner::EarlyUnread | Manner::IdleClose => Then::Drop,
        Manner::BodyStall => Then::Stall,
        Manner::Stray => Then::Spoilt,
        _ if plan.closes => Then::Finish,
        _ => Then::Keep,
    })
}

/// Reads the upload to its end, and checks the upload.
async fn read(
    messages: &mut Messages<Io>,
    upload: &mut Check,
    plan: &Plan,
    vendor: &Vendor,
) -> io::Result<()> {
    while let Some(piece) = messages.piece().await? {
        note(upload.take(piece), plan, vendor);
        upload.pause().await;
    }
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

fn head(plan: &Plan) -> Vec<u8> {
    let Plan {
        nonce,
        tenant,
        status,
        length,
        ..
    } = plan;
    let mut head =
        format!("HTTP/1.1 {status} So\r\nX-Nonce: {nonce:016x}\r\nX-Tenant: {tenant}\r\n");
    if *status != 204 {
        match plan.framing {
            Framing::Length => head += &format!("Content-Length: {length}\r\n"),
            Framing::Chunked => head += "Transfer-Encoding: chunked\r\n",
            Framing::Close => {}
        }
    }
    if plan.trailers {
        head += "Trailer: X-Sum\r\n";
    }
    if plan.closes {
        head += "Connection: close\r\n";
    }
    (head + "\r\n").into_bytes()
}

/// Returns bytes that look like another request's answer, or that are a body where no body is
/// allowed.
fn stray(plan: &Plan) -> Vec<u8> {
    let mut draw = Draw::new(plan.nonce);
    if draw.chance(50) {
        let poison = "HTTP/1.1 200 OK\r\nX-Nonce: stray\r\nContent-Length: 5\r\n\r\nstray";
        return poison.into();
    }
    vec![b'x'; draw.between(1, 200) as usize]
}
