//! A service in front of a vendor, mounted in the way that a test chooses.

use axum::Router;
use tower_passthrough::PassthroughService;

use testkit::caller::{RawResponse, get, raw_call};
use testkit::gateway::{Gateway, Mount, Setup, bind};
use testkit::vendor::Vendor;

/// The base path of the vendor.
const BASE: &str = "/v2";

pub(crate) struct Place {
    pub(crate) vendor: Vendor,
    pub(crate) gateway: Gateway,
}

impl Place {
    /// Returns the usual service without a prefix, in front of a vendor that answers 200 to everything.
    pub(crate) async fn axum(mount: impl FnOnce(PassthroughService) -> Router) -> Self {
        Self::with(|setup| setup, mount).await
    }

    pub(crate) async fn with(
        change: impl FnOnce(Setup) -> Setup,
        mount: impl FnOnce(PassthroughService) -> Router,
    ) -> Self {
        Self::before(Vendor::ok().await, change, mount).await
    }

    pub(crate) async fn before(
        vendor: Vendor,
        change: impl FnOnce(Setup) -> Setup,
        mount: impl FnOnce(PassthroughService) -> Router,
    ) -> Self {
        let listener = bind().await;
        let address = listener.local_addr().expect("a bound socket");
        let setup = Setup::new(&vendor).path(BASE).mount(Mount::Nest);
        let service = change(setup).build(address);
        Self {
            vendor,
            gateway: Gateway::serve(listener, mount(service)),
        }
    }

    pub(crate) async fn get(&self, target: &str) -> RawResponse {
        raw_call(self.gateway.address, get(target)).await
    }

    /// Checks that each target arrives at the vendor as the other target.
    pub(crate) async fn arrive(&self, targets: &[(&str, &str)]) {
        for (sent, seen) in targets {
            let response = self.get(sent).await;
            assert_eq!(response.status(), 200, "{sent}: {}", response.text());
            assert_eq!(self.vendor.next().await.target(), *seen, "{sent}");
        }
    }

    /// Checks that the host application itself answers, and that the vendor receives nothing.
    pub(crate) async fn answers(&self, target: &str, status: u16, body: &str) {
        let response = self.get(target).await;
        let answer = (response.status(), response.text());
        assert_eq!(answer, (status, body.to_owned()), "{target}");
        assert!(self.vendor.try_next().await.is_none(), "{target}");
    }
}
