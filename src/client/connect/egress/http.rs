//! Tunnels by CONNECT over HTTP/1.1.

use std::fmt::Write as _;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use zeroize::Zeroizing;

use super::{Target, exchange_failure, failure};
use crate::auth::encode_basic;
use crate::client::connect::dial::Failure;
use crate::client::error::{TransportError, TransportErrorKind};
use crate::secret::Secret;

/// The maximum length of the proxy's answer, in bytes, including interim responses.
const MAX_ANSWER_LEN: usize = 16 * 1024;

const FIELD_START: &[u8] = b"Proxy-Authorization: Basic ";
const LINE_END: &[u8] = b"\r\n";

/// Returns the field line with the credentials, or `None` if the credentials can't be sent.
pub(super) fn credentials(user: &Secret, password: &Secret) -> Option<Secret> {
    encode_basic(FIELD_START, user, password, LINE_END).map(Secret::from)
}

/// Turns `stream` into a tunnel. Reads no byte after the proxy's answer, because these bytes belong
/// to the upstream.
pub(super) async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    target: Target<'_>,
    credentials: Option<&Secret>,
) -> Result<(), Failure> {
    let request = request(target, credentials);
    stream.write_all(&request).await.map_err(exchange_failure)?;
    stream.flush().await.map_err(exchange_failure)?;
    let mut left = MAX_ANSWER_LEN;
    loop {
        match status(&head(stream, &mut left).await?) {
            Some(200..=299) => return Ok(()),
            Some(100 | 102..=199) => {}
            Some(407) => return Err(failure("the egress proxy rejected its credential", None)),
            // The proxy may accept another address.
            Some(403 | 502..=504) => {
                let refused = "the egress proxy couldn't open a tunnel to this address";
                let kind = TransportErrorKind::ConnectionFailed;
                return Err(Failure::TryNext(TransportError::new(kind, refused)));
            }
            Some(_) => return Err(failure("the egress proxy refused to open a tunnel", None)),
            None => {
                return Err(failure(
                    "the egress proxy's response isn't valid HTTP",
                    None,
                ));
            }
        }
    }
}

fn request(target: Target<'_>, credentials: Option<&Secret>) -> Zeroizing<Vec<u8>> {
    let mut authority = String::new();
    // Writing to a string never fails.
    let _ = match target {
        Target::Address(SocketAddr::V4(address)) => write!(authority, "{address}"),
        // The zone is left out, because a checked address never has a zone.
        Target::Address(SocketAddr::V6(address)) => {
            write!(authority, "[{}]:{}", address.ip(), address.port())
        }
        Target::Name(name, port) => write!(authority, "{name}:{port}"),
    };
    let credentials = credentials.map_or(&[][..], Secret::expose);
    let parts = [
        b"CONNECT ",
        authority.as_bytes(),
        b" HTTP/1.1\r\nHost: ",
        authority.as_bytes(),
        LINE_END,
        credentials,
        LINE_END,
    ];
    // The buffer is allocated with its final size, because growth would leave a copy of the
    // credentials that isn't wiped.
    let length = parts.iter().map(|part| part.len()).sum();
    let mut request = Zeroizing::new(Vec::with_capacity(length));
    for part in parts {
        request.extend_from_slice(part);
    }
    request
}

/// Reads the next head, up to and including its empty line.
async fn head<S: AsyncRead + Unpin>(stream: &mut S, left: &mut usize) -> Result<Vec<u8>, Failure> {
    const END: &[u8] = b"\r\n\r\n";
    let mut head = Vec::with_capacity(128);
    loop {
        // Reads only as many bytes as the head still needs at least, so that no byte of the upstream
        // is read.
        let begun = (1..END.len())
            .rev()
            .find(|&len| head.ends_with(END.get(..len).unwrap_or(END)));
        let missing = END.len() - begun.unwrap_or(0);
        *left = match left.checked_sub(missing) {
            Some(left) => left,
            None => return Err(failure("the egress proxy's response is too long", None)),
        };
        let mut bytes = [0; END.len()];
        let bytes = bytes.get_mut(..missing).unwrap_or_default();
        let read = stream.read(bytes).await.map_err(exchange_failure)?;
        if read == 0 {
            return Err(failure(
                "the egress proxy closed the connection before its response was complete",
                None,
            ));
        }
        *left += missing - read;
        head.extend_from_slice(bytes.get(..read).unwrap_or_default());
        if head.ends_with(END) {
            return Ok(head);
        }
    }
}

