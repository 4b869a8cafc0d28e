//! The queue of log lines in front of stderr, so that a call never waits for a slow reader of the log.
//!
//! Until [`begin`], a line is written at once, so that the output of a command is in order. After that, lines are collected in memory, and a
//! thread writes them. If the reader of stderr stops, the lines that don't fit into the memory are dropped and counted. The first lines that
//! the reader gets afterwards say how many were dropped.

use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// The maximum size of the lines that wait, in bytes. The thread may be writing as many again.
const LIMIT: usize = 1024 * 1024;

/// The pause of the thread after it has written, so that it wakes and writes once for many calls. A line after a pause is written at once.
const COLLECT: Duration = Duration::from_millis(5);

/// The number of bytes that a pipe takes as a whole, or not at all: the smallest `PIPE_BUF` of the systems in use is 512, and Linux has 4096.
const ATOMIC: usize = 4096;

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
            let lost = write(&taken);
            let unreported = dropped - reported + lost;
            // If not even the report can be written, it's repeated with the next lines.
            if unreported > 0 && write(&report(unreported)) == 0 {
                reported = dropped + lost;
            }
            taken.clear();
            let mut state = self.lock();
            state.dropped += lost;
            state.is_writing = false;
            drop(state);
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
        write(lines);
        return;
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

/// Writes lines, and returns the number of lines that couldn't be written. A closed stderr must not stop the server.
///
/// Each write contains whole lines of up to [`ATOMIC`] bytes together, so that the lines of processes that share a pipe aren't mixed.
fn write(lines: &[u8]) -> u64 {
    let mut lost = 0;
    let mut left = lines;
    while !left.is_empty() {
        let (piece, rest) = left.split_at(whole_lines(left));
        if write_all(piece).is_err() {
            lost += piece.iter().filter(|&&byte| byte == b'\n').count() as u64;
        }
        left = rest;
    }
    lost
}

/// Returns the size of the first lines that fit into [`ATOMIC`] bytes, or of the first line if it's longer.
fn whole_lines(lines: &[u8]) -> usize {
    let is_end = |byte: &u8| *byte == b'\n';
    let first = lines.get(..ATOMIC.min(lines.len())).unwrap_or(lines);
    let end = (first.iter().rposition(is_end)).or_else(|| lines.iter().position(is_end));
    end.map_or(lines.len(), |end| end + 1)
}

/// Writes all bytes, and waits if stderr can't take more at the moment, because another process may have made the pipe or the terminal
/// non-blocking. After an error in the middle of a line, the next line begins on a line of its own.
fn write_all(bytes: &[u8]) -> io::Result<()> {
    static IS_TORN: AtomicBool = AtomicBool::new(false);
    let torn: &[u8] = match IS_TORN.swap(false, Ordering::Relaxed) {
        true => b"\n",
        false => b"",
    };
    let mut has_written = !torn.is_empty();
    for mut left in [torn, bytes] {
        while !left.is_empty() {
            match io::stderr().write(left) {
                Ok(written @ 1..) => {
                    left = left.get(written..).unwrap_or_default();
                    has_written = true;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => pause(),
                Ok(_) => return Err(ErrorKind::WriteZero.into()),
                Err(error) => {
                    IS_TORN.store(has_written, Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_contains_whole_lines() {
        let line = |length: usize| format!("{}\n", "x".repeat(length - 1));
        for (lines, expected) in [
            (line(10), 10),
            (line(10) + &line(20), 30),
            (line(ATOMIC), ATOMIC),
            (line(ATOMIC - 1) + &line(10), ATOMIC - 1),
            (line(3000) + &line(3000), 3000),
            (line(ATOMIC + 7) + &line(1), ATOMIC + 7),
            ("no end".to_owned(), 6),
        ] {
            assert_eq!(whole_lines(lines.as_bytes()), expected);
        }
    }
}
