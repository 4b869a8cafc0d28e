//! The catalog behind the tables of integrations and token endpoints.

use std::sync::{Arc, OnceLock};

use super::{Catalog, data, index_of};
#[cfg(feature = "oauth2")]
use crate::client::Transport;
#[cfg(feature = "oauth2")]
use crate::oauth2::{OAuth2TokenSource, TokenEndpoint};
use crate::upstream::{BaseUrlTemplate, Integrations, Upstream};

/// The values that are built of entries. Each value is built at most once, when it's first used.
struct Built<T>(Box<[OnceLock<Option<T>>]>);

impl<T> Built<T> {
    fn new() -> Self {
        Self(data::ENTRIES.iter().map(|_| OnceLock::new()).collect())
    }

    fn get(&self, name: &str, build: impl FnOnce(super::Entry) -> Option<T>) -> Option<&T> {
        let index = index_of(name)?;
        let entry = super::Entry::new(data::ENTRIES.get(index)?);
        self.0.get(index)?.get_or_init(|| build(entry)).as_ref()
    }
}

impl Integrations {
    /// Looks up the integrations that the table lacks in the catalog. An integration of the table takes precedence over the entry of that
    /// name. Each entry's upstream is built when it's first used. Default: only the table.
    #[must_use]
    pub fn or_catalog(self, catalog: Catalog) -> Self {
        let Catalog(()) = catalog;
        let built: Built<Upstream<BaseUrlTemplate>> = Built::new();
        self.with_fallback(Arc::new(built))
    }
}

impl crate::upstream::Fallback for Built<Upstream<BaseUrlTemplate>> {
    fn get(&self, name: &str) -> Option<&Upstream<BaseUrlTemplate>> {
        // The bundled entries are tested, so that each can be built.
        self.get(name, |entry| entry.upstream().ok())
    }
}

#[cfg(feature = "oauth2")]
impl<T: Transport> OAuth2TokenSource<T> {
    /// Looks up the endpoints of integrations without an endpoint in the catalog. Default: only the endpoints that were added.
    ///
    /// Client id and client secret are the connection's secrets `client_id` and `client_secret`. For a client of your own, add the endpoint
    /// of the entry: `.with("hubspot", entry.token_endpoint()?.client_id(id).client_secret(secret))`.
    ///
    /// An access token is only refreshed if the connection has all that a request needs: the `refresh_token` and the client's credentials.
    #[cfg_attr(docsrs, doc(cfg(feature = "catalog")))]
    pub fn or_catalog(self, catalog: Catalog) -> Self {
        let Catalog(()) = catalog;
        let built: Built<TokenEndpoint> = Built::new();
        self.with_fallback(Arc::new(built))
    }
}

#[cfg(feature = "oauth2")]
impl crate::oauth2::Fallback for Built<TokenEndpoint> {
    fn get(&self, name: &str) -> Option<&TokenEndpoint> {
        self.get(name, super::Entry::token_endpoint)
    }
}
