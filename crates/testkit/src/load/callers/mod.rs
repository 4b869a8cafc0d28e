//! The callers: many at once, each with one call after another, until the time is up.

mod http1;
mod http2;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use http::HeaderMap;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::load::content::Check;
use crate::load::draw::mix;
use crate::load::place::{Manner, Place};
use crate::load::plan::{Leave, Plan};
use crate::load::vendors::Book;
use crate::load::verdict::{Answer, End, Excuse, Outcome, Seen, judge};

/// The number of callers over HTTP/1.1, each on its own connection.
const HTTP1: usize = 24;

/// The number of HTTP/2 connections, and of callers on each connection.
const HTTP2: (usize, usize) = (4, 6);

/// The number of calls for which a connection lives.
const CALLS_PER_CONNECTION: u64 = 60;

/// The time after which a call counts as hung: beyond the gateway's timeouts and the slowest body.
const PATIENCE: Duration = Duration::from_secs(60);

/// The number of faults after which a run can show nothing new.
const ENOUGH: usize = 50;

/// The longest time that a call takes to reach the gateway on a busy machine.
const ON_THE_WAY: Duration = Duration::from_secs(1);

/// The time at which the gateway was asked to stop, if the gateway was asked.
pub type Stopped = Arc<OnceLock<Instant>>;

/// The number of times that each vendor's manner had each outcome.
pub type Tally = BTreeMap<(Place, Manner), BTreeMap<Outcome, usize>>;

/// The state that all callers share.
#[derive(Debug)]
pub struct Callers {
    gateway: SocketAddr,
    seed: u64,
    /// The pause between two calls of one caller.
    pause: Duration,
    next: AtomicU64,
    stopped: AtomicBool,
    gateway_stopped: Stopped,
    excuse: Excuse,
    tally: Mutex<Tally>,
    book: Arc<Book>,
}

impl Callers {
    pub fn new(
        gateway: SocketAddr,
        seed: u64,
        pause: Duration,
        book: &Arc<Book>,
        gateway_stopped: &Stopped,
    ) -> Self {
        Self {
            gateway,
            seed,
            pause,
            next: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            gateway_stopped: Arc::clone(gateway_stopped),
            excuse: |_, _| None,
            tally: Mutex::default(),
            book: Arc::clone(book),
        }
    }

    /// Accepts this excuse for outcomes that would be wrong under ordinary conditions.
    pub fn excuse(mut self, excuse: Excuse) -> Self {
        self.excuse = excuse;
        self
    }

    /// Makes calls until the run must stop; then each caller ends its current call.
    pub async fn run(self: &Arc<Self>) {
        let mut callers = JoinSet::new();
        for _ in 0..HTTP1 {
            callers.spawn(http1::run(Arc::clone(self)));
        }
        for _ in 0..HTTP2.0 {
            callers.spawn(http2::run(Arc::clone(self), HTTP2.1));
        }
        while let Some(ended) = callers.join_next().await {
            ended.expect("a caller that doesn't panic");
        }
    }

    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub fn tally(&self) -> Tally {
        self.tally
            .lock()
            .expect("no panic while the lock is held")
            .clone()
    }

