//! Data from HTTP/2 are forwarded as checked types.

use testkit::caller::{Caller, RawResponse, get, raw_call, request};
use testkit::gateway::Gateway;
use testkit::h2_frames;
use testkit::h2_frames::{DATA, END_HEADERS, END_STREAM, HEADERS, SETTINGS};
use testkit::manual::{ManualVendor, VendorConnection};
use testkit::pair::Pair;
use testkit::vendor::Vendor;
use testkit::wait::within;

/// Returns the answer to a call of a vendor that sends HTTP/2 in literal field blocks.
async fn h2_answer(headers: &[(&[u8], &[u8])]) -> RawResponse {
    let vendor = ManualVendor::bind_tls(&["h2"]).await;
    let gateway = Gateway::to(&vendor).await;
    let call = raw_call(gateway.address, get("/p/c/x"));
    let both = Box::pin(async { tokio::join!(call, h2_serve(&vendor, headers, &[])) });
    let (response, _connection) = within("an answer over HTTP/2", both).await;
    response
}

/// Returns all bytes that a caller gets until the gateway closes.
async fn h2_bytes(headers: &[(&[u8], &[u8])], trailers: &[(&[u8], &[u8])]) -> String {
    let vendor = ManualVendor::bind_tls(&["h2"]).await;
    let gateway = Gateway::to(&vendor).await;
    let call = async {
        let mut caller = Caller::connect(gateway.address).await;
        caller
            .write(request(
                "GET",
                "/p/c/x",
                &["TE: trailers", "Connection: close"],
                "",
            ))
            .await;
        caller.closed().await
    };
    let both = Box::pin(async { tokio::join!(call, h2_serve(&vendor, headers, trailers)) });
    let (bytes, _connection) = within("an answer over HTTP/2", both).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Answers the first request with these fields, the body `ok` and these trailers.
async fn h2_serve(
    vendor: &ManualVendor,
    headers: &[(&[u8], &[u8])],
    trailers: &[(&[u8], &[u8])],
) -> VendorConnection {
    let mut connection = vendor.accept().await;
    let wire = &mut connection.wire;
    wire.until(b"SM\r\n\r\n").await.unwrap();
    send_frame(wire, SETTINGS, 0, 0, &[]).await;
    loop {
        let (head, _) = wire.exactly(9).await;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        wire.exactly(length).await;
        if head[3] == HEADERS {
            break;
        }
    }
    send_frame(wire, HEADERS, END_HEADERS, 1, &h2_frames::fields(headers)).await;
    if trailers.is_empty() {
        send_frame(wire, DATA, END_STREAM, 1, b"ok").await;
    } else {
        send_frame(wire, DATA, 0, 1, b"ok").await;
        send_frame(
            wire,
            HEADERS,
            END_HEADERS | END_STREAM,
            1,
            &h2_frames::fields(trailers),
        )
        .await;
    }
    connection
}

async fn send_frame(
    wire: &mut testkit::wire::Wire,
    kind: u8,
    flags: u8,
    stream: u32,
    payload: &[u8],
) {
    let length = u32::try_from(payload.len()).unwrap();
    let mut frame = length.to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    // The gateway may have closed the connection by now, as it should.
    wire.try_write(&frame).await;
}

#[tokio::test]
async fn v7_line_breaks_of_http2_do_not_become_lines_of_http1() {
    let status: (&[u8], &[u8]) = (b":status", b"200");
    let good = h2_answer(&[status, (b"x-good", b"1")]).await;
    assert_eq!(
        (
            good.status(),
            good.head.value("x-good"),
            good.text().as_str()
        ),
        (200, Some("1"), "ok")
    );
    for (name, value) in [
        (&b"x-bad"[..], &b"a\r\nx-injected: 1"[..]),
        (b"x-bad", b"a\nx-injected: 1"),
        (b"x-bad", b"a\rx-injected: 1"),
        (b"x-bad", b"a\0x-injected: 1"),
        (b"x-bad\r\nx-injected", b"1"),
        (b"x-bad: 1\r\nx-injected", b"1"),
        (b"x bad", b"x-injected"),
        (b"X-Bad", b"x-injected"),
        (b"", b"x-injected"),
        (b"connection", b"x-injected"),
        (b"transfer-encoding", b"chunked, x-injected"),
    ] {
        let response = h2_answer(&[status, (name, value)]).await;
        let shown = String::from_utf8_lossy(&response.head.raw).into_owned();
        assert!(!shown.contains("x-injected"), "{shown}");
        assert_eq!(
            (response.status(), response.error()),
            (502, Some("upstream-protocol")),
            "{name:?}"
        );
    }
}

#[tokio::test]
async fn v7_trailers_of_http2_are_checked_as_well() {
    let head: &[(&[u8], &[u8])] = &[(b":status", b"200"), (b"trailer", b"x-sum")];
    let good = h2_bytes(head, &[(b"x-sum", b"1")]).await;
    assert!(good.contains("\r\n0\r\nx-sum: 1\r\n\r\n"), "{good}");
    for (name, value) in [
        (&b"x-sum"[..], &b"a\r\nx-injected: 1"[..]),
        (b"x-sum\r\nx-injected", b"1"),
    ] {
        let bytes = h2_bytes(head, &[(name, value)]).await;
        assert!(!bytes.contains("x-injected"), "{bytes}");
        assert!(
            !bytes.contains("\r\n0\r\n") || bytes.starts_with("HTTP/1.1 502"),
            "{name:?} looked whole"
        );
    }
}

#[tokio::test]
async fn v7_a_reason_phrase_with_control_characters_is_dropped() {
    for (reason, kept) in [
        ("Fine Enough", Some("Fine Enough")),
        ("a\u{1}b", None),
        ("a\u{7f}b", None),
        ("a\u{1b}[31mb", None),
    ] {
        let answer = format!("HTTP/1.1 299 {reason}\r\nContent-Length: 0\r\n\r\n");
        let pair = Pair::before(Vendor::answering(answer).await, |setup| setup).await;
        let response = pair.call(get("/p/c/x")).await;
        let line = response.status_line();
        match kept {
            Some(kept) => assert_eq!(line, format!("HTTP/1.1 299 {kept}")),
            None => assert!(
                !line.bytes().any(|byte| byte.is_ascii_control()),
                "{line:?}"
            ),
        }
    }
}
