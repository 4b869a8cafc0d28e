//! The hosts that `__domain` may name. The policy is data, so it can be printed, compared and tested.
//!
//! Rules: `docs/rules/security.md#1-destinations-of-a-credential`.

use std::cell::Cell;
use std::fmt;
use std::net::IpAddr;

use psl::Psl as _;

use super::destination::Destination;
use super::host::Host;
use super::origin::{Origin, Scheme};
use super::shared_hosts::has_strangers_below;
use crate::error::{Error, ErrorCode};

/// The hosts that `__domain` may name, in addition to the base URL's own.
///
/// A caller that could name any host could obtain any credential, so a pattern should match only hosts of
/// the vendor. Some wildcards match names that other people can register (`*.myshopify.com`), who would
/// then receive the credential. Such wildcards are refused, and so are public suffixes (`*.co.uk`,
/// `*.github.io`, `github.io`) and wildcards above them (`*.us-east-1.on.aws`).
///
/// Default: none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DomainPolicy {
    patterns: Vec<Pattern>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    hosts: Hosts,
    /// `None` for the scheme's default port.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    Exact(Host),
    Below(Box<str>),
}

impl DomainPolicy {
    /// Returns a policy that allows only the base URL's own host.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            patterns: Vec::new(),
        }
    }

    /// Allows `host` or `*.suffix`, each with or without `:port`.
    ///
    /// Without a port, only the scheme's default port is allowed. `*.suffix` matches any number of whole
    /// labels below the suffix, but not the suffix itself.
    ///
    /// Default: none.
    ///
    /// # Errors
    ///
    /// [`DomainPolicyError`] if the pattern isn't a host, is an address (use
    /// [`allow_address`](Self::allow_address)), is a public suffix, or is a wildcard over a public suffix, over names with a
    /// public suffix below, or over the tenants of a vendor.
    pub fn allow(mut self, pattern: &str) -> Result<Self, DomainPolicyError> {
        let refuse = |why| Err(DomainPolicyError(why));
        if pattern.contains("://") {
            return refuse("it's a URL, and not a host");
        }
        let (name, port) = match pattern.rsplit_once(':') {
            Some((name, digits)) if !name.ends_with(':') && !pattern.ends_with(']') => {
                match digits.parse() {
                    Ok(port) if port != 0 && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                        (name, Some(port))
                    }
                    _ => return refuse("its port isn't valid"),
                }
            }
            _ => (pattern, None),
        };
        let hosts = match (
            name.strip_prefix("*."),
            Host::parse_configured(name.strip_prefix("*.").unwrap_or(name)),
        ) {
            (_, None) => return refuse("it's neither a host nor `*.suffix`"),
            (_, Some(Host::Ip(_))) => {
                return refuse("it's an IP address; use `allow_address`");
            }
            (None, Some(Host::Name(name))) if is_known_suffix(&name) => {
                return refuse("it's a public suffix, below which anybody can register a host");
            }
            (None, Some(host)) => Hosts::Exact(host),
            (Some(_), Some(Host::Name(suffix))) => {
                if is_public_suffix(&suffix) {
                    return refuse(
                        "its suffix is a public suffix, below which anybody can register a host",
                    );
                }
                if has_public_suffixes_below(&suffix) {
                    return refuse(
                        "a public suffix, below which anybody can register a host, is below its suffix",
                    );
                }
                if has_strangers_below(&suffix) {
                    return refuse("other customers of the vendor have hosts below its suffix");
                }
                Hosts::Below(format!(".{suffix}").into())
            }
        };
        self.patterns.push(Pattern { hosts, port });
        Ok(self)
    }

    /// Allows a literal address. The [`NetworkPolicy`](super::NetworkPolicy) must permit the address as well. Default:
    /// none.
    #[must_use]
    pub fn allow_address(mut self, address: IpAddr, port: Option<u16>) -> Self {
        let hosts = Hosts::Exact(Host::Ip(address));
        self.patterns.push(Pattern { hosts, port });
        self
    }

    /// Returns the base URL's own origin, which needs no pattern.
    #[expect(
        clippy::unused_self,
        reason = "a destination comes out of a policy, whichever it is"
    )]
    pub(crate) fn base(&self, base: &Origin) -> Destination {
        Destination::judged(base.clone())
    }

    /// Checks an origin below the base URL's own, which a caller named by the labels in front. `is_allowed` is the integration's decision.
    #[expect(
        clippy::unused_self,
        reason = "a destination comes out of a policy, whichever it is"
    )]
    pub(crate) fn below(&self, is_allowed: bool, below: Origin) -> Result<Destination, Error> {
        match is_allowed {
            true => Ok(Destination::judged(below)),
            false => Err(refused(
                "the host has labels in front of the connection id, and this integration doesn't allow them; remove them, or let the SDK put the name into the path",
            )),
        }
    }

    /// Checks the origin that a caller named. `others` are further allowed origins, which belong to the connection.
    pub(crate) fn permit<'a>(
        &self,
        base: &Origin,
        named: Origin,
        mut others: impl Iterator<Item = &'a Origin>,
    ) -> Result<Destination, Error> {
        if base.scheme() == Scheme::Https && named.scheme() == Scheme::Http {
            return Err(refused(
                "`__domain` has the scheme http, and the base URL has https; use https",
            ));
        }
        let is = |other: &Origin| named.host() == other.host() && named.port() == other.port();
        if is(base) || self.lists(&named) || others.any(is) {
            Ok(Destination::judged(named))
        } else {
            Err(refused(
                "`__domain` names a host that this integration doesn't allow",
            ))
        }
    }

    /// Returns `true` if a pattern matches host and port.
    pub(crate) fn lists(&self, origin: &Origin) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(origin))
    }
}

