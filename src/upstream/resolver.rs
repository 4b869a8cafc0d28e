//! The resolver that finds the upstream of a connection.
//!
//! ```
//! use tower_passthrough::{BaseUrlResolver, Connection, Upstream, auth};
//! use tower_passthrough::upstream::ResolveError;
//!
//! /// The same upstream for all connections.
//! struct One(Upstream);
//!
//! impl BaseUrlResolver for One {
//!     async fn resolve(&self, _: &Connection) -> Result<Upstream, ResolveError> {
//!         Ok(self.0.clone())
//!     }
//! }
//!
//! let resolver = One(Upstream::new("https://api.vendor.test")?.auth(auth::Bearer));
//! # Ok::<_, tower_passthrough::upstream::BaseUrlError>(())
//! ```

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::{BaseUrlError, Upstream};
use crate::connection::Connection;
use crate::error::{BoxError, Error, ErrorCode};

/// Finds the upstream of a connection.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't find the upstream of a connection",
    label = "not a `BaseUrlResolver`",
    note = "implement `BaseUrlResolver` for it, or begin with `Integrations`"
)]
pub trait BaseUrlResolver: Send + Sync + 'static {
    /// Returns the upstream of that connection: base URL, scheme, default headers and allowed
    /// domains.
    ///
    /// # Errors
    ///
    /// [`ResolveError`], which distinguishes an error in the connection's data from a failure of
    /// the resolver.
    ///
    /// # Cancel safety
    ///
    /// The future may be dropped at any await point, if the caller disconnects.
    fn resolve(
        &self,
        connection: &Connection,
    ) -> impl Future<Output = Result<Upstream, ResolveError>> + Send;
}

macro_rules! forward {
    ($pointer:ident) => {
        impl<R: BaseUrlResolver> BaseUrlResolver for $pointer<R> {
            fn resolve(
                &self,
                connection: &Connection,
            ) -> impl Future<Output = Result<Upstream, ResolveError>> + Send {
                R::resolve(self, connection)
            }
        }
    };
}

forward!(Arc);
forward!(Box);

/// The reason why the upstream of a connection couldn't be found.
#[derive(Debug)]
#[non_exhaustive]
pub enum ResolveError {
    /// There is no integration with the name in the connection. The host application's operator
    /// must add the integration, or correct the connection. The response is `store-unavailable`.
    UnknownIntegration,
    /// A variable of the connection is missing, or doesn't match its pattern. The connection's
    /// owner must correct the variable. The response is `reauthorize`.
    ///
    /// If a variable [needs a pattern](super::Upstream::check_patterns), the host application's operator must set the pattern. The response
    /// is `store-unavailable`.
    Variables(BaseUrlError),
    /// The resolver failed, for example because its database can't be reached. The host
    /// application's operator must find the cause, which is the error's source. The response is
    /// `store-unavailable`.
    Unavailable(BoxError),
}

impl ResolveError {
    /// Returns the error of a resolver that failed.
    pub fn unavailable(error: impl Into<BoxError>) -> Self {
        Self::Unavailable(error.into())
    }
}

impl ResolveError {
    /// Returns the error of a call for a connection to that integration.
    pub(crate) fn into_error(self, integration: &str) -> Error {
        let is_lasting = match &self {
            Self::UnknownIntegration => true,
            Self::Variables(error) => error.lacks_pattern(),
            Self::Unavailable(_) => false,
        };
        let detail = match &self {
            Self::Variables(error) if error.lacks_pattern() => {
                "a variable in the host of the connection's integration needs a pattern: the host application's operator must set it"
            }
            Self::Variables(_) => {
                let detail = "a variable of the connection is missing or doesn't match its pattern: its owner must set it again";
                return Error::reauthorize(detail).with_source(self);
            }
            Self::UnknownIntegration => {
                "the host application doesn't know the connection's integration: its operator must add the integration"
            }
            Self::Unavailable(_) => {
                "the connection's integration can't be looked up; try again later"
            }
        };
        let cause = Unresolved {
            integration: integration.into(),
            source: self,
        };
        let error = Error::new(ErrorCode::StoreUnavailable, detail).with_source(cause);
        match is_lasting {
            true => error.with_lasting_cause(),
            false => error.with_retry_after(Duration::from_secs(1)),
        }
    }
}

/// The error with the name of the integration, for the host application's logs.
#[derive(Debug)]
struct Unresolved {
    integration: Box<str>,
    source: ResolveError,
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the integration `{}` can't be resolved",
            self.integration.escape_debug()
        )
    }
}

impl std::error::Error for Unresolved {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownIntegration => "there is no integration of that name",
            Self::Variables(_) => "a variable of the connection can't be used",
            Self::Unavailable(_) => "the resolver is unavailable",
        })
    }
}

impl std::error::Error for ResolveError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Variables(source) => Some(source),
            Self::Unavailable(source) => Some(&**source),
            Self::UnknownIntegration => None,
        }
    }
}
