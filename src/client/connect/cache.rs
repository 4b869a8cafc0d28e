//! A cache for the answers of a resolver, so that a burst of connections to a name needs only a single look-up.
//!
//! Answers are kept for a short time, because the system's resolver doesn't report the time to live of a name, and an upstream that
//! moves to another address must be found. The cache contains addresses, but never the result of a check: the
//! [`Connector`](super::Connector) checks the addresses for each connection.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::names::{Answer, Resolve, ask};
use crate::single_flight::{Join, Leader, Memory, SingleFlight};

/// The maximum number of names in the cache, including names that are being looked up.
const MAX_NAMES: usize = 4096;

/// The maximum time of a look-up, after which the same name can be looked up again. The time is longer than callers wait, so that
/// the answer of a slow name server is cached for the next caller.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(30);

/// The times for which answers are kept. Zero turns caching off.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lifetimes {
    pub(super) positive: Duration,
    pub(super) negative: Duration,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            positive: Duration::from_secs(5),
            negative: Duration::from_secs(1),
        }
    }
}

pub(super) struct Cache(Arc<Shared>);

struct Shared {
    resolver: Arc<dyn Resolve>,
    lifetimes: Lifetimes,
    names: Arc<SingleFlight<Arc<str>, Known, Answer>>,
}

/// An answer, and the time until which the answer is kept.
#[derive(Default)]
struct Known(Option<(Answer, Instant)>);

impl Known {
    fn answer(&self) -> Option<Answer> {
        let (answer, until) = self.0.as_ref()?;
        (Instant::now() < *until).then(|| answer.clone())
    }
}

impl Memory for Known {
    fn is_empty(&self) -> bool {
        let until = self.0.as_ref().map(|(_, until)| *until);
        until.is_none_or(|until| until <= Instant::now())
    }
}

impl Cache {
    pub(super) fn new(resolver: Arc<dyn Resolve>, lifetimes: Lifetimes) -> Self {
        Self(Arc::new(Shared {
            resolver,
            lifetimes,
            names: SingleFlight::new(MAX_NAMES),
        }))
    }

    /// Returns the addresses of a name, from the cache or from a look-up that all concurrent callers share.
    pub(super) async fn addresses(&self, name: &Arc<str>) -> Answer {
        let waiter = match self.join(name) {
            Err(known) => return known,
            Ok(Join::Joined(waiter)) => waiter,
            Ok(Join::Started(leader, waiter)) => {
                // The look-up runs in a separate task, because this caller may leave while other callers wait.
                tokio::spawn(Arc::clone(&self.0).look_up(Arc::clone(name), leader));
                waiter
            }
            Ok(Join::Full) => return ask(&*self.0.resolver, name).await,
        };
        waiter.result().await.unwrap_or_else(|| Err(cut_off()))
    }

    /// Joins the look-up of that name, or starts a look-up.
    ///
    /// # Errors
    ///
    /// The answer, if the cache contains it.
    fn join(&self, name: &Arc<str>) -> Result<Join<Arc<str>, Known, Answer>, Answer> {
        let may_start = |known: &Known| known.answer().map_or(Ok(()), Err);
        self.0.names.join(name, may_start)
    }
}

impl Shared {
    async fn look_up(self: Arc<Self>, name: Arc<str>, leader: Leader<Arc<str>, Known, Answer>) {
        let answer = match timeout(LOOK_UP_TIMEOUT, ask(&*self.resolver, &name)).await {
            Ok(answer) => answer,
            Err(_) => Err(Arc::new(io::ErrorKind::TimedOut.into())),
        };
        let lifetime = match &answer {
            Ok(_) => self.lifetimes.positive,
            Err(_) => self.lifetimes.negative,
        };
        let until = Instant::now() + lifetime;
        leader.remember(|known| known.0 = Some((answer.clone(), until)));
        leader.complete(answer);
    }
}

