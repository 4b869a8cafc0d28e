//! Any bytes as the value of `__domain`: no panic, and nothing is permitted but what is listed.
#![no_main]

#[path = "../../tests/invariants/mod.rs"]
mod invariants;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        invariants::domain::check(text);
    }
});
