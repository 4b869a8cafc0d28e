//! Limits and timeouts, and refusals in the middle of an upload.

use std::fs::File;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};

use testkit::caller::{Caller, request};
use testkit::manual::ManualVendor;
use testkit::process::canary::KEY;
use testkit::process::config::Config;
use testkit::process::folder::Folder;
use testkit::process::gateway::Gateway;
use testkit::reply::Reply;
use testkit::vendor::Vendor;
use testkit::wait::within;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

async fn before(vendor: Vendor, table: &str) -> (Vendor, Gateway) {
    let gateway = Gateway::start(&Config::new(&vendor).table(table)).await;
    (vendor, gateway)
}

#[tokio::test]
async fn request_body_limits_each_form_of_a_body() {
    let (vendor, gateway) = before(Vendor::ok().await, "[limits]\nrequest_body = \"1KiB\"").await;
    let (fits, over) = ("a".repeat(1024), "a".repeat(1025));
    let chunked = ["-H", "Transfer-Encoding: chunked"];
    for form in [&[][..], &chunked, &["--http2-prior-knowledge"]] {
        let answer = gateway
            .call("/c/x", &[form, &["--data", &fits]].concat())
            .await;
        assert_eq!(answer.status(), 200, "{form:?}");
        assert_eq!(vendor.next().await.body.data.len(), 1024);
        let answer = gateway
            .call("/c/x", &[form, &["--data", &over]].concat())
            .await;
        assert_eq!(
            (answer.status(), answer.error()),
            (413, Some("body-too-large")),
            "{form:?}"
        );
        // An upload that has begun is broken off, and never ends well.
        let whole = vendor
            .try_next()
            .await
            .filter(|received| received.body.data.len() > 1024);
        assert!(whole.is_none());
    }
}

#[tokio::test]
async fn request_body_of_0_means_no_limit() {
    for limit in ["\"0\"", "0"] {
        let table = format!("[limits]\nrequest_body = {limit}");
        let (vendor, gateway) = before(Vendor::ok().await, &table).await;
        let answer = gateway.call("/c/x", &["--data", "12345"]).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(vendor.next().await.body.data, b"12345");
    }
}

/// While the first call is held, the second call is refused. When the first call has ended, the next call is accepted.
#[tokio::test]
async fn in_flight_per_connection_and_in_total() {
    for (key, code) in [("in_flight_per_connection", 200), ("in_flight", 503)] {
        let vendor = ManualVendor::bind().await;
        let other = "[connection.other]\nintegration = \"v\"\nsecret = { token = \"c4nary\" }";
        let config = Config::new(&vendor)
            .table(&format!("[limits]\n{key} = 1"))
            .table(other);
        let gateway = Gateway::start(&config).await;
        let mut first = gateway.command("/c/x", &[]);
        let mut first = first.stdout(Stdio::null()).spawn().unwrap();
        let mut held = vendor.accept().await;
        held.head().await;
        for form in [&[][..], &["--http2-prior-knowledge"]] {
            let answer = gateway.call("/c/x", form).await;
            assert_eq!(
                (answer.status(), answer.error()),
                (503, Some("overloaded")),
                "{key} {form:?}"
            );
            assert_eq!(answer.field("retry-after"), Some("1"), "{key}");
            assert!(answer.body().contains("\"sent\":false"), "{answer:?}");
        }
        // A call of another connection is accepted, unless the limit counts the calls of all connections.
        let (answer, ()) = tokio::join!(gateway.call("/other/x", &[]), async {
            if code == 200 {
                let mut connection = vendor.accept().await;
                connection.head().await;
                connection.write(OK).await;
            }
        });
        assert_eq!(answer.status(), code, "{key}");

        held.write(OK).await;
        assert!(first.wait().await.unwrap().success(), "{key}");
        let (answer, ()) = tokio::join!(gateway.call("/c/x", &[]), async {
            // The next request comes on the connection that the first call left.
            held.head().await;
            held.write(OK).await;
        });
        assert_eq!(answer.status(), 200, "{key}: {answer:?}");
    }
}

