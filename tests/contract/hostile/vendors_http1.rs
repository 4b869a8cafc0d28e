//! HTTP/1.1 vendors that answer before or during the request, twice, with garbage, without end or never.

use std::future::Future;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::with_next;
use testkit::caller::{Caller, RawResponse, get, request};
use testkit::gateway::{Gateway, Setup};
use testkit::io::Io;
use testkit::manual::VendorConnection;
use testkit::tenant::{self, Tenant};
use testkit::vendor::request_framing;
use testkit::wire::{End, Wire};

/// A vendor that is hostile on its first connection and echoes on all others, and a gateway in front of the vendor.
struct Stage {
    gateway: Gateway,
    next: Tenant,
    _tasks: JoinSet<()>,
}

impl Stage {
    /// Starts the two. If `script` returns the connection, the vendor echoes on this connection too.
    async fn before<F>(
        change: impl FnOnce(Setup) -> Setup,
        script: impl FnOnce(VendorConnection) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Option<VendorConnection>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            let mut script = Some(script);
            while let Ok((socket, _)) = listener.accept().await {
                let _ = socket.set_nodelay(true);
                let connection = VendorConnection {
                    wire: Wire::new(Io::Plain(socket)),
                };
                match script.take() {
                    Some(script) => {
                        let hostile = script(connection);
                        connections.spawn(async move {
                            if let Some(connection) = hostile.await {
                                echo(connection).await;
                            }
                        });
                    }
                    None => {
                        connections.spawn(echo(connection));
                    }
                }
            }
        });
        let setup = Setup::new(&*format!("http://vendor.test:{port}"));
        let gateway = change(with_next(setup)).start().await;
        Self {
            next: Tenant::of(gateway.address),
            gateway,
            _tasks: tasks,
        }
    }

    /// Makes a call with that request, and checks that the next tenant is served while the caller is connected, and
    /// after it left.
    async fn call(&self, sent: &str, what: &str) -> RawResponse {
        let mut caller = Caller::connect(self.gateway.address).await;
        let answer = caller.call(sent).await;
        self.next.is_served(what).await;
        drop(caller);
        self.next.is_served(what).await;
        answer
    }
}

/// Answers each request on that connection with the text of the request.
async fn echo(mut connection: VendorConnection) {
    let wire = &mut connection.wire;
    while let Some(head) = wire.head().await {
        let body = wire.body(request_framing(&head)).await;
        if body.end == End::Cut {
            return;
        }
        let text = tenant::echo_text(&head, &String::from_utf8_lossy(&body.data));
        let length = text.len();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{text}");
        if !wire.try_write(answer.as_bytes()).await {
            return;
        }
    }
}

/// Starts a vendor that answers its first request with these bytes, and then continues in the usual way.
async fn answering(bytes: impl Into<Vec<u8>>) -> Stage {
    let bytes = bytes.into();
    Stage::before(
        |setup| setup,
        |mut connection| async move {
            connection.wire.head().await?;
            connection
                .wire
                .try_write(&bytes)
                .await
                .then_some(connection)
        },
    )
    .await
}

const POISON: &str = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npoisoned";

fn upload(sent: &str) -> String {
    request("POST", "/p/c/x", &["Content-Length: 10"], sent)
}

#[tokio::test]
async fn v6_an_answer_before_the_request_reaches_no_other_call() {
    let stage = Stage::before(
        |setup| setup,
        |mut connection| async move {
            connection.wire.try_write(POISON.as_bytes()).await;
            Some(connection)
        },
    )
    .await;
    // The gateway can't distinguish this answer from a quick answer to the call that made the connection, but no other
    // call may get it.
    let answer = stage.call(&get("/p/c/x"), "an answer before").await;
    assert!(
        answer.status() == 502 || answer.text() == "poisoned",
        "{answer:?}"
    );
}

