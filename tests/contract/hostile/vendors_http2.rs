//! HTTP/2 vendors that flood the gateway, stall, or send frames that no library sends, on a connection that several
//! tenants share.

use super::injecting::Injecting;
use testkit::caller::{Caller, request};
use testkit::h2_frames::{
    DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, RST_STREAM, SETTINGS, WINDOW_UPDATE,
    encode, fields,
};
use testkit::tenant::Tenant;

const PRIORITY: u8 = 2;
const PUSH_PROMISE: u8 = 5;
const CONTINUATION: u8 = 9;
const UNKNOWN: u8 = 0xee;

/// The end of the call on whose stream the vendor misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    /// The call continues to wait, until its caller leaves.
    Not,
    /// The call gets an error of the gateway.
    Refused,
    /// The call gets this body.
    With(&'static str),
    /// The call gets this body, or an aborted part of the body.
    AtMost(&'static str),
    /// The call gets a head, and no whole body.
    Cut,
}

/// Injects the frames that `frames` returns for the stream of a call whose upload has begun. Checks that the next
/// tenant is served, on the same connection or on another, and returns whether the connection is still open.
async fn survives(what: &str, ends: Ends, frames: impl FnOnce(u32) -> Vec<u8>) -> bool {
    let vendor = Injecting::start().await;
    let gateway = vendor.gateway().await;
    let next = Tenant::of(gateway.address);
    let mut caller = Caller::connect(gateway.address).await;
    let upload = request("POST", "/p/c/x", &["Content-Length: 9"], "half");
    caller.write(upload).await;
    let mut victim = vendor.victim().await;
    let frames = frames(victim.stream);
    let lives = victim.inject(frames).await;
    next.is_served(what).await;
    match ends {
        Ends::Not => {}
        Ends::Refused => {
            let answer = caller.response("POST").await;
            assert_eq!(
                answer.error(),
                Some("upstream-protocol"),
                "{what}: {answer:?}"
            );
        }
        Ends::With(body) => {
            let answer = caller.response("POST").await;
            assert_eq!((answer.status(), &*answer.text()), (200, body), "{what}");
            assert!(answer.complete(), "{what}: {answer:?}");
        }
        Ends::AtMost(body) => {
            let answer = caller.response("POST").await;
            let text = answer.text();
            assert!(body.starts_with(&text), "{what}: {answer:?}");
            assert!(!answer.complete() || text == body, "{what}: {answer:?}");
        }
        Ends::Cut => {
            assert_eq!(caller.head().await.status(), 200, "{what}");
            let rest = caller.closed().await;
            assert!(!rest.ends_with(b"0\r\n\r\n"), "{what}: {rest:?}");
        }
    }
    drop(caller);
    next.is_served(what).await;
    lives
}

fn ok() -> Vec<u8> {
    fields(&[(b":status", b"200")])
}

fn head(stream: u32) -> Vec<u8> {
    encode(HEADERS, END_HEADERS, stream, &ok())
}

fn data(stream: u32, body: &str, flags: u8) -> Vec<u8> {
    encode(DATA, flags, stream, body.as_bytes())
}

/// Returns a whole answer.
fn answer(stream: u32, body: &str) -> Vec<u8> {
    [head(stream), data(stream, body, END_STREAM)].concat()
}

#[tokio::test]
async fn v6_an_untimely_answer_over_http2_reaches_only_its_call() {
    survives(
        "an answer in the midst of the upload",
        Ends::With("early"),
        |stream| answer(stream, "early"),
    )
    .await;
    survives("a second answer", Ends::AtMost("first"), |stream| {
        [answer(stream, "first"), answer(stream, "second")].concat()
    })
    .await;
    survives(
        "an answer to a call that wasn't made",
        Ends::Refused,
        |stream| answer(stream + 100, "poisoned"),
    )
    .await;
    survives(
        "an answer to a call of the vendor's own",
        Ends::Refused,
        |_| answer(2, "poisoned"),
    )
    .await;
    survives("an answer without a head", Ends::Refused, |stream| {
        data(stream, "body", END_STREAM)
    })
    .await;
    survives("no answer", Ends::Not, |_| Vec::new()).await;
    survives("a head alone", Ends::Not, head).await;
}

#[tokio::test]
async fn v6_garbage_over_http2_fails_one_connection_at_most() {
    for (what, garbage) in [
        (
            "no frame",
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec(),
        ),
        ("nothing but ones", vec![0xff; 100]),
        ("data without a stream", encode(DATA, 0, 0, b"x")),
        (
            "a window that overflows",
            encode(WINDOW_UPDATE, 0, 0, &i32::MAX.to_be_bytes()).repeat(2),
        ),
        ("settings cut short", encode(SETTINGS, 0, 0, &[0, 4, 0])),
        ("a push", encode(PUSH_PROMISE, 4, 1, &[0, 0, 0, 2])),
        (
            "a frame larger than allowed",
            encode(DATA, 0, 1, &[0; 20_000]),
        ),
        ("a continuation of nothing", encode(CONTINUATION, 4, 1, &[])),
        (
            "a head that doesn't decode",
            encode(HEADERS, 5, 1, &[0xff; 20]),
        ),
        (
            "a head in the midst of another",
            [encode(HEADERS, 0, 1, &ok()), head(3)].concat(),
        ),
        (
            "a status that is none",
            encode(HEADERS, 5, 1, &fields(&[(b":status", b"2x0")])),
        ),
        ("no room at all", encode(WINDOW_UPDATE, 0, 1, &[0; 4])),
        (
            "padding longer than its frame",
            [head(1), encode(DATA, 8, 1, &[200, 1])].concat(),
        ),
        (
            "a reset of a stream that never was",
            encode(RST_STREAM, 0, 101, &[0; 4]),
        ),
    ] {
        let ends = match what {
            "padding longer than its frame" => Ends::Cut,
            _ => Ends::Refused,
        };
        survives(what, ends, |_| garbage).await;
    }
}

#[tokio::test]
async fn v6_a_stream_that_breaks_a_rule_ends_only_itself() {
    let lives = survives("a head without a status", Ends::Refused, |stream| {
        encode(HEADERS, END_HEADERS, stream, &fields(&[(b"x-a", b"1")]))
    })
    .await;
    assert!(lives);
    let lives = survives("a length that isn't the data's", Ends::Cut, |stream| {
        let head = fields(&[(b":status", b"200"), (b"content-length", b"9")]);
        [
            encode(HEADERS, END_HEADERS, stream, &head),
            data(stream, "short", END_STREAM),
        ]
        .concat()
    })
    .await;
    assert!(lives);
    let lives = survives("a reset in the midst of the body", Ends::Cut, |stream| {
        let code = 2_u32.to_be_bytes();
        [
            head(stream),
            data(stream, "ha", 0),
            encode(RST_STREAM, 0, stream, &code),
        ]
        .concat()
    })
    .await;
    assert!(lives);
    let lives = survives("a window that overflows", Ends::Refused, |stream| {
        encode(WINDOW_UPDATE, 0, stream, &i32::MAX.to_be_bytes()).repeat(2)
    })
    .await;
    assert!(lives);
}

#[tokio::test]
async fn v3_heads_over_http2_are_bounded_and_the_next_tenant_is_served() {
    let many: Vec<_> = (0..5000)
        .map(|nth| format!("x-{nth}").into_bytes())
        .collect();
    survives("a huge head", Ends::Refused, |stream| {
        let lines: Vec<_> = many
            .iter()
            .map(|name| (&name[..], &b"yyyyyyyy"[..]))
            .collect();
        let block = [ok(), fields(&lines)].concat();
        let mut pieces = block.chunks(16_000).peekable();
        let first = pieces.next().unwrap();
        let mut frames = encode(HEADERS, 0, stream, first);
        while let Some(piece) = pieces.next() {
            let last = if pieces.peek().is_none() {
                END_HEADERS
            } else {
                0
            };
            frames.extend(encode(CONTINUATION, last, stream, piece));
        }
        frames
    })
    .await;
    survives("a head without end", Ends::Refused, |stream| {
        let field = fields(&[(b"x-abc", &[b'y'; 100])]).repeat(100);
        let more = encode(CONTINUATION, 0, stream, &field).repeat(500);
        [encode(HEADERS, 0, stream, &ok()), more].concat()
    })
    .await;
}

#[tokio::test]
async fn x3_a_vendors_floods_over_http2_stop_no_tenant() {
    for (what, frame) in [
        ("settings", encode(SETTINGS, 0, 0, &[])),
        ("pings", encode(PING, 0, 0, &[0; 8])),
        ("priorities", encode(PRIORITY, 0, 1, &[0, 0, 0, 0, 3])),
        ("unknown frames", encode(UNKNOWN, 0, 0, &[0; 100])),
        ("room", encode(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1])),
    ] {
        assert!(
            survives(what, Ends::Not, |_| frame.repeat(3000)).await,
            "{what}"
        );
    }
    survives("interim heads", Ends::With("own"), |stream| {
        let hint = fields(&[(b":status", b"103"), (b"link", b"</a>")]);
        let hints = encode(HEADERS, END_HEADERS, stream, &hint).repeat(100);
        [hints, answer(stream, "own")].concat()
    })
    .await;
    survives("empty frames of data", Ends::With("own"), |stream| {
        let empty = data(stream, "", 0).repeat(100);
        [head(stream), empty, data(stream, "own", END_STREAM)].concat()
    })
    .await;
    survives("goaways of no stream", Ends::With("own"), |stream| {
        let last = [i32::MAX.to_be_bytes(), [0; 4]].concat();
        [
            encode(GOAWAY, 0, 0, &last).repeat(100),
            answer(stream, "own"),
        ]
        .concat()
    })
    .await;
}

#[tokio::test]
async fn k10_a_vendor_that_never_opens_a_window_stops_no_tenant() {
    let vendor = Injecting::start().await;
    let gateway = vendor.gateway().await;
    let next = Tenant::of(gateway.address);
    // More bytes than the stream's window, which the vendor never opens again.
    let upload = request("POST", "/p/c/x", &["Content-Length: 200000"], "");
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(upload).await;
    caller.write([b'x'; 150_000]).await;
    let mut victim = vendor.victim().await;
    victim.inject(Vec::new()).await;
    next.is_served("a window that stays closed").await;
    // The vendor answers all the same.
    victim.inject(answer(victim.stream, "own")).await;
    assert_eq!(caller.response("POST").await.text(), "own");
    drop(caller);
    next.is_served("a window that stayed closed").await;
}
