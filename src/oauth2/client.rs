//! Calls token endpoints with the transport that also sends the calls. So the transport's policies for addresses and
//! plaintext apply, and redirects aren't followed.

use std::collections::HashMap;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use foldhash::quality::RandomState;
use http::header::HeaderMap;
use http::{Request, StatusCode};
use http_body::Body as _;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::answer::{self, Refusal};
use super::endpoint::TokenEndpoint;
use super::error::{Fault, Kind, RequestBuildError, TokenEndpointError};
use crate::body::{RequestBody, UpstreamBody};
use crate::client::Dispatch;
use crate::client::Transport;
use crate::connection::Connection;
use crate::connection::ConnectionKey;
use crate::encoding::http_date::retry_after;
use crate::refresh::{TokenError, TokenSource, Tokens};

/// The maximum size of a response, in bytes.
const MAX_RESPONSE_SIZE: usize = 256 * 1024;

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
    timeout: Duration,
}

impl<T> OAuth2TokenSource<T> {
    /// Returns a source without endpoints.
    pub fn new(transport: T) -> Self {
        Self {
            transport,
            endpoints: Arc::default(),
            timeout: Duration::from_secs(15),
        }
    }

    /// Adds the endpoint of an integration, or replaces it. Default: no endpoints.
    pub fn with(mut self, integration: impl Into<Box<str>>, endpoint: TokenEndpoint) -> Self {
        Arc::make_mut(&mut self.endpoints).insert(integration.into(), endpoint);
        self
    }

    /// Sets the maximum time between the request and the end of the response, including connecting. Default: 15 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

impl<T: Transport> TokenSource for OAuth2TokenSource<T> {
    fn supports(&self, connection: &Connection) -> bool {
        let endpoint = self.endpoints.get(connection.integration());
        endpoint.is_some_and(|endpoint| endpoint.supports(connection))
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
        let answer = timeout(self.timeout, self.send(request, &to)).await;
        let answer = answer
            .unwrap_or(Err(Kind::TimedOut))
            .map_err(|kind| failed(None, kind))?;
        let Answer {
            status,
            headers,
            body,
        } = answer;
        let (code, fault) = match body {
            Err(fault) => (None, fault),
            Ok((body, is_whole)) => match answer::read(&endpoint.shape, status, &body, began) {
                // If the JSON can be parsed, it's complete, even if the connection broke off. It may be the only copy
                // of a rotated token.
                Ok(tokens) => return Ok(tokens),
                Err(_) if !is_whole => (None, Fault::BrokenOff),
                Err(Refusal::Revoked) => return Err(TokenError::Revoked),
                Err(Refusal::Code(code)) => (code, Fault::Refused),
                Err(Refusal::NoToken) => (None, Fault::NoToken),
                Err(Refusal::Unreadable) => (None, Fault::Unreadable),
            },
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
    /// The content, and `true` if it's complete.
    body: Result<(Zeroizing<Vec<u8>>, bool), Fault>,
}

impl<T: Transport> OAuth2TokenSource<T> {
    async fn send(&self, request: Request<RequestBody>, to: &Dispatch) -> Result<Answer, Kind> {
        let sent = self.transport.send(request, to).await;
        // The causes aren't kept, because they may name hosts and addresses.
        let response = sent.map_err(|error| Kind::Transport(error.kind()))?;
        let (head, body) = response.into_parts();
        // The body of a redirect isn't needed.
        let body = match head.status.is_redirection() {
            true => Ok((Zeroizing::default(), true)),
            false => read(body).await,
        };
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body,
        })
    }
}

/// Reads the body up to the maximum size, and returns `true` with it if it's complete.
async fn read(mut body: UpstreamBody) -> Result<(Zeroizing<Vec<u8>>, bool), Fault> {
    let size = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if size > MAX_RESPONSE_SIZE {
        return Err(Fault::TooLarge);
    }
    let mut read = Zeroizing::new(Vec::with_capacity(size));
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let Ok(frame) = frame else {
            return Ok((read, false));
        };
        let Ok(data) = frame.into_data() else {
            continue;
        };
        let length = read.len() + data.len();
        if length > MAX_RESPONSE_SIZE {
            return Err(Fault::TooLarge);
        }
        if length > read.capacity() {
            // A vector that grows by itself leaves a copy behind that isn't wiped.
            let mut larger = Vec::with_capacity(length.next_power_of_two());
            larger.extend_from_slice(&read);
            read = Zeroizing::new(larger);
        }
        read.extend_from_slice(&data);
    }
    Ok((read, true))
}

impl<T> fmt::Debug for OAuth2TokenSource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuth2TokenSource")
            .field("endpoints", &self.endpoints)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
