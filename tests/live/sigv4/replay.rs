//! A payload that the gateway puts into chunks is sent once more after a vendor's 401.

use tower_passthrough::auth::SigV4;
use tower_passthrough::authorize::AuthorizeFn;
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::{CallContext, Connection, CredentialStore, StoreError};

use super::chunks::verified;
use super::{ID, SECRET, s3};
use testkit::caller::{post, raw_call};
use testkit::gateway::Setup;
use testkit::reply::Reply;
use testkit::vendor::Vendor;

/// A store whose key is stale.
struct Stale;

fn key(id: &str) -> Connection {
    Connection::new("vendor")
        .with_secret("access_key_id", id)
        .with_secret("secret_access_key", SECRET)
}

impl CredentialStore for Stale {
    async fn connection(
        &self,
        _: &ConnectionKey,
        _: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        Ok(key("AKIASTALE"))
    }

    async fn refresh(
        &self,
        _: &ConnectionKey,
        _: &Connection,
        _: CallContext<'_>,
    ) -> Result<Option<Connection>, StoreError> {
        Ok(Some(key(ID)))
    }

    fn can_refresh(&self, _: &Connection) -> bool {
        true
    }
}

#[tokio::test]
async fn r6_a_replayed_payload_is_put_into_chunks_once() {
    let vendor = Vendor::replying(|request| match request.head.value("authorization") {
        Some(value) if value.contains(ID) => Reply::ok("ok"),
        _ => Reply::from("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"),
    })
    .await;
    let scheme: SigV4 = s3().streaming();
    let gateway = Setup::new(&vendor)
        .upstream(move |upstream| upstream.auth(scheme))
        .start_with(Stale, AuthorizeFn::new(|_, _| true))
        .await;
    let response = raw_call(gateway.address, post("/p/c/bucket/key", "hello")).await;
    assert_eq!(response.status(), 200);
    for _ in 0..2 {
        let received = vendor.next().await;
        assert_eq!(
            received.head.value("x-amz-decoded-content-length"),
            Some("5")
        );
        assert_eq!(verified(&received).0, b"hello");
    }
}