/// Returns `true` if the host is an address, or a public suffix, below which anybody can register a host.
pub(crate) fn is_open_host(host: &Host) -> bool {
    match host {
        Host::Ip(_) => true,
        Host::Name(name) => is_known_suffix(name),
    }
}

fn refused(detail: &'static str) -> Error {
    Error::new(ErrorCode::DomainRefused, detail)
}

impl Pattern {
    fn matches(&self, origin: &Origin) -> bool {
        let port = self.port.unwrap_or(origin.scheme().default_port());
        port == origin.port()
            && match (&self.hosts, origin.host()) {
                (Hosts::Exact(host), named) => host == named,
                (Hosts::Below(suffix), Host::Name(name)) => {
                    name.len() > suffix.len() && name.ends_with(&**suffix)
                }
                (Hosts::Below(_), Host::Ip(_)) => false,
            }
    }
}

/// Returns `true` if the suffix, or each name directly below it, is a public suffix.
fn is_public_suffix(suffix: &str) -> bool {
    let of = |name: &str| psl::suffix_str(name).map_or(0, str::len);
    of(suffix) >= suffix.len() || of(&format!("x.{suffix}")) > suffix.len()
}

/// Returns `true` if the name is on the list of public suffixes. A name whose top-level domain isn't on the list, such as `localhost`,
/// isn't.
fn is_known_suffix(name: &str) -> bool {
    psl::suffix(name.as_bytes())
        .is_some_and(|suffix| suffix.is_known() && suffix.as_bytes() == name.as_bytes())
}

/// Returns `true` if anybody can register a domain directly below the suffix at a registry, as with `com` and `co.uk`, or if the suffix is a
/// single label that isn't `localhost` (RFC 6761 §6.3). Suffixes of companies, such as `myshopify.com`, aren't of a registry.
pub(crate) fn is_registry_suffix(suffix: &str) -> bool {
    let name = format!("x.{suffix}");
    suffix != "localhost"
        && psl::suffix(name.as_bytes()).is_none_or(|found| {
            found.as_bytes().len() >= suffix.len() && found.typ() != Some(psl::Type::Private)
        })
}

/// Returns `true` if the list has public suffixes below the suffix, such as `lambda-url.us-east-1.on.aws` below `us-east-1.on.aws`.
///
/// The list of the crate `psl` can't be iterated. It's a tree of labels, from the top-level domain down, and a look-up takes a label only
/// where the tree has labels. So a look-up that wants one more label than the suffix has is at a name with public suffixes below.
fn has_public_suffixes_below(suffix: &str) -> bool {
    let wants_more = Cell::new(false);
    let labels = suffix.rsplit('.').map(str::as_bytes);
    let end = std::iter::from_fn(|| {
        wants_more.set(true);
        None
    });
    psl::List.find(labels.chain(end));
    wants_more.get()
}

