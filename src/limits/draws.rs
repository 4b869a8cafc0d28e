//! Draws calls in batches from a `SharedRate`, here called the source, that counts the calls of all processes.
//!
//! For each connection key, a process has an allotment of calls that it has drawn and not used. A call takes from the allotment without
//! waiting. If the allotment is empty, one task draws, and all callers of the key wait for it. If the source fails, calls are counted in
//! a bucket of this process, with the process's share of the rate.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::thread::panicking;
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};

use super::allotments::{Allotments, Decision, Purpose};
use super::draw_events::DrawEvents;
use super::rate::too_fast;
use super::shared_rate::{AnySharedRate, DrawNotSent, SharedRateLimit, SharedRateStatus};
use crate::connection::ConnectionKey;
use crate::error::{BoxError, Error};
use crate::single_flight::{Join, Leader, SingleFlight, Waiter};

/// The maximum time of a draw, and the maximum time for which a call waits for all its draws.
const DRAW_TIMEOUT: Duration = Duration::from_millis(250);
/// The error of a draw without an answer in [`DRAW_TIMEOUT`].
const TOO_LATE: &str = "there was no answer in 250 ms";
const PANICKED: &str = "the draw ended without an answer, because the thread panicked";
/// The maximum number of draws for which a call waits, in case that later callers take what was drawn.
const MAX_DRAWS_OF_CALL: u32 = 4;
/// The maximum number of keys that draw at the same time.
const MAX_KEYS_DRAWING: usize = 16_384;

/// A wait for a draw, which ends when the call may begin or is refused.
pub(crate) type Wait = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// The source of a service, and the allotments and draws, which a later service can take over. Cloning increments reference counts.
#[derive(Clone)]
pub(super) struct SharedRates {
    source: Arc<dyn AnySharedRate>,
    allotments: Arc<Allotments>,
    flights: Arc<SingleFlight<ConnectionKey, (), ()>>,
    events: Arc<DrawEvents>,
}

impl SharedRates {
    pub(super) fn new(limit: SharedRateLimit) -> Self {
        let (rate, replicas, source) = limit.into_parts();
        Self {
            source,
            allotments: Arc::new(Allotments::new(rate, replicas)),
            flights: SingleFlight::new(MAX_KEYS_DRAWING),
            events: Arc::default(),
        }
    }

    /// Shares the allotments of another service, if they have the same rate and are counted in the same place. The source stays the own
    /// source.
    pub(super) fn share_with(&mut self, other: &Self) {
        let is_same = self.source.is_same(&*other.source);
        if is_same && self.allotments.is_alike(&other.allotments) {
            self.allotments = Arc::clone(&other.allotments);
            self.flights = Arc::clone(&other.flights);
            self.events = Arc::clone(&other.events);
        }
    }

    pub(super) fn status(&self) -> SharedRateStatus {
        self.allotments.status()
    }

    /// Admits or refuses a call, or returns the wait for a draw.
    pub(super) fn admit(&self, key: &ConnectionKey) -> Result<Option<Wait>, Error> {
        match self.allotments.take(key) {
            Decision::Begins => Ok(None),
            Decision::Refused(wait) => Err(too_fast(wait)),
            Decision::Waits => {
                let place = Place {
                    allotments: Arc::clone(&self.allotments),
                    key: key.clone(),
                };
                Ok(Some(Box::pin(self.clone().wait(place))))
            }
            Decision::Tries => {
                // The call doesn't wait for the draw.
                drop(self.join(key, Purpose::Try));
                self.take_of_share(key).map(|()| None)
            }
        }
    }

    async fn wait(self, place: Place) -> Result<(), Error> {
        let until = Instant::now() + DRAW_TIMEOUT;
        for _ in 0..MAX_DRAWS_OF_CALL {
            let is_late = match self.join(&place.key, Purpose::Callers) {
                // Without a result, the draw has failed.
                Ok(Some(draw)) => timeout_at(until, draw.result()).await.is_err(),
                Ok(None) => false,
                Err(TooMany) => break,
            };
            match self.allotments.take_after_draw(&place.key) {
                Decision::Begins => return Ok(()),
                Decision::Refused(wait) => return Err(too_fast(wait)),
                Decision::Waits | Decision::Tries if is_late => break,
                Decision::Waits | Decision::Tries => {}
            }
        }
        self.take_of_share(&place.key)
    }

