//! Callers that flood and callers that stall: the calls of other callers still get their own answers.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

use testkit::caller::Caller;
use testkit::h2_frames::{
    DATA, END_HEADERS, END_STREAM, FrameCaller, GOAWAY, HEADERS, PING, RST_STREAM, SETTINGS,
    WINDOW_UPDATE, encode, fields,
};
use testkit::process::canary::KEY;
use testkit::process::config::Config;
use testkit::process::gateway::Gateway;
use testkit::tenant::{self, Tenant};
use testkit::vendor::Vendor;

const CONTINUATION: u8 = 9;

/// An error code (RFC 9113 §7).
const ENHANCE_YOUR_CALM: u32 = 11;

/// A time that is longer than the time limits for a caller's first bytes and for a head.
const TOO_SLOW: Duration = Duration::from_secs(25);

/// A vendor that echoes, and a gateway in front of the vendor, to which a hostile caller connects.
struct Stage {
    _vendor: Vendor,
    gateway: Gateway,
    next: Tenant,
}

impl Stage {
    async fn new() -> Self {
        let vendor = Vendor::replying(tenant::echo).await;
        let next = format!(
            "[connection.next]\nintegration = \"v\"\nsecret = {{ token = \"{}\" }}",
            tenant::NEXT
        );
        let gateway = Gateway::start(&Config::new(&vendor).table(&next)).await;
        let next = Tenant::of(gateway.address).at("/passthrough/next", ("x-api-key", KEY));
        Self {
            _vendor: vendor,
            gateway,
            next,
        }
    }

    /// Sends these frames `times` times, and checks that the next tenant is served while the hostile connection is
    /// open, and after it closed. Returns the code with which the gateway ended the connection, if the gateway did.
    async fn survives(&self, frames: &[u8], times: usize, what: &str) -> Option<u32> {
        let mut caller = FrameCaller::connect(self.gateway.address).await;
        let all = async {
            for _ in 0..times {
                if !caller.try_send(frames).await {
                    return;
                }
            }
        };
        // The caller doesn't read the answers, so the gateway may stop reading at some time.
        let _ = timeout(Duration::from_secs(1), all).await;
        self.next.is_served(what).await;
        let code = timeout(Duration::from_secs(1), goaway(&mut caller)).await;
        drop(caller);
        self.next.is_served(what).await;
        code.ok().flatten()
    }
}

/// Returns the code with which the gateway ends the connection.
async fn goaway(caller: &mut FrameCaller) -> Option<u32> {
    loop {
        let frame = caller.next().await?;
        if frame.kind == GOAWAY {
            let code = frame.payload.get(4..8)?;
            return Some(u32::from_be_bytes(code.try_into().unwrap()));
        }
    }
}

fn block(method: &[u8]) -> Vec<u8> {
    fields(&[
        (b":method", method),
        (b":scheme", b"http"),
        (b":authority", b"app.test"),
        (b":path", b"/passthrough/next/x"),
        (b"x-api-key", KEY.as_bytes()),
    ])
}

fn head(stream: u32, flags: u8, method: &[u8]) -> Vec<u8> {
    encode(HEADERS, END_HEADERS | flags, stream, &block(method))
}

fn streams(count: u32) -> impl Iterator<Item = u32> {
    (0..count).map(|nth| 2 * nth + 1)
}

#[tokio::test]
async fn x3_floods_of_one_caller_stop_no_other_caller() {
    let stage = Stage::new().await;
    let cancel = |stream| encode(RST_STREAM, 0, stream, &8_u32.to_be_bytes());
    let resets: Vec<u8> = streams(3000)
        .flat_map(|stream| [head(stream, END_STREAM, b"GET"), cancel(stream)].concat())
        .collect();
    let code = stage.survives(&resets, 1, "rapid resets").await;
    assert_eq!(code, Some(ENHANCE_YOUR_CALM), "rapid resets");

    let many = fields(&[(b"x-abc", &[b'y'; 100])]).repeat(100);
    let more = encode(CONTINUATION, 0, 1, &many).repeat(1000);
    let endless = [encode(HEADERS, 0, 1, &block(b"GET")), more].concat();
    stage.survives(&endless, 1, "continuations").await;

    let empty = encode(DATA, 0, 1, &[]).repeat(5000);
    let empty = [head(1, 0, b"POST"), empty].concat();
    stage.survives(&empty, 1, "empty frames").await;

    for (what, frame) in [
        ("settings", encode(SETTINGS, 0, 0, &[])),
        ("pings", encode(PING, 0, 0, &[0; 8])),
        ("unknown frames", encode(0xee, 0, 0, &[0; 100])),
    ] {
        stage.survives(&frame.repeat(100), 100, what).await;
    }

    let most = i32::MAX.to_be_bytes();
    let overflows: Vec<u8> = streams(3000)
        .flat_map(|stream| {
            let room = encode(WINDOW_UPDATE, 0, stream, &most);
            [head(stream, 0, b"POST"), room].concat()
        })
        .collect();
    stage.survives(&overflows, 1, "resets that it sends").await;
}