fn cut_off() -> Arc<io::Error> {
    Arc::new(io::Error::other("the look-up ended without a result"))
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::net::IpAddr;
    use std::pin::Pin;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::time::{advance, sleep};

    use super::*;

    /// Answers by the name's first letter, and counts the look-ups.
    #[derive(Default)]
    struct Counting(AtomicUsize);

    impl Resolve for Counting {
        fn resolve<'a>(
            &'a self,
            name: &'a str,
        ) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>> {
            let asked = self.0.fetch_add(1, Ordering::Relaxed) + 1;
            Box::pin(async move {
                match name.chars().next() {
                    Some('s') => sleep(Duration::from_secs(10)).await,
                    Some('h') => std::future::pending().await,
                    Some('f') => return Err(io::ErrorKind::ConnectionReset.into()),
                    Some('e') => return Ok(Vec::new()),
                    Some('p') if asked == 1 => tokio::task::yield_now().await,
                    _ => {}
                }
                assert!(!(name.starts_with('p') && asked == 1), "by the test's wish");
                Ok(vec![IpAddr::from([192, 0, 2, (asked % 256) as u8])])
            })
        }
    }

    struct Kit {
        cache: Cache,
        resolver: Arc<Counting>,
    }

    impl Kit {
        fn new(positive: u64, negative: u64) -> Self {
            let resolver = Arc::new(Counting::default());
            let lifetimes = Lifetimes {
                positive: Duration::from_secs(positive),
                negative: Duration::from_secs(negative),
            };
            Self {
                cache: Cache::new(Arc::clone(&resolver) as _, lifetimes),
                resolver,
            }
        }

        async fn is_known(&self, name: &str) -> bool {
            self.cache.addresses(&name.into()).await.is_ok()
        }

        fn asked(&self) -> usize {
            self.resolver.0.load(Ordering::Relaxed)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn addresses_are_kept_for_their_time() {
        let kit = Kit::new(5, 1);
        assert!(kit.is_known("a.test").await && kit.is_known("a.test").await);
        advance(Duration::from_millis(4_999)).await;
        assert!(kit.is_known("a.test").await);
        assert_eq!(kit.asked(), 1);
        advance(Duration::from_millis(1)).await;
        assert!(kit.is_known("a.test").await);
        assert_eq!(kit.asked(), 2);
        let other: Answer = kit.cache.addresses(&"b.test".into()).await;
        assert!(other.is_ok_and(|found| *found == [IpAddr::from([192, 0, 2, 3])]));
    }

    #[tokio::test(start_paused = true)]
    async fn failures_and_empty_answers_are_kept_for_theirs() {
        for name in ["fails.test", "empty.test"] {
            let kit = Kit::new(5, 1);
            assert!(!kit.is_known(name).await && !kit.is_known(name).await);
            assert_eq!(kit.asked(), 1, "{name}");
            advance(Duration::from_secs(1)).await;
            assert!(!kit.is_known(name).await);
            assert_eq!(kit.asked(), 2, "{name}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn zero_keeps_nothing() {
        let kit = Kit::new(0, 0);
        for nth in 1..=3 {
            assert!(kit.is_known("a.test").await && !kit.is_known("fails.test").await);
            assert_eq!(kit.asked(), 2 * nth);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn connections_at_one_time_share_a_look_up() {
        for lifetime in [0, 5] {
            let kit = Kit::new(lifetime, lifetime);
            let (a, b, c) = tokio::join!(
                kit.is_known("slow.test"),
                kit.is_known("slow.test"),
                kit.is_known("other.test")
            );
            assert!(a && b && c);
            assert_eq!(kit.asked(), 2);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_leaves_takes_no_look_up_along() {
        let kit = Kit::new(60, 1);
        let name: Arc<str> = "slow.test".into();
        let leaving = timeout(Duration::from_secs(1), kit.cache.addresses(&name));
        assert!(leaving.await.is_err());
        assert!(kit.is_known("slow.test").await);
        assert_eq!(kit.asked(), 1);
        // The last caller who leaves doesn't end the look-up either: the answer is there for the next caller.
        let kit = Kit::new(60, 1);
        let leaving = timeout(Duration::from_secs(1), kit.cache.addresses(&name));
        assert!(leaving.await.is_err());
        sleep(Duration::from_secs(10)).await;
        let start = Instant::now();
        assert!(kit.is_known("slow.test").await);
        assert_eq!((kit.asked(), start.elapsed()), (1, Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_up_without_an_end_is_given_up_and_begun_anew() {
        let kit = Kit::new(5, 0);
        let start = Instant::now();
        assert!(!kit.is_known("hangs.test").await);
        assert_eq!(start.elapsed(), LOOK_UP_TIMEOUT);
        assert!(!kit.is_known("hangs.test").await);
        assert_eq!(kit.asked(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_up_that_is_cut_off_fails_and_the_next_one_is_asked_for() {
        let kit = Kit::new(5, 5);
        assert!(!kit.is_known("panics.test").await);
        assert!(kit.is_known("panics.test").await);
    }

    #[tokio::test(start_paused = true)]
    async fn names_are_limited_and_a_new_one_is_answered_all_the_same() {
        let kit = Kit::new(60, 60);
        for nth in 0..3 * MAX_NAMES {
            assert!(kit.is_known(&format!("n{nth}.test")).await);
            assert!(kit.cache.0.names.len() <= MAX_NAMES);
        }
        // Those that are known make room, those under way don't.
        let pending: Vec<_> = (0..MAX_NAMES)
            .map(|nth| kit.cache.join(&format!("h{nth}.test").into()))
            .collect();
        assert!(
            pending
                .iter()
                .all(|joined| matches!(joined, Ok(Join::Started(..))))
        );
        sleep(Duration::from_millis(1)).await;
        let before = kit.asked();
        assert!(kit.is_known("new.test").await && kit.is_known("new.test").await);
        assert_eq!(kit.cache.0.names.len(), MAX_NAMES);
        assert_eq!(kit.asked() - before, 2);
    }
}
