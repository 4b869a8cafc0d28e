//! The queue of log lines in front of stderr, so that a call never waits for a slow reader of the log.
//!
//! Until [`begin`], a line is written at once, so that the output of a command is in order. After that, lines are collected in memory, and a
//! thread writes them. If the reader of stderr stops, the lines that don't fit into the memory are dropped and counted. The first lines that
//! the reader gets afterwards say how many were dropped.

use std::io::{self, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// The maximum size of the lines that wait, in bytes. The thread may be writing as many again.
const LIMIT: usize = 1024 * 1024;

/// The pause of the thread after it has written, so that it wakes and writes once for many calls. A line after a pause is written at once.
const COLLECT: Duration = Duration::from_millis(5);

static QUEUE: Queue = Queue {
    state: Mutex::new(State {
        pending: Vec::new(),
        dropped: 0,
        is_queued: false,
        is_writing: false,
    }),
    filled: Condvar::new(),
    written: Condvar::new(),
};

struct Queue {
    state: Mutex<State>,
    /// The queue isn't empty any more.
    filled: Condvar,
    /// The thread has written what it had taken.
    written: Condvar,
}

struct State {
    pending: Vec<u8>,
    /// The number of lines that were dropped since the start.
    dropped: u64,
    is_queued: bool,
    is_writing: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock, and a log is of use also after a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the lines until the process ends. `report` makes the line about dropped lines.
    fn write(&self, report: fn(u64) -> Vec<u8>) {
        let mut taken = Vec::new();
        let mut reported = 0;
        loop {
            let mut state = self.lock();
            while state.pending.is_empty() {
                state = (self.filled.wait(state)).unwrap_or_else(PoisonError::into_inner);
            }
            state.is_writing = true;
            std::mem::swap(&mut state.pending, &mut taken);
            let dropped = state.dropped;
            drop(state);
            // The lines that were taken are older than the lines that were dropped.
            write(&taken);
            if dropped > reported {
                write(&report(dropped - reported));
                reported = dropped;
            }
            taken.clear();
            self.lock().is_writing = false;
            self.written.notify_all();
            pause();
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the thread isn't one of the runtime's"
)]
fn pause() {
    thread::sleep(COLLECT);
}

/// Queues the following lines. `report` makes the line about a number of dropped lines.
///
/// # Errors
///
/// If the thread can't be started. Lines are then written at once, as before.
pub(super) fn begin(report: fn(u64) -> Vec<u8>) -> io::Result<()> {
    let thread = thread::Builder::new().name("log".to_owned());
    thread.spawn(move || QUEUE.write(report))?;
    QUEUE.lock().is_queued = true;
    Ok(())
}

/// Writes lines, each of which ends with a line feed, or queues them.
pub(super) fn push(lines: &[u8]) {
    let mut state = QUEUE.lock();
    if !state.is_queued {
        drop(state);
        return write(lines);
    }
    if state.pending.len() + lines.len() > LIMIT {
        state.dropped += 1;
        return;
    }
    let is_first = state.pending.is_empty();
    state.pending.extend_from_slice(lines);
    drop(state);
    if is_first {
        QUEUE.filled.notify_one();
    }
}

/// Returns the number of lines that were dropped since the start.
pub(super) fn dropped() -> u64 {
    QUEUE.lock().dropped
}

/// Waits until all lines are written, or until `limit` has passed, and writes the following lines at once.
pub(super) fn end(limit: Duration) {
    let waits =
        |state: &mut State| state.is_queued && (state.is_writing || !state.pending.is_empty());
    let waited = QUEUE.written.wait_timeout_while(QUEUE.lock(), limit, waits);
    let (mut state, time) = waited.unwrap_or_else(PoisonError::into_inner);
    // If the reader has stopped, a line that is written at once would wait for it.
    if !time.timed_out() {
        state.is_queued = false;
    }
}

/// A closed stderr must not stop the server, so errors are ignored.
fn write(lines: &[u8]) {
    let _ = io::stderr().write_all(lines);
}

/// The writer of `tracing`'s lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stderr;

impl Write for Stderr {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        push(lines);
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
