//! The tenant that comes after a hostile peer: whatever the peer did, the tenant's calls get their
//! own answers.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::caller::{Caller, request};
use super::gateway::TOKEN;
use super::h2_caller::{self, H2Caller};
use super::head::Head;
use super::reply::Reply;
use super::vendor::Received;

/// The stored secret of the next tenant.
pub const NEXT: &str = "n3xt-t3nant";

/// A separate tenant at the gateway that a hostile peer has met.
pub struct Tenant {
    gateway: SocketAddr,
    /// The mount and the tenant's connection.
    mount: &'static str,
    /// The field line by which the gateway recognises the tenant.
    known_by: Option<(&'static str, &'static str)>,
    calls: AtomicUsize,
}

impl Tenant {
    /// Returns a tenant with connection `next` under `/p`, whose vendor echoes (see [`echo`]).
    pub fn of(gateway: SocketAddr) -> Self {
        Self {
            gateway,
            mount: "/p/next",
            known_by: None,
            calls: AtomicUsize::new(0),
        }
    }

    /// Moves the tenant to another mount, where callers have keys.
    pub fn at(mut self, mount: &'static str, known_by: (&'static str, &'static str)) -> Self {
        self.mount = mount;
        self.known_by = Some(known_by);
        self
    }

    /// Calls over both protocols, one call after another on each connection, and fails unless each
    /// answer belongs to its call.
    pub async fn is_served(&self, after: &str) {
        let mut plain = Caller::connect(self.gateway).await;
        let mut streams = H2Caller::connect(self.gateway).await;
        for _ in 0..2 {
            let (target, body) = self.next();
            let mut lines = vec![format!("Content-Length: {}", body.len())];
            lines.extend(
                self.known_by
                    .map(|(name, value)| format!("{name}: {value}")),
            );
            let lines: Vec<_> = lines.iter().map(String::as_str).collect();
            let sent = request("POST", &format!("{}{target}", self.mount), &lines, &body);
            let answer = plain.call(sent).await;
            assert_eq!(
                (answer.status(), answer.text()),
                (200, own_answer(&target, &body)),
                "after {after}, over HTTP/1.1: {answer:?}"
            );
            assert!(answer.complete(), "after {after}");

            let (target, body) = self.next();
            let mut call = h2_caller::request("POST", &format!("{}{target}", self.mount));
            if let Some((name, value)) = self.known_by {
                call = call.header(name, value);
            }
            let (response, mut upload) = streams.open(call.body(()).unwrap(), false).await;
            upload.send_data(body.clone().into(), true).unwrap();
            let answer = h2_caller::whole(response).await;
            assert_eq!(
                (
                    answer.status.as_u16(),
                    String::from_utf8_lossy(&answer.body).into_owned()
                ),
                (200, own_answer(&target, &body)),
                "after {after}, over HTTP/2"
            );
        }
    }

    /// Returns a target and a body that no other call has.
    fn next(&self) -> (String, String) {
        let nth = self.calls.fetch_add(1, Ordering::Relaxed);
        (format!("/own/{nth}"), format!("the body of {nth}"))
    }
}

/// Returns the answer of [`echo`] to the next tenant.
fn own_answer(target: &str, body: &str) -> String {
    text("POST", target, &format!("Bearer {NEXT}"), body)
}

fn text(method: &str, target: &str, credential: &str, body: &str) -> String {
    format!("{method} {target} by {credential}: {body}")
}

/// Returns an answer that no other request has: method, target, credential and body of this
/// request.
pub fn echo_text(head: &Head, body: &str) -> String {
    let credential = head.value("authorization").unwrap_or_default();
    text(head.method(), head.target(), credential, body)
}

/// Returns the same answer for a request over HTTP/2.
pub fn echo_stream(request: &http::Request<()>, body: &[u8]) -> String {
    let credential = request.headers().get("authorization");
    let credential = credential.map_or("", |value| value.to_str().unwrap());
    let body = String::from_utf8_lossy(body);
    let target = request
        .uri()
        .path_and_query()
        .map_or("", |path| path.as_str());
    text(request.method().as_str(), target, credential, &body)
}

/// Answers with [`echo_text`].
pub fn echo(received: &Received) -> Reply {
    let body = super::head::latin1(&received.body.data);
    Reply::ok(&echo_text(&received.head, &body))
}

/// Returns whether the target belongs to a tenant's call.
pub fn is_own(target: &str) -> bool {
    target.starts_with("/own/")
}

/// Fails unless each vendor would interpret this head in the same way, as a request that the
/// gateway made.
pub fn assert_unambiguous(head: &Head, what: &str) {
    let shown = super::head::latin1(&head.raw);
    let lengths = head.values("content-length");
    let codings = head.values("transfer-encoding");
    assert!(lengths.len() + codings.len() <= 1, "{what}: {shown:?}");
    assert!(
        codings.iter().all(|coding| *coding == "chunked"),
        "{what}: {shown:?}"
    );
    assert!(
        lengths
            .iter()
            .all(|length| length.bytes().all(|byte| byte.is_ascii_digit())),
        "{what}: {shown:?}"
    );
    let without_line_ends = shown.replace("\r\n", "");
    assert!(
        !without_line_ends.contains(['\r', '\n', '\0']),
        "{what}: {shown:?}"
    );
    assert!(
        head.fields
            .iter()
            .all(|(name, _)| !name.is_empty() && !name.contains([' ', '\t'])),
        "{what}: {shown:?}"
    );
    let credential = head.value("authorization");
    let stored = [TOKEN, NEXT].map(|token| format!("Bearer {token}"));
    assert!(
        stored.iter().any(|stored| credential == Some(stored)),
        "{what}: {shown:?}"
    );
}
