//! The request target as it came, before a router took the mount off (FORWARDING P19).

use http::Uri;

/// `original`, if what the router left of it is its end; else what is left.
pub(crate) fn as_it_came(left: Uri, original: Option<&Uri>) -> Uri {
    match original.filter(|original| ends_in(original, &left)) {
        Some(original) => original.clone(),
        None => left,
    }
}

/// A router may have eaten the slash at the seam: `/p/c` and `/p/c/` are both `/` behind a mount at
/// `/p/{id}`.
fn ends_in(original: &Uri, left: &Uri) -> bool {
    let tail = left.path().strip_prefix('/').unwrap_or(left.path());
    original.path().ends_with(tail) && original.query() == left.query()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(left: &'static str, original: &'static str) -> String {
        as_it_came(Uri::from_static(left), Some(&Uri::from_static(original))).to_string()
    }

    #[test]
    fn the_original_counts_if_the_rest_is_its_end() {
        for (left, original) in [
            ("/", "/p/c"),
            ("/", "/p/c/"),
            ("/x", "/p/c//x"),
            ("/x?a=1", "/p/c/x?a=1"),
        ] {
            assert_eq!(chosen(left, original), original);
        }
    }

    #[test]
    fn a_rewritten_target_is_kept() {
        for (left, original) in [("/y", "/p/c/x"), ("/x?a=1", "/p/c/x"), ("/x", "/p/c/x?a=1")] {
            assert_eq!(chosen(left, original), left);
        }
    }
}
