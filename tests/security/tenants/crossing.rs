//! Answers of one call that could become answers of another call.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Empty;
use tokio::task::JoinSet;
use tower::util::ServiceExt as _;
use tower_passthrough::auth::AuthScheme;
use tower_passthrough::{Connection, auth};

use super::{echoing_vendor, with_trailers};
use testkit::caller::{Caller, get, post, raw_call};
use testkit::gateway::{Gateway, Setup, bind};
use testkit::reply::Reply;
use testkit::vendor::Vendor;

/// Makes `calls` calls of two tenants in turn, over kept connections.
async fn interleaved(calls: usize) {
    const CALLERS: usize = 8;
    let vendor = Arc::new(echoing_vendor().await);
    let gateway = Setup::new(&*vendor)
        .also(
            "a",
            Connection::new("vendor").with_secret("token", "tenant-a"),
        )
        .also(
            "b",
            Connection::new("vendor").with_secret("token", "tenant-b"),
        )
        .start()
        .await;
    let mut tasks = JoinSet::new();
    for caller in 0..CALLERS {
        let address = gateway.address;
        tasks.spawn(async move {
            let mut connection = Caller::connect(address).await;
            for nth in 0..calls / CALLERS {
                let tenant = if (caller + nth) % 2 == 0 { "a" } else { "b" };
                let target = format!("/{caller}/{nth}");
                let body = format!("body-{caller}-{nth}");
                let sent = match nth % 3 {
                    0 => get(&format!("/p/{tenant}{target}")),
                    1 => post(&format!("/p/{tenant}{target}"), &body),
                    _ => with_trailers(&format!("/p/{tenant}{target}"), &[], &[]),
                };
                let response = connection.call(sent).await;
                let body = match nth % 3 {
                    0 => "",
                    1 => &body,
                    _ => "ab",
                };
                assert_eq!(
                    response.text(),
                    format!("Bearer tenant-{tenant} {target} {body}")
                );
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
        while vendor.try_next().await.is_some() {}
    }
    assert!(
        vendor.connections().await < calls / 10,
        "connections weren't kept, so the test proves nothing"
    );
}

#[tokio::test]
async fn t6_answers_of_two_tenants_never_cross() {
    interleaved(4_000).await;
}

#[tokio::test]
#[ignore = "takes more than a minute: run before a release"]
async fn t6_answers_of_two_tenants_never_cross_in_a_hundred_thousand_calls() {
    interleaved(100_000).await;
}

/// The length is a field of the caller. A layer of the host application has changed the body.
#[tokio::test]
async fn t6_a_body_that_a_layer_emptied_swallows_no_other_call() {
    let vendor = echoing_vendor().await;
    let listener = bind().await;
    let mut setup = Setup::new(&vendor)
        .also(
            "a",
            Connection::new("vendor").with_secret("token", "tenant-a"),
        )
        .also(
            "b",
            Connection::new("vendor").with_secret("token", "tenant-b"),
        );
    let service = setup.build(listener.local_addr().unwrap());
    let emptying = tower::service_fn(move |request: http::Request<hyper::body::Incoming>| {
        service
            .clone()
            .oneshot(request.map(|_| Empty::<Bytes>::new()))
    });
    let gateway = Gateway::serve(listener, emptying);
    let mut caller = Caller::connect(gateway.address).await;
    for nth in 0..20 {
        let swallowed = caller.call(post("/p/a/first", &"x".repeat(40))).await;
        assert_eq!(swallowed.text(), "Bearer tenant-a /first ", "{nth}");
        let received = vendor.next().await;
        assert!(matches!(
            received.head.value("content-length"),
            None | Some("0")
        ));
        let other = caller.call(get("/p/b/second")).await;
        assert_eq!(other.text(), "Bearer tenant-b /second ", "{nth}");
        vendor.next().await;
    }
}

#[tokio::test]
async fn t6_bytes_after_an_answer_are_not_the_next_calls_answer() {
    let poison = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";
    for answer in [
        format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok{poison}"),
        format!("HTTP/1.1 204 No Content\r\n\r\n{poison}"),
        format!(
            "HTTP/1.1 304 Not Modified\r\nContent-Length: {}\r\n\r\n{poison}",
            poison.len()
        ),
        format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n{poison}"
        ),
    ] {
        let vendor = Vendor::replying(move |received| match received.target() {
            "/first" => Reply::bytes(answer.clone()),
            _ => Reply::ok("good"),
        })
        .await;
        let gateway = Gateway::to(&vendor).await;
        for _ in 0..5 {
            let first = raw_call(gateway.address, get("/p/c/first")).await;
            assert!(
                matches!(first.text().as_str(), "ok" | ""),
                "{}",
                first.text()
            );
            let second = raw_call(gateway.address, get("/p/c/second")).await;
            // The connection may break during the second call, but must never return the rest of the first answer.
            assert!(
                second.text() == "good" || second.status() == 502,
                "{}",
                second.text()
            );
        }
    }
}

#[tokio::test]
async fn t6_a_half_read_answer_is_not_left_on_a_kept_connection() {
    let large = "x".repeat(4 << 20);
    let vendor = Vendor::replying(move |received| match received.target() {
        "/large" => Reply::ok(&large),
        _ => Reply::ok("good"),
    })
    .await;
    let gateway = Gateway::to(&vendor).await;
    for _ in 0..5 {
        let mut leaving = Caller::connect(gateway.address).await;
        leaving.write(get("/p/c/large")).await;
        leaving.head().await;
        leaving.wire.reset();
        let other = raw_call(gateway.address, get("/p/c/small")).await;
        assert_eq!(other.text(), "good");
    }
}

/// The numbers of the vendor's connections that carried calls of `a`, `b` and `a`.
async fn carried(scheme: impl AuthScheme, secret: &str) -> (Vec<Option<String>>, Vec<usize>) {
    let vendor = Vendor::ok().await;
    let connection =
        |of: &str| Connection::new("vendor").with_secret("token", format!("{secret}{of}"));
    let gateway = Setup::new(&vendor)
        .also("a", connection("a"))
        .also("b", connection("b"))
        .upstream(|upstream| upstream.auth(scheme))
        .start()
        .await;
    let mut errors = Vec::new();
    let mut numbers = Vec::new();
    for id in ["a", "b", "a"] {
        // A connection rests before another key uses it.
        tokio::time::sleep(std::time::Duration::from_millis(40)).await;
        let response = raw_call(gateway.address, get(&format!("/p/{id}/x"))).await;
        match response.error() {
            Some(error) => errors.push(Some(error.to_owned())),
            None => numbers.push(vendor.next().await.connection),
        }
    }
    (errors, numbers)
}

#[tokio::test]
async fn t7_templates_that_authenticate_the_network_connection_isolate_it() {
    let header = |template| auth::Header::new("authorization", template).unwrap();
    for template in [
        "Negotiate {token}",
        "negotiate {token}",
        "NTLM {token}",
        "  nTlM   {token}",
        "Kerberos {token}",
    ] {
        assert_eq!(
            carried(header(template), "").await.1,
            [0, 1, 0],
            "{template}"
        );
        // One such scheme among others is enough.
        let both = (auth::Header::new("x-own", "1").unwrap(), header(template));
        assert_eq!(carried(both, "").await.1, [0, 1, 0], "{template}");
    }
    for template in ["Bearer {token}", "Token NTLM {token}", "{token}"] {
        assert_eq!(
            carried(header(template), "").await.1,
            [0, 0, 0],
            "{template}"
        );
    }
}

#[tokio::test]
async fn t7_a_credential_that_would_authenticate_a_shared_connection_is_not_sent() {
    let scheme = auth::Header::new("authorization", "{token}").unwrap();
    for secret in ["Negotiate ", "ntlm "] {
        let (errors, numbers) = carried(scheme.clone(), secret).await;
        assert_eq!(errors, vec![Some("store-unavailable".to_owned()); 3]);
        assert_eq!(numbers, [0; 0]);
    }
}
