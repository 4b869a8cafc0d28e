//! Cases by the thousand: each is made from a seed and a number, played on a gateway of its own, and made smaller if it fails.

use std::cell::RefCell;
use std::fmt::Debug;
use std::future::Future;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;
use tracing_subscriber::Layer as _;
use tracing_subscriber::layer::SubscriberExt as _;

use super::random::Random;

/// The longest time that a case may take. All time limits of its gateway are much shorter.
const PATIENCE: Duration = Duration::from_secs(20);
/// The number of plays by which a failing case is made smaller.
const MAX_SHRINKING: usize = 150;

/// Peers that take steps, and an oracle that knows the right answers to them.
pub(crate) trait Game: Copy + Send + Sync + 'static {
    const NAME: &'static str;
    type Step: Clone + Debug + Send + Sync + 'static;

    fn steps(self, random: &mut Random) -> Vec<Self::Step>;

    /// Plays the steps on a new gateway. An `Err` describes an answer that is wrong.
    fn play(
        self,
        steps: Vec<Self::Step>,
        log: Log,
    ) -> impl Future<Output = Result<(), String>> + Send + 'static;
}

/// The texts that a case's gateway wrote: its events, its reports, and its panics.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Texts>>);

#[derive(Default)]
struct Texts {
    shown: Vec<u8>,
    panics: Vec<String>,
}

impl Log {
    pub(crate) fn show(&self, text: &[u8]) {
        self.0.lock().unwrap().shown.extend_from_slice(text);
    }

    pub(crate) fn shown(&self) -> Vec<u8> {
        self.0.lock().unwrap().shown.clone()
    }

    fn panics(&self) -> Vec<String> {
        self.0.lock().unwrap().panics.clone()
    }

    /// Makes this the log of the calling thread.
    fn open(&self) {
        CURRENT.set(Some(self.clone()));
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Log>> = const { RefCell::new(None) };
}

struct Writer;

impl std::io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        CURRENT.with_borrow(|log| log.as_ref().inspect(|log| log.show(bytes)).is_some());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Collects the events and the panics of the whole process, each in the log of its thread.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let layer = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_writer(|| Writer)
            .with_filter(tracing_subscriber::filter::filter_fn(|metadata| {
                metadata.target().starts_with("tower_passthrough")
            }));
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::set_global_default(subscriber).unwrap();
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let log = CURRENT.with_borrow(Clone::clone);
            match log {
                Some(log) => log.0.lock().unwrap().panics.push(panic.to_string()),
                None => print(panic),
            }
        }));
    });
}

/// Plays a case, and returns its failure.
fn fails<G: Game>(game: G, steps: &[G::Step], is_parallel: bool) -> Option<String> {
    let log = Log::default();
    log.open();
    let played = catch_unwind(AssertUnwindSafe(|| {
        let runtime = runtime(&log, is_parallel);
        let game = game.play(steps.to_vec(), log.clone());
        let played = runtime.block_on(async { tokio::time::timeout(PATIENCE, game).await });
        runtime.shutdown_timeout(Duration::from_secs(1));
        played
    }));
    CURRENT.set(None);
    let panics = log.panics();
    match played {
        _ if !panics.is_empty() => Some(format!("a panic: {}", panics.join("; "))),
        Ok(Ok(Ok(()))) => super::oracle::is_silent("the log", &log.shown()).err(),
        Ok(Ok(Err(wrong))) => Some(wrong),
        Ok(Err(_)) => Some(format!("it hangs: no end in {PATIENCE:?}")),
        Err(_) => Some("a panic without a message".to_owned()),
    }
}

fn runtime(log: &Log, is_parallel: bool) -> Runtime {
    let log = log.clone();
    let mut builder = match is_parallel {
        true => Builder::new_multi_thread(),
        false => Builder::new_current_thread(),
    };
    builder
        .worker_threads(2)
        .enable_all()
        .on_thread_start(move || log.open())
        .build()
        .unwrap()
}

