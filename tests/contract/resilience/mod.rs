//! What is sent again where the host asks for it, and which vendors are left alone for a while.

mod budget;
mod circuits;
mod failures;
mod retries;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::TcpSocket;
use tokio::sync::mpsc;
use tower_passthrough::ErrorCode;
use tower_passthrough::observe::{CallReport, Outcome};
use tower_passthrough::resilience::RetryPolicy;

use testkit::caller::RawResponse;
use testkit::gateway::{Builder, Gateway, Origin, Setup};
use testkit::reply::Reply;
use testkit::vendor::Vendor;
use testkit::wait::within;

/// An answer without a body.
fn status(line: &str, fields: &str) -> Reply {
    Reply::from(format!(
        "HTTP/1.1 {line}\r\n{fields}Content-Length: 0\r\n\r\n"
    ))
}

/// Answers by these in turn, and by the last one from then on.
async fn in_turn(replies: Vec<Reply>) -> Vendor {
    let number = AtomicUsize::new(0);
    Vendor::replying(move |_| {
        let number = number.fetch_add(1, Ordering::Relaxed);
        replies[number.min(replies.len() - 1)].clone()
    })
    .await
}

/// What an observer was told of a call: how it ended, by which error, after how many attempts.
type Told = (Outcome, Option<ErrorCode>, u32);

/// A gateway with these options, and the reports of its calls.
async fn observed(
    vendor: &(impl Origin + ?Sized),
    options: impl FnOnce(Builder) -> Builder + Send + 'static,
) -> (Gateway, Reports) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let gateway = Setup::new(vendor)
        .options(move |builder| {
            options(builder).observe_fn(move |call: &CallReport<'_>| {
                let _ = sender.send((call.outcome(), call.error(), call.attempts()));
            })
        })
        .start()
        .await;
    (gateway, Reports(receiver))
}

struct Reports(mpsc::UnboundedReceiver<Told>);

impl Reports {
    async fn next(&mut self) -> Told {
        within("a report", self.0.recv()).await.unwrap()
    }
}

/// A gateway that makes up to `attempts`.
async fn retrying(vendor: &(impl Origin + ?Sized), attempts: u32) -> Gateway {
    Setup::new(vendor)
        .options(move |builder| builder.retry(RetryPolicy::new(attempts)))
        .start()
        .await
}

/// How many requests the vendor has had since it was asked last.
async fn requests(vendor: &Vendor) -> usize {
    let mut number = 0;
    while vendor.try_next().await.is_some() {
        number += 1;
    }
    number
}

/// An address that refuses connections, for as long as the socket doesn't listen.
fn refusing() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// The origin of a vendor in clear at that address.
fn origin(address: SocketAddr) -> String {
    format!("http://vendor.test:{}", address.port())
}

/// The gateway's own error: its status, its code, and whether the vendor may have acted.
fn refusal(answer: &RawResponse) -> (u16, &str, bool) {
    let code = answer.error().expect("an error of the gateway's own");
    let problem: serde_json::Value = serde_json::from_slice(&answer.body.data).unwrap();
    (answer.status(), code, problem["sent"].as_bool().unwrap())
}
