//! A credential is put on after the destination has been judged, and only for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::request::Parts;
use tower_passthrough::auth::{AuthContext, AuthError, AuthScheme};
use tower_passthrough::upstream::ResolveError;
use tower_passthrough::{
    BaseUrlResolver, Connection, MemoryStore, PassthroughService, Upstream, auth,
};

use testkit::caller::{get, raw_call};
use testkit::gateway::{Gateway, Setup, bind};
use testkit::pair::Pair;
use testkit::vendor::Vendor;

/// Counts how often a credential was put on.
#[derive(Clone, Debug, Default)]
struct Counting(Arc<AtomicUsize>);

impl AuthScheme for Counting {
    fn apply(&self, request: &mut Parts, cx: &AuthContext<'_>) -> Result<(), AuthError> {
        assert_eq!(request.uri.authority(), Some(cx.destination().authority()));
        self.0.fetch_add(1, Ordering::SeqCst);
        auth::Bearer.apply(request, cx)
    }
}

#[tokio::test]
async fn d1_a_credential_is_put_on_after_the_destination_was_judged() {
    let counting = Counting::default();
    let scheme = counting.clone();
    let pair = Pair::with(|setup| setup.upstream(|upstream| upstream.auth(scheme))).await;
    pair.refused(get("/p/c/x?__domain=evil.test"), 403, "domain-refused")
        .await;
    pair.refused(get("/p/c/x?__domain=a@b"), 400, "bad-domain")
        .await;
    pair.refused(get("/p/c/../x"), 400, "bad-address").await;
    assert_eq!(counting.0.load(Ordering::SeqCst), 0);
    pair.vendor.untouched().await;

    pair.seen(get("/p/c/x")).await;
    assert_eq!(counting.0.load(Ordering::SeqCst), 1);
}

/// A resolver that reads the host out of a connection's variable, with no regard to anything.
struct Foreign;

impl BaseUrlResolver for Foreign {
    async fn resolve(&self, connection: &Connection) -> Result<Upstream, ResolveError> {
        let host = connection.variables().get("host").unwrap_or_default();
        let upstream =
            Upstream::new(&format!("http://{host}/")).map_err(ResolveError::unavailable)?;
        Ok(upstream.auth(auth::Bearer))
    }
}

#[tokio::test]
async fn d1_what_a_resolver_returns_goes_through_the_same_parser_and_guard() {
    let vendor = Vendor::ok().await;
    let port = vendor.address().port();
    let to = |host: String| {
        Connection::new("x")
            .variable("host", host)
            .with("token", "t")
    };
    let store = MemoryStore::from_iter([
        ("user", to(format!("vendor.test@127.0.0.1:{port}"))),
        ("query", to(format!("127.0.0.1:{port}?"))),
        ("metadata", to("169.254.169.254".to_owned())),
        ("private", to("10.0.0.1".to_owned())),
        ("good", to(format!("127.0.0.1:{port}"))),
    ]);
    let listener = bind().await;
    let transport = Setup::new(&vendor).build_transport(listener.local_addr().unwrap());
    let service = PassthroughService::builder(store, Foreign)
        .authorize(|_: &_, _: tower_passthrough::CallContext<'_>| true)
        .transport(transport)
        .build();
    let gateway = Gateway::serve(listener, service);
    for (id, code) in [
        ("user", "store-unavailable"),
        ("query", "store-unavailable"),
        ("metadata", "destination-refused"),
        ("private", "destination-refused"),
    ] {
        let response = raw_call(gateway.address, get(&format!("/{id}/x"))).await;
        assert_eq!(response.error(), Some(code), "{id}");
    }
    vendor.untouched().await;
    assert_eq!(
        raw_call(gateway.address, get("/good/x")).await.status(),
        200
    );
}

/// A scheme that turns the request to another host.
#[derive(Debug)]
struct Turning(String);

impl AuthScheme for Turning {
    fn apply(&self, request: &mut Parts, _: &AuthContext<'_>) -> Result<(), AuthError> {
        request.uri = self.0.parse().unwrap();
        Ok(())
    }
}

#[tokio::test]
async fn d1_a_scheme_cannot_turn_the_request_elsewhere() {
    let evil = Vendor::ok().await;
    let elsewhere = format!("http://127.0.0.1:{}/x", evil.address().port());
    let pair =
        Pair::with(|setup| setup.upstream(|upstream| upstream.auth(Turning(elsewhere)))).await;
    pair.refused(get("/p/c/x"), 403, "destination-refused")
        .await;
    pair.vendor.untouched().await;
    evil.untouched().await;
}
