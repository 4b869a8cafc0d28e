//! A 401 of the vendor: one refresh of the credential, and one replay if the body allows it.

use tokio::sync::{Mutex, mpsc};
use tower_passthrough::authorize::AuthorizeFn;
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::{CallContext, Connection, CredentialStore, StoreError};

use testkit::caller::{get, raw_call, request};
use testkit::gateway::{Gateway, Setup};
use testkit::reply::Reply;
use testkit::vendor::Vendor;
use testkit::wait::within;

/// A store whose credential is stale, and that reports each refresh.
pub(super) struct Stale {
    renews: bool,
    fresh: Option<&'static str>,
    renewals: mpsc::UnboundedSender<()>,
}

impl Stale {
    /// Returns a store with `fresh` as its next credential, and the channel of its refreshes.
    pub(super) fn before(fresh: &'static str) -> (Self, mpsc::UnboundedReceiver<()>) {
        let (renewals, told) = mpsc::unbounded_channel();
        let stale = Self {
            renews: true,
            fresh: Some(fresh),
            renewals,
        };
        (stale, told)
    }
}

impl CredentialStore for Stale {
    async fn connection(
        &self,
        _: &ConnectionKey,
        _: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        Ok(Connection::new("vendor").with_secret("token", "stale"))
    }

    async fn refresh(
        &self,
        _: &ConnectionKey,
        _: &Connection,
        _: CallContext<'_>,
    ) -> Result<Option<Connection>, StoreError> {
        let _ = self.renewals.send(());
        Ok(self
            .fresh
            .map(|token| Connection::new("vendor").with_secret("token", token)))
    }

    fn can_refresh(&self, _: &Connection) -> bool {
        self.renews
    }
}

struct Renewing {
    gateway: Gateway,
    renewals: Mutex<mpsc::UnboundedReceiver<()>>,
}

impl Renewing {
    async fn before(vendor: &Vendor, renews: bool, fresh: Option<&'static str>) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        let store = Stale {
            renews,
            fresh,
            renewals: sender,
        };
        Self {
            gateway: Setup::new(vendor)
                .start_with(store, AuthorizeFn::new(|_, _| true))
                .await,
            renewals: Mutex::new(receiver),
        }
    }

    /// Waits for a refresh, and fails if there was another refresh.
    async fn renewed_once(&self) {
        let mut renewals = self.renewals.lock().await;
        within("a refresh", renewals.recv()).await.unwrap();
        assert!(renewals.try_recv().is_err(), "a second refresh");
    }

    async fn never_renewed(&self) {
        assert!(self.renewals.lock().await.try_recv().is_err(), "a renewal");
    }
}

pub(super) const UNAUTHORIZED: &str = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"v\", error=\"invalid_token\"\r\n\
                            WWW-Authenticate: Basic\r\nContent-Length: 5\r\n\r\nstale";

/// Starts a vendor that answers 200 only to `Bearer fresh`.
pub(super) async fn strict() -> Vendor {
    Vendor::replying(|request| match request.head.value("authorization") {
        Some("Bearer fresh") => Reply::ok("ok"),
        _ => Reply::from(UNAUTHORIZED),
    })
    .await
}

#[tokio::test]
async fn r6_a_request_without_a_body_is_replayed_once_with_the_new_credential() {
    let vendor = strict().await;
    let renewing = Renewing::before(&vendor, true, Some("fresh")).await;
    for sent in [
        request("GET", "/p/c/x?a=1", &["X-A: 1"], ""),
        request("DELETE", "/p/c/x?a=1", &["X-A: 1"], ""),
        request("POST", "/p/c/x?a=1", &["X-A: 1", "Content-Length: 0"], ""),
    ] {
        let response = raw_call(renewing.gateway.address, sent).await;
        assert_eq!((response.status(), response.text()), (200, "ok".to_owned()));
        let (first, second) = (vendor.next().await, vendor.next().await);
        assert_eq!(first.head.value("authorization"), Some("Bearer stale"));
        assert_eq!(second.head.values("authorization"), ["Bearer fresh"]);
        assert_eq!(first.head.start, second.head.start);
        assert_eq!(first.head.names(), second.head.names());
        renewing.renewed_once().await;
    }
    assert!(vendor.try_next().await.is_none());
}

