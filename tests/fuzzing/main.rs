//! Peers that send any bytes, in any order and in any pieces, to a running gateway.
//!
//! A case is a list of steps, which a seed and a number determine. After each step that was valid, the oracle knows the exact answer.
//! After a fault, each answer must be an error of `docs/contract.md`, or break off. In each case there is no panic, no hang, no secret in
//! what a caller or a log gets, and no answer of another tenant; and the calls of a victim at the same gateway succeed.
//!
//! `NEIGHBOURS_FUZZ_SECONDS=600 NEIGHBOURS_FUZZ_SEED=1 cargo test --release --test fuzzing -- --ignored --nocapture` plays for ten minutes.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

mod caller_http1;
mod caller_http2;
mod downloads;
mod frames;
mod honest;
mod hpack;
mod oracle;
mod random;
mod request;
mod run;
mod stage;
mod upstream_http1;
mod upstream_http2;
mod vendor_http2;

use std::time::{Duration, SystemTime};

use run::some;

#[test]
fn callers_over_http1() {
    some(caller_http1::CallerHttp1, 80);
}

#[test]
fn callers_over_http2() {
    some(caller_http2::CallerHttp2, 80);
}

#[test]
fn upstreams_over_http1() {
    some(upstream_http1::UpstreamHttp1, 80);
}

#[test]
fn upstreams_over_http2() {
    some(upstream_http2::UpstreamHttp2, 80);
}

#[test]
fn downloads_over_http2() {
    some(downloads::Downloads, 30);
}

#[test]
#[ignore = "takes a minute, or the time that NEIGHBOURS_FUZZ_SECONDS sets"]
fn any_bytes_for_a_long_time() {
    let seconds = run::variable("NEIGHBOURS_FUZZ_SECONDS").unwrap_or(60);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let seed = run::variable("NEIGHBOURS_FUZZ_SEED").unwrap_or(now.unwrap().as_secs());
    let time = Duration::from_secs(seconds) / 5;
    run::for_long(caller_http1::CallerHttp1, time, seed);
    run::for_long(caller_http2::CallerHttp2, time, seed);
    run::for_long(upstream_http1::UpstreamHttp1, time, seed);
    run::for_long(upstream_http2::UpstreamHttp2, time, seed);
    run::for_long(downloads::Downloads, time, seed);
}