#[tokio::test]
async fn v6_an_answer_during_the_upload_reaches_only_its_call() {
    for bytes in [POISON.to_owned(), POISON.repeat(2), format!("{POISON}x")] {
        let stage = Stage::before(
            |setup| setup,
            |mut connection| async move {
                let head = connection.wire.head().await?;
                connection.wire.try_write(bytes.as_bytes()).await;
                let body = connection.wire.body(request_framing(&head)).await;
                (body.end == End::Complete).then_some(connection)
            },
        )
        .await;
        let mut caller = Caller::connect(stage.gateway.address).await;
        caller.write(upload("half")).await;
        assert_eq!(caller.response("POST").await.text(), "poisoned");
        stage.next.is_served("an answer during the upload").await;
        caller.wire.try_write(b"+other").await;
        stage.next.is_served("the rest of the upload").await;
        drop(caller);
        stage.next.is_served("an early answer").await;
    }
}

#[tokio::test]
async fn k5_the_second_of_two_answers_reaches_no_call() {
    for (method, first) in [
        ("GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        (
            "GET",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        ),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n"),
        (
            "GET",
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\nok",
        ),
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 78\r\n\r\n"),
    ] {
        let stage = answering(format!("{first}{POISON}")).await;
        let answer = stage.call(&request(method, "/p/c/x", &[], ""), first).await;
        assert_ne!(answer.text(), "poisoned", "{first:?}");
    }
}

#[tokio::test]
async fn v6_after_garbage_the_next_tenant_gets_its_own_answer() {
    for garbage in [
        "\0\0\0\0\r\n\r\n",
        "HTTP/1.1\r\n\r\n",
        "HTTP/1.1 2x0 OK\r\n\r\n",
        "HTTP/1.1 99 OK\r\n\r\n",
        "HTTP/1.1 1000 OK\r\n\r\n",
        "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    ] {
        let stage = answering(garbage).await;
        let answer = stage.call(&get("/p/c/x"), garbage).await;
        assert_eq!(
            answer.error(),
            Some("upstream-protocol"),
            "{garbage:?}: {answer:?}"
        );
    }
}

