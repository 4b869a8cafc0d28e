//! Detection of gRPC requests, which need HTTP/2 to the upstream.
//!
//! Rules: `docs/rules/forwarding.md#9-grpc`.

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use crate::rewrite::first_line;

/// Returns `true` if the content type is `application/grpc`, alone or before `+` or `;`. gRPC-Web
/// works over any version of HTTP.
pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    first_line(headers, &CONTENT_TYPE).is_some_and(|value| is_grpc_type(value.as_bytes()))
}

fn is_grpc_type(content_type: &[u8]) -> bool {
    const GRPC: &[u8] = b"application/grpc";
    let split = content_type.split_at_checked(GRPC.len());
    split.is_some_and(|(start, rest)| {
        start.eq_ignore_ascii_case(GRPC)
            && matches!(rest.first(), None | Some(b'+' | b';' | b' ' | b'\t'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grpc_proper_needs_http2_and_grpc_web_does_not() {
        for content_type in [
            "application/grpc",
            "Application/gRPC",
            "application/grpc+proto",
            "application/grpc;charset=x",
            "application/grpc ; v=1",
        ] {
            assert!(is_grpc_type(content_type.as_bytes()), "{content_type}");
        }
        for content_type in [
            "application/grpc-web",
            "application/grpc-web-text+proto",
            "application/grpcx",
            "application/grp",
            "text/plain",
            "",
        ] {
            assert!(!is_grpc_type(content_type.as_bytes()), "{content_type}");
        }
    }
}
