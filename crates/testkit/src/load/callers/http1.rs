//! Callers over HTTP/1.1, in literal bytes, that read while they write.

use std::pin::pin;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::Instant;

use super::{CALLS_PER_CONNECTION, Callers, ON_THE_WAY, Taking, begun};
use crate::caller::response_framing;
use crate::load::plan::{Framing, Leave, Plan, key};
use crate::load::verdict::{End, Seen};
use crate::load::wire::http1::{Messages, Outgoing};

struct Line {
    read: Messages<OwnedReadHalf>,
    write: OwnedWriteHalf,
    /// The time when the whole request was written.
    sent: Option<Instant>,
}

pub async fn run(callers: Arc<Callers>) {
    let mut line = None;
    let mut calls = 0;
    while let Some(plan) = callers.next().await {
        let mut used = match line.take() {
            Some(line) => line,
            None => match connect(&callers).await {
                Ok(line) => line,
                Err(error) => return callers.not_connected(error),
            },
        };
        let trailers = plan.nonce % 2 == 0;
        let reached = Instant::now() + ON_THE_WAY;
        let seen = callers.watch(&plan, call(&mut used, &plan, trailers)).await;
        let begun = used.sent.take().unwrap_or(reached).min(reached);
        callers.note("HTTP/1.1", &plan, &seen, trailers, begun);
        calls += 1;
        let goes_on = calls % CALLS_PER_CONNECTION != 0 && stays(&plan, &seen);
        line = goes_on.then_some(used);
    }
}

async fn connect(callers: &Callers) -> std::io::Result<Line> {
    let socket = TcpStream::connect(callers.gateway).await?;
    socket.set_nodelay(true)?;
    let (read, write) = socket.into_split();
    Ok(Line {
        read: Messages::of(read),
        write,
        sent: None,
    })
}

/// Returns whether the connection is in step: the gateway may close the connection after an unread
/// upload.
fn stays(plan: &Plan, seen: &Seen) -> bool {
    let Seen::Answer(answer) = seen else {
        return false;
    };
    let read = plan.upload.is_none() || (answer.error.is_none() && !plan.manner.is_early());
    answer.end == End::Whole && read
}

enum Sent {
    Whole,
    /// The part that the caller wanted to send.
    Left,
    /// The part that the gateway took.
    Cut,
}

async fn call(line: &mut Line, plan: &Plan, trailers: bool) -> Seen {
    let Line {
        read,
        write,
        sent: written,
    } = line;
    let mut sending = pin!(send(write, plan, trailers));
    let mut receiving = pin!(receive(read, plan));
    let mut sent = false;
    let seen = loop {
        tokio::select! {
            ended = &mut sending, if !sent => match ended {
                Sent::Left => return Seen::Left,
                Sent::Cut => sent = true,
                Sent::Whole => {
                    sent = true;
                    *written = Some(Instant::now());
                }
            },
            seen = &mut receiving => break seen,
        }
    };
    // An early answer is no reason to break the upload off: the vendor checks whether the upload
    // still arrives, and the time limit checks that the upload ends.
    if !sent && matches!(&seen, Seen::Answer(answer) if answer.end == End::Whole) {
        sending.await;
    }
    seen
}

async fn send(write: &mut OwnedWriteHalf, plan: &Plan, trailers: bool) -> Sent {
    let (framing, length) = plan.upload.unwrap_or((Framing::Close, 0));
    let mut head = format!(
        "{} {} HTTP/1.1\r\nHost: gateway.test\r\nX-Api-Key: {}\r\nX-Nonce: {:016x}\r\n",
        plan.method,
        plan.target(),
        key(plan.tenant),
        plan.nonce,
    );
    match framing {
        Framing::Length => head += &format!("Content-Length: {length}\r\n"),
        Framing::Chunked => head += "Transfer-Encoding: chunked\r\n",
        Framing::Close => {}
    }
    if trailers {
        head += "TE: trailers\r\n";
    }
    head += "\r\n";
    let mut upload = Outgoing::whole(plan.sent(), framing);
    let leaves = if let Leave::Upload(at) = plan.leave {
        upload.upto = at;
        true
    } else {
        false
    };
    match upload.write(head.into_bytes(), write).await {
        Ok(()) if leaves => Sent::Left,
        Ok(()) => Sent::Whole,
        Err(_) => Sent::Cut,
    }
}

async fn receive(read: &mut Messages<OwnedReadHalf>, plan: &Plan) -> Seen {
    let head = loop {
        match read.head().await {
            Ok(Some(head)) if head.status() < 200 => {}
            Ok(Some(head)) => break head,
            Ok(None) | Err(_) => return Seen::Nothing,
        }
    };
    read.expect(response_framing(&head, plan.method));
    let value = |name: &str| head.values(name).first().map(|value| (*value).to_owned());
    let mut taking = Taking::new(plan, begun(head.status(), value));
    loop {
        if taking.is_left() {
            return taking.ends(End::Left, None);
        }
        match read.piece().await {
            Ok(Some(piece)) => {
                if let Err(wrong) = taking.take(piece).await {
                    return wrong;
                }
            }
            Ok(None) => return taking.ends(End::Whole, read.trailer("x-sum")),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                return Seen::Wrong(format!("{error}, of {:?}", taking.answer));
            }
            Err(_) => return taking.ends(End::Cut, None),
        }
    }
}
