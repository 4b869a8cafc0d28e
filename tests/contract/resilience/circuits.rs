//! A destination that can't be reached isn't called for a while. Failures that callers cause don't count.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tower_passthrough::ErrorCode;
use tower_passthrough::observe::Outcome;
use tower_passthrough::policy::{DomainPolicy, NetworkPolicy};
use tower_passthrough::resilience::CircuitPolicy;
use tower_passthrough::resilience::RetryPolicy;

use super::{in_turn, observed, origin, refusal, refusing, status};
use testkit::caller::{Caller, RawResponse, get, raw_call, request};
use testkit::gateway::{Builder, Gateway, Setup};
use testkit::h2_vendor::H2Vendor;
use testkit::io::Io;
use testkit::reply::Reply;
use testkit::vendor::Vendor;
use testkit::wait::within;
use testkit::wire::Wire;

const SHORT: Duration = Duration::from_millis(500);

/// Opens the circuit after two failures, for a time that is longer than any test.
fn for_long(builder: Builder) -> Builder {
    builder
        .circuit(CircuitPolicy::new().failures(2).open_for(SHORT * 1000))
        .response_head_timeout(SHORT)
}

async fn started(vendor: &Vendor, options: fn(Builder) -> Builder) -> Gateway {
    Setup::new(vendor).options(options).start().await
}

async fn call(gateway: &Gateway) -> RawResponse {
    raw_call(gateway.address, get("/p/c/x")).await
}

fn is_open(answer: &RawResponse) -> bool {
    answer.error() == Some("overloaded")
}

fn assert_open(answer: &RawResponse) {
    assert_eq!(refusal(answer), (503, "overloaded", false));
    assert_eq!(
        answer.head.value("proxy-status"),
        Some("passthrough; error=destination_unavailable")
    );
}

async fn assert_times_out(gateway: &Gateway) {
    assert_eq!(
        refusal(&call(gateway).await),
        (504, "upstream-timeout", true)
    );
}

/// Starts a vendor that doesn't answer its first calls, and answers from then on.
async fn silent_at_first(calls: usize) -> Vendor {
    let mut replies = vec![Reply::silence(); calls];
    replies.push(Reply::ok("ok"));
    in_turn(replies).await
}

#[tokio::test]
async fn circuit_opens_after_failures_to_connect_and_then_nothing_is_dialled() {
    let (socket, address) = refusing();
    let (gateway, mut reports) = observed(&*origin(address), for_long).await;
    for _ in 0..2 {
        let answer = call(&gateway).await;
        assert_eq!(refusal(&answer), (502, "upstream-unreachable", false));
        let code = Some(ErrorCode::UpstreamUnreachable);
        assert_eq!(reports.next().await, (Outcome::Refused, code, 1));
    }
    // The destination could be reached from now on.
    let listener = socket.listen(16).unwrap();
    for _ in 0..3 {
        let answer = call(&gateway).await;
        assert_open(&answer);
        let after: u64 = answer.head.value("retry-after").unwrap().parse().unwrap();
        assert!((450..=500).contains(&after), "{after}");
        let code = Some(ErrorCode::Overloaded);
        assert_eq!(reports.next().await, (Outcome::Refused, code, 0));
    }
    // The listener's queue is in order, and the probe is the first connection in the queue.
    let probe = TcpStream::connect(address).await.unwrap();
    let (_, peer) = within("a connection", listener.accept()).await.unwrap();
    assert_eq!(peer, probe.local_addr().unwrap());
}

#[tokio::test]
async fn circuit_opens_after_timeouts_of_the_head() {
    let vendor = silent_at_first(2).await;
    let gateway = started(&vendor, for_long).await;
    assert_times_out(&gateway).await;
    assert_times_out(&gateway).await;
    assert_open(&call(&gateway).await);
    // An upload that is refused is drained, so the connection isn't reset.
    let upload = request("POST", "/p/c/x", &["Content-Length: 5"], "hello");
    assert_open(&raw_call(gateway.address, upload).await);
    assert_eq!(vendor.connections().await, 2);
}

