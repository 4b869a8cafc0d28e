//! A tunnel ends in a stated time after its connection was removed, or after its caller lost the permission.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::{advance, pause, resume};
use tower_passthrough::Grant;
use tower_passthrough::authorize::AuthorizeError;
use tower_passthrough::authorize::AuthorizeFn;
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::{
    Authorize, CallContext, Connection, ConnectionId, CredentialStore, Scope, StoreError,
};

use testkit::caller::Caller;
use testkit::gateway::Setup;
use testkit::manual::ManualVendor;
use testkit::wait::within;

#[derive(Clone, Default)]
struct Gone(Arc<AtomicBool>);

impl Gone {
    fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl CredentialStore for Gone {
    async fn connection(
        &self,
        _: &ConnectionKey,
        _: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        if self.is_set() {
            return Err(StoreError::NotFound);
        }
        Ok(Connection::new("vendor").with_secret("token", "s3cr3t"))
    }
}

async fn ends_with(removed: Gone, revoked: impl Authorize, change: impl FnOnce()) {
    let vendor = ManualVendor::bind().await;
    let gateway = Setup::new(&vendor).start_with(removed, revoked).await;
    let mut caller = Caller::connect(gateway.address).await;
    let handshake = "GET /p/c/live HTTP/1.1\r\nHost: app.test\r\nConnection: upgrade\r\n\
                     Upgrade: websocket\r\nSec-WebSocket-Key: a\r\nSec-WebSocket-Version: 13\r\n\r\n";
    caller.write(handshake).await;
    let mut vendor = vendor.accept().await;
    vendor.head().await;
    let agreement = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\
                     Upgrade: websocket\r\n\r\n";
    vendor.write(agreement).await;
    assert_eq!(caller.head().await.status(), 101);

    // The tunnel of a caller with permission stays open.
    wait_for_a_check().await;
    caller.write("on").await;
    assert_eq!(within("bytes", vendor.wire.exactly(2)).await.0, b"on");
    change();
    wait_for_a_check().await;
    caller.closed().await;
    vendor.closed().await;
}

/// Lets a little more than half a minute pass on the paused clock.
async fn wait_for_a_check() {
    pause();
    advance(Duration::from_secs(31)).await;
    resume();
}

#[tokio::test]
async fn t13_the_tunnel_of_a_removed_connection_ends() {
    let removed = Gone::default();
    let theirs = removed.clone();
    let all = AuthorizeFn::new(|_, _| true);
    ends_with(theirs, all, move || {
        removed.0.store(true, Ordering::SeqCst);
    })
    .await;
}

#[tokio::test]
async fn t13_the_tunnel_of_a_revoked_caller_ends() {
    let revoked = Gone::default();
    let theirs = revoked.clone();
    let may = AuthorizeFn::new(move |_, _| !theirs.is_set());
    ends_with(Gone::default(), may, move || {
        revoked.0.store(true, Ordering::SeqCst);
    })
    .await;
}

/// An authorizer that permits other paths after the change.
struct Narrowed(Gone);

impl Authorize for Narrowed {
    async fn authorize(
        &self,
        _: &ConnectionId,
        _: CallContext<'_>,
    ) -> Result<Grant, AuthorizeError> {
        let paths = if self.0.is_set() {
            ["other/*"]
        } else {
            ["li*"]
        };
        Ok(Scope::all().paths(paths).into())
    }
}

#[tokio::test]
async fn t13_a_tunnel_ends_if_its_path_is_no_longer_permitted() {
    let narrowed = Gone::default();
    let theirs = Narrowed(narrowed.clone());
    ends_with(Gone::default(), theirs, move || {
        narrowed.0.store(true, Ordering::SeqCst);
    })
    .await;
}
