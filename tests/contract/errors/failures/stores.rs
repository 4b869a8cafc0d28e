//! Calls that fail because of the store's data, or because the store fails.

use std::io;

use tower_passthrough::Grant;
use tower_passthrough::authorize::AuthorizeError;
use tower_passthrough::authorize::AuthorizeFn;
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::{
    Authorize, CallContext, Connection, ConnectionId, CredentialStore, Integrations, MemoryStore,
    PassthroughService, Scope, StoreError, Upstream, auth,
};

use super::{CANARY, Caller, Failure, UNKNOWN_INTEGRATION, fail, failure, setup};
use testkit::caller::{get, raw_call, request};
use testkit::gateway::{Gateway, Origin, bind};
use testkit::vendor::Vendor;

/// An authorizer that allows only reading.
struct ReadOnly;

impl Authorize for ReadOnly {
    async fn authorize(
        &self,
        _: &ConnectionId,
        _: CallContext<'_>,
    ) -> Result<Grant, AuthorizeError> {
        Ok(Scope::all().methods([http::Method::GET]).into())
    }
}

/// A store that fails.
struct Failing(fn() -> StoreError);

impl CredentialStore for Failing {
    async fn connection(
        &self,
        _: &ConnectionKey,
        _: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        Err((self.0)())
    }
}

pub(super) async fn all(caller: Caller) -> Vec<Failure> {
    let vendor = Vendor::ok().await;
    let origin = vendor.origin();
    let dead = (424, "reauthorize", "http_request_denied", false);
    let mut failures = Vec::new();
    for (what, connection) in [
        (
            "a secret with a line break",
            Connection::new("vendor").with_secret("token", format!("{CANARY}\nx: y")),
        ),
        (
            "a secret with a NUL",
            Connection::new("vendor").with_secret("token", format!("{CANARY}\0")),
        ),
        (
            "no secret",
            Connection::new("vendor").with_secret("other", CANARY),
        ),
    ] {
        let setup = setup(&origin).connection(connection);
        failures.push(fail(what, dead, (&origin, setup), caller(get("/p/c/x"))).await);
    }

    let template = Upstream::template("https://{region}.vendor.test")
        .unwrap()
        .auth(auth::Bearer);
    for (what, connection) in [
        ("a variable that is missing", Connection::new("regional")),
        (
            "a variable that doesn't match",
            Connection::new("regional").with_variable("region", "a/b"),
        ),
    ] {
        let store = MemoryStore::from_iter([("c", connection.with_secret("token", CANARY))]);
        let integrations = Integrations::new().with("regional", template.clone());
        let service = PassthroughService::builder(store, integrations)
            .dangerous()
            .allow_all()
            .prefix("/p")
            .unwrap()
            .build();
        let gateway = Gateway::serve(bind().await, service);
        let response = raw_call(gateway.address, caller(get("/p/c/x"))).await;
        failures.push(failure(what, dead, response, "db.internal"));
    }

    let everyone = |_: &ConnectionId, _: CallContext<'_>| true;
    for (what, store, expected) in [
        (
            "a store that fails",
            Failing(|| {
                StoreError::unavailable(io::Error::other(format!("db at db.internal: {CANARY}")))
            }),
            (503, "store-unavailable", "proxy_internal_error", false),
        ),
        (
            "a dead credential",
            Failing(|| StoreError::Reauthorize),
            dead,
        ),
    ] {
        let gateway = setup(&origin)
            .start_with(store, AuthorizeFn::new(everyone))
            .await;
        let response = raw_call(gateway.address, caller(get("/p/c/x"))).await;
        failures.push(failure(what, expected, response, "db.internal"));
    }
    let store =
        MemoryStore::from_iter([("c", Connection::new("vendor").with_secret("token", CANARY))]);
    let gateway = setup(&origin).start_with(store, ReadOnly).await;
    let response = raw_call(
        gateway.address,
        caller(request("DELETE", "/p/c/x", &[], "")),
    )
    .await;
    let expected = (403, "scope-refused", "http_request_denied", false);
    failures.push(failure(
        "a method outside of the scope",
        expected,
        response,
        "db.internal",
    ));

    let connection = Connection::new("missing").with_secret("token", CANARY);
    let lasting = (503, "store-unavailable", "proxy_internal_error", false);
    let setup = setup(&origin).connection(connection);
    let call = caller(get("/p/c/x"));
    failures.push(fail(UNKNOWN_INTEGRATION, lasting, (&origin, setup), call).await);
    vendor.untouched().await;
    failures
}
