//! HTTP/2 callers that flood the gateway, or stall.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Response;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Stage, with_next};
use testkit::caller::Caller;
use testkit::gateway::Setup;
use testkit::h2_frames::{
    DATA, END_HEADERS, END_STREAM, FrameCaller, GOAWAY, HEADERS, PING, RST_STREAM, SETTINGS,
    WINDOW_UPDATE, encode, fields,
};
use testkit::h2_vendor::H2Vendor;
use testkit::tenant::{self, Tenant};

const PRIORITY: u8 = 2;
const CONTINUATION: u8 = 9;
const UNKNOWN: u8 = 0xee;

/// A setting's number (RFC 9113 §6.5.2).
const INITIAL_WINDOW_SIZE: [u8; 2] = [0, 4];

/// Error codes (RFC 9113 §7).
const ENHANCE_YOUR_CALM: u32 = 11;

pub(super) type Field<'a> = (&'a [u8], &'a [u8]);

/// Returns the field block of a request, with these fields after the usual fields.
pub(super) fn block(method: &[u8], more: &[Field<'_>]) -> Vec<u8> {
    let pseudo: [Field<'_>; 4] = [
        (b":method", method),
        (b":scheme", b"http"),
        (b":authority", b"app.test"),
        (b":path", b"/p/c/x"),
    ];
    fields(&[&pseudo, more].concat())
}

/// Returns a whole request on that stream.
pub(super) fn get(stream: u32) -> Vec<u8> {
    encode(
        HEADERS,
        END_HEADERS | END_STREAM,
        stream,
        &block(b"GET", &[]),
    )
}

/// Returns the head of a request whose body follows.
pub(super) fn post(stream: u32) -> Vec<u8> {
    encode(HEADERS, END_HEADERS, stream, &block(b"POST", &[]))
}

/// Returns the ids of that number of streams.
fn streams(count: u32) -> impl Iterator<Item = u32> {
    (0..count).map(|nth| 2 * nth + 1)
}

/// Sends these frames `times` times. A gateway that has received too many frames may close, or stop reading.
async fn flood(caller: &mut FrameCaller, frames: &[u8], times: usize) {
    let all = async {
        for _ in 0..times {
            if !caller.try_send(frames).await {
                return;
            }
        }
    };
    let _ = timeout(Duration::from_secs(1), all).await;
}

/// Returns the code with which the gateway ends the connection; `None` means that the gateway sent no code.
async fn goaway(caller: &mut FrameCaller) -> Option<u32> {
    loop {
        let frame = caller.next().await?;
        if frame.kind == GOAWAY {
            let code = frame.payload.get(4..8)?;
            return Some(u32::from_be_bytes(code.try_into().unwrap()));
        }
    }
}

impl Stage {
    /// Sends these frames, and checks that the next tenant is served while the hostile connection is open, and after it
    /// closed.
    pub(super) async fn survives_frames(&self, frames: &[u8], times: usize, what: &str) {
        let mut caller = FrameCaller::connect(self.gateway.address).await;
        flood(&mut caller, frames, times).await;
        self.is_unharmed(what).await;
        drop(caller);
        self.is_unharmed(what).await;
    }
}

#[tokio::test]
async fn x3_rapid_resets_delay_no_other_caller() {
    let stage = Stage::new().await;
    let cancel = |stream| encode(RST_STREAM, 0, stream, &8_u32.to_be_bytes());
    let gets: Vec<u8> = streams(3000)
        .flat_map(|stream| [get(stream), cancel(stream)].concat())
        .collect();
    stage.survives_frames(&gets, 1, "rapid resets").await;
    let uploads: Vec<u8> = streams(3000)
        .flat_map(|stream| [post(stream), cancel(stream)].concat())
        .collect();
    stage
        .survives_frames(&uploads, 1, "rapid resets of uploads")
        .await;
    // Resets that the caller provokes: the overflow of a window.
    let most = i32::MAX.to_be_bytes();
    let overflows: Vec<u8> = streams(3000)
        .flat_map(|stream| [post(stream), encode(WINDOW_UPDATE, 0, stream, &most)].concat())
        .collect();
    stage
        .survives_frames(&overflows, 1, "resets that it sends")
        .await;
}

#[tokio::test]
async fn x3_a_flood_of_continuations_ends_the_callers_connection() {
    let stage = Stage::new().await;
    let mut caller = FrameCaller::connect(stage.gateway.address).await;
    let many = fields(&[(b"x-abc", &[b'y'; 100])]).repeat(100);
    caller.send(HEADERS, 0, 1, &block(b"GET", &[])).await;
    let more = encode(CONTINUATION, 0, 1, &many);
    flood(&mut caller, &more, 4000).await;
    assert!(
        matches!(goaway(&mut caller).await, None | Some(ENHANCE_YOUR_CALM)),
        "another end"
    );
    // Frames without a byte can't be limited by their size.
    let empty = [
        encode(HEADERS, 0, 1, &block(b"GET", &[])),
        encode(CONTINUATION, 0, 1, &[]).repeat(5000),
    ];
    let mut caller = FrameCaller::connect(stage.gateway.address).await;
    flood(&mut caller, &empty.concat(), 1).await;
    stage.vendor.untouched().await;
    stage.is_unharmed("continuations").await;
}

#[tokio::test]
async fn x3_floods_of_frames_without_a_call_delay_no_other_caller() {
    let stage = Stage::new().await;
    // The caller never reads the answers to the frames.
    for (what, frame) in [
        ("settings", encode(SETTINGS, 0, 0, &[])),
        ("pings", encode(PING, 0, 0, &[0; 8])),
        ("priorities", encode(PRIORITY, 0, 1, &[0, 0, 0, 0, 1])),
        ("unknown frames", encode(UNKNOWN, 0, 0, &[0; 100])),
        ("room", encode(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1])),
        ("goaways", encode(GOAWAY, 0, 0, &[0; 8])),
    ] {
        stage.survives_frames(&frame.repeat(100), 100, what).await;
    }
}

