//! HTTP/2 streams, windows and frames of an upstream's connection.

use testkit::caller::{Caller, get};
use testkit::h2_frames::{DATA, END_HEADERS, HEADERS, encode, fields};
use testkit::h2_script::{CANCEL, FrameConnection, FrameVendor, MAX_CONCURRENT_STREAMS};
use testkit::wait::within;
use tokio::task::JoinSet;

use super::{assert_ok, begin, setup, setup_h2};

#[tokio::test]
async fn x11_calls_that_never_end_leave_streams_for_other_keys() {
    let vendor = FrameVendor::bind().await;
    let gateway = setup_h2(&vendor).start().await;
    let mut calls = JoinSet::new();
    // The first call waits for the connection, and the upstream permits 16 streams.
    begin(&mut calls, gateway.address, "/p/a0/x".into());
    let mut connection = vendor.accept(&[(MAX_CONCURRENT_STREAMS, 16)]).await;
    connection.request().await;
    for _ in 0..40 {
        begin(&mut calls, gateway.address, "/p/a0/x".into());
    }
    // Half of the streams, and the rest waits or goes to further connections.
    for _ in 1..8 {
        connection.request().await;
    }
    connection.no_other().await;
    let mut victims = JoinSet::new();
    begin(&mut victims, gateway.address, "/p/v/x".into());
    let stream = connection.request().await;
    connection.answer(stream, "own").await;
    assert_ok(&victims.join_next().await.unwrap().unwrap(), "own");
}

#[tokio::test]
async fn x11_a_key_without_a_stream_gets_another_connection() {
    let vendor = FrameVendor::bind().await;
    let gateway = setup_h2(&vendor).start().await;
    let mut calls = JoinSet::new();
    let mut held = Vec::new();
    // Four connections are opened for a single key.
    for _ in 0..4 {
        begin(&mut calls, gateway.address, "/p/a0/x".into());
        let mut connection = vendor.accept(&[(MAX_CONCURRENT_STREAMS, 1)]).await;
        connection.request().await;
        held.push(connection);
    }
    begin(&mut calls, gateway.address, "/p/a0/x".into());
    let mut victims = JoinSet::new();
    begin(&mut victims, gateway.address, "/p/v/x".into());
    let mut second = vendor.accept(&[(MAX_CONCURRENT_STREAMS, 1)]).await;
    let stream = second.request().await;
    second.answer(stream, "own").await;
    assert_ok(&victims.join_next().await.unwrap().unwrap(), "own");
    for connection in &mut held {
        connection.no_other().await;
    }
}

#[tokio::test]
async fn x11_calls_beyond_the_share_of_a_key_get_further_connections() {
    let vendor = FrameVendor::bind().await;
    let gateway = setup_h2(&vendor).start().await;
    let mut calls = JoinSet::new();
    let mut held = Vec::new();
    // A key has 32 streams on each connection, and its further calls don't wait for their end.
    for _ in 0..4 {
        begin(&mut calls, gateway.address, "/p/a0/x".into());
        let mut connection = vendor.accept(&[(MAX_CONCURRENT_STREAMS, 100)]).await;
        connection.request().await;
        for _ in 1..32 {
            begin(&mut calls, gateway.address, "/p/a0/x".into());
            connection.request().await;
        }
        held.push(connection);
    }
    // Beyond four connections, they wait.
    begin(&mut calls, gateway.address, "/p/a0/x".into());
    vendor.0.no_other().await;
    for connection in &mut held {
        connection.no_other().await;
    }
    let mut victims = JoinSet::new();
    begin(&mut victims, gateway.address, "/p/v/x".into());
    let stream = held[0].request().await;
    held[0].answer(stream, "own").await;
    assert_ok(&victims.join_next().await.unwrap().unwrap(), "own");
}