    fn take_of_share(&self, key: &ConnectionKey) -> Result<(), Error> {
        self.allotments.take_of_share(key).map_err(too_fast)
    }

    /// Joins the draw of the key that is under way, or starts a draw. Returns `None` if none is needed any more.
    fn join(&self, key: &ConnectionKey, purpose: Purpose) -> Result<Option<Waiter<()>>, TooMany> {
        // A draw may have ended since the caller has looked. The table of draws may be locked before the allotments, and never after them.
        let may_start = |&(): &()| match self.allotments.needs_draw(key, purpose) {
            true => Ok(()),
            false => Err(()),
        };
        match self.flights.join(key, may_start) {
            Ok(Join::Joined(draw)) => Ok(Some(draw)),
            Ok(Join::Started(leader, draw)) => {
                self.start(key.clone(), leader);
                Ok(Some(draw))
            }
            Ok(Join::Full) => Err(TooMany),
            Err(()) => Ok(None),
        }
    }

    /// Draws in a task, so that a caller that leaves doesn't lose what was drawn.
    fn start(&self, key: ConnectionKey, leader: Leader<ConnectionKey, (), ()>) {
        let (source, allotments) = (Arc::clone(&self.source), Arc::clone(&self.allotments));
        let events = Arc::clone(&self.events);
        tokio::spawn(async move {
            let mut attempt = Attempt {
                allotments,
                key,
                end: End::Unfinished,
                leader: Some(leader),
                events,
            };
            let want = attempt.allotments.want(&attempt.key);
            let draw = source.draw(attempt.key.clone(), attempt.allotments.rate(), want);
            let drawn = timeout(DRAW_TIMEOUT, draw).await;
            match drawn.unwrap_or_else(|_| Err(TOO_LATE.into())) {
                Ok(drawn) => {
                    attempt.end = End::Drawn;
                    attempt.allotments.on_drawn(&attempt.key, want, drawn);
                }
                Err(error) if error.is::<DrawNotSent>() => attempt.end = End::NotSent(error),
                Err(error) => attempt.end = End::Failed(error),
            }
        });
    }
}

/// The error of a key that can't draw because too many other keys are drawing.
struct TooMany;

/// A draw under way. It has failed unless its end says otherwise, because a source can also panic.
struct Attempt {
    allotments: Arc<Allotments>,
    key: ConnectionKey,
    end: End,
    /// The callers that wait for the draw.
    leader: Option<Leader<ConnectionKey, (), ()>>,
    events: Arc<DrawEvents>,
}

enum End {
    Drawn,
    Failed(BoxError),
    NotSent(BoxError),
    /// The source panicked, or the runtime ends.
    Unfinished,
}

impl Drop for Attempt {
    fn drop(&mut self) {
        match &self.end {
            End::Drawn => {}
            End::Failed(_) | End::Unfinished => self.allotments.on_failed(&self.key),
            End::NotSent(_) => self.allotments.on_not_sent(&self.key),
        }
        // The allotments are complete now. The callers don't wait for the log.
        if let Some(leader) = self.leader.take() {
            leader.complete(());
        }
        match &self.end {
            End::Drawn => self.events.on_drawn(),
            End::Failed(error) | End::NotSent(error) => {
                self.events.on_failed(&self.key, &**error);
            }
            End::Unfinished if panicking() => {
                self.events.on_failed(&self.key, &*BoxError::from(PANICKED));
            }
            End::Unfinished => {}
        }
    }
}

/// The place of a caller that waits for a draw. The caller may leave at any time.
struct Place {
    allotments: Arc<Allotments>,
    key: ConnectionKey,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.allotments.leave(&self.key);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use tokio::task::yield_now;
    use tokio::time::advance;

    use std::collections::HashMap;
    use std::num::NonZeroU32;
    use std::sync::Mutex;
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::error::BoxError;
    use crate::limits::{Drawn, Rate, SharedRate};

    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Mode {
        Answers,
        Fails,
        Hangs,
        Panics,
        /// Answers after that time.
        Slow(Duration),
        /// Has no place for a draw.
        Full,
    }

    /// A token bucket for each key, and the draws.
    struct Model {
        buckets: Mutex<HashMap<ConnectionKey, Instant>>,
        draws: Mutex<Vec<(ConnectionKey, u32, u32)>>,
        mode: Mutex<Mode>,
        /// The key whose draws hang.
        hanging: Option<ConnectionKey>,
        place: &'static str,
    }

