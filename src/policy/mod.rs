//! Limits the destinations that may receive a credential: hosts by name, and addresses by block.
//!
//! A [`DomainPolicy`] checks the names that callers send in `__domain`. It's the only way to make a
//! [`Destination`], and only a destination can be dialled. A [`NetworkPolicy`] checks the addresses
//! that a name resolves to, on each new network connection.
//!
//! ```
//! use tower_passthrough::policy::{DomainPolicy, NetworkPolicy};
//!
//! let domains = DomainPolicy::none()
//!     .allow("eu.vendor.test")?
//!     .allow("*.regions.vendor.test:8443")?;
//! // Other people can register names below this suffix.
//! assert!(DomainPolicy::none().allow("*.github.io").is_err());
//!
//! let network = NetworkPolicy::new().allow("10.1.0.0/16".parse()?);
//! assert!(network.check("10.1.2.3:443".parse()?).is_ok());
//! // A metadata service of a cloud.
//! assert!(network.check("169.254.169.254:80".parse()?).is_err());
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod destination;
mod domain;
mod host;
mod network;
mod origin;
mod shared_hosts;
mod special_purpose;

pub use self::destination::Destination;
pub use self::domain::{DomainPolicy, DomainPolicyError};
pub use self::host::Host;
pub use self::network::{DangerousNetworkPolicy, NetworkPolicy, NetworkRefusal};
pub use self::origin::{Origin, Scheme};

pub(crate) use self::domain::{is_open_host, is_registry_suffix};
pub(crate) use self::network::Plaintext;
pub(crate) use self::origin::{Location, LocationError};
