//! The errors and the memory of a call that is signed for AWS.

use std::sync::{Mutex, mpsc};

use tower_passthrough::auth::SigV4;
use tower_passthrough::observe::CallReport;
use tower_passthrough::{Connection, Error};

use testkit::caller::{raw_call, request};
use testkit::gateway::Setup;
use testkit::upload::upload;
use testkit::vendor::Vendor;
use testkit::wait::PATIENCE;

const ID: &str = "AKIAc4n4ry";
const KEY: &str = "k3yc4n4ry/+=";
const TOKEN: &str = "t0k3nc4n4ry+/==";

fn connection() -> Connection {
    Connection::new("vendor")
        .with_secret("access_key_id", ID)
        .with_secret("secret_access_key", KEY)
        .with_secret("session_token", TOKEN)
}

fn s3() -> SigV4 {
    SigV4::new("s3", "eu-central-1").unwrap().max_chunk_size(16)
}

/// Each way in which a request can't be signed, or in which its payload turns out to be wrong.
#[tokio::test]
async fn l2_a_call_that_cannot_be_signed_shows_no_secret() {
    let zeros = "0".repeat(64);
    let chunk = |size: &str, data: &str| format!("{size};chunk-signature={zeros}\r\n{data}\r\n");
    let signed = "x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
    let elliptic = "x-amz-content-sha256: STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD";
    let presigned = s3().presigned(std::time::Duration::from_secs(60));
    let queue = SigV4::new("sqs", "eu-central-1").unwrap().signed_payload(8);
    let cases = [
        (s3(), connection(), elliptic, "b0dyc4n4ry".to_owned(), 400),
        (s3(), connection(), signed, "b0dyc4n4ry".to_owned(), 400),
        (s3(), connection(), signed, chunk("a", "b0dyc4n4ry"), 400),
        (s3(), connection(), signed, chunk("ff", "b0dyc4n4ry"), 400),
        (presigned, connection(), signed, chunk("0", ""), 400),
        (
            queue,
            connection(),
            "x-own: f13ldc4n4ry",
            "b0dyc4n4ry".to_owned(),
            413,
        ),
        (
            s3(),
            connection().with_secret("access_key_id", format!("{ID}/")),
            "x-own: f13ldc4n4ry",
            "b0dyc4n4ry".to_owned(),
            424,
        ),
        (
            s3(),
            connection().with_secret("session_token", format!("{TOKEN}\r\n")),
            signed,
            chunk("0", ""),
            424,
        ),
        (
            SigV4::new("s3", "{region}").unwrap(),
            connection().with_variable("region", "r3g10nc4n4ry!"),
            "x-own: f13ldc4n4ry",
            "b0dyc4n4ry".to_owned(),
            424,
        ),
    ];
    let vendor = Vendor::ok().await;
    for (scheme, connection, line, body, status) in cases {
        let shown = format!("{scheme:?} {connection:?}");
        let (sender, reports) = mpsc::channel();
        let sender = Mutex::new(sender);
        let gateway = Setup::new(&vendor)
            .connection(connection)
            .upstream(move |upstream| upstream.auth(scheme))
            .options(move |options| {
                options.observe_fn(move |call: &CallReport<'_>| {
                    let mut shown = format!("{call:?} {:?}", call.cause().map(Error::to_string));
                    let mut cause = call.cause().map(|error| error as &dyn std::error::Error);
                    while let Some(error) = cause {
                        shown += &format!("{error} {error:?}");
                        cause = error.source();
                    }
                    let _ = sender.lock().unwrap().send(shown);
                })
            })
            .start()
            .await;
        let lines = [
            line,
            &format!("Content-Length: {}", body.len()),
            "Authorization: AWS4-HMAC-SHA256 Credential=c4ll3rc4n4ry/x",
        ];
        let target = "/p/c/p4thc4n4ry?X-Amz-Signature=qu3ryc4n4ry";
        let response = raw_call(gateway.address, request("PUT", target, &lines, &body)).await;
        assert_eq!(response.status(), status, "{line}");
        let report = reports.recv_timeout(PATIENCE).unwrap();
        let head = String::from_utf8_lossy(&response.head.raw);
        let text = format!("{shown} {head} {} {report}", response.text());
        assert!(!text.contains("c4n4ry"), "{line}: {text}");
    }
}

/// A chunk without an end is buffered up to its limit only.
#[tokio::test]
async fn x1_a_chunk_that_is_too_large_is_not_buffered() {
    let vendor = Vendor::ok().await;
    let gateway = Setup::new(&vendor)
        .connection(connection())
        .upstream(|upstream| upstream.auth(SigV4::new("s3", "eu-central-1").unwrap()))
        .start()
        .await;
    for size in ["100001", "ffffffffffffffff"] {
        let lines = [
            "x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            &*format!("Content-Length: {}", 1_u64 << 40),
        ];
        let chunk = format!("{size};chunk-signature={}\r\n", "0".repeat(64));
        let begun = request("PUT", "/p/c/b/k", &lines, &chunk);
        // The answer comes at once, and not after a mebibyte.
        let head = upload(gateway.address, &begun, 1 << 30).await;
        assert_eq!(head.status(), 400);
    }
}
