//! A scripted vendor and a gateway in front of the vendor, with the questions that most tests ask
//! of the two.

use super::caller::{RawResponse, get, raw_call};
use super::gateway::{Gateway, Setup};
use super::vendor::{Received, Vendor};

pub struct Pair {
    pub vendor: Vendor,
    pub gateway: Gateway,
}

impl Pair {
    /// Returns a vendor that answers 200 to everything, and the usual gateway.
    pub async fn new() -> Self {
        Self::with(|setup| setup).await
    }

    /// Returns a vendor that answers 200 to everything, and a gateway with that change.
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

    /// Returns the request that the vendor receives for this request, which the gateway must
    /// forward.
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

    /// Returns the target in the vendor's request line for a GET of connection `c` with this
    /// remainder.
    pub async fn target(&self, remainder: &str) -> String {
        let received = self.seen(get(&format!("/p/c{remainder}"))).await;
        received.target().to_owned()
    }

    /// Checks that the gateway answers the request with its own error.
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
