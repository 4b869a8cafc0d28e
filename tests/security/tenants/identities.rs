//! Client certificates: the owners of connections and TLS sessions, and the time at which these are gone.

use std::time::Duration;

use rustls::HandshakeKind;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{advance, pause, resume};
use tower_passthrough::auth::AuthScheme;
use tower_passthrough::authorize::AuthorizeFn;
use tower_passthrough::resilience::RetryPolicy;
use tower_passthrough::{
    CallContext, Connection, ConnectionId, Integrations, MemoryStore, PassthroughService, Upstream,
    auth,
};

use testkit::binding::Binding;
use testkit::caller::{Caller, get, raw_call};
use testkit::gateway::{Gateway, Origin as _, Setup, bind};
use testkit::h2_caller::{self, H2Caller};
use testkit::identities::Authority;
use testkit::mtls_vendor::{MtlsVendor, Shaken, Terms};
use testkit::wait::within;

const HTTP1: &[&str] = &["http/1.1"];
const HTTP2: &[&str] = &["h2"];

fn everyone(_: &ConnectionId, _: CallContext<'_>) -> bool {
    true
}

fn id(text: &str) -> ConnectionId {
    ConnectionId::try_from(text).unwrap()
}

/// Starts a gateway with the connections `one` and `two`, which have certificates of those names, and with `none`,
/// which has a bearer token, at one vendor.
async fn three(authority: &Authority, vendor: &MtlsVendor) -> Gateway {
    let listener = bind().await;
    let transport = Setup::new(vendor).build_transport(listener.local_addr().unwrap());
    let origin = vendor.origin();
    let upstream = || Upstream::new(&origin).unwrap();
    let integrations = Integrations::new()
        .with("vendor", upstream().auth(auth::Mtls))
        .with("bearer", upstream().auth(auth::Bearer));
    // A certificate in a connection with a bearer token is never presented.
    let certificate = authority.certify("unused").certificate;
    let bearer = Connection::new("bearer").with_secret("token", "t");
    let store = MemoryStore::from_iter([
        ("one", authority.certify("one").connection()),
        ("two", authority.certify("two").connection()),
        ("none", bearer.with_secret("certificate", certificate)),
    ]);
    let service = PassthroughService::builder(store, integrations)
        .authorize_fn(everyone)
        .caller_credentials([])
        .transport(transport)
        .prefix("/p")
        .unwrap()
        .build();
    Gateway::serve(listener, service)
}

/// Returns the subject that the vendor sees for that connection.
fn seen_as(name: &str) -> &str {
    match name {
        "none" => "nobody",
        name => name,
    }
}

#[tokio::test]
async fn t7_each_identity_has_separate_connections() {
    for alpn in [HTTP1, HTTP2] {
        let authority = Authority::new();
        let vendor = MtlsVendor::start(&Terms::new(authority.verifier(false), alpn)).await;
        let gateway = three(&authority, &vendor).await;
        let mut caller = Caller::connect(gateway.address).await;
        for _ in 0..3 {
            for name in ["one", "two", "none"] {
                let answer = caller.call(get(&format!("/p/{name}/x"))).await;
                let text = answer.text();
                assert!(text.starts_with(&format!("{} /x", seen_as(name))), "{text}");
            }
        }
        assert_eq!(vendor.connections().await, 3);
    }
}

#[tokio::test]
async fn t12_a_session_is_resumed_only_by_its_own_identity() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let authority = Authority::new();
        let mut terms = Terms::new(authority.verifier(false), HTTP1);
        terms.versions = vec![version];
        let vendor = MtlsVendor::start(&terms).await;
        let gateway = three(&authority, &vendor).await;
        for _ in 0..4 {
            for name in ["one", "two", "none"] {
                let answer = raw_call(gateway.address, get(&format!("/p/{name}/close"))).await;
                let text = answer.text();
                assert!(text.starts_with(&format!("{} /", seen_as(name))), "{text}");
            }
        }
        let shaken = vendor.shaken();
        assert_eq!(shaken.len(), 12);
        for subject in ["one", "two", "nobody"] {
            let own = shaken.iter().filter(|shaken| shaken.subject == subject);
            let kinds: Vec<_> = own.map(|shaken| shaken.kind).collect();
            let (full, resumed) = (HandshakeKind::Full, HandshakeKind::Resumed);
            assert_eq!(kinds, [full, resumed, resumed, resumed], "{subject}");
        }
    }
}

/// Returns a vendor, and a gateway that keeps connections for a short time.
async fn briefly(alpn: &'static [&'static str], store: &MemoryStore) -> (MtlsVendor, Gateway) {
    let authority = AUTHORITY.with(|authority| authority.verifier(true));
    let vendor = MtlsVendor::start(&Terms::new(authority, alpn)).await;
    let gateway = Setup::new(&vendor)
        .upstream(|upstream| upstream.auth(auth::Mtls))
        .transport(|transport| transport.pool_idle_timeout(Duration::from_millis(100)));
    let gateway = gateway
        .start_with(store.clone(), AuthorizeFn::new(everyone))
        .await;
    (vendor, gateway)
}

thread_local! {
    static AUTHORITY: Authority = Authority::new();
}

fn certified(name: &str) -> Connection {
    AUTHORITY.with(|authority| authority.certify(name).connection())
}

