//! Forwards trailers as frames, without the names that aren't allowed in trailers (RFC 9110 §6.5.1).

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;
use http::header::HeaderName;
use smallvec::SmallVec;

use super::fields::{
    canonical, is_caller_credential, is_forwarding, is_framing_or_routing, is_hop_by_hop,
    is_one_of, overrides_method, overrides_path, remove,
};
use super::{CallerFields, ResponseFields};
use crate::auth::Requirements;

/// The names that are removed from a request's trailers. The same names are removed from its head.
#[derive(Clone)]
pub(crate) struct RequestTrailers {
    /// The fields that the scheme sets.
    pub(crate) requirements: Arc<Requirements>,
    /// The fields that the scheme has set.
    pub(crate) set: SmallVec<[HeaderName; 2]>,
    pub(crate) host_credentials: Arc<CallerFields>,
}

impl RequestTrailers {
    pub(crate) fn rewrite(&self, trailers: &mut HeaderMap) {
        remove(trailers, |name| {
            let canonical = &*canonical(name.as_str());
            is_hop_by_hop(canonical)
                || is_framing_or_routing(canonical)
                || is_caller_credential(canonical)
                || is_forwarding(canonical)
                || overrides_method(canonical)
                || overrides_path(canonical)
                || self.host_credentials.drops(canonical)
                || is_one_of(canonical, self.requirements.fields())
                || is_one_of(canonical, &self.set)
        });
    }
}

impl fmt::Debug for RequestTrailers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestTrailers").finish_non_exhaustive()
    }
}

/// The names that are removed from a response's trailers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResponseTrailers(pub(crate) ResponseFields);

impl ResponseTrailers {
    pub(crate) fn rewrite(self, trailers: &mut HeaderMap) {
        remove(trailers, |name| {
            let canonical = &*canonical(name.as_str());
            self.0.drops(canonical)
                || is_framing_or_routing(canonical)
                || canonical == "proxy-status"
        });
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::upstream::ResponseHeaderPolicy;

    fn trailers(names: &[&'static str]) -> HeaderMap {
        let pairs = names
            .iter()
            .map(|name| (HeaderName::from_static(name), HeaderValue::from_static("v")));
        pairs.collect()
    }

    fn left(trailers: &HeaderMap) -> Vec<&str> {
        trailers.keys().map(HeaderName::as_str).collect()
    }

    #[test]
    fn credentials_and_framing_are_no_trailers() {
        let mut sent = trailers(&[
            "x-sum",
            "authorization",
            "cookie",
            "x-key",
            "x_key",
            "x-set",
            "x_set",
            "x-host-key",
            "remote-user",
            "x-original-url",
            "content-length",
            "transfer-encoding",
            "host",
            "te",
            "x-forwarded-for",
        ]);
        let mut host_credentials = CallerFields::default();
        host_credentials.strip([HeaderName::from_static("x-host-key")]);
        let rules = RequestTrailers {
            requirements: Arc::new(Requirements::new().field(HeaderName::from_static("x-key"))),
            set: SmallVec::from_iter([HeaderName::from_static("x-set")]),
            host_credentials: Arc::new(host_credentials),
        };
        rules.rewrite(&mut sent);
        assert_eq!(left(&sent), ["x-sum"]);
    }

    #[test]
    fn errors_of_ours_are_not_forged_by_trailers() {
        let mut sent = trailers(&[
            "grpc-status",
            "passthrough-error",
            "passthrough_error",
            "proxy-status",
            "connection",
            "x-accel-redirect",
            "x_sendfile",
            "set-cookie",
        ]);
        let mut fields = ResponseFields::default();
        ResponseTrailers(fields).rewrite(&mut sent);
        assert_eq!(left(&sent), ["grpc-status", "set-cookie"]);
        fields.policy = ResponseHeaderPolicy::BrowserSafe;
        ResponseTrailers(fields).rewrite(&mut sent);
        assert_eq!(left(&sent), ["grpc-status"]);
    }
}
