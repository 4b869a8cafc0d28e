//! A tunnel ends in a stated time after its connection was removed, or after its caller lost the permission.

use std::collections::HashSet;
use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{advance, pause, resume};
use tower_passthrough::Grant;
use tower_passthrough::authorize::AuthorizeError;
use tower_passthrough::authorize::{AuthorizeAsyncFn, AuthorizeFn};
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::{
    Authorize, CallContext, Connection, ConnectionId, CredentialStore, Integrations,
    PassthroughService, Scope, StoreError,
};

use testkit::caller::Caller;
use testkit::gateway::{Gateway, Setup, bind};
use testkit::manual::{ManualVendor, VendorConnection};
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

#[tokio::test]
async fn t13_a_tunnel_ends_if_the_caller_may_not_use_websockets_any_more() {
    let narrowed = Gone::default();
    let theirs = narrowed.clone();
    let may = AuthorizeFn::new(move |_, _| Scope::all().websockets(!theirs.is_set()));
    ends_with(Gone::default(), may, move || {
        narrowed.0.store(true, Ordering::SeqCst);
    })
    .await;
}

/// A store or an authorizer that fails for a while.
#[derive(Clone, Copy, PartialEq)]
enum State {
    Up,
    Failing,
    Silent,
}

#[derive(Clone)]
struct Flaky(watch::Receiver<State>);

impl Flaky {
    async fn fails(&self) -> bool {
        let state = *self.0.borrow();
        match state {
            State::Up => false,
            State::Failing => true,
            State::Silent => pending().await,
        }
    }
}

impl CredentialStore for Flaky {
    async fn connection(
        &self,
        _: &ConnectionKey,
        _: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        match self.fails().await {
            true => Err(StoreError::unavailable("down")),
            false => Ok(Connection::new("vendor").with_secret("token", "s3cr3t")),
        }
    }
}

impl Authorize for Flaky {
    async fn authorize(
        &self,
        _: &ConnectionId,
        _: CallContext<'_>,
    ) -> Result<Grant, AuthorizeError> {
        match self.fails().await {
            true => Err(AuthorizeError::unavailable("down")),
            false => Ok(Grant::all()),
        }
    }
}

/// An open tunnel whose store or authorizer can fail.
struct FlakyTunnel {
    caller: Caller,
    vendor: VendorConnection,
    state: watch::Sender<State>,
    _gateway: Gateway,
}

impl FlakyTunnel {
    async fn open(fails_in_store: bool, grace: Option<Duration>) -> Self {
        let vendor = ManualVendor::bind().await;
        let (state, flaky) = watch::channel(State::Up);
        let (_, up) = watch::channel(State::Up);
        let (store, authorizer) = match fails_in_store {
            true => (Flaky(flaky), Flaky(up)),
            false => (Flaky(up), Flaky(flaky)),
        };
        let listener = bind().await;
        let mut setup = Setup::new(&vendor);
        let transport = setup.build_transport(listener.local_addr().unwrap());
        let integrations = Integrations::new().with("vendor", setup.build_upstream());
        let mut builder = PassthroughService::builder(store, integrations)
            .authorize(authorizer)
            .caller_credentials([])
            .transport(transport)
            .prefix("/p")
            .unwrap();
        if let Some(grace) = grace {
            builder = builder.upgrade_grace(grace);
        }
        let gateway = Gateway::serve(listener, builder.build());
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
        Self {
            caller,
            vendor,
            state,
            _gateway: gateway,
        }
    }

    /// Moves the clock, and finds the tunnel open.
    async fn stays_open_after(&mut self, seconds: u64) {
        self.pass(seconds).await;
        self.caller.write("on").await;
        assert_eq!(within("bytes", self.vendor.wire.exactly(2)).await.0, b"on");
    }

    /// Moves the clock, and finds the tunnel closed.
    async fn closes_after(mut self, seconds: u64) {
        self.pass(seconds).await;
        self.caller.closed().await;
        self.vendor.closed().await;
    }

    async fn pass(&self, seconds: u64) {
        pause();
        advance(Duration::from_secs(seconds)).await;
        resume();
    }
}

#[tokio::test]
async fn t13_a_tunnel_ends_when_its_store_or_authorizer_fails_for_longer_than_the_grace() {
    for fails_in_store in [true, false] {
        for state in [State::Failing, State::Silent] {
            let mut tunnel = FlakyTunnel::open(fails_in_store, None).await;
            tunnel.stays_open_after(31).await;
            tunnel.state.send(state).unwrap();
            // It fails from the next check on, and 60 s are the grace.
            tunnel.stays_open_after(31).await;
            tunnel.stays_open_after(31).await;
            match state {
                // A check that doesn't end has a last chance of 5 s.
                State::Silent => {
                    tunnel.stays_open_after(31).await;
                    tunnel.closes_after(6).await;
                }
                _ => tunnel.closes_after(31).await,
            }
        }
    }
}

#[tokio::test]
async fn t13_a_store_that_works_again_keeps_the_tunnel() {
    let mut tunnel = FlakyTunnel::open(true, None).await;
    for _ in 0..3 {
        tunnel.state.send(State::Failing).unwrap();
        tunnel.stays_open_after(31).await;
        tunnel.stays_open_after(31).await;
        tunnel.state.send(State::Up).unwrap();
        tunnel.stays_open_after(31).await;
    }
}

#[tokio::test]
async fn t13_the_grace_can_be_set_and_zero_is_at_once() {
    let at_once = FlakyTunnel::open(true, Some(Duration::ZERO)).await;
    at_once.state.send(State::Failing).unwrap();
    at_once.closes_after(31).await;

    let mut shorter = FlakyTunnel::open(true, Some(Duration::from_secs(10))).await;
    shorter.state.send(State::Failing).unwrap();
    shorter.stays_open_after(31).await;
    shorter.closes_after(11).await;

    let mut longer = FlakyTunnel::open(true, Some(Duration::from_secs(150))).await;
    longer.state.send(State::Failing).unwrap();
    for _ in 0..5 {
        longer.stays_open_after(31).await;
    }
    longer.closes_after(31).await;
}

/// The caller's session, which the host application's authentication found at the handshake.
#[tokio::test]
async fn t13_an_authorizer_that_looks_the_session_up_notices_a_logout() {
    let sessions = Arc::new(Mutex::new(HashSet::from(["of-ann"])));
    let known = Arc::clone(&sessions);
    let authorizer = AuthorizeAsyncFn::new(move |_: &ConnectionId, _: CallContext<'_>| {
        let known = Arc::clone(&known);
        async move { known.lock().unwrap().contains("of-ann") }
    });
    ends_with(Gone::default(), authorizer, move || {
        sessions.lock().unwrap().clear();
    })
    .await;
}
