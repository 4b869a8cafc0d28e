//! Vendors behind an egress proxy.

mod failures;
mod tunnels;

use testkit::egress_proxy::EgressProxy;
use testkit::gateway::{Origin, Setup};

/// Changes the gateway to reach the vendor through that proxy.
fn behind(proxy: &EgressProxy, user_info: &str, vendor: &(impl Origin + ?Sized)) -> Setup {
    let proxy = tower_passthrough::client::EgressProxy::parse(&proxy.url(user_info)).unwrap();
    Setup::new(vendor).transport(|transport| transport.egress_proxy(proxy))
}