#[tokio::test]
async fn in_flight_of_0_means_no_limit() {
    let table = "[limits]\nin_flight = 0\nin_flight_per_connection = 0\n\
                 rate_per_connection = { per_second = 0 }";
    let (_vendor, gateway) = before(Vendor::ok().await, table).await;
    assert_eq!(gateway.call("/c/x", &[]).await.status(), 200);
}

/// The answer to an upload that is refused unread arrives, although the caller still sends.
#[tokio::test]
async fn e7_an_early_refusal_of_a_large_upload_arrives() {
    let table = "[limits]\nrequest_body = \"1MiB\"";
    let (vendor, gateway) = before(Vendor::ok().await, table).await;
    let folder = Folder::new();
    let file = folder.path("upload");
    File::create(&file).unwrap().set_len(10 << 20).unwrap();
    let file = file.to_str().unwrap();
    let key = format!("x-api-key: {KEY}");
    for protocol in ["--http1.1", "--http2-prior-knowledge"] {
        // Without `Expect`, curl doesn't wait for a `100 Continue` before it sends.
        let upload = [protocol, "-T", file, "-H", "Expect:"];
        for (path, status) in [
            ("/passthrough/nobody/x", 404),
            ("/passthrough/c/../x", 400),
            ("/passthrough/c/x", 413),
            ("/passthrough/c/x?__domain=evil.test", 403),
            ("/elsewhere", 404),
        ] {
            let answer = gateway
                .curl(path, &[&upload[..], &["-H", &key]].concat())
                .await;
            assert_eq!(answer.exit, Some(0), "{protocol} {path}: {answer:?}");
            assert_eq!(answer.status(), status, "{protocol} {path}");
        }
        let answer = gateway.curl("/passthrough/c/x", &upload).await;
        assert_eq!(
            (answer.exit, answer.status()),
            (Some(0), 401),
            "{protocol}: {answer:?}"
        );
    }
    vendor.untouched().await;
}

/// A caller that waits for `100 Continue` is refused before it sends a byte.
#[tokio::test]
async fn h18_a_refused_caller_gets_no_100() {
    let (vendor, gateway) = before(Vendor::ok().await, "").await;
    for (path, key, status) in [("nobody", KEY, 404), ("c", "wrong", 401)] {
        let response = gateway
            .raw(format!(
                "POST /passthrough/{path}/x HTTP/1.1\r\nHost: a\r\nx-api-key: {key}\r\n\
                 Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"
            ))
            .await;
        assert_eq!(response.status(), status);
        assert!(response.interim.is_empty(), "{response:?}");
    }
    vendor.untouched().await;
}

#[tokio::test]
async fn timeouts_connect_covers_tls() {
    // The vendor accepts the connection, and never begins the TLS handshake.
    let vendor = ManualVendor::bind().await;
    let url = format!("https://vendor.test:{}", vendor.address().port());
    let config = Config::new(&vendor)
        .base_url(&url)
        .table("[timeouts]\nconnect = \"200ms\"");
    let gateway = Gateway::start(&config).await;
    let answer = gateway.call("/c/x", &[]).await;
    assert_eq!(
        (answer.status(), answer.error()),
        (504, Some("upstream-timeout"))
    );
    assert!(answer.body().contains("\"sent\":false"), "{answer:?}");
}

#[tokio::test]
async fn timeouts_response_head() {
    let table = "[timeouts]\nresponse_head = \"200ms\"";
    let (_vendor, gateway) = before(Vendor::answering(Reply::silence()).await, table).await;
    let answer = gateway.call("/c/x", &[]).await;
    assert_eq!(
        (answer.status(), answer.error()),
        (504, Some("upstream-timeout"))
    );
    assert!(answer.body().contains("\"sent\":true"), "{answer:?}");
}

#[tokio::test]
async fn timeouts_idle_aborts_a_body() {
    let reply = Reply::bytes("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123");
    let vendor = Vendor::answering(Reply([reply.0, Reply::silence().0].concat())).await;
    let (vendor, gateway) = before(vendor, "[timeouts]\nidle = \"200ms\"").await;
    let answer = gateway.call("/c/x", &[]).await;
    assert_eq!(
        (answer.exit, answer.body()),
        (Some(18), "123"),
        "{answer:?}"
    );
    vendor.closed(0).await;
}

