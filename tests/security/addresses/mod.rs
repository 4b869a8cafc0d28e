//! The addresses that may be dialled.

mod blocks;
mod cached;
mod dialled;
mod loopback;
mod tunnelled;

use ipnet::IpNet;
use tower_passthrough::policy::NetworkPolicy;

use testkit::caller::{get, raw_call};
use testkit::gateway::{Gateway, Setup};
use testkit::names::Names;
use testkit::vendor::Vendor;

/// Starts a gateway in front of `host` on the vendor's port, with that DNS and with those blocks allowed.
async fn gateway(vendor: &Vendor, host: &str, names: &Names, blocks: &[&str]) -> Gateway {
    let network = allowing(blocks).dangerous().plaintext();
    let names = names.clone();
    Setup::new(&*format!("http://{host}:{}", vendor.address().port()))
        .network(|_| network)
        .transport(|transport| transport.resolver(names))
        .start()
        .await
}

fn allowing(blocks: &[&str]) -> NetworkPolicy {
    let parsed = blocks.iter().map(|block| block.parse::<IpNet>().unwrap());
    parsed.fold(NetworkPolicy::new(), NetworkPolicy::allow)
}

async fn answer(gateway: &Gateway) -> (u16, Option<String>) {
    let response = raw_call(gateway.address, get("/p/c/x")).await;
    (response.status(), response.error().map(str::to_owned))
}

/// Returns the answer if a name leads to an address that may not be dialled.
fn prohibited() -> (u16, Option<String>) {
    (403, Some("destination-refused".to_owned()))
}

/// Returns the answer if the base URL of the host application contains an address that may not be dialled.
fn prohibited_literal() -> (u16, Option<String>) {
    (502, Some("destination-refused".to_owned()))
}
