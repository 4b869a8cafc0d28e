//! `__domain`: only listed hosts are permitted.

use tower_passthrough::policy::{DomainPolicy, Scheme};
use tower_passthrough::{Upstream, auth};

use super::call::{Sent, call};
use super::encoded;

const BASE: &str = "https://api.vendor.test/v2";

fn upstream() -> Upstream {
    let domains = DomainPolicy::none()
        .allow("eu.vendor.test")
        .and_then(|domains| domains.allow("*.regions.vendor.test:8443"))
        .unwrap();
    Upstream::new(BASE)
        .unwrap()
        .auth(auth::Bearer)
        .domains(domains.allow_address([9, 9, 9, 9].into(), None))
}

/// Checks `text` as the value of `__domain`, with all bytes encoded.
pub fn check(text: &str) {
    // The longest text for which the request target isn't too long.
    if text.len() > 20_000 {
        return;
    }
    let target = |domain: &str| format!("/c/x?a=1&__domain={}", encoded(domain));
    match call(upstream(), &target(text)) {
        None => panic!("{text:?} made no request"),
        Some(Err(code)) => assert!(
            matches!(
                code.as_str(),
                "bad-domain" | "domain-refused" | "bad-address"
            ),
            "{text:?}: {code}"
        ),
        Some(Ok(sent)) => {
            is_listed(text, &sent);
            // The request goes to the destination that was checked, and has the credential.
            assert_eq!(
                sent.uri.authority().map(|authority| authority.as_str()),
                Some(sent.authority.as_str()),
                "{text:?}"
            );
            assert_eq!(sent.uri.scheme_str(), Some("https"));
            assert_eq!(
                sent.headers.get("host").map(|host| host.as_bytes()),
                Some(sent.authority.as_bytes())
            );
            assert_eq!(
                sent.headers
                    .get("authorization")
                    .map(|value| value.as_bytes()),
                Some(&b"Bearer s3cr3t"[..])
            );
            assert_eq!(sent.uri.query(), Some("a=1"));
            assert!(sent.uri.path().ends_with("/x"), "{}", sent.uri);
            // The host is in its normal form: as a value of `__domain`, the host leads to itself.
            let again = call(upstream(), &target(&sent.authority)).unwrap().unwrap();
            assert_eq!(
                (again.authority, again.host, again.port),
                (sent.authority, sent.host, sent.port),
                "{text:?}"
            );
        }
    }
}

fn is_listed(text: &str, sent: &Sent) {
    assert_eq!(sent.scheme, Scheme::Https, "{text:?}");
    let listed = match (sent.host.as_str(), sent.port) {
        ("api.vendor.test" | "eu.vendor.test" | "9.9.9.9", 443) => true,
        (host, 8443) => host
            .strip_suffix(".regions.vendor.test")
            .is_some_and(|label| !label.is_empty()),
        _ => false,
    };
    assert!(listed, "{text:?} led to {}:{}", sent.host, sent.port);
    let labels: Vec<&str> = sent.host.split('.').collect();
    let is_label = |label: &&str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    };
    assert!(labels.iter().all(is_label), "{text:?} became {}", sent.host);
    let expected = if sent.port == 443 {
        sent.host.clone()
    } else {
        format!("{}:{}", sent.host, sent.port)
    };
    assert_eq!(sent.authority, expected);
}
