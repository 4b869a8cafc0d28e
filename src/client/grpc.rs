//! Which requests are gRPC, and so need HTTP/2 at the vendor (FORWARDING G3).

use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// Whether the content type is `application/grpc`, alone or before `+` or `;`. gRPC-Web isn't: it
/// was made to pass over any version.
pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| names_grpc(value.as_bytes()))
}

fn names_grpc(content_type: &[u8]) -> bool {
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
            assert!(names_grpc(content_type.as_bytes()), "{content_type}");
        }
        for content_type in [
            "application/grpc-web",
            "application/grpc-web-text+proto",
            "application/grpcx",
            "application/grp",
            "text/plain",
            "",
        ] {
            assert!(!names_grpc(content_type.as_bytes()), "{content_type}");
        }
    }
}
