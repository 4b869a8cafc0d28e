//! The head of the request: the fields that are removed, kept and added.

use http::header::{Entry, HeaderMap, HeaderName, HeaderValue, TE, VIA};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{Extensions, Version};
use http_body::Body;

use super::CallerFields;
use super::fields::{
    Nominated, REQUEST_FIELDS, canonical, has, is_caller_credential, is_forwarding,
    is_framing_or_routing, is_hop_by_hop, is_of_the_client, is_one_of, is_spelling, members,
    overrides_method, overrides_path, remove_in_order,
};
use super::framing;
use crate::authorize::Scope;
use crate::error::Error;
use crate::policy::Destination;
use crate::upstream::Upstream;

/// The rules for the fields of a request.
#[derive(Debug)]
pub(crate) struct RequestRules<'a> {
    pub(crate) upstream: &'a Upstream,
    /// The fields of callers that aren't forwarded.
    pub(crate) host_credentials: &'a CallerFields,
    /// `true` if the host application's own forwarding fields are forwarded.
    pub(crate) pass_forwarded: bool,
    /// The entry that is added to `Via`.
    pub(crate) via: Option<&'a HeaderValue>,
    /// The scope of the caller.
    pub(crate) scope: &'a Scope,
}

impl RequestRules<'_> {
    /// Returns the head for the upstream, without the credentials. `Host` comes first, or after the caller's fields if the
    /// caller used HTTP/2, and the head is framed by `body`.
    ///
    /// # Errors
    ///
    /// If `Connection` nominates too many fields, or if destination and target don't form a URI, which can't happen
    /// after parsing.
    pub(crate) fn rewrite(
        &self,
        parts: &mut Parts,
        destination: &Destination,
        target: PathAndQuery,
        body: &impl Body,
    ) -> Result<(), Error> {
        let accepts_trailers = accepts_trailers(&parts.headers);
        let too_many = || Error::bad_address("`Connection` nominates more than 256 fields");
        let nominated = Nominated::from_headers(&parts.headers).ok_or_else(too_many)?;
        let host = destination.origin().host_field();
        remove_in_order(&mut parts.headers, host, |name| {
            self.drops(name) || nominated.holds(name)
        });
        if accepts_trailers {
            // `Connection: TE` isn't added, because it would make hyper remove the field on HTTP/2.
            parts
                .headers
                .insert(TE, HeaderValue::from_static("trailers"));
        }
        self.add_defaults(&mut parts.headers);
        if let Some(via) = self.via {
            append(&mut parts.headers, VIA, via);
        }
        framing::set(&mut parts.headers, &parts.method, body);
        parts.uri = destination
            .uri(target)
            .map_err(|_| Error::bad_address("the address isn't a valid URI"))?;
        // hyper writes the version of the request, so the caller's version must not be kept.
        parts.version = Version::HTTP_11;
        parts.extensions = Extensions::new();
        Ok(())
    }

    fn drops(&self, name: &HeaderName) -> bool {
        let text = name.as_str();
        is_one_of(text, self.upstream.requirements().fields())
            || self.host_credentials.strips(text)
            || (REQUEST_FIELDS.may_contain(text)
                && (self.host_credentials.drops(text) || self.drops_special(name)))
            || self.is_odd_spelling_of_default(name)
    }

    fn drops_special(&self, name: &HeaderName) -> bool {
        let canonical = &*canonical(name.as_str());
        is_hop_by_hop(canonical)
            || is_caller_credential(canonical)
            || (is_forwarding(canonical) && !self.passes(canonical))
            || (self.scope.limits_methods() && overrides_method(canonical))
            || (self.scope.limits_paths() && overrides_path(canonical))
            // `Host` was set to the destination. The gateway has already fulfilled `Expect` when the body is first polled.
            || matches!(canonical, "host" | "expect")
            || (name != canonical && is_framing_or_routing(canonical))
    }

    /// Returns `true` if a forwarding field is forwarded. If this gateway adds a `Via`, the earlier entries must be
    /// kept, or a loop over two gateways would never be detected.
    fn passes(&self, canonical: &str) -> bool {
        self.pass_forwarded
            || (canonical == "via" && self.via.is_some())
            || self.host_credentials.passes(canonical)
    }

    /// Returns `true` for a name with `_` that may be read as the name of a default field.
    fn is_odd_spelling_of_default(&self, name: &HeaderName) -> bool {
        let mut defaults = self.upstream.default_headers().keys();
        let name = name.as_str();
        defaults.any(|default| is_spelling(default, name)) && name.contains('_')
    }

    /// Adds the default headers that the caller left out.
    fn add_defaults(&self, headers: &mut HeaderMap) {
        let defaults = self.upstream.default_headers();
        for name in defaults.keys() {
            let canonical = canonical(name.as_str());
            if is_of_the_client(&canonical) || headers.contains_key(name) {
                continue;
            }
            for value in defaults.get_all(name) {
                append(headers, name.clone(), value);
            }
        }
    }
}

/// Returns `true` if any line of `TE` lists `trailers` (RFC 9110 §10.1.4).
fn accepts_trailers(headers: &HeaderMap) -> bool {
    has(headers, &TE) && members(headers, TE).any(|member| member.eq_ignore_ascii_case(b"trailers"))
}

fn append(headers: &mut HeaderMap, name: HeaderName, value: &HeaderValue) {
    // The insertion only fails for a head of 32,768 fields, which hyper's server doesn't accept.
    match headers.try_entry(name) {
        Ok(Entry::Occupied(mut entry)) => entry.append(value.clone()),
        Ok(Entry::Vacant(entry)) => {
            let _ = entry.try_insert(value.clone());
        }
        Err(_) => {}
    }
}
