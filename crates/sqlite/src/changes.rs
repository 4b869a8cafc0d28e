//! Detects changes by other processes. SQLite has a number for each connection to the file, which changes when another connection of any
//! process commits (`PRAGMA data_version`). Reading it takes some microseconds.

use rusqlite::Connection;
use tower_passthrough::StoreError;
use tower_passthrough::durable::{ChangeFeed, Changes};

use crate::error::InternalError;
use crate::pool::ConnectionPool;

/// A single connection to the file, because the numbers of two connections can't be compared.
pub(crate) struct DataVersion(ConnectionPool);

impl DataVersion {
    pub(crate) fn new(connection: Connection) -> Self {
        Self(ConnectionPool::new(vec![connection]))
    }
}

impl ChangeFeed for DataVersion {
    type Cursor = i64;

    async fn changes_since(&self, cursor: Option<&i64>) -> Result<Changes<i64>, StoreError> {
        let number = self.0.run(|connection| data_version(connection)).await?;
        Ok(match cursor {
            Some(before) if *before != number => Changes::All(number),
            _ => Changes::None(number),
        })
    }
}

fn data_version(connection: &Connection) -> Result<i64, InternalError> {
    let mut statement = connection.prepare_cached("PRAGMA data_version")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}
