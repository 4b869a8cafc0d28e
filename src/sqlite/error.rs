//! What can go wrong with the file, and what of it may be told.

use std::fmt;

use rusqlite::ErrorCode as Code;

use crate::error::BoxError;
use crate::store::StoreError;

/// Why a file of connections can't be used. It holds no secret, and no key.
#[derive(Debug)]
#[non_exhaustive]
pub enum SqliteStoreError {
    /// The keys aren't those that the file's records are encrypted by, or one of them is missing.
    WrongKey,
    /// A newer version of this crate has written the file.
    NewerSchema {
        /// The version of the file's tables.
        found: i64,
        /// The newest that is known here.
        known: i64,
    },
    /// The file is no SQLite database, is damaged, or belongs to another program.
    NotAStore(BoxError),
    /// The URL isn't `sqlite://` and a path, or the path is none of a file.
    InvalidPath,
    /// A record can't be read: it's damaged, was moved, was never encrypted, or its key isn't there.
    /// Which of these isn't told.
    Unreadable,
    /// The file can't be opened, read or written: its permissions, its disk, its folder.
    Unavailable(BoxError),
}

impl fmt::Display for SqliteStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongKey => f.write_str("the connections are encrypted by another key"),
            Self::NewerSchema { found, known } => write!(
                f,
                "the file's tables are of version {found}, and this program knows {known}"
            ),
            Self::NotAStore(_) => f.write_str("the file is damaged or isn't one of connections"),
            Self::InvalidPath => f.write_str("a place is a path, or `sqlite://` and a path"),
            Self::Unreadable => f.write_str(UNREADABLE),
            Self::Unavailable(_) => f.write_str("the file of connections can't be used"),
        }
    }
}

const UNREADABLE: &str = "a record can't be read: it's damaged, or of another key";

impl std::error::Error for SqliteStoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotAStore(source) | Self::Unavailable(source) => Some(&**source),
            _ => None,
        }
    }
}

/// What failed within. Its sources are SQLite's words on constant statements: what was bound to them
/// isn't in there.
#[derive(Debug)]
pub(super) enum Fault {
    NotFound,
    Unreadable,
    TooLarge,
    NoRandomness,
    /// The clock or a time that was asked for can't be written down.
    Time,
    /// The runtime is shutting down.
    Stopped,
    /// What opening the file found out.
    Refused(SqliteStoreError),
    Sql(rusqlite::Error),
}

impl Fault {
    /// Whether another process is in the way for now.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self, Self::Sql(error) if matches!(
            error.sqlite_error_code(),
            Some(Code::DatabaseBusy | Code::DatabaseLocked)
        ))
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            // A value of another type than this crate writes is as damaged as one that was altered.
            rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::Utf8Error(..) => Self::Unreadable,
            error => Self::Sql(error),
        }
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::NotFound => Self::NotFound,
            fault => Self::unavailable(SqliteStoreError::from(fault)),
        }
    }
}

impl From<Fault> for SqliteStoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Refused(error) => error,
            Fault::Unreadable => Self::Unreadable,
            Fault::Sql(error)
                if matches!(
                    error.sqlite_error_code(),
                    Some(Code::NotADatabase | Code::DatabaseCorrupt)
                ) =>
            {
                Self::NotAStore(error.into())
            }
            Fault::Sql(error) => Self::Unavailable(error.into()),
            fault => Self::Unavailable(fault.into()),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "there is no such connection",
            Self::Unreadable => UNREADABLE,
            Self::TooLarge => "the connection is too large",
            Self::NoRandomness => "the system gives no random bytes",
            Self::Time => "no such time can be stored",
            Self::Stopped => "the runtime is shutting down",
            Self::Refused(_) => "the file was refused",
            Self::Sql(_) => "SQLite failed",
        })
    }
}

impl std::error::Error for Fault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Refused(error) => Some(error),
            Self::Sql(error) => Some(error),
            _ => None,
        }
    }
}
