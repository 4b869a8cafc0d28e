//! The seam between the passthrough and whatever sends its requests.

use std::future::Future;
use std::sync::Arc;

use http::{Request, Response};

use super::error::TransportError;
use crate::body::{RequestBody, UpstreamBody};
use crate::policy::Destination;

/// The transport of a service that names none.
pub type DefaultTransport = super::HttpTransport;

/// Sends a request to a judged destination. **It's the transport that must judge the addresses
/// behind a destination's name** ([`NetworkPolicy`](crate::NetworkPolicy)), on each new connection,
/// and dial none but those.
///
/// The request is finished: its URI is absolute, its fields are those to send, `Host` left out, and
/// `Transfer-Encoding` is there where HTTP/1.1 needs it. What a transport mustn't do: follow a
/// redirect, undo a content coding, resend what the vendor may have acted on, or let a request's
/// fields or extensions choose where it goes.
///
/// ```
/// use http::{Request, Response};
/// use tower_passthrough::{Destination, RequestBody, Transport, TransportError, UpstreamBody};
///
/// /// Answers each request with its own body.
/// struct Echo;
///
/// impl Transport for Echo {
///     async fn send(&self, request: Request<RequestBody>, _: &Destination) -> Result<Response<UpstreamBody>, TransportError> {
///         Ok(Response::new(UpstreamBody::new(request.into_body())))
///     }
/// }
/// ```
pub trait Transport: Send + Sync + 'static {
    /// The vendor's response, as soon as its head is there; the request's body may go on.
    ///
    /// # Errors
    ///
    /// [`TransportError`], whose kind says whether the vendor may have acted on the request.
    ///
    /// # Cancel safety
    ///
    /// A caller that goes away drops the future; the vendor's request must then end within a
    /// second.
    fn send(
        &self,
        request: Request<RequestBody>,
        to: &Destination,
    ) -> impl Future<Output = Result<Response<UpstreamBody>, TransportError>> + Send;

    /// Whether it presents the client certificate of a destination that has one
    /// ([`Destination::identity`]), on network connections and TLS sessions that are that
    /// identity's alone. If it doesn't, such calls fail, and nothing is sent.
    #[cfg(feature = "rustls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "rustls")))]
    fn presents_identities(&self) -> bool {
        false
    }
}

impl<T: Transport> Transport for Arc<T> {
    #[cfg(feature = "rustls")]
    fn presents_identities(&self) -> bool {
        T::presents_identities(self)
    }

    fn send(
        &self,
        request: Request<RequestBody>,
        to: &Destination,
    ) -> impl Future<Output = Result<Response<UpstreamBody>, TransportError>> + Send {
        T::send(self, request, to)
    }
}