    impl Model {
        fn new() -> Arc<Self> {
            Self::with_hanging(None)
        }

        fn with_hanging(hanging: Option<ConnectionKey>) -> Arc<Self> {
            Arc::new(Self {
                buckets: Mutex::default(),
                draws: Mutex::default(),
                mode: Mutex::new(Mode::Answers),
                hanging,
                place: "here",
            })
        }

        fn elsewhere() -> Arc<Self> {
            let mut model = Self::new();
            Arc::get_mut(&mut model).unwrap().place = "elsewhere";
            model
        }

        fn set(&self, mode: Mode) {
            *self.mode.lock().unwrap() = mode;
        }

        fn draws(&self) -> Vec<(ConnectionKey, u32, u32)> {
            self.draws.lock().unwrap().clone()
        }

        fn count(&self) -> usize {
            self.draws.lock().unwrap().len()
        }
    }

    impl SharedRate for Model {
        fn is_same(&self, other: &Self) -> bool {
            self.place == other.place
        }

        async fn draw(
            &self,
            key: &ConnectionKey,
            rate: Rate,
            want: NonZeroU32,
        ) -> Result<Drawn, BoxError> {
            let mode = *self.mode.lock().unwrap();
            let note = |granted| {
                let mut draws = self.draws.lock().unwrap();
                draws.push((key.clone(), want.get(), granted));
            };
            if let Mode::Slow(time) = mode {
                tokio::time::sleep(time).await;
            }
            match mode {
                _ if self.hanging.as_ref() == Some(key) => {}
                Mode::Answers | Mode::Slow(_) => {
                    let now = Instant::now();
                    let mut buckets = self.buckets.lock().unwrap();
                    let full_at = buckets.entry(key.clone()).or_insert(now);
                    let mut granted = 0;
                    while granted < want.get()
                        && (*full_at).max(now) + rate.interval() <= now + rate.window()
                    {
                        *full_at = (*full_at).max(now) + rate.interval();
                        granted += 1;
                    }
                    let next = (*full_at).max(now) + rate.interval();
                    note(granted);
                    return Ok(Drawn::new(granted, next - (now + rate.window())));
                }
                Mode::Fails => {
                    note(0);
                    return Err("away\n\"".into());
                }
                Mode::Panics => {
                    note(0);
                    #[expect(clippy::panic, reason = "a source may panic")]
                    {
                        panic!("the source panics")
                    }
                }
                Mode::Full => return Err(DrawNotSent.into()),
                Mode::Hangs => {}
            }
            note(0);
            std::future::pending().await
        }
    }

    /// A wait that is polled by hand.
    struct Polled(Wait);

    impl Polled {
        fn poll(&mut self) -> Poll<Result<(), Error>> {
            self.0
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
        }
    }

    fn key(text: &str) -> ConnectionKey {
        ConnectionKey::try_from(text).unwrap()
    }

