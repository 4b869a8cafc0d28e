//! The destinations that may receive a credential: hosts by name, addresses by block.
//!
//! A [`DomainPolicy`] checks names. It is the only way to make a [`Destination`], and only a
//! destination can be dialled. A [`NetworkPolicy`] checks the addresses that a name resolves to, on
//! each new connection.
//!
//! ```
//! use tower_passthrough::policy::DomainPolicy;
//!
//! let domains = DomainPolicy::none()
//!     .allow("eu.vendor.test")?
//!     .allow("*.regions.vendor.test:8443")?;
//! assert!(DomainPolicy::none().allow("*.github.io").is_err());
//! # Ok::<_, tower_passthrough::policy::DomainPolicyError>(())
//! ```

mod destination;
mod domain;
mod host;
mod network;
mod origin;
mod special_purpose;

pub use self::destination::Destination;
pub use self::domain::{DomainPolicy, DomainPolicyError};
pub use self::host::Host;
pub use self::network::{DangerousNetworkPolicy, NetworkPolicy, NetworkRefusal};
pub use self::origin::{Origin, Scheme};

pub(crate) use self::network::Plaintext;
pub(crate) use self::origin::{Location, LocationError};
