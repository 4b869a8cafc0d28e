//! From judged addresses to one TCP connection.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::client::error::{TransportError, TransportErrorKind};

/// Tries one after the other; each gets its share of the time that is left.
pub(super) async fn dial(
    addresses: &[SocketAddr],
    deadline: Instant,
) -> Result<TcpStream, TransportError> {
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
