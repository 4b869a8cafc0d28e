//! Tenants who choose their connection ids: both have a connection `crm`, and share nothing.
//!
//! The authorizer gives each connection a key of tenant and id, and all other parts use this key.

mod sqlite;

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::extract::{Path, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use futures_util::future::join_all;
use http::header::HeaderName;
use http::{HeaderMap, StatusCode};
use tokio::sync::mpsc::unbounded_channel;
use tower_passthrough::authorize::AuthorizeError;
use tower_passthrough::limits::Rate;
use tower_passthrough::observe::CallReport;
use tower_passthrough::refresh::{RefreshingStore, TokenError, TokenSource, Tokens};
use tower_passthrough::store::{ConnectionKey, TokenStore};
use tower_passthrough::{
    Authorize, CallContext, Connection, ConnectionId, CredentialStore, Grant, HttpTransport,
    Integrations, MemoryStore, PassthroughBuilder, PassthroughService, auth,
};

use testkit::caller::{Caller, RawResponse, raw_call, request};
use testkit::gateway::{Gateway, Setup, bind};
use testkit::h2_caller::{self, H2Caller};
use testkit::identities::Authority;
use testkit::manual::ManualVendor;
use testkit::mtls_vendor::{MtlsVendor, Terms};
use testkit::reply::Reply;
use testkit::vendor::Vendor;
use testkit::wait::within;

const TENANTS: [&str; 2] = ["ann", "ben"];

const KEY: HeaderName = HeaderName::from_static("x-key");

#[derive(Clone)]
struct Tenant(String);

/// The application's authentication: the tenant in the path must be the tenant of the API key.
async fn authenticate(
    Path(tenant): Path<String>,
    headers: HeaderMap,
    mut request: Request,
    next: Next,
) -> Result<Response, StatusCode> {
    let key = headers.get(KEY).and_then(|key| key.to_str().ok());
    if key != Some(&*format!("key-of-{tenant}")) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    request.extensions_mut().insert(Tenant(tenant));
    Ok(next.run(request).await)
}

/// An authorizer that allows each tenant only its own connections.
struct Owners;

impl Authorize for Owners {
    async fn authorize(
        &self,
        id: &ConnectionId,
        cx: CallContext<'_>,
    ) -> Result<Grant, AuthorizeError> {
        let Tenant(tenant) = cx.extensions().get().ok_or(AuthorizeError::Denied)?;
        let key = ConnectionKey::in_tenant(tenant, id);
        let key = key.map_err(AuthorizeError::unavailable)?;
        Ok(Grant::all().connection_key(key))
    }
}

type Builder<S> = PassthroughBuilder<S, Integrations, HttpTransport, Owners>;

/// Starts a gateway at `/t/{tenant}/passthrough`.
async fn gateway<S: CredentialStore>(
    mut setup: Setup,
    store: S,
    options: impl FnOnce(Builder<S>) -> Builder<S>,
) -> Gateway {
    let listener = bind().await;
    let transport = setup.build_transport(listener.local_addr().unwrap());
    let integrations = Integrations::new().with("vendor", setup.build_upstream());
    let builder = PassthroughService::builder(store, integrations)
        .authorize(Owners)
        .caller_credentials([KEY])
        .transport(transport);
    let app = Router::new()
        .nest_service("/t/{tenant}/passthrough", options(builder).build())
        .layer(from_fn(authenticate));
    Gateway::serve(listener, app)
}

fn call_of(tenant: &str, path: &str) -> String {
    let target = format!("/t/{tenant}/passthrough/crm{path}");
    request("GET", &target, &[&format!("X-Key: key-of-{tenant}")], "")
}

async fn call(gateway: &Gateway, tenant: &str) -> RawResponse {
    raw_call(gateway.address, call_of(tenant, "/x")).await
}

/// Returns a store with a connection `crm` for each tenant, whose token names the tenant.
fn store() -> MemoryStore {
    let connections =
        connections(|tenant| Connection::new("vendor").with_secret("token", format!("{tenant}s")));
    connections.into_iter().collect()
}

/// Starts a vendor that answers with the credential that it received.
async fn echo() -> Vendor {
    Vendor::replying(|received| Reply::ok(received.head.value("authorization").unwrap_or("none")))
        .await
}

#[tokio::test]
async fn t14_the_tenant_of_the_path_reaches_its_own_connection() {
    let vendor = echo().await;
    let gateway = gateway(Setup::new(&vendor), store(), |builder| builder).await;
    for tenant in TENANTS {
        assert_eq!(
            call(&gateway, tenant).await.text(),
            format!("Bearer {tenant}s")
        );
        let received = vendor.next().await;
        assert!(!received.head.has("x-key"), "{:?}", received.head);
    }
    // Neither the path of another tenant nor an id that looks like a key reaches the connection of another tenant.
    let target = "/t/ben/passthrough/crm/x";
    let refused = raw_call(
        gateway.address,
        request("GET", target, &["X-Key: key-of-ann"], ""),
    );
    assert_eq!(refused.await.status(), 401);
    for id in ["ben%2Fcrm", "..%2Fben%2Fcrm", "ben"] {
        let target = format!("/t/ann/passthrough/{id}/x");
        let sent = request("GET", &target, &["X-Key: key-of-ann"], "");
        let refused = raw_call(gateway.address, sent).await;
        assert!(matches!(refused.status(), 400 | 404), "{id}: {refused:?}");
    }
    assert!(vendor.try_next().await.is_none());
}

/// Returns the token `KEY-N` for the `N`th request for a key.
#[derive(Clone, Default)]
struct Source(Arc<Mutex<HashMap<String, usize>>>);

impl Source {
    fn asked(&self) -> Vec<(String, usize)> {
        let asked = self.0.lock().unwrap();
        let mut asked: Vec<_> = asked.iter().map(|(key, n)| (key.clone(), *n)).collect();
        asked.sort();
        asked
    }
}

impl TokenSource for Source {
    fn supports(&self, _: &Connection) -> bool {
        true
    }

    async fn fetch(&self, key: &ConnectionKey, _: &Connection) -> Result<Tokens, TokenError> {
        let nth = {
            let mut asked = self.0.lock().unwrap();
            let nth = asked.entry(key.as_str().to_owned()).or_default();
            *nth += 1;
            *nth
        };
        // Long enough for all callers to wait for the refresh.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let mut tokens = Tokens::new(format!("{key}-{nth}"));
        tokens.expires_at = Some(SystemTime::now() + Duration::from_secs(3600));
        Ok(tokens)
    }
}

/// Returns the connections that `make` returns for the names of the tenants.
fn connections(make: impl Fn(&str) -> Connection) -> Vec<(String, Connection)> {
    let connection = |tenant: &str| (format!("{tenant}/crm"), make(tenant));
    TENANTS.map(connection).into()
}

/// Returns a connection without a token, so the first call fetches a token.
fn without_token(_: &str) -> Connection {
    Connection::new("vendor")
}

/// Returns a connection with a token without a known end.
fn with_token(tenant: &str) -> Connection {
    Connection::new("vendor").with_secret("access_token", format!("{tenant}/crm-0"))
}

fn asked(ann: usize, ben: usize) -> Vec<(String, usize)> {
    let asked = [("ann/crm".to_owned(), ann), ("ben/crm".to_owned(), ben)];
    asked.into_iter().filter(|(_, times)| *times > 0).collect()
}

/// Checks that calls of both tenants at once cause one refresh for each tenant.
async fn each_is_refreshed_once(store: impl TokenStore) {
    let (vendor, source) = (echo().await, Source::default());
    let setup = Setup::new(&vendor).upstream(|upstream| upstream.auth(auth::AccessToken));
    let refreshing = RefreshingStore::new(store, source.clone());
    let gateway = gateway(setup, refreshing, |builder| builder).await;
    for _ in 0..2 {
        let calls = (0..20).map(|nth| {
            let (gateway, tenant) = (&gateway, TENANTS[nth % 2]);
            async move {
                let answer = call(gateway, tenant).await;
                assert_eq!(answer.text(), format!("Bearer {tenant}/crm-1"));
            }
        });
        join_all(calls).await;
        assert_eq!(source.asked(), asked(1, 1));
    }
}

/// Checks that only Ann's token is refreshed if the upstream rejects Ann's token.
async fn only_the_rejected_is_refreshed(store: impl TokenStore) {
    let vendor =
        Vendor::replying(
            |received| match received.head.value("authorization").unwrap_or("none") {
                "Bearer ann/crm-0" => {
                    Reply::bytes("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
                }
                token => Reply::ok(token),
            },
        )
        .await;
    let source = Source::default();
    let setup = Setup::new(&vendor).upstream(|upstream| upstream.auth(auth::AccessToken));
    let refreshing = RefreshingStore::new(store, source.clone());
    let gateway = gateway(setup, refreshing, |builder| builder).await;
    for _ in 0..2 {
        assert_eq!(call(&gateway, "ben").await.text(), "Bearer ben/crm-0");
        assert_eq!(call(&gateway, "ann").await.text(), "Bearer ann/crm-1");
    }
    assert_eq!(source.asked(), asked(1, 0));
}

#[tokio::test]
async fn tenants_share_no_refresh() {
    each_is_refreshed_once(MemoryStore::from_iter(connections(without_token))).await;
    only_the_rejected_is_refreshed(MemoryStore::from_iter(connections(with_token))).await;
}

#[tokio::test]
async fn tenants_share_no_limit_of_calls_at_once() {
    let vendor = ManualVendor::bind().await;
    let options = |builder: Builder<_>| builder.in_flight_per_connection_key(1);
    let gateway = gateway(Setup::new(&vendor), store(), options).await;
    let mut held = Vec::new();
    for tenant in TENANTS {
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(call_of(tenant, "/x")).await;
        let mut connection = vendor.accept().await;
        connection.head().await;
        held.push((caller, connection));
    }
    for tenant in TENANTS {
        assert_eq!(call(&gateway, tenant).await.error(), Some("overloaded"));
    }
    for (mut caller, mut connection) in held {
        connection.write("HTTP/1.1 204 Done\r\n\r\n").await;
        assert_eq!(caller.response("GET").await.status(), 204);
    }
}

#[tokio::test]
async fn tenants_share_no_rate() {
    let vendor = echo().await;
    let rate = Rate::per_minute(NonZeroU32::MIN);
    let options = |builder: Builder<_>| builder.rate_per_connection_key(rate);
    let gateway = gateway(Setup::new(&vendor), store(), options).await;
    for tenant in TENANTS {
        assert_eq!(call(&gateway, tenant).await.status(), 200, "{tenant}");
    }
    for tenant in TENANTS {
        assert_eq!(call(&gateway, tenant).await.error(), Some("rate-limited"));
    }
}

#[tokio::test]
async fn tenants_share_no_network_connection_where_keys_are_isolated() {
    let vendor = echo().await;
    let setup = Setup::new(&vendor).transport(|transport| transport.isolate_connection_keys(true));
    let gateway = gateway(setup, store(), |builder| builder).await;
    let mut used = HashMap::new();
    for tenant in ["ann", "ben", "ann", "ben"] {
        assert_eq!(
            call(&gateway, tenant).await.text(),
            format!("Bearer {tenant}s")
        );
        let number = vendor.next().await.connection;
        assert_eq!(*used.entry(tenant).or_insert(number), number, "{tenant}");
    }
    assert_ne!(used["ann"], used["ben"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_share_no_client_certificate() {
    for alpn in [["http/1.1"], ["h2"]] {
        let authority = Authority::new();
        let vendor = MtlsVendor::start(&Terms::new(authority.verifier(true), &alpn)).await;
        let connections = connections(|tenant| authority.certify(tenant).connection());
        let setup = Setup::new(&vendor).upstream(|upstream| upstream.auth(auth::Mtls));
        let store = MemoryStore::from_iter(connections);
        let gateway = gateway(setup, store, |builder| builder).await;
        for _ in 0..2 {
            let calls = (0..30).map(|nth| {
                let (address, tenant) = (gateway.address, TENANTS[nth % 2]);
                async move {
                    let path = format!("/x{nth}");
                    let text = match nth % 3 {
                        0 => {
                            let target = format!("/t/{tenant}/passthrough/crm{path}");
                            let call = h2_caller::request("GET", &target);
                            let call = call.header(KEY, format!("key-of-{tenant}"));
                            let mut caller = H2Caller::connect(address).await;
                            let answer = caller.call(call.body(()).unwrap()).await;
                            String::from_utf8(answer.body).unwrap()
                        }
                        _ => raw_call(address, call_of(tenant, &path)).await.text(),
                    };
                    assert_eq!(text, format!("{tenant} {path} : "));
                }
            });
            join_all(calls).await;
        }
    }
}

#[tokio::test]
async fn reports_distinguish_tenants() {
    let vendor = echo().await;
    let (sender, mut reports) = unbounded_channel();
    let observer = move |call: &CallReport<'_>| {
        let key = call.connection_key().map(|key| key.as_str().to_owned());
        let id = call.connection_id().map(|id| id.as_str().to_owned());
        let _ = sender.send((key, id));
    };
    let options = |builder: Builder<_>| builder.observe_fn(observer);
    let gateway = gateway(Setup::new(&vendor), store(), options).await;
    for tenant in TENANTS {
        call(&gateway, tenant).await;
        let report = within("a report", reports.recv()).await.unwrap();
        assert_eq!(
            report,
            (Some(format!("{tenant}/crm")), Some("crm".to_owned()))
        );
    }
}

#[tokio::test]
async fn a_removed_connection_is_gone_only_for_its_tenant() {
    let vendor = echo().await;
    let store = store();
    let gateway = gateway(Setup::new(&vendor), store.clone(), |builder| builder).await;
    assert!(store.remove_now("ann/crm"));
    assert_eq!(
        call(&gateway, "ann").await.error(),
        Some("unknown-connection")
    );
    assert_eq!(call(&gateway, "ben").await.text(), "Bearer bens");
}
