//! The calls that this process has drawn for each connection key, and the process's own share of the rate.

use std::collections::HashMap;
use std::hash::BuildHasher as _;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foldhash::quality::RandomState;
use tokio::time::Instant;

use super::rate::Rate;
use super::shared_rate::{Drawn, SharedRateStatus};
use crate::connection::ConnectionKey;

/// The time after which drawn calls that weren't used are lost.
const LIFETIME: Duration = Duration::from_secs(1);
/// The time whose calls are drawn in advance: the calls that came in a period of that length.
const HORIZON: Duration = Duration::from_millis(150);
/// The time without draws of a key after the source had fewer calls than were wanted, if the burst is large enough.
const MIN_PAUSE: Duration = Duration::from_millis(10);
const MAX_PAUSE: Duration = Duration::from_millis(100);
/// The maximum time for which calls are refused without another draw. The slowest rate allows a call each minute.
const MAX_REFUSAL: Duration = Duration::from_secs(60);
/// The time between two draws while the source fails.
const FAILURE_PAUSE: Duration = Duration::from_secs(1);
/// The time in which the keys begin to draw again, spread evenly, after the source has recovered.
const RECOVERY: Duration = Duration::from_secs(1);
/// The number of failures in a row, of at least two keys, after which the source counts as failed for all keys.
const MAX_FAILURES: u32 = 3;
/// The minimum number of calls between two sweeps.
const MIN_SWEEP_INTERVAL: usize = 1024;

/// The allotments of a rate.
pub(super) struct Allotments {
    rate: Rate,
    replicas: NonZeroU32,
    share: Share,
    /// The maximum number of calls that are drawn without a caller that waits for them.
    max_in_advance: u32,
    /// The time without draws after the source had fewer calls than were wanted.
    pause: Duration,
    keys: Mutex<Keys>,
    draws: AtomicU64,
    failed_draws: AtomicU64,
    local_calls: AtomicU64,
}

/// The rate of this process while the source fails.
struct Share {
    interval: Duration,
    /// The time in which an empty bucket becomes full.
    window: Duration,
}

struct Keys {
    allotments: HashMap<ConnectionKey, Allotment, RandomState>,
    /// The number of calls until allotments without content are removed.
    until_sweep: usize,
    failures: Failures,
    /// The time of the next draw of any key. `None` unless the source counts as failed for all keys.
    next_draw: Option<Instant>,
    /// The key that tried last. Another key goes first, because the cause may be that key alone.
    tried_by: Option<ConnectionKey>,
    /// The time at which the source answered again after it had failed for all keys. `None` after all keys draw again.
    recovered_at: Option<Instant>,
}

/// The draws that have failed since a draw succeeded.
#[derive(Default)]
struct Failures {
    count: u32,
    key: Option<ConnectionKey>,
    /// `true` if draws of at least two keys have failed.
    is_of_several: bool,
}

impl Failures {
    fn add(&mut self, key: &ConnectionKey) {
        self.count = self.count.saturating_add(1);
        match &self.key {
            None => self.key = Some(key.clone()),
            Some(first) => self.is_of_several |= first != key,
        }
    }

    fn are_of_source(&self) -> bool {
        self.count >= MAX_FAILURES && self.is_of_several
    }
}

/// The state of a connection key.
struct Allotment {
    /// The calls that were drawn and have not begun. The first of them are for the callers that wait.
    calls: u32,
    expires: Instant,
    /// The number of callers that wait for a draw.
    waiting: u32,
    /// The time until which there is nothing to draw.
    until: Instant,
    /// The time of the next draw after a failure. `None` if the last draw didn't fail.
    next_draw: Option<Instant>,
    /// The time at which this process's own bucket is full again. Calls of the allotment count as well, so that the bucket isn't full when
    /// the source fails.
    full_at: Instant,
    demand: Demand,
}

/// The number of calls that came in a period, and in the period before.
struct Demand {
    began: Instant,
    current: u32,
    previous: u32,
}

/// The decision about a call.
#[derive(Debug)]
pub(super) enum Decision {
    Begins,
    /// The call may be repeated after that time.
    Refused(Duration),
    /// The caller waits for a draw, and must leave.
    Waits,
    /// The source failed. The call finds out if it answers again, without waiting, and takes from this process's share.
    Tries,
}

