//! The head of the response: the fields that are removed and kept.
//!
//! Rules: `docs/rules/forwarding.md#5-responses`.

use std::cell::Cell;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::response::Parts;
use http::{Extensions, Version};
use http_body::SizeHint;

use super::fields::{
    HOP_BY_HOP, MAX_FIELDS, Nominated, Quotes, canonical, has, is_hop_by_hop, lines, remove,
};
use super::links::LinkRules;
use super::name_filter::NameFilter;
use super::{ForeignLocations, MountedLinks, browser_safe, framing, links};
use crate::upstream::ResponseHeaderPolicy;

/// nginx's switch for buffering. With the value `no`, it chooses neither a file nor an address, and event streams need it: nginx keeps
/// back events that it buffers.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The fields and trailers of a response that are returned, by their names.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ResponseFields {
    pub(crate) policy: ResponseHeaderPolicy,
    /// `true` if instructions to a server in front are returned.
    pub(crate) pass_server_instructions: bool,
}

/// The rules for the fields of a response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResponseRules<'a> {
    pub(crate) fields: ResponseFields,
    /// The query parameters that are removed from links.
    pub(crate) scrubbed: &'a [Box<str>],
    /// Rewrites links to addresses under the mount, if the host application requires that.
    pub(crate) links: Option<&'a MountedLinks>,
    pub(crate) foreign: &'a ForeignLocations,
}

/// The error of a response with too many fields, or with a transfer coding other than `chunked`, which can't be decoded
/// here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnusableHead;

impl ResponseRules<'_> {
    /// Returns the head for the caller. `size` is the size of the body, if the response can have a body.
    pub(crate) fn rewrite(
        self,
        parts: &mut Parts,
        size: Option<&SizeHint>,
    ) -> Result<(), UnusableHead> {
        // Without a body, a coding can't have changed anything.
        let is_unreadable = size.is_some() && framing::has_odd_coding(&parts.headers);
        if is_unreadable || parts.headers.len() > MAX_FIELDS {
            return Err(UnusableHead);
        }
        let nominated = Nominated::from_headers(&parts.headers).ok_or(UnusableHead)?;
        let sets_buffering = Cell::new(false);
        remove(&mut parts.headers, |name| {
            if nominated.holds(name) {
                return true;
            }
            let goes = self.fields.drops(name.as_str());
            if goes && *name == ACCEL_BUFFERING {
                sets_buffering.set(true);
                return false;
            }
            goes
        });
        if sets_buffering.get() && !asks_for_no_buffering(&parts.headers) {
            parts.headers.remove(ACCEL_BUFFERING);
        }
        match size {
            Some(size) => framing::keep_only_a_true_length(&mut parts.headers, size),
            None => framing::keep_one_length(&mut parts.headers),
        }
        drop_our_proxy_status(&mut parts.headers);
        if !self.scrubbed.is_empty() {
            links::scrub(&mut parts.headers, self.scrubbed);
        }
        if self.links.is_some() || *self.foreign != ForeignLocations::Pass {
            let rules = LinkRules {
                mounted: self.links,
                foreign: self.foreign,
            };
            rules.apply(&mut parts.headers);
        }
        if self.fields.policy == ResponseHeaderPolicy::BrowserSafe {
            browser_safe::harden(&mut parts.headers);
        }
        // hyper's server writes the version of the response.
        parts.version = Version::HTTP_11;
        parts.extensions = reason(&mut parts.extensions);
        Ok(())
    }
}

impl ResponseFields {
    /// Returns `true` if a field or a trailer of the upstream's response isn't passed on.
    pub(super) fn drops(self, name: &str) -> bool {
        let is_browser_safe = self.policy == ResponseHeaderPolicy::BrowserSafe;
        (is_browser_safe || FILTER.may_contain(name)) && self.drops_special(&canonical(name))
    }

    fn drops_special(self, canonical: &str) -> bool {
        is_hop_by_hop(canonical)
            || canonical == OUR_ERROR
            || (!self.pass_server_instructions && instructs_server(canonical))
            || (self.policy == ResponseHeaderPolicy::BrowserSafe
                && browser_safe::acts_on_the_origin(canonical))
    }
}

const OUR_ERROR: &str = "passthrough-error";

/// The fields that a server in front of the host application obeys: it sends a file or another address in place of the response, or changes
/// its caches.
const INSTRUCTIONS: &[&str] = &[
    "x-compress-hint",
    "x-http2-push-only",
    "x-offload-to-simplehttpd",
    "x-send-file",
];

