//! Payloads in chunks that are signed while they stream. The tests verify the chunks that the vendor receives with the
//! stored key, beginning with the signature in the head.

use ring::{digest, hmac};
use tower_passthrough::auth::SigV4;

use super::{DUMMY, SECRET, connection, s3, signs};
use testkit::caller::{raw_call, request};
use testkit::gateway::Setup;
use testkit::h2_caller::{self, H2Caller};
use testkit::h2_vendor::H2Vendor;
use testkit::pair::Pair;
use testkit::vendor::{Received, Vendor};

const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hash(data: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, data).as_ref())
}

fn keyed(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

/// Returns the data of a body in chunks, whose signatures must be correct, and the bytes after the chunks.
pub(super) fn verified(received: &Received) -> (Vec<u8>, String) {
    let date = received.head.value("x-amz-date").unwrap();
    let authorization = received.head.value("authorization").unwrap();
    verified_from(date, authorization, &received.body.data)
}

fn verified_from(date: &str, authorization: &str, body: &[u8]) -> (Vec<u8>, String) {
    let (day, _) = date.split_once('T').unwrap();
    let mut key = format!("AWS4{SECRET}").into_bytes();
    for part in [day, "eu-central-1", "s3", "aws4_request"] {
        key = keyed(&key, part);
    }
    let scope = format!("{day}/eu-central-1/s3/aws4_request");
    let mut last = authorization.rsplit('=').next().unwrap().to_owned();
    let mut sign = |kind: &str, hashes: &str| {
        let text = format!("AWS4-HMAC-SHA256-{kind}\n{date}\n{scope}\n{last}\n{hashes}");
        last = hex(&keyed(&key, &text));
        last.clone()
    };

    let mut rest = body;
    let mut data = Vec::new();
    loop {
        let end = rest.windows(2).position(|pair| pair == b"\r\n").unwrap();
        let line = std::str::from_utf8(&rest[..end]).unwrap();
        let (size, signature) = line.split_once(";chunk-signature=").unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        rest = &rest[end + 2..];
        let chunk = &rest[..size];
        let expected = sign("PAYLOAD", &format!("{}\n{}", hash(b""), hash(chunk)));
        assert_eq!(signature, expected, "after {} bytes", data.len());
        data.extend_from_slice(chunk);
        rest = &rest[size..];
        if size == 0 {
            break;
        }
        rest = rest.strip_prefix(b"\r\n").unwrap();
    }
    let trailer = std::str::from_utf8(rest).unwrap().to_owned();
    if let Some((fields, signature)) = trailer.split_once("x-amz-trailer-signature:") {
        let expected = sign("TRAILER", &hash(fields.replace("\r\n", "\n").as_bytes()));
        assert_eq!(signature, format!("{expected}\r\n\r\n"));
    } else {
        assert_eq!(trailer, "\r\n");
    }
    (data, trailer)
}

/// Returns an upload whose chunks are signed with another key.
fn signed_with_another_key(chunks: &[&str], trailer: bool) -> String {
    let mut body: String = chunks
        .iter()
        .chain(&[""])
        .map(|chunk| {
            let end = if trailer && chunk.is_empty() {
                ""
            } else {
                "\r\n"
            };
            format!("{:x};chunk-signature={ZEROS}\r\n{chunk}{end}", chunk.len())
        })
        .collect();
    if trailer {
        body +=
            &format!("x-amz-checksum-crc32:AAAAAA==\r\nx-amz-trailer-signature:{ZEROS}\r\n\r\n");
    }
    body
}

fn marker(trailer: bool) -> &'static str {
    match trailer {
        true => "X-Amz-Content-Sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        false => "X-Amz-Content-Sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    }
}

async fn pair(scheme: SigV4) -> Pair {
    Pair::with(move |setup| signs(setup, scheme)).await
}

