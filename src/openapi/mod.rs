//! Describes a mount for clients: an OpenAPI 3.1 document, and a Postman collection.
//!
//! ```
//! use http::header::HeaderName;
//! use tower_passthrough::openapi::{Document, Integration};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let hubspot = Integration::new("hubspot", "https://api.hubapi.com")
//!     .title("HubSpot")
//!     .verify("/account-info/v3/details")?;
//! let document = Document::new("/passthrough")?
//!     .server("https://gw.example.com")?
//!     .api_key(HeaderName::from_static("x-api-key"))
//!     .integration(hubspot);
//!
//! let openapi = document.to_openapi(); // serve this text as `application/json`
//! assert!(openapi.contains("/passthrough/{connection_id}/{path}"));
//! let postman = document.to_postman(); // a file for Postman's "Import"
//! assert!(postman.contains("collection/v2.1.0"));
//! # Ok(())
//! # }
//! ```
//!
//! The guide [`openapi`](crate::guides::openapi) describes how generated clients write paths. The documents contain the names and the base
//! URLs of the integrations, so don't show them to people who may not know the integrations. They contain no connection and no secret.

mod document;
mod integration;
mod postman;
mod specification;

pub use self::document::Document;
pub use self::integration::{Integration, InvalidVerifyPath};
