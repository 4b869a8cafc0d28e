//! Tunnels by SOCKS5: the greeting, user and password if the proxy requires them, and the request
//! for a connection.

use std::net::IpAddr;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::{Target, exchange_failure, failure};
use crate::client::connect::dial::Failure;
use crate::client::error::{TransportError, TransportErrorKind};
use crate::secret::Secret;

const VERSION: u8 = 5;
/// The authentication methods (RFC 1928 §3).
const NO_AUTHENTICATION: u8 = 0;
const USER_AND_PASSWORD: u8 = 2;
/// The version of the exchange of user and password (RFC 1929 §2).
const PASSWORD_VERSION: u8 = 1;
const CONNECT: u8 = 1;
/// The types of addresses (RFC 1928 §5).
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// Returns the message with user and password, or `None` if either is too long for SOCKS5.
pub(super) fn credentials(user: &Secret, password: &Secret) -> Option<Secret> {
    let (user, password) = (user.expose(), password.expose());
    let (user_length, password_length) = (
        u8::try_from(user.len()).ok()?,
        u8::try_from(password.len()).ok()?,
    );
    let mut message = Vec::with_capacity(3 + user.len() + password.len());
    message.extend([PASSWORD_VERSION, user_length]);
    message.extend_from_slice(user);
    message.push(password_length);
    message.extend_from_slice(password);
    Some(Secret::from(message))
}

/// Turns `stream` into a tunnel. Reads no byte after the proxy's answer, because these bytes belong
/// to the upstream.
pub(super) async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    target: Target<'_>,
    credentials: Option<&Secret>,
) -> Result<(), Failure> {
    authenticate(stream, credentials).await?;
    send(stream, &request(target)?).await?;
    let [version, reply, _, kind] = receive(stream).await?;
    if version != VERSION {
        return Err(not_socks());
    }
    if reply != 0 {
        return Err(reply_failure(reply));
    }
    // The rest of the reply, which is the address and the port from which the proxy connected, is
    // read but not used.
    let length = match kind {
        IPV4 => 4,
        IPV6 => 16,
        NAME => usize::from(u8::from_be_bytes(receive(stream).await?)),
        _ => return Err(not_socks()),
    };
    for _ in 0..length + 2 {
        let [_] = receive(stream).await?;
    }
    Ok(())
}

async fn authenticate<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    credentials: Option<&Secret>,
) -> Result<(), Failure> {
    match credentials {
        None => send(stream, &[VERSION, 1, NO_AUTHENTICATION]).await?,
        Some(_) => send(stream, &[VERSION, 2, NO_AUTHENTICATION, USER_AND_PASSWORD]).await?,
    }
    match (receive(stream).await?, credentials) {
        ([VERSION, NO_AUTHENTICATION], _) => Ok(()),
        ([VERSION, USER_AND_PASSWORD], Some(credentials)) => {
            send(stream, credentials.expose()).await?;
            match receive(stream).await? {
                [PASSWORD_VERSION, 0] => Ok(()),
                _ => Err(failure("the egress proxy rejected its credential", None)),
            }
        }
        ([VERSION, _], _) => Err(failure("the egress proxy rejected its credential", None)),
        _ => Err(not_socks()),
    }
}

fn request(target: Target<'_>) -> Result<Vec<u8>, Failure> {
    let mut request = vec![VERSION, CONNECT, 0];
    let port = match target {
        Target::Address(address) => {
            match address.ip() {
                IpAddr::V4(ip) => {
                    request.push(IPV4);
                    request.extend(ip.octets());
                }
                IpAddr::V6(ip) => {
                    request.push(IPV6);
                    request.extend(ip.octets());
                }
            }
            address.port()
        }
        Target::Name(name, port) => {
            let too_long = |_| failure("the name is too long for SOCKS5", None);
            request.extend([NAME, u8::try_from(name.len()).map_err(too_long)?]);
            request.extend_from_slice(name.as_bytes());
            port
        }
    };
    request.extend(port.to_be_bytes());
    Ok(request)
}

/// Returns the failure for a reply code (RFC 1928 §6).
fn reply_failure(reply: u8) -> Failure {
    let (kind, why) = match reply {
        1 | 3 | 4 | 6 => (
            TransportErrorKind::ConnectionFailed,
            "the egress proxy can't reach this address",
        ),
        2 => (
            TransportErrorKind::ConnectionFailed,
            "the egress proxy's rules forbid this address",
        ),
        5 => (
            TransportErrorKind::ConnectionRefused,
            "the address refused the egress proxy's connection",
        ),
        8 => (
            TransportErrorKind::ConnectionFailed,
            "the egress proxy doesn't support this kind of address",
        ),
        _ => return failure("the egress proxy refused to open a tunnel", None),
    };
    Failure::TryNext(TransportError::new(kind, why))
}

fn not_socks() -> Failure {
    failure("the egress proxy's response isn't valid SOCKS5", None)
}

async fn send<S: AsyncWrite + Unpin>(stream: &mut S, message: &[u8]) -> Result<(), Failure> {
    stream.write_all(message).await.map_err(exchange_failure)?;
    stream.flush().await.map_err(exchange_failure)
}

