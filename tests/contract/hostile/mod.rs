//! Hostile callers and vendors, as literal bytes. In each case, the calls of the next tenant, through the same gateway
//! and to the same vendor, get their own answers.

mod callers_frames;
mod callers_http1;
mod callers_http2;
mod injecting;
mod vendors_http1;
mod vendors_http2;

use std::time::Duration;

use tokio::time::timeout;
use tower_passthrough::Connection;

use testkit::caller::Caller;
use testkit::gateway::{Gateway, Setup};
use testkit::tenant::{self, Tenant};
use testkit::vendor::Vendor;

/// Changes the usual gateway to have another tenant.
fn with_next(setup: Setup) -> Setup {
    let next = Connection::new("vendor").with_secret("token", tenant::NEXT);
    setup.also("next", next)
}

/// A vendor that echoes, and a gateway in front of the vendor, to which hostile callers connect.
struct Stage {
    vendor: Vendor,
    gateway: Gateway,
    next: Tenant,
}

impl Stage {
    async fn new() -> Self {
        let vendor = Vendor::replying(tenant::echo).await;
        let gateway = with_next(Setup::new(&vendor)).start().await;
        let next = Tenant::of(gateway.address);
        Self {
            vendor,
            gateway,
            next,
        }
    }

    /// Checks that the next tenant is served, and that the vendor has received only requests that the gateway made.
    async fn is_unharmed(&self, after: &str) {
        self.next.is_served(after).await;
        while let Some(received) = self.vendor.try_next().await {
            tenant::assert_unambiguous(&received.head, after);
            let target = received.target();
            assert!(
                target == "/x" || tenant::is_own(target),
                "{after}: the vendor got {target:?}"
            );
        }
    }

    /// Sends literal bytes, and checks that the next tenant is served while the connection is open, and after it
    /// closed.
    async fn survives(&self, bytes: &[u8], what: &str) {
        let mut caller = Caller::connect(self.gateway.address).await;
        caller.wire.try_write(bytes).await;
        // If the framing promises more bytes, there may be no answer. The wait gives the probe its time, and can't fail
        // the test.
        let _ = timeout(Duration::from_millis(100), caller.wire.fill()).await;
        self.is_unharmed(what).await;
        drop(caller);
        self.is_unharmed(what).await;
    }

    /// Returns the statuses of the gateway's answers to these bytes, until the gateway closes the connection.
    async fn refusal(&self, bytes: &str) -> Vec<String> {
        let mut caller = Caller::connect(self.gateway.address).await;
        caller.write(bytes).await;
        statuses(&caller.closed().await)
    }
}

/// Returns the status codes of all heads in these bytes.
fn statuses(bytes: &[u8]) -> Vec<String> {
    let text = testkit::head::latin1(bytes);
    let heads = text.split("HTTP/1.").skip(1);
    heads
        .filter_map(|head| head.split(' ').nth(1).map(str::to_owned))
        .collect()
}
