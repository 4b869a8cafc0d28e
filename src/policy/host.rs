//! The only parser of host names and addresses, so that two parsers can't disagree.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

/// A host in the normal form in which hosts are compared, resolved, dialled and sent: a name in
/// lower-case A-labels, or an address.
///
/// A text that the WHATWG rules parse as an IPv4 number (`127.1`, `0x7f000001`, `2130706433`) is
/// parsed as the same address here.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Host {
    /// A domain name, without a trailing dot.
    Name(Arc<str>),
    /// A literal address.
    Ip(IpAddr),
}

impl Host {
    /// Parses `host`, or `[v6]`. Returns `None` if the text isn't a host.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::parse_with(text, is_ldh)
    }

    /// Parses a host in the host application's own configuration. It may contain underscores, which are valid in DNS (RFC 2181 §11), and
    /// which the names of services in a cluster often have.
    pub(crate) fn parse_configured(text: &str) -> Option<Self> {
        Self::parse_with(text, |label| is_ldh(&label.replace('_', "x")))
    }

    fn parse_with(text: &str, is_label: impl Fn(&str) -> bool) -> Option<Self> {
        if let Some(inside) = text.strip_prefix('[') {
            // The standard library's parser refuses zone ids.
            let address: Ipv6Addr = inside.strip_suffix(']')?.parse().ok()?;
            return Some(Self::Ip(address.into()));
        }
        // `url` decodes percent-encoded bytes in hosts, but a valid host contains none.
        if text.contains('%') {
            return None;
        }
        match url::Host::parse(text).ok()? {
            url::Host::Ipv4(address) => Some(Self::Ip(address.into())),
            url::Host::Ipv6(_) => None,
            url::Host::Domain(name) => {
                let name = name.strip_suffix('.').unwrap_or(&name);
                let fits = name.len() <= 253 && name.split('.').all(is_label);
                fits.then(|| Self::Name(name.into()))
            }
        }
    }
}

/// Returns `true` for letters, digits and hyphens, with no hyphen at the beginning or the end (RFC
/// 5890 §2.3.1).
fn is_ldh(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Ip(IpAddr::V4(address)) => address.fmt(f),
            Self::Ip(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<String> {
        Host::parse(text).map(|host| host.to_string())
    }

    #[test]
    fn spellings_of_one_name_are_one_host() {
        for text in [
            "eu.vendor.test",
            "EU.Vendor.TEST.",
            "eu\u{3002}vendor.test",
            "e\u{ad}u.vendor.test",
        ] {
            assert_eq!(parsed(text).as_deref(), Some("eu.vendor.test"), "{text}");
        }
        assert_eq!(parsed("fa\u{df}.test").as_deref(), Some("xn--fa-hia.test"));
    }

    #[test]
    fn numbers_are_addresses() {
        for text in [
            "127.0.0.1",
            "127.1",
            "0x7f.1",
            "2130706433",
            "0177.0.0.1",
            "0x7f000001",
            "127.0.0.1.",
        ] {
            assert_eq!(parsed(text).as_deref(), Some("127.0.0.1"), "{text}");
        }
        assert_eq!(parsed("1.2.3").as_deref(), Some("1.2.0.3"));
        assert_eq!(
            parsed("[::FFFF:127.0.0.1]").as_deref(),
            Some("[::ffff:127.0.0.1]")
        );
    }

    #[test]
    fn a_configured_host_may_contain_underscores() {
        for (text, expected) in [
            ("my_service", Some("my_service")),
            ("_x.Vendor.test.", Some("_x.vendor.test")),
            ("a_", Some("a_")),
            ("-a_.test", None),
            ("a_b c", None),
            ("_", Some("_")),
            ("a_..b", None),
        ] {
            let host = Host::parse_configured(text).map(|host| host.to_string());
            assert_eq!(host.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in [
            "",
            ".",
            "..",
            "eu..vendor.test",
            ".eu",
            "_x.vendor.test",
            "-a.test",
            "a-.test",
            "a b.test",
            "a\t.test",
            "a%2eb.test",
            "a@b",
            "a/b",
            "a\\b",
            "a?b",
            "a#b",
            "a:b",
            "[::1",
            "::1",
            "[fe80::1%eth0]",
            "[127.0.0.1]",
            "1.2.3.4.5",
            "256.1.1.1",
            "0x.1.2.zz.1",
            "a\0.test",
            "*.vendor.test",
            "xn--a.test",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
        assert_eq!(parsed(&format!("{}.test", "a".repeat(64))), None);
        assert_eq!(parsed(&format!("{}test", "a.".repeat(126))), None);
    }
}
