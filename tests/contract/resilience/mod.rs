//! Requests that are sent again if the host application sets a retry policy, and vendors that aren't called while their
//! circuit is open.

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

/// Returns an answer without a body.
fn status(line: &str, fields: &str) -> Reply {
    Reply::from(format!(
        "HTTP/1.1 {line}\r\n{fields}Content-Length: 0\r\n\r\n"
    ))
}

/// Starts a vendor that gives these answers in turn, and the last answer from then on.
async fn in_turn(replies: Vec<Reply>) -> Vendor {
    let number = AtomicUsize::new(0);
    Vendor::replying(move |_| {
        let number = number.fetch_add(1, Ordering::Relaxed);
        replies[number.min(replies.len() - 1)].clone()
    })
    .await
}

/// The data of a call that an observer received: its outcome, its error, and the number of attempts.
type Told = (Outcome, Option<ErrorCode>, u32);

/// Starts a gateway with these options, and returns the reports of its calls as well.
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

/// Starts a gateway that makes up to `attempts` attempts.
async fn retrying(vendor: &(impl Origin + ?Sized), attempts: u32) -> Gateway {
    Setup::new(vendor)
        .options(move |builder| builder.retry(RetryPolicy::new(attempts)))
        .start()
        .await
}

/// Returns the number of requests that the vendor has received since the last question.
async fn requests(vendor: &Vendor) -> usize {
    let mut number = 0;
    while vendor.try_next().await.is_some() {
        number += 1;
    }
    number
}

/// Returns an address that refuses connections as long as the socket doesn't listen.
fn refusing() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// Returns the origin of an `http` vendor at that address.
fn origin(address: SocketAddr) -> String {
    format!("http://vendor.test:{}", address.port())
}

/// Returns the status, the code and the value of `sent` of an error of the gateway.
fn refusal(answer: &RawResponse) -> (u16, &str, bool) {
    let code = answer.error().expect("an error of the gateway's own");
    let problem: serde_json::Value = serde_json::from_slice(&answer.body.data).unwrap();
    (answer.status(), code, problem["sent"].as_bool().unwrap())
}
