//! The errors of the server, which contain only data that may be shown.
//!
//! The errors of the crate `redis` print hosts, user names, and parts of the server's responses. So they are replaced by a code and a
//! constant text, and never become a source.

use std::error::Error;
use std::fmt;
use std::io;

use redis::ErrorKind;
use rustls::CertificateError;
use tower_passthrough::durable::SealError;
use tower_passthrough::{BoxError, StoreError};

/// The error of a server with connections that can't be used. It contains no secret, no key, no URL and no user name.
#[derive(Debug)]
#[non_exhaustive]
pub enum RedisStoreError {
    /// The URL can't be used. Correct the configuration.
    InvalidUrl(&'static str),
    /// The prefix can't be used: it isn't 1 to 64 lowercase ASCII letters, digits, `_`, `-`, `.` and `:`.
    InvalidPrefix,
    /// The URL names a host to which the connection would not be encrypted. Use `rediss://`, or see
    /// [`dangerous`](crate::RedisStoreBuilder::dangerous).
    Plaintext,
    /// A certificate of the roots isn't valid PEM, or isn't a certificate.
    InvalidRoots,
    /// A key is missing with which stored records are encrypted.
    WrongKey,
    /// A newer version of this crate has stored connections under the prefix. Nothing was changed. Use a version of this crate that
    /// supports them.
    NewerFormat,
    /// The user may not do what is needed; the text says what is needed.
    NotPermitted(&'static str),
    /// The server can't be used as a store; the text says why.
    Unsupported(&'static str),
    /// Stored connections could be lost; the text names the setting of the server. See
    /// [`Durability`](crate::Durability) and [`volatile`](crate::DangerousRedisStoreBuilder::volatile).
    NotDurable(&'static str),
    /// A record can't be read: it's damaged, was moved, was never encrypted, or its key is missing. The error doesn't distinguish these
    /// causes. Put the connection again, or restore the data from a backup.
    Unreadable,
    /// Too many operations are waiting for the server.
    Overloaded,
    /// The server can't be reached, failed, or didn't answer in time. The error's source has the cause.
    Unavailable(BoxError),
}

impl fmt::Display for RedisStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidUrl(why) => write!(f, "the URL of the server can't be used: {why}"),
            Self::InvalidPrefix => {
                f.write_str("the prefix must be 1 to 64 of a-z, 0-9, `_`, `-`, `.` and `:`")
            }
            Self::Plaintext => {
                f.write_str("the connection to the server would not be encrypted; use `rediss://`")
            }
            Self::InvalidRoots => f.write_str("the roots aren't certificates in PEM"),
            Self::WrongKey => f.write_str("the connections are encrypted with another key"),
            Self::NewerFormat => f.write_str(
                "the connections were stored by a newer version of the program; use that version",
            ),
            Self::NotPermitted(what) | Self::Unsupported(what) => f.write_str(what),
            Self::NotDurable(what) => write!(f, "stored connections could be lost: {what}"),
            Self::Unreadable => SealError::Unreadable.fmt(f),
            Self::Overloaded => f.write_str("too many operations wait for the server"),
            Self::Unavailable(_) => f.write_str("the server can't be used"),
        }
    }
}

impl Error for RedisStoreError {
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
    /// The server was refused when the store was opened.
    Refused(RedisStoreError),
    Overloaded,
    Redis(RedisError),
}

/// A failure of the server or of the connection to it, without any data of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RedisError {
    Server(Code),
    /// The slot belongs to that node of the cluster.
    Moved(Redirect),
    /// The slot is being moved to that node of the cluster, and some of the keys are there.
    Ask(Redirect),
    /// A node of the cluster would be reached without TLS.
    Plaintext,
    /// The cluster can't be used; the text says why.
    Unsupported(&'static str),
    Io(io::ErrorKind),
    Tls(&'static str),
    Timeout(&'static str),
    Closed,
    Authentication,
    Password(io::ErrorKind),
    Protocol(&'static str),
    /// The server could lose connections, because of that setting.
    NotDurable(&'static str),
    /// The write is in the server, and fewer servers than asked have it on their disks.
    NotAcknowledged,
    /// The last attempt to connect has failed, and the next attempt isn't due yet.
    Pausing(Box<Self>),
}

/// The address of a node of the cluster. It isn't shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Redirect {
    /// Empty for the host of the node that has answered.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Redirect {
    /// Parses the slot and the address, such as `3999 127.0.0.1:6381`.
    fn parse(text: &str) -> Option<Self> {
        let (_, address) = text.trim().split_once(' ')?;
        let (host, port) = address.rsplit_once(':')?;
        Some(Self {
            host: host.to_owned(),
            port: port.parse().ok()?,
        })
    }
}

impl fmt::Debug for Redirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redirect").finish_non_exhaustive()
    }
}

/// The first word of an error of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Code(&'static str);

/// The words that are known. Others aren't shown, because they could be anything.
const CODES: [(&str, &str); 19] = [
    ("READONLY", "the server is read-only"),
    ("NOSCRIPT", "the server doesn't know the script"),
    ("LOADING", "the server is loading its data"),
    (
        "MASTERDOWN",
        "the server is a replica, and its primary is down",
    ),
    ("CLUSTERDOWN", "the cluster is down"),
    (
        "MOVED",
        "the keys are on another node, and the nodes don't agree which node has them",
    ),
    ("ASK", "the keys are being moved to another node"),
    ("TRYAGAIN", "the keys are being moved to another node"),
    ("CROSSSLOT", "the keys are in several slots"),
    ("BUSY", "the server is busy with a script"),
    ("OOM", "the server's memory is full"),
    ("MISCONF", "the server can't write to its disk"),
    (
        "NOREPLICAS",
        "the server has fewer replicas than it requires",
    ),
    ("NOAUTH", "the server requires a password"),
    ("WRONGPASS", "the user name or the password is wrong"),
    ("NOPERM", "the user lacks a permission"),
    ("WRONGTYPE", "a name is used by another program"),
    ("EXECABORT", "the server aborted the transaction"),
    ("ERR", "the server refused the command"),
];

impl RedisError {
    /// Returns `true` if a connection with that error must not be used again.
    ///
    /// A server that has become a replica never becomes writable again on the same connection, although it answers.
    pub(crate) fn is_of_connection(&self) -> bool {
        match self {
            Self::Server(Code(code)) => {
                matches!(*code, "READONLY" | "MASTERDOWN" | "NOAUTH" | "LOADING")
            }
            // A node of a cluster has the keys of other slots.
            Self::Moved(_) | Self::Ask(_) | Self::NotAcknowledged => false,
            _ => true,
        }
    }

    /// Returns `true` if the server has changed nothing, and the same command may succeed on another connection.
    pub(crate) fn is_undone(&self) -> bool {
        matches!(
            self,
            Self::Server(Code("READONLY" | "MASTERDOWN" | "LOADING" | "NOAUTH"))
        )
    }

    pub(crate) fn has_code(&self, code: &str) -> bool {
        match self {
            Self::Server(Code(found)) => *found == code,
            Self::Moved(_) => code == "MOVED",
            Self::Ask(_) => code == "ASK",
            _ => false,
        }
    }

    /// Returns `true` if a primary refuses each script that may write, and can be read.
    pub(crate) fn refuses_writes(&self) -> bool {
        self.has_code("NOREPLICAS") || self.has_code("MISCONF")
    }

    /// Returns the error of an answer.
    pub(crate) fn of_answer(error: &redis::ServerError) -> Self {
        let redirect = || error.details().and_then(Redirect::parse);
        let redirected = match error.code() {
            "MOVED" => redirect().map(Self::Moved),
            "ASK" => redirect().map(Self::Ask),
            _ => None,
        };
        redirected.unwrap_or_else(|| Self::of_code(error.code()))
    }

    pub(crate) fn of_code(code: &str) -> Self {
        let known = CODES.iter().find(|(known, _)| *known == code);
        match known {
            Some((known, _)) => Self::Server(Code(known)),
            None => Self::Protocol("the server answered with an error that isn't known"),
        }
    }
}

impl From<redis::RedisError> for RedisError {
    fn from(error: redis::RedisError) -> Self {
        match error.kind() {
            ErrorKind::AuthenticationFailed => return Self::Authentication,
            ErrorKind::Parse | ErrorKind::UnexpectedReturnType => {
                return Self::Protocol("the server's response wasn't expected");
            }
            _ => {}
        }
        if let Some(code) = error.code() {
            return Self::of_code(code);
        }
        let mut source = Error::source(&error);
        while let Some(cause) = source {
            if let Some(error) = cause.downcast_ref::<io::Error>() {
                return of_io(error);
            }
            source = cause.source();
        }
        Self::Closed
    }
}

impl From<io::Error> for RedisError {
    fn from(error: io::Error) -> Self {
        of_io(&error)
    }
}

fn of_io(error: &io::Error) -> RedisError {
    // rustls' errors are inside of I/O errors.
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref());
    match tls {
        Some(tls) => RedisError::Tls(tls_reason(tls)),
        None => RedisError::Io(error.kind()),
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
        rustls::Error::InvalidMessage(_) => "the server doesn't support TLS at this port",
        _ => "the TLS handshake failed",
    }
}

impl fmt::Display for RedisError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(Code(code)) => {
                let meaning = CODES.iter().find(|(known, _)| known == code);
                write!(f, "{code}: {}", meaning.map_or("", |(_, meaning)| meaning))
            }
            Self::Moved(_) => Self::of_code("MOVED").fmt(f),
            Self::Ask(_) => Self::of_code("ASK").fmt(f),
            Self::Plaintext => RedisStoreError::Plaintext.fmt(f),
            Self::Unsupported(what) => f.write_str(what),
            Self::Io(kind) => write!(f, "the connection failed: {kind}"),
            Self::Tls(why) => f.write_str(why),
            Self::Timeout(what) => write!(f, "timeout: {what}"),
            Self::Closed => f.write_str("the connection was closed"),
            Self::Authentication => f.write_str("the user name or the password is wrong"),
            Self::Password(kind) => write!(f, "the password's file can't be read: {kind}"),
            Self::Protocol(what) => f.write_str(what),
            Self::NotDurable(what) => {
                write!(f, "the primary could lose stored connections: {what}")
            }
            Self::NotAcknowledged => f.write_str(
                "the write is stored, but fewer servers than required have written it to their disks in time",
            ),
            Self::Pausing(last) => write!(f, "connecting is paused after a failure: {last}"),
        }
    }
}

