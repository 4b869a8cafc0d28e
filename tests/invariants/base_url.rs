//! Base URLs, and the paths that are joined to them.

use tower_passthrough::policy::Scheme;
use tower_passthrough::upstream::BaseUrl;
use tower_passthrough::{Connection, Upstream};

use super::call::call;

/// Checks `text` as a base URL, and as a template of a base URL.
pub fn check(text: &str) {
    // Each text is an error or a template, and the values of a connection don't make a template panic.
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
        _ => panic!("a scheme other than http and https"),
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
    // D5: a second parse gives the same result as the first parse.
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
            // The target is too long.
            Err(code) => {
                assert!(
                    code == "bad-address" && text.len() > 60_000,
                    "{text:?}: {code}"
                );
                continue;
            }
        };
        // P4: one slash at the seam. P1, P5: no other change.
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
