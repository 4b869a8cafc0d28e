//! The host application's limits: the calls that count as concurrent.

use tokio::sync::mpsc::{self, UnboundedReceiver};
use tower_passthrough::observe::CallReport;

use testkit::caller::{Caller, get, raw_call, request};
use testkit::gateway::{Gateway, Setup};
use testkit::h2_caller::{self, H2Caller};
use testkit::manual::{ManualVendor, VendorConnection};
use testkit::wait::within;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const PART: &str = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";

/// A gateway that allows one call at a time, and reports each call that has ended.
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

    /// Makes a call that waits at the vendor.
    async fn held(&self) -> (Caller, VendorConnection) {
        let mut caller = Caller::connect(self.gateway.address).await;
        caller.write(get("/p/c/x")).await;
        let mut connection = self.vendor.accept().await;
        connection.head().await;
        (caller, connection)
    }

    /// Checks that another call is refused.
    async fn is_full(&mut self) {
        let answer = raw_call(self.gateway.address, get("/p/c/x")).await;
        assert_eq!((answer.status(), answer.error()), (503, Some("overloaded")));
        self.has_ended().await;
    }

    /// Waits for the next call that ends.
    async fn has_ended(&mut self) {
        within("the end of a call", self.ended.recv()).await;
    }

    /// Checks that another call succeeds and ends.
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
async fn e1_a_call_counts_until_its_body_ends() {
    let mut one = OneAtOnce::start().await;
    let (mut caller, mut connection) = one.held().await;
    one.is_full().await;
    connection.write(PART).await;
    assert_eq!(caller.head().await.status(), 200);
    one.is_full().await;
    connection.write("world").await;
    let whole = within("the body", caller.wire.until(b"helloworld")).await;
    assert!(whole.is_some());
    // When the caller has the last byte, the place of the call is free.
    connection.reset();
    one.has_room().await;
}

#[tokio::test]
async fn e1_a_caller_that_leaves_frees_its_place() {
    let mut one = OneAtOnce::start().await;
    // The caller leaves before the head.
    let (caller, mut connection) = one.held().await;
    drop(caller);
    connection.closed().await;
    one.has_ended().await;
    one.has_room().await;

    // The caller leaves during the body.
    let (mut caller, mut connection) = one.held().await;
    connection.write(PART).await;
    assert_eq!(caller.head().await.status(), 200);
    drop(caller);
    connection.closed().await;
    one.has_ended().await;
    one.has_room().await;

    // The caller resets its HTTP/2 stream, and keeps the connection.
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
async fn e1_a_vendor_that_breaks_off_frees_the_place() {
    let mut one = OneAtOnce::start().await;
    // The vendor breaks off before the head.
    let (mut caller, connection) = one.held().await;
    connection.reset();
    assert_eq!(caller.response("GET").await.status(), 502);
    one.has_ended().await;
    one.has_room().await;

    // The vendor breaks off during the body.
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
        // The caller doesn't read the answer to its end.
        let mut caller = Caller::connect(one.gateway.address).await;
        caller.write(get(target)).await;
        assert_eq!(caller.head().await.status(), status, "{target}");
        one.has_ended().await;
        one.has_room().await;
    }
}

/// A caller that may not use a connection can't learn that the connection is in use.
#[tokio::test]
async fn e1_an_unknown_id_is_unknown_while_the_limit_is_reached() {
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

/// The gateway doesn't ask for an upload that it refuses because of the limit.
#[tokio::test]
async fn h18_a_caller_over_the_limit_gets_no_100() {
    let mut one = OneAtOnce::start().await;
    let (_caller, _connection) = one.held().await;
    let lines = ["Content-Length: 5", "Expect: 100-continue"];
    let upload = request("POST", "/p/c/x", &lines, "");
    let answer = raw_call(one.gateway.address, upload).await;
    assert_eq!((answer.status(), answer.error()), (503, Some("overloaded")));
    assert!(answer.interim.is_empty());
    one.has_ended().await;
}
