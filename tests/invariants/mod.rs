//! Invariants that hold for each input. Property tests and fuzz targets share the invariants, and each invariant panics
//! if it's violated.
//!
//! The rules are implemented here a second time, in another way than in the crate. IDs such as P6 are those of `docs/rules`.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "each target uses its own part, and a test fails by panicking"
)]

pub mod address;
pub mod base_url;
pub mod call;
pub mod domain;
pub mod query;

/// Decodes once; broken sequences stay.
pub fn decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let sequence = bytes
            .get(at + 1..at + 3)
            .filter(|_| bytes[at] == b'%')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(sequence.unwrap_or(bytes[at]));
        at += if sequence.is_some() { 3 } else { 1 };
    }
    decoded
}

/// Returns `text` with each byte percent-encoded.
pub fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
