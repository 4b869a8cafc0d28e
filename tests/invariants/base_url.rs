//! Base URLs, and what is joined to them.

use tower_passthrough::policy::Scheme;
use tower_passthrough::upstream::BaseUrl;
use tower_passthrough::{Connection, Upstream};

use super::call::call;

/// `text` as a base URL, and as the template of one.
pub fn check(text: &str) {
    // Whatever it is, it's an error or none; a value only ever completes it.
    if let Ok(template) = Upstream::template(text) {
        let hostile = Connection::new("x")
            .with_variable("v", "a.evil.test/#@")
            .with_variable("w", "..");
        let _ = template.expand(hostile.variables());
        let _ = format!("{template:?}");
    }
    let Ok(base) = BaseUrl::new(text) else {
        return;
    };
    let origin = base.origin();
    let scheme = match origin.scheme() {
        Scheme::Https => "https",
        Scheme::Http => "http",
        _ => panic!("a scheme of neither kind"),
    };
    let authority = origin.authority().as_str();
    assert!(!authority.contains('@') && origin.port() != 0, "{text:?}");
    assert!(
        base.path().is_empty() || base.path().starts_with('/'),
        "{text:?}"
    );
    assert!(
        !base.path().contains(['?', '#', '\\']) && base.path().is_ascii(),
        "{text:?}"
    );
    assert!(
        text.ends_with(base.path()),
        "{text:?} became {:?}",
        base.path()
    );
    // D5: a second parse finds what the first found.
    let again = BaseUrl::new(&format!("{scheme}://{authority}{}", base.path())).unwrap();
    assert_eq!(again.origin().host(), origin.host(), "{text:?}");
    assert_eq!(
        (again.origin().port(), again.path()),
        (origin.port(), base.path()),
        "{text:?}"
    );
    assert_eq!(again.origin().authority(), origin.authority(), "{text:?}");

    for (remainder, joined) in [
        ("", ""),
        ("/", "/"),
        ("/x", "/x"),
        ("//x", "//x"),
        ("/x%2Fy/..", "/x%2Fy/.."),
        ("/%zz;a=b//", "/%zz;a=b//"),
    ] {
        let Some(outcome) = call(
            Upstream::new(text).unwrap(),
            &format!("/c{remainder}?q=%41+"),
        ) else {
            panic!("no request");
        };
        let sent = match outcome {
            Ok(sent) => sent,
            // Too long for a request target.
            Err(code) => {
                assert!(
                    code == "bad-address" && text.len() > 60_000,
                    "{text:?}: {code}"
                );
                continue;
            }
        };
        // P4: one slash at the seam; P1, P5: nothing else changes.
        let expected = match (base.path(), joined) {
            ("", "") => "/".to_owned(),
            (path, "") => path.to_owned(),
            (path, joined) => format!("{}{joined}", path.strip_suffix('/').unwrap_or(path)),
        };
        assert_eq!(sent.uri.path(), expected, "{text:?}");
        assert_eq!(sent.uri.query(), Some("q=%41+"));
        assert_eq!(sent.uri.authority(), Some(origin.authority()));
        assert_eq!(sent.uri.scheme_str(), Some(scheme));
        assert_eq!(
            (sent.host, sent.port),
            (origin.host().to_string(), origin.port())
        );
    }
}
