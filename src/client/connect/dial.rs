//! Opens a connection to the first of several permitted addresses that answers: Happy Eyeballs (RFC
//! 8305).
//!
//! IPv4 and IPv6 addresses take turns. The next attempt begins when an attempt has failed, or after
//! a delay if the last attempt is still pending. The first attempt that connects wins, and the other
//! attempts are closed. So an address family without a route costs a fraction of a second instead of
//! a timeout.
//!
//! Rules: `docs/rules/security.md#2-addresses-that-may-be-dialled`.

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

/// The maximum number of addresses that are tried for a name.
const MAX_ATTEMPTS: usize = 16;

/// The delay before the next attempt begins (RFC 8305 §8, Connection Attempt Delay).
pub(super) const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

pub(super) type Addresses = SmallVec<[SocketAddr; 4]>;

/// The failure of an attempt.
#[derive(Debug)]
pub(super) enum Failure {
    /// Another address may succeed.
    TryNext(TransportError),
    /// No other address would succeed.
    Fatal(TransportError),
}

impl Failure {
    pub(super) fn into_error(self) -> TransportError {
        match self {
            Self::TryNext(error) | Self::Fatal(error) => error,
        }
    }
}

/// Returns the addresses in the order in which they're tried (RFC 8305 §4). The address families
/// take turns, beginning with the family of the first address. Within a family, addresses keep their
/// order.
///
/// So the resolver chooses the first family. The operating system's resolver sorts addresses by RFC
/// 6724, which puts IPv6 first if this machine has a route for IPv6.
pub(super) fn interleaved(addresses: &[SocketAddr]) -> Addresses {
    let starts_with_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let family = |first: bool| {
        let belongs = move |address: &&SocketAddr| (address.is_ipv6() == starts_with_v6) == first;
        addresses.iter().filter(belongs).copied()
    };
    let (mut first, mut second) = (family(true), family(false));
    let mut order = Addresses::new();
    while order.len() < addresses.len() {
        order.extend(first.next());
        order.extend(second.next());
    }
    order.truncate(MAX_ATTEMPTS);
    order
}

/// Returns the output of the first attempt that succeeds. The next attempt begins after `delay`, or
/// as soon as an attempt has failed.
///
/// # Errors
///
/// The failure that explains most: a refused connection, or else a timeout, or else the first
/// failure.
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
                    Poll::Ready(Err(Failure::Fatal(error))) => return Poll::Ready(Err(error)),
                    Poll::Ready(Err(Failure::TryNext(error))) => {
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

/// Returns the failure that explains more. A refused connection explains more than a timeout, and a
/// timeout explains more than other failures. If both explain the same, returns the first failure.
fn more_telling(before: Option<TransportError>, error: TransportError) -> TransportError {
    let rank = |error: &TransportError| match error.kind() {
        TransportErrorKind::ConnectionRefused => 2,
        TransportErrorKind::ConnectionTimeout => 1,
        _ => 0,
    };
    match before {
        Some(before) if rank(&before) >= rank(&error) => before,
        _ => error,
    }
}

/// Connects to an address over TCP.
pub(super) async fn tcp(address: SocketAddr) -> Result<TcpStream, Failure> {
    match TcpStream::connect(address).await {
        Ok(socket) => {
            // Small frames are sent at once, because waiting for more bytes would only delay them.
            let _ = socket.set_nodelay(true);
            Ok(socket)
        }
        Err(error) => Err(Failure::TryNext(connect_error(error))),
    }
}

fn connect_error(error: io::Error) -> TransportError {
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

    /// The behaviour of an address, after that many milliseconds.
    #[derive(Clone, Copy)]
    enum Act {
        Connects(u64),
        Fails(u64, TransportErrorKind),
        EndsAll(u64),
        Hangs,
    }

    use Act::{Connects, EndsAll, Fails, Hangs};
    use TransportErrorKind::{ConnectionFailed, ConnectionRefused, ConnectionTimeout};

    /// The start of each attempt, in milliseconds, and the port of its address.
    type Begun = Rc<RefCell<Vec<(u64, u16)>>>;

    struct Raced {
        result: Option<Result<u16, TransportErrorKind>>,
        took: u64,
        begun: Vec<(u64, u16)>,
        /// The number of attempts that are still open.
        open: usize,
    }

    /// Races addresses whose port is their index in `acts`, for at most a minute.
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
                        Err(Failure::TryNext(kind.into()))
                    }
                    EndsAll(millis) => {
                        after(millis).await;
                        Err(Failure::Fatal(ConnectionFailed.into()))
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
        assert_eq!(order.len(), MAX_ATTEMPTS);
        assert_eq!(
            order.iter().filter(|address| address.is_ipv4()).count(),
            MAX_ATTEMPTS / 2
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