#[tokio::test]
async fn x3_empty_frames_delay_no_other_caller_and_no_other_body() {
    let stage = Stage::new().await;
    let empty = encode(DATA, 0, 1, &[]).repeat(100);
    let mut caller = FrameCaller::connect(stage.gateway.address).await;
    assert!(caller.try_send(&post(1)).await);
    flood(&mut caller, &empty, 100).await;
    stage.is_unharmed("empty frames").await;
    // Frames of padding alone, which use the window.
    let padded = encode(DATA, 8, 1, &[9; 10]).repeat(100);
    let frames = [post(1), padded].concat();
    stage.survives_frames(&frames, 1, "frames of padding").await;
}

#[tokio::test]
async fn x4_callers_that_never_open_their_windows_delay_no_other_caller() {
    let stage = Stage::new().await;
    let closed = [&INITIAL_WINDOW_SIZE[..], &[0; 4]].concat();
    let mut callers = Vec::new();
    for _ in 0..3 {
        let mut caller = FrameCaller::connect(stage.gateway.address).await;
        let calls: Vec<u8> = streams(100).flat_map(get).collect();
        let frames = [encode(SETTINGS, 0, 0, &closed), calls].concat();
        assert!(caller.try_send(&frames).await);
        callers.push(caller);
        stage.is_unharmed("windows that stay closed").await;
    }
    // Each caller gets its heads. A caller gets a body on the stream for which it opens the window at the end.
    for caller in &mut callers {
        let head = caller.verdict(1).await.unwrap();
        assert_eq!((head.kind, head.flags & END_STREAM), (HEADERS, 0));
        caller
            .send(WINDOW_UPDATE, 0, 1, &1000_u32.to_be_bytes())
            .await;
        let body = caller.verdict(1).await.unwrap();
        assert_eq!(body.kind, DATA);
        assert!(body.payload.starts_with(b"GET /x by Bearer s3cr3t"));
    }
    drop(callers);
    stage.is_unharmed("windows that stayed closed").await;
}