/// The purpose of a draw.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Callers wait for calls.
    Callers,
    /// Finds out if the source answers again.
    Try,
}

impl Allotments {
    pub(super) fn new(rate: Rate, replicas: NonZeroU32) -> Self {
        let share = rate.share_of(replicas);
        let burst = rate.burst_size().get();
        let in_200_ms = Duration::from_millis(200).as_nanos() / rate.interval().as_nanos();
        let in_200_ms = u32::try_from(in_200_ms).unwrap_or(u32::MAX);
        Self {
            rate,
            replicas,
            share: Share {
                interval: share.interval(),
                window: share.window(),
            },
            max_in_advance: in_200_ms.clamp(1, burst),
            // A bucket that is full before the next draw would lose calls.
            pause: (rate.window() / 2).clamp(MIN_PAUSE, MAX_PAUSE),
            keys: Mutex::new(Keys {
                allotments: HashMap::default(),
                until_sweep: MIN_SWEEP_INTERVAL,
                failures: Failures::default(),
                next_draw: None,
                tried_by: None,
                recovered_at: None,
            }),
            draws: AtomicU64::new(0),
            failed_draws: AtomicU64::new(0),
            local_calls: AtomicU64::new(0),
        }
    }

    pub(super) fn rate(&self) -> Rate {
        self.rate
    }

    pub(super) fn is_alike(&self, other: &Self) -> bool {
        self.rate == other.rate && self.replicas == other.replicas
    }

    pub(super) fn status(&self) -> SharedRateStatus {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        SharedRateStatus {
            draws: count(&self.draws),
            failed_draws: count(&self.failed_draws),
            local_calls: count(&self.local_calls),
        }
    }

    /// Locks the keys. Poisoning is ignored, because no change of them can panic half-way.
    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides about a call that has just come.
    pub(super) fn take(&self, key: &ConnectionKey) -> Decision {
        let now = Instant::now();
        let mut keys = self.keys();
        keys.sweep_in_time(now);
        let is_recovering = keys.recovers(key, now);
        let Keys {
            allotments,
            next_draw,
            tried_by,
            ..
        } = &mut *keys;
        let allotment = match allotments.get_mut(key) {
            Some(allotment) => allotment,
            None => allotments.entry(key.clone()).or_insert(Allotment::new(now)),
        };
        allotment.demand.count(now);
        allotment.expire(now);
        if allotment.calls > allotment.waiting {
            allotment.begin(&self.share, now);
            return Decision::Begins;
        }
        if now < allotment.until {
            return Decision::Refused(allotment.until - now);
        }
        if is_recovering {
            return self.decide_by_share(allotment, now);
        }
        // While the source counts as failed for all keys, one of all keys tries it.
        if let Some(next) = next_draw {
            let is_again = tried_by.as_ref() == Some(key);
            let from = if is_again {
                *next + FAILURE_PAUSE
            } else {
                *next
            };
            if from > now {
                return self.decide_by_share(allotment, now);
            }
            *next = now + FAILURE_PAUSE;
            *tried_by = Some(key.clone());
            return Decision::Tries;
        }
        match &mut allotment.next_draw {
            None => {
                allotment.waiting = allotment.waiting.saturating_add(1);
                Decision::Waits
            }
            Some(next) if *next <= now => {
                *next = now + FAILURE_PAUSE;
                Decision::Tries
            }
            Some(_) => self.decide_by_share(allotment, now),
        }
    }

    /// Decides about a caller that has waited. If the caller must wait for another draw, the decision is [`Decision::Waits`].
    pub(super) fn take_after_draw(&self, key: &ConnectionKey) -> Decision {
        let now = Instant::now();
        let mut keys = self.keys();
        let is_failed = keys.next_draw.is_some();
        // A key with callers that wait is never removed.
        let Some(allotment) = keys.allotments.get_mut(key) else {
            return Decision::Waits;
        };
        allotment.expire(now);
        if allotment.calls > 0 {
            allotment.begin(&self.share, now);
            Decision::Begins
        } else if now < allotment.until {
            Decision::Refused(allotment.until - now)
        } else if is_failed || allotment.next_draw.is_some() {
            self.decide_by_share(allotment, now)
        } else {
            Decision::Waits
        }
    }

