//! Tokens from a login call, through the transport that guards the calls.

use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use tower::ServiceExt as _;
use tower_passthrough::body::RequestBody;
use tower_passthrough::client::{BoxTransport, TransportService};
use tower_passthrough::refresh::{TokenError, TokenSource, Tokens};
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::upstream::BaseUrlError;
use tower_passthrough::{Connection, Transport, Upstream};

/// Logs in with the secret `password`.
#[derive(Debug)]
pub struct Login {
    service: TransportService<BoxTransport>,
    url: String,
}

impl Login {
    /// Returns the source that logs in at that URL.
    ///
    /// # Errors
    ///
    /// [`BaseUrlError`] if the URL isn't valid.
    pub fn new(transport: impl Transport, url: &str) -> Result<Self, BaseUrlError> {
        let destination = Upstream::new(url)?.destination();
        Ok(Self {
            service: TransportService::new(BoxTransport::new(transport), destination),
            url: url.to_owned(),
        })
    }
}

impl TokenSource for Login {
    fn supports(&self, connection: &Connection) -> bool {
        connection.integration() == "acme"
    }

    async fn fetch(
        &self,
        _: &ConnectionKey,
        connection: &Connection,
    ) -> Result<Tokens, TokenError> {
        let password = connection.credential().get("password");
        let password = password.ok_or(TokenError::Revoked)?.expose().to_vec();
        let request = Request::post(&self.url).body(RequestBody::from(password));
        let request = request.map_err(TokenError::failed)?;
        let response = self.service.clone().oneshot(request).await;
        let response = response.map_err(TokenError::failed)?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED => return Err(TokenError::Revoked),
            status => return Err(TokenError::failed(format!("status {status}"))),
        }
        let token = Limited::new(response.into_body(), 4096).collect().await;
        let token = token.map_err(TokenError::failed)?.to_bytes();
        Ok(Tokens::new(token.to_vec()))
    }
}
