//! From judged addresses to one connection: Happy Eyeballs (RFC 8305).
//!
//! Addresses of both families take turns. An attempt that is slow gets company after a moment, one
//! that fails is followed by the next at once, and the first that connects wins; the others are
//! closed. So a family that leads nowhere costs a fraction of a second, and not a timeout.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use smallvec::SmallVec;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::client::error::{TransportError, TransportErrorKind};

/// The addresses that are tried of one name.
const TRIED: usize = 16;

/// How long an attempt is alone (RFC 8305 §8, Connection Attempt Delay).
pub(super) const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

pub(super) type Addresses = SmallVec<[SocketAddr; 4]>;

/// Why an attempt failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// It's that address; another one may do.
    OfAddress(TransportError),
    /// No other address would do better.
    OfAll(TransportError),
}

impl Failure {
    pub(super) fn into_error(self) -> TransportError {
        match self {
            Self::OfAddress(error) | Self::OfAll(error) => error,
        }
    }
}

/// The order in which addresses are tried: families take turns, from the first address's on; within
/// a family it's as it came (RFC 8305 §4).
///
/// The first family is the resolver's choice. The system's sorts by RFC 6724, which puts IPv6 in
/// front wherever this machine has a route for it.
pub(super) fn interleaved(addresses: &[SocketAddr]) -> Addresses {
    let starts_with_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let of = |first: bool| {
        let is_of = move |address: &&SocketAddr| (address.is_ipv6() == starts_with_v6) == first;
        addresses.iter().filter(is_of).copied()
    };
    let (mut first, mut second) = (of(true), of(false));
    let mut order = Addresses::new();
    while order.len() < addresses.len() {
        order.extend(first.next());
        order.extend(second.next());
    }
    order.truncate(TRIED);
    order
}

/// What the first attempt that succeeds gives. One begins each `delay`, or as soon as the last one
/// has failed.
///
/// # Errors
///
/// The most telling failure of all.
///
/// # Cancel safety
///
/// Dropping the future drops all attempts.
pub(super) async fn race<T, A>(
    addresses: &[SocketAddr],
    delay: Duration,
    attempt: impl Fn(SocketAddr) -> A,
) -> Result<T, TransportError>
where
    A: Future<Output = Result<T, Failure>>,
{
    let mut waiting = addresses.iter();
    let mut attempts: SmallVec<[Pin<Box<A>>; 2]> = SmallVec::new();
    let mut failed: Option<TransportError> = None;
    let mut pause = pin!(sleep(delay));
    let mut is_due = true;
    poll_fn(|cx| {
        loop {
            let mut nth = 0;
            while let Some(attempt) = attempts.get_mut(nth) {
                match attempt.as_mut().poll(cx) {
                    Poll::Ready(Ok(connected)) => return Poll::Ready(Ok(connected)),
                    Poll::Ready(Err(Failure::OfAll(error))) => return Poll::Ready(Err(error)),
                    Poll::Ready(Err(Failure::OfAddress(error))) => {
                        failed = Some(more_telling(failed.take(), error));
                        attempts.remove(nth);
                        is_due = true;
                    }
                    Poll::Pending => nth += 1,
                }
            }
            if waiting.len() > 0 && (is_due || pause.as_mut().poll(cx).is_ready()) {
                is_due = false;
                attempts.extend(waiting.next().map(|&address| Box::pin(attempt(address))));
                pause.as_mut().reset(Instant::now() + delay);
                continue;
            }
            if !attempts.is_empty() {
                return Poll::Pending;
            }
            let failed = failed.take();
            let none = || TransportErrorKind::ConnectionFailed.into();
            return Poll::Ready(Err(failed.unwrap_or_else(none)));
        }
    })
    .await
}

/// A refusal is an answer, a timeout is silence, and all else is this side's. Of two alike, the
/// first.
fn more_telling(before: Option<TransportError>, error: TransportError) -> TransportError {
    let told = |error: &TransportError| match error.kind() {
        TransportErrorKind::ConnectionRefused => 2,
        TransportErrorKind::ConnectionTimeout => 1,
        _ => 0,
    };
    match before {
        Some(before) if told(&before) >= told(&error) => before,
        _ => error,
    }
}

/// A TCP connection to that address.
pub(super) async fn tcp(address: SocketAddr) -> Result<TcpStream, Failure> {
    match TcpStream::connect(address).await {
        Ok(socket) => {
            // Small frames leave as they come: a proxy has nothing to gather.
            let _ = socket.set_nodelay(true);
            Ok(socket)
        }
        Err(error) => Err(Failure::OfAddress(of_connect(error))),
    }
}

