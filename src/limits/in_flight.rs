//! The limits for the calls in progress. Each call holds a permit, and the call counts until the permit is
//! dropped: when the response's body has ended, or earlier if the call is dropped.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foldhash::quality::RandomState;

use crate::connection::ConnectionKey;
use crate::error::{Error, ErrorCode};

/// The wait that is suggested to callers, which is fixed because the end of a call can't be predicted.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The number of calls in progress, of all connection keys together.
pub(super) struct GlobalLimit {
    limit: usize,
    count: AtomicUsize,
}

impl GlobalLimit {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            count: AtomicUsize::new(0),
        }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    fn take(self: &Arc<Self>) -> Result<GlobalPermit, Error> {
        let one_more = |count: usize| (count < self.limit).then_some(count + 1);
        // `Relaxed` suffices, because no other memory depends on the number.
        match self
            .count
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
        {
            Ok(_) => Ok(GlobalPermit(Arc::clone(self))),
            Err(_) => Err(too_many(
                "the maximum number of concurrent calls is reached; try again later",
            )),
        }
    }
}

struct GlobalPermit(Arc<GlobalLimit>);

impl Drop for GlobalPermit {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::Relaxed);
    }
}

type Counts = HashMap<ConnectionKey, usize, RandomState>;

/// The number of calls in progress for each connection key that has calls in progress.
pub(super) struct PerKeyLimit {
    limit: usize,
    counts: Mutex<Counts>,
}

impl PerKeyLimit {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            counts: Mutex::default(),
        }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    fn take(self: &Arc<Self>, id: &ConnectionKey) -> Result<KeyPermit, Error> {
        let mut counts = self.counts();
        match counts.get_mut(id) {
            Some(count) if *count < self.limit => *count += 1,
            None if self.limit > 0 => {
                counts.insert(id.clone(), 1);
            }
            _ => {
                return Err(too_many(
                    "the maximum number of concurrent calls of this connection is reached; try again later",
                ));
            }
        }
        drop(counts);
        Ok(KeyPermit {
            of: Arc::clone(self),
            id: id.clone(),
        })
    }

    /// Locks the counts. Poisoning is ignored, because no change of the counts can panic half-way.
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct KeyPermit {
    of: Arc<PerKeyLimit>,
    id: ConnectionKey,
}

impl Drop for KeyPermit {
    fn drop(&mut self) {
        // Connection keys without a call in progress are removed, so that memory is bounded. The removed key is freed
        // after the lock has been released.
        let mut counts = self.of.counts();
        let last = match counts.get_mut(&self.id) {
            Some(count) if *count > 1 => {
                *count -= 1;
                None
            }
            _ => counts.remove_entry(&self.id),
        };
        drop(counts);
        drop(last);
    }
}

/// The permits that a call holds while it's in progress. Clones share them: the call counts until its response and its upload have
/// ended. The content is in a box of its own to keep the future of each call small, because most host applications set no limit.
#[derive(Clone, Default)]
pub(crate) struct Permit(Option<Arc<Held>>);

#[derive(Default)]
struct Held {
    global: Option<GlobalPermit>,
    of_key: Option<KeyPermit>,
}

impl Permit {
    pub(super) fn take_global(&mut self, global: &Arc<GlobalLimit>) -> Result<(), Error> {
        let place = global.take()?;
        self.hold(|held| held.global = Some(place));
        Ok(())
    }

    pub(super) fn take_key(
        &mut self,
        per_key: &Arc<PerKeyLimit>,
        id: &ConnectionKey,
    ) -> Result<(), Error> {
        let place = per_key.take(id)?;
        self.hold(|held| held.of_key = Some(place));
        Ok(())
    }

    fn hold(&mut self, set: impl FnOnce(&mut Held)) {
        // The permit is shared only after the last place has been taken.
        if let Some(held) = Arc::get_mut(self.0.get_or_insert_default()) {
            set(held);
        }
    }
}

fn too_many(detail: &'static str) -> Error {
    Error::new(ErrorCode::Overloaded, detail)
        .with_proxy_status("connection_limit_reached")
        .with_retry_after(RETRY_AFTER)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn id(text: &str) -> ConnectionKey {
        ConnectionKey::try_from(text).unwrap()
    }

    #[test]
    fn x2_no_id_is_kept_without_a_call() {
        let limit = Arc::new(PerKeyLimit::new(2));
        let mut held = Vec::new();
        for nth in 0..10_000 {
            for _ in 0..2 {
                let mut permit = Permit::default();
                let taken = permit.take_key(&limit, &id(&nth.to_string()));
                assert!(taken.is_ok());
                held.push(permit);
            }
            let refused = Permit::default().take_key(&limit, &id(&nth.to_string()));
            assert!(refused.is_err());
        }
        assert_eq!(limit.counts().len(), 10_000);
        drop(held);
        assert_eq!(limit.counts().len(), 0);
    }

    #[test]
    fn places_are_given_back_one_by_one() {
        let global = Arc::new(GlobalLimit::new(2));
        let take = || {
            let mut permit = Permit::default();
            permit.take_global(&global).map(|()| permit)
        };
        let (first, second) = (take(), take());
        assert!(first.is_ok() && second.is_ok());
        assert!(take().is_err());
        drop(first);
        let third = take();
        assert!(third.is_ok());
        assert!(take().is_err());
        drop((second, third));
        assert_eq!(global.count.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_limit_of_nought_lets_none_through() {
        let none = Arc::new(PerKeyLimit::new(0));
        assert!(none.take(&id("c")).is_err());
        assert_eq!(none.counts().len(), 0);
        assert!(Arc::new(GlobalLimit::new(0)).take().is_err());
    }
}
