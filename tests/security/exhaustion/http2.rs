//! Floods over HTTP/2.

use std::time::Duration;

use testkit::caller::{get, raw_call};
use testkit::gateway::Setup;
use testkit::h2_frames::{HEADERS, SETTINGS};
use testkit::manual::ManualVendor;
use testkit::wait::within;
use testkit::wire::Wire;

/// Starts an HTTP/2 vendor that runs `misbehave` after the first request, and answers no other request.
async fn h2_flood(misbehave: impl AsyncFnOnce(&mut Wire, [u8; 4])) -> (u16, Option<String>) {
    let vendor = ManualVendor::bind_tls(&["h2"]).await;
    let gateway = Setup::new(&vendor)
        .options(|options| {
            options
                .response_head_timeout(Duration::from_secs(1))
                .idle_timeout(Duration::from_secs(1))
        })
        .start()
        .await;
    let serve = async {
        let mut connection = vendor.accept().await;
        let wire = &mut connection.wire;
        wire.until(b"SM\r\n\r\n").await.unwrap();
        frame(wire, SETTINGS, 0, [0; 4], &[]).await;
        let stream = loop {
            let (head, _) = wire.exactly(9).await;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            wire.exactly(length).await;
            if head[3] == HEADERS {
                break [head[5], head[6], head[7], head[8]];
            }
        };
        misbehave(wire, stream).await;
        connection
    };
    let both = Box::pin(async { tokio::join!(raw_call(gateway.address, get("/p/c/x")), serve) });
    let (response, _connection) = within("an end of the flood", both).await;
    (response.status(), response.error().map(str::to_owned))
}

async fn frame(wire: &mut Wire, kind: u8, flags: u8, stream: [u8; 4], payload: &[u8]) -> bool {
    let length = u32::try_from(payload.len()).unwrap();
    let mut frame = length.to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream);
    frame.extend(payload);
    wire.try_write(&frame).await
}

const CONTINUATION: u8 = 9;

const PING: u8 = 6;

#[tokio::test]
async fn x3_a_flood_of_continuations_ends_the_call() {
    let (status, error) = h2_flood(async |wire, stream| {
        // A head that never ends (CVE-2024-27316): each frame adds a field.
        let mut field = vec![0x10, 5];
        field.extend(b"x-abc");
        field.push(100);
        field.extend([b'y'; 100]);
        let block = field.repeat(100);
        frame(wire, HEADERS, 0, stream, &block).await;
        let mut sent = 0_usize;
        while sent < 1 << 30 && frame(wire, CONTINUATION, 0, stream, &block).await {
            sent += block.len();
        }
        assert!(sent < 1 << 30, "{sent} bytes of a head were read");
    })
    .await;
    assert_eq!((status, error.as_deref()), (502, Some("upstream-protocol")));
}

#[tokio::test]
async fn x3_a_head_over_http2_is_bounded() {
    let (status, error) = h2_flood(async |wire, stream| {
        // `:status: 200`, and then references to fields of the dynamic table: few bytes that mean many fields.
        let mut block = vec![0x88, 0x40, 1, b'x', 127, 0xe1, 0x1e];
        block.extend(vec![b'y'; 4000]);
        block.extend(vec![0xbe; 4000]);
        frame(wire, HEADERS, 5, stream, &block).await;
    })
    .await;
    assert_eq!((status, error.as_deref()), (502, Some("upstream-protocol")));
}

#[tokio::test]
async fn x3_settings_and_pings_without_end_hold_no_memory_and_no_call() {
    for (kind, payload) in [(SETTINGS, &[][..]), (PING, &[0; 8])] {
        let (status, _) = h2_flood(async |wire, _| {
            let flood = async { while frame(wire, kind, 0, [0; 4], payload).await {} };
            // The vendor never reads the gateway's answers, so the gateway must stop reading.
            let _ = tokio::time::timeout(Duration::from_secs(2), flood).await;
        })
        .await;
        assert!(matches!(status, 502 | 504), "{status}");
    }
}