fn of_connect(error: io::Error) -> TransportError {
    let kind = match error.kind() {
        io::ErrorKind::ConnectionRefused => TransportErrorKind::ConnectionRefused,
        io::ErrorKind::TimedOut => TransportErrorKind::ConnectionTimeout,
        _ => TransportErrorKind::ConnectionFailed,
    };
    TransportError::new(kind, error)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use tokio::time::timeout;

    use super::*;

    /// What an address does, and when.
    #[derive(Clone, Copy)]
    enum Act {
        Connects(u64),
        Fails(u64, TransportErrorKind),
        EndsAll(u64),
        Hangs,
    }

    use Act::{Connects, EndsAll, Fails, Hangs};
    use TransportErrorKind::{ConnectionFailed, ConnectionRefused, ConnectionTimeout};

    /// Milliseconds since the start, and the port of the address that is tried then.
    type Begun = Rc<RefCell<Vec<(u64, u16)>>>;

    struct Raced {
        result: Option<Result<u16, TransportErrorKind>>,
        took: u64,
        begun: Vec<(u64, u16)>,
        /// The attempts that are still open.
        open: usize,
    }

    /// Races addresses whose port is their place in `acts`, for a minute at most.
    async fn raced(acts: &[Act]) -> Raced {
        let addresses: Vec<_> = (0..acts.len() as u16)
            .map(|nth| SocketAddr::from(([192, 0, 2, 1], nth)))
            .collect();
        let start = Instant::now();
        let begun = Begun::default();
        let alive = Rc::new(());
        let attempt = |address: SocketAddr| {
            let nth = address.port();
            begun
                .borrow_mut()
                .push((start.elapsed().as_millis() as u64, nth));
            let held = Rc::clone(&alive);
            let act = acts.get(usize::from(nth)).copied().unwrap_or(Hangs);
            async move {
                let _held = held;
                let after = |millis| sleep(Duration::from_millis(millis));
                match act {
                    Connects(millis) => {
                        after(millis).await;
                        Ok(nth)
                    }
                    Fails(millis, kind) => {
                        after(millis).await;
                        Err(Failure::OfAddress(kind.into()))
                    }
                    EndsAll(millis) => {
                        after(millis).await;
                        Err(Failure::OfAll(ConnectionFailed.into()))
                    }
                    Hangs => std::future::pending().await,
                }
            }
        };
        let racing = race(&addresses, ATTEMPT_DELAY, attempt);
        let result = timeout(Duration::from_secs(60), racing).await.ok();
        let begun = begun.take();
        Raced {
            result: result.map(|result| result.map_err(|error| error.kind())),
            took: start.elapsed().as_millis() as u64,
            begun,
            open: Rc::strong_count(&alive) - 1,
        }
    }

    #[test]
    fn families_take_turns_and_each_keeps_its_order() {
        let order = |ips: &[&str]| -> Vec<String> {
            let parse = |ip: &&str| Some(SocketAddr::new(ip.parse().ok()?, 443));
            let addresses: Vec<_> = ips.iter().filter_map(parse).collect();
            let told = |address: &SocketAddr| address.ip().to_string();
            interleaved(&addresses).iter().map(told).collect()
        };
        assert_eq!(
            order(&["::1", "::2", "::3", "1.1.1.1", "1.1.1.2"]),
            ["::1", "1.1.1.1", "::2", "1.1.1.2", "::3"]
        );
        assert_eq!(
            order(&["1.1.1.1", "1.1.1.2", "::1"]),
            ["1.1.1.1", "::1", "1.1.1.2"]
        );
        assert_eq!(order(&["1.1.1.2", "1.1.1.1"]), ["1.1.1.2", "1.1.1.1"]);
        assert_eq!(order(&[]), Vec::<String>::new());
    }

    #[test]
    fn few_addresses_are_tried_and_both_families_are_among_them() {
        let mut addresses = vec![SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 443)); 30];
        addresses.extend(vec![SocketAddr::from(([127, 0, 0, 1], 443)); 30]);
        let order = interleaved(&addresses);
        assert_eq!(order.len(), TRIED);
        assert_eq!(
            order.iter().filter(|address| address.is_ipv4()).count(),
            TRIED / 2
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_quick_attempt_stays_alone() {
        let raced = raced(&[Connects(200), Connects(0)]).await;
        assert_eq!((raced.result, raced.took), (Some(Ok(0)), 200));
        assert_eq!(raced.begun, [(0, 0)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_attempt_gets_company_and_the_first_to_connect_wins() {
        let raced = raced(&[Hangs, Connects(400), Connects(100)]).await;
        assert_eq!((raced.result, raced.took), (Some(Ok(2)), 600));
        assert_eq!(raced.begun, [(0, 0), (250, 1), (500, 2)]);
        assert_eq!(raced.open, 0, "attempts that lost are still open");
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_was_overtaken_may_still_win() {
        let raced = raced(&[Connects(300), Hangs]).await;
        assert_eq!((raced.result, raced.took), (Some(Ok(0)), 300));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_followed_by_the_next_at_once() {
        let raced = raced(&[
            Fails(10, ConnectionFailed),
            Fails(10, ConnectionRefused),
            Connects(10),
        ])
        .await;
        assert_eq!((raced.result, raced.took), (Some(Ok(2)), 30));
        assert_eq!(raced.begun, [(0, 0), (10, 1), (20, 2)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_puts_the_next_but_one_off() {
        let raced = raced(&[Fails(200, ConnectionFailed), Hangs, Connects(0)]).await;
        assert_eq!(raced.begun, [(0, 0), (200, 1), (450, 2)]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_most_telling_failure_is_told() {
        let unreachable = Fails(0, ConnectionFailed);
        for (acts, told) in [
            ([unreachable, unreachable, unreachable], ConnectionFailed),
            (
                [
                    unreachable,
                    Fails(0, ConnectionRefused),
                    Fails(0, ConnectionTimeout),
                ],
                ConnectionRefused,
            ),
            (
                [Fails(300, ConnectionTimeout), unreachable, unreachable],
                ConnectionTimeout,
            ),
        ] {
            assert_eq!(raced(&acts).await.result, Some(Err(told)));
        }
        assert_eq!(raced(&[]).await.result, Some(Err(ConnectionFailed)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_of_all_ends_the_race() {
        let raced = raced(&[Hangs, EndsAll(0), Connects(0)]).await;
        assert_eq!(
            (raced.result, raced.took),
            (Some(Err(ConnectionFailed)), 250)
        );
        assert_eq!(raced.open, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_that_hang_are_waited_for_and_dropped_with_the_race() {
        let raced = raced(&[Hangs, Fails(0, ConnectionRefused)]).await;
        assert_eq!((raced.result, raced.open), (None, 0));
    }
}
