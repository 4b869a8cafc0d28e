//! Streams, ranges and less common methods, by the real curl over both versions of HTTP on one port.

use std::process::Stdio;

use tokio::io::AsyncReadExt;

use testkit::manual::ManualVendor;
use testkit::process::config::Config;
use testkit::process::gateway::Gateway;
use testkit::reply::Reply;
use testkit::vendor::{Received, Vendor};
use testkit::wait::within;

const PROTOCOLS: [&str; 2] = ["--http1.1", "--http2-prior-knowledge"];

/// Answers with ten bytes, or with a part of them, after a hint.
fn ten_bytes(received: &Received) -> Reply {
    let (start, line, body) = match received.head.value("range") {
        Some("bytes=2-4") => ("206 Partial Content", "Content-Range: bytes 2-4/10", "234"),
        _ => ("200 OK", "Accept-Ranges: bytes", "0123456789"),
    };
    let length = body.len();
    let body = if received.head.method() == "HEAD" {
        ""
    } else {
        body
    };
    Reply::bytes(format!(
        "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n\
         HTTP/1.1 {start}\r\n{line}\r\nContent-Length: {length}\r\n\r\n{body}"
    ))
}

async fn start() -> (Vendor, Gateway) {
    let vendor = Vendor::replying(ten_bytes).await;
    let gateway = Gateway::start(&Config::new(&vendor)).await;
    (vendor, gateway)
}

#[tokio::test]
async fn b3_h18_bodies_of_any_method_arrive() {
    let (vendor, gateway) = start().await;
    for protocol in PROTOCOLS {
        for method in ["GET", "QUERY", "DELETE"] {
            for more in [
                &[][..],
                &["-H", "Transfer-Encoding: chunked"],
                &["-H", "Expect: 100-continue"],
            ] {
                let call = [&[protocol, "-X", method, "--data", "select"], more].concat();
                let answer = gateway.call("/c/x", &call).await;
                assert_eq!(
                    (answer.exit, answer.status(), answer.body()),
                    (Some(0), 200, "0123456789"),
                    "{call:?}: {answer:?}"
                );
                let received = vendor.next().await;
                assert_eq!(received.head.method(), method, "{call:?}");
                assert_eq!(received.body.data, b"select", "{call:?}");
                assert!(!received.head.has("expect"), "{call:?}");
            }
        }
    }
}

#[tokio::test]
async fn b5_h11_heads_and_ranges_are_returned() {
    let (_vendor, gateway) = start().await;
    for protocol in PROTOCOLS {
        let answer = gateway.call("/c/x", &[protocol, "--head"]).await;
        assert_eq!((answer.exit, answer.status()), (Some(0), 200), "{answer:?}");
        assert_eq!(answer.field("content-length"), Some("10"), "{answer:?}");

        let answer = gateway.call("/c/x", &[protocol, "--range", "2-4"]).await;
        assert_eq!((answer.status(), answer.body()), (206, "234"), "{answer:?}");
        assert_eq!(answer.field("content-range"), Some("bytes 2-4/10"));
    }
}

#[tokio::test]
async fn b14_events_are_forwarded_at_once() {
    for protocol in PROTOCOLS {
        let vendor = ManualVendor::bind().await;
        let gateway = Gateway::start(&Config::new(&vendor)).await;
        let mut caller = gateway
            .command("/c/x", &[protocol, "--no-buffer"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = caller.stdout.take().unwrap();
        let mut connection = vendor.accept().await;
        connection.head().await;
        connection
            .write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            .await;
        // The vendor writes each piece only after the piece before has arrived.
        for event in [":", "\n", "data: 1\n\n", ":", "data: 2\n\n"] {
            connection
                .write(format!("{:x}\r\n{event}\r\n", event.len()))
                .await;
            let mut arrived = vec![0; event.len()];
            within("an event", stdout.read_exact(&mut arrived))
                .await
                .unwrap();
            assert_eq!(arrived, event.as_bytes(), "{protocol}");
        }
        connection.write("0\r\n\r\n").await;
        assert!(
            within("curl to end", caller.wait())
                .await
                .unwrap()
                .success()
        );
    }
}
