//! Invariants of addresses, queries, `__domain` and base URLs, with texts of characters that parsers often read
//! wrongly.

#[path = "invariants/mod.rs"]
mod invariants;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use tower_passthrough::policy::{DomainPolicy, NetworkPolicy};

/// Returns a text of up to `most` of these pieces, or of any characters.
fn text(pieces: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => select(pieces).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => "[ -~]{0,8}",
    ];
    vec(piece, 0..most).prop_map(|pieces| pieces.concat())
}

const PATH: &[&str] = &[
    "c", "/", "//", "a", "..", ".", "%2e", "%2E%2e", "%2F", "%2f", "%5c", "%25", "%252e", "%00",
    "%0A", "%7F", "%", "%z", ";", ";x", "..;", "?", "%3F", "%3f", "&", "=", "__domain", "%20",
    "%C3%A9", "%FF", "+", ":", "@", "~", "(", "[", "{", "\"", "<", "|", "^", "`", "%22", "%23",
    "%7B", "\\", "é", "id-1",
];

const QUERY: &[&str] = &[
    "a",
    "=",
    "&",
    "&&",
    "__domain",
    "%5F%5Fdomain",
    "__d%6Fmain",
    "__Domain",
    "%255F_domain",
    "__domain[]",
    "%",
    "%z",
    "%41",
    "%3D",
    "%26",
    "+",
    ";",
    "h",
    "eu.vendor.test",
    "?",
    "/",
    "[]",
    "%C3%A9",
    "%FF",
    "{}",
    "\"",
    "__domain=",
    "&__domain=h",
    "|",
    "'",
    "é",
];

const DOMAIN: &[&str] = &[
    "api.vendor.test",
    "eu.vendor.test",
    "regions.vendor.test",
    ".regions.vendor.test",
    "vendor.test",
    "evil.test",
    "9.9.9.9",
    "127.0.0.1",
    "0x9.9.9.9",
    "150994945",
    "[::1]",
    "[::ffff:9.9.9.9]",
    "https://",
    "http://",
    "HTTPS://",
    "//",
    ":",
    ":443",
    ":8443",
    ":80",
    ":0",
    ":+8443",
    "@",
    "user:p@",
    "/",
    "/v2",
    "/..",
    "\\",
    "?",
    "#",
    ".",
    "..",
    "%2e",
    "%00",
    "\0",
    "\n",
    "\t",
    " ",
    "\u{3002}",
    "\u{ad}",
    "\u{200b}",
    "ß",
    "xn--",
    "EU",
    "a",
    "-",
    "_",
    "*",
    "é",
    "\u{ff41}",
    "\u{130}",
    "e\u{301}",
];

const BASE_URL: &[&str] = &[
    "https://",
    "http://",
    "HTTPS://",
    "vendor.test",
    "a.b",
    "127.0.0.1",
    "[::1]",
    "[2606:4700::1]",
    "1.2.3",
    ":8443",
    ":443",
    ":80",
    ":0",
    ":",
    "/",
    "//",
    "/v2",
    "/a%2Fb",
    "/..",
    "/%2e%2e",
    "/.;",
    "%",
    "%zz",
    "?",
    "#",
    "@",
    "user",
    "{v}",
    "{w}",
    "{",
    "}",
    "{}",
    "\\",
    " ",
    "é",
    "ß",
    "EU.",
    "..",
    "_",
    "-",
    ";v=1",
    "/@",
    ":x",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn addresses_keep_their_bytes_and_never_leave_the_base(path in text(PATH, 12)) {
        invariants::address::check(&path);
        invariants::address::check(&format!("c/{path}"));
        invariants::address::check(&format!("c/%2F{path}"));
    }

    #[test]
    fn queries_keep_their_bytes_except_the_reserved_pair(query in text(QUERY, 12)) {
        invariants::query::check(&query);
    }

    #[test]
    fn encoded_paths_arrive_decoded(segments in vec("[a-zA-Z0-9][a-zA-Z0-9 _~.+é]{0,5}", 1..5), query in "[a-z=&%+]{0,8}") {
        // Like a generated client, the test encodes the whole path into one segment.
        let path: String = segments.iter().map(|segment| format!("/{segment}")).collect();
        let uri: http::Uri = format!("/c/{}?{query}", invariants::encoded(&path)).parse()?;
        let address = tower_passthrough::address::Address::parse(&uri)?;
        let target = address.target(tower_passthrough::address::PathEncoding::Auto)?;
        prop_assert_eq!(invariants::decoded(target.path()), path.as_bytes());
        prop_assert_eq!(target.query(), Some(query.as_str()));
    }

    #[test]
    fn only_listed_hosts_are_permitted(domain in text(DOMAIN, 5)) {
        invariants::domain::check(&domain);
    }

    #[test]
    fn base_urls_parse_to_themselves_and_join_at_one_slash(base in text(BASE_URL, 6)) {
        invariants::base_url::check(&base);
        invariants::base_url::check(&format!("https://vendor.test/{base}"));
    }

    #[test]
    fn a_pattern_is_built_or_refused(pattern in text(DOMAIN, 4), star in any::<bool>()) {
        let pattern = if star { format!("*.{pattern}") } else { pattern };
        let built = DomainPolicy::none().allow(&pattern);
        // A pattern without a dot below its star would cover a whole top-level domain.
        if star && built.is_ok() {
            prop_assert!(pattern.trim_end_matches('.').matches(['.', '\u{3002}']).count() >= 2, "{pattern}");
        }
    }

    #[test]
    fn no_form_of_an_address_bypasses_the_check(inner in any::<u32>(), prefix in any::<u64>(), port in any::<u16>()) {
        let inner = std::net::Ipv4Addr::from(inner);
        let policy = NetworkPolicy::new();
        let judged = |ip: std::net::IpAddr| policy.check((ip, port).into()).is_ok();
        let plain = judged(inner.into());
        // Mapped and compatible addresses are never public. 6to4 and ISATAP addresses are public only if the address
        // inside is public.
        prop_assert!(!judged(inner.to_ipv6_mapped().into()));
        let [a, b, c, d] = inner.octets();
        let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        let six_to_four = std::net::Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1);
        prop_assert!(plain || !judged(six_to_four.into()));
        let wide = u128::from(prefix) << 64 | 0x5efe << 32 | u128::from(u32::from(inner));
        prop_assert!(plain || !judged(std::net::Ipv6Addr::from(wide).into()));
    }
}
