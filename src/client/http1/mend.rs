//! Heads of responses with a blank before a colon, with a folded line, or with more than 100 fields. hyper refuses them.
//!
//! RFC 9112 asks a proxy to remove the blank (§5.1) and to replace the fold by blanks (§5.2), and some firewalls and page builders send
//! such heads. Fields that frame the message are never mended, because two readers could disagree about the end of the message.
//!
//! hyper is asked first, so other heads cost nothing. After its error, the bytes that it has read are mended in place and read again by
//! a new connection of hyper over the same stream, which accepts more fields. The request of the new connection isn't written, because
//! the request has already been sent.
//!
//! Rules: `docs/rules/forwarding.md#5-responses`.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use bytes::{Bytes, BytesMut};
use http::{Method, Request, Response};
use tokio::io::AsyncReadExt as _;

use super::connection::{Broken, Http1, MAX_HEAD_SIZE};
use super::exchange::Failure;
use crate::body::{RequestBody, UpstreamBody};
use crate::client::connect::Stream;
use crate::client::error::TransportError;

/// The maximum number of heads of a response that are mended: interim responses, and the final one.
const MAX_HEADS: usize = 4;

/// Receives a response from a connection that has ended because of a head that hyper refuses. `is_head` is `true` if the
/// request's method is HEAD.
///
/// # Errors
///
/// `error` if the head can't be mended.
pub(super) async fn receive(
    mut connection: Box<Http1>,
    broken: Broken,
    is_head: bool,
    error: TransportError,
) -> Result<Response<UpstreamBody>, TransportError> {
    let mut broken = Some(broken);
    let mut is_restarted = false;
    for _ in 0..MAX_HEADS {
        let Some(Broken {
            stream,
            read,
            is_large,
        }) = broken.take()
        else {
            return Err(error);
        };
        let again = match is_large {
            // The new connection has counted the fields as well.
            true if is_restarted => None,
            true => Some(stream.resumed(read)),
            false => mended(stream, read).await,
        };
        is_restarted = true;
        let Some(stream) = again else {
            return Err(error);
        };
        if connection.restart(stream).await.is_err() {
            return Err(error);
        }
        let mut request = Request::new(RequestBody::empty());
        if is_head {
            *request.method_mut() = Method::HEAD;
        }
        let mut answer = pin!(connection.queue(request, false));
        let answered = poll_fn(|cx| {
            let answered = connection.poll_until(cx, |cx| answer.as_mut().poll(cx));
            match answered.is_pending() && connection.is_flooded() {
                true => Poll::Ready(None),
                false => answered.map(Some),
            }
        });
        match answered.await {
            Some(Ok(response)) => {
                // The upload has ended.
                let response = connection.into_response(response, None);
                return response.map_err(|failure| match failure {
                    Failure::Failed(error) => error,
                    _ => error,
                });
            }
            Some(Err(failure)) => broken = connection.take_broken(failure.error()),
            None => return Err(error),
        }
    }
    Err(error)
}

/// Returns the stream with a mended head, or `None` if the head can't be mended.
async fn mended(mut stream: Stream, read: Bytes) -> Option<Stream> {
    // Without this check, the code would wait for the end of a head that can't be mended.
    if !may_be_mended(&read) {
        return None;
    }
    let mut head = BytesMut::from(read);
    let mut from = 0;
    let end = loop {
        if let Some(end) = end_of_head(&head, from) {
            break end;
        }
        // The bytes that were searched aren't searched again, except the beginning of an empty line.
        from = head.len().saturating_sub(2);
        if head.len() >= MAX_HEAD_SIZE {
            return None;
        }
        if !matches!(stream.read_buf(&mut head).await, Ok(1..)) {
            return None;
        }
    };
    mend(head.get_mut(..end)?).then(|| stream.resumed(head.freeze()))
}

/// Returns `true` if the first fault of the head, of which a part was read, is one that can be mended.
fn may_be_mended(read: &[u8]) -> bool {
    let mut lines = read.split_inclusive(|&byte| byte == b'\n');
    if !lines
        .next()
        .is_some_and(|line| line.starts_with(b"HTTP/1."))
    {
        return false;
    }
    for (number, line) in lines.enumerate() {
        if matches!(line, b"\n" | b"\r\n") {
            return false;
        }
        if matches!(line.first(), Some(b' ' | b'\t')) {
            return number > 0;
        }
        let colon = line.iter().position(|&byte| byte == b':');
        let name = line.get(..colon.unwrap_or(line.len())).unwrap_or_default();
        let is_blank = |&byte: &u8| matches!(byte, b' ' | b'\t');
        if let Some(blank) = name.iter().position(is_blank) {
            let rest = name.get(blank..).unwrap_or_default();
            return rest.iter().all(is_blank);
        }
    }
    false
}

