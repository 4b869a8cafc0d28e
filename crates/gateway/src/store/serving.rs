//! The store for calls: connections with access tokens that are refreshed automatically.

use tower_passthrough::HttpTransport;
use tower_passthrough::oauth2::OAuth2TokenSource;
use tower_passthrough::refresh::RefreshingStore;

use super::Connections;
use crate::audit;
use crate::config::Declared;

/// The store for calls. Token endpoints are called through the transport for upstreams, with the
/// same network policy.
pub(crate) type Served = RefreshingStore<Connections, OAuth2TokenSource<HttpTransport>>;

pub(crate) fn serve(
    connections: Connections,
    declared: &Declared,
    transport: HttpTransport,
) -> Served {
    let endpoints = declared.tokens.iter();
    let source = endpoints.fold(
        OAuth2TokenSource::new(transport),
        |source, (integration, tokens)| source.with(integration.as_str(), tokens.endpoint.clone()),
    );
    let store = RefreshingStore::new(connections, source).on_refresh(audit::refreshed);
    let margins = declared.tokens.iter();
    margins.fold(store, |store, (integration, tokens)| {
        match tokens.refresh_before {
            Some((skew, jitter)) => store.skew_for(integration.as_str(), skew, jitter),
            None => store,
        }
    })
}

/// Waits until no refresh is under way and the new tokens are stored permanently. If a refresh is
/// cut off, a token that the upstream has rotated may be lost.
pub(crate) async fn idle(served: Served) {
    served.idle().await;
    served.store().settle().await;
}
