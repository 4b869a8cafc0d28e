//! The errors of the database, which contain only data that may be shown.
//!
//! The errors of `tokio-postgres` print user names, and those of rustls print host names. So they are replaced by a code and a constant
//! text, and never become a source.

use std::error::Error;
use std::fmt;
use std::io;

use rustls::CertificateError;
use tokio_postgres::error::SqlState;
use tower_passthrough::durable::SealError;
use tower_passthrough::{BoxError, StoreError};

/// The error of a database of connections that can't be used. It contains no secret, no key, no URL and no user name.
#[derive(Debug)]
#[non_exhaustive]
pub enum PostgresStoreError {
    /// The URL can't be used. Correct the configuration.
    InvalidUrl(&'static str),
    /// The name of the schema can't be used: it isn't 1 to 63 lowercase ASCII letters, digits and `_`, or it begins with a digit or with
    /// `pg_`.
    InvalidSchema,
    /// The URL names a host to which the connection would not be encrypted. Allow TLS, or see
    /// [`dangerous`](crate::PostgresStoreBuilder::dangerous).
    Plaintext,
    /// A certificate of the roots isn't valid PEM, or isn't a certificate.
    InvalidRoots,
    /// A key is missing with which records of the database are encrypted, or with which the database was opened as the first key.
    WrongKey,
    /// A newer version of this crate has migrated the tables. Nothing was changed. Use a version of this crate that supports the tables.
    NewerSchema {
        /// The version of the database's tables.
        found: i32,
        /// The newest version that this crate supports.
        known: i32,
    },
    /// The tables are missing or of an older version, and [`Migrations::Check`](crate::Migrations::Check) is set. Open the database once
    /// with [`Migrations::Run`](crate::Migrations::Run) and a role that may create tables.
    OlderSchema {
        /// The version of the database's tables, or 0 if there are no tables.
        found: i32,
        /// The version that this crate needs.
        known: i32,
    },
    /// The schema contains tables of another program. Use another schema.
    NotAStore,
    /// The role may not do what is needed; the text says what, and which statement grants it.
    NotPermitted(&'static str),
    /// The server can't be used as a store; the text names the setting.
    Unsupported(&'static str),
    /// Committed connections could be lost in a crash; the text names the setting of the server. See
    /// [`volatile`](crate::DangerousPostgresStoreBuilder::volatile).
    NotDurable(&'static str),
    /// A record can't be read: it's damaged, was moved, was never encrypted, or its key is missing. The error doesn't distinguish these
    /// causes. Put the connection again, or restore the database from a backup.
    Unreadable,
    /// Too many operations are waiting for a connection to the database.
    Overloaded,
    /// The database can't be reached, failed, or didn't answer in time. The error's source has the cause.
    Unavailable(BoxError),
}

impl fmt::Display for PostgresStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidUrl(why) => write!(f, "the URL of the database can't be used: {why}"),
            Self::InvalidSchema => f.write_str(
                "the schema's name must be 1 to 63 of a-z, 0-9 and _, and must not begin with a digit or pg_",
            ),
            Self::Plaintext => f.write_str(
                "the connection to the database would not be encrypted; allow TLS (`sslmode=require`)",
            ),
            Self::InvalidRoots => f.write_str("the roots aren't certificates in PEM"),
            Self::WrongKey => f.write_str("the connections are encrypted with another key"),
            Self::NewerSchema { found, known } => write!(
                f,
                "the tables have version {found}, and this program supports up to {known}; use a newer version of the program"
            ),
            Self::OlderSchema { found: 0, .. } => f.write_str(
                "the tables don't exist yet; create them with a role that may create tables",
            ),
            Self::OlderSchema { found, known } => write!(
                f,
                "the tables have version {found}, and this program needs {known}; migrate them with a role that may change tables"
            ),
            Self::NotAStore => {
                f.write_str("the schema contains tables of another program; use another schema")
            }
            Self::NotPermitted(what) => f.write_str(what),
            Self::Unsupported(what) => f.write_str(what),
            Self::NotDurable(what) => {
                write!(f, "committed connections could be lost in a crash: {what}")
            }
            Self::Unreadable => SealError::Unreadable.fmt(f),
            Self::Overloaded => {
                f.write_str("too many operations wait for a connection to the database")
            }
            Self::Unavailable(_) => f.write_str("the database can't be used"),
        }
    }
}

impl Error for PostgresStoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unavailable(source) => Some(&**source),
            _ => None,
        }
    }
}

