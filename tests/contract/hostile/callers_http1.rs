//! HTTP/1.1 requests that two parsers could read differently, or that have no end.

use super::Stage;
use testkit::caller::{Caller, get, request};
use testkit::wait::within;

/// A request that must never reach a vendor, neither in this form nor in the form in which the gateway would forward
/// it.
const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: vendor.test\r\nX: y\r\n\r\n";

fn post(lines: &[&str], body: &str) -> String {
    request("POST", "/p/c/x", lines, body)
}

/// Each probe hides [`SMUGGLED`] at the place where one of two framings would end the body.
#[tokio::test]
async fn h15_two_framings_make_no_second_request_at_the_vendor() {
    let stage = Stage::new().await;
    let chunked = format!("0\r\n\r\n{SMUGGLED}");
    let length = chunked.len().to_string();
    let size = SMUGGLED.len();
    let in_chunk = format!("{size:x}\r\n{SMUGGLED}\r\n0\r\n\r\n");
    let short = format!("{size:x}\r\n").len().to_string();
    for (lines, body) in [
        // CL.TE: a parser that uses the length reads the request as a part of the body, and a parser that uses the
        // chunks reads it as a request.
        (
            [
                format!("Content-Length: {length}"),
                "Transfer-Encoding: chunked".to_owned(),
            ],
            &chunked,
        ),
        (
            [
                "Transfer-Encoding: chunked".to_owned(),
                format!("Content-Length: {length}"),
            ],
            &chunked,
        ),
        // TE.CL: a parser that uses the length ends the body before the request.
        (
            [
                format!("Content-Length: {short}"),
                "Transfer-Encoding: chunked".to_owned(),
            ],
            &in_chunk,
        ),
        (
            [
                "Transfer-Encoding: chunked".to_owned(),
                "Content-Length: 0".to_owned(),
            ],
            &in_chunk,
        ),
    ] {
        let lines = [lines[0].as_str(), lines[1].as_str()];
        stage
            .survives(post(&lines, body).as_bytes(), &format!("{lines:?}"))
            .await;
    }
}

#[tokio::test]
async fn h16_a_coding_that_looks_like_chunked_hides_no_request() {
    let stage = Stage::new().await;
    let chunked = format!("0\r\n\r\n{SMUGGLED}");
    let length = format!("Content-Length: {}", chunked.len());
    // TE.TE: one parser reads the coding as chunked, and another parser ignores the coding.
    for coding in [
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding:\tchunked",
        "Transfer-Encoding: chunked\t",
        "Transfer-Encoding:\x0bchunked",
        "Transfer-Encoding: \x0cchunked",
        "Transfer-Encoding: chunked\x0b",
        "Transfer-Encoding: \"chunked\"",
        "Transfer-Encoding: 'chunked'",
        "Transfer-Encoding: chunked;q=1",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: identity, chunked",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
        "Transfer-Encoding:\r\n chunked",
        "X: y\r\n Transfer-Encoding: chunked",
        "X: y\nTransfer-Encoding: chunked",
        "X: y\rTransfer-Encoding: chunked",
        "\tTransfer-Encoding: chunked",
        "Transfer_Encoding: chunked",
        "Transfer-Encoding: ch\u{212a}unked",
        "Transfer-Encoding\0: chunked",
        "Transfer-Encoding: chunk",
        "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked",
    ] {
        for lines in [[length.as_str(), coding], [coding, length.as_str()]] {
            stage
                .survives(post(&lines, &chunked).as_bytes(), &format!("{lines:?}"))
                .await;
        }
    }
}

#[tokio::test]
async fn h16_a_length_that_two_parsers_read_differently_hides_no_request() {
    let stage = Stage::new().await;
    let length = SMUGGLED.len();
    for lines in [
        format!("Content-Length: 0\r\nContent-Length: {length}"),
        format!("Content-Length: {length}\r\nContent-Length: 0"),
        format!("Content-Length: {length}\r\nContent-Length: {length}"),
        format!("Content-Length: 0, {length}"),
        format!("Content-Length: {length}, {length}"),
        format!("Content-Length: 0{length}"),
        format!("Content-Length: {length} 0"),
        format!("Content-Length: {length}.0"),
        format!("Content-Length: {length}e0"),
        format!("Content-Length:\x0b{length}"),
        format!("Content-Length\t: {length}"),
        format!("Content-Length: \r\n {length}"),
        format!("X: y\nContent-Length: {length}"),
        format!("X: y\rContent-Length: {length}"),
        format!("Content_Length: {length}"),
        format!("Content-Length: 0\r\nConnection: Content-Length\r\nX-Length: {length}"),
        format!("Content-Length: {}", u64::MAX),
        format!("Content-Length: {}", u128::from(u64::MAX) + 1),
        format!("Content-Length: -{length}"),
    ] {
        stage
            .survives(post(&[&lines], SMUGGLED).as_bytes(), &lines)
            .await;
    }
}