    /// Counts a call in this process's own bucket.
    ///
    /// # Errors
    ///
    /// The time after which the call may be repeated.
    pub(super) fn take_of_share(&self, key: &ConnectionKey) -> Result<(), Duration> {
        let mut keys = self.keys();
        let Some(allotment) = keys.allotments.get_mut(key) else {
            return Ok(());
        };
        match self.decide_by_share(allotment, Instant::now()) {
            Decision::Refused(wait) => Err(wait),
            _ => Ok(()),
        }
    }

    fn decide_by_share(&self, allotment: &mut Allotment, now: Instant) -> Decision {
        let full_at = allotment.full_at.max(now) + self.share.interval;
        let needed = full_at - now;
        if needed > self.share.window {
            return Decision::Refused(needed - self.share.window);
        }
        allotment.full_at = full_at;
        self.local_calls.fetch_add(1, Ordering::Relaxed);
        Decision::Begins
    }

    /// Removes a caller that has waited.
    pub(super) fn leave(&self, key: &ConnectionKey) {
        if let Some(allotment) = self.keys().allotments.get_mut(key) {
            allotment.waiting = allotment.waiting.saturating_sub(1);
        }
    }

    /// Returns `true` if a draw is needed now.
    pub(super) fn needs_draw(&self, key: &ConnectionKey, purpose: Purpose) -> bool {
        let now = Instant::now();
        let mut keys = self.keys();
        keys.allotments.get_mut(key).is_some_and(|allotment| {
            allotment.expire(now);
            let is_wanted = purpose == Purpose::Try || allotment.calls < allotment.waiting;
            is_wanted && allotment.until <= now
        })
    }

    /// Returns the number of calls to draw: for the callers that wait, and for those that are expected.
    pub(super) fn want(&self, key: &ConnectionKey) -> NonZeroU32 {
        let now = Instant::now();
        let mut keys = self.keys();
        let want = keys.allotments.get_mut(key).map_or(1, |allotment| {
            let expected = allotment.demand.expected(now).min(self.max_in_advance);
            let waiting = allotment.waiting.saturating_sub(allotment.calls);
            waiting.max(expected)
        });
        let want = NonZeroU32::new(want).unwrap_or(NonZeroU32::MIN);
        want.min(self.rate.burst_size())
    }

    pub(super) fn on_drawn(&self, key: &ConnectionKey, want: NonZeroU32, drawn: Drawn) {
        self.draws.fetch_add(1, Ordering::Relaxed);
        let now = Instant::now();
        let mut keys = self.keys();
        keys.failures = Failures::default();
        keys.tried_by = None;
        if keys.next_draw.take().is_some() {
            keys.recovered_at = Some(now);
        }
        // If the key has been forgotten meanwhile, nobody needs the calls.
        let Some(allotment) = keys.allotments.get_mut(key) else {
            return;
        };
        let granted = drawn.granted().min(want.get());
        allotment.expire(now);
        allotment.calls = allotment.calls.saturating_add(granted);
        allotment.expires = now + LIFETIME;
        allotment.next_draw = None;
        if granted < want.get() {
            let wait = drawn.again_after().min(MAX_REFUSAL).max(self.pause);
            allotment.until = now + wait;
        }
    }

    pub(super) fn on_failed(&self, key: &ConnectionKey) {
        self.draws.fetch_add(1, Ordering::Relaxed);
        self.failed_draws.fetch_add(1, Ordering::Relaxed);
        let next = Instant::now() + FAILURE_PAUSE;
        let mut keys = self.keys();
        keys.failures.add(key);
        if keys.failures.are_of_source() {
            keys.next_draw = Some(next);
        }
        keys.delay(key, next);
    }

    /// The draw says nothing about the source, so it doesn't concern other keys.
    pub(super) fn on_not_sent(&self, key: &ConnectionKey) {
        self.draws.fetch_add(1, Ordering::Relaxed);
        self.failed_draws.fetch_add(1, Ordering::Relaxed);
        self.keys().delay(key, Instant::now() + FAILURE_PAUSE);
    }
}