/// Mends a head in place, so that its length stays. Returns `false` if there is nothing to mend, or something that must not be mended.
fn mend(head: &mut [u8]) -> bool {
    let mut is_changed = false;
    // The first line is the status line, and belongs to no field.
    let mut is_framing = None;
    let mut rest = head;
    let mut line_end: &mut [u8] = &mut [];
    while let Some(length) = rest.iter().position(|&byte| byte == b'\n') {
        let (line, after) = rest.split_at_mut(length + 1);
        rest = after;
        let (text, this_end) = split_line_end(line);
        match text.first() {
            None => break,
            Some(b' ' | b'\t') => {
                if is_framing != Some(false) || text.trim_ascii().is_empty() {
                    return false;
                }
                line_end.fill(b' ');
                is_changed = true;
            }
            Some(_) => match is_framing.replace(false) {
                // The status line.
                None => is_framing = Some(true),
                Some(_) => {
                    let Some(field) = mend_colon(text) else {
                        return false;
                    };
                    is_changed |= field.is_changed;
                    is_framing = Some(field.is_framing);
                }
            },
        }
        line_end = this_end;
    }
    is_changed
}

/// A line with the name of a field.
struct Field {
    is_framing: bool,
    is_changed: bool,
}

/// Moves the colon to the end of the name. Returns `None` if there is no colon, or if the field frames the message.
fn mend_colon(line: &mut [u8]) -> Option<Field> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    let name = line.get(..colon)?.trim_ascii_end();
    let is_framing = [&b"content-length"[..], b"transfer-encoding"]
        .iter()
        .any(|framing| name.eq_ignore_ascii_case(framing));
    let length = name.len();
    if length == colon {
        return Some(Field {
            is_framing,
            is_changed: false,
        });
    }
    if is_framing {
        return None;
    }
    *line.get_mut(colon)? = b' ';
    *line.get_mut(length)? = b':';
    Some(Field {
        is_framing,
        is_changed: true,
    })
}

/// Returns the length of the head with its empty line, whose end is searched behind `from`.
fn end_of_head(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let after = |empty: &[u8]| {
        let mut windows = rest.windows(empty.len());
        let at = windows.position(|window| window == empty)?;
        Some(from + at + empty.len())
    };
    match (after(b"\n\n"), after(b"\n\r\n")) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// Splits a line into its text and its end.
fn split_line_end(line: &mut [u8]) -> (&mut [u8], &mut [u8]) {
    let length = match &*line {
        [text @ .., b'\r', b'\n'] | [text @ .., b'\n'] => text.len(),
        text => text.len(),
    };
    line.split_at_mut(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(head: &str) -> Option<String> {
        let mut bytes = head.as_bytes().to_vec();
        let end = end_of_head(&bytes, 0)?;
        let is_mended = may_be_mended(&bytes) && mend(bytes.get_mut(..end)?);
        is_mended.then(|| String::from_utf8(bytes).unwrap_or_default())
    }

    #[test]
    fn blanks_and_folds_are_mended_and_the_length_stays() {
        for (head, expected) in [
            ("X : a\r\n", "X:  a\r\n"),
            ("X\t :a\r\n", "X: \u{20}a\r\n"),
            ("X: a\r\n b\r\n", "X: a   b\r\n"),
            ("X: a\n\tb\n", "X: a \tb\n"),
            ("X :\r\n a\r\n b\r\nY: c\r\n", "X:    a   b\r\nY: c\r\n"),
            (
                "X : a\r\nContent-Length: 1\r\n",
                "X:  a\r\nContent-Length: 1\r\n",
            ),
        ] {
            let head = format!("HTTP/1.1 200 OK\r\n{head}\r\nbody \r\n :");
            let expected = format!("HTTP/1.1 200 OK\r\n{expected}\r\nbody \r\n :");
            assert_eq!(mended(&head), Some(expected), "{head:?}");
        }
    }

    #[test]
    fn framing_fields_and_other_faults_stay() {
        for head in [
            "",
            "X: a\r\n",
            "Content-Length : 5\r\n",
            "transfer-encoding\t: chunked\r\n",
            "Content-Length: 5\r\n 0\r\n",
            "Transfer-Encoding:\r\n chunked\r\n",
            "X : a\r\nTRANSFER-ENCODING : chunked\r\n",
            "X: a\r\n b\r\nContent-Length:\r\n 5\r\n",
            " X: a\r\n",
            "X: a\r\n \r\n",
            "X: a\r\n\t\r\nY: b\r\n",
            "no colon\r\nX : a\r\n",
        ] {
            let head = format!("HTTP/1.1 200 OK\r\n{head}\r\n");
            assert_eq!(mended(&head), None, "{head:?}");
        }
    }

    #[test]
    fn the_rest_of_a_head_is_awaited_only_after_a_fault_that_can_be_mended() {
        for (read, awaited) in [
            ("HTTP/1.1 200 OK\r\nX ", true),
            ("HTTP/1.1 200 OK\r\nX :", true),
            ("HTTP/1.1 200 OK\r\nX: 1\r\n ", true),
            ("HTTP/1.1 200 OK\r\n ", false),
            ("HTTP/1.1 200 OK\r\nno colon", false),
            ("HTTP/1.1 200 OK\r\nX \r\n", false),
            ("HTTP/1.1 200 OK\r\nX", false),
            ("garbage \r\nX ", false),
            ("", false),
        ] {
            assert_eq!(may_be_mended(read.as_bytes()), awaited, "{read:?}");
        }
    }
}
