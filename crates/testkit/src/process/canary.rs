//! Secrets that a test can find again wherever the secrets appear.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// A part of each secret of these tests. The part has letters and digits only, which
/// percent-encoding doesn't change.
const CANARY: &str = "c4nary";

/// The vendor's token, with characters that JSON, URLs and base64 write in other ways.
pub const TOKEN: &str = "c4nary+t0k/en%3D==";

/// A caller's key.
pub const KEY: &str = "c4nary-k3y~1";

/// Returns the part of a secret that is in the text, if there is such a part: plain, in any case,
/// or in base64 at any offset.
pub fn find(text: &str) -> Option<&str> {
    let small = text.to_ascii_lowercase();
    let plain = small.find(CANARY);
    let encoded = base64_forms().into_iter().find_map(|form| text.find(&form));
    let at = plain.or(encoded)?;
    let around = text.get(at.saturating_sub(40)..(at + 40).min(text.len()));
    Some(around.unwrap_or("(between characters)"))
}

/// Fails if a secret is in the text.
pub fn assert_absent(place: &str, text: &str) {
    if let Some(found) = find(text) {
        panic!("a secret in {place}: {found:?}");
    }
}

/// Returns the characters that depend on the canary alone, for each place in a group of three
/// bytes.
fn base64_forms() -> [String; 3] {
    let encode = |before: usize| {
        let bytes = [&vec![0; before][..], CANARY.as_bytes()].concat();
        let encoded = BASE64_STANDARD.encode(&bytes);
        let whole = (before * 8).div_ceil(6)..bytes.len() * 8 / 6;
        encoded.get(whole).unwrap_or_default().to_owned()
    };
    [encode(0), encode(1), encode(2)]
}

#[test]
fn a_canary_is_found_in_each_form() {
    assert_eq!(find("nothing here, Basic bm90aGluZw=="), None);
    for prefix in ["", "u", "us", "user"] {
        let encoded = BASE64_STANDARD.encode(format!("{prefix}:{TOKEN}"));
        assert!(find(&format!("Basic {encoded}")).is_some(), "{encoded}");
    }
    for text in [TOKEN, "C4NARY", "?key=c4nary%2Bt0k"] {
        assert!(find(text).is_some(), "{text}");
    }
}