#[tokio::test]
async fn x1_buffered_chunks_are_bounded_in_total() {
    let pair = Pair::with(|setup| {
        signs(setup, s3()).options(|options| options.buffered_bodies_limit(1600))
    })
    .await;
    let upload = |size: usize| {
        let body = signed_with_another_key(&[&"x".repeat(size)], false);
        let length = format!("Content-Length: {}", body.len());
        request("PUT", "/p/c/b/k", &[marker(false), &length], &body)
    };
    // Most of a chunk comes, and the rest never comes. Bytes that haven't come take no memory.
    let begin = async || {
        let mut caller = testkit::caller::Caller::connect(pair.gateway.address).await;
        let whole = upload(1000);
        caller.write(&whole.as_bytes()[..whole.len() - 200]).await;
        caller
    };
    let held = begin().await;
    let refusal = testkit::wait::within("a refusal", async {
        loop {
            let mut caller = begin().await;
            tokio::select! {
                refusal = caller.response("PUT") => return refusal,
                () = tokio::time::sleep(std::time::Duration::from_millis(200)) => {}
            }
        }
    })
    .await;
    assert_eq!(
        (refusal.status(), refusal.error()),
        (503, Some("overloaded"))
    );
    assert_eq!(refusal.head.value("retry-after"), Some("1"));
    // The memory is free again.
    drop(held);
    assert_eq!(pair.call(&upload(1000)).await.status(), 200);
}

#[tokio::test]
async fn b2_chunks_are_signed_again_and_keep_their_length() {
    let pair = pair(s3()).await;
    let large = "x".repeat(300_000);
    for trailer in [false, true] {
        let body = signed_with_another_key(&["hello, ", &large, "world"], trailer);
        let length = body.len().to_string();
        let with_length = format!("Content-Length: {length}");
        let chunked: String = body
            .as_bytes()
            .chunks(70_000)
            .map(|piece| {
                format!(
                    "{:x}\r\n{}\r\n",
                    piece.len(),
                    String::from_utf8_lossy(piece)
                )
            })
            .collect();
        for (framing, sent) in [
            (&*with_length, body.clone()),
            ("Transfer-Encoding: chunked", chunked + "0\r\n\r\n"),
        ] {
            let lines = [
                DUMMY,
                marker(trailer),
                framing,
                "Content-Encoding: aws-chunked",
                "X-Amz-Decoded-Content-Length: 300012",
            ];
            let received = pair.seen(request("PUT", "/p/c/b/k", &lines, &sent)).await;
            let declared = received.head.value("content-length");
            assert_eq!(declared.is_some(), framing == with_length, "{framing}");
            assert!(declared.is_none_or(|declared| declared == length));
            assert_eq!(received.body.data.len(), body.len());
            let (data, after) = verified(&received);
            assert_eq!(data, format!("hello, {large}world").as_bytes());
            assert_eq!(after.starts_with("x-amz-checksum-crc32:AAAAAA=="), trailer);
            assert!(!String::from_utf8_lossy(&received.body.data).contains(ZEROS));
        }
    }
}

#[tokio::test]
async fn chunks_over_http2_are_signed_again() {
    let pair = pair(s3()).await;
    let body = signed_with_another_key(&["hello"], true);
    let body: &'static [u8] = body.leak().as_bytes();
    let (name, value) = marker(true).split_once(": ").unwrap();
    for length in [None, Some(body.len())] {
        let mut caller = H2Caller::connect(pair.gateway.address).await;
        let mut request = h2_caller::request("PUT", "/p/c/b/k").header(name, value);
        if let Some(length) = length {
            request = request.header("content-length", length);
        }
        let answer = caller
            .call_with(request.body(()).unwrap(), body, None)
            .await;
        assert_eq!(answer.status, 200);
        let received = pair.vendor.next().await;
        let declared = length.map(|length| length.to_string());
        assert_eq!(received.head.value("content-length"), declared.as_deref());
        assert_eq!(verified(&received).0, b"hello");
    }
}

#[tokio::test]
async fn h14_chunks_to_an_http2_vendor_have_their_length() {
    let resigned = signed_with_another_key(&["hello, ", "world"], true);
    let lines = |length: usize| [marker(true).to_owned(), format!("Content-Length: {length}")];
    for (scheme, lines, body) in [
        (s3(), &lines(resigned.len())[..], &*resigned),
        (s3().streaming(), &lines(12)[1..], "hello, world"),
    ] {
        let vendor = H2Vendor::start().await;
        let gateway = signs(Setup::new(&vendor), scheme).start().await;
        let lines: Vec<_> = lines.iter().map(|line| &**line).collect();
        let sent = request("PUT", "/p/c/b/k", &lines, body);
        let call = tokio::spawn(raw_call(gateway.address, sent));
        let mut stream = vendor.next().await;
        let (received, _) = stream.read().await;
        let head = stream.request.headers().clone();
        stream.ok("ok");
        assert_eq!(call.await.unwrap().status(), 200);
        let value = |name: &str| head[name].to_str().unwrap();
        assert_eq!(value("content-length"), received.len().to_string());
        let verified = verified_from(value("x-amz-date"), value("authorization"), &received);
        assert_eq!(verified.0, b"hello, world");
    }
}

