//! A scripted vendor and a gateway before it, and what most tests ask of the two.

use super::caller::{RawResponse, get, raw_call};
use super::gateway::{Gateway, Setup};
use super::vendor::{Received, Vendor};

pub struct Pair {
    pub vendor: Vendor,
    pub gateway: Gateway,
}

impl Pair {
    /// A vendor that answers 200 to everything, and the usual gateway.
    pub async fn new() -> Self {
        Self::with(|setup| setup).await
    }

    /// A vendor that answers 200 to everything.
    pub async fn with(change: impl FnOnce(Setup) -> Setup) -> Self {
        Self::before(Vendor::ok().await, change).await
    }

    pub async fn before(vendor: Vendor, change: impl FnOnce(Setup) -> Setup) -> Self {
        let gateway = change(Setup::new(&vendor)).start().await;
        Self { vendor, gateway }
    }

    pub async fn call(&self, request: impl AsRef<[u8]>) -> RawResponse {
        raw_call(self.gateway.address, request).await
    }

    /// What the vendor gets of this request, which the gateway must pass on.
    pub async fn seen(&self, request: impl AsRef<[u8]>) -> Received {
        let request = request.as_ref();
        let response = self.call(request).await;
        assert_eq!(
            response.status(),
            200,
            "{:?} → {:?}: {}",
            String::from_utf8_lossy(&request[..request.len().min(300)]),
            response.head,
            response.text()
        );
        self.vendor.next().await
    }

    /// What stands in the vendor's request line for a GET of connection `c` with this remainder.
    pub async fn target(&self, remainder: &str) -> String {
        let received = self.seen(get(&format!("/p/c{remainder}"))).await;
        received.target().to_owned()
    }

    /// The request gets the gateway's own error.
    pub async fn refused(&self, request: impl AsRef<[u8]>, status: u16, code: &str) -> RawResponse {
        let request = request.as_ref();
        let response = self.call(request).await;
        assert_eq!(
            (response.status(), response.error()),
            (status, Some(code)),
            "{:?} → {:?}: {}",
            String::from_utf8_lossy(&request[..request.len().min(300)]),
            response.head,
            response.text()
        );
        response
    }
}
