//! The application, which keeps the service in a field, whatever parts the service has.

use std::sync::Arc;

use http::header::HeaderName;
use tower_passthrough::upstream::BaseUrlError;
use tower_passthrough::{CredentialStore, Integrations, PassthroughService, Transport, Upstream};

use crate::AcmeAuth;

/// The state of the application. The type of the state names no part of the service.
#[derive(Clone, Debug)]
pub struct App {
    /// The passthrough.
    pub passthrough: PassthroughService,
    /// The name, which the application shares in addition to the service.
    pub name: Arc<str>,
}

impl App {
    /// Returns the application over that store and transport.
    ///
    /// # Errors
    ///
    /// [`BaseUrlError`] if the base URL isn't valid.
    pub fn new(
        store: impl CredentialStore,
        transport: impl Transport,
        base_url: &str,
    ) -> Result<Self, BaseUrlError> {
        let upstream = Upstream::new(base_url)?.auth(AcmeAuth::new());
        let passthrough =
            PassthroughService::builder(store, Integrations::new().with("acme", upstream))
                .authorize_fn(|id, _| id != "forbidden")
                .caller_credentials([HeaderName::from_static("x-api-key")])
                .transport(transport)
                .build();
        Ok(Self {
            passthrough,
            name: "app".into(),
        })
    }
}
