//! A credential is added only after the destination was checked, and only for this destination.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tower_passthrough::auth::Applied;
use tower_passthrough::auth::AuthRequest;
use tower_passthrough::auth::Requirements;
use tower_passthrough::auth::{AuthContext, AuthError, AuthScheme};
use tower_passthrough::upstream::ResolveError;
use tower_passthrough::{
    BaseUrlResolver, Connection, MemoryStore, PassthroughService, Upstream, auth,
};

use testkit::caller::{get, raw_call};
use testkit::gateway::{Gateway, Setup, bind};
use testkit::pair::Pair;
use testkit::vendor::Vendor;

/// Counts the credentials that were added.
#[derive(Clone, Debug, Default)]
struct Counting(Arc<AtomicUsize>);

impl AuthScheme for Counting {
    fn requirements(&self) -> Requirements {
        auth::Bearer.requirements()
    }

    fn apply(
        &self,
        request: &mut AuthRequest<'_>,
        cx: &AuthContext<'_>,
    ) -> Result<Applied, AuthError> {
        assert_eq!(
            request.uri().authority(),
            Some(cx.destination().authority())
        );
        self.0.fetch_add(1, Ordering::SeqCst);
        auth::Bearer.apply(request, cx)
    }
}

#[tokio::test]
async fn d1_a_credential_is_added_after_the_destination_was_checked() {
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

/// A resolver that reads the host from a variable of the connection, without any check.
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
async fn d1_base_urls_of_a_resolver_go_through_the_same_parser_and_guard() {
    let vendor = Vendor::ok().await;
    let port = vendor.address().port();
    let to = |host: String| {
        Connection::new("x")
            .with_variable("host", host)
            .with_secret("token", "t")
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
        .authorize_fn(|_, _| true)
        .caller_credentials([])
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

/// A scheme that tries to send the request to another host. The scheme can set only path and query.
#[derive(Debug)]
struct Turning(String);

impl AuthScheme for Turning {
    fn requirements(&self) -> Requirements {
        Requirements::new()
    }

    fn apply(
        &self,
        request: &mut AuthRequest<'_>,
        _: &AuthContext<'_>,
    ) -> Result<Applied, AuthError> {
        request.set_path_and_query(self.0.clone().into_bytes())?;
        Ok(Applied::default())
    }
}

#[tokio::test]
async fn d1_a_scheme_cannot_change_the_destination() {
    let evil = Vendor::ok().await;
    let port = evil.address().port();
    let whole = format!("http://127.0.0.1:{port}/x");
    let pair = Pair::with(|setup| setup.upstream(|upstream| upstream.auth(Turning(whole)))).await;
    pair.refused(get("/p/c/x"), 424, "reauthorize").await;
    pair.vendor.untouched().await;

    let relative = format!("//127.0.0.1:{port}/x");
    let target = relative.clone();
    let pair = Pair::with(|setup| setup.upstream(|upstream| upstream.auth(Turning(target)))).await;
    assert_eq!(pair.seen(get("/p/c/x")).await.head.target(), relative);
    evil.untouched().await;
}
