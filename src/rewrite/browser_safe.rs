//! Fields of a vendor's response that act on the host app's own origin in a browser (FORWARDING §5,
//! SECURITY V4).

use http::HeaderMap;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue, X_CONTENT_TYPE_OPTIONS};

/// Whether the field acts on the origin, or talks to shared caches alone.
pub(super) fn acts_on_the_origin(canonical: &str) -> bool {
    const PREFIXES: [&str; 5] = [
        "access-control-",
        "content-security-policy",
        "public-key-pins",
        "sec-session-",
        "set-cookie",
    ];
    matches!(
        canonical,
        "accept-ch"
            | "activate-storage-access"
            | "alt-svc"
            | "clear-site-data"
            | "critical-ch"
            | "document-policy"
            | "document-policy-report-only"
            | "expect-ct"
            | "link"
            | "nel"
            | "origin-agent-cluster"
            | "permissions-policy"
            | "permissions-policy-report-only"
            | "feature-policy"
            | "referrer-policy"
            | "refresh"
            | "report-to"
            | "reporting-endpoints"
            | "service-worker-allowed"
            | "set-login"
            | "sourcemap"
            | "x-sourcemap"
            | "speculation-rules"
            | "strict-transport-security"
            | "surrogate-control"
            | "timing-allow-origin"
            | "www-authenticate"
            | "x-frame-options"
    ) || PREFIXES.iter().any(|prefix| canonical.starts_with(prefix))
        || (canonical.starts_with("cross-origin-") && canonical.contains("-policy"))
        || canonical.ends_with("cdn-cache-control")
}

/// Sandboxes what is left, and keeps it out of shared caches (RFC 9111 §5.2.2.7).
pub(super) fn harden(headers: &mut HeaderMap) {
    let sandbox = HeaderValue::from_static("sandbox; default-src 'none'");
    headers.insert(CONTENT_SECURITY_POLICY, sandbox);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let cache_control = if says(headers, b"no-store") {
        "private, no-store"
    } else if says(headers, b"no-cache") {
        "private, no-cache"
    } else {
        "private"
    };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache_control));
}

fn says(headers: &HeaderMap, directive: &[u8]) -> bool {
    let lines = headers.get_all(CACHE_CONTROL).iter();
    let mut members = lines.flat_map(|line| line.as_bytes().split(|&byte| byte == b','));
    members.any(|member| member.trim_ascii().eq_ignore_ascii_case(directive))
}