    /// Returns the next call, if another call is due.
    async fn next(&self) -> Option<Plan> {
        sleep(self.pause).await;
        let over = self.stopped.load(Ordering::Relaxed) || self.book.faults() >= ENOUGH;
        if over {
            return None;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        Some(Plan::of(mix(mix(self.seed).wrapping_add(number))))
    }

    /// Returns the result of a call, within the time that its caller stays.
    async fn watch(&self, plan: &Plan, call: impl Future<Output = Seen>) -> Seen {
        let stays = match plan.leave {
            Leave::After(time) => time,
            _ => PATIENCE,
        };
        match timeout(stays, call).await {
            Ok(seen) => seen,
            Err(_) if stays < PATIENCE => Seen::Left,
            Err(_) => Seen::Wrong(format!("nothing more within {PATIENCE:?}")),
        }
    }

    /// Returns whether the gateway had been asked to stop at that time.
    fn is_stopped_at(&self, time: Instant) -> bool {
        let stopped = self.gateway_stopped.get();
        stopped.is_some_and(|stopped| *stopped <= time)
    }

    /// Notes that a caller finds no gateway: after the stop a missing gateway is expected.
    fn not_connected(&self, error: impl std::fmt::Display) {
        if !self.is_stopped_at(Instant::now()) {
            self.book.fault(format!("no connection: {error}"));
        }
    }

    /// Notes the result of a call. `begun` is the time by which the gateway had the call.
    fn note(&self, protocol: &str, plan: &Plan, seen: &Seen, trailers: bool, begun: Instant) {
        let is_late = self.is_stopped_at(begun);
        let acted = self.book.has_acted(plan);
        let unsent = matches!(seen, Seen::Answer(answer) if answer.sent() == Some(false));
        let is_error = matches!(seen, Seen::Answer(answer) if answer.error.is_some());
        let verdict = if is_late && matches!(seen, Seen::Nothing | Seen::Broke(_)) {
            Ok(Outcome::Late)
        } else if unsent && acted {
            Err("the vendor has acted on it".to_owned())
        } else if is_error && acted && plan.place == Place::Early {
            Err("the answer of a vendor that closed was lost".to_owned())
        } else {
            judge(plan, seen, trailers).or_else(|wrong| (self.excuse)(plan, seen).ok_or(wrong))
        };
        match verdict {
            Ok(outcome) => {
                let mut tally = self.tally.lock().expect("no panic while the lock is held");
                let outcomes = tally.entry((plan.place, plan.manner)).or_default();
                *outcomes.entry(outcome).or_default() += 1;
            }
            Err(wrong) => {
                let fault = format!("{protocol}: {wrong}: {seen:?}, acted: {acted}: {plan:?}");
                self.book.fault(fault);
            }
        }
    }
}

/// Returns an answer whose body is still to come.
fn begun(status: u16, value: impl Fn(&str) -> Option<String>) -> Answer {
    Answer {
        status,
        nonce: value("x-nonce"),
        tenant: value("x-tenant"),
        length: value("content-length").and_then(|length| length.parse().ok()),
        error: value("passthrough-error"),
        problem: Vec::new(),
        trailer: None,
        received: 0,
        end: End::Whole,
    }
}

/// The state of a caller that takes a body.
struct Taking<'a> {
    plan: &'a Plan,
    answer: Answer,
    check: Check,
}

impl<'a> Taking<'a> {
    fn new(plan: &'a Plan, answer: Answer) -> Self {
        Self {
            plan,
            answer,
            check: Check::new(plan.answer(plan.read_before_answer())).paced(plan.slow_caller),
        }
    }

    /// Returns whether the caller wants no more of the body.
    fn is_left(&self) -> bool {
        match self.plan.leave {
            Leave::Download(at) => self.answer.error.is_none() && self.check.at() >= at,
            _ => false,
        }
    }

    /// Takes the next piece; `Err` means that the piece is wrong.
    async fn take(&mut self, piece: &[u8]) -> Result<(), Seen> {
        if self.answer.error.is_some() {
            self.answer.problem.extend_from_slice(piece);
            return Ok(());
        }
        self.check
            .take(piece)
            .map_err(|wrong| Seen::Wrong(format!("{wrong}, of {:?}", self.answer)))?;
        self.check.pause().await;
        Ok(())
    }

    fn ends(mut self, end: End, trailer: Option<String>) -> Seen {
        self.answer.end = end;
        self.answer.trailer = trailer;
        self.answer.received = self.check.at();
        Seen::Answer(self.answer)
    }
}

/// Returns the value of a field, if the field is there.
fn value(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}
