//! The base URL of an upstream: scheme, host, port, and the path below which all calls go.

use std::fmt;
use std::sync::Arc;

use crate::policy::{Location, LocationError, Origin};

/// A base URL, which is parsed once. Cloning increments a reference count.
#[derive(Clone)]
pub struct BaseUrl {
    location: Arc<Location>,
    /// `true` if the base URL has variables of the connection.
    has_variables: bool,
}

impl BaseUrl {
    /// Parses an absolute URL.
    ///
    /// # Errors
    ///
    /// [`BaseUrlError`] if it isn't an absolute http or https URL, or if it contains user info, a
    /// query, a fragment or dot segments.
    pub fn new(url: &str) -> Result<Self, BaseUrlError> {
        let location = Location::parse_configured(url)?;
        Ok(Self {
            location: Arc::new(location),
            has_variables: false,
        })
    }

    /// Returns the base URL that a template gives with a connection's variables.
    pub(super) fn from_template(url: &str) -> Result<Self, BaseUrlError> {
        Ok(Self {
            has_variables: true,
            ..Self::new(url)?
        })
    }

    /// Returns scheme, host and port.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.location.origin
    }

    /// Returns the path, which is empty or begins with `/`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.location.path
    }

    pub(super) fn location(&self) -> &Location {
        &self.location
    }

    pub(super) fn has_variables(&self) -> bool {
        self.has_variables
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "BaseUrl({:?}{})",
            self.location.origin, self.location.path
        )
    }
}

/// Writes the URL: `https://api.vendor.com/v2`.
impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = &self.location.origin;
        let scheme = origin.scheme().as_uri_scheme();
        write!(f, "{scheme}://{}{}", origin.authority(), self.location.path)
    }
}

/// The error of a base URL, its template, or a variable that can't be used. The text describes the
/// problem, and contains no value of a variable.
///
/// If it's returned when an [`Upstream`](crate::Upstream) is created, or if a variable needs a pattern, it's a mistake in the
/// configuration. If a connection's variable is missing or doesn't match its pattern, the
/// connection's owner must correct the variable, and the response to the caller is `reauthorize`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrlError {
    why: &'static str,
    variable: Option<Box<str>>,
    /// `true` if the integration must be corrected, and not the connection.
    lacks_pattern: bool,
}

impl BaseUrlError {
    pub(super) const fn new(why: &'static str) -> Self {
        Self {
            why,
            variable: None,
            lacks_pattern: false,
        }
    }

    pub(super) fn with_variable(variable: &str, why: &'static str) -> Self {
        Self {
            why,
            variable: Some(variable.into()),
            lacks_pattern: false,
        }
    }

    pub(super) fn with_missing_pattern(variable: &str) -> Self {
        const WHY: &str = "needs a pattern of the values that you know, such as \"com|eu\", because anybody can register a domain \
                           for another value";
        Self {
            lacks_pattern: true,
            ..Self::with_variable(variable, WHY)
        }
    }

    pub(super) fn lacks_pattern(&self) -> bool {
        self.lacks_pattern
    }
}

impl From<LocationError> for BaseUrlError {
    fn from(error: LocationError) -> Self {
        Self::new(error.0)
    }
}

impl fmt::Display for BaseUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.variable {
            Some(variable) => write!(f, "the variable `{}` {}", variable.escape_debug(), self.why),
            None => f.write_str(self.why),
        }
    }
}

impl std::error::Error for BaseUrlError {}
