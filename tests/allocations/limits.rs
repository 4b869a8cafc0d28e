//! The cost of the host application's limits: nothing while the limits are off, and one allocation if concurrent calls
//! are counted.

use std::num::NonZeroU32;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Empty;
use tokio::runtime::{Builder, Runtime};
use tower_passthrough::limits::{Drawn, Rate, SharedRate, SharedRateLimit};
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::{
    BoxError, Connection, Integrations, MemoryStore, PassthroughService, Upstream, auth,
};
use tower_service::Service;

use super::{InMemory, PER_CALL, call, request};

/// The number of allocations for the permits that a call holds.
const PER_PERMIT: u64 = 1;

/// Grants all calls.
struct Generous;

impl SharedRate for Generous {
    async fn draw(&self, _: &ConnectionKey, _: Rate, want: NonZeroU32) -> Result<Drawn, BoxError> {
        Ok(Drawn::new(want.get(), Duration::ZERO))
    }
}

fn rate() -> Rate {
    Rate::per_second(NonZeroU32::new(1000).unwrap())
}

fn limited(is_shared: bool) -> PassthroughService {
    let store = MemoryStore::from_iter([(
        "c",
        Connection::new("vendor").with_secret("token", "s3cr3t"),
    )]);
    let upstream = Upstream::new("https://api.vendor.test/v2")
        .unwrap()
        .auth(auth::Bearer);
    let builder = PassthroughService::builder(store, Integrations::new().with("vendor", upstream))
        .dangerous()
        .allow_all()
        .transport(InMemory::default())
        .prefix("/p")
        .unwrap()
        .in_flight_limit(1)
        .in_flight_per_connection_key(1);
    match is_shared {
        true => builder.shared_rate_per_connection_key(SharedRateLimit::new(rate(), Generous)),
        false => builder.rate_per_connection_key(rate()),
    }
    .build()
}

#[test]
fn a_counted_call_allocates_once_more() {
    let runtime = Runtime::new().unwrap();
    let _entered = runtime.enter();
    let mut service = limited(false);
    // The first call makes the maps.
    call(&mut service, request("GET", Empty::<Bytes>::new()));
    for _ in 0..3 {
        let (response, info) = call(&mut service, request("GET", Empty::<Bytes>::new()));
        assert_eq!(response.status(), 200);
        assert_eq!(info.count_total, PER_CALL + PER_PERMIT, "{info:?}");
    }
}

#[test]
fn a_call_of_a_shared_rate_that_was_drawn_before_allocates_nothing_for_it() {
    // The clock stands still, so that nothing expires.
    let mut builder = Builder::new_current_thread();
    let runtime = builder.enable_all().start_paused(true).build().unwrap();
    let mut service = limited(true);
    // The fourth call draws as many calls as have come.
    for _ in 0..4 {
        let call = service.call(request("GET", Empty::<Bytes>::new()));
        let response = runtime.block_on(call).unwrap();
        assert_eq!(response.status(), 200);
    }
    let _entered = runtime.enter();
    for _ in 0..3 {
        let (response, info) = call(&mut service, request("GET", Empty::<Bytes>::new()));
        assert_eq!(response.status(), 200);
        assert_eq!(info.count_total, PER_CALL + PER_PERMIT, "{info:?}");
    }
    assert_eq!(service.shared_rate_status().unwrap().draws, 3);
}
