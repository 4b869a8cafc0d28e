//! The seam between the passthrough and whatever sends its requests.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::{Request, Response};

use super::dispatch::Dispatch;
use super::error::TransportError;
use crate::body::{RequestBody, UpstreamBody};

/// Sends a request to a judged destination. **The transport must judge the addresses that a destination's name resolves to**
/// ([`NetworkPolicy`](crate::policy::NetworkPolicy)), on each new connection, and dial none but those.
///
/// The request is finished: its URI is absolute, its fields are those to send, `Host` left out, and `Transfer-Encoding` is there
/// where HTTP/1.1 needs it. A transport must not follow a redirect, undo a content coding, send again what the upstream may have
/// acted on, or let a request's fields or extensions choose where the request goes.
///
/// [`ServiceTransport`](crate::client::ServiceTransport) makes a transport of any `tower::Service`, and
/// [`TransportService`](crate::client::TransportService) a service of any transport.
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
    /// Returns the upstream's response as soon as its head is there; the request's body may go on.
    ///
    /// # Errors
    ///
    /// [`TransportError`], whose kind says whether the upstream may have acted on the request.
    ///
    /// # Cancel safety
    ///
    /// A caller that goes away drops the future; the upstream's request must then end within a second.
    fn send(
        &self,
        request: Request<RequestBody>,
        to: &Dispatch,
    ) -> impl Future<Output = Result<Response<UpstreamBody>, TransportError>> + Send; // in place of `dyn`, use `BoxTransport`

    /// Returns `true` if the transport presents the client certificate of a dispatch that has one, on network connections and TLS
    /// sessions of that identity alone. If it doesn't, such calls fail, and nothing is sent. Default: `false`.
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

/// Any transport, for types that are chosen at run time. Cloning is one increment; a call allocates a box more.
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
