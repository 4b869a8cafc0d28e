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
pub struct Integrations {
    own: Arc<HashMap<Box<str>, Upstream<BaseUrlTemplate>, RandomState>>,
    /// The integrations that `own` lacks.
    fallback: Option<Arc<dyn Fallback>>,
}

/// Further integrations.
pub(crate) trait Fallback: Send + Sync {
    /// Returns the integration with that name.
    fn get(&self, name: &str) -> Option<&Upstream<BaseUrlTemplate>>;
}

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
        Arc::make_mut(&mut self.own).insert(name.into(), upstream.into());
        self
    }

    /// Returns the integration with that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Upstream<BaseUrlTemplate>> {
        let own = self.own.get(name);
        own.or_else(|| self.fallback.as_deref()?.get(name))
    }

    #[cfg(feature = "catalog")]
    pub(crate) fn with_fallback(mut self, fallback: Arc<dyn Fallback>) -> Self {
        self.fallback = Some(fallback);
        self
    }

    /// Returns the names and the upstreams of the integrations of this table, in no particular order. The integrations of a catalog aren't
    /// included.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Upstream<BaseUrlTemplate>)> {
        self.own.iter().map(|(name, upstream)| (&**name, upstream))
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
        f.debug_map().entries(self.own.iter()).finish()
    }
}
