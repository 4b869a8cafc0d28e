//! The host's own limits: what counts as a call under way.

use tokio::sync::mpsc::{self, UnboundedReceiver};
use tower_passthrough::observe::CallReport;

use testkit::caller::{Caller, get, raw_call, request};
use testkit::gateway::{Gateway, Setup};
use testkit::h2_caller::{self, H2Caller};
use testkit::manual::{ManualVendor, VendorConnection};
use testkit::wait::within;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const PART: &str = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";

/// A gateway that lets one call through at once, and tells of each that has ended.
struct OneAtOnce {
    vendor: ManualVendor,
    gateway: Gateway,
    ended: UnboundedReceiver<()>,
}

impl OneAtOnce {
    async fn start() -> Self {
        let vendor = ManualVendor::bind().await;
        let (sender, ended) = mpsc::unbounded_channel();
        let gateway = Setup::new(&vendor)
            .options(move |options| {
                options
                    .in_flight_limit(1)
                    .in_flight_per_connection_key(1)
                    .observe_fn(move |_: &CallReport<'_>| {
                        let _ = sender.send(());
                    })
            })
            .start()
            .await;
        Self {
            vendor,
            gateway,
            ended,
        }
    }

    /// A call that waits at the vendor.
    async fn held(&self) -> (Caller, VendorConnection) {
        let mut caller = Caller::connect(self.gateway.address).await;
        caller.write(get("/p/c/x")).await;
        let mut connection = self.vendor.accept().await;
        connection.head().await;
        (caller, connection)
    }

    /// Another call is refused.
    async fn is_full(&mut self) {
        let answer = raw_call(self.gateway.address, get("/p/c/x")).await;
        assert_eq!((answer.status(), answer.error()), (503, Some("overloaded")));
        self.has_ended().await;
    }

    /// The next call that ends.
    async fn has_ended(&mut self) {
        within("the end of a call", self.ended.recv()).await;
    }

    /// Another call goes through, and ends.
    async fn has_room(&mut self) {
        let (mut caller, mut connection) = self.held().await;
        self.is_full().await;
        connection.write(OK).await;
        assert_eq!(caller.response("GET").await.text(), "ok");
        self.has_ended().await;
        connection.reset();
    }
}

#[tokio::test]
async fn e1_a_call_is_under_way_until_its_body_ends() {
    let mut one = OneAtOnce::start().await;
    let (mut caller, mut connection) = one.held().await;
    one.is_full().await;
    connection.write(PART).await;
    assert_eq!(caller.head().await.status(), 200);
    one.is_full().await;
    connection.write("world").await;
    let whole = within("the body", caller.wire.until(b"helloworld")).await;
    assert!(whole.is_some());
    // The caller has the last byte: its place is free by now.
    connection.reset();
    one.has_room().await;
}

#[tokio::test]
async fn e1_a_caller_that_leaves_gives_its_place_back() {
    let mut one = OneAtOnce::start().await;
    // Before the head.
    let (caller, mut connection) = one.held().await;
    drop(caller);
    connection.closed().await;
    one.has_ended().await;
    one.has_room().await;

    // In the body.
    let (mut caller, mut connection) = one.held().await;
    connection.write(PART).await;
    assert_eq!(caller.head().await.status(), 200);
    drop(caller);
    connection.closed().await;
    one.has_ended().await;
    one.has_room().await;

    // A stream of HTTP/2 whose connection stays.
    let mut caller = H2Caller::connect(one.gateway.address).await;
    let call = h2_caller::request("GET", "/p/c/x").body(()).unwrap();
    let call = caller.open(call, true).await;
    let mut connection = one.vendor.accept().await;
    connection.head().await;
    drop(call);
    connection.closed().await;
    one.has_ended().await;
    one.has_room().await;
}

#[tokio::test]
async fn e1_a_vendor_that_breaks_off_gives_the_place_back() {
    let mut one = OneAtOnce::start().await;
    // Before the head.
    let (mut caller, connection) = one.held().await;
    connection.reset();
    assert_eq!(caller.response("GET").await.status(), 502);
    one.has_ended().await;
    one.has_room().await;

    // In the body.
    let (mut caller, mut connection) = one.held().await;
    connection.write(PART).await;
    assert_eq!(caller.head().await.status(), 200);
    connection.reset();
    caller.closed().await;
    one.has_ended().await;
    one.has_room().await;
}

#[tokio::test]
async fn e1_a_refused_call_takes_no_place() {
    let mut one = OneAtOnce::start().await;
    for (target, status) in [
        ("/p/nobody/x", 404),
        ("/p/c/x?__domain=evil.test", 403),
        ("/p/c/../x", 400),
    ] {
        // Its answer isn't read to the end.
        let mut caller = Caller::connect(one.gateway.address).await;
        caller.write(get(target)).await;
        assert_eq!(caller.head().await.status(), status, "{target}");
        one.has_ended().await;
        one.has_room().await;
    }
}

/// Whoever may not know of a connection can't learn that it's busy.
#[tokio::test]
async fn e1_an_unknown_id_is_unknown_while_others_are_at_their_limit() {
    let vendor = ManualVendor::bind().await;
    let gateway = Setup::new(&vendor)
        .options(|options| options.in_flight_per_connection_key(0))
        .start()
        .await;
    let answer = raw_call(gateway.address, get("/p/nobody/x")).await;
    assert_eq!(
        (answer.status(), answer.error()),
        (404, Some("unknown-connection"))
    );
    let answer = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!((answer.status(), answer.error()), (503, Some("overloaded")));
    vendor.no_other().await;
}

/// An upload that is refused for want of a place isn't asked for.
#[tokio::test]
async fn h18_a_caller_without_a_place_is_not_told_to_go_on() {
    let mut one = OneAtOnce::start().await;
    let (_caller, _connection) = one.held().await;
    let lines = ["Content-Length: 5", "Expect: 100-continue"];
    let upload = request("POST", "/p/c/x", &lines, "");
    let answer = raw_call(one.gateway.address, upload).await;
    assert_eq!((answer.status(), answer.error()), (503, Some("overloaded")));
    assert!(answer.interim.is_empty());
    one.has_ended().await;
}
