//! From the vendor's response to what is handed back.

use http::{Method, Response, StatusCode};
use http_body::Body as _;

use super::Gateway;
use crate::body::{OwnBody, UpstreamBody};
use crate::client::Transport;
use crate::error::Error;
use crate::observe::Record;
use crate::resolver::BaseUrlResolver;
use crate::response::unusable_head;
use crate::rewrite::{MountedLinks, ResponseRules, ResponseTrailers};
use crate::settings::Settings;
use crate::store::{Authorize, CredentialStore};
use crate::tunnel::{self, Handshake};
use crate::upstream::Upstream;

impl<S, R, T> Gateway<S, R, T>
where
    S: CredentialStore + Authorize,
    R: BaseUrlResolver,
    T: Transport,
{
    pub(super) fn hand_back(
        &self,
        response: Response<UpstreamBody>,
        handshake: Option<&mut Handshake>,
        upstream: &Upstream,
        links: Option<&MountedLinks>,
        record: &mut Record,
    ) -> Result<Response<UpstreamBody>, Error> {
        let (mut head, body) = response.into_parts();
        let agreed = tunnel::agreed(handshake, &mut head)?;
        record.hears(&head);
        let size = body.size_hint();
        let size = (!is_bodiless(head.status, record.method())).then_some(&size);
        // An address of our own making never carries the key.
        let scrubbed = if upstream.scrubs_links() || links.is_some() {
            upstream.scheme().parameters()
        } else {
            &[]
        };
        let policy = self.settings.response_headers;
        let rules = ResponseRules {
            policy,
            scrubbed,
            links,
        };
        rules
            .rewrite(&mut head, size)
            .map_err(|_| unusable_head())?;
        if let Some(handshake) = agreed {
            handshake.agree(&mut head.status, &mut head.headers);
        }
        Ok(Response::from_parts(head, body))
    }

    pub(super) fn relay(
        &self,
        response: Response<UpstreamBody>,
        mut record: Record,
    ) -> Response<OwnBody> {
        let status = response.status();
        record.answered(status);
        let Settings {
            patience,
            response_headers,
            ..
        } = &self.settings;
        let end = patience.end(record.started());
        let trailers = ResponseTrailers(*response_headers);
        response.map(|body| match is_bodiless(status, record.method()) {
            true => OwnBody::bodiless(record),
            false => OwnBody::relay(body, record, trailers, patience.idle, end),
        })
    }
}

/// Whether the response has no body whatever its fields say (RFC 9110 §6.4.1).
fn is_bodiless(status: StatusCode, method: &Method) -> bool {
    *method == Method::HEAD
        || matches!(
            status,
            StatusCode::SWITCHING_PROTOCOLS | StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
        )
}
