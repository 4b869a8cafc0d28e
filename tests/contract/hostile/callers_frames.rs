//! Callers that send HTTP/2 frames and fields that no library sends.

use super::Stage;
use super::callers_http2::{Field, block, get, post};
use testkit::h2_frames::{
    DATA, END_HEADERS, END_STREAM, HEADERS, RST_STREAM, SETTINGS, WINDOW_UPDATE, encode, fields,
};

const PUSH_PROMISE: u8 = 5;
const CONTINUATION: u8 = 9;

#[tokio::test]
async fn h17_fields_over_http2_make_no_second_http1_request() {
    let stage = Stage::new().await;
    let smuggled = b"/p/c/x HTTP/1.1\r\nHost: a\r\n\r\nGET /smuggled HTTP/1.1\r\nX: y";
    let pseudo: [[Field<'_>; 4]; 8] = [
        [
            (b":method", b"GET"),
            (b":scheme", b"http"),
            (b":authority", b"a"),
            (b":path", smuggled),
        ],
        [
            (b":method", b"GET /smuggled HTTP/1.1\r\nX:"),
            (b":scheme", b"http"),
            (b":authority", b"a"),
            (b":path", b"/p/c/x"),
        ],
        [
            (b":method", b"GET"),
            (b":scheme", b"http\r\nX: y"),
            (b":authority", b"a"),
            (b":path", b"/p/c/x"),
        ],
        [
            (b":method", b"GET"),
            (b":scheme", b"http"),
            (b":authority", b"a\r\nX: y"),
            (b":path", b"/p/c/x"),
        ],
        [
            (b":method", b"GET"),
            (b":scheme", b"http"),
            (b":authority", b"a"),
            (b":path", b"/p/c/x y"),
        ],
        [
            (b":method", b"GET"),
            (b":scheme", b"http"),
            (b":authority", b"a"),
            (b":path", b"/p/c/x\ny"),
        ],
        [
            (b":method", b"GET"),
            (b":scheme", b"http"),
            (b":path", b"/p/c/x"),
            (b":path", b"/p/c/smuggled"),
        ],
        [
            (b":method", b"GET"),
            (b"x-a", b"1"),
            (b":scheme", b"http"),
            (b":path", b"/p/c/smuggled"),
        ],
    ];
    for fields_of_head in pseudo {
        let head = fields(&fields_of_head);
        let frame = encode(HEADERS, END_HEADERS | END_STREAM, 1, &head);
        stage
            .survives_frames(&frame, 1, &format!("{fields_of_head:?}"))
            .await;
    }
    for more in [
        &[
            (&b"content-length"[..], &b"0"[..]),
            (b"content-length", b"31"),
        ][..],
        &[
            (b"content-length", b"0"),
            (b"transfer-encoding", b"chunked"),
        ],
        &[(b"host", b"a"), (b"host", b"b")],
        &[(b"content-length", b"+31")],
        &[
            (b"content_length", b"31"),
            (b"transfer_encoding", b"chunked"),
        ],
        &[(b"trailer", b"content-length, transfer-encoding, host")],
    ] {
        let frames = [
            encode(HEADERS, END_HEADERS, 1, &block(b"POST", more)),
            encode(
                DATA,
                END_STREAM,
                1,
                b"GET /smuggled HTTP/1.1\r\nX: y\r\n\r\n",
            ),
        ];
        stage
            .survives_frames(&frames.concat(), 1, &format!("{more:?}"))
            .await;
    }
    // The same fields as trailers.
    for more in [
        &[(&b"content-length"[..], &b"31"[..])][..],
        &[(b"transfer-encoding", b"chunked")],
        &[(b"x-a", b"1\r\n\r\nGET /smuggled HTTP/1.1\r\nX: y")],
        &[(b":path", b"/p/c/smuggled")],
    ] {
        let frames = [
            post(1),
            encode(DATA, 0, 1, b"hello"),
            encode(HEADERS, END_HEADERS | END_STREAM, 1, &fields(more)),
        ];
        stage
            .survives_frames(&frames.concat(), 1, &format!("{more:?}"))
            .await;
    }
}

#[tokio::test]
async fn x3_frames_that_http2_forbids_end_one_connection_at_most() {
    let stage = Stage::new().await;
    let most = i32::MAX.to_be_bytes();
    for (what, frames) in [
        ("data without a stream", encode(DATA, 0, 0, b"x")),
        ("data of a stream that never was", encode(DATA, 0, 9, b"x")),
        (
            "a head without a stream",
            encode(HEADERS, 5, 0, &block(b"GET", &[])),
        ),
        ("a stream of the server's", get(2)),
        ("a stream's number again", [get(3), get(3)].concat()),
        ("an older stream", [get(3), get(1)].concat()),
        (
            "a head that doesn't decode",
            encode(HEADERS, 5, 1, &[0xff; 20]),
        ),
        (
            "a head in the midst of another",
            [encode(HEADERS, 0, 1, &block(b"GET", &[])), get(3)].concat(),
        ),
        ("a continuation of nothing", encode(CONTINUATION, 4, 1, &[])),
        ("a push", encode(PUSH_PROMISE, 4, 1, &[0, 0, 0, 2])),
        (
            "more data than the window",
            [post(1), encode(DATA, 0, 1, &[0; 16384]).repeat(100)].concat(),
        ),
        (
            "room without an end",
            encode(WINDOW_UPDATE, 0, 0, &most).repeat(2),
        ),
        (
            "no room at all",
            [post(1), encode(WINDOW_UPDATE, 0, 1, &[0; 4])].concat(),
        ),
        (
            "a window of more than there is",
            encode(SETTINGS, 0, 0, &[0, 4, 0xff, 0xff, 0xff, 0xff]),
        ),
        ("settings cut short", encode(SETTINGS, 0, 0, &[0, 4, 0])),
        (
            "a settings' acknowledgement of nothing",
            encode(SETTINGS, 1, 0, &[]).repeat(5),
        ),
        (
            "a reset of a stream that never was",
            encode(RST_STREAM, 0, 77, &[0; 4]),
        ),
        (
            "a frame larger than allowed",
            encode(DATA, 0, 1, &[0; 20_000]),
        ),
        (
            "padding longer than its frame",
            [post(1), encode(DATA, 8, 1, &[200, 1])].concat(),
        ),
        (
            "data behind the end",
            [
                get(1),
                encode(DATA, END_STREAM, 1, b"GET /smuggled HTTP/1.1\r\n\r\n"),
            ]
            .concat(),
        ),
        (
            "no frame",
            b"GET /p/c/x HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(),
        ),
    ] {
        stage.survives_frames(&frames, 1, what).await;
    }
}