#[cfg(test)]
impl Allotments {
    pub(super) fn len(&self) -> usize {
        self.keys().allotments.len()
    }

    pub(super) fn has_failed_source(&self) -> bool {
        self.keys().next_draw.is_some()
    }

    /// Returns the number of calls that the key has drawn and not used.
    pub(super) fn calls(&self, key: &ConnectionKey) -> u32 {
        self.keys().allotments.get_mut(key).map_or(0, |allotment| {
            allotment.expire(Instant::now());
            allotment.calls
        })
    }

    pub(super) fn waiting(&self, key: &ConnectionKey) -> u32 {
        let keys = self.keys();
        keys.allotments
            .get(key)
            .map_or(0, |allotment| allotment.waiting)
    }
}

impl Keys {
    /// Sets the time of the next draw of a key whose draw failed.
    fn delay(&mut self, key: &ConnectionKey, next: Instant) {
        if let Some(allotment) = self.allotments.get_mut(key) {
            allotment.next_draw = Some(next);
        }
    }

    /// Forgets a recovery that is over. Returns `true` if the key doesn't draw yet: the draws of all keys at once could make the source
    /// fail again.
    fn recovers(&mut self, key: &ConnectionKey, now: Instant) -> bool {
        let Some(recovered_at) = self.recovered_at else {
            return false;
        };
        if now >= recovered_at + RECOVERY {
            self.recovered_at = None;
            return false;
        }
        let part = self.allotments.hasher().hash_one(key) % 1024;
        let pause = RECOVERY * u32::try_from(part).unwrap_or(0) / 1024;
        now < recovered_at + pause
    }

    /// Removes the allotments that have the same meaning as a missing allotment, in the way of [`Rates`](super::rate::Rates): on average, a
    /// call pays for the check of at most two allotments.
    fn sweep_in_time(&mut self, now: Instant) {
        self.until_sweep = self.until_sweep.saturating_sub(1);
        if self.until_sweep == 0 {
            self.allotments
                .retain(|_, allotment| !allotment.is_empty(now));
            self.allotments.shrink_to_fit();
            self.until_sweep = self.allotments.len().max(MIN_SWEEP_INTERVAL);
        }
    }
}

impl Allotment {
    fn new(now: Instant) -> Self {
        Self {
            calls: 0,
            expires: now,
            waiting: 0,
            until: now,
            next_draw: None,
            full_at: now,
            demand: Demand {
                began: now,
                current: 0,
                previous: 0,
            },
        }
    }

    fn expire(&mut self, now: Instant) {
        if self.expires <= now {
            self.calls = 0;
        }
    }

    /// Begins a call of those that were drawn.
    fn begin(&mut self, share: &Share, now: Instant) {
        self.calls = self.calls.saturating_sub(1);
        let full_at = self.full_at.max(now) + share.interval;
        self.full_at = full_at.min(now + share.window);
    }

    /// Returns `true` if a missing allotment has the same meaning.
    fn is_empty(&self, now: Instant) -> bool {
        self.waiting == 0
            && (self.calls == 0 || self.expires <= now)
            && self.until <= now
            && self.full_at <= now
            && self.next_draw.is_none_or(|next| next <= now)
            && self.demand.is_over(now)
    }
}

impl Demand {
    fn count(&mut self, now: Instant) {
        self.go_on(now);
        self.current = self.current.saturating_add(1);
    }

    /// Returns the number of calls that are expected in the next period.
    fn expected(&mut self, now: Instant) -> u32 {
        self.go_on(now);
        self.current.max(self.previous)
    }

    /// Begins the next period if the current period is over.
    fn go_on(&mut self, now: Instant) {
        if self.is_over(now) {
            (self.began, self.current, self.previous) = (now, 0, 0);
        } else if now - self.began >= HORIZON {
            self.began += HORIZON;
            (self.current, self.previous) = (0, self.current);
        }
    }

    /// Returns `true` if no call came in the last two periods.
    fn is_over(&self, now: Instant) -> bool {
        now - self.began >= 2 * HORIZON
    }
}