/// Framing of an answer's body that two parsers could read differently, with an answer hidden in the body.
#[tokio::test]
async fn v6_a_body_that_two_parsers_read_differently_hides_no_answer() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for body in [
        format!("1;a=\nb\r\nx\r\n0\r\n\r\n{POISON}"),
        format!("1\nx\r\n0\r\n\r\n{POISON}"),
        format!("1\r\nxx\r\n0\r\n\r\n{POISON}"),
        format!("1\r\nx\n0\r\n\r\n{POISON}"),
        format!("+1\r\nx\r\n0\r\n\r\n{POISON}"),
        format!("0x1\r\nx\r\n0\r\n\r\n{POISON}"),
        format!("10000000000000000\r\n{POISON}"),
        format!("ffffffffffffffff\r\n{POISON}"),
        format!("\r\n{POISON}"),
        format!("0\r\n{POISON}"),
        format!("0\n\n{POISON}"),
    ] {
        let stage = answering(format!("{chunked}{body}")).await;
        let mut caller = Caller::connect(stage.gateway.address).await;
        caller.write(get("/p/c/x")).await;
        caller.head().await;
        stage.next.is_served(&body).await;
        drop(caller);
        stage.next.is_served(&body).await;
    }
    for lines in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
    ] {
        let answer = format!("HTTP/1.1 200 OK\r\n{lines}\r\n\r\n0\r\n\r\n{POISON}");
        let stage = answering(answer).await;
        let answer = stage.call(&get("/p/c/x"), lines).await;
        assert!(
            answer.status() == 502 || answer.text().is_empty(),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn v3_after_a_head_that_is_too_large_the_next_tenant_is_served() {
    let many: String = (0..1000).map(|nth| format!("x-{nth}: y\r\n")).collect();
    let long = format!("X: {}\r\n", "y".repeat(1 << 20));
    let reason = "z".repeat(1 << 20);
    for head in [
        format!("HTTP/1.1 200 OK\r\n{many}\r\n"),
        format!("HTTP/1.1 200 OK\r\n{long}\r\n"),
        format!("HTTP/1.1 200 {reason}\r\n\r\n"),
    ] {
        let stage = answering(head).await;
        let answer = stage.call(&get("/p/c/x"), "a head that is too large").await;
        assert_eq!(answer.error(), Some("upstream-protocol"), "{answer:?}");
    }
}

/// Starts a vendor that writes `start`, and then `more` until the gateway closes the connection.
async fn without_end(
    start: &'static str,
    more: &'static str,
    change: impl FnOnce(Setup) -> Setup,
) -> Stage {
    Stage::before(change, move |mut connection| async move {
        connection.wire.head().await?;
        connection.wire.try_write(start.as_bytes()).await;
        let more = more.repeat(200);
        while connection.wire.try_write(more.as_bytes()).await {
            tokio::task::yield_now().await;
        }
        None
    })
    .await
}

#[tokio::test]
async fn v3_endless_answers_end_and_the_next_tenant_is_served() {
    for (start, more) in [
        ("HTTP/1.1 200 OK\r\nX: ", "y"),
        ("HTTP/1.1 200 OK\r\n", "X: y\r\n"),
        ("HTTP/1.1 200 ", "y"),
        ("", "y"),
    ] {
        let stage = without_end(start, more, |setup| setup).await;
        let answer = stage.call(&get("/p/c/x"), "a head without end").await;
        assert_eq!(
            answer.error(),
            Some("upstream-protocol"),
            "{start:?} {more:?}"
        );
    }
    // The parts of a body that no caller receives.
    for (start, more) in [
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;",
            "y",
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "0"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
            "X: y\r\n",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ",
            "y",
        ),
    ] {
        let stage = without_end(start, more, |setup| {
            setup.options(|options| options.idle_timeout(Duration::from_secs(1)))
        })
        .await;
        let answer = stage.call(&get("/p/c/x"), "framing without end").await;
        assert!(!answer.complete(), "{start:?} {more:?}: {answer:?}");
    }
}

#[tokio::test]
async fn b15_endless_interim_answers_are_an_error() {
    let hint = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    for hint in [hint, "HTTP/1.1 100 Continue\r\n\r\n"] {
        let stage = without_end("", hint, |setup| {
            setup.options(|options| options.response_head_timeout(Duration::from_secs(1)))
        })
        .await;
        let answer = stage
            .call(&get("/p/c/x"), "interim answers without end")
            .await;
        assert_eq!(answer.error(), Some("upstream-timeout"), "{answer:?}");
    }
    // Many interim answers before a final answer are not an error.
    let stage = answering(format!("{}{POISON}", hint.repeat(1000))).await;
    let answer = stage
        .call(&get("/p/c/x"), "a thousand interim answers")
        .await;
    assert_eq!(answer.text(), "poisoned");
}

#[tokio::test]
async fn v6_a_vendor_that_never_answers_stops_no_tenant() {
    let stage = Stage::before(
        |setup| setup,
        |mut connection| async move {
            connection.closed().await;
            None
        },
    )
    .await;
    let mut caller = Caller::connect(stage.gateway.address).await;
    caller.write(get("/p/c/x")).await;
    stage.next.is_served("no answer").await;
    drop(caller);
    stage.next.is_served("no answer, whose caller left").await;
}

#[tokio::test]
async fn v6_an_answer_byte_by_byte_arrives_and_delays_no_tenant() {
    let stage = Stage::before(
        |setup| setup,
        |mut connection| async move {
            connection.wire.head().await?;
            for byte in POISON.as_bytes() {
                connection.wire.try_write(&[*byte]).await;
                tokio::task::yield_now().await;
            }
            Some(connection)
        },
    )
    .await;
    let answer = stage.call(&get("/p/c/x"), "an answer byte by byte").await;
    assert_eq!(answer.text(), "poisoned");
}
