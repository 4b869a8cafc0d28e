//! The memory of connections that `durable::ConnectionCache` keeps, with the header values that were made of them.
#![cfg(feature = "durable-store")]

use allocation_counter::measure;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use tokio::runtime::Runtime;
use tower_passthrough::body::{RequestBody, UpstreamBody};
use tower_passthrough::client::{Dispatch, TransportError};
use tower_passthrough::durable::{CachedConnection, ChangeFeed, Changes, ConnectionCache};
use tower_passthrough::store::{ConnectionKey, CredentialVersion};
use tower_passthrough::{
    CallContext, Connection, CredentialStore, Integrations, PassthroughService, StoreError,
    Transport, Upstream, auth,
};
use tower_service::Service as _;

use super::ready;

/// Answers each request, and keeps nothing of it.
struct Forgetful;

impl Transport for Forgetful {
    async fn send(
        &self,
        request: Request<RequestBody>,
        _: &Dispatch,
    ) -> Result<Response<UpstreamBody>, TransportError> {
        drop(request);
        Ok(Response::new(UpstreamBody::new(Empty::<Bytes>::new())))
    }
}

/// A database in which nothing changes.
struct Unchanging;

impl ChangeFeed for Unchanging {
    type Cursor = ();

    async fn changes_since(&self, _: Option<&()>) -> Result<Changes<()>, StoreError> {
        Ok(Changes::None(()))
    }
}

/// A store that has a connection for each key, with tokens of that length.
struct Cached {
    cache: ConnectionCache<Unchanging>,
    length: usize,
}

impl CredentialStore for Cached {
    async fn connection(
        &self,
        key: &ConnectionKey,
        _: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        let read = async |_| {
            let token = || "t".repeat(self.length);
            Ok(CachedConnection {
                version: CredentialVersion::new(1),
                connection: Connection::new("vendor".to_owned())
                    .with_variable("region", "eu")
                    .with_secret("token", token())
                    .with_secret("refresh_token", token())
                    .with_secret("expires_at", "1795601782"),
            })
        };
        self.cache.get_or_read(key, read).await
    }
}

/// Calls many more connections than fit, and returns the memory that the cache takes then, and the number of connections.
fn filled(length: usize, max_bytes: u64) -> (i64, u64) {
    let cache = ConnectionCache::builder(Unchanging)
        .max_bytes(max_bytes)
        .staleness(std::time::Duration::from_secs(3600))
        .build();
    let store = Cached {
        cache: cache.clone(),
        length,
    };
    let upstream = Upstream::new("https://api.vendor.test/v2").unwrap();
    let integrations = Integrations::new().with("vendor", upstream.auth(auth::Bearer));
    let mut service = PassthroughService::builder(store, integrations)
        .dangerous()
        .allow_all()
        .transport(Forgetful)
        .build();
    let mut call = |number: u64| {
        let uri = format!("/connection-{number}/x");
        let request = Request::get(uri).body(Empty::<Bytes>::new()).unwrap();
        let response = ready(service.call(request)).unwrap();
        assert_eq!(response.status(), 200);
    };
    // Once, for all that isn't of a connection.
    call(0);
    let more = 3 * max_bytes / u64::try_from(2 * length + 500).unwrap();
    let info = measure(|| (1..=more).for_each(&mut call));
    (info.bytes_current, cache.status().entries)
}

#[test]
fn a_limit_in_bytes_limits_the_memory_of_cached_connections() {
    let runtime = Runtime::new().unwrap();
    let _entered = runtime.enter();
    let limit = 8 << 20;
    for length in [20, 200, 1000, 4000, 20_000] {
        let (bytes, entries) = filled(length, limit);
        let each = bytes / i64::try_from(entries).unwrap();
        println!(
            "tokens of {length} bytes: {entries} connections, {each} bytes each, {bytes} in all"
        );
        let part =
            f64::from(u32::try_from(bytes).unwrap()) / f64::from(u32::try_from(limit).unwrap());
        assert!(
            (0.6..1.1).contains(&part),
            "tokens of {length} bytes: {part} of the limit, {each} bytes for each of {entries} connections"
        );
    }
}
