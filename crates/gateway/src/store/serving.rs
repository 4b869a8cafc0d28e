//! The store for calls: connections with access tokens that are refreshed automatically.

use tower_passthrough::oauth2::OAuth2TokenSource;
use tower_passthrough::refresh::{RefreshingStore, TokenError, TokenSource, Tokens};
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::{Connection, HttpTransport};

use super::Connections;
use crate::audit;
use crate::config::{Declared, RefreshTimes, Refreshes};

/// The store for calls. Token endpoints are called through the transport for upstreams, with the
/// same network policy.
pub(crate) type Served = RefreshingStore<Connections, TokenEndpoints>;

/// The token endpoints of the config, and those of the bundled catalog for integrations that no file defines.
#[derive(Debug)]
pub(crate) struct TokenEndpoints {
    endpoints: OAuth2TokenSource<HttpTransport>,
    refreshes: Refreshes,
    /// `true` if refresh tokens that a refresh may replace aren't used, because the new tokens would be lost.
    spares_rotating: bool,
}

impl TokenSource for TokenEndpoints {
    fn supports(&self, connection: &Connection) -> bool {
        self.refreshes.allow(connection)
            && !(self.spares_rotating && self.refreshes.may_rotate(connection))
            && self.endpoints.supports(connection)
    }

    async fn fetch(
        &self,
        id: &ConnectionKey,
        connection: &Connection,
    ) -> Result<Tokens, TokenError> {
        self.endpoints.fetch(id, connection).await
    }
}

pub(crate) fn serve(
    connections: Connections,
    declared: &Declared,
    times: RefreshTimes,
    transport: HttpTransport,
) -> Served {
    let mut source = OAuth2TokenSource::new(transport);
    if let Some(timeout) = times.exchange_timeout {
        source = source.timeout(timeout);
    }
    let endpoints = declared.tokens.iter();
    let source = endpoints.fold(source, |source, (integration, tokens)| {
        source.with(integration.as_str(), tokens.endpoint.clone())
    });
    let source = match declared.catalog {
        Some(catalog) => source.or_catalog(catalog),
        None => source,
    };
    let source = TokenEndpoints {
        endpoints: source,
        refreshes: declared.refreshes(),
        spares_rotating: times.spares_rotating,
    };
    let mut served = RefreshingStore::new(connections, source).on_refresh(audit::refreshed);
    for (integration, tokens) in &declared.tokens {
        if let Some((skew, jitter)) = tokens.refresh_before {
            served = served.skew_for(integration.as_str(), skew, jitter);
        }
    }
    if let Some(skew) = times.skew {
        served = served.skew(skew);
    }
    if let Some(timeout) = times.timeout {
        served = served.timeout(timeout);
    }
    if let Some(timeout) = times.exchange_timeout {
        served = served.exchange_timeout(timeout);
    }
    if let Some(lease) = times.lease {
        served = served.lease(lease);
    }
    served
}

/// Waits until no refresh is under way and the new tokens are stored permanently. If a refresh is
/// cut off, a token that the upstream has rotated may be lost.
pub(crate) async fn idle(served: Served) {
    served.idle().await;
    served.store().settle().await;
}