/// Parses the status of a head (RFC 9112 §4).
fn status(head: &[u8]) -> Option<u16> {
    let rest = head.strip_prefix(b"HTTP/1.")?;
    let [b'0' | b'1', b' ', a, b, c, b' ' | b'\r', ..] = rest else {
        return None;
    };
    let digits = [*a, *b, *c];
    let digits = std::str::from_utf8(&digits).ok()?;
    digits.parse().ok().filter(|status| *status >= 100)
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use tokio::io::duplex;

    use super::*;

    /// Returns the result with a proxy that sends `answer` (in an error: if the next address is
    /// tried, and the cause), the bytes that were left unread, and the bytes that the proxy received.
    async fn answered(
        answer: &[u8],
        target: Target<'_>,
        credentials: Option<&Secret>,
    ) -> (Result<(), (bool, String)>, Vec<u8>, Vec<u8>) {
        let (mut near, mut far) = duplex(64 * 1024);
        let written = far.write_all(answer).await;
        assert!(written.is_ok());
        let shut = far.shutdown().await;
        assert!(shut.is_ok());
        let result = connect(&mut near, target, credentials).await;
        let result = result.map_err(|failure| {
            let tries_next = matches!(failure, Failure::TryNext(_));
            let error = failure.into_error();
            assert_eq!(error.kind(), TransportErrorKind::ConnectionFailed);
            (
                tries_next,
                error.source().map(ToString::to_string).unwrap_or_default(),
            )
        });
        let (mut left, mut got) = (Vec::new(), Vec::new());
        let read = near.read_to_end(&mut left).await;
        assert!(read.is_ok());
        drop(near);
        let read = far.read_to_end(&mut got).await;
        assert!(read.is_ok());
        (result, left, got)
    }

    const TARGET: Target<'_> = Target::Name("vendor.test", 443);

    async fn failed(answer: &[u8]) -> Option<(bool, String)> {
        answered(answer, TARGET, None).await.0.err()
    }

    #[tokio::test]
    async fn a_tunnel_is_asked_for_and_what_follows_its_answer_is_the_vendors() {
        for head in [
            "HTTP/1.1 200 Connection established\r\n\r\n",
            "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200\r\n\r\n",
            "HTTP/1.1 204 \r\nA: \r\r\n\r\n",
            "HTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        ] {
            for follows in ["", "\r\n\r\n", "\n", "PRI * HTTP/2.0"] {
                let answer = format!("{head}{follows}");
                let (result, left, got) = answered(answer.as_bytes(), TARGET, None).await;
                assert_eq!(result, Ok(()), "{head:?}");
                assert_eq!(left, follows.as_bytes(), "{head:?}");
                assert_eq!(
                    got,
                    b"CONNECT vendor.test:443 HTTP/1.1\r\nHost: vendor.test:443\r\n\r\n"
                );
            }
        }
    }

    #[tokio::test]
    async fn addresses_and_credentials_stand_in_their_forms() {
        let ok = b"HTTP/1.1 200 OK\r\n\r\n";
        let secret = credentials(&Secret::from("user"), &Secret::from("pass:word"));
        for (address, written) in [("192.0.2.1:80", "192.0.2.1:80"), ("[::1]:443", "[::1]:443")] {
            let Ok(judged) = address.parse() else {
                continue;
            };
            let (_, _, got) = answered(ok, Target::Address(judged), secret.as_ref()).await;
            let expected = format!(
                "CONNECT {written} HTTP/1.1\r\nHost: {written}\r\n\
                 Proxy-Authorization: Basic dXNlcjpwYXNzOndvcmQ=\r\n\r\n"
            );
            assert_eq!(String::from_utf8_lossy(&got), expected);
        }
        for (user, password) in [("a:b", "c"), ("a\r\nX: y", "c"), ("a", "b\n"), ("a", "\0")] {
            assert_eq!(
                credentials(&Secret::from(user), &Secret::from(password)),
                None
            );
        }
    }

    #[tokio::test]
    async fn refusals_of_one_address_are_told_from_others() {
        for (status, tries_next) in [
            (403, true),
            (502, true),
            (503, true),
            (504, true),
            (407, false),
            (400, false),
            (405, false),
            (500, false),
            (302, false),
            (101, false),
        ] {
            let answer = format!("HTTP/1.1 {status} Said so\r\nContent-Length: 2\r\n\r\nno");
            let failed = failed(answer.as_bytes()).await;
            assert_eq!(
                failed.map(|(tries_next, _)| tries_next),
                Some(tries_next),
                "{status}"
            );
        }
    }

    #[tokio::test]
    async fn what_is_no_answer_is_refused_and_not_repeated() {
        for answer in [
            "garbage\r\n\r\n",
            "\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
            "HTTP/2 200 OK\r\n\r\n",
            "HTTP/1.1 2000 OK\r\n\r\n",
            "HTTP/1.1 20\r\n\r\n",
            "HTTP/1.1  200 OK\r\n\r\n",
            "HTTP/1.1 +20 OK\r\n\r\n",
            "HTTP/1.1 099 OK\r\n\r\n",
            "HTTP/1.1200 OK\r\n\r\n",
        ] {
            let why = "the egress proxy's response isn't valid HTTP".to_owned();
            assert_eq!(
                failed(answer.as_bytes()).await,
                Some((false, why)),
                "{answer:?}"
            );
        }
        for answer in [
            "",
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 200 OK\n\n",
            "HTTP/1.1 100 C\r\n\r\n",
        ] {
            let why = "the egress proxy closed the connection before its response was complete"
                .to_owned();
            assert_eq!(
                failed(answer.as_bytes()).await,
                Some((false, why)),
                "{answer:?}"
            );
        }
    }

    #[tokio::test]
    async fn an_answer_is_limited_with_all_that_precedes_it() {
        let start = "HTTP/1.1 200 OK\r\nA: ";
        let end = "\r\n\r\n";
        let value = "a".repeat(MAX_ANSWER_LEN - start.len() - end.len());
        assert_eq!(
            failed(format!("{start}{value}{end}").as_bytes()).await,
            None
        );
        let why = "the egress proxy's response is too long".to_owned();
        let longer = format!("{start}a{value}{end}");
        assert_eq!(failed(longer.as_bytes()).await, Some((false, why.clone())));
        let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(MAX_ANSWER_LEN / 25);
        let answer = format!("{interim}HTTP/1.1 200 OK\r\n\r\n");
        assert_eq!(failed(answer.as_bytes()).await, Some((false, why)));
    }
}