/// A caller that gives up all the calls that SETTINGS allow, in one packet, isn't a flood: its connection goes on.
#[tokio::test]
async fn a_burst_of_cancelled_calls_ends_no_connection() {
    const ALLOWED: u32 = 128;
    let stage = Stage::new().await;
    let cancel = |stream| encode(RST_STREAM, 0, stream, &8_u32.to_be_bytes());
    let mut caller = FrameCaller::connect(stage.gateway.address).await;
    for burst in 0..3 {
        let first = burst * (ALLOWED + 1);
        let streams: Vec<u32> = (first..=first + ALLOWED).map(|nth| 2 * nth + 1).collect();
        let [cancelled @ .., last] = &*streams else {
            unreachable!("there are many");
        };
        let mut frames: Vec<u8> = cancelled
            .iter()
            .flat_map(|&stream| [head(stream, END_STREAM, b"GET"), cancel(stream)].concat())
            .collect();
        frames.extend(head(*last, END_STREAM, b"GET"));
        assert!(caller.try_send(&frames).await);
        let verdict = caller.verdict(*last).await.map(|frame| frame.kind);
        assert_eq!(verdict, Some(HEADERS), "burst {burst}");
    }
}

#[tokio::test]
async fn x4_stalled_callers_stop_no_other_caller() {
    let stage = Stage::new().await;
    let mut plain = Vec::new();
    let mut frames = Vec::new();
    for _ in 0..100 {
        for start in [
            "",
            "P",
            "GET /passthrough/next/x HTTP/1.1\r\nHost: a\r\nX: ",
            "POST /passthrough/next/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\
             x-api-key: KEY\r\n\r\nhe",
        ] {
            let mut caller = Caller::connect(stage.gateway.address).await;
            caller.write(start.replace("KEY", KEY)).await;
            plain.push(caller);
        }
    }
    // Windows that stay closed, and more streams than a connection may have. All calls together fit into the queue for
    // the vendor's connections, because further calls would be refused, which isn't a stall.
    for _ in 0..4 {
        let mut caller = FrameCaller::connect(stage.gateway.address).await;
        caller.send(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]).await;
        for stream in streams(100) {
            let call = head(stream, END_STREAM, b"GET");
            assert!(caller.try_send(&call).await);
        }
        let mut uploads = FrameCaller::connect(stage.gateway.address).await;
        let heads: Vec<u8> = streams(300)
            .flat_map(|stream| head(stream, 0, b"POST"))
            .collect();
        assert!(uploads.try_send(&heads).await);
        frames.extend([caller, uploads]);
    }
    stage.next.is_served("stalls").await;
    drop((plain, frames));
    stage.next.is_served("stalls that ended").await;
}

#[tokio::test]
#[ignore = "waits for the time limit of a head: 20 s"]
async fn x4_a_slow_head_times_out() {
    let stage = Stage::new().await;
    let mut slow = JoinSet::new();
    for start in [
        "",
        "PRI * HTTP/2.0\r\n\r\n",
        "G",
        "GET /passthrough/next/x HTTP/1.1\r\nHost: a\r\nX: ",
    ] {
        let mut caller = Caller::connect(stage.gateway.address).await;
        caller.write(start).await;
        // A byte now and then doesn't extend the time limit of a head.
        let trickles = start.ends_with("X: ");
        slow.spawn(async move {
            let trickle = async {
                loop {
                    let more = timeout(Duration::from_millis(200), caller.wire.fill()).await;
                    let ended = matches!(more, Ok(false));
                    if ended || (trickles && !caller.wire.try_write(b"x").await) {
                        return;
                    }
                }
            };
            timeout(TOO_SLOW, trickle).await.is_ok()
        });
    }
    stage.next.is_served("slow heads").await;
    while let Some(given_up) = slow.join_next().await {
        assert!(given_up.unwrap(), "the gateway waited too long for a head");
    }
}
