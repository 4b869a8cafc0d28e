//! The scenarios: the load on each proxy, and the figures that are measured.

use crate::load::exchange::Call;

#[derive(Debug)]
pub struct Scenario {
    /// The name on the command line.
    pub id: &'static str,
    /// The name in the plot.
    pub name: &'static str,
    /// The title in tables.
    pub title: &'static str,
    pub load: Load,
    /// The figure by which peers are compared. A smaller value is better.
    pub figure: Figure,
}

#[derive(Clone, Copy, Debug)]
pub enum Load {
    /// Callers that send the next call when the response to the previous call is complete.
    Closed {
        call: fn() -> Call,
        connections: usize,
        tls: bool,
        two_workers: bool,
    },
    /// The same load over HTTP/2, on both sides.
    Http2 { connections: usize, streams: usize },
    /// Event streams that are open and idle.
    Streams { count: usize },
    /// Calls at a fixed rate: half of the rate that the slowest peer reaches.
    Latency { connections: usize },
}

/// A measured figure.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    /// The name in results.json.
    pub name: &'static str,
    pub unit: &'static str,
}

const PER_CALL: Figure = Figure {
    name: "cpu_us_per_call",
    unit: "CPU µs per call",
};
const PER_GIB: Figure = Figure {
    name: "cpu_ms_per_gib",
    unit: "CPU ms per GiB",
};

/// All scenarios, in the order of measurement.
pub const ALL: &[Scenario] = &[
    Scenario {
        id: "small",
        name: "Small calls",
        title: "Small calls: 200-byte answers, 64 kept connections",
        load: closed(Call::small, 64),
        figure: PER_CALL,
    },
    Scenario {
        id: "latency",
        name: "Latency at half load",
        title: "Latency at a fixed rate, half of what the slowest manages",
        load: Load::Latency { connections: 64 },
        figure: Figure {
            name: "p99_us",
            unit: "µs, 99th percentile",
        },
    },
    Scenario {
        id: "64k",
        name: "64 KiB answers",
        title: "64 KiB answers, 64 kept connections",
        load: closed(Call::medium, 64),
        figure: PER_CALL,
    },
    Scenario {
        id: "down",
        name: "100 MiB down",
        title: "100 MiB down, 4 connections",
        load: closed(Call::download, 4),
        figure: PER_GIB,
    },
    Scenario {
        id: "up",
        name: "100 MiB up",
        title: "100 MiB up, 4 connections",
        load: closed(Call::upload, 4),
        figure: PER_GIB,
    },
    Scenario {
        id: "http2",
        name: "HTTP/2 on both sides",
        title: "Small calls, HTTP/2 on both sides: 4 connections of 16 streams",
        load: Load::Http2 {
            connections: 4,
            streams: 16,
        },
        figure: PER_CALL,
    },
    Scenario {
        id: "tls",
        name: "TLS to the vendor",
        title: "Small calls, TLS to the vendor, 64 kept connections",
        load: Load::Closed {
            call: Call::small,
            connections: 64,
            tls: true,
            two_workers: false,
        },
        figure: PER_CALL,
    },
    Scenario {
        id: "streams",
        name: "1,000 idle streams",
        title: "1,000 idle streams of events",
        load: Load::Streams { count: 1000 },
        figure: Figure {
            name: "pss_kib_per_stream",
            unit: "KiB per stream",
        },
    },
    Scenario {
        id: "two-workers",
        name: "Small, two workers",
        title: "Small calls with two workers, callers and vendor beside them",
        load: Load::Closed {
            call: Call::small,
            connections: 64,
            tls: false,
            two_workers: true,
        },
        figure: PER_CALL,
    },
];

const fn closed(call: fn() -> Call, connections: usize) -> Load {
    Load::Closed {
        call,
        connections,
        tls: false,
        two_workers: false,
    }
}

impl Scenario {
    /// Returns `true` if the scenario measures bytes instead of calls.
    pub fn is_bulk(&self) -> bool {
        self.figure.name == PER_GIB.name
    }
}
