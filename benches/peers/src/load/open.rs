//! An open loop: requests are due at fixed times, however long the responses take. If a request
//! waits for a free connection, its time starts when the request was due, not when the request was
//! sent. So a slow proxy can't hide its delays by slowing down its callers.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

use super::Progress;
use super::caller::Caller;
use super::exchange::Call;
use crate::BoxError;

const TIMER: Token = Token(usize::MAX);

/// Makes `rate` calls per second. Returns the duration of each call that was due after the warm-up.
pub fn run(
    proxy: SocketAddr,
    call: &Call,
    connections: usize,
    rate: f64,
    warm_up: Duration,
    measured: Duration,
) -> Result<Vec<Duration>, BoxError> {
    let interval = Duration::from_secs_f64(1.0 / rate);
    let mut poll = Poll::new()?;
    let timer = timer(interval)?;
    let mut source = SourceFd(&timer.as_fd().as_raw_fd());
    poll.registry()
        .register(&mut source, TIMER, Interest::READABLE)?;
    let progress = Progress::default();
    let mut callers = Caller::connect(proxy, connections, &poll)?;
    let mut idle: VecDeque<usize> = (0..connections).collect();
    // For each connection, the time at which its current call was due.
    let mut due_at = vec![Instant::now(); connections];
    let mut waiting: VecDeque<Instant> = VecDeque::new();
    let mut times = Vec::with_capacity((rate * measured.as_secs_f64()) as usize + 1);

    let mut events = Events::with_capacity(connections + 1);
    let mut buffer = vec![0; 256 * 1024];
    let start = Instant::now();
    let mut due = start;
    while due < start + warm_up + measured || idle.len() < connections {
        poll.poll(&mut events, Some(Duration::from_secs(5)))?;
        if events.is_empty() {
            return Err("the proxy answers no more".into());
        }
        for event in &events {
            if event.token() == TIMER {
                // The timer only wakes the loop; the clock decides which calls are due.
                let _ = timer.wait();
                continue;
            }
            let place = event.token().0;
            if event.is_readable() && callers[place].receive(call, &progress, &mut buffer)? {
                if due_at[place] >= start + warm_up {
                    times.push(due_at[place].elapsed());
                }
                idle.push_back(place);
            }
        }
        let now = Instant::now();
        while due <= now && due < start + warm_up + measured {
            waiting.push_back(due);
            due += interval;
        }
        while let (Some(place), false) = (idle.front().copied(), waiting.is_empty()) {
            idle.pop_front();
            due_at[place] = waiting.pop_front().unwrap_or(now);
            callers[place].begin(call, &progress)?;
        }
    }
    Ok(times)
}

/// Returns a timer that fires at this interval, with a finer resolution than the milliseconds of epoll.
fn timer(interval: Duration) -> nix::Result<TimerFd> {
    let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_NONBLOCK)?;
    let interval = TimeSpec::from_duration(interval);
    timer.set(Expiration::Interval(interval), TimerSetTimeFlags::empty())?;
    Ok(timer)
}
