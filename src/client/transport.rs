//! The interface between the passthrough and the client that sends its requests.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::{Request, Response};

use super::dispatch::Dispatch;
use super::error::TransportError;
use crate::body::{RequestBody, UpstreamBody};

/// Sends a request to a checked destination.
///
/// **The transport must check the addresses that a destination's name resolves to**
/// ([`NetworkPolicy`](crate::policy::NetworkPolicy)), on each new connection, and must dial only permitted addresses.
///
/// The request is complete: its URI is absolute, its fields are the fields to send, in their order, and `Transfer-Encoding` is set where
/// HTTP/1.1 needs it. `Host` is the first field, or comes after the caller's fields if the caller used HTTP/2, which has no such field. Over
/// HTTP/2, a transport must remove these two fields (RFC 9113 §8.2.2, §8.3.1). A transport must not follow a redirect, must not decode a
/// content coding, must not send a request again that the upstream may have acted on, and must not choose the destination by a request's
/// fields or extensions.
///
/// [`ServiceTransport`](crate::client::ServiceTransport) makes a transport of any `tower::Service`, and
/// [`TransportService`](crate::client::TransportService) makes a service of any transport.
///
/// ```
/// use http::{Request, Response};
/// use tower_passthrough::Transport;
/// use tower_passthrough::body::{RequestBody, UpstreamBody};
/// use tower_passthrough::client::{Dispatch, TransportError};
///
/// /// Answers each request with its own body.
/// struct Echo;
///
/// impl Transport for Echo {
///     async fn send(&self, request: Request<RequestBody>, _: &Dispatch) -> Result<Response<UpstreamBody>, TransportError> {
///         Ok(Response::new(UpstreamBody::new(request.into_body())))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` isn't a transport",
    label = "not a `Transport`",
    note = "wrap a `tower::Service` into `ServiceTransport::new(service)`"
)]
pub trait Transport: Send + Sync + 'static {
    /// Returns the upstream's response as soon as its head has arrived. The request's body may still be sent after that.
    ///
    /// # Errors
    ///
    /// [`TransportError`]. Its kind states if the upstream may have acted on the request.
    ///
    /// # Cancel safety
    ///
    /// The future is dropped if the caller disconnects. The upstream's request must then end within a second.
    fn send(
        &self,
        request: Request<RequestBody>,
        to: &Dispatch,
    ) -> impl Future<Output = Result<Response<UpstreamBody>, TransportError>> + Send; // in place of `dyn`, use `BoxTransport`

    /// Returns `true` if the transport can present the client certificate of a dispatch.
    ///
    /// Such a transport presents the certificate only on network connections and TLS sessions that no other identity uses. With a
    /// transport that returns `false`, calls with a client certificate fail, and nothing is sent.
    ///
    /// Default: `false`.
    fn presents_client_certificates(&self) -> bool {
        false
    }
}

macro_rules! forward {
    ($pointer:ident) => {
        impl<T: Transport> Transport for $pointer<T> {
            fn send(
                &self,
                request: Request<RequestBody>,
                to: &Dispatch,
            ) -> impl Future<Output = Result<Response<UpstreamBody>, TransportError>> + Send {
                T::send(self, request, to)
            }

            fn presents_client_certificates(&self) -> bool {
                T::presents_client_certificates(self)
            }
        }
    };
}

forward!(Arc);
forward!(Box);

/// Holds any transport, for types that are chosen at run time. Cloning increments a reference count; each call allocates another
/// box.
#[derive(Clone)]
pub struct BoxTransport(Arc<dyn DynTransport>);

impl BoxTransport {
    /// Erases the type of a transport.
    pub fn new(transport: impl Transport) -> Self {
        Self(Arc::new(transport))
    }
}

impl Transport for BoxTransport {
    async fn send(
        &self,
        request: Request<RequestBody>,
        to: &Dispatch,
    ) -> Result<Response<UpstreamBody>, TransportError> {
        self.0.dyn_send(request, to).await
    }

    fn presents_client_certificates(&self) -> bool {
        self.0.dyn_presents_client_certificates()
    }
}

type Sending<'a> =
    Pin<Box<dyn Future<Output = Result<Response<UpstreamBody>, TransportError>> + Send + 'a>>;

trait DynTransport: Send + Sync {
    fn dyn_send<'a>(&'a self, request: Request<RequestBody>, to: &'a Dispatch) -> Sending<'a>;

    fn dyn_presents_client_certificates(&self) -> bool;
}

impl<T: Transport> DynTransport for T {
    fn dyn_send<'a>(&'a self, request: Request<RequestBody>, to: &'a Dispatch) -> Sending<'a> {
        Box::pin(self.send(request, to))
    }

    fn dyn_presents_client_certificates(&self) -> bool {
        self.presents_client_certificates()
    }
}

impl fmt::Debug for BoxTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoxTransport")
    }
}
