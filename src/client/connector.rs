//! Makes connections: names are resolved, each address is judged, and what was judged is what is
//! dialled (SECURITY N1, N9).
//!
//! hyper's own connector skips the resolver for literal addresses, so a guard in the resolver
//! wouldn't see them. Here all go one way.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use smallvec::{SmallVec, smallvec};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tower_service::Service;

use super::error::{TransportError, TransportErrorKind};
use super::names::Names;
use super::stream::Stream;
use crate::policy::{Host, Location, NetworkPolicy, NetworkRefusal, Origin, Scheme};

type Addresses = SmallVec<[SocketAddr; 4]>;

/// The connector of hyper-util's client. Cloning is one increment.
#[derive(Clone)]
pub(super) struct Connector(Arc<Dialler>);

pub(super) struct Dialler {
    pub(super) names: Names,
    pub(super) network: NetworkPolicy,
    /// For all of a connection: look-up, TCP and TLS.
    pub(super) timeout: Duration,
    #[cfg(feature = "rustls")]
    pub(super) tls: Option<tokio_rustls::TlsConnector>,
}

impl Connector {
    pub(super) fn new(dialler: Dialler) -> Self {
        Self(Arc::new(dialler))
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = TransportError;
    type Future = Pin<Box<dyn Future<Output = Result<TokioIo<Stream>, TransportError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let dialler = Arc::clone(&self.0);
        Box::pin(async move {
            let deadline = Instant::now() + dialler.timeout;
            let connecting = dialler.connect(&uri, deadline);
            let connected = timeout_at(deadline, connecting).await;
            let stream = connected
                .map_err(|_| TransportError::from(TransportErrorKind::ConnectionTimeout))?;
            stream.map(TokioIo::new)
        })
    }
}

impl Dialler {
    async fn connect(&self, uri: &Uri, deadline: Instant) -> Result<Stream, TransportError> {
        // The authority was made of a judged destination, in the one form that parses to itself.
        let origin = origin(uri).ok_or(TransportErrorKind::ConnectionFailed)?;
        let addresses = self.addresses(&origin).await?;
        let stream = dial(&addresses, deadline).await?;
        // Small frames leave as they come: a proxy has nothing to gather.
        let _ = stream.set_nodelay(true);
        match origin.scheme() {
            Scheme::Http => Ok(Stream::Plain(stream)),
            Scheme::Https => self.secure(&origin, stream).await,
        }
    }

    /// Those of the host's addresses that may be dialled.
    async fn addresses(&self, origin: &Origin) -> Result<Addresses, TransportError> {
        let found: SmallVec<[IpAddr; 4]> = match origin.host() {
            Host::Address(address) => smallvec![*address],
            Host::Name(name) => {
                let found = self.names.look_up(name).await;
                found
                    .map_err(|error| TransportError::new(TransportErrorKind::Dns, error))?
                    .into()
            }
        };
        let mut refused = TransportErrorKind::Dns;
        let mut addresses = Addresses::new();
        for ip in found {
            let address = SocketAddr::new(ip, origin.port());
            match self.network.judge(address) {
                Ok(()) => addresses.push(address),
                Err(NetworkRefusal::Loop) => refused = TransportErrorKind::Loop,
                Err(NetworkRefusal::Prohibited) if refused == TransportErrorKind::Loop => {}
                Err(NetworkRefusal::Prohibited) => {
                    refused = TransportErrorKind::DestinationProhibited
                }
            }
        }
        if addresses.is_empty() {
            return Err(refused.into());
        }
        Ok(addresses)
    }

    #[cfg(feature = "rustls")]
    async fn secure(&self, origin: &Origin, stream: TcpStream) -> Result<Stream, TransportError> {
        let tls = self.tls.as_ref().ok_or(TransportErrorKind::TlsProtocol)?;
        let stream = super::tls::handshake(tls, origin.host(), stream).await?;
        Ok(Stream::Tls(Box::new(stream)))
    }

    #[cfg(not(feature = "rustls"))]
    #[expect(clippy::unused_async, reason = "it's awaited where there is TLS")]
    async fn secure(&self, _: &Origin, _: TcpStream) -> Result<Stream, TransportError> {
        Err(TransportErrorKind::TlsProtocol.into())
    }
}

fn origin(uri: &Uri) -> Option<Origin> {
    let scheme = match uri.scheme_str()? {
        "https" => Scheme::Https,
        "http" => Scheme::Http,
        _ => return None,
    };
    let location = Location::parse(uri.authority()?.as_str(), Some(scheme)).ok()?;
    Some(location.origin)
}

/// Tries one after the other; each gets its share of the time that is left.
async fn dial(addresses: &[SocketAddr], deadline: Instant) -> Result<TcpStream, TransportError> {
    let mut failed = TransportError::from(TransportErrorKind::ConnectionFailed);
    for (left, address) in (1..=addresses.len() as u32).rev().zip(addresses) {
        let share = deadline.saturating_duration_since(Instant::now()) / left;
        match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => failed = of_connect(error),
            Err(_) => failed = TransportErrorKind::ConnectionTimeout.into(),
        }
    }
    Err(failed)
}

fn of_connect(error: io::Error) -> TransportError {
    let kind = match error.kind() {
        io::ErrorKind::ConnectionRefused => TransportErrorKind::ConnectionRefused,
        io::ErrorKind::TimedOut => TransportErrorKind::ConnectionTimeout,
        _ => TransportErrorKind::ConnectionFailed,
    };
    TransportError::new(kind, error)
}
