//! Calls token endpoints with the transport that also sends the calls. So the transport's policies for addresses and
//! plaintext apply, and redirects aren't followed.

use std::collections::HashMap;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use foldhash::quality::RandomState;
use http::header::HeaderMap;
use http::{Request, StatusCode};
use tokio::time::timeout;

use super::answer::{self, Refusal};
use super::content::{self, Content};
use super::endpoint::TokenEndpoint;
use super::error::{Fault, Kind, RequestBuildError, TokenEndpointError};
use crate::body::RequestBody;
use crate::client::Dispatch;
use crate::client::Transport;
use crate::connection::Connection;
use crate::connection::ConnectionKey;
use crate::encoding::http_date::retry_after;
use crate::refresh::{TokenError, TokenSource, Tokens};

/// The maximum time for which a request waits for a network connection.
const SEND_TIMEOUT: Duration = Duration::from_secs(15);

/// A [`TokenSource`] that calls token endpoints of OAuth 2.0 (RFC 6749), an endpoint for each integration.
///
/// Pass a clone of the service's transport, so that the same policies apply to endpoints and calls.
///
/// ```
/// # #[cfg(feature = "rustls")] {
/// use tower_passthrough::HttpTransport;
/// use tower_passthrough::oauth2::{ClientAuth, GrantType, OAuth2TokenSource, TokenEndpoint};
///
/// let transport = HttpTransport::default();
/// let tokens = OAuth2TokenSource::new(transport.clone())
///     .with(
///         "hubspot",
///         TokenEndpoint::new("https://api.hubapi.com/oauth/v1/token")?
///             .client_auth(ClientAuth::Body)
///             .client_id("5f3c")
///             .client_secret("s3cr3t"),
///     )
///     .with(
///         "auth0",
///         TokenEndpoint::new("https://{tenant}.eu.auth0.com/oauth/token")?
///             .grant(GrantType::ClientCredentials)
///             .parameter("audience", "https://api.vendor.test"),
///     );
/// # }
/// # Ok::<_, tower_passthrough::upstream::BaseUrlError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct OAuth2TokenSource<T> {
    transport: T,
    endpoints: Arc<HashMap<Box<str>, TokenEndpoint, RandomState>>,
    /// The endpoints that `endpoints` lacks.
    fallback: Option<Arc<dyn Fallback>>,
    timeout: Duration,
}

/// Further endpoints, of clients that the connections bring.
pub(crate) trait Fallback: Send + Sync {
    /// Returns the endpoint of that integration.
    fn get(&self, integration: &str) -> Option<&TokenEndpoint>;
}

impl<T> OAuth2TokenSource<T> {
    /// Returns a source without endpoints.
    pub fn new(transport: T) -> Self {
        Self {
            transport,
            endpoints: Arc::default(),
            fallback: None,
            timeout: Duration::from_secs(5 * 60),
        }
    }

    /// Adds the endpoint of an integration, or replaces it. Default: no endpoints.
    pub fn with(mut self, integration: impl Into<Box<str>>, endpoint: TokenEndpoint) -> Self {
        Arc::make_mut(&mut self.endpoints).insert(integration.into(), endpoint);
        self
    }

    #[cfg(feature = "catalog")]
    pub(crate) fn with_fallback(mut self, fallback: Arc<dyn Fallback>) -> Self {
        self.fallback = Some(fallback);
        self
    }

    fn fallback(&self, integration: &str) -> Option<&TokenEndpoint> {
        self.fallback.as_deref()?.get(integration)
    }

    /// Sets the maximum time between the request and the end of the response, including connecting. Default: 5 min.
    ///
    /// A response that arrives later is lost, and with it a rotated refresh token. Calls don't wait for that time:
    /// [`RefreshingStore::timeout`](crate::refresh::RefreshingStore::timeout) limits their wait. A request that still waits for a network
    /// connection ends after 15 s, because nothing of it has been sent.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

impl<T: Transport> TokenSource for OAuth2TokenSource<T> {
    fn supports(&self, connection: &Connection) -> bool {
        let integration = connection.integration();
        match self.endpoints.get(integration) {
            Some(endpoint) => endpoint.supports(connection),
            // The host application hasn't set the client of such an endpoint, so the connection must have the client's credentials.
            None => self.fallback(integration).is_some_and(|endpoint| {
                endpoint.supports(connection) && endpoint.can_authenticate(connection)
            }),
        }
    }