/// The beginnings of the names of further such fields.
const INSTRUCTION_PREFIXES: &[&str] = &[
    "x-accel-",     // nginx
    "x-h2o-",       // h2o
    "x-hiawatha-",  // Hiawatha
    "x-lighttpd-",  // lighttpd
    "x-litespeed-", // LiteSpeed
    "x-lsadc-",     // LiteSpeed Web ADC
    "x-lscache",    // LiteSpeed, older
    "x-reproxy-",   // Perlbal, h2o, Apache's mod_reproxy
    "x-sendfile",   // Apache, lighttpd, Cherokee, nginx's module; with -Type, -Temporary, 2
];

/// The fields that both policies remove.
static FILTER: NameFilter = NameFilter::new(
    &[HOP_BY_HOP, &[OUR_ERROR], INSTRUCTIONS],
    &[INSTRUCTION_PREFIXES],
);

fn instructs_server(canonical: &str) -> bool {
    let mut prefixes = INSTRUCTION_PREFIXES.iter();
    INSTRUCTIONS.contains(&canonical) || prefixes.any(|prefix| canonical.starts_with(prefix))
}

/// Returns `true` if the upstream asks only that its response isn't buffered. nginx doesn't distinguish upper and lower case.
fn asks_for_no_buffering(headers: &HeaderMap) -> bool {
    lines(headers, ACCEL_BUFFERING).all(|line| line.as_bytes().eq_ignore_ascii_case(b"no"))
}

/// Removes `Proxy-Status` members with this gateway's name, by which an upstream could forge the gateway's errors.
/// Other members are kept.
fn drop_our_proxy_status(headers: &mut HeaderMap) {
    const PROXY_STATUS: HeaderName = HeaderName::from_static("proxy-status");
    if !has(headers, &PROXY_STATUS) {
        return;
    }
    let kept: Vec<HeaderValue> = headers
        .get_all(PROXY_STATUS)
        .iter()
        .filter(|line| !speaks_for_us(line.as_bytes()))
        .cloned()
        .collect();
    headers.remove(PROXY_STATUS);
    for line in kept {
        // There is enough room, because the map had more of these lines before.
        let _ = headers.try_append(PROXY_STATUS, line);
    }
}

/// Returns `true` if a member of the list has this gateway's name. In a line with an unpaired quote, every comma may
/// begin a member.
fn speaks_for_us(line: &[u8]) -> bool {
    let mut quotes = Quotes::default();
    let named = line
        .split(|&byte| quotes.pass(byte) && byte == b',')
        .any(is_ours);
    named || (quotes.open && line.split(|&byte| byte == b',').any(is_ours))
}

fn is_ours(member: &[u8]) -> bool {
    const NAME: &[u8] = b"passthrough";
    let member = member.trim_ascii();
    let member = member.strip_prefix(b"\"").unwrap_or(member);
    member
        .split_at_checked(NAME.len())
        .is_some_and(|(name, rest)| {
            name.eq_ignore_ascii_case(NAME)
                && matches!(rest.first(), None | Some(b';' | b'"' | b' ' | b'\t'))
        })
}

