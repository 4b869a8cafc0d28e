//! The table that maps an integration's name to its upstream.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use foldhash::quality::RandomState;

use super::{BaseUrlResolver, ResolveError};
use super::{BaseUrlTemplate, Upstream};
use crate::connection::Connection;

/// A [`BaseUrlResolver`] with a fixed table. Cloning increments a reference count.
#[derive(Clone, Default)]
pub struct Integrations(Arc<HashMap<Box<str>, Upstream<BaseUrlTemplate>, RandomState>>);

impl Integrations {
    /// Returns an empty table.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an integration, or replaces the integration of that name.
    #[must_use]
    pub fn with(
        mut self,
        name: impl Into<Box<str>>,
        upstream: impl Into<Upstream<BaseUrlTemplate>>,
    ) -> Self {
        Arc::make_mut(&mut self.0).insert(name.into(), upstream.into());
        self
    }

    /// Returns the integration with that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Upstream<BaseUrlTemplate>> {
        self.0.get(name)
    }

    /// Returns the names and the upstreams of all integrations, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Upstream<BaseUrlTemplate>)> {
        self.0.iter().map(|(name, upstream)| (&**name, upstream))
    }
}

impl BaseUrlResolver for Integrations {
    async fn resolve(&self, connection: &Connection) -> Result<Upstream, ResolveError> {
        self.get(connection.integration())
            .ok_or(ResolveError::UnknownIntegration)?
            .expand(connection.variables())
            .map_err(ResolveError::Variables)
    }
}

impl fmt::Debug for Integrations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter()).finish()
    }
}
