//! Trailers pass as frames, less the names that have no place there (RFC 9110 §6.5.1; FORWARDING
//! B7).

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;
use http::header::HeaderName;

use super::ResponseHeaderPolicy;
use super::fields::{
    is_caller_credential, is_forwarding, is_framing_or_routing, is_hop_by_hop, is_one_of,
    overrides_method, remove,
};
use super::response::drops;
use crate::auth::AuthScheme;

/// What is taken out of a request's trailers: the fields that are taken off its head.
#[derive(Clone)]
pub(crate) struct RequestTrailers {
    pub(crate) scheme: Arc<dyn AuthScheme>,
    pub(crate) host_credentials: Arc<[HeaderName]>,
}

impl RequestTrailers {
    pub(crate) fn rewrite(&self, trailers: &mut HeaderMap) {
        remove(trailers, |_, canonical| {
            is_hop_by_hop(canonical)
                || is_framing_or_routing(canonical)
                || is_caller_credential(canonical)
                || is_forwarding(canonical)
                || overrides_method(canonical)
                || is_one_of(canonical, &self.host_credentials)
                || is_one_of(canonical, self.scheme.fields())
        });
    }
}

impl fmt::Debug for RequestTrailers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestTrailers").finish_non_exhaustive()
    }
}

/// What is taken out of a response's trailers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResponseTrailers(pub(crate) ResponseHeaderPolicy);

impl ResponseTrailers {
    pub(crate) fn rewrite(self, trailers: &mut HeaderMap) {
        remove(trailers, |_, canonical| {
            drops(canonical, self.0)
                || is_framing_or_routing(canonical)
                || canonical == "proxy-status"
        });
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::auth::{Bearer, Header};

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
            "x-host-key",
            "content-length",
            "transfer-encoding",
            "host",
            "te",
            "x-forwarded-for",
        ]);
        let scheme = Header::new("x-key", "{key}");
        let rules = RequestTrailers {
            scheme: scheme.map_or_else(
                |_| Arc::new(Bearer) as Arc<dyn AuthScheme>,
                |header| Arc::new(header),
            ),
            host_credentials: Arc::new([HeaderName::from_static("x-host-key")]),
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
            "set-cookie",
        ]);
        ResponseTrailers(ResponseHeaderPolicy::All).rewrite(&mut sent);
        assert_eq!(left(&sent), ["grpc-status", "set-cookie"]);
        ResponseTrailers(ResponseHeaderPolicy::BrowserSafe).rewrite(&mut sent);
        assert_eq!(left(&sent), ["grpc-status"]);
    }
}
