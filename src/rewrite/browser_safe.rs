//! Fields of an upstream's response that act on the host application's own origin in a browser.

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue, X_CONTENT_TYPE_OPTIONS};

use super::fields::Quotes;

/// Returns `true` if the field acts on the origin, or addresses only shared caches.
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
    keep_private(headers);
}

/// Removes the directives that let a shared cache keep the response, and keeps the others.
fn keep_private(headers: &mut HeaderMap) {
    let mut kept = b"private".to_vec();
    for line in headers.get_all(CACHE_CONTROL) {
        let mut quotes = Quotes::default();
        let directives = line
            .as_bytes()
            .split(|&byte| quotes.pass(byte) && byte == b',');
        for directive in directives.map(<[u8]>::trim_ascii) {
            let name = directive.split(|&byte| byte == b'=').next();
            let name = name.unwrap_or_default().trim_ascii();
            let is = |other: &[u8]| name.eq_ignore_ascii_case(other);
            if !directive.is_empty() && !is(b"public") && !is(b"private") && !is(b"s-maxage") {
                kept.extend_from_slice(b", ");
                kept.extend_from_slice(directive);
            }
        }
    }
    let kept = HeaderValue::from_maybe_shared(Bytes::from(kept));
    let private = HeaderValue::from_static("private");
    headers.insert(CACHE_CONTROL, kept.unwrap_or(private));
}
