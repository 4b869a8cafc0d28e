//! The checks of a call before it's sent, except the checks of addresses, stores and policies.
//!
//! Rules: `docs/rules/security.md#3-callers-and-tenants`.

use http::{HeaderMap, Method, Uri};
use http_body::Body as _;

use super::config::Config;
use crate::address::Target;
use crate::authorize::Scope;
use crate::body::RequestBody;
use crate::encoding::dot_segments::leaves_base;
use crate::error::{Error, ErrorCode};
use crate::rewrite::{MAX_FIELDS, has_odd_coding};
use crate::upstream::{ResponseHeaderPolicy, Route, Upstream};

/// Refuses TRACE, which would echo the credential, and CONNECT, whose tunnel could not be checked.
pub(super) fn check_method(method: &Method) -> Result<(), Error> {
    if matches!(
        *method,
        Method::GET | Method::POST | Method::PUT | Method::PATCH | Method::DELETE
    ) {
        return Ok(());
    }
    let refused = |detail| Err(Error::new(ErrorCode::MethodRefused, detail));
    // Methods are case-sensitive, but not every upstream follows that rule. TRACK is TRACE's name
    // in IIS.
    let is = |name| method.as_str().eq_ignore_ascii_case(name);
    if is("TRACE") || is("TRACK") {
        return refused("the response to this method would contain the connection's credential");
    }
    if is("CONNECT") {
        return refused("CONNECT is only accepted if it opens a WebSocket");
    }
    Ok(())
}

/// Refuses a head with so many fields that none can be added.
pub(super) fn check_size(headers: &HeaderMap) -> Result<(), Error> {
    if headers.len() > MAX_FIELDS {
        return Err(Error::bad_address(
            "the request has more than 4,096 header fields",
        ));
    }
    Ok(())
}

/// Refuses a WebSocket that a web page of another origin opens, if browsers can reach the mount.
pub(super) fn check_origin(
    headers: &HeaderMap,
    uri: &Uri,
    policy: ResponseHeaderPolicy,
    config: &Config,
) -> Result<(), Error> {
    let is_safe = policy != ResponseHeaderPolicy::BrowserSafe
        || config.websocket_origins.permit(headers, uri);
    match is_safe {
        true => Ok(()),
        false => Err(Error::new(
            ErrorCode::ScopeRefused,
            "a web page of another origin may not open a WebSocket here",
        )),
    }
}

/// Refuses a method, a WebSocket or a path that isn't in the caller's scope.
pub(super) fn check_scope(
    scope: &Scope,
    method: &Method,
    opens_websocket: bool,
    target: &Target<'_>,
    route: &Route<'_>,
) -> Result<(), Error> {
    let refused = |detail| Err(Error::new(ErrorCode::ScopeRefused, detail));
    if !scope.permits_method(method) {
        return refused("this caller may not use this method with this connection");
    }
    if opens_websocket && !scope.permits_websockets() {
        return refused("this caller may not open a WebSocket with this connection");
    }
    if !scope.permits_path(target.path()) {
        return refused("this caller may not use this path with this connection");
    }
    if scope.limits_paths() && route.leaves_base_path() {
        return refused(
            "this caller's scope limits paths, so neither `__domain` nor labels in front of the host may change the base URL",
        );
    }
    Ok(())
}

/// The fields that name a second path: the source of a copy in the stores of Amazon, Google and Microsoft, and in Swift.
const COPY_SOURCES: [&str; 4] = [
    "x-amz-copy-source",
    "x-copy-from",
    "x-goog-copy-source",
    "x-ms-copy-source",
];

/// Refuses a request with a second path that a scope with paths hasn't been checked on. `is_destination_judged` is `true` if each
/// `Destination` (RFC 4918 §10.3) has been checked.
pub(super) fn check_other_paths(
    scope: &Scope,
    headers: &HeaderMap,
    is_destination_judged: bool,
) -> Result<(), Error> {
    if !scope.limits_paths() {
        return Ok(());
    }
    let copies = COPY_SOURCES.iter().any(|name| headers.contains_key(*name));
    if copies || (!is_destination_judged && headers.contains_key("destination")) {
        return Err(Error::new(
            ErrorCode::ScopeRefused,
            "the caller's scope limits paths, and the request names a second path in a header field; send the request without this field",
        ));
    }
    Ok(())
}

/// Refuses a path that a server on the way could read as a path outside of the base path, if the base path is a boundary.
pub(super) fn check_base_path(upstream: &Upstream, target: &Target<'_>) -> Result<(), Error> {
    if upstream.is_base_path_boundary() && !target.stays_below_base() {
        return Err(Error::bad_address(
            "the path contains dot segments that leave the base path",
        ));
    }
    Ok(())
}

/// Refuses dot segments that only an upstream which decodes twice would see, if the host
/// application has turned this check on.
pub(super) fn check_double_encoded_dots(
    target: &Target<'_>,
    route: &Route<'_>,
    config: &Config,
) -> Result<(), Error> {
    if !config.reject_double_encoded_dots {
        return Ok(());
    }
    if target.leaves_base_if_decoded_twice() || leaves_base(route.base_path(), true) {
        return Err(Error::bad_address(
            "the path contains dot segments, encoded twice, that leave the base path",
        ));
    }
    Ok(())
}

/// Refuses a request that has passed through this gateway before.
pub(super) fn check_loop(headers: &HeaderMap, config: &Config) -> Result<(), Error> {
    match &config.via {
        Some(via) if via.is_in(headers) => {
            let error = Error::new(
                ErrorCode::DestinationRefused,
                "the request has already passed through this gateway, so the base URL leads back to it",
            );
            Err(error.with_proxy_status("proxy_loop_detected"))
        }
        _ => Ok(()),
    }
}

/// Refuses a body with a transfer coding other than `chunked`, which nothing here decodes and which the upstream wouldn't see. A body of
/// known length has no transfer coding.
pub(super) fn check_coding(headers: &HeaderMap, body: &RequestBody) -> Result<(), Error> {
    if body.size_hint().exact().is_none() && has_odd_coding(headers) {
        return Err(Error::bad_body(
            "the body has a transfer coding other than `chunked`; send the body without the coding, or with `Content-Encoding`",
        ));
    }
    Ok(())
}

/// Refuses a body if its length is known to be over the limit. Other bodies are counted while they pass.
pub(super) fn check_length(body: &RequestBody, limit: Option<u64>) -> Result<(), Error> {
    match limit {
        Some(limit) if body.size_hint().lower() > limit => Err(Error::body_too_large()),
        _ => Ok(()),
    }
}
