//! Building blocks for stores that keep connections outside of the process: in a database, in a file.
//!
//! A durable store must not reveal its records, must not query its database for each call, and must follow the rules of
//! [`TokenStore`](crate::store::TokenStore). This module contains the parts that don't depend on the database:
//!
//! - [`Keys`] encrypt ("seal") a connection as a record that is only valid in its own row, and decrypt ("open") it:
//!   [`seal`](Keys::seal), [`open`](Keys::open). They can replace an old key while calls are running: [`reencrypt`](Keys::reencrypt).
//! - [`ConnectionCache`] holds opened connections in memory. It calls a [`ChangeFeed`] for the changes in the database, at most once in the
//!   time for which an entry may be stale. Concurrent callers share a read.
//! - The suite of `conformance` (feature `test-util`) checks the rules. Enable it for the tests of the store.
//!
//! The crate `tower-passthrough-sqlite` is built only from these parts of this library.
//!
//! # A store in four steps
//!
//! 1. Store a row for each connection: key, integration, version, key id and sealed record. Each of these is bound to the record, so a
//!    record can't be moved to another row.
//! 2. Give each write its own version: [`random_version`], or a counter that never decreases.
//! 3. Call [`ConnectionCache::invalidate`] after each write by this process, and implement a [`ChangeFeed`] that reports the writes of
//!    other processes.
//! 4. Read through [`ConnectionCache::get_or_read`] in [`CredentialStore::connection`](crate::CredentialStore::connection), and without
//!    the cache everywhere else.
//!
//! ```
//! use std::collections::HashMap;
//! use std::sync::{Arc, Mutex, PoisonError};
//!
//! use tower_passthrough::durable::{CachedConnection, ChangeFeed, Changes, ConnectionCache, KeyId, Keys, SealedRecord, random_version};
//! use tower_passthrough::store::{ConnectionKey, CredentialVersion};
//! use tower_passthrough::{CallContext, Connection, CredentialStore, Secret, StoreError};
//!
//! struct Row {
//!     integration: String,
//!     version: CredentialVersion,
//!     key_id: KeyId,
//!     sealed: Vec<u8>,
//! }
//!
//! /// A simplified database: rows, and a log of the keys that were written to.
//! #[derive(Default)]
//! struct Database {
//!     rows: Mutex<HashMap<ConnectionKey, Row>>,
//!     log: Mutex<Vec<ConnectionKey>>,
//! }
//!
//! struct Feed(Arc<Database>);
//!
//! impl ChangeFeed for Feed {
//!     type Cursor = usize;
//!
//!     async fn changes_since(&self, cursor: Option<&usize>) -> Result<Changes<usize>, StoreError> {
//!         let log = self.0.log.lock().unwrap_or_else(PoisonError::into_inner);
//!         Ok(match cursor.and_then(|&seen| log.get(seen..)) {
//!             Some([]) | None => Changes::None(log.len()),
//!             Some(keys) => Changes::Keys(keys.to_vec(), log.len()),
//!         })
//!     }
//! }
//!
//! struct Store {
//!     database: Arc<Database>,
//!     keys: Keys,
//!     cache: ConnectionCache<Feed>,
//! }
//!
//! impl Store {
//!     fn new(database: Arc<Database>, keys: Keys) -> Self {
//!         let cache = ConnectionCache::new(Feed(Arc::clone(&database)));
//!         Self { database, keys, cache }
//!     }
//!
//!     async fn put(&self, key: &ConnectionKey, connection: &Connection) -> Result<(), StoreError> {
//!         // Also if the write fails, or if its caller has disconnected.
//!         let _invalidate = self.cache.invalidate_on_drop(key);
//!         let version = random_version().map_err(StoreError::unavailable)?;
//!         let sealed = self.keys.seal(key, version, connection).map_err(StoreError::unavailable)?;
//!         let row = Row { integration: connection.integration().into(), version, key_id: self.keys.current_id(), sealed };
//!         self.database.rows.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), row);
//!         self.database.log.lock().unwrap_or_else(PoisonError::into_inner).push(key.clone());
//!         Ok(())
//!     }
//!
//!     async fn read(&self, key: &ConnectionKey, cached: Option<CachedConnection>) -> Result<CachedConnection, StoreError> {
//!         let rows = self.database.rows.lock().unwrap_or_else(PoisonError::into_inner);
//!         let row = rows.get(key).ok_or(StoreError::NotFound)?;
//!         if let Some(cached) = cached.filter(|cached| cached.version == row.version) {
//!             return Ok(cached); // Nothing to decrypt.
//!         }
//!         let Row { integration, version, key_id, sealed } = row;
//!         let record = SealedRecord { integration, version: *version, key_id: key_id.as_bytes(), sealed };
//!         let connection = self.keys.open(key, record).map_err(StoreError::unavailable)?;
//!         Ok(CachedConnection { version: *version, connection })
//!     }
//! }
//!
//! impl CredentialStore for Store {
//!     async fn connection(&self, key: &ConnectionKey, _: CallContext<'_>) -> Result<Connection, StoreError> {
//!         self.cache.get_or_read(key, |cached| self.read(key, cached)).await
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // `openssl rand -base64 32`
//! let keys = Keys::from_base64(&Secret::from("q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k="))?;
//! let store = Store::new(Arc::default(), keys);
//! let key = ConnectionKey::new("acme/crm")?;
//! store.put(&key, &Connection::new("hubspot").with_secret("token", "s3cr3t")).await?;
//! # let (extensions, method) = (http::Extensions::new(), http::Method::GET);
//! # let cx = CallContext::new(&extensions, &method);
//! let connection = store.connection(&key, cx).await?;
//! assert_eq!(connection.credential().get("token"), Some(&Secret::from("s3cr3t")));
//! # Ok(())
//! # }
//! ```

mod cache;
mod changes;
mod cipher;
mod contents;
mod keys;
mod rotation;
mod sealed;

pub use self::cache::{
    CacheStatus, CachedConnection, ConnectionCache, ConnectionCacheBuilder, InvalidateOnDrop,
};
pub use self::changes::{ChangeFeed, Changes};
pub use self::keys::{InvalidKey, KeyId, Keys};
pub use self::rotation::KeyRotationReport;
pub use self::sealed::{SealError, SealedRecord, random_version};