/// The error of an operation.
#[derive(Debug)]
pub(crate) enum InternalError {
    NotFound,
    Unreadable,
    Seal(SealError),
    /// A requested time can't be stored.
    Time,
    /// The runtime is shutting down.
    Stopped,
    /// The database was refused when it was opened.
    Refused(PostgresStoreError),
    Overloaded,
    /// The server can't write, so it must not be read either.
    ReadOnly,
    Database(DatabaseError),
}

/// A failure of the database or of the connection to it, without any data of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DatabaseError {
    Sql(SqlState),
    Io(io::ErrorKind),
    Tls(&'static str),
    Timeout(&'static str),
    Closed,
    Password(io::ErrorKind),
    Protocol(&'static str),
    /// The last attempt to connect has failed, and the next attempt isn't due yet.
    Pausing(Box<Self>),
}

impl DatabaseError {
    /// Returns `true` if a connection with that error must not be used again.
    ///
    /// Most errors of a statement leave the connection usable. A server that has become read-only (25006) never becomes writable again on
    /// the same connection after a fail-over, although it answers.
    pub(crate) fn is_of_connection(&self) -> bool {
        match self {
            Self::Sql(state) => {
                *state == SqlState::READ_ONLY_SQL_TRANSACTION
                    || state.code().starts_with("57P0")
                    || state.code().starts_with("08")
            }
            _ => true,
        }
    }

    /// Returns `true` if the database has changed nothing, and the same statement may succeed on another connection.
    pub(crate) fn is_undone(&self) -> bool {
        self.is_conflict() || self.has_code(&SqlState::READ_ONLY_SQL_TRANSACTION)
    }

    /// Returns `true` if two transactions conflicted, and the statement was rolled back.
    pub(crate) fn is_conflict(&self) -> bool {
        self.has_code(&SqlState::T_R_SERIALIZATION_FAILURE)
            || self.has_code(&SqlState::T_R_DEADLOCK_DETECTED)
    }

    fn has_code(&self, state: &SqlState) -> bool {
        matches!(self, Self::Sql(found) if found == state)
    }

    /// Returns `true` if the role lacks a privilege.
    pub(crate) fn is_privilege(&self) -> bool {
        self.has_code(&SqlState::INSUFFICIENT_PRIVILEGE)
    }

    /// Returns `true` if a proxy doesn't accept a parameter of the start-up message.
    pub(crate) fn is_protocol_violation(&self) -> bool {
        self.has_code(&SqlState::PROTOCOL_VIOLATION)
    }
}

impl From<tokio_postgres::Error> for DatabaseError {
    fn from(error: tokio_postgres::Error) -> Self {
        if let Some(state) = error.code() {
            return Self::Sql(state.clone());
        }
        if error.is_closed() {
            return Self::Closed;
        }
        let mut source = error.source();
        while let Some(cause) = source {
            if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
                return Self::Tls(tls_reason(tls));
            }
            if let Some(error) = cause.downcast_ref::<io::Error>() {
                // rustls' errors are inside of I/O errors.
                if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
                    return Self::Tls(tls_reason(tls));
                }
                return Self::Io(error.kind());
            }
            source = cause.source();
        }
        // The variants aren't public. This text is constant, and the other part of the message is the source.
        let text = error.to_string();
        if text.starts_with("error performing TLS handshake") {
            Self::Tls("the server doesn't support TLS")
        } else if text.starts_with("authentication error") {
            Self::Protocol(
                "the server wants another kind of authentication, or a password that isn't set",
            )
        } else {
            Self::Protocol("the server's response wasn't expected")
        }
    }
}

