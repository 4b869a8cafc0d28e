//! Whether anybody has written to the file: asked at most once in the time that a cache may be stale.
//!
//! SQLite tells it cheaply, by a number that changes for a connection when another one commits
//! (`PRAGMA data_version`), of whatever process.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use tokio::time::Instant;

use super::error::Fault;
use super::lanes::Lane;

pub(super) struct Watch {
    /// One connection: numbers of two can't be compared.
    lane: Lane,
    gate: tokio::sync::Mutex<()>,
    staleness: Duration,
    began: Instant,
    seen: Arc<Seen>,
}

struct Seen {
    number: AtomicI64,
    generation: AtomicU64,
    /// When it was asked last, in nanoseconds since the beginning.
    asked: AtomicU64,
}

impl Watch {
    pub(super) fn new(connection: Connection, staleness: Duration) -> Result<Self, Fault> {
        let number = data_version(&connection)?;
        Ok(Self {
            lane: Lane::new(vec![connection]),
            gate: tokio::sync::Mutex::new(()),
            staleness,
            began: Instant::now(),
            seen: Arc::new(Seen {
                number: AtomicI64::new(number),
                generation: AtomicU64::new(0),
                asked: AtomicU64::new(0),
            }),
        })
    }

    /// Another number than before, if anybody has written until `staleness` ago, or later.
    pub(super) async fn generation(&self) -> Result<u64, Fault> {
        if self.must_ask() {
            self.ask().await?;
        }
        Ok(self.seen.generation.load(Ordering::Acquire))
    }

    fn must_ask(&self) -> bool {
        let asked = Duration::from_nanos(self.seen.asked.load(Ordering::Acquire));
        self.began.elapsed().saturating_sub(asked) >= self.staleness
    }

    async fn ask(&self) -> Result<(), Fault> {
        let _gate = self.gate.lock().await;
        if !self.must_ask() {
            return Ok(());
        }
        let now = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let seen = Arc::clone(&self.seen);
        let ask = move |connection: &mut Connection| {
            let number = data_version(connection)?;
            if seen.number.swap(number, Ordering::AcqRel) != number {
                seen.generation.fetch_add(1, Ordering::AcqRel);
            }
            seen.asked.store(now, Ordering::Release);
            Ok(())
        };
        self.lane.run(ask).await
    }
}

fn data_version(connection: &Connection) -> Result<i64, Fault> {
    let mut statement = connection.prepare_cached("PRAGMA data_version")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}
