//! The targets of this crate, and the ratios that a run reached.

use serde::Serialize;

use crate::results::Results;

/// A ratio with its bound.
#[derive(Debug, Serialize)]
pub struct Target {
    pub what: &'static str,
    /// The maximum ratio that meets the target.
    pub bound: f64,
    /// The measured ratio, or `None` if the ratio wasn't measured.
    pub ratio: Option<f64>,
    pub met: Option<bool>,
}

/// The description, the scenario, the two compared peers, and the bound.
type Row = (&'static str, &'static str, &'static str, &'static str, f64);

const ROWS: &[Row] = &[
    (
        "CPU per small call, beside nginx",
        "small",
        "hyper",
        "nginx",
        1.0,
    ),
    (
        "CPU per small call, beside the hand-written floor",
        "small",
        "hyper",
        "floor",
        1.25,
    ),
    (
        "CPU per small call, beside haproxy in TCP mode",
        "small",
        "hyper",
        "haproxy-tcp",
        1.2,
    ),
    (
        "CPU per small call, beside the legacy client",
        "small",
        "hyper",
        "legacy",
        0.85,
    ),
    (
        "CPU per small call, in axum beside plain hyper",
        "small",
        "axum",
        "hyper",
        1.15,
    ),
    (
        "CPU per small call, beside pingora",
        "small",
        "hyper",
        "pingora",
        0.5,
    ),
    (
        "CPU per small call, beside axum-reverse-proxy",
        "small",
        "hyper",
        "axum-reverse-proxy",
        0.4,
    ),
    (
        "CPU per GiB down, beside haproxy in TCP mode",
        "down",
        "hyper",
        "haproxy-tcp",
        0.5,
    ),
    (
        "CPU per GiB up, beside haproxy in TCP mode",
        "up",
        "hyper",
        "haproxy-tcp",
        0.7,
    ),
    (
        "CPU per GiB down, beside bare hyper",
        "down",
        "hyper",
        "legacy",
        1.05,
    ),
    (
        "CPU per GiB up, beside bare hyper",
        "up",
        "hyper",
        "legacy",
        1.05,
    ),
    (
        "CPU per call, HTTP/2 on both sides, beside pingora",
        "http2",
        "hyper",
        "pingora",
        0.6,
    ),
    (
        "Memory per idle stream, beside Go",
        "streams",
        "hyper",
        "go",
        1.0,
    ),
    (
        "Memory per idle stream, beside nginx",
        "streams",
        "hyper",
        "nginx",
        1.0,
    ),
    (
        "Latency at half load, 99th percentile, beside nginx",
        "latency",
        "hyper",
        "nginx",
        1.1,
    ),
];

/// Returns all targets, judged by the results of this run.
pub fn judge(results: &Results) -> Vec<Target> {
    let judged = |row: &Row| {
        let (what, scenario, ours, theirs, bound) = *row;
        let ratio = results
            .scenario(scenario)
            .and_then(|scenario| Some(scenario.of(ours)? / scenario.of(theirs)?));
        Target {
            what,
            bound,
            ratio,
            met: ratio.map(|ratio| ratio <= bound),
        }
    };
    ROWS.iter().map(judged).collect()
}