#[tokio::test]
async fn circuit_is_off_by_default() {
    let (_held, address) = refusing();
    let gateway = Gateway::to(&*origin(address)).await;
    for _ in 0..9 {
        let answer = call(&gateway).await;
        assert_eq!(refusal(&answer), (502, "upstream-unreachable", false));
    }
}

#[tokio::test]
async fn circuit_an_answer_of_any_status_resets_the_count() {
    let mut replies = Vec::new();
    for line in ["500 Error", "503 Down", "404 Not Found", "200 OK"] {
        replies.extend([Reply::silence(), status(line, "")]);
    }
    let vendor = in_turn(replies).await;
    let gateway = started(&vendor, for_long).await;
    for status in [500, 503, 404, 200] {
        assert_times_out(&gateway).await;
        assert_eq!(call(&gateway).await.status(), status);
    }
}

/// Returns a vendor that can be reached from now on, and a gateway whose circuit is open for a short time.
async fn reachable_again() -> (TcpListener, Gateway) {
    let (socket, address) = refusing();
    let gateway = Setup::new(&*origin(address))
        .options(|builder| builder.circuit(CircuitPolicy::new().failures(2).open_for(SHORT)))
        .start()
        .await;
    for _ in 0..2 {
        let answer = call(&gateway).await;
        assert_eq!(refusal(&answer), (502, "upstream-unreachable", false));
    }
    (socket.listen(16).unwrap(), gateway)
}

/// Returns the gateway's next connection, after the request on the connection.
async fn next_request(listener: &TcpListener) -> Wire {
    let (socket, _) = within("a connection", listener.accept()).await.unwrap();
    let mut wire = Wire::new(Io::Plain(socket));
    within("a request", wire.head()).await.unwrap();
    wire
}

/// Returns a call that the circuit allows, and the vendor's side of the call.
async fn probe(listener: &TcpListener, gateway: &Gateway) -> (Caller, Wire) {
    let mut caller = Caller::connect(gateway.address).await;
    let came = async {
        loop {
            caller.write(get("/p/c/x")).await;
            tokio::select! {
                wire = next_request(listener) => return wire,
                answer = caller.response("GET") => assert_open(&answer),
            }
            sleep(SHORT / 10).await;
        }
    };
    let wire = within("a probe", came).await;
    (caller, wire)
}