/// A caller that stops in the middle of an upload is held no longer than a caller that downloads.
#[tokio::test]
async fn timeouts_idle_ends_a_stalled_upload() {
    let vendor = ManualVendor::bind().await;
    let config = Config::new(&vendor).table("[timeouts]\nidle = \"200ms\"");
    let gateway = Gateway::start(&config).await;
    let mut caller = Caller::connect(gateway.address).await;
    let head = "POST /passthrough/c/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n";
    caller
        .write(format!("{head}x-api-key: {KEY}\r\n\r\n12"))
        .await;
    let mut connection = vendor.accept().await;
    connection.head().await;
    connection.closed().await;
}

#[tokio::test]
async fn retry_attempts_and_max_wait() {
    let down = "HTTP/1.1 503 Down\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n";
    for (table, status, requests) in [
        ("", 503, 1),
        ("[retry]\nattempts = 1", 503, 1),
        ("[retry]\nattempts = 2", 200, 2),
        ("[retry]\nattempts = 2\nmax_wait = \"500ms\"", 503, 1),
    ] {
        let first = AtomicBool::new(true);
        let vendor = Vendor::replying(move |_| match first.swap(false, Ordering::Relaxed) {
            true => Reply::from(down),
            false => Reply::ok("ok"),
        });
        let (vendor, gateway) = before(vendor.await, table).await;
        assert_eq!(gateway.call("/c/x", &[]).await.status(), status, "{table}");
        for _ in 0..requests {
            vendor.next().await;
        }
        assert!(vendor.try_next().await.is_none(), "{table}");
    }
}

#[tokio::test]
async fn circuit_failures_and_open() {
    let timeouts = "[timeouts]\nresponse_head = \"300ms\"";
    for (table, is_open) in [
        ("", false),
        ("[circuit]\nfailures = 0", false),
        ("[circuit]\nfailures = 2\nopen = \"2m\"", true),
    ] {
        let vendor = Vendor::answering(Reply::silence()).await;
        let (vendor, gateway) = before(vendor, &format!("{timeouts}\n{table}")).await;
        for _ in 0..2 {
            let answer = gateway.call("/c/x", &[]).await;
            assert_eq!(answer.error(), Some("upstream-timeout"), "{table}");
        }
        let answer = gateway.call("/c/x", &[]).await;
        if is_open {
            assert_eq!((answer.status(), answer.error()), (503, Some("overloaded")));
            let after = answer.field("retry-after").unwrap().parse::<u64>().unwrap();
            assert!((60..=120).contains(&after), "{after}");
            assert!(answer.body().contains("\"sent\":false"), "{answer:?}");
        } else {
            assert_eq!(answer.error(), Some("upstream-timeout"), "{table}");
        }
        let connections = if is_open { 2 } else { 3 };
        assert_eq!(vendor.connections().await, connections, "{table}");
    }
}

/// A caller that reads nothing holds the upstream's connection no longer than a caller that sends nothing.
#[tokio::test]
async fn x4_a_caller_that_reads_nothing_is_cut_off() {
    let vendor = ManualVendor::bind().await;
    let config = Config::new(&vendor).table("[timeouts]\nidle = \"1s\"");
    let gateway = Gateway::start(&config).await;
    let mut stalled = Caller::connect(gateway.address).await;
    let key = format!("X-Api-Key: {KEY}");
    stalled
        .write(request("GET", "/passthrough/c/x", &[&key], ""))
        .await;
    let mut connection = vendor.accept().await;
    connection.head().await;
    connection
        .write("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n")
        .await;
    let sending = async {
        let bytes = vec![b'x'; 64 * 1024];
        while connection.wire.try_write(&bytes).await {}
    };
    within("the end of the upstream's connection", sending).await;
    let calls = gateway.calls(1).await.concat();
    assert!(calls.contains("outcome=\"cancelled\""), "{calls}");
}