/// Returns the reason without the names in the certificate.
fn tls_reason(error: &rustls::Error) -> &'static str {
    match error {
        rustls::Error::InvalidCertificate(certificate) => match certificate {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "the server's certificate has expired"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "the server's certificate isn't valid yet"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "the server's certificate is for another name"
            }
            CertificateError::UnknownIssuer => {
                "the server's certificate isn't from one of the trusted roots"
            }
            CertificateError::Revoked => "the server's certificate is revoked",
            _ => "the server's certificate isn't valid",
        },
        rustls::Error::AlertReceived(_) => "the server refused the TLS handshake",
        rustls::Error::PeerIncompatible(_) => {
            "the server supports no protocol version or cipher suite that is safe"
        }
        _ => "the TLS handshake failed",
    }
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sql(state) => {
                write!(f, "SQLSTATE {}", state.code())?;
                match meaning(state) {
                    "" => Ok(()),
                    meaning => write!(f, ": {meaning}"),
                }
            }
            Self::Io(io::ErrorKind::PermissionDenied) => {
                f.write_str("the server is read-only, or this process may not use its socket")
            }
            Self::Io(kind) => write!(f, "the connection failed: {kind}"),
            Self::Tls(why) => f.write_str(why),
            Self::Timeout(what) => write!(f, "timeout: {what}"),
            Self::Closed => f.write_str("the connection was closed"),
            Self::Password(kind) => write!(f, "the password's file can't be read: {kind}"),
            Self::Protocol(what) => f.write_str(what),
            Self::Pausing(last) => write!(f, "connecting is paused after a failure: {last}"),
        }
    }
}

/// Returns the meaning of a frequent code, or an empty text (PostgreSQL, appendix A).
fn meaning(state: &SqlState) -> &'static str {
    match state.code() {
        "25006" => "the server is read-only",
        "28P01" => "the password is wrong",
        "28000" => "the server refuses this role, or wants another kind of connection",
        "3D000" => "there is no such database",
        "40001" | "40P01" => "conflict with other transactions",
        "42501" => "the role lacks a privilege",
        "42P01" => "a table is missing",
        "53100" => "the server's disk is full",
        "53200" => "the server's memory is full",
        "53300" => "the server has too many connections",
        "55P03" | "57014" => "the server stopped the statement after its timeout",
        "57P01" | "57P02" => "the server is shutting down",
        "57P03" => "the server doesn't accept connections now",
        code if code.starts_with("08") => "the connection failed",
        _ => "",
    }
}

impl Error for DatabaseError {}

impl From<tokio_postgres::Error> for InternalError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error.into())
    }
}

impl From<DatabaseError> for InternalError {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}

impl From<PostgresStoreError> for InternalError {
    fn from(error: PostgresStoreError) -> Self {
        Self::Refused(error)
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
            error => Self::unavailable(PostgresStoreError::from(error)),
        }
    }
}

impl From<InternalError> for PostgresStoreError {
    fn from(error: InternalError) -> Self {
        match error {
            InternalError::Refused(error) => error,
            InternalError::Unreadable => Self::Unreadable,
            InternalError::Overloaded => Self::Overloaded,
            InternalError::Database(error) => Self::Unavailable(error.into()),
            error => Self::Unavailable(error.into()),
        }
    }
}

impl fmt::Display for InternalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("there is no such connection"),
            Self::Unreadable => SealError::Unreadable.fmt(f),
            Self::Seal(error) => error.fmt(f),
            Self::Time => f.write_str("the time can't be stored"),
            Self::Stopped => f.write_str("the runtime is shutting down"),
            Self::Refused(error) => error.fmt(f),
            Self::Overloaded => PostgresStoreError::Overloaded.fmt(f),
            Self::ReadOnly => f.write_str("the server is read-only"),
            Self::Database(error) => error.fmt(f),
        }
    }
}

impl Error for InternalError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_thrown_away_if_the_server_cannot_write_any_more() {
        for (code, thrown_away) in [
            ("25006", true),
            ("57P01", true),
            ("57P02", true),
            ("57P03", true),
            ("08006", true),
            ("08P01", true),
            ("57014", false),
            ("40001", false),
            ("23505", false),
        ] {
            let error = DatabaseError::Sql(SqlState::from_code(code));
            assert_eq!(error.is_of_connection(), thrown_away, "{code}");
        }
        assert!(DatabaseError::Io(io::ErrorKind::ConnectionReset).is_of_connection());
        assert!(DatabaseError::Timeout("").is_of_connection());
    }

    #[test]
    fn only_statements_that_were_rolled_back_are_tried_again() {
        for (code, again) in [
            ("25006", true),
            ("40001", true),
            ("40P01", true),
            ("57P01", false),
        ] {
            let error = DatabaseError::Sql(SqlState::from_code(code));
            assert_eq!(error.is_undone(), again, "{code}");
        }
        assert!(!DatabaseError::Closed.is_undone());
    }
}