/// Plays the case of this number. Panics with its seed, its number and the fewest steps that fail, if it fails.
pub(crate) fn case<G: Game>(game: G, seed: u64, number: u64) {
    listen();
    let mut random = Random::new(seed ^ Random::new(number).next());
    let is_parallel = random.percent(20);
    let steps = game.steps(&mut random);
    let Some(wrong) = fails(game, &steps, is_parallel) else {
        return;
    };
    let (steps, last, plays) = smaller(game, steps, is_parallel);
    let steps: String = steps.iter().map(|step| format!("    {step:?}\n")).collect();
    let last = last.unwrap_or_else(|| "it didn't fail again".to_owned());
    let name = G::NAME;
    panic!(
        "{name}: {wrong}\n  repeat: NEIGHBOURS_FUZZ_SEED={seed} NEIGHBOURS_FUZZ_CASE={number} cargo test --test fuzzing {name}\n  \
         after {plays} more plays, these steps remain ({last}):\n{steps}"
    );
}

/// Drops steps while the case still fails.
fn smaller<G: Game>(
    game: G,
    mut steps: Vec<G::Step>,
    is_parallel: bool,
) -> (Vec<G::Step>, Option<String>, usize) {
    let (mut last, mut plays) = (None, 0);
    let mut size = steps.len().div_ceil(2);
    while size > 0 && plays < MAX_SHRINKING {
        let mut at = 0;
        while at < steps.len() && plays < MAX_SHRINKING {
            let mut fewer = steps.clone();
            fewer.drain(at..(at + size).min(steps.len()));
            plays += 1;
            match fails(game, &fewer, is_parallel) {
                Some(wrong) => (steps, last) = (fewer, Some(wrong)),
                None => at += size,
            }
        }
        size /= 2;
    }
    if last.is_none() {
        last = fails(game, &steps, is_parallel);
    }
    (steps, last, plays)
}

/// A number in the environment.
pub(crate) fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Plays some cases of a seed that never changes, or the case that the environment names.
pub(crate) fn some<G: Game>(game: G, cases: u64) {
    let seed = variable("NEIGHBOURS_FUZZ_SEED").unwrap_or(1);
    if let Some(number) = variable("NEIGHBOURS_FUZZ_CASE") {
        return case(game, seed, number);
    }
    in_threads(4, |number| {
        (number < cases).then(|| case(game, seed, number))
    });
}

/// Plays cases until the time is over, and prints their number. The environment may name the only game to play.
pub(crate) fn for_long<G: Game>(game: G, time: Duration, seed: u64) {
    let only = std::env::var("NEIGHBOURS_FUZZ_GAME");
    if only.is_ok_and(|name| name != G::NAME) {
        return;
    }
    let start = Instant::now();
    let cases = in_threads(6, |number| {
        (start.elapsed() < time).then(|| case(game, seed, number))
    });
    let rate = f64::from(u32::try_from(cases).unwrap_or(u32::MAX)) / start.elapsed().as_secs_f64();
    let mut out = std::io::stderr();
    let _ = writeln!(
        out,
        "{}: {cases} cases, {rate:.0} per second, seed {seed}",
        G::NAME
    );
}

/// Calls the closure with each number, in so many threads, until it returns `None`. Returns the number of calls. Fails with the first
/// failure.
fn in_threads(threads: usize, work: impl Fn(u64) -> Option<()> + Sync) -> u64 {
    let next = AtomicU64::new(0);
    let failure = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while failure.lock().unwrap().is_none() {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    match catch_unwind(AssertUnwindSafe(|| work(number))) {
                        Ok(Some(())) => {}
                        Ok(None) => return,
                        Err(panic) => *failure.lock().unwrap() = Some(panic),
                    }
                }
            });
        }
    });
    if let Some(panic) = failure.into_inner().unwrap() {
        std::panic::resume_unwind(panic);
    }
    next.into_inner()
}
