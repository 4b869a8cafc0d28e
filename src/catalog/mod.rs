//! Facts about the APIs of well-known vendors: base URL, variables, authentication, token endpoints, documentation.
//!
//! ```
//! use tower_passthrough::catalog::Catalog;
//! use tower_passthrough::{Connection, Integrations, Upstream, auth};
//!
//! // Integrations that the table lacks are looked up in the catalog.
//! let integrations = Integrations::new()
//!     .with("crm", Upstream::new("https://api.crm.test")?.auth(auth::Bearer))
//!     .or_catalog(Catalog::bundled());
//! assert!(integrations.get("hubspot").is_some());
//!
//! // The secrets of a connection choose among the ways in which a vendor accepts credentials.
//! let connection = Connection::new("zendesk")
//!     .with_variable("subdomain", "acme")
//!     .with_secret("email", "ann@acme.test")
//!     .with_secret("api_token", "t0k3n");
//! let zendesk = Catalog::bundled().get("zendesk").ok_or("no such entry")?;
//! assert!(zendesk.missing(&connection).is_none());
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! The guide [`catalog`](crate::guides::catalog) describes how an alternative is chosen, and what the entries promise.

mod data;
mod entry;
mod error;
mod facts;
mod fallback;
mod scheme;
mod sdk;
mod sdks;
mod template;

pub use self::entry::{Alternative, AuthKind, Entry, Field, OAuth2, Variable};
pub use self::error::{CatalogError, Missing};
pub use self::facts::{Confidence, Pkce, Rotation, TokenEndpointAuth};
pub use self::sdk::{Language, Sdk, SdkAddressing, SnippetError};

/// A catalog of integrations. Its entries are part of the program, so that a lookup reads no file and parses nothing.
#[derive(Clone, Copy, Debug)]
pub struct Catalog(());

impl Catalog {
    /// Returns the catalog that is part of this crate.
    #[must_use]
    pub const fn bundled() -> Self {
        Self(())
    }

    /// Returns the date of the facts, as `2026-11-29`.
    #[must_use]
    pub const fn date(&self) -> &'static str {
        data::DATE
    }

    /// Returns the entry with that name, which is lowercase, such as `hubspot`. A former name of an entry is accepted as well.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Entry> {
        let index = index_of(name)?;
        data::ENTRIES.get(index).map(Entry::new)
    }

    /// Returns an iterator over all entries, sorted by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Entry> + use<> {
        data::ENTRIES.iter().map(Entry::new)
    }
}

/// Returns the index of the entry with that name.
fn index_of(name: &str) -> Option<usize> {
    let found = data::ENTRIES.binary_search_by(|entry| entry.name.cmp(name));
    found.ok().or_else(|| {
        let aliases = data::ALIASES.binary_search_by(|(alias, _)| (*alias).cmp(name));
        let (_, index) = data::ALIASES.get(aliases.ok()?)?;
        Some(*index)
    })
}
