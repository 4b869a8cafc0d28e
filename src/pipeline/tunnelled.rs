//! What follows a call that opened a tunnel.

use std::sync::Arc;

use http::Response;

use super::{Gateway, context};
use crate::body::{OwnBody, UpstreamBody};
use crate::client::Transport;
use crate::observe::Record;
use crate::resolver::BaseUrlResolver;
use crate::store::{Authorize, CredentialStore, StoreError};
use crate::tunnel::{Check, Claim, Handshake, Tunnel};

impl<S, R, T> Gateway<S, R, T>
where
    S: CredentialStore + Authorize,
    R: BaseUrlResolver,
    T: Transport,
{
    /// Opens the tunnel if the vendor has agreed, and hands its answer back as it is if not.
    pub(super) fn open(
        self: &Arc<Self>,
        response: Response<UpstreamBody>,
        handshake: Handshake,
        mut record: Record,
    ) -> Response<OwnBody> {
        let Some(sides) = handshake.into_sides() else {
            return self.relay(response, record);
        };
        record.answered(response.status());
        let patience = &self.settings.patience;
        let tunnel = Tunnel {
            sides,
            end: patience.end(record.started()),
            idle: patience.idle,
            record,
        };
        // It's the caller's server that ends the call, and it lets go of the socket only then.
        tokio::spawn(tunnel.run(self.settings.tunnels.join(), Arc::clone(self)));
        response.map(|_| OwnBody::tunnelled())
    }
}

impl<S, R, T> Check for Arc<Gateway<S, R, T>>
where
    S: CredentialStore + Authorize,
    R: BaseUrlResolver,
    T: Transport,
{
    async fn may_go_on(&self, record: &Record, claim: &Claim) -> bool {
        let Some(id) = record.connection() else {
            return false;
        };
        match self.store.authorize(id, context(record)).await {
            Ok(scope) if !scope.permits_method(record.method()) => return false,
            Ok(scope) if !scope.permits_path(&claim.path) => return false,
            Err(StoreError::NotFound | StoreError::Reauthorize) => return false,
            Ok(_) | Err(StoreError::Unavailable(_) | StoreError::RefreshFailed { .. }) => {}
        }
        match self.store.connection(id, context(record)).await {
            Ok(connection) => claim.is_met_by(&connection),
            Err(StoreError::NotFound | StoreError::Reauthorize) => false,
            Err(StoreError::Unavailable(_) | StoreError::RefreshFailed { .. }) => true,
        }
    }
}
