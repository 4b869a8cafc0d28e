//! The signs in a response's head that the upstream rejected the credential.

use http::header::{CONTENT_TYPE, HeaderMap, WWW_AUTHENTICATE};
use http::{Response, StatusCode};

use super::problem::{GRPC_STATUS, is_grpc};

/// The status UNAUTHENTICATED of gRPC (<https://grpc.github.io/grpc/core/md_doc_statuscodes.html>).
const UNAUTHENTICATED: &[u8] = b"16";

/// Returns `true` if the response says that the credential isn't valid any more, so that another credential may help.
///
/// The signs are a status of `refresh_on`; the error `invalid_token` (RFC 6750 §3.1) with any error status; and UNAUTHENTICATED in the head
/// of a gRPC response. The error `insufficient_scope` says that the credential is valid, so another credential wouldn't help.
pub(super) fn rejects_credential<B>(response: &Response<B>, refresh_on: &[StatusCode]) -> bool {
    let (status, headers) = (response.status(), response.headers());
    if status.is_success() {
        return status == StatusCode::OK && is_unauthenticated(headers);
    }
    if !status.is_client_error() && !status.is_server_error() {
        return false;
    }
    let is_listed = refresh_on.contains(&status);
    match token_error(headers) {
        Some(TokenError::InsufficientScope) => false,
        Some(TokenError::InvalidToken) => true,
        None => is_listed,
    }
}

/// Returns `true` if the head of a gRPC response ends the call with UNAUTHENTICATED. The trailers of a response with a body come too late.
fn is_unauthenticated(headers: &HeaderMap) -> bool {
    let is_it = |status: &http::HeaderValue| status.as_bytes() == UNAUTHENTICATED;
    headers.get(&GRPC_STATUS).is_some_and(is_it)
        && headers
            .get(CONTENT_TYPE)
            .is_some_and(|content_type| is_grpc(content_type.as_bytes()))
}

/// An error of RFC 6750 §3.1 that is about the credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TokenError {
    InvalidToken,
    InsufficientScope,
}

/// Returns the error of the challenges (RFC 9110 §11.6.1). `insufficient_scope` takes precedence if there are several.
fn token_error(headers: &HeaderMap) -> Option<TokenError> {
    let mut found = None;
    for challenges in headers.get_all(WWW_AUTHENTICATE) {
        each_error(challenges.as_bytes(), |error| {
            if error.eq_ignore_ascii_case(b"insufficient_scope") {
                found = Some(TokenError::InsufficientScope);
            } else if error.eq_ignore_ascii_case(b"invalid_token") {
                found = found.or(Some(TokenError::InvalidToken));
            }
        });
    }
    found
}

/// Calls `say` with the value of each parameter `error`. The text of other parameters is skipped, because a realm may contain any text.
/// The scheme isn't compared: vendors send the error also with `DPoP`, `OAuth` and schemes of their own.
fn each_error(challenges: &[u8], mut say: impl FnMut(&[u8])) {
    let mut rest = challenges;
    let mut name: &[u8] = b"";
    while let Some((&first, after)) = rest.split_first() {
        match first {
            b'=' => {
                let (value, after) = value(after);
                if name.eq_ignore_ascii_case(b"error") {
                    say(value);
                }
                name = b"";
                rest = after;
            }
            b' ' | b'\t' => rest = after,
            b',' => {
                name = b"";
                rest = after;
            }
            b'"' => rest = quoted(after).1,
            _ => {
                let end = rest
                    .iter()
                    .position(|byte| b" \t,=\"".contains(byte))
                    .unwrap_or(rest.len());
                (name, rest) = rest.split_at(end);
            }
        }
    }
}

/// Returns the value of a parameter after its `=`, and the rest. Blanks around `=` are bad, but are sent by some servers (RFC 9110 §5.6.3).
fn value(text: &[u8]) -> (&[u8], &[u8]) {
    let text = text.trim_ascii_start();
    match text.split_first() {
        Some((b'"', after)) => quoted(after),
        _ => {
            let end = text.iter().position(|byte| b" \t,".contains(byte));
            text.split_at(end.unwrap_or(text.len()))
        }
    }
}

