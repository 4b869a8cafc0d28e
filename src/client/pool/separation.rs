//! The connection keys that get network connections of their own, because they, or their upstream, would harm others on a shared
//! connection.
//!
//! A connection key that cancels many calls is separated, because many upstreams end an HTTP/2 connection with too many resets
//! (ENHANCE_YOUR_CALM), with the streams of all other keys on it. The same is true of a key whose uploads come in many small pieces. All keys of an upstream are separated if the upstream has sent bytes
//! that no request asked for: such bytes could be taken for the response of the next call.
//!
//! Rules: `docs/rules/security.md#6-resources-that-may-be-used-up`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foldhash::quality::RandomState;
use tokio::time::Instant;

use crate::connection::ConnectionKey;

/// The number of calls that a key may cancel within [`WINDOW`] before it's separated. Known upstreams tolerate at least 100 resets on a
/// connection.
const MAX_RESETS: u32 = 32;
/// The minimum number of cancelled calls that makes a key the cause of a complaint.
const MIN_RESETS_OF_CULPRIT: u32 = 8;
/// The time for which cancelled calls are counted.
const WINDOW: Duration = Duration::from_secs(30);
/// The time for which a key stays separated after its last excess.
const KEY_SEPARATION: Duration = Duration::from_secs(120);
/// The time for which the keys of an upstream stay separated after the upstream's last unsolicited bytes.
const UPSTREAM_SEPARATION: Duration = Duration::from_secs(600);
/// The number of keys from which on expired entries are removed.
const SWEEP_FROM: usize = 64;

/// The separated keys of a host.
#[derive(Default)]
pub(super) struct Separation {
    /// `false` as long as no key is separated, so that most calls need no lock.
    is_active: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    keys: HashMap<ConnectionKey, Record, RandomState>,
    /// The time until which all keys are separated.
    all_until: Option<Instant>,
}

impl State {
    /// Returns the record of a key, and removes expired records if there are many.
    fn record(&mut self, key: &ConnectionKey, now: Instant) -> &mut Record {
        if self.keys.len() >= SWEEP_FROM {
            self.keys.retain(|_, record| !record.is_expired(now));
        }
        self.keys.entry(key.clone()).or_insert(Record {
            resets: 0,
            since: now,
            separate_until: None,
        })
    }
}

/// The cancelled calls of a key.
struct Record {
    resets: u32,
    since: Instant,
    separate_until: Option<Instant>,
}

impl Record {
    fn is_expired(&self, now: Instant) -> bool {
        self.separate_until.is_none_or(|until| until <= now) && self.since + WINDOW <= now
    }
}

impl Separation {
    /// Returns `true` if the key must not share network connections.
    pub(super) fn applies_to(&self, key: &ConnectionKey) -> bool {
        if !self.is_active.load(Ordering::Acquire) {
            return false;
        }
        let now = Instant::now();
        let state = self.lock();
        let of_key = state.keys.get(key).and_then(|record| record.separate_until);
        state
            .all_until
            .into_iter()
            .chain(of_key)
            .any(|until| until > now)
    }

    /// Returns `true` if a separation or a cancelled call is still remembered.
    pub(super) fn is_remembered(&self) -> bool {
        let now = Instant::now();
        let state = self.lock();
        state.all_until.is_some_and(|until| until > now)
            || state.keys.values().any(|record| !record.is_expired(now))
    }

    /// Separates a key.
    pub(super) fn separate(&self, key: &ConnectionKey) {
        let now = Instant::now();
        self.lock().record(key, now).separate_until = Some(now + KEY_SEPARATION);
        self.is_active.store(true, Ordering::Release);
    }

    /// Counts a call that was cancelled after its request was sent.
    pub(super) fn record_reset(&self, key: &ConnectionKey) {
        let now = Instant::now();
        let mut state = self.lock();
        let record = state.record(key, now);
        if record.since + WINDOW <= now {
            (record.resets, record.since) = (0, now);
        }
        record.resets += 1;
        if record.resets > MAX_RESETS {
            record.separate_until = Some(now + KEY_SEPARATION);
            self.is_active.store(true, Ordering::Release);
        }
    }

    /// Separates the key that has cancelled the most calls, after a complaint of the upstream. Returns `false` if no key has cancelled
    /// enough calls to be the cause.
    pub(super) fn separate_culprit(&self) -> bool {
        let now = Instant::now();
        let mut state = self.lock();
        let recent = state.keys.values_mut();
        let culprit = recent
            .filter(|record| record.since + WINDOW > now && record.resets >= MIN_RESETS_OF_CULPRIT)
            .max_by_key(|record| record.resets);
        let Some(culprit) = culprit else {
            return false;
        };
        culprit.separate_until = Some(now + KEY_SEPARATION);
        self.is_active.store(true, Ordering::Release);
        true
    }

    /// Separates all keys, after the upstream has sent bytes that no request asked for.
    pub(super) fn separate_all(&self) {
        self.lock().all_until = Some(Instant::now() + UPSTREAM_SEPARATION);
        self.is_active.store(true, Ordering::Release);
    }

    /// Locks the state. Poisoning is ignored, because nothing panics while the lock is held.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> ConnectionKey {
        ConnectionKey::try_from(text).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_is_separated_by_many_resets_in_a_short_time() {
        let separation = Separation::default();
        let (ann, ben) = (key("ann"), key("ben"));
        for _ in 0..3 {
            (0..MAX_RESETS).for_each(|_| separation.record_reset(&ann));
            assert!(!separation.applies_to(&ann));
            tokio::time::advance(WINDOW).await;
        }
        (0..=MAX_RESETS).for_each(|_| separation.record_reset(&ann));
        assert!(separation.applies_to(&ann) && !separation.applies_to(&ben));
        tokio::time::advance(KEY_SEPARATION).await;
        assert!(!separation.applies_to(&ann) && !separation.is_remembered());
    }

    #[tokio::test(start_paused = true)]
    async fn the_key_with_the_most_resets_is_the_cause_of_a_complaint() {
        let separation = Separation::default();
        assert!(!separation.separate_culprit());
        let (ann, ben) = (key("ann"), key("ben"));
        (0..MIN_RESETS_OF_CULPRIT).for_each(|_| separation.record_reset(&ann));
        separation.record_reset(&ben);
        assert!(separation.separate_culprit());
        assert!(separation.applies_to(&ann) && !separation.applies_to(&ben));
        separation.separate_all();
        assert!(separation.applies_to(&ben));
        tokio::time::advance(UPSTREAM_SEPARATION).await;
        assert!(!separation.applies_to(&ann) && !separation.applies_to(&ben));
    }

    #[tokio::test(start_paused = true)]
    async fn expired_keys_are_removed() {
        let separation = Separation::default();
        for nth in 0..1000 {
            separation.record_reset(&key(&nth.to_string()));
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert!(separation.lock().keys.len() <= SWEEP_FROM);
    }
}
