//! Connections as they were read, so that a call costs no look at the file; and one look for all who
//! ask for one connection at the same time.
//!
//! An entry counts as long as nobody has written to the file since it was read, as far as
//! [`watch`](super::watch) knows, and no write of this process has touched its slot. After that it's
//! compared with the file by its version, and kept with what was prepared of it if that is the same.
//! That there is no connection of an id isn't kept.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use foldhash::quality::RandomState;
use moka::sync::Cache as Entries;
use tokio::sync::OnceCell;

use super::error::Fault;
use super::rows::Known;
use crate::connection::Connection;
use crate::connection::ConnectionKey;
use crate::store::CredentialVersion;

/// Entries of what isn't called any more go after that time.
const IDLE: Duration = Duration::from_secs(600);

const SLOTS: usize = 64;

pub(super) struct Cache {
    entries: Entries<ConnectionKey, Entry, RandomState>,
    /// How often this process has written to a connection of that slot.
    writes: [AtomicU64; SLOTS],
    flights: Mutex<HashMap<ConnectionKey, (Stamp, Weak<Cell>), RandomState>>,
    hasher: RandomState,
}

/// What the file was like when a read of it began.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    generation: u64,
    writes: u64,
}

#[derive(Clone)]
struct Entry {
    stamp: Stamp,
    version: CredentialVersion,
    connection: Connection,
}

/// All who wait share a failure too: else they would fail one after the other.
type Outcome = Result<Connection, Arc<Fault>>;
type Cell = OnceCell<Outcome>;

impl Cache {
    pub(super) fn new(most: u64) -> Self {
        let entries = Entries::builder().max_capacity(most).time_to_idle(IDLE);
        Self {
            entries: entries.build_with_hasher(RandomState::default()),
            writes: [const { AtomicU64::new(0) }; SLOTS],
            flights: Mutex::default(),
            hasher: RandomState::default(),
        }
    }

    pub(super) fn stamp(&self, id: &ConnectionKey, generation: u64) -> Stamp {
        let writes = self.slot(id).map_or(0, |slot| slot.load(Ordering::Acquire));
        Stamp { generation, writes }
    }

    fn slot(&self, id: &ConnectionKey) -> Option<&AtomicU64> {
        let slot = self.hasher.hash_one(id) % SLOTS as u64;
        self.writes.get(usize::try_from(slot).ok()?)
    }

    /// What is kept and counts.
    pub(super) fn get(&self, id: &ConnectionKey, stamp: Stamp) -> Option<Connection> {
        let entry = self.entries.get(id)?;
        (entry.stamp == stamp).then_some(entry.connection)
    }

    /// What is kept, to be compared with the file.
    pub(super) fn known(&self, id: &ConnectionKey) -> Option<Known> {
        let Entry {
            version,
            connection,
            ..
        } = self.entries.get(id)?;
        Some(Known {
            version,
            connection,
        })
    }

    pub(super) fn keep(&self, id: &ConnectionKey, stamp: Stamp, known: &Known) {
        let entry = Entry {
            stamp,
            version: known.version,
            connection: known.connection.clone(),
        };
        self.entries.insert(id.clone(), entry);
    }