/// The error of a pattern that isn't accepted, because it isn't a host, is an address, or would match hosts of other people. It's returned
/// when the policy is built, so it's a mistake in the configuration. The text describes the problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DomainPolicyError(&'static str);

impl fmt::Display for DomainPolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for DomainPolicyError {}

#[cfg(test)]
mod tests {
    use super::super::origin::Location;
    use super::*;

    fn permits(policy: &DomainPolicy, named: &str) -> Option<bool> {
        let base = Location::parse("https://api.vendor.test/v2", None)
            .ok()?
            .origin;
        let named = Location::parse(named, Some(Scheme::Https)).ok()?.origin;
        Some(policy.permit(&base, named, std::iter::empty()).is_ok())
    }

    #[test]
    fn suffixes_match_whole_labels_below() -> Result<(), DomainPolicyError> {
        let policy = DomainPolicy::none().allow("*.vendor.test")?;
        for named in ["eu.vendor.test", "a.b.vendor.test", "EU.VENDOR.TEST."] {
            assert_eq!(permits(&policy, named), Some(true), "{named}");
        }
        for named in [
            "vendor.test",
            "evilvendor.test",
            "vendor.test.evil.test",
            "xvendor.test",
            "eu.vendor.test:22",
        ] {
            assert_eq!(permits(&policy, named), Some(false), "{named}");
        }
        Ok(())
    }

    #[test]
    fn ports_are_those_of_the_pattern_and_of_the_base() -> Result<(), DomainPolicyError> {
        let policy = DomainPolicy::none().allow("eu.vendor.test:9001")?;
        assert_eq!(permits(&policy, "eu.vendor.test:9001"), Some(true));
        assert_eq!(permits(&policy, "eu.vendor.test"), Some(false));
        assert_eq!(
            permits(&DomainPolicy::none(), "api.vendor.test:443"),
            Some(true)
        );
        assert_eq!(
            permits(&DomainPolicy::none(), "api.vendor.test:444"),
            Some(false)
        );
        Ok(())
    }

    #[test]
    fn https_is_never_lowered() {
        assert_eq!(
            permits(&DomainPolicy::none(), "http://api.vendor.test:443"),
            Some(false)
        );
    }

    #[test]
    fn patterns_over_strangers_are_refused_when_built() {
        for pattern in [
            "*",
            "*.",
            "*.com",
            "*.co.uk",
            "*.github.io",
            "*.amazonaws.com",
            "*.s3.amazonaws.com",
            "*.us-east-1.on.aws",
            "*.on.aws",
            "*.us-east-1.amazonaws.com",
            "*.force.com",
            "*.oktapreview.com:443",
            "github.io",
            "co.uk",
            "com",
            "lambda-url.us-east-1.on.aws",
            "*.compute.amazonaws.com",
            "*.myshopify.com",
            "*.test",
            "10.0.0.1",
            "127.1",
            "[::1]",
            "*.1.2.3.4",
            "a.*.test",
            "a.test:0",
            "a.test:x",
            "",
        ] {
            assert!(DomainPolicy::none().allow(pattern).is_err(), "{pattern}");
        }
        for pattern in [
            "localhost",
            "eu.vendor.test",
            "*.hubapi.com",
            "*.vendor.com",
            "*.eu.vendor.co.uk",
            "*.acme.github.io",
            "*.acme.okta.com",
            "acme.us-east-1.on.aws",
            "vendor.on.aws",
            "Acme.zendesk.com:443",
        ] {
            assert!(DomainPolicy::none().allow(pattern).is_ok(), "{pattern}");
        }
    }

    #[test]
    fn addresses_are_allowed_as_addresses() {
        let policy = DomainPolicy::none().allow_address([127, 0, 0, 1].into(), Some(9001));
        assert_eq!(permits(&policy, "0x7f.1:9001"), Some(true));
        assert_eq!(permits(&policy, "127.0.0.2:9001"), Some(false));
    }
}
