//! A file of the page, and its responses.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::short_hash;
use crate::peers::NotACall;

/// The page loads nothing from other places, contains no script and no style in its HTML, can't be framed, and its script can't turn
/// text into HTML. The icon of the page is an empty `data:` URL, so that browsers don't ask for `/favicon.ico`.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
);

const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");
const SAME_ORIGIN: HeaderValue = HeaderValue::from_static("same-origin");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
/// The page copies text, and needs nothing else.
const PERMISSIONS: HeaderValue = HeaderValue::from_static(
    "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=(), clipboard-read=(), clipboard-write=(self)",
);

#[derive(Clone, Debug)]
pub(super) struct File {
    content_type: HeaderValue,
    bytes: Bytes,
    etag: HeaderValue,
}

impl File {
    pub(super) fn new(content_type: &'static str, bytes: Vec<u8>) -> Self {
        let etag = format!("\"{}\"", short_hash(&bytes));
        Self {
            content_type: HeaderValue::from_static(content_type),
            // Hexadecimal digits are always a valid value. An empty tag would only switch the 304 off.
            etag: HeaderValue::try_from(etag).unwrap_or(HeaderValue::from_static("\"\"")),
            bytes: bytes.into(),
        }
    }

    /// Returns the file, or 304 if the request names the file's tag (RFC 9110 §13.1.2).
    pub(super) fn response(&self, request: &HeaderMap) -> Response {
        let is_known = request.get_all(IF_NONE_MATCH).iter().any(|value| {
            let tags = value.as_bytes().split(|&byte| byte == b',');
            let mut tags = tags.map(<[u8]>::trim_ascii);
            tags.any(|tag| {
                tag == b"*" || tag.strip_prefix(b"W/").unwrap_or(tag) == self.etag.as_bytes()
            })
        });
        let mut response = match is_known {
            true => Response::new(Body::empty()),
            false => Response::new(Body::from(self.bytes.clone())),
        };
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        response.extensions_mut().insert(NotACall);
        let headers = response.headers_mut();
        if !is_known {
            headers.insert(CONTENT_TYPE, self.content_type.clone());
        }
        for (name, value) in [
            (ETAG, self.etag.clone()),
            (CACHE_CONTROL, NO_CACHE),
            (CONTENT_SECURITY_POLICY, POLICY),
            (X_CONTENT_TYPE_OPTIONS, NOSNIFF),
            (REFERRER_POLICY, NO_REFERRER),
            (OPENER_POLICY, SAME_ORIGIN),
            (RESOURCE_POLICY, SAME_ORIGIN),
            (PERMISSIONS_POLICY, PERMISSIONS),
        ] {
            headers.insert(name, value);
        }
        response
    }
}