    async fn fetch(
        &self,
        id: &ConnectionKey,
        connection: &Connection,
    ) -> Result<Tokens, TokenError> {
        let integration = connection.integration();
        let failed = |retry_after, kind| TokenError::Failed {
            retry_after,
            source: TokenEndpointError::new(integration, kind).into(),
        };
        let not_built = |why| failed(None, Kind::NotBuilt(why));
        let endpoint = self.endpoints.get(integration);
        let endpoint = endpoint.or_else(|| self.fallback(integration));
        let endpoint = endpoint.ok_or_else(|| not_built(RequestBuildError::UnknownIntegration))?;
        // Read before the request, so that the lifetime is never overestimated.
        let began = SystemTime::now();
        let (request, to) = endpoint.request(id, connection, began).map_err(|why| {
            match why.is_fixable_by_owner() {
                true => TokenError::Incomplete {
                    source: TokenEndpointError::new(integration, Kind::NotBuilt(why)).into(),
                },
                false => not_built(why),
            }
        })?;
        let answer = self.exchange(request, &to).await;
        let answer = answer.map_err(|kind| failed(None, kind))?;
        let Answer {
            status,
            headers,
            content,
        } = answer;
        let (code, fault) = match content {
            Err(fault) => (None, fault),
            Ok(Content { bytes, is_whole }) => {
                match answer::read(&endpoint.shape, status, &bytes, began) {
                    // If the JSON can be parsed, it's complete, even if the connection broke off. It may be the only copy
                    // of a rotated token.
                    Ok(tokens) => return Ok(tokens),
                    Err(_) if !is_whole => (None, Fault::BrokenOff),
                    Err(Refusal::Revoked) if endpoint.grant.can_be_revoked() => {
                        return Err(TokenError::Revoked);
                    }
                    Err(Refusal::Revoked) => (Some("invalid_grant"), Fault::Passing),
                    Err(Refusal::Passing(code)) => (code, Fault::Passing),
                    Err(Refusal::Code(code)) => (code, Fault::Refused),
                    Err(Refusal::NoToken) => (None, Fault::NoToken),
                    Err(Refusal::Unreadable) => (None, Fault::Unreadable),
                }
            }
        };
        let kind = Kind::Answered {
            status,
            code,
            fault,
        };
        Err(failed(retry_after(&headers), kind))
    }
}

/// A response of any status.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    content: Result<Content, Fault>,
}

impl<T: Transport> OAuth2TokenSource<T> {
    /// Sends the request and reads the response, within the time limits.
    async fn exchange(&self, request: Request<RequestBody>, to: &Dispatch) -> Result<Answer, Kind> {
        let mut sending = pin!(self.send(request, to));
        let first = self.timeout.min(SEND_TIMEOUT);
        match timeout(first, &mut sending).await {
            Ok(answer) => answer,
            Err(_) if to.is_waiting() => Err(Kind::TimedOut),
            Err(_) => timeout(self.timeout.saturating_sub(first), sending)
                .await
                .unwrap_or(Err(Kind::TimedOut)),
        }
    }

    async fn send(&self, request: Request<RequestBody>, to: &Dispatch) -> Result<Answer, Kind> {
        let sent = self.transport.send(request, to).await;
        // The causes aren't kept, because they may name hosts and addresses.
        let response = sent.map_err(|error| Kind::Transport(error.kind()))?;
        let (head, body) = response.into_parts();
        // The body of a redirect isn't needed.
        let content = match head.status.is_redirection() {
            true => Ok(Content::empty()),
            false => content::read(&head.headers, body).await,
        };
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            content,
        })
    }
}

impl<T> fmt::Debug for OAuth2TokenSource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuth2TokenSource")
            .field("endpoints", &self.endpoints)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