async fn receive<S: AsyncRead + Unpin, const N: usize>(stream: &mut S) -> Result<[u8; N], Failure> {
    let mut message = [0; N];
    stream
        .read_exact(&mut message)
        .await
        .map_err(exchange_failure)?;
    Ok(message)
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    const ADDRESS: Target<'_> = Target::Address(std::net::SocketAddr::new(
        IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)),
        443,
    ));

    /// Returns the result with a proxy that sends `answer` (in an error: if the next address is
    /// tried, and the kind), the bytes that were left unread, and the bytes that the proxy received.
    async fn answered(
        answer: &[u8],
        target: Target<'_>,
        credentials: Option<&Secret>,
    ) -> (Result<(), (bool, TransportErrorKind)>, Vec<u8>, Vec<u8>) {
        let (mut near, mut far) = duplex(1024);
        let written = far.write_all(answer).await;
        assert!(written.is_ok());
        let shut = far.shutdown().await;
        assert!(shut.is_ok());
        let result = connect(&mut near, target, credentials).await;
        let result = result.map_err(|failure| {
            let tries_next = matches!(failure, Failure::TryNext(_));
            (tries_next, failure.into_error().kind())
        });
        let (mut left, mut got) = (Vec::new(), Vec::new());
        let read = near.read_to_end(&mut left).await;
        assert!(read.is_ok());
        drop(near);
        let read = far.read_to_end(&mut got).await;
        assert!(read.is_ok());
        (result, left, got)
    }

    /// Returns the answer to a greeting without credentials, and a reply with that address.
    fn with_reply(reply: u8, address: &[u8]) -> Vec<u8> {
        [&[5, 0, 5, reply, 0], address, &[0, 80]].concat()
    }

    #[tokio::test]
    async fn what_follows_the_answer_is_the_vendors() {
        let v6 = [&[IPV6][..], &[0; 16]].concat();
        for address in [&[IPV4, 10, 0, 0, 1][..], &v6, &[NAME, 3, b'a', b'.', b'b']] {
            let mut answer = with_reply(0, address);
            answer.extend(b"PRI");
            let (result, left, got) = answered(&answer, ADDRESS, None).await;
            assert_eq!((result, &*left), (Ok(()), &b"PRI"[..]));
            assert_eq!(got, [5, 1, 0, 5, 1, 0, 1, 192, 0, 2, 1, 1, 187]);
        }
    }

    #[tokio::test]
    async fn names_and_ipv6_are_written_as_such() {
        let answer = with_reply(0, &[IPV4, 0, 0, 0, 0]);
        let (_, _, got) = answered(&answer, Target::Name("a.test", 80), None).await;
        assert_eq!(got, b"\x05\x01\0\x05\x01\0\x03\x06a.test\0\x50");
        let Ok(address) = "[2001:db8::1]:80".parse() else {
            return;
        };
        let (_, _, got) = answered(&answer, Target::Address(address), None).await;
        let ip = [32, 1, 13, 184, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        assert_eq!(got, [&[5, 1, 0, 5, 1, 0, 4][..], &ip, &[0, 80]].concat());
    }

    #[tokio::test]
    async fn a_credential_is_sent_if_it_is_asked_for() {
        let secret = credentials(&Secret::from("user"), &Secret::from("pass"));
        let reply = [5, 0, 0, IPV4, 0, 0, 0, 0, 0, 80];
        let asked = [&[5, 2, 1, 0][..], &reply].concat();
        let (result, _, got) = answered(&asked, ADDRESS, secret.as_ref()).await;
        assert_eq!(result, Ok(()));
        assert!(got.starts_with(b"\x05\x02\0\x02\x01\x04user\x04pass\x05\x01\0\x01"));
        let not_asked = [&[5, 0][..], &reply].concat();
        let (result, _, got) = answered(&not_asked, ADDRESS, secret.as_ref()).await;
        assert_eq!(result, Ok(()));
        assert!(!got.windows(4).any(|bytes| bytes == b"pass"));
        let longest = "a".repeat(255);
        assert!(credentials(&Secret::from(&*longest), &Secret::from("")).is_some());
        let longer = Secret::from("a".repeat(256));
        assert_eq!(credentials(&longer, &Secret::from("")), None);
        assert_eq!(credentials(&Secret::from(""), &longer), None);
    }

    #[tokio::test]
    async fn refusals_of_one_address_are_told_from_others() {
        use TransportErrorKind::{ConnectionFailed, ConnectionRefused};
        for (reply, failed) in [
            (1, (true, ConnectionFailed)),
            (2, (true, ConnectionFailed)),
            (3, (true, ConnectionFailed)),
            (4, (true, ConnectionFailed)),
            (5, (true, ConnectionRefused)),
            (6, (true, ConnectionFailed)),
            (7, (false, ConnectionFailed)),
            (8, (true, ConnectionFailed)),
            (200, (false, ConnectionFailed)),
        ] {
            let answer = with_reply(reply, &[IPV4, 0, 0, 0, 0]);
            let (result, ..) = answered(&answer, ADDRESS, None).await;
            assert_eq!(result, Err(failed), "{reply}");
        }
    }

    #[tokio::test]
    async fn whatever_else_is_answered_makes_no_tunnel() {
        let secret = credentials(&Secret::from("user"), &Secret::from("pass"));
        for (answer, credentials) in [
            (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], None),
            (&[], None),
            (&[5], None),
            (&[5, 255], None),
            (&[5, 2, 1, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 80], None),
            (&[4, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 80], None),
            (&[5, 0, 4, 0, 0, 1, 0, 0, 0, 0, 0, 80], None),
            (&[5, 0, 5, 0, 0, 2, 0, 0, 0, 0, 0, 80], None),
            (&[5, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0], None),
            (&[5, 1, 5, 0, 0, 1, 0, 0, 0, 0, 0, 80], secret.as_ref()),
            (
                &[5, 2, 1, 1, 5, 0, 0, 1, 0, 0, 0, 0, 0, 80],
                secret.as_ref(),
            ),
            (
                &[5, 2, 5, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 80],
                secret.as_ref(),
            ),
        ] {
            let (result, ..) = answered(answer, ADDRESS, credentials).await;
            let failed = (false, TransportErrorKind::ConnectionFailed);
            assert_eq!(result, Err(failed), "{answer:?}");
        }
    }
}