impl Error for RedisError {}

impl From<RedisError> for InternalError {
    fn from(error: RedisError) -> Self {
        Self::Redis(error)
    }
}

impl From<RedisStoreError> for InternalError {
    fn from(error: RedisStoreError) -> Self {
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
            error => Self::unavailable(RedisStoreError::from(error)),
        }
    }
}

impl From<InternalError> for RedisStoreError {
    fn from(error: InternalError) -> Self {
        match error {
            InternalError::Refused(error) => error,
            InternalError::Unreadable => Self::Unreadable,
            InternalError::Overloaded => Self::Overloaded,
            InternalError::Redis(RedisError::Plaintext) => Self::Plaintext,
            InternalError::Redis(RedisError::Unsupported(what)) => Self::Unsupported(what),
            InternalError::Redis(error) => Self::Unavailable(error.into()),
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
            Self::Overloaded => RedisStoreError::Overloaded.fmt(f),
            Self::Redis(error) => error.fmt(f),
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
            ("READONLY", true),
            ("MASTERDOWN", true),
            ("LOADING", true),
            ("OOM", false),
            ("BUSY", false),
            ("NOSCRIPT", false),
            ("ERR", false),
        ] {
            assert_eq!(
                RedisError::of_code(code).is_of_connection(),
                thrown_away,
                "{code}"
            );
        }
        assert!(RedisError::Io(io::ErrorKind::ConnectionReset).is_of_connection());
        assert!(RedisError::Timeout("").is_of_connection());
        assert!(!RedisError::NotAcknowledged.is_of_connection());
    }

    #[test]
    fn a_word_that_is_not_known_is_not_shown() {
        let error = RedisError::of_code("s3cr3t");
        assert!(!format!("{error} {error:?}").contains("s3cr3t"));
        assert!(!RedisError::Closed.is_undone() && RedisError::of_code("READONLY").is_undone());
    }
}