#[tokio::test]
async fn x11_waiting_calls_are_served_in_rounds() {
    let vendor = FrameVendor::bind_tls().await;
    let gateway = setup(&vendor)
        .transport(|transport| {
            transport
                .http2_max_connections_per_host(1)
                .max_waiting_per_host(20)
        })
        .start()
        .await;
    // All wait for the first connection, whose TLS handshake the upstream holds back.
    let mut attackers = JoinSet::new();
    for _ in 0..40 {
        begin(&mut attackers, gateway.address, "/p/a0/x".into());
    }
    // The line is full, so the surplus is refused.
    for _ in 0..20 {
        let refused = attackers.join_next().await.unwrap().unwrap();
        assert_eq!(refused.error(), Some("overloaded"), "{refused:?}");
    }
    let mut victims = JoinSet::new();
    begin(&mut victims, gateway.address, "/p/v/x".into());
    // The victim's call takes the place of the attacker's last.
    let refused = attackers.join_next().await.unwrap().unwrap();
    assert_eq!(refused.error(), Some("overloaded"), "{refused:?}");
    let mut connection = vendor.accept(&[(MAX_CONCURRENT_STREAMS, 4)]).await;
    // It's among the first two.
    for _ in 0..2 {
        let stream = connection.request().await;
        connection.answer(stream, "own").await;
    }
    assert_ok(&victims.join_next().await.unwrap().unwrap(), "own");
}

/// Returns an HTTP/2 connection of the gateway on which four keys have so many calls that their callers don't read, and the callers.
async fn stalled(
    vendor: &FrameVendor,
    gateway: std::net::SocketAddr,
    calls: usize,
) -> (FrameConnection, Vec<Caller>) {
    let mut callers = Vec::new();
    let mut connection = None;
    for nth in 0..calls {
        let mut caller = Caller::connect(gateway).await;
        caller.write(get(&format!("/p/a{}/long", nth % 4))).await;
        callers.push(caller);
        if connection.is_none() {
            connection = Some(vendor.accept(&[(MAX_CONCURRENT_STREAMS, 1000)]).await);
        }
        let connection = connection.as_mut().unwrap();
        let stream = connection.request().await;
        connection.begin(stream).await;
    }
    (connection.unwrap(), callers)
}

#[tokio::test]
async fn x13_stalled_downloads_of_many_keys_leave_window_for_others() {
    let vendor = FrameVendor::bind().await;
    let gateway = setup_h2(&vendor).start().await;
    let (mut connection, callers) = stalled(&vendor, gateway.address, 76).await;
    // Each stream has used up its window.
    let piece = "x".repeat(16_000);
    for nth in 0..76 {
        for _ in 0..16 {
            connection.data(2 * nth + 1, &piece, false).await;
        }
    }
    connection.ping().await;
    let mut victim = Caller::connect(gateway.address).await;
    victim.write(get("/p/v/long")).await;
    let stream = connection.request().await;
    let own = "y".repeat(10_000);
    connection.begin(stream).await;
    for nth in 0..10 {
        connection.data(stream, &own, nth == 9).await;
    }
    let answer = victim.response("GET").await;
    assert_eq!(answer.text().len(), 100_000);
    drop(callers);
}

#[tokio::test]
async fn x13_tiny_frames_that_nobody_reads_cost_only_their_stream() {
    let vendor = FrameVendor::bind().await;
    let gateway = setup_h2(&vendor).start().await;
    let (mut connection, mut callers) = stalled(&vendor, gateway.address, 2).await;
    // More than the gateway's and the caller's sockets hold, then tokens of a byte each: far more of them than h2 takes unread.
    let piece = "x".repeat(16_000);
    for stream in [1, 3] {
        for _ in 0..6 {
            connection.data(stream, &piece, false).await;
        }
        let tokens = encode(DATA, 0, stream, b"t").repeat(1000);
        for _ in 0..100 {
            connection.wire.write(&tokens).await;
        }
        connection.ping().await;
    }
    let mut victims = JoinSet::new();
    begin(&mut victims, gateway.address, "/p/v/x".into());
    let stream = connection.request().await;
    connection.answer(stream, "own").await;
    assert_ok(&victims.join_next().await.unwrap().unwrap(), "own");
    // The slow caller loses nothing.
    connection.data(1, "end", true).await;
    let answer = callers[0].response("GET").await;
    assert_eq!(answer.text().len(), 6 * 16_000 + 100_000 + 3);
    assert!(answer.text().ends_with("tttend"), "the end is missing");
}

