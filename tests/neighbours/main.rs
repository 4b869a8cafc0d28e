//! An attacker and a victim at the same upstream, through the same gateway: whatever the attacker does, the victim's calls are answered.
//!
//! Each module attacks a shared resource. Rules: `docs/rules/security.md#6-resources-that-may-be-used-up`.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod answers;
mod cancelled;
mod downloads;
mod places;
mod streams;
mod timers;
mod tournament;
mod uploads;

use std::net::SocketAddr;

use testkit::caller::{Caller, RawResponse, get};
use testkit::gateway::Setup;
use testkit::h2_script::FrameVendor;
use tokio::task::JoinSet;
use tower_passthrough::Connection;

/// Returns a setup with connections for attackers (`a0`, `a1`, ...) and for the victim (`v`).
fn setup(vendor: &(impl testkit::gateway::Origin + ?Sized)) -> Setup {
    let connection = || Connection::new("vendor").with_secret("token", "t");
    let setup = Setup::new(vendor).also("v", connection());
    (0..8).fold(setup, |setup, nth| {
        setup.also(&format!("a{nth}"), connection())
    })
}

/// Returns a setup at an upstream that speaks HTTP/2.
fn setup_h2(vendor: &FrameVendor) -> Setup {
    setup(vendor).transport(|transport| transport.http2_prior_knowledge(true))
}

/// Makes a call on a connection of its own, in the background.
fn begin(calls: &mut JoinSet<RawResponse>, gateway: SocketAddr, target: String) {
    calls.spawn(async move { Caller::connect(gateway).await.call(get(&target)).await });
}

fn assert_ok(answer: &RawResponse, body: &str) {
    assert_eq!(
        (answer.status(), answer.text().as_str()),
        (200, body),
        "{answer:?}"
    );
}
