//! A caller or a vendor that is killed: the other side notices.

use std::process::Stdio;

use bytes::Bytes;
use http::Response;
use tokio::io::AsyncReadExt;

use testkit::certificates;
use testkit::h2_vendor::H2Vendor;
use testkit::manual::ManualVendor;
use testkit::process::config::Config;
use testkit::process::curl;
use testkit::process::folder::Folder;
use testkit::process::gateway::Gateway;
use testkit::reply::Reply;
use testkit::vendor::Vendor;
use testkit::wait::{Signal, within};

const PROTOCOLS: [&str; 2] = ["--http1.1", "--http2-prior-knowledge"];

/// Returns the exit code of curl for a body that broke off, which depends on the version of HTTP.
fn broken(protocol: &str) -> Option<i32> {
    Some(if protocol == "--http1.1" { 18 } else { 92 })
}

#[tokio::test]
async fn b10_a_caller_killed_before_the_head_ends_the_vendors_request() {
    for protocol in PROTOCOLS {
        let vendor = ManualVendor::bind().await;
        let gateway = Gateway::start(&Config::new(&vendor)).await;
        let mut caller = gateway.command("/c/x", &[protocol]).spawn().unwrap();
        let mut connection = vendor.accept().await;
        connection.head().await;
        caller.kill().await.unwrap();
        if protocol == "--http1.1" {
            // A caller that has only closed its sending side would read the response.
            let response = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n123";
            assert!(connection.wire.try_write(response).await);
        }
        connection.closed().await;
        let calls = gateway.calls(1).await.concat();
        assert!(calls.contains("outcome=\"cancelled\""), "{calls}");
    }
}

#[tokio::test]
async fn b10_a_caller_killed_during_a_download_ends_the_vendors_request() {
    for protocol in PROTOCOLS {
        let vendor = ManualVendor::bind().await;
        let gateway = Gateway::start(&Config::new(&vendor)).await;
        let mut caller = gateway.command("/c/x", &[protocol]).spawn().unwrap();
        let mut connection = vendor.accept().await;
        connection.head().await;
        connection
            .write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n123")
            .await;
        caller.kill().await.unwrap();
        // The gateway may have noticed the departure already.
        let _ = connection.wire.try_write(b"456").await;
        connection.closed().await;
    }
}

#[tokio::test]
async fn b10_a_caller_killed_during_an_upload_ends_the_vendors_request() {
    for protocol in PROTOCOLS {
        let vendor = ManualVendor::bind().await;
        let gateway = Gateway::start(&Config::new(&vendor)).await;
        // curl waits for more input, which never comes.
        let mut caller = gateway
            .command("/c/x", &[protocol, "-T", "-"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut connection = vendor.accept().await;
        connection.head().await;
        caller.kill().await.unwrap();
        let rest = connection.wire.closed().await;
        assert!(
            !rest.ends_with(b"0\r\n\r\n"),
            "an upload that was cut looks whole"
        );
    }
}

/// Returns the exit code of curl if the vendor is killed after a part of the body has arrived.
async fn exit_after(
    gateway: &Gateway,
    protocol: &str,
    kill: impl Future<Output = ()>,
) -> Option<i32> {
    let mut command = gateway.command("/c/x", &[protocol, "--no-buffer"]);
    let mut caller = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut part = [0; 3];
    let body = caller.stdout.as_mut().unwrap();
    within("part of a body", body.read_exact(&mut part))
        .await
        .unwrap();
    assert_eq!(&part, b"123");
    kill.await;
    within("curl to end", caller.wait()).await.unwrap().code()
}

#[tokio::test]
async fn b12_a_vendor_killed_during_the_body_is_an_error_at_the_caller() {
    for protocol in PROTOCOLS {
        for head in [
            "Content-Length: 9\r\n\r\n123",
            "Transfer-Encoding: chunked\r\n\r\n3\r\n123\r\n",
        ] {
            for end in [Reply::close, Reply::reset] {
                let killed = Signal::new();
                let reply = Reply::bytes(format!("HTTP/1.1 200 OK\r\n{head}")).until(&killed);
                let vendor = Vendor::answering(end(reply)).await;
                let gateway = Gateway::start(&Config::new(&vendor)).await;
                let exit = exit_after(&gateway, protocol, async { killed.give() }).await;
                assert_eq!(exit, broken(protocol), "{protocol} {head}");
                let calls = gateway.calls(1).await.concat();
                assert!(calls.contains("outcome=\"aborted\""), "{calls}");
            }
        }
    }
}

/// A body that ends with the connection ends well only if the connection ends well.
#[tokio::test]
async fn b13_a_close_delimited_body_is_whole_after_a_close_and_broken_after_a_reset() {
    for protocol in PROTOCOLS {
        let reply = Reply::bytes("HTTP/1.1 200 OK\r\n\r\n123").close();
        let vendor = Vendor::answering(reply).await;
        let gateway = Gateway::start(&Config::new(&vendor)).await;
        let answer = gateway.call("/c/x", &[protocol]).await;
        assert_eq!((answer.exit, answer.body()), (Some(0), "123"), "{protocol}");
    }
}

#[tokio::test]
async fn b12_a_stream_that_an_http2_vendor_resets_is_an_error_at_the_caller() {
    for protocol in PROTOCOLS {
        let vendor = H2Vendor::start().await;
        let killed = Signal::new();
        let folder = Folder::new();
        folder.write("ca.pem", certificates::root_pem());
        let network = "allow = [\"127.0.0.0/8\"]\nextra_roots = [\"ca.pem\"]\n\
                       resolve = { \"vendor.test\" = \"127.0.0.1\" }";
        let config = Config::new(&vendor).network(network);
        let gateway = Gateway::start_in(folder, &config, &[]).await;
        let call = async {
            let mut stream = vendor.next().await;
            let mut body = stream.answer(Response::new(()));
            body.send_data(Bytes::from_static(b"123"), false).unwrap();
            killed.given().await;
            body.send_reset(h2::Reason::INTERNAL_ERROR);
            stream
        };
        let exit = exit_after(&gateway, protocol, async { killed.give() });
        let (exit, _stream) = tokio::join!(exit, call);
        assert_eq!(exit, broken(protocol), "{protocol}");
    }
}

/// An HTTP/1.0 caller sees only the connection's end, so the connection must not end in order.
#[tokio::test]
async fn b12_an_http_1_0_caller_sees_a_reset() {
    let reply = Reply::bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n123\r\n");
    let vendor = Vendor::answering(reply.close()).await;
    let gateway = Gateway::start(&Config::new(&vendor)).await;
    let mut command = gateway.command("/c/x", &["--http1.0"]);
    command.arg("--max-time").arg("30");
    let answer = curl::run(command).await;
    gateway.saw(&answer.stdout);
    assert_ne!(answer.exit, Some(0), "{answer:?}");
}