#[tokio::test]
async fn x13_empty_frames_end_no_connection() {
    let vendor = FrameVendor::bind().await;
    let gateway = setup_h2(&vendor).start().await;
    let (mut connection, mut callers) = stalled(&vendor, gateway.address, 1).await;
    for nth in 0..1000 {
        connection.data(1, "", false).await;
        if nth % 100 == 0 {
            connection.data(1, "x", false).await;
        }
    }
    connection.data(1, "", true).await;
    assert_ok(&callers[0].response("GET").await, "xxxxxxxxxx");
    let mut victims = JoinSet::new();
    begin(&mut victims, gateway.address, "/p/v/x".into());
    let stream = connection.request().await;
    connection.answer(stream, "own").await;
    assert_ok(&victims.join_next().await.unwrap().unwrap(), "own");
}

#[tokio::test]
async fn x13_an_upload_that_waits_for_its_caller_reserves_no_window() {
    let vendor = FrameVendor::bind().await;
    let gateway = setup_h2(&vendor).start().await;
    let mut uploads = Vec::new();
    let mut connection = None;
    // The window of a connection towards an upstream is 65,535 bytes by default. Two uploads leave a byte of it.
    for nth in 0..8 {
        let mut caller = Caller::connect(gateway.address).await;
        let head =
            format!("POST /p/a{nth}/x HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
        caller.write(head).await;
        uploads.push(caller);
        if connection.is_none() {
            connection = Some(vendor.accept(&[]).await);
        }
        connection.as_mut().unwrap().request().await;
    }
    let mut connection = connection.unwrap();
    uploads[0].write("x".repeat(65_534)).await;
    let mut received = 0;
    while received < 65_534 {
        let frame = connection.next().await.unwrap();
        assert_eq!((frame.kind, frame.stream), (DATA, 1), "{frame:?}");
        received += frame.payload.len();
    }
    let mut victim = Caller::connect(gateway.address).await;
    victim
        .write("POST /p/v/x HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\ny")
        .await;
    let stream = connection.request().await;
    let body = within("the victim's byte", connection.body(stream)).await;
    assert_eq!(body, b"y");
    connection.answer(stream, "own").await;
    assert_ok(&victim.response("POST").await, "own");
}

#[tokio::test]
async fn x8_interim_responses_without_end_are_read_no_more_over_http2() {
    let vendor = FrameVendor::bind().await;
    let gateway = setup_h2(&vendor).start().await;
    let mut calls = JoinSet::new();
    begin(&mut calls, gateway.address, "/p/a0/x".into());
    let mut connection = vendor.accept(&[]).await;
    let stream = connection.request().await;
    let interim = encode(
        HEADERS,
        END_HEADERS,
        stream,
        &fields(&[(b":status", b"102")]),
    );
    for _ in 0..50 {
        connection.wire.write(&interim.repeat(20)).await;
    }
    // Long before the timeout of the head.
    assert_eq!(connection.reset_of(stream).await, CANCEL);
    assert!(calls.try_join_next().is_none(), "there is no response");
    calls.abort_all();
    let _ = calls.join_next().await;
    begin(&mut calls, gateway.address, "/p/v/x".into());
    let stream = connection.request().await;
    connection.answer(stream, "own").await;
    assert_ok(&calls.join_next().await.unwrap().unwrap(), "own");
}
