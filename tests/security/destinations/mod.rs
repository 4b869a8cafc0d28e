//! The destinations of a credential.

mod egress;
mod elsewhere;
mod hosts;
mod judged;
mod patterns;
mod urls;

use tower_passthrough::policy::DomainPolicy;

use testkit::caller::{RawResponse, get, raw_call};
use testkit::gateway::{Gateway, Setup};
use testkit::names::Names;
use testkit::vendor::Vendor;

/// A vendor at `api.vendor.test`. All other names lead to the vendor as well, so the vendor sees calls that should have
/// been refused.
struct Site {
    vendor: Vendor,
    gateway: Gateway,
    names: Names,
}

impl Site {
    /// Allows the domains that `allow` returns for the vendor's port.
    async fn with(allow: impl FnOnce(u16) -> DomainPolicy) -> Self {
        let vendor = Vendor::ok().await;
        let names = Names::all_to_loopback();
        let (domains, resolver) = (allow(vendor.address().port()), names.clone());
        let gateway = Setup::new(&*format!(
            "http://api.vendor.test:{}",
            vendor.address().port()
        ))
        .upstream(|upstream| upstream.domains(domains))
        .transport(|transport| transport.resolver(resolver))
        .start()
        .await;
        Self {
            vendor,
            gateway,
            names,
        }
    }

    fn port(&self) -> u16 {
        self.vendor.address().port()
    }

    async fn call(&self, domain: &str) -> RawResponse {
        let target = format!("/p/c/x?__domain={}", encoded(domain));
        raw_call(self.gateway.address, get(&target)).await
    }

    /// Checks that `__domain` is refused with that error, and that no name is looked up and no connection is opened.
    async fn refuses(&self, domain: &str, status: u16, code: &str) {
        let response = self.call(domain).await;
        assert_eq!(
            (response.status(), response.error()),
            (status, Some(code)),
            "{domain:?}"
        );
        assert_eq!(self.names.asked(), [""; 0], "{domain:?} was looked up");
        self.vendor.untouched().await;
    }

    /// Checks that `__domain` is permitted, and that `host` is looked up and sent.
    async fn permits(&self, domain: &str, host: &str) {
        let asked = self.names.asked().len();
        let response = self.call(domain).await;
        assert_eq!(response.status(), 200, "{domain:?}: {}", response.text());
        let received = self.vendor.next().await;
        let authority = format!("{host}:{}", self.port());
        assert_eq!(received.head.value("host"), Some(&*authority), "{domain:?}");
        // A kept connection needs no look-up. If there was a look-up, it was for this name.
        for name in &self.names.asked()[asked..] {
            assert_eq!(name, host, "{domain:?}");
        }
    }
}

/// Returns the text with each byte percent-encoded that isn't a letter or a digit.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

fn none(_: u16) -> DomainPolicy {
    DomainPolicy::none()
}
