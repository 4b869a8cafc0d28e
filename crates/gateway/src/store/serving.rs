//! The store of all calls: connections whose access tokens refresh themselves.

use tower_passthrough::HttpTransport;
use tower_passthrough::oauth2::OAuth2TokenSource;
use tower_passthrough::refresh::RefreshingStore;

use super::Connections;
use crate::audit;
use crate::config::Declared;

/// Token endpoints are called through the transport that vendors are, past the same guard.
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
    RefreshingStore::new(connections, source).on_refresh(audit::refreshed)
}

/// Returns when no refresh is under way, and what they wrote is where it stays: one that is cut off
/// may lose a token that the vendor has rotated.
pub(crate) async fn idle(served: Served) {
    served.idle().await;
    served.store().settle().await;
}