#[tokio::test]
async fn r6_a_second_401_is_returned_unchanged() {
    let vendor = Vendor::answering(UNAUTHORIZED).await;
    let renewing = Renewing::before(&vendor, true, Some("fresh")).await;
    let response = raw_call(renewing.gateway.address, get("/p/c/x")).await;
    assert_eq!(
        (response.status(), response.text()),
        (401, "stale".to_owned())
    );
    let challenges = ["Bearer realm=\"v\", error=\"invalid_token\"", "Basic"];
    assert_eq!(response.head.values("www-authenticate"), challenges);
    assert_eq!(response.error(), None);
    renewing.renewed_once().await;
    vendor.next().await;
    vendor.next().await;
    assert!(vendor.try_next().await.is_none(), "a third request");
}

#[tokio::test]
async fn r6_without_another_credential_the_401_is_returned() {
    for renews in [true, false] {
        let vendor = strict().await;
        let renewing = Renewing::before(&vendor, renews, None).await;
        let response = raw_call(renewing.gateway.address, get("/p/c/x")).await;
        assert_eq!(
            (response.status(), response.text()),
            (401, "stale".to_owned())
        );
        assert_eq!(response.head.values("www-authenticate").len(), 2);
        if renews {
            renewing.renewed_once().await;
        } else {
            renewing.never_renewed().await;
        }
        vendor.next().await;
        assert!(vendor.try_next().await.is_none(), "a replay");
    }
}

#[tokio::test]
async fn r6_the_body_of_the_first_401_is_dropped() {
    let vendor = Vendor::replying(|request| match request.head.value("authorization") {
        Some("Bearer fresh") => Reply::ok("ok"),
        // A body that never ends.
        _ => {
            let mut reply =
                Reply::bytes("HTTP/1.1 401 Unauthorized\r\nContent-Length: 1000\r\n\r\nsta");
            reply.0.extend(Reply::silence().0);
            reply
        }
    })
    .await;
    let renewing = Renewing::before(&vendor, true, Some("fresh")).await;
    let response = raw_call(renewing.gateway.address, get("/p/c/x")).await;
    assert_eq!((response.status(), response.text()), (200, "ok".to_owned()));
    // The connection isn't kept, because the next answer on it would be the rest of the body.
    let first = vendor.next().await.connection;
    vendor.closed(first).await;
}

#[tokio::test]
async fn r6_only_a_401_causes_a_refresh() {
    for status in [200, 400, 403, 407, 500] {
        let vendor =
            Vendor::answering(format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n")).await;
        let renewing = Renewing::before(&vendor, true, Some("fresh")).await;
        let response = raw_call(renewing.gateway.address, get("/p/c/x")).await;
        assert_eq!(response.status(), status);
        renewing.never_renewed().await;
    }
}

/// A store whose connection has moved to another host in the meantime.
struct Moved;

impl CredentialStore for Moved {
    async fn connection(
        &self,
        _: &ConnectionKey,
        _: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        Ok(Connection::new("vendor").with_secret("token", "stale"))
    }

    async fn refresh(
        &self,
        _: &ConnectionKey,
        rejected: &Connection,
        _: CallContext<'_>,
    ) -> Result<Option<Connection>, StoreError> {
        let moved = rejected.clone().with_variable("region", "elsewhere");
        Ok(Some(moved.with_secret("token", "fresh")))
    }

    fn can_refresh(&self, _: &Connection) -> bool {
        true
    }
}

#[tokio::test]
async fn r6_a_credential_for_another_host_is_not_sent_to_the_old_host() {
    let unauthorized = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
    let vendor = Vendor::answering(unauthorized).await;
    let gateway = Setup::new(&vendor)
        .start_with(Moved, AuthorizeFn::new(|_, _| true))
        .await;
    let response = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!((response.status(), response.error()), (401, None));
    assert_eq!(
        vendor.next().await.head.value("authorization"),
        Some("Bearer stale")
    );
    assert!(vendor.try_next().await.is_none());
}