/// Keeps the reason phrase, the only extension that comes from the upstream's message.
fn reason(extensions: &mut Extensions) -> Extensions {
    let mut kept = Extensions::new();
    if let Some(reason) = extensions.remove::<hyper::ext::ReasonPhrase>() {
        kept.insert(reason);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(
        fields: &[(&'static str, &'static str)],
        policy: ResponseHeaderPolicy,
    ) -> Option<HeaderMap> {
        rewritten_with(fields, policy, Some(&SizeHint::new()))
    }

    fn rewritten_with(
        fields: &[(&'static str, &'static str)],
        policy: ResponseHeaderPolicy,
        size: Option<&SizeHint>,
    ) -> Option<HeaderMap> {
        let (mut parts, ()) = http::Response::new(()).into_parts();
        for (name, value) in fields {
            parts.headers.append(*name, HeaderValue::from_static(value));
        }
        let fields = ResponseFields {
            policy,
            ..ResponseFields::default()
        };
        let rules = ResponseRules {
            fields,
            scrubbed: &[],
            links: None,
            foreign: &ForeignLocations::Pass,
        };
        rules.rewrite(&mut parts, size).ok().map(|()| parts.headers)
    }

    #[test]
    fn hop_by_hop_goes_and_duplicates_stay() {
        let fields = [
            ("connection", "x-up"),
            ("x-up", "1"),
            ("set-cookie", "a"),
            ("set-cookie", "b"),
            ("transfer-encoding", "Chunked"),
        ];
        let headers = rewritten(&fields, ResponseHeaderPolicy::All).unwrap_or_default();
        let names: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        assert_eq!(names, [("set-cookie", &b"a"[..]), ("set-cookie", b"b")]);
    }

    #[test]
    fn instructions_to_a_server_in_front_are_dropped_unless_they_pass() {
        let dropped = ResponseFields::default();
        let passing = ResponseFields {
            pass_server_instructions: true,
            ..dropped
        };
        for name in [
            "x-accel-redirect",
            "x-sendfile",
            "x-reproxy-url",
            "x-litespeed-location",
        ] {
            assert!(dropped.drops(name) && !passing.drops(name), "{name}");
        }
        for name in [
            "x-accelerate",
            "x-request-id",
            "x-cache",
            "x-ratelimit-limit",
            "accel-x",
        ] {
            assert!(!dropped.drops(name), "{name}");
        }
    }

    #[test]
    fn each_name_is_dropped_in_each_spelling() {
        let fields = ResponseFields::default();
        let below = INSTRUCTION_PREFIXES
            .iter()
            .map(|prefix| format!("{prefix}more"));
        let lists = [HOP_BY_HOP, INSTRUCTIONS, INSTRUCTION_PREFIXES, &[OUR_ERROR]];
        let names = lists.into_iter().flatten().map(|&name| name.to_owned());
        for name in names.chain(below) {
            assert!(fields.drops(&name), "{name}");
            let underscores = name.replace('-', "_");
            assert!(fields.drops(&underscores), "{underscores}");
        }
    }

    #[test]
    fn only_the_request_not_to_buffer_is_kept() {
        for (fields, kept) in [
            (&[("x-accel-buffering", "no")][..], 1),
            (&[("x-accel-buffering", "NO")], 1),
            (&[("x-accel-buffering", "yes")], 0),
            (
                &[("x-accel-buffering", "no"), ("x-accel-buffering", "yes")],
                0,
            ),
            (&[("x_accel_buffering", "no")], 0),
            (
                &[
                    ("x-accel-buffering", "no"),
                    ("connection", "x-accel-buffering"),
                ],
                0,
            ),
            (
                &[("x-accel-redirect", "no"), ("x-accel-limit-rate", "no")],
                0,
            ),
        ] {
            let headers = rewritten(fields, ResponseHeaderPolicy::All).unwrap_or_default();
            assert_eq!(headers.len(), kept, "{fields:?}: {headers:?}");
        }
    }

    #[test]
    fn odd_codings_are_refused_if_there_is_a_body() {
        for coding in ["gzip", "gzip, chunked", "identity"] {
            assert!(
                rewritten(&[("transfer-encoding", coding)], ResponseHeaderPolicy::All).is_none(),
                "{coding}"
            );
            let of_a_head = rewritten_with(
                &[("transfer-encoding", coding)],
                ResponseHeaderPolicy::All,
                None,
            );
            assert!(
                of_a_head.is_some_and(|fields| fields.is_empty()),
                "{coding}"
            );
        }
    }

    #[test]
    fn other_names_and_quoted_text_are_not_ours() {
        for line in [
            "passthrough-cdn; a=b",
            "cdn; details=\"a, passthrough\"",
            "cdn; d=\"\\\", passthrough\"",
        ] {
            assert!(!speaks_for_us(line.as_bytes()), "{line}");
        }
        for line in [
            "passthrough",
            "a, \"passthrough\"",
            "a; d=\"x\" , passthrough;e=f",
            "Passthrough; error=x",
            "a; d=\"x, passthrough; error=y",
        ] {
            assert!(speaks_for_us(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn a_vendor_cannot_speak_in_our_name() {
        let fields = [
            ("passthrough-error", "x"),
            ("proxy-status", "cdn, passthrough; error=x"),
            ("proxy-status", "cdn; a=b"),
        ];
        let headers = rewritten(&fields, ResponseHeaderPolicy::All).unwrap_or_default();
        assert_eq!(headers.len(), 1);
        assert!(
            headers
                .get("proxy-status")
                .is_some_and(|value| value == "cdn; a=b")
        );
    }
}
