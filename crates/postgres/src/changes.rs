//! Detects changes by other processes, by a table of the keys that were written.
//!
//! The cursor is a snapshot, because transactions commit in another order than they take numbers. With a cursor that is "the highest number
//! so far", the change of a transaction that began early and committed late would be missed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use tower_passthrough::StoreError;
use tower_passthrough::durable::{ChangeFeed, Changes, random_version};
use tower_passthrough::store::ConnectionKey;

use crate::error::{DatabaseError, InternalError};
use crate::pool::{Effect, Pool};
use crate::statements::Statements;

/// The maximum time of a question, for which calls wait. After a late answer, it's the maximum time of other statements.
const MAX_TIME: Duration = Duration::from_secs(2);
/// The maximum number of keys in an answer. If there are more, the whole cache is compared.
const MAX_KEYS: i64 = 10_000;
/// The age in milliseconds of a cursor after which changes may have been deleted.
const MAX_AGE: i64 = 30 * 60 * 1000;
/// The average time between two deletions of old changes by a process.
const SWEEP_INTERVAL: Duration = Duration::from_secs(10 * 60);

pub(crate) struct ChangeLog {
    pub(crate) pool: Pool,
    pub(crate) statements: Arc<Statements>,
    pub(crate) sweeper: Sweeper,
    /// The last question wasn't answered in time.
    pub(crate) is_late: AtomicBool,
}

/// The place up to which changes were read.
#[derive(Debug)]
pub(crate) struct Cursor {
    snapshot: String,
    /// The start of the server, which tells a standby that was promoted or a restored database from the server before it. A proxy hides
    /// that the connection is to another server.
    server: i64,
    /// The server's time, in milliseconds.
    at: i64,
}

impl Cursor {
    /// Returns `true` if there may have been changes that can't be read any more.
    const fn is_cut_before(&self, next: &Self) -> bool {
        self.server != next.server || next.at.saturating_sub(self.at) > MAX_AGE
    }
}

impl ChangeLog {
    async fn ask(&self, cursor: Option<&Cursor>) -> Result<Changes<Cursor>, InternalError> {
        // After a late answer, connections in memory are used without a question, and a single call asks again. A slow server would never
        // answer in time if this question didn't get more time.
        let time = match self.is_late.load(Ordering::Relaxed) {
            true => self.pool.max_time(),
            false => self.pool.max_time().min(MAX_TIME),
        };
        let Some(cursor) = cursor else {
            let sql = &self.statements.cursor;
            let rows = self.pool.query(Effect::Read, true, time, sql, &[]).await?;
            let row = rows.first().ok_or(InternalError::Unreadable)?;
            return Ok(Changes::None(next(row)?));
        };
        let maximum = MAX_KEYS + 1;
        let params = [
            (&cursor.snapshot as _, Type::TEXT),
            (&maximum as _, Type::INT8),
        ];
        let sql = &self.statements.changes;
        let rows = self
            .pool
            .query(Effect::Read, true, time, sql, &params)
            .await?;
        let row = rows.first().ok_or(InternalError::Unreadable)?;
        let next = next(row)?;
        let keys: Vec<&str> = row.try_get(4)?;
        self.sweeper.sweep_if_due(&self.pool, &self.statements);
        if keys.len() as u64 > MAX_KEYS.unsigned_abs() || cursor.is_cut_before(&next) {
            return Ok(Changes::All(next));
        }
        // A text that isn't a key can't be in the cache.
        let keys: Vec<_> = keys
            .into_iter()
            .filter_map(|key| ConnectionKey::new(key).ok())
            .collect();
        Ok(match keys.is_empty() {
            true => Changes::None(next),
            false => Changes::Keys(keys, next),
        })
    }
}

fn next(row: &Row) -> Result<Cursor, InternalError> {
    Ok(Cursor {
        snapshot: row.try_get(1)?,
        server: row.try_get(2)?,
        at: row.try_get(3)?,
    })
}

impl ChangeFeed for ChangeLog {
    type Cursor = Cursor;

    async fn changes_since(&self, cursor: Option<&Cursor>) -> Result<Changes<Cursor>, StoreError> {
        let changes = self.ask(cursor).await;
        let is_late = matches!(
            &changes,
            Err(InternalError::Database(DatabaseError::Timeout(_)))
        );
        self.is_late.store(is_late, Ordering::Relaxed);
        Ok(changes?)
    }
}

/// Deletes changes that each process has read, from time to time, in a task.
pub(crate) struct Sweeper {
    began: Instant,
    /// The time of the next deletion, in seconds since the start.
    next: AtomicU64,
    is_sweeping: Arc<AtomicBool>,
}

impl Sweeper {
    pub(crate) fn new() -> Self {
        Self {
            began: Instant::now(),
            next: AtomicU64::new(some_time()),
            is_sweeping: Arc::default(),
        }
    }

    fn sweep_if_due(&self, pool: &Pool, statements: &Arc<Statements>) {
        let now = self.began.elapsed().as_secs();
        if now >= self.next.load(Ordering::Relaxed) {
            self.next
                .store(now.saturating_add(some_time()), Ordering::Relaxed);
            self.sweep(pool, statements);
        }
    }

    /// Deletes old changes in a task, unless there is such a task.
    pub(crate) fn sweep(&self, pool: &Pool, statements: &Arc<Statements>) {
        if self.is_sweeping.swap(true, Ordering::Relaxed) {
            return;
        }
        let (pool, statements) = (pool.clone(), Arc::clone(statements));
        let is_sweeping = Arc::clone(&self.is_sweeping);
        tokio::spawn(async move {
            // If it fails, another process or a later time deletes them.
            let _ = sweep(&pool, &statements).await;
            is_sweeping.store(false, Ordering::Relaxed);
        });
    }
}

async fn sweep(pool: &Pool, statements: &Statements) -> Result<(), InternalError> {
    let (time, sql) = (pool.max_time(), &statements.sweep);
    pool.query(Effect::Write, false, time, sql, &[]).await?;
    Ok(())
}

/// Returns a random time from a half of the interval to one and a half, in seconds, so that processes don't sweep at the same time.
fn some_time() -> u64 {
    let interval = SWEEP_INTERVAL.as_secs();
    interval / 2 + random_version().map_or(0, |version| version.get() % interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(server: i64, at: i64) -> Cursor {
        Cursor {
            snapshot: String::new(),
            server,
            at,
        }
    }

    #[test]
    fn an_old_cursor_or_another_server_means_that_anything_may_have_changed() {
        let before = cursor(1, 1000);
        assert!(!before.is_cut_before(&cursor(1, 1000 + MAX_AGE)));
        assert!(before.is_cut_before(&cursor(1, 1001 + MAX_AGE)));
        assert!(before.is_cut_before(&cursor(2, 1000)));
        assert!(!before.is_cut_before(&cursor(1, 0)));
    }
}