#[tokio::test]
async fn x4_streams_that_never_end_delay_no_other_caller() {
    let stage = Stage::new().await;
    // More streams than a connection may have, each with one byte of its body.
    let frames: Vec<u8> = streams(500)
        .flat_map(|stream| [post(stream), encode(DATA, 0, stream, b"x")].concat())
        .collect();
    stage
        .survives_frames(&frames, 1, "streams without end")
        .await;
    // A head byte by byte.
    let mut caller = FrameCaller::connect(stage.gateway.address).await;
    let head = get(1);
    let (start, rest) = head.split_at(12);
    for byte in start {
        assert!(caller.try_send(&[*byte]).await);
    }
    stage.is_unharmed("half a head").await;
    for byte in rest {
        assert!(caller.try_send(&[*byte]).await);
    }
    assert_eq!(
        caller.verdict(1).await.map(|frame| frame.kind),
        Some(HEADERS)
    );
}

#[tokio::test]
async fn h22_too_many_fields_over_http2_are_refused_and_delay_no_other_caller() {
    let stage = Stage::new().await;
    let names: Vec<_> = (0..1000)
        .map(|nth| format!("x-{nth}").into_bytes())
        .collect();
    let lines: Vec<Field<'_>> = names.iter().map(|name| (&name[..], &b"y"[..])).collect();
    // Few bytes that mean many fields: references to a field of the dynamic table.
    let mut bomb = block(b"GET", &[]);
    bomb.extend([0x40, 1, b'x', 127, 0xe1, 0x1e]);
    bomb.extend(vec![b'y'; 4000]);
    bomb.extend(vec![0xbe; 4000]);
    for head in [block(b"GET", &lines), bomb] {
        let mut caller = FrameCaller::connect(stage.gateway.address).await;
        let head = encode(HEADERS, END_HEADERS | END_STREAM, 1, &head);
        assert!(caller.try_send(&head).await);
        let verdict = caller.verdict(1).await;
        // A reset, an end of the connection, or a head with another status than 200 (0x88 in HPACK's table).
        assert!(
            verdict.as_ref().is_none_or(|frame| {
                frame.kind != HEADERS || frame.payload.first() != Some(&0x88)
            }),
            "{verdict:?}"
        );
        stage.vendor.untouched().await;
    }
    stage.is_unharmed("too many fields").await;
}

/// Starts an HTTP/2 vendor that echoes to tenants and lets all other requests wait. Returns the number of waiting
/// requests as well.
async fn echoing_streams() -> (Arc<H2Vendor>, Arc<AtomicUsize>, JoinSet<()>) {
    let vendor = Arc::new(H2Vendor::start().await);
    let mut tasks = JoinSet::new();
    let others = Arc::new(AtomicUsize::new(0));
    let (listening, count) = (Arc::clone(&vendor), Arc::clone(&others));
    tasks.spawn(async move {
        let mut waiting = Vec::new();
        loop {
            let mut call = listening.next().await;
            if !tenant::is_own(call.request.uri().path()) {
                waiting.push(call);
                count.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            let (body, _) = call.read().await;
            let echo = tenant::echo_stream(&call.request, &body);
            let mut answer = call.answer(Response::new(()));
            answer.send_data(echo.into(), true).unwrap();
        }
    });
    (vendor, others, tasks)
}

/// All tenants share the vendor's connection, and one tenant resets many streams on the connection.
#[tokio::test]
async fn k11_rapid_resets_of_one_tenant_stop_no_other_tenant_of_an_http2_vendor() {
    let (vendor, others, _tasks) = echoing_streams().await;
    let gateway = with_next(Setup::new(&*vendor)).start().await;
    let next = Tenant::of(gateway.address);
    next.is_served("nothing").await;
    for _ in 0..20 {
        let mut caller = FrameCaller::connect(gateway.address).await;
        for stream in streams(50) {
            if !caller.try_send(&get(stream)).await {
                break;
            }
            // The request must be on its way to the vendor before the caller resets it.
            tokio::task::yield_now().await;
            let code = 8_u32.to_be_bytes();
            caller.try_send(&encode(RST_STREAM, 0, stream, &code)).await;
        }
        next.is_served("rapid resets").await;
        drop(caller);
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(testkit::caller::get("/p/c/x")).await;
        drop(caller);
    }
    next.is_served("rapid resets").await;
    // The key that cancels many calls has a connection of its own.
    assert_eq!(vendor.connections().await, 2);
    let others = others.load(Ordering::Relaxed);
    assert!(others > 0, "no reset had come to the vendor");
}