    fn number(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).unwrap()
    }

    fn rates(model: &Arc<Model>, rate: Rate) -> SharedRates {
        SharedRates::new(SharedRateLimit::new(rate, Arc::clone(model)).replicas(number(3)))
    }

    async fn call(rates: &SharedRates, id: &str) -> Result<(), Error> {
        match rates.admit(&key(id))? {
            Some(wait) => wait.await,
            None => Ok(()),
        }
    }

    async fn count_of(rates: &SharedRates, id: &str, calls: u32) -> u32 {
        let mut begun = 0;
        for _ in 0..calls {
            begun += u32::from(call(rates, id).await.is_ok());
        }
        begun
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_key_draws_some_times_a_second_and_an_idle_key_never() {
        let model = Model::new();
        let rates = rates(&model, Rate::per_second(number(200)));
        for second in 1..=5 {
            for _ in 0..100 {
                advance(Duration::from_millis(10)).await;
                assert!(call(&rates, "c").await.is_ok(), "{second}");
            }
            let count = model.count();
            // The first draws are small.
            assert!(
                (5 * second..=10 * second + 10).contains(&count),
                "{count} draws in {second} s"
            );
        }
        let count = model.count();
        advance(Duration::from_secs(10)).await;
        assert_eq!(model.count(), count);
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_above_its_rate_is_refused_without_another_draw() {
        let model = Model::new();
        let rates = rates(&model, Rate::per_minute(number(6)).burst(number(2)));
        assert_eq!(count_of(&rates, "c", 1_000).await, 2);
        assert_eq!(model.count(), 3);
        let wait = call(&rates, "c").await.unwrap_err().retry_after().unwrap();
        assert!(wait > Duration::from_millis(9_900) && wait <= Duration::from_secs(10));
        advance(Duration::from_secs(5)).await;
        assert_eq!(count_of(&rates, "c", 1_000).await, 0);
        let wait = call(&rates, "c").await.unwrap_err().retry_after().unwrap();
        assert!(wait <= Duration::from_secs(5));
        assert_eq!(model.count(), 3);
        advance(wait).await;
        assert_eq!(count_of(&rates, "c", 1_000).await, 1);
        assert!(model.count() <= 5);
        // The refusal doesn't wait.
        assert!(rates.admit(&key("c")).is_err());
        // Another key isn't concerned.
        assert!(call(&rates, "d").await.is_ok());
    }

    /// A rate of a call each millisecond would allow a draw each millisecond.
    #[tokio::test(start_paused = true)]
    async fn a_fast_rate_is_reached_and_its_draws_have_pauses() {
        let model = Model::new();
        let rates = rates(&model, Rate::per_second(number(1_000)).burst(number(200)));
        let mut begun = 0;
        for _ in 0..2_000 {
            advance(Duration::from_millis(1)).await;
            begun += count_of(&rates, "c", 5).await;
        }
        assert!((1_900..=2_200).contains(&begun), "{begun}");
        assert!(model.count() < 60, "{}", model.count());
    }

    #[tokio::test(start_paused = true)]
    async fn all_processes_together_stay_below_the_rate() {
        let model = Model::new();
        let rate = Rate::per_second(number(50)).burst(number(20));
        let three = [(); 3].map(|()| rates(&model, rate));
        let mut begun = 0;
        for _ in 0..1_000 {
            advance(Duration::from_millis(10)).await;
            for rates in &three {
                begun += count_of(rates, "c", 3).await;
            }
        }
        // 10 s, and a burst. Some calls are drawn by a process that has none to begin.
        assert!((450..=520).contains(&begun), "{begun}");
        let granted: u32 = model.draws().iter().map(|(_, _, granted)| granted).sum();
        assert!(begun <= granted);
    }

    #[tokio::test(start_paused = true)]
    async fn callers_who_come_at_once_share_a_draw() {
        let model = Model::new();
        let rates = rates(&model, Rate::per_second(number(100)));
        let waits: Vec<_> = (0..50)
            .filter_map(|_| rates.admit(&key("c")).unwrap())
            .collect();
        assert_eq!(waits.len(), 50);
        let tasks: Vec<_> = waits.into_iter().map(tokio::spawn).collect();
        for task in tasks {
            assert!(task.await.unwrap().is_ok());
        }
        assert_eq!(model.draws(), [(key("c"), 50, 50)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_later_call_does_not_take_what_was_drawn_for_a_caller_that_waits() {
        let model = Model::new();
        let rates = rates(&model, Rate::per_minute(number(6)));
        let wait = rates.admit(&key("c")).unwrap().unwrap();
        let mut wait = Polled(wait);
        assert!(wait.poll().is_pending());
        yield_now().await;
        assert_eq!(rates.allotments.calls(&key("c")), 1);
        let later = rates.admit(&key("c")).unwrap().unwrap();
        assert!(matches!(wait.poll(), Poll::Ready(Ok(()))));
        assert!(later.await.is_ok());
        assert_eq!(model.draws(), [(key("c"), 1, 1), (key("c"), 1, 1)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_source_that_grants_too_much_grants_what_was_wanted() {
        let model = Model::new();
        let rates = rates(&model, Rate::per_minute(number(6)));
        assert!(call(&rates, "c").await.is_ok());
        let drawn = Drawn::new(100, Duration::ZERO);
        rates.allotments.on_drawn(&key("c"), number(2), drawn);
        assert_eq!(rates.allotments.calls(&key("c")), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_drawn_and_is_not_used_is_lost() {
        let model = Model::new();
        let rates = rates(&model, Rate::per_second(number(100)));
        assert_eq!(count_of(&rates, "c", 20).await, 20);
        let is_left = |rates: &SharedRates| rates.allotments.calls(&key("c")) > 0;
        assert!(is_left(&rates));
        advance(Duration::from_secs(1)).await;
        assert!(!is_left(&rates));
    }

    #[tokio::test(start_paused = true)]
    async fn a_source_that_fails_leaves_each_process_its_share() {
        let model = Model::new();
        let rates = rates(&model, Rate::per_minute(number(6)).burst(number(9)));
        // The calls that the process has begun before count.
        assert_eq!(count_of(&rates, "c", 1).await, 1);
        model.set(Mode::Fails);
        advance(Duration::from_secs(1)).await;
        let before = model.count();
        assert_eq!(count_of(&rates, "c", 500).await, 2);
        assert_eq!(model.count(), before + 1);
        let wait = call(&rates, "c").await.unwrap_err().retry_after().unwrap();
        assert!(wait > Duration::from_secs(28) && wait <= Duration::from_secs(30));
        // A single draw a second finds out if the source answers.
        for second in 1..10 {
            advance(Duration::from_secs(1)).await;
            assert_eq!(count_of(&rates, "c", 100).await, 0, "{second}");
            yield_now().await;
        }
        assert!(model.count() <= before + 11, "{}", model.count());
        // After a failure of another key, all keys have a share, without a draw of their own.
        assert!(call(&rates, "z").await.is_ok());
        let count = model.count();
        for id in ["d", "e", "f"] {
            assert!(rates.admit(&key(id)).unwrap().is_none());
        }
        assert_eq!(model.count(), count);
        let status = rates.status();
        assert_eq!(status.local_calls, 2 + 1 + 3);
        assert!(status.failed_draws >= 9 && status.draws > status.failed_draws);

        model.set(Mode::Answers);
        advance(Duration::from_secs(1)).await;
        assert!(rates.admit(&key("d")).unwrap().is_none());
        for _ in 0..5 {
            yield_now().await;
        }
        assert!(!rates.allotments.has_failed_source());
        // The other keys begin to draw within a second, and not all at once.
        let draws = |from: u32| {
            (from..from + 100)
                .filter(|nth| rates.admit(&key(&format!("g{nth}"))).unwrap().is_some())
                .count()
        };
        assert!(draws(0) < 10);
        advance(Duration::from_millis(500)).await;
        assert!((20..80).contains(&draws(100)));
        advance(Duration::from_millis(500)).await;
        assert_eq!(draws(200), 100);
    }

    #[tokio::test(start_paused = true)]
    async fn x2_a_key_that_always_fails_does_not_keep_the_other_keys_on_the_share() {
        let model = Model::with_hanging(Some(key("odd")));
        let rates = rates(&model, Rate::per_second(number(30)));
        for _ in 0..5 {
            let _ = call(&rates, "odd").await;
            advance(Duration::from_secs(1)).await;
        }
        assert!(!rates.allotments.has_failed_source());
        model.set(Mode::Fails);
        for id in ["a", "b", "c"] {
            let _ = call(&rates, id).await;
        }
        assert!(rates.allotments.has_failed_source());
        model.set(Mode::Answers);
        for _ in 0..5 {
            advance(Duration::from_millis(1_100)).await;
            // The key that fails comes first each time.
            for id in ["odd", "a"] {
                let _ = call(&rates, id).await;
            }
            for _ in 0..5 {
                yield_now().await;
            }
        }
        assert!(!rates.allotments.has_failed_source());
    }

    /// Other keys aren't concerned by a draw that waited for a place.
    #[tokio::test(start_paused = true)]
    async fn x2_draws_that_are_not_sent_do_not_count_as_failures_of_the_source() {
        let model = Model::new();
        model.set(Mode::Full);
        let rates = rates(&model, Rate::per_second(number(30)));
        for id in 0..10 {
            assert!(call(&rates, &id.to_string()).await.is_ok());
        }
        assert_eq!(rates.status().failed_draws, 10);
        assert!(!rates.allotments.has_failed_source());
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_waits_250_ms_for_all_its_draws_and_then_takes_from_the_share() {
        let model = Model::new();
        model.set(Mode::Slow(Duration::from_millis(240)));
        let rates = rates(&model, Rate::per_second(number(30)));
        let first = tokio::spawn(rates.admit(&key("c")).unwrap().unwrap());
        tokio::time::sleep(Duration::from_millis(100)).await;
        // The first draw is for the first caller alone, and the second draw ends too late.
        let second = rates.admit(&key("c")).unwrap().unwrap();
        let began = Instant::now();
        assert!(second.await.is_ok());
        assert!(began.elapsed() <= DRAW_TIMEOUT + Duration::from_millis(5));
        assert!(first.await.unwrap().is_ok());
        assert_eq!(rates.status().local_calls, 1);
    }

    /// With a round trip to the source.
    #[tokio::test(start_paused = true)]
    async fn a_rate_with_the_smallest_recommended_burst_is_reached() {
        let model = Model::new();
        model.set(Mode::Slow(Duration::from_millis(5)));
        let rates = rates(&model, Rate::per_second(number(1_000)).burst(number(100)));
        let mut begun = 0;
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(5) {
            advance(Duration::from_millis(1)).await;
            begun += count_of(&rates, "c", 5).await;
        }
        assert!((4_900..=5_200).contains(&begun), "{begun}");
    }

    /// The calls that a replica draws in advance are missing at the other replicas.
    #[tokio::test(start_paused = true)]
    async fn a_large_burst_is_not_drawn_in_advance() {
        let model = Model::new();
        let rates = rates(&model, Rate::per_minute(number(60)).burst(number(800)));
        assert_eq!(count_of(&rates, "c", 20).await, 20);
        let granted: u32 = model.draws().iter().map(|(_, _, granted)| granted).sum();
        assert_eq!(granted, 20);
    }

    #[tokio::test(start_paused = true)]
    async fn no_call_waits_long_for_a_source_that_does_not_answer() {
        let model = Model::new();
        model.set(Mode::Hangs);
        let rates = rates(&model, Rate::per_second(number(30)));
        let began = Instant::now();
        assert!(call(&rates, "c").await.is_ok());
        assert!(began.elapsed() <= DRAW_TIMEOUT + Duration::from_millis(5));
        yield_now().await;
        for second in 0..10 {
            // Each call is admitted at once.
            assert!(rates.admit(&key("c")).unwrap().is_none(), "{second}");
            advance(Duration::from_secs(1)).await;
        }
        for id in ["d", "e"] {
            assert!(call(&rates, id).await.is_ok());
        }
        assert!(rates.admit(&key("f")).unwrap().is_none());
        assert!(model.count() <= 13, "{}", model.count());
    }

    #[tokio::test(start_paused = true)]
    async fn x2_a_key_whose_draws_fail_does_not_concern_other_keys() {
        let model = Model::with_hanging(Some(key("odd")));
        let rates = rates(&model, Rate::per_second(number(30)));
        let wait = rates.admit(&key("odd")).unwrap().unwrap();
        let odd = tokio::spawn(wait);
        yield_now().await;
        let began = Instant::now();
        assert_eq!(count_of(&rates, "c", 20).await, 20);
        assert_eq!(began.elapsed(), Duration::ZERO);
        assert!(odd.await.unwrap().is_ok());
        for _ in 0..20 {
            advance(Duration::from_secs(1)).await;
            assert!(call(&rates, "odd").await.is_ok());
            assert!(call(&rates, "c").await.is_ok());
        }
        assert!(!rates.allotments.has_failed_source());
    }

    #[cfg(feature = "tracing")]
    #[tokio::test(start_paused = true)]
    async fn failed_draws_are_logged_every_10_s_and_the_next_success_once() {
        /// A log in memory.
        #[derive(Clone, Default)]
        struct Log(Arc<Mutex<Vec<u8>>>);

        impl std::io::Write for Log {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.lock().unwrap().write(bytes)
            }

            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }

        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .without_time()
            .finish();
        let _guard = tracing::subscriber::set_default(subscriber);
        let lines = || String::from_utf8(std::mem::take(&mut *log.0.lock().unwrap())).unwrap();

        let model = Model::new();
        let rates = rates(&model, Rate::per_second(number(30)));
        assert!(call(&rates, "c").await.is_ok());
        assert_eq!(lines(), "");
        model.set(Mode::Fails);
        let failed = "a draw of the rate that all processes share failed, so this process counts the calls of the connection";
        for id in ["d", "e", "f"] {
            let _ = call(&rates, id).await;
        }
        let event = |cause, id, left_out| {
            format!(
                " WARN tower_passthrough: {failed}: {cause} connection=\"{id}\" left_out={left_out}\n"
            )
        };
        assert_eq!(lines(), event("away\\n\\\"", "d", 0));
        advance(Duration::from_secs(10)).await;
        model.set(Mode::Hangs);
        let _ = call(&rates, "g").await;
        tokio::time::sleep(DRAW_TIMEOUT * 2).await;
        assert_eq!(lines(), event(TOO_LATE, "g", 2));
        assert!(TOO_LATE.contains(&format!("{DRAW_TIMEOUT:?}").replace("ms", " ms")));
        advance(Duration::from_secs(10)).await;
        model.set(Mode::Panics);
        let _ = call(&rates, "p").await;
        yield_now().await;
        assert_eq!(lines(), event(PANICKED, "p", 0));
        model.set(Mode::Answers);
        for _ in 0..3 {
            advance(Duration::from_secs(2)).await;
            let _ = call(&rates, "c").await;
            yield_now().await;
        }
        let again = "a draw of the rate that all processes share succeeded again";
        assert_eq!(lines(), format!(" INFO tower_passthrough: {again}\n"));
        // A failure soon after a logged failure isn't logged, and neither is the success after it.
        model.set(Mode::Full);
        let _ = call(&rates, "h").await;
        model.set(Mode::Answers);
        advance(Duration::from_secs(1)).await;
        let _ = call(&rates, "h").await;
        yield_now().await;
        assert_eq!(lines(), "");
    }

    #[tokio::test(start_paused = true)]
    async fn a_source_that_panics_has_failed() {
        let model = Model::new();
        model.set(Mode::Panics);
        let rates = rates(&model, Rate::per_second(number(30)));
        assert!(call(&rates, "c").await.is_ok());
        assert_eq!(rates.status().failed_draws, 1);
        assert_eq!(rates.flights.len(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_leaves_leaves_nothing_behind() {
        let model = Model::new();
        let rates = rates(&model, Rate::per_second(number(30)));
        drop(rates.admit(&key("c")).unwrap());
        assert_eq!(model.count(), 0);
        let mut wait = Polled(rates.admit(&key("c")).unwrap().unwrap());
        assert!(wait.poll().is_pending());
        drop(wait);
        yield_now().await;
        assert_eq!(rates.allotments.waiting(&key("c")), 0);
        // The draw ends, and the next call needs no other draw.
        assert!(rates.admit(&key("c")).unwrap().is_none());
        assert_eq!(model.count(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn x2_keys_without_recent_calls_are_forgotten() {
        let model = Model::new();
        let rates = rates(&model, Rate::per_second(number(1_000)).burst(number(1)));
        for nth in 0..10_000 {
            assert!(call(&rates, &nth.to_string()).await.is_ok());
            advance(Duration::from_millis(1)).await;
            let length = rates.allotments.len();
            assert!(length <= 3 * 1024, "{nth}: {length}");
        }
        assert_eq!(rates.flights.len(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_is_built_again_goes_on_with_the_allotments() {
        let (old, new) = (Model::new(), Model::new());
        let rate = Rate::per_minute(number(2));
        let before = rates(&old, rate);
        assert_eq!(count_of(&before, "c", 5).await, 2);
        let mut after = rates(&new, rate);
        after.share_with(&before);
        assert_eq!(count_of(&after, "c", 5).await, 0);
        assert_eq!(after.status().draws, old.draws().len() as u64);
        // The source is the new source.
        assert!(call(&after, "d").await.is_ok());
        assert_eq!(new.draws().len(), 1);
        // The refusals of another server mean nothing.
        let mut moved = rates(&Model::elsewhere(), rate);
        moved.share_with(&before);
        assert!(call(&moved, "c").await.is_ok());
        let mut other = rates(&new, rate.burst(number(1)));
        other.share_with(&before);
        assert!(call(&other, "c").await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn each_rate_can_be_computed_with() {
        for rate in [
            Rate::per_minute(number(1)).burst(number(u32::MAX)),
            Rate::per_minute(number(1)),
            Rate::per_second(number(u32::MAX)),
            Rate::per_second(number(1_000_000)).burst(number(1)),
        ] {
            for replicas in [1, u32::MAX] {
                let model = Model::new();
                let limit = SharedRateLimit::new(rate, Arc::clone(&model));
                let rates = SharedRates::new(limit.replicas(number(replicas)));
                assert!(call(&rates, "c").await.is_ok(), "{rate:?}");
                model.set(Mode::Fails);
                advance(Duration::from_secs(1)).await;
                for _ in 0..5 {
                    let _ = call(&rates, "c").await;
                    let _ = call(&rates, "d").await;
                }
            }
        }
    }
}