#[tokio::test]
async fn circuit_lets_one_probe_through_and_closes_by_its_answer() {
    let (listener, gateway) = reachable_again().await;
    let (mut caller, mut wire) = probe(&listener, &gateway).await;
    for _ in 0..3 {
        let answer = call(&gateway).await;
        assert_open(&answer);
        assert_eq!(answer.head.value("retry-after"), Some("1"));
    }
    wire.write(b"HTTP/1.1 404 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        .await;
    assert_eq!(caller.response("GET").await.status(), 404);
    // Several calls at once succeed, because the circuit is closed.
    let mut calls = Vec::new();
    for _ in 0..3 {
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(get("/p/c/x")).await;
        calls.push(caller);
    }
    for _ in 0..3 {
        let mut wire = next_request(&listener).await;
        wire.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            .await;
    }
    for mut caller in calls {
        assert_eq!(caller.response("GET").await.status(), 200);
    }
}

/// Calls until the circuit allows a call.
async fn probed(gateway: &Gateway) -> RawResponse {
    let called = async {
        loop {
            let answer = call(gateway).await;
            if !is_open(&answer) {
                return answer;
            }
            sleep(SHORT / 10).await;
        }
    };
    within("a probe", called).await
}

#[tokio::test]
async fn circuit_opens_again_when_its_probe_fails() {
    let vendor = silent_at_first(3).await;
    let gateway = Setup::new(&vendor)
        .options(|builder| {
            let policy = CircuitPolicy::new().failures(2);
            for_long(builder).circuit(policy.open_for(Duration::from_secs(2)))
        })
        .start()
        .await;
    assert_times_out(&gateway).await;
    assert_times_out(&gateway).await;
    assert_eq!(probed(&gateway).await.error(), Some("upstream-timeout"));
    assert_open(&call(&gateway).await);
    assert_eq!(probed(&gateway).await.status(), 200);
}

#[tokio::test]
async fn circuit_of_one_destination_does_not_affect_another() {
    let vendor = Vendor::replying(|received| match received.head.value("host") {
        Some(host) if host.starts_with("eu.") => Reply::ok("eu"),
        _ => Reply::silence(),
    })
    .await;
    let eu = format!("eu.vendor.test:{}", vendor.address().port());
    let domains = DomainPolicy::none().allow(&eu).unwrap();
    let gateway = Setup::new(&vendor)
        .options(for_long)
        .upstream(|upstream| upstream.domains(domains))
        .start()
        .await;
    assert_times_out(&gateway).await;
    assert_times_out(&gateway).await;
    assert_open(&call(&gateway).await);
    let elsewhere = get(&format!("/p/c/x?__domain={eu}"));
    let answer = raw_call(gateway.address, elsewhere).await;
    assert_eq!((answer.status(), &*answer.text()), (200, "eu"));
}

#[tokio::test]
async fn circuit_that_opens_between_attempts_leaves_the_last_error() {
    let (_held, address) = refusing();
    let retrying = |builder| for_long(builder).retry(RetryPolicy::new(5));
    let (gateway, mut reports) = observed(&*origin(address), retrying).await;
    let answer = call(&gateway).await;
    assert_eq!(refusal(&answer), (502, "upstream-unreachable", false));
    let code = Some(ErrorCode::UpstreamUnreachable);
    assert_eq!(reports.next().await, (Outcome::Refused, code, 2));
    assert_open(&call(&gateway).await);
}

/// Starts a vendor that doesn't answer until the test gives the signal, and a gateway whose circuit opens after one
/// failure.
async fn fragile(options: fn(Builder) -> Builder) -> (Vendor, Gateway, Arc<AtomicUsize>) {
    let answers = Arc::new(AtomicUsize::new(0));
    let vendor = Vendor::replying({
        let answers = Arc::clone(&answers);
        move |_| match answers.load(Ordering::Relaxed) {
            0 => Reply::silence(),
            _ => Reply::ok("ok"),
        }
    })
    .await;
    let gateway = Setup::new(&vendor)
        .options(move |builder| {
            let policy = CircuitPolicy::new().failures(1);
            options(builder.circuit(policy.open_for(SHORT * 1000)))
        })
        .start()
        .await;
    (vendor, gateway, answers)
}

#[tokio::test]
async fn e10_cancelled_calls_never_open_a_circuit() {
    let (vendor, gateway, answers) = fragile(|builder| builder).await;
    for number in 0..5 {
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(get("/p/c/x")).await;
        vendor.next().await;
        drop(caller);
        vendor.closed(number).await;
    }
    answers.store(1, Ordering::Relaxed);
    assert_eq!(call(&gateway).await.status(), 200);
}

#[tokio::test]
async fn e10_uploads_that_break_off_never_open_a_circuit() {
    let (vendor, gateway, answers) = fragile(|builder| builder).await;
    for number in 0..6 {
        let framing = if number < 3 {
            ("Content-Length: 100", "hello")
        } else {
            ("Transfer-Encoding: chunked", "5\r\nhello\r\n")
        };
        let mut caller = Caller::connect(gateway.address).await;
        let upload = request("POST", "/p/c/x", &[framing.0], framing.1);
        caller.write(upload).await;
        // The gateway opens a connection when the upload has begun.
        within("a connection", async {
            while vendor.connections().await <= number {
                sleep(SHORT / 10).await;
            }
        })
        .await;
        if number % 2 == 0 {
            drop(caller);
        } else {
            caller.wire.reset();
        }
        assert_eq!(vendor.next().await.body.data, b"hello");
    }
    answers.store(1, Ordering::Relaxed);
    assert_eq!(call(&gateway).await.status(), 200);
}

#[tokio::test]
async fn e10_uploads_that_stall_or_are_too_large_never_open_a_circuit() {
    let (_vendor, gateway, answers) = fragile(|builder| {
        let builder = builder.idle_timeout(SHORT).request_body_limit(10);
        // The upload is ended by either of the two limits.
        builder.response_head_timeout(SHORT)
    })
    .await;
    let stalled = request("POST", "/p/c/x", &["Content-Length: 9"], "hello");
    let large = "b\r\nelevenbytes\r\n0\r\n\r\n";
    let large = request("POST", "/p/c/x", &["Transfer-Encoding: chunked"], large);
    for _ in 0..3 {
        let answer = raw_call(gateway.address, &stalled).await;
        assert_eq!(
            (answer.status(), answer.error()),
            (504, Some("upstream-timeout"))
        );
        let answer = raw_call(gateway.address, &large).await;
        assert_eq!(
            (answer.status(), answer.error()),
            (413, Some("body-too-large"))
        );
    }
    answers.store(1, Ordering::Relaxed);
    assert_eq!(call(&gateway).await.status(), 200);
}

#[tokio::test]
async fn e10_destinations_that_are_refused_never_open_a_circuit() {
    let vendor = Vendor::ok().await;
    let gateway = Setup::new(&vendor)
        .network(|_| NetworkPolicy::new().dangerous().plaintext())
        .options(for_long)
        .start()
        .await;
    for _ in 0..4 {
        let answer = call(&gateway).await;
        assert_eq!(
            (answer.status(), answer.error()),
            (403, Some("destination-refused"))
        );
    }
}

#[tokio::test]
async fn e10_a_cancelled_probe_frees_its_place() {
    let (listener, gateway) = reachable_again().await;
    for _ in 0..3 {
        let (caller, mut wire) = probe(&listener, &gateway).await;
        drop(caller);
        wire.closed().await;
    }
    let (mut caller, mut wire) = probe(&listener, &gateway).await;
    wire.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        .await;
    assert_eq!(caller.response("GET").await.status(), 200);
}

/// A vendor that uses HTTP/2 alone refuses HTTP/1.1 during TLS, and answers all other calls.
#[tokio::test]
async fn e10_handshakes_for_tunnels_never_open_a_circuit_to_an_http2_vendor() {
    let vendor = H2Vendor::start().await;
    let gateway = Setup::new(&vendor).options(for_long).start().await;
    let handshake = [
        "Connection: upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    ];
    for _ in 0..4 {
        let asked = request("GET", "/p/c/live", &handshake, "");
        let answer = raw_call(gateway.address, asked).await;
        assert_eq!(refusal(&answer), (502, "upstream-unreachable", false));
    }
    let answer = async { vendor.next().await.ok("ok") };
    let (answered, ()) = tokio::join!(call(&gateway), answer);
    assert_eq!(answered.status(), 200);
}

/// The last byte comes when little time is left for an answer.
#[tokio::test]
async fn e10_a_slow_upload_before_the_total_time_never_opens_a_circuit() {
    let vendor = silent_at_first(1).await;
    let options = |builder: Builder| {
        builder
            .circuit(CircuitPolicy::new().failures(1).open_for(SHORT * 1000))
            .total_timeout(SHORT * 2)
    };
    let gateway = started(&vendor, options).await;
    let mut caller = Caller::connect(gateway.address).await;
    let begun = request("POST", "/p/c/x", &["Content-Length: 2"], "a");
    caller.write(begun).await;
    sleep(SHORT).await;
    caller.write("b").await;
    assert_eq!(caller.response("POST").await.status(), 504);
    assert_eq!(call(&gateway).await.status(), 200);
}