/// Returns the content of a quoted string after its first quote, with its escapes, and the rest after its last quote.
fn quoted(text: &[u8]) -> (&[u8], &[u8]) {
    let mut is_escaped = false;
    let end = text.iter().position(|&byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    });
    let (content, rest) = text.split_at(end.unwrap_or(text.len()));
    (
        content,
        rest.split_first().map_or(&[][..], |(_, rest)| rest),
    )
}

#[cfg(test)]
mod tests {
    use http::HeaderName;
    use http::header::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    const DEFAULT: &[StatusCode] = &[StatusCode::UNAUTHORIZED];

    fn is_rejected(status: u16, fields: &[(HeaderName, &str)]) -> bool {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
        for (name, value) in fields {
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                response.headers_mut().append(name.clone(), value);
            }
        }
        rejects_credential(&response, DEFAULT)
    }

    fn is_challenged(status: u16, challenges: &[&str]) -> bool {
        let fields: Vec<_> = challenges
            .iter()
            .map(|challenge| (WWW_AUTHENTICATE, *challenge))
            .collect();
        is_rejected(status, &fields)
    }

    #[test]
    fn r6_the_error_invalid_token_counts_with_every_error_status() {
        for challenge in [
            r#"Bearer error="invalid_token""#,
            r#"Bearer realm="api, x", error="invalid_token", error_description="The token expired""#,
            "Bearer error=invalid_token",
            r#"bearer Error = "Invalid_Token""#,
            r#"Basic realm="x", Bearer scope="a b",error="invalid_token""#,
            r#"DPoP error="invalid_token", algs="ES256""#,
            r#"Bearer realm="a \" b", error="invalid_token"#,
        ] {
            for status in [400, 401, 403, 498, 500] {
                assert!(is_challenged(status, &[challenge]), "{status} {challenge}");
            }
            for status in [101, 200, 204, 206, 302] {
                assert!(!is_challenged(status, &[challenge]), "{status} {challenge}");
            }
        }
        assert!(is_challenged(
            403,
            &["Basic realm=x", r#"Bearer error="invalid_token""#]
        ));
    }

    #[test]
    fn r6_other_text_in_a_challenge_is_no_error() {
        for challenge in [
            "",
            "Bearer",
            r#"Bearer realm="error=invalid_token""#,
            r#"Bearer realm="x, error=\"invalid_token\"""#,
            r#"Bearer error="invalid_request""#,
            r#"Bearer error="""#,
            "Bearer error",
            "Bearer error=",
            r#"Bearer error_description="invalid_token""#,
            r#"Bearer error, x="invalid_token""#,
            "Bearer invalid_token",
        ] {
            assert!(!is_challenged(403, &[challenge]), "{challenge}");
            assert!(is_challenged(401, &[challenge]), "{challenge}");
        }
    }

    #[test]
    fn r6_insufficient_scope_never_counts() {
        for challenges in [
            &[r#"Bearer error="insufficient_scope", scope="admin""#][..],
            &[
                r#"Bearer error="invalid_token""#,
                r#"Bearer error="insufficient_scope""#,
            ],
            &[
                r#"Bearer error="insufficient_scope""#,
                r#"Bearer error="invalid_token""#,
            ],
        ] {
            assert!(!is_challenged(401, challenges), "{challenges:?}");
            assert!(!is_challenged(403, challenges), "{challenges:?}");
        }
    }

    #[test]
    fn r6_only_a_grpc_response_has_a_grpc_status() {
        let grpc = |content_type, status| {
            is_rejected(200, &[(CONTENT_TYPE, content_type), (GRPC_STATUS, status)])
        };
        assert!(grpc("application/grpc", "16"));
        assert!(grpc("application/grpc+proto", "16"));
        assert!(grpc("application/grpc-web+proto", "16"));
        assert!(!grpc("application/grpc", "7"));
        assert!(!grpc("application/grpc", "0"));
        assert!(!grpc("application/json", "16"));
        assert!(!is_rejected(200, &[(GRPC_STATUS, "16")]));
    }

    proptest! {
        #[test]
        fn no_challenge_is_a_panic(challenge in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..80),
            r#"[Ber or=",\\ \t]{0,40}"#.prop_map(String::into_bytes),
        ]) {
            each_error(&challenge, |_| {});
        }
    }
}
