//! Callers over HTTP/2 with prior knowledge, several on one connection.

use std::sync::Arc;

use bytes::Bytes;
use h2::client::{self, SendRequest};
use h2::{Reason, RecvStream, SendStream};
use http::Request;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{CALLS_PER_CONNECTION, Callers, ON_THE_WAY, Taking, begun, value};
use crate::load::plan::{Framing, Leave, Plan, key};
use crate::load::verdict::{End, Seen};
use crate::load::wire::http2::send;

pub async fn run(callers: Arc<Callers>, streams: usize) {
    loop {
        let connection = match connect(&callers).await {
            Ok(connection) => connection,
            Err(error) => return callers.not_connected(error),
        };
        // All callers continue until each caller has made its calls; then the connection ends.
        let (sender, _connection) = connection;
        let mut all = JoinSet::new();
        for _ in 0..streams {
            all.spawn(calls(Arc::clone(&callers), sender.clone()));
        }
        let mut over = false;
        while let Some(ended) = all.join_next().await {
            over |= ended.expect("a caller that doesn't panic").is_none();
        }
        if over {
            return;
        }
    }
}

async fn connect(callers: &Callers) -> Result<(SendRequest<Bytes>, JoinSet<()>), h2::Error> {
    let socket = TcpStream::connect(callers.gateway).await;
    let socket = socket.map_err(|_| h2::Error::from(Reason::REFUSED_STREAM))?;
    let _ = socket.set_nodelay(true);
    let (sender, connection) = client::handshake(socket).await?;
    let mut task = JoinSet::new();
    task.spawn(async move {
        let _ = connection.await;
    });
    Ok((sender, task))
}

/// Makes the calls of one connection. `None` means that no more calls are due.
async fn calls(callers: Arc<Callers>, sender: SendRequest<Bytes>) -> Option<()> {
    for _ in 0..CALLS_PER_CONNECTION {
        let plan = callers.next().await?;
        let reached = Instant::now() + ON_THE_WAY;
        let seen = callers.watch(&plan, call(&sender, &plan)).await;
        callers.note("HTTP/2", &plan, &seen, true, reached);
        if matches!(seen, Seen::Broke(_)) && callers.is_stopped_at(Instant::now()) {
            return None;
        }
    }
    Some(())
}

async fn call(sender: &SendRequest<Bytes>, plan: &Plan) -> Seen {
    match exchange(sender, plan).await {
        Ok(seen) => seen,
        Err(error) => Seen::Broke(format!("no stream: {error}")),
    }
}

async fn exchange(sender: &SendRequest<Bytes>, plan: &Plan) -> Result<Seen, h2::Error> {
    let mut sender = sender.clone().ready().await?;
    let mut request = Request::builder()
        .method(plan.method)
        .uri(format!("http://gateway.test{}", plan.target()))
        .header("x-api-key", key(plan.tenant))
        .header("x-nonce", format!("{:016x}", plan.nonce))
        .header("te", "trailers");
    if let Some((Framing::Length, length)) = plan.upload {
        request = request.header("content-length", length);
    }
    let request = request.body(()).expect("a request");
    let (response, mut stream) = sender.send_request(request, plan.upload.is_none())?;
    let receiving = async {
        let response = match response.await {
            Ok(response) => response,
            Err(error) => return nothing(&error),
        };
        let (parts, body) = response.into_parts();
        let answer = begun(parts.status.as_u16(), |name| value(&parts.headers, name));
        receive(Taking::new(plan, answer), body).await
    };
    let mut receiving = std::pin::pin!(receiving);
    if let Some((_, length)) = plan.upload {
        tokio::select! {
            left = upload(&mut stream, plan, length) => if left { return Ok(Seen::Left) },
            // The rest of the upload ends with the stream.
            seen = &mut receiving => return Ok(seen),
        }
    }
    Ok(receiving.await)
}

/// Uploads the body, and returns whether the caller leaves.
async fn upload(stream: &mut SendStream<Bytes>, plan: &Plan, length: u64) -> bool {
    let upto = match plan.leave {
        Leave::Upload(at) => at,
        _ => length,
    };
    // The upload breaks off when the gateway resets the stream, which the gateway may do after the
    // answer.
    let sent = send(stream, plan.sent(), upto).await;
    if sent.is_ok() && upto == length {
        let _ = stream.send_data(Bytes::new(), true);
    }
    sent.is_ok() && matches!(plan.leave, Leave::Upload(_))
}

async fn receive(mut taking: Taking<'_>, mut body: RecvStream) -> Seen {
    loop {
        if taking.is_left() {
            return taking.ends(End::Left, None);
        }
        match body.data().await {
            Some(Ok(piece)) => {
                if let Err(wrong) = taking.take(&piece).await {
                    return wrong;
                }
                let _ = body.flow_control().release_capacity(piece.len());
            }
            Some(Err(_)) => return taking.ends(End::Cut, None),
            None => break,
        }
    }
    match body.trailers().await {
        Ok(trailers) => {
            let sum = trailers.and_then(|trailers| value(&trailers, "x-sum"));
            taking.ends(End::Whole, sum)
        }
        Err(_) => taking.ends(End::Cut, None),
    }
}

/// Interprets a stream that ended without a head, or the end of the whole connection, which only
/// the caller may end.
fn nothing(error: &h2::Error) -> Seen {
    if error.is_reset() {
        Seen::Nothing
    } else {
        Seen::Broke(format!("the connection broke: {error}"))
    }
}
