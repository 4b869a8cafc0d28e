//! The cost of the host application's limits: nothing while the limits are off, and one allocation if concurrent calls
//! are counted.

use bytes::Bytes;
use http_body_util::Empty;
use tokio::runtime::Runtime;
use tower_passthrough::{
    Connection, Integrations, MemoryStore, PassthroughService, Upstream, auth,
};

use super::{InMemory, PER_CALL, call, request};

/// The number of allocations for the permits that a call holds.
const PER_PERMIT: u64 = 1;

fn limited() -> PassthroughService {
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
    let builder = builder.rate_per_connection_key(tower_passthrough::limits::Rate::per_second(
        std::num::NonZeroU32::new(1000).unwrap(),
    ));
    builder.build()
}

#[test]
fn a_counted_call_allocates_once_more() {
    let runtime = Runtime::new().unwrap();
    let _entered = runtime.enter();
    let mut service = limited();
    // The first call makes the maps.
    call(&mut service, request("GET", Empty::<Bytes>::new()));
    for _ in 0..3 {
        let (response, info) = call(&mut service, request("GET", Empty::<Bytes>::new()));
        assert_eq!(response.status(), 200);
        assert_eq!(info.count_total, PER_CALL + PER_PERMIT, "{info:?}");
    }
}