#[tokio::test]
async fn h16_chunks_that_two_parsers_read_differently_hide_no_request() {
    let stage = Stage::new().await;
    let size = SMUGGLED.len();
    for body in [
        // A line with an extension, which one parser ends at its bare LF.
        format!("1;a=\n{size:x}\r\nb\r\n0\r\n\r\n{SMUGGLED}"),
        format!("1;\nx\r\n{size:x}\r\n{SMUGGLED}0\r\n\r\n"),
        format!("1;a=\"\r\n\"\r\nx\r\n0\r\n\r\n{SMUGGLED}"),
        format!("1;a\rb\r\nx\r\n0\r\n\r\n{SMUGGLED}"),
        format!("1 ;a\r\nx\r\n0\r\n\r\n{SMUGGLED}"),
        format!("1\t\r\nx\r\n0\r\n\r\n{SMUGGLED}"),
        // A size that is too large: cut to 64 or 32 bits, the size would end the body.
        format!("10000000000000000\r\n{SMUGGLED}"),
        format!("100000000\r\n{SMUGGLED}"),
        format!("ffffffffffffffff\r\n{SMUGGLED}"),
        format!("0000000000000000000000000000000000000001\r\nx\r\n0\r\n\r\n{SMUGGLED}"),
        // Bytes after the data of a chunk, or after the last chunk.
        format!("1\r\nxx\r\n0\r\n\r\n{SMUGGLED}"),
        format!("1\r\nx0\r\n\r\n{SMUGGLED}"),
        format!("1\r\nx\n0\r\n\r\n{SMUGGLED}"),
        format!("0\r\n{SMUGGLED}"),
        format!("0\n\n{SMUGGLED}"),
        format!("0\r\n\n{SMUGGLED}"),
        format!("0\r\nX: y\n\n{SMUGGLED}"),
        format!("0\r\nContent-Length: {size}\r\n\r\n{SMUGGLED}"),
        format!("0\r\nTransfer-Encoding: chunked\r\n\r\n{SMUGGLED}"),
        format!("0x0\r\n\r\n{SMUGGLED}"),
        format!("-1\r\n\r\n{SMUGGLED}"),
        format!("\r\n0\r\n\r\n{SMUGGLED}"),
    ] {
        let probe = post(&["Transfer-Encoding: chunked"], &body);
        stage.survives(probe.as_bytes(), &format!("{body:?}")).await;
    }
}

#[tokio::test]
async fn h16_bytes_after_a_request_are_only_the_callers_next_request() {
    let stage = Stage::new().await;
    for request in [
        get("/p/c/x"),
        post(&["Content-Length: 2"], "ok"),
        post(&["Transfer-Encoding: chunked"], "2\r\nok\r\n0\r\n\r\n"),
        request("HEAD", "/p/c/x", &[], ""),
    ] {
        // The gateway reads the bytes as a request for a path that isn't mounted.
        let mut caller = Caller::connect(stage.gateway.address).await;
        caller.write(format!("{request}{SMUGGLED}")).await;
        let method = request.split(' ').next().unwrap();
        assert_eq!(caller.response(method).await.status(), 200);
        let second = caller.response("GET").await;
        assert_eq!(second.error(), Some("bad-address"), "{second:?}");
        stage.is_unharmed(&request).await;
    }
}

#[tokio::test]
async fn h16_line_ends_and_folded_lines_make_no_second_field() {
    let stage = Stage::new().await;
    for head in [
        "GET /p/c/x HTTP/1.1\nHost: a\n\n",
        "GET /p/c/x HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
        "GET /p/c/x HTTP/1.1\r\nHost: a\rX: y\r\n\r\n",
        "GET /p/c/x HTTP/1.1\rHost: a\r\r",
        "GET /p/c/x HTTP/1.1\r\nHost: a\r\nX: a\rAuthorization: Basic eg==\r\n\r\n",
        "GET /p/c/x HTTP/1.1\r\nHost: a\r\nX: a\nAuthorization: Basic eg==\r\n\r\n",
        "GET /p/c/x HTTP/1.1\r\nHost: a\r\nX: a\r\n Authorization: Basic eg==\r\n\r\n",
        "GET /p/c/x HTTP/1.1\r\nHost: a\r\nX:\r\n\tb\r\n\r\n",
        "GET /p/c/x HTTP/1.1\r\n Host: a\r\n\r\n",
        "GET /p/c/x HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
        "GET /p/c/x HTTP/1.1\r\nHost: a\r\nX\r\n\r\n",
        "GET /p/c/x HTTP/1.1\r\nHost: a\r\n: y\r\n\r\n",
        "GET /p/c/x HTTP/1.1\r\nHost: a\r\nX Y: z\r\n\r\n",
        "GET /p/c/x\nX: HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /p/c/x\tHTTP/1.1\r\nHost: a\r\n\r\n",
        "GET  /p/c/x  HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /p/c/x HTTP/1.1 \r\nHost: a\r\n\r\n",
        "GET /p/c/x HTTP/1.1\r\nHost: a\r\n\r\r\n",
        "\r\nGET /p/c/x HTTP/1.1\r\nHost: a\r\n\r\n",
        "G\rET /p/c/x HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        stage.survives(head.as_bytes(), &format!("{head:?}")).await;
    }
}