#[tokio::test]
async fn malformed_chunks_end_the_call() {
    let pair = pair(s3().max_chunk_size(1024)).await;
    let good = signed_with_another_key(&["hello"], false);
    for body in [
        "hello".to_owned(),
        good.replace("chunk-signature", "chunk-signatura"),
        good.strip_suffix("\r\n").unwrap().to_owned(),
        format!("{good}more"),
        signed_with_another_key(&[&"x".repeat(1025)], false),
    ] {
        let lines = [marker(false), &format!("Content-Length: {}", body.len())];
        let sent = request("PUT", "/p/c/b/k", &lines, &body);
        let response = pair.refused(sent, 400, "bad-address").await;
        assert!(response.text().contains("broke off"), "{}", response.text());
        assert!(
            pair.vendor
                .try_next()
                .await
                .is_none_or(|received| { received.body.end == testkit::wire::End::Cut })
        );
    }
    let fits = signed_with_another_key(&[&"x".repeat(1024)], false);
    let lines = [marker(false), &format!("Content-Length: {}", fits.len())];
    let received = loop {
        let sent = request("PUT", "/p/c/b/k", &lines, &fits);
        assert_eq!(pair.call(sent).await.status(), 200);
        let received = pair.vendor.next().await;
        if received.body.end == testkit::wire::End::Complete {
            break received;
        }
    };
    assert_eq!(verified(&received).0.len(), 1024);
}

#[tokio::test]
async fn h14_a_payload_that_the_gateway_puts_into_chunks_has_their_length() {
    let pair = pair(s3().streaming()).await;
    for size in [1, 65_535, 65_536, 65_537, 200_000] {
        let lines = [
            &*format!("Content-Length: {size}"),
            "Content-Encoding: gzip",
        ];
        let body = "y".repeat(size);
        let received = pair.seen(request("PUT", "/p/c/b/k", &lines, &body)).await;
        let length = received.head.value("content-length").unwrap();
        assert_eq!(length, received.body.data.len().to_string());
        let decoded = received.head.value("x-amz-decoded-content-length");
        assert_eq!(decoded, Some(&*size.to_string()));
        assert_eq!(
            received.head.values("content-encoding"),
            ["aws-chunked,gzip"]
        );
        assert_eq!(verified(&received).0, body.as_bytes());
    }
    // An empty payload has its hash.
    let received = pair
        .seen(request("PUT", "/p/c/b/k", &["Content-Length: 0"], ""))
        .await;
    let empty = hash(b"");
    assert_eq!(received.head.value("x-amz-content-sha256"), Some(&*empty));
    let lines = ["Transfer-Encoding: chunked"];
    let unknown = request("PUT", "/p/c/b/k", &lines, "1\r\nx\r\n0\r\n\r\n");
    pair.refused(unknown, 400, "bad-address").await;
}

#[tokio::test]
async fn the_limit_counts_the_callers_bytes() {
    let vendor = Vendor::ok().await;
    let pair = Pair::before(vendor, |setup: Setup| {
        signs(setup, s3().streaming()).options(|options| options.request_body_limit(100_000))
    })
    .await;
    for (size, fits) in [(100_000, true), (100_001, false)] {
        let lines = [&*format!("Content-Length: {size}")];
        let sent = request("PUT", "/p/c/b/k", &lines, &"y".repeat(size));
        match fits {
            true => assert_eq!(verified(&pair.seen(sent).await).0.len(), size),
            false => drop(pair.refused(sent, 413, "body-too-large").await),
        }
    }
}

#[tokio::test]
async fn without_a_key_no_chunk_is_read() {
    let pair = Pair::with(|setup| {
        signs(setup, s3()).connection(connection().without_secret("secret_access_key"))
    })
    .await;
    let body = signed_with_another_key(&["hello"], false);
    let lines = [marker(false), &format!("Content-Length: {}", body.len())];
    let sent = request("PUT", "/p/c/b/k", &lines, &body);
    pair.refused(sent, 424, "reauthorize").await;
    pair.vendor.untouched().await;
}
