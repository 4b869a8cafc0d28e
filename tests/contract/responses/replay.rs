//! A streamed body is sent once more after a vendor's 401, if the gateway has kept a copy.

use std::net::SocketAddr;

use tokio::sync::mpsc;
use tower_passthrough::authorize::AuthorizeFn;
use tower_passthrough::{
    CallContext, ConnectionId, HttpTransport, Integrations, PassthroughBuilder, PassthroughService,
};

use super::renewal::{Stale, UNAUTHORIZED, strict};
use testkit::caller::{Caller, post, raw_call, request};
use testkit::gateway::{Gateway, Setup, bind};
use testkit::manual::{ManualVendor, VendorConnection};
use testkit::vendor::Vendor;
use testkit::wait::within;

/// A 401 after which the network connection is closed.
const CLOSING: &str = "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

type Everyone = AuthorizeFn<fn(&ConnectionId, CallContext<'_>) -> bool, bool>;
type Builder = PassthroughBuilder<Stale, Integrations, HttpTransport, Everyone>;

/// A gateway whose credential is stale.
struct Replaying {
    gateway: Gateway,
    renewals: mpsc::UnboundedReceiver<()>,
}

impl Replaying {
    async fn before(mut setup: Setup, options: impl FnOnce(Builder) -> Builder) -> Self {
        let (store, renewals) = Stale::before("fresh");
        let listener = bind().await;
        let transport = setup.build_transport(listener.local_addr().unwrap());
        let integrations = Integrations::new().with("vendor", setup.build_upstream());
        let everyone: fn(&ConnectionId, CallContext<'_>) -> bool = |_, _| true;
        let builder = PassthroughService::builder(store, integrations)
            .authorize_fn(everyone)
            .caller_credentials([])
            .transport(transport)
            .prefix("/p")
            .unwrap();
        Self {
            gateway: Gateway::serve(listener, options(builder).build()),
            renewals,
        }
    }

    fn address(&self) -> SocketAddr {
        self.gateway.address
    }

    /// Fails unless the 401 of that call is returned and the credential is refreshed.
    async fn gives_up(&mut self, vendor: &Vendor, sent: &str) {
        let response = raw_call(self.address(), sent).await;
        assert_eq!(
            (response.status(), response.text()),
            (401, "stale".to_owned())
        );
        within("a refresh", self.renewals.recv()).await.unwrap();
        vendor.next().await;
        assert!(vendor.try_next().await.is_none(), "a replay");
    }
}

fn chunked(chunks: &[&str], trailers: &str) -> String {
    let chunks = chunks
        .iter()
        .map(|chunk| format!("{:x}\r\n{chunk}\r\n", chunk.len()));
    let body = format!("{}0\r\n{trailers}\r\n", chunks.collect::<String>());
    let lines = ["Transfer-Encoding: chunked", "Trailer: X-End"];
    request("POST", "/p/c/x?a=1", &lines, &body)
}

#[tokio::test]
async fn r6_a_buffered_body_is_replayed_unchanged() {
    let vendor = strict().await;
    let replaying = Replaying::before(Setup::new(&vendor), |options| options).await;
    let most = "x".repeat(64 << 10);
    for (sent, body) in [
        (post("/p/c/x", "hello"), "hello"),
        (chunked(&["he", "llo"], ""), "hello"),
        (chunked(&["he", "llo"], "X-End: 1\r\n"), "hello"),
        (post("/p/c/x", &most), most.as_str()),
    ] {
        let response = raw_call(replaying.address(), sent).await;
        assert_eq!((response.status(), response.text()), (200, "ok".to_owned()));
        let (first, second) = (vendor.next().await, vendor.next().await);
        assert_eq!(first.head.value("authorization"), Some("Bearer stale"));
        assert_eq!(second.head.values("authorization"), ["Bearer fresh"]);
        assert_eq!(first.head.start, second.head.start);
        assert_eq!(first.head.names(), second.head.names());
        assert_eq!(first.body.data, body.as_bytes());
        assert_eq!(second.body.data, body.as_bytes());
        assert_eq!(first.body.trailers, second.body.trailers);
    }
    assert!(vendor.try_next().await.is_none());
}

#[tokio::test]
async fn r6_a_body_over_the_limit_is_not_replayed_but_the_credential_is_refreshed() {
    let vendor = strict().await;
    let large = "x".repeat((64 << 10) + 1);
    let mut replaying = Replaying::before(Setup::new(&vendor), |options| options).await;
    for sent in [post("/p/c/x", &large), chunked(&[&large], "")] {
        replaying.gives_up(&vendor, &sent).await;
    }
    let mut none = Replaying::before(Setup::new(&vendor), |options| options.replay_limit(0)).await;
    none.gives_up(&vendor, &post("/p/c/x", "h")).await;
}

#[tokio::test]
async fn r6_a_body_that_has_not_ended_is_not_replayed() {
    let vendor = ManualVendor::bind().await;
    let replaying = Replaying::before(Setup::new(&vendor), |options| options).await;
    let mut caller = Caller::connect(replaying.address()).await;
    let lines = ["Content-Length: 5"];
    caller.write(request("POST", "/p/c/x", &lines, "hel")).await;
    let mut connection = vendor.accept().await;
    connection.head().await;
    assert_eq!(within("a part", connection.wire.exactly(3)).await.0, b"hel");
    connection.write(UNAUTHORIZED).await;
    let response = caller.response("POST").await;
    assert_eq!(
        (response.status(), response.text()),
        (401, "stale".to_owned())
    );
    vendor.no_other().await;
}

#[tokio::test]
async fn r6_a_body_is_kept_only_until_the_head_of_the_answer() {
    let vendor = ManualVendor::bind().await;
    let setup = Setup::new(&vendor);
    let replaying = Replaying::before(setup, |options| options.buffered_bodies_limit(2000)).await;
    let body = "x".repeat(600);
    let (mut one, mut ones) = hold(replaying.address(), &vendor, &body).await;
    ones.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")
        .await;
    one.head().await;

    // The answer of the call continues, and other calls have room for their bodies.
    let (mut other, mut others) = hold(replaying.address(), &vendor, &body).await;
    others.write(CLOSING).await;
    let mut again = vendor.accept().await;
    assert_eq!(again.request().await.body.data, body.as_bytes());
    again
        .write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        .await;
    assert_eq!(other.response("POST").await.status(), 200);
}

/// Makes a call whose body is kept, and that the vendor doesn't answer yet.
async fn hold(
    gateway: SocketAddr,
    vendor: &ManualVendor,
    body: &str,
) -> (Caller, VendorConnection) {
    let mut caller = Caller::connect(gateway).await;
    caller.write(post("/p/c/x", body)).await;
    let mut connection = vendor.accept().await;
    assert_eq!(connection.request().await.body.data, body.as_bytes());
    (caller, connection)
}

#[tokio::test]
async fn r6_a_call_without_room_for_its_body_is_not_replayed() {
    let vendor = ManualVendor::bind().await;
    let setup = Setup::new(&vendor);
    let replaying = Replaying::before(setup, |options| options.buffered_bodies_limit(2000)).await;
    let (kept, passed) = ("x".repeat(600), "y".repeat(600));
    let (mut one, mut ones) = hold(replaying.address(), &vendor, &kept).await;
    let (mut other, mut others) = hold(replaying.address(), &vendor, &passed).await;
    others.write(CLOSING).await;
    assert_eq!(other.response("POST").await.status(), 401);
    ones.write(CLOSING).await;
    let mut again = vendor.accept().await;
    assert_eq!(again.request().await.body.data, kept.as_bytes());
    again
        .write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        .await;
    assert_eq!(one.response("POST").await.status(), 200);

    // The room is free again.
    let (mut later, mut laters) = hold(replaying.address(), &vendor, &passed).await;
    laters.write(CLOSING).await;
    let mut again = vendor.accept().await;
    assert_eq!(again.request().await.body.data, passed.as_bytes());
    again
        .write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        .await;
    assert_eq!(later.response("POST").await.status(), 200);
}