    /// After this process has written, or tried to. Reads that are under way count no more.
    pub(super) fn written(&self, id: &ConnectionKey) {
        if let Some(slot) = self.slot(id) {
            slot.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Nothing of it is left: it isn't there any more.
    pub(super) fn forget(&self, id: &ConnectionKey) {
        self.entries.invalidate(id);
    }

    /// The flight of that id that began by that stamp: of several who ask at once, one reads.
    pub(super) fn flight<'a>(&'a self, id: &'a ConnectionKey, stamp: Stamp) -> Flight<'a> {
        let fresh = || Arc::new(Cell::new());
        let cell = match self.flights().entry(id.clone()) {
            Place::Occupied(mut place) => {
                let (began, cell) = place.get();
                match cell.upgrade() {
                    Some(cell) if *began == stamp => cell,
                    _ => {
                        let cell = fresh();
                        place.insert((stamp, Arc::downgrade(&cell)));
                        cell
                    }
                }
            }
            Place::Vacant(place) => {
                let cell = fresh();
                place.insert((stamp, Arc::downgrade(&cell)));
                cell
            }
        };
        Flight {
            cache: self,
            id,
            cell: Some(cell),
        }
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<ConnectionKey, (Stamp, Weak<Cell>), RandomState>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct Flight<'a> {
    cache: &'a Cache,
    id: &'a ConnectionKey,
    /// `None` in `drop` alone.
    cell: Option<Arc<Cell>>,
}

impl Flight<'_> {
    /// What the first of them reads. If that one goes away, the next reads.
    pub(super) async fn outcome(
        &self,
        read: impl Future<Output = Result<Connection, Fault>>,
    ) -> Outcome {
        let read = async { read.await.map_err(Arc::new) };
        match &self.cell {
            Some(cell) => cell.get_or_init(|| read).await.clone(),
            None => read.await,
        }
    }
}

// The last one out takes the flight off the map. It gives its share back before the map is free: else
// of two who leave at once, each would take the other for the last.
impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let mut flights = self.cache.flights();
        let cell = self.cell.take();
        if let Place::Occupied(place) = flights.entry(self.id.clone()) {
            let is_this = cell
                .as_ref()
                .is_some_and(|cell| place.get().1.as_ptr() == Arc::as_ptr(cell));
            drop(cell);
            if is_this && place.get().1.strong_count() == 0 {
                place.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use futures_util::FutureExt;
    use futures_util::future::join_all;

    use super::*;

    fn acme() -> ConnectionKey {
        ConnectionKey::try_from("acme").unwrap_or_else(|_| unreachable!("it's an id"))
    }

    #[tokio::test]
    async fn those_who_ask_at_once_share_a_read_and_its_failure() {
        for fails in [false, true] {
            let (cache, id, reads) = (Cache::new(10), acme(), AtomicUsize::new(0));
            let stamp = cache.stamp(&id, 0);
            let ask = || async {
                let read = async {
                    reads.fetch_add(1, Ordering::Relaxed);
                    tokio::task::yield_now().await;
                    match fails {
                        true => Err(Fault::NotFound),
                        false => Ok(Connection::new("crm")),
                    }
                };
                let flight = cache.flight(&id, stamp);
                flight.outcome(read).await.is_err()
            };
            let outcomes = join_all((0..50).map(|_| ask())).await;
            assert!(outcomes.iter().all(|failed| *failed == fails));
            assert_eq!(reads.load(Ordering::Relaxed), 1);
            assert!(cache.flights().is_empty(), "a flight was left behind");
        }
    }

    fn shared(one: &Flight<'_>, other: &Flight<'_>) -> bool {
        let cells = one.cell.as_ref().zip(other.cell.as_ref());
        cells.is_some_and(|(one, other)| Arc::ptr_eq(one, other))
    }

    #[test]
    fn x2_of_those_who_leave_at_once_none_leaves_a_flight_behind() {
        let cache = Cache::new(10);
        let barrier = std::sync::Barrier::new(4);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for number in 0..20_000 {
                        let Ok(id) = ConnectionKey::try_from(&*format!("{number}")) else {
                            unreachable!("it's an id");
                        };
                        let flight = cache.flight(&id, cache.stamp(&id, 0));
                        barrier.wait();
                        drop(flight);
                    }
                });
            }
        });
        assert_eq!(cache.flights().len(), 0);
    }

    #[tokio::test]
    async fn a_read_from_before_a_write_is_shared_with_nobody_after_it() {
        let (cache, id) = (Cache::new(10), acme());
        let before = cache.stamp(&id, 0);
        let old = cache.flight(&id, before);
        cache.written(&id);
        let after = cache.stamp(&id, 0);
        assert!(before != after);
        let new = cache.flight(&id, after);
        assert!(!shared(&old, &new));
        drop(old);
        let joined = cache.flight(&id, after);
        assert!(shared(&new, &joined));
        drop((new, joined));
        assert!(cache.flights().is_empty());
    }

    #[tokio::test]
    async fn whoever_is_left_reads_on_when_the_first_goes_away() {
        let (cache, id) = (Cache::new(10), acme());
        let stamp = cache.stamp(&id, 0);
        let (first, second) = (cache.flight(&id, stamp), cache.flight(&id, stamp));
        let mut stuck = Box::pin(first.outcome(std::future::pending()));
        assert!(stuck.as_mut().now_or_never().is_none());
        drop(stuck);
        drop(first);
        let outcome = second.outcome(async { Ok(Connection::new("crm")) }).await;
        assert!(outcome.is_ok());
    }

    #[test]
    fn an_entry_counts_until_a_write_of_this_process_or_another() {
        let (cache, id) = (Cache::new(10), acme());
        let stamp = cache.stamp(&id, 0);
        let known = Known {
            version: CredentialVersion::new(1),
            connection: Connection::new("crm"),
        };
        cache.keep(&id, stamp, &known);
        assert!(cache.get(&id, cache.stamp(&id, 0)).is_some());
        assert!(cache.get(&id, cache.stamp(&id, 1)).is_none());
        cache.written(&id);
        assert!(cache.get(&id, cache.stamp(&id, 0)).is_none());
        // Read before the write, kept after it.
        cache.keep(&id, stamp, &known);
        assert!(cache.get(&id, cache.stamp(&id, 0)).is_none());
    }

    #[test]
    fn x2_a_hundred_thousand_ids_leave_no_more_than_the_most() {
        let cache = Cache::new(100);
        for number in 0..100_000 {
            if let Ok(id) = ConnectionKey::try_from(&*format!("{number}")) {
                let known = Known {
                    version: CredentialVersion::new(1),
                    connection: Connection::new("crm"),
                };
                cache.keep(&id, cache.stamp(&id, 0), &known);
            }
        }
        cache.entries.run_pending_tasks();
        assert!(cache.entries.entry_count() <= 100);
    }
}
