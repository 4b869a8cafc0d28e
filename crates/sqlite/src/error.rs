//! The errors of the file, which contain only data that may be shown.

use std::fmt;

use rusqlite::ErrorCode as Code;
use tower_passthrough::durable::SealError;
use tower_passthrough::{BoxError, StoreError};

/// The error of a file of connections that can't be used. It contains no secret and no key.
#[derive(Debug)]
#[non_exhaustive]
pub enum SqliteStoreError {
    /// A key is missing with which records of the file are encrypted, or with which the file was opened as the first key.
    WrongKey,
    /// A newer version of this crate has written the file. The file wasn't changed. Use a version of this crate that supports the file's
    /// tables.
    NewerSchema {
        /// The version of the file's tables.
        found: i64,
        /// The newest version that this crate supports.
        known: i64,
    },
    /// The file isn't a SQLite database, is damaged, or belongs to another program. Check the path, or restore the file from a backup.
    NotAStore(BoxError),
    /// The URL isn't `sqlite://` with a path, or the path can't be the path of a file. Correct the configuration.
    InvalidPath,
    /// A record can't be read: it's damaged, was moved, was never encrypted, or its key is missing. The error doesn't distinguish these
    /// causes. Put the connection again, or restore the file from a backup.
    Unreadable,
    /// The file can't be opened, read or written, because of its permissions, its disk or its folder. The error's source has the cause.
    Unavailable(BoxError),
}

impl fmt::Display for SqliteStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongKey => f.write_str("the connections are encrypted with another key"),
            Self::NewerSchema { found, known } => write!(
                f,
                "the file's tables have version {found}, and this program supports up to {known}; use a newer version of the program"
            ),
            Self::NotAStore(_) => {
                f.write_str("the file is damaged, or isn't a store of connections")
            }
            Self::InvalidPath => {
                f.write_str("a location must be a path, or `sqlite://` and a path")
            }
            Self::Unreadable => SealError::Unreadable.fmt(f),
            Self::Unavailable(_) => f.write_str("the store's file can't be used"),
        }
    }
}

impl std::error::Error for SqliteStoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotAStore(source) | Self::Unavailable(source) => Some(&**source),
            _ => None,
        }
    }
}

/// The error of an operation. Its sources are SQLite's messages about constant statements, which don't contain the bound values.
#[derive(Debug)]
pub(crate) enum InternalError {
    NotFound,
    Unreadable,
    Seal(SealError),
    /// The clock's time, or a requested time, can't be stored.
    Time,
    /// The runtime is shutting down.
    Stopped,
    /// The file was refused when it was opened.
    Refused(SqliteStoreError),
    Sql(rusqlite::Error),
}

impl InternalError {
    /// Returns `true` if another process currently holds a lock.
    pub(crate) fn is_busy(&self) -> bool {
        matches!(self, Self::Sql(error) if matches!(
            error.sqlite_error_code(),
            Some(Code::DatabaseBusy | Code::DatabaseLocked)
        ))
    }
}

impl From<rusqlite::Error> for InternalError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            // A value of a type that this crate doesn't write counts as damaged, like an altered record.
            rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::Utf8Error(..) => Self::Unreadable,
            error => Self::Sql(error),
        }
    }
}

impl From<SealError> for InternalError {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Unreadable => Self::Unreadable,
            error => Self::Seal(error),
        }
    }
}

impl From<InternalError> for StoreError {
    fn from(error: InternalError) -> Self {
        match error {
            InternalError::NotFound => Self::NotFound,
            error => Self::unavailable(SqliteStoreError::from(error)),
        }
    }
}

impl From<InternalError> for SqliteStoreError {
    fn from(error: InternalError) -> Self {
        match error {
            InternalError::Refused(error) => error,
            InternalError::Unreadable => Self::Unreadable,
            InternalError::Sql(error)
                if matches!(
                    error.sqlite_error_code(),
                    Some(Code::NotADatabase | Code::DatabaseCorrupt)
                ) =>
            {
                Self::NotAStore(error.into())
            }
            error => Self::Unavailable(error.into()),
        }
    }
}

impl fmt::Display for InternalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "there is no such connection",
            Self::Unreadable => return SealError::Unreadable.fmt(f),
            Self::Seal(error) => return error.fmt(f),
            Self::Time => "the time can't be stored",
            Self::Stopped => "the runtime is shutting down",
            Self::Refused(_) => "the file was rejected",
            Self::Sql(_) => "SQLite failed",
        })
    }
}

impl std::error::Error for InternalError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Refused(error) => Some(error),
            Self::Sql(error) => Some(error),
            _ => None,
        }
    }
}