#[tokio::test]
async fn h16_a_folded_line_and_a_bare_cr_are_refused() {
    let stage = Stage::new().await;
    for line in ["X: a\r\n b", "X: a\rb", "X: a\0b", "X", "X Y: z"] {
        let refusal = stage.refusal(&request("GET", "/p/c/x", &[line], "")).await;
        assert_eq!(refusal, ["400"], "{line:?}");
    }
    stage.vendor.untouched().await;
}

#[tokio::test]
async fn h22_a_thousand_fields_are_refused_and_delay_no_other_caller() {
    let stage = Stage::new().await;
    let lines: Vec<_> = (0..1000).map(|nth| format!("x-{nth}: y")).collect();
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    let refusal = stage.refusal(&request("GET", "/p/c/x", &lines, "")).await;
    assert_eq!(refusal, ["431"]);
    stage.vendor.untouched().await;
    // The same fields as trailers, after a body that the vendor receives.
    let trailers: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    let body = format!("2\r\nok\r\n0\r\n{trailers}\r\n");
    let refusal = stage
        .refusal(&post(&["Transfer-Encoding: chunked"], &body))
        .await;
    assert!(
        !refusal.iter().any(|status| status.starts_with('2')),
        "{refusal:?}"
    );
    stage.is_unharmed("a thousand fields").await;
}

#[tokio::test]
async fn x4_a_head_byte_by_byte_delays_no_other_caller_and_is_answered() {
    let stage = Stage::new().await;
    let head = get("/p/c/x");
    let mut slow = Caller::connect(stage.gateway.address).await;
    let (start, rest) = head.split_at(30);
    for byte in start.as_bytes() {
        slow.write([*byte]).await;
        tokio::task::yield_now().await;
    }
    stage.vendor.untouched().await;
    stage.is_unharmed("half a head").await;
    for byte in rest.as_bytes() {
        slow.write([*byte]).await;
    }
    assert!(slow.response("GET").await.text().starts_with("GET /x by"));
    stage.is_unharmed("a head byte by byte").await;
}

#[tokio::test]
async fn x4_bodies_byte_by_byte_delay_no_other_caller_and_arrive() {
    let stage = Stage::new().await;
    let mut slow = Vec::new();
    for _ in 0..20 {
        let mut caller = Caller::connect(stage.gateway.address).await;
        caller.write(post(&["Content-Length: 5"], "h")).await;
        let mut chunked = Caller::connect(stage.gateway.address).await;
        chunked
            .write(post(&["Transfer-Encoding: chunked"], "1"))
            .await;
        slow.push((caller, chunked));
    }
    stage.is_unharmed("half a body").await;
    for (caller, chunked) in &mut slow {
        for byte in b"ello" {
            caller.write([*byte]).await;
        }
        for byte in b"\r\nh\r\n4\r\nello\r\n0\r\n\r\n" {
            chunked.write([*byte]).await;
        }
        for caller in [caller, chunked] {
            let answer = caller.response("POST").await;
            assert_eq!(answer.text(), "POST /x by Bearer s3cr3t: hello");
        }
    }
    stage.is_unharmed("bodies byte by byte").await;
}

#[tokio::test]
async fn h22_an_endless_head_is_refused() {
    let stage = Stage::new().await;
    let mut caller = Caller::connect(stage.gateway.address).await;
    caller.write("GET /p/c/x HTTP/1.1\r\nHost: a\r\n").await;
    let line = format!("X-Flood: {}\r\n", "x".repeat(8000));
    let flood = async {
        let mut written = 0;
        while written < 1 << 28 && caller.wire.try_write(line.as_bytes()).await {
            written += line.len();
        }
        written
    };
    let written = within("an end of the flood", flood).await;
    assert!(written < 32 << 20, "{written} bytes were read");
    stage.vendor.untouched().await;
    stage.is_unharmed("a head without end").await;
}
