//! Answers of a resolver, kept for a moment, so that a burst of connections to one name makes one
//! look-up.
//!
//! Short, as a name's time to live isn't told by the system's resolver, and as a vendor that moves
//! must be found. What is kept is addresses, never a verdict: each use is judged
//! ([`Connector`](super::Connector), SECURITY N1).

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::names::{Answer, Resolve, ask};

/// The names that are kept, look-ups under way included.
const MOST: usize = 4096;

/// After that, a look-up is given up, and the name can be asked for again. It's longer than callers
/// wait, so that a slow name server's answer is there for the next of them.
const LONGEST_LOOK_UP: Duration = Duration::from_secs(30);

/// How long answers are kept. Zero: not at all.
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
    /// Held for a moment, and never while something is waited for.
    entries: Mutex<HashMap<Arc<str>, Entry>>,
}

enum Entry {
    UnderWay(watch::Receiver<Option<Answer>>),
    Known(Answer, Instant),
}

enum Found {
    Known(Answer),
    UnderWay(watch::Receiver<Option<Answer>>),
    NoRoom,
}

impl Cache {
    pub(super) fn new(resolver: Arc<dyn Resolve>, lifetimes: Lifetimes) -> Self {
        Self(Arc::new(Shared {
            resolver,
            lifetimes,
            entries: Mutex::default(),
        }))
    }

    /// The addresses of a name, kept, asked for by someone else right now, or asked for.
    pub(super) async fn addresses(&self, name: &Arc<str>) -> Answer {
        match self.find(name) {
            Found::Known(answer) => answer,
            Found::UnderWay(mut answer) => match answer.wait_for(Option::is_some).await {
                Ok(answer) => answer.clone().unwrap_or_else(|| Err(lost())),
                Err(_) => Err(lost()),
            },
            Found::NoRoom => ask(&*self.0.resolver, name).await,
        }
    }

    /// What is known, or a look-up, which is begun if there is none.
    fn find(&self, name: &Arc<str>) -> Found {
        let now = Instant::now();
        let mut entries = self.0.entries();
        match entries.get(name) {
            Some(entry) if entry.is_current(now) => return entry.found(),
            Some(_) => {}
            None if entries.len() < MOST => {}
            None => {
                make_room(&mut entries, now);
                if entries.len() >= MOST {
                    return Found::NoRoom;
                }
            }
        }
        let (sender, receiver) = watch::channel(None);
        entries.insert(Arc::clone(name), Entry::UnderWay(receiver.clone()));
        drop(entries);
        // A task of its own: whoever began it may leave, and others wait.
        tokio::spawn(Arc::clone(&self.0).look_up(Arc::clone(name), sender));
        Found::UnderWay(receiver)
    }
}

impl Shared {
    async fn look_up(self: Arc<Self>, name: Arc<str>, sender: watch::Sender<Option<Answer>>) {
        let answer = match timeout(LONGEST_LOOK_UP, ask(&*self.resolver, &name)).await {
            Ok(answer) => answer,
            Err(_) => Err(Arc::new(io::ErrorKind::TimedOut.into())),
        };
        let lifetime = match &answer {
            Ok(_) => self.lifetimes.positive,
            Err(_) => self.lifetimes.negative,
        };
        let known = Entry::Known(answer.clone(), Instant::now() + lifetime);
        self.entries().insert(name, known);
        sender.send_replace(Some(answer));
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<Arc<str>, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn is_current(&self, now: Instant) -> bool {
        match self {
            Self::Known(_, until) => *until > now,
            // Its task puts the answer in its place before it ends, unless it was cut off: the
            // resolver panicked, or the runtime is gone.
            Self::UnderWay(answer) => answer.has_changed().is_ok(),
        }
    }

    fn found(&self) -> Found {
        match self {
            Self::Known(answer, _) => Found::Known(answer.clone()),
            Self::UnderWay(answer) => Found::UnderWay(answer.clone()),
        }
    }
}

/// Forgets what is old, or else all that is known: each is worth a look-up, and no more.
fn make_room(entries: &mut HashMap<Arc<str>, Entry>, now: Instant) {
    entries.retain(|_, entry| entry.is_current(now));
    if entries.len() >= MOST {
        entries.retain(|_, entry| matches!(entry, Entry::UnderWay(_)));
    }
}

fn lost() -> Arc<io::Error> {
    Arc::new(io::Error::other("the look-up was cut off"))
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::net::IpAddr;
    use std::pin::Pin;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::time::{advance, sleep};

    use super::*;

    /// Answers by the name's first letter, and counts how often it was asked.
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
        // Nor does the last one: the answer is there for the next.
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
        assert_eq!(start.elapsed(), LONGEST_LOOK_UP);
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
        for nth in 0..3 * MOST {
            assert!(kit.is_known(&format!("n{nth}.test")).await);
            assert!(kit.cache.0.entries().len() <= MOST);
        }
        // Those that are known make room, those under way don't.
        let pending: Vec<_> = (0..MOST)
            .map(|nth| kit.cache.find(&format!("h{nth}.test").into()))
            .collect();
        assert!(
            pending
                .iter()
                .all(|found| matches!(found, Found::UnderWay(_)))
        );
        sleep(Duration::from_millis(1)).await;
        let before = kit.asked();
        assert!(kit.is_known("new.test").await && kit.is_known("new.test").await);
        assert_eq!(kit.cache.0.entries().len(), MOST);
        assert_eq!(kit.asked() - before, 2);
    }
}
