//! The calls of one connection key, and the room for other connection keys.

use tokio::task::JoinSet;
use tower_passthrough::Connection;

use testkit::caller::{Caller, get, raw_call};
use testkit::gateway::{Setup, TOKEN};
use testkit::reply::Reply;
use testkit::vendor::Vendor;
use testkit::wait::Signal;

#[tokio::test]
async fn x4_a_connection_key_at_its_limit_hinders_no_other() {
    const LIMIT: usize = 4;
    let signal = Signal::new();
    let until = signal.clone();
    let vendor = Vendor::replying(move |received| match received.target() {
        "/held" => Reply::default()
            .until(&until)
            .then("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nheld"),
        _ => Reply::ok("ok"),
    })
    .await;
    let gateway = Setup::new(&vendor)
        .also(
            "other",
            Connection::new("vendor").with_secret("token", TOKEN),
        )
        .options(|options| {
            options
                .in_flight_limit(2 * LIMIT)
                .in_flight_per_connection_key(LIMIT)
        })
        .start()
        .await;
    let mut held = JoinSet::new();
    for _ in 0..LIMIT {
        held.spawn(raw_call(gateway.address, get("/p/c/held")));
        vendor.next().await;
    }
    for _ in 0..50 {
        let answer = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!((answer.status(), answer.error()), (503, Some("overloaded")));
        let answer = raw_call(gateway.address, get("/p/other/x")).await;
        assert_eq!((answer.status(), answer.text().as_str()), (200, "ok"));
    }
    signal.give();
    while let Some(answer) = held.join_next().await {
        assert_eq!(answer.unwrap().text(), "held");
    }
    // When the caller has the last byte, its place is free, so the next call succeeds at once.
    let mut caller = Caller::connect(gateway.address).await;
    for _ in 0..50 {
        assert_eq!(caller.call(get("/p/c/x")).await.status(), 200);
        assert_eq!(raw_call(gateway.address, get("/p/c/x")).await.status(), 200);
    }
}

/// Unknown ids, and known ids without a call in progress, use no place, whatever their number is.
#[tokio::test]
async fn x2_thousands_of_ids_leave_room_for_the_next_call() {
    let vendor = Vendor::ok().await;
    let mut setup = Setup::new(&vendor)
        .options(|options| options.in_flight_limit(1).in_flight_per_connection_key(1));
    for nth in 0..1_000 {
        let connection = Connection::new("vendor").with_secret("token", TOKEN);
        setup = setup.also(&format!("known-{nth}"), connection);
    }
    let gateway = setup.start().await;
    let mut caller = Caller::connect(gateway.address).await;
    for nth in 0..1_000 {
        let known = caller.call(get(&format!("/p/known-{nth}/x"))).await;
        assert_eq!(known.status(), 200, "{nth}");
        let unknown = caller.call(get(&format!("/p/unknown-{nth}/x"))).await;
        assert_eq!(unknown.status(), 404, "{nth}");
    }
}