#[tokio::test]
async fn t13_sockets_and_sessions_of_a_removed_identity_are_closed() {
    for alpn in [HTTP1, HTTP2] {
        let connection = certified("gone");
        let store = MemoryStore::from_iter([("c", connection.clone())]);
        let (vendor, gateway) = briefly(alpn, &store).await;
        let mut caller = Caller::connect(gateway.address).await;
        let answer = caller.call(get("/p/c/x")).await;
        assert_eq!(answer.text(), "gone /x : ");
        assert!(store.remove_now("c"));
        let answer = caller.call(get("/p/c/x")).await;
        assert_eq!(answer.error(), Some("unknown-connection"));
        vendor.all_closed().await;
        // The identity comes back, and has no session that could be resumed.
        store.insert_now(id("c"), connection);
        assert_eq!(caller.call(get("/p/c/x")).await.text(), "gone /x : ");
        let full = Shaken {
            subject: "gone".to_owned(),
            kind: HandshakeKind::Full,
        };
        assert_eq!(vendor.shaken(), [full.clone(), full]);
    }
}

#[tokio::test]
async fn t13_a_changed_identity_counts_for_the_next_call_during_a_stream() {
    let store = MemoryStore::from_iter([("c", certified("old"))]);
    let (vendor, gateway) = briefly(HTTP2, &store).await;
    let mut caller = H2Caller::connect(gateway.address).await;
    let upload = h2_caller::request("POST", "/p/c/upload").body(()).unwrap();
    let (response, mut upload) = caller.open(upload, false).await;
    upload.send_data("begun, ".into(), false).unwrap();
    // A call is in progress, and another call shares its connection.
    let shared = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!(
        (shared.text().as_str(), vendor.shaken().len()),
        ("old /x : ", 1)
    );

    store.insert_now(id("c"), certified("new"));
    let answer = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!(answer.text(), "new /x : ");
    upload.send_data("and ended".into(), true).unwrap();
    let answer = h2_caller::whole(response).await;
    assert_eq!(answer.body, b"old /upload : begun, and ended");
    assert_eq!(vendor.shaken().len(), 2);
    vendor.all_closed().await;
}

/// Lets a little more than half a minute pass on the paused clock.
async fn wait_for_a_check() {
    pause();
    advance(Duration::from_secs(31)).await;
    resume();
}

#[tokio::test]
async fn t13_the_tunnel_of_a_changed_identity_ends() {
    a_tunnel_lives_as_long_as_its_identity(auth::Mtls, false).await;
}

#[tokio::test]
async fn t13_the_tunnel_of_a_changed_identity_ends_with_retries() {
    a_tunnel_lives_as_long_as_its_identity(auth::Mtls, true).await;
}

#[tokio::test]
async fn t13_the_tunnel_of_a_changed_identity_ends_with_a_signing_scheme() {
    let signing = auth::SigV4::new("execute-api", "eu-central-1").unwrap();
    a_tunnel_lives_as_long_as_its_identity((auth::Mtls, signing), false).await;
}

#[tokio::test]
async fn t13_the_tunnel_of_a_changed_identity_ends_with_a_binding_scheme() {
    a_tunnel_lives_as_long_as_its_identity((auth::Mtls, Binding), false).await;
}

async fn a_tunnel_lives_as_long_as_its_identity(scheme: impl AuthScheme + 'static, retries: bool) {
    let of = |name: &str| {
        let connection = certified(name).with_secret("access_key_id", "AKIDEXAMPLE");
        connection.with_secret("secret_access_key", "s3cr3t")
    };
    let verifier = AUTHORITY.with(|authority| authority.verifier(true));
    let tls = Terms::new(verifier, HTTP1).acceptor();
    let listener = bind().await;
    let port = listener.local_addr().unwrap().port();
    let origin = format!("https://vendor.test:{port}");
    let old = of("old");
    let store = MemoryStore::from_iter([("c", old.clone())]);
    let gateway = bind().await;
    let mut setup = Setup::new(&*origin).upstream(|upstream| upstream.auth(scheme));
    let transport = setup.build_transport(gateway.local_addr().unwrap());
    let integrations = Integrations::new().with("vendor", setup.build_upstream());
    let mut builder = PassthroughService::builder(store.clone(), integrations)
        .authorize_fn(everyone)
        .caller_credentials([])
        .transport(transport);
    if retries {
        builder = builder.retry(RetryPolicy::new(2));
    }
    let gateway = Gateway::serve(gateway, builder.prefix("/p").unwrap().build());
    let mut caller = Caller::connect(gateway.address).await;
    let handshake = "GET /p/c/live HTTP/1.1\r\nHost: app.test\r\nConnection: upgrade\r\n\
                     Upgrade: websocket\r\nSec-WebSocket-Key: a\r\nSec-WebSocket-Version: 13\r\n\r\n";
    caller.write(handshake).await;
    let (socket, _) = listener.accept().await.unwrap();
    let mut vendor = tls.accept(socket).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(vendor.read_u8().await.unwrap());
    }
    let agreement = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\
                     Upgrade: websocket\r\n\r\n";
    vendor.write_all(agreement.as_bytes()).await.unwrap();
    vendor.flush().await.unwrap();
    assert_eq!(caller.head().await.status(), 101);

    // A secret that isn't presented to the vendor may change.
    store.insert_now(id("c"), old.with_secret("token", "another"));
    wait_for_a_check().await;
    caller.write("on").await;
    let mut word = [0; 2];
    within("bytes", vendor.read_exact(&mut word)).await.unwrap();
    assert_eq!(&word, b"on");
    store.insert_now(id("c"), of("new"));
    wait_for_a_check().await;
    caller.closed().await;
}
