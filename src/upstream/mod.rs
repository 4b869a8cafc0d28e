//! Describes the API that an integration calls: base URL, authentication scheme, default headers and allowed domains.
//!
//! ```
//! use tower_passthrough::policy::DomainPolicy;
//! use tower_passthrough::{Upstream, auth};
//!
//! // The same for each connection:
//! let hubspot = Upstream::new("https://api.hubapi.com")?.auth(auth::Bearer);
//!
//! // With variables of the connection:
//! let zendesk = Upstream::template("https://{subdomain}.zendesk.com/api/v2")?
//!     .variable("subdomain", "^[a-z0-9-]+$")?
//!     .auth(auth::Basic)
//!     .domains(DomainPolicy::none());
//! # Ok::<_, tower_passthrough::upstream::BaseUrlError>(())
//! ```

mod base_url;
pub(crate) mod config;
pub(crate) mod integrations;
mod options;
pub(crate) mod resolver;
mod template;

pub use self::base_url::{BaseUrl, BaseUrlError};
pub use self::config::DomainOverride;
pub use self::options::{HttpProtocol, ResponseHeaderPolicy};
pub use self::resolver::ResolveError;
pub use self::template::BaseUrlTemplate;

pub(crate) use self::config::{Place, Route, Upstream};
#[cfg(feature = "catalog")]
pub(crate) use self::integrations::{Fallback, Integrations};
pub(crate) use self::resolver::BaseUrlResolver;
#[cfg(feature = "catalog")]
pub(crate) use self::template::matches_pattern;
