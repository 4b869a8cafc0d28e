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
    fn presents_client_certificates(&self) -> bool {
        true
    }

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

/// A store that has a connection for each key.
struct Cached {
    cache: ConnectionCache<Unchanging>,
    secrets: Secrets,
}

/// The secrets of each connection.
#[derive(Clone)]
enum Secrets {
    /// Tokens of that length.
    Tokens(usize),
    /// A certificate and its private key, in PEM.
    #[cfg(feature = "rustls-ring")]
    Identity { certificate: String, key: String },
}

impl Secrets {
    fn add_to(&self, connection: Connection) -> Connection {
        match self {
            Self::Tokens(length) => {
                let token = || "t".repeat(*length);
                connection
                    .with_secret("token", token())
                    .with_secret("refresh_token", token())
                    .with_secret("expires_at", "1795601782")
            }
            #[cfg(feature = "rustls-ring")]
            Self::Identity { certificate, key } => connection
                .with_secret("certificate", certificate.clone())
                .with_secret("private_key", key.clone()),
        }
    }
}

impl CredentialStore for Cached {
    async fn connection(
        &self,
        key: &ConnectionKey,
        _: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        let read = async |_| {
            let connection = Connection::new("vendor".to_owned()).with_variable("region", "eu");
            Ok(CachedConnection {
                version: CredentialVersion::new(1),
                connection: self.secrets.add_to(connection),
            })
        };
        self.cache.get_or_read(key, read).await
    }
}

/// Calls more connections than fit, and returns the memory that the cache takes then, and the number of connections.
fn filled<A: auth::AuthScheme>(secrets: Secrets, auth: A, more: u64, max_bytes: u64) -> (i64, u64) {
    let cache = ConnectionCache::builder(Unchanging)
        .max_bytes(max_bytes)
        .staleness(std::time::Duration::from_secs(3600))
        .build();
    let store = Cached {
        cache: cache.clone(),
        secrets,
    };
    let upstream = Upstream::new("https://api.vendor.test/v2").unwrap();
    let integrations = Integrations::new().with("vendor", upstream.auth(auth));
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
    let info = measure(|| (1..=more).for_each(&mut call));
    (info.bytes_current, cache.status().entries)
}

/// Returns the memory of a connection, measured while all fit, divided by the memory that the cache's limit assumes for it.
fn part<A: auth::AuthScheme + Clone>(secrets: &Secrets, auth: A, more: u64, limit: u64) -> f64 {
    let float = |number: u64| f64::from(u32::try_from(number).unwrap());
    let (_, fit) = filled(secrets.clone(), auth.clone(), more, limit);
    assert!(fit < more * 9 / 10, "{fit} of {more} connections fit");
    let few = fit / 2;
    let (bytes, entries) = filled(secrets.clone(), auth, few, 8 * limit);
    assert_eq!(entries, few + 1);
    let (each, assumed) = (bytes.unsigned_abs() / few, limit / fit);
    println!("{each} bytes each, and {assumed} are assumed");
    float(each) / float(assumed)
}

#[test]
fn a_limit_in_bytes_limits_the_memory_of_cached_connections() {
    let runtime = Runtime::new().unwrap();
    let _entered = runtime.enter();
    let limit = 8 << 20;
    for length in [20, 200, 1000, 4000, 20_000] {
        let more = 3 * limit / u64::try_from(2 * length + 500).unwrap();
        let part = part(&Secrets::Tokens(length), auth::Bearer, more, limit);
        let is_near = (0.6..1.1).contains(&part);
        assert!(is_near, "tokens of {length} bytes: {part}");
    }
}

#[cfg(feature = "rustls-ring")]
#[test]
fn a_limit_in_bytes_limits_the_memory_of_client_certificates() {
    let runtime = Runtime::new().unwrap();
    let _entered = runtime.enter();
    let identity = rcgen::generate_simple_self_signed(["client.test".to_owned()]).unwrap();
    let secrets = Secrets::Identity {
        certificate: identity.cert.pem(),
        key: identity.signing_key.serialize_pem(),
    };
    let part = part(&secrets, auth::Mtls, 1000, 2 << 20);
    // A key of a curve takes less than the estimate, which suffices for RSA.
    assert!((0.3..1.1).contains(&part), "{part}");
}
