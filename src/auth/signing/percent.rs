//! The encoding of RFC 3986 as signatures need it, byte by byte and without a copy of the whole.

use super::Sink;
use crate::address::percent::{encoded, is_unreserved};

/// Everything but the unreserved characters becomes a sequence in upper case (RFC 5849 §3.6).
pub(crate) fn encode(bytes: &[u8], sink: &mut Sink<'_>) {
    for run in bytes.chunk_by(|&one, &other| is_unreserved(one) == is_unreserved(other)) {
        if run.first().is_some_and(|&byte| is_unreserved(byte)) {
            sink(run);
            continue;
        }
        for &byte in run {
            sink(&encoded(byte));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collected(write: impl FnOnce(&mut Sink<'_>)) -> String {
        let mut all = Vec::new();
        write(&mut |bytes: &[u8]| all.extend_from_slice(bytes));
        String::from_utf8_lossy(&all).into_owned()
    }

    #[test]
    fn the_unreserved_stay_and_all_else_is_encoded() {
        let encoded = collected(|sink| encode("aZ09-._~ +%&=/\u{e9}*'()!".as_bytes(), sink));
        assert_eq!(encoded, "aZ09-._~%20%2B%25%26%3D%2F%C3%A9%2A%27%28%29%21");
    }
}
