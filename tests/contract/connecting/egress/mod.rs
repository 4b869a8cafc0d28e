//! Vendors that are reached through a proxy.

mod failures;
mod tunnels;

use testkit::egress_proxy::EgressProxy;
use testkit::gateway::{Origin, Setup};

/// A gateway before that vendor, behind that proxy.
fn behind(proxy: &EgressProxy, user_info: &str, vendor: &(impl Origin + ?Sized)) -> Setup {
    let proxy = tower_passthrough::client::EgressProxy::parse(&proxy.url(user_info)).unwrap();
    Setup::new(vendor).transport(|transport| transport.egress_proxy(proxy))
}
