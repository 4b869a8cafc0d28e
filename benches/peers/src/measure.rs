//! A measurement: a proxy is started, warmed up, loaded, and stopped.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::BoxError;
use crate::affinity;
use crate::load::exchange::{CALLERS_KEY, Call};
use crate::load::{Progress, closed, http2, open, probe, streams};
use crate::peers::{Peer, Setup, Wire};
use crate::process::Proxy;
use crate::scenario::{Load, Scenario};
use crate::usage;
use crate::vendor::Vendors;
use crate::vendor::answer::CREDENTIAL;

/// The lengths of the warm-up and of the measured time.
#[derive(Clone, Copy, Debug)]
pub struct Length {
    pub warm_up: Duration,
    pub measured: Duration,
}

/// The figures measured for a proxy, by name.
pub type Figures = BTreeMap<&'static str, f64>;

/// The environment and the parameters of the measurements.
#[derive(Debug)]
pub struct Bench<'b> {
    pub vendors: &'b Vendors,
    pub scratch: &'b Path,
    pub length: Length,
    /// The number of calls per second, for a scenario with a fixed rate.
    pub rate: f64,
}

impl Bench<'_> {
    pub fn measure(&self, peer: &Peer, scenario: &Scenario) -> Result<Figures, BoxError> {
        let setup = self.setup(scenario)?;
        let mut proxy = self.start(peer, &setup)?;
        probe::listens(setup.listen, || proxy.is_alive())?;
        check(peer, &setup)?;
        let listen = setup.listen;
        match scenario.load {
            Load::Closed {
                call, connections, ..
            } => self.loaded(&proxy, scenario, move |going| {
                closed::run(listen, &call(), connections, going)
            }),
            Load::Http2 {
                connections,
                streams,
            } => self.loaded(&proxy, scenario, move |going| {
                http2::run(listen, connections, streams, going)
            }),
            Load::Streams { count } => idle_streams(&proxy, listen, count),
            Load::Latency { connections } => self.latency(listen, connections),
        }
    }

    fn setup(&self, scenario: &Scenario) -> Result<Setup, BoxError> {
        let vendors = self.vendors;
        let (wire, vendor) = match wire(scenario, vendors) {
            wire @ Wire::Plain => (wire, vendors.plain),
            wire @ Wire::Tls(_) => (wire, vendors.tls),
            wire @ Wire::Http2 => (wire, vendors.http2),
        };
        let two_workers = matches!(
            scenario.load,
            Load::Closed {
                two_workers: true,
                ..
            }
        );
        Ok(Setup {
            listen: free_port()?,
            vendor,
            wire,
            workers: if two_workers { 2 } else { 1 },
            scratch: self.scratch.to_owned(),
        })
    }

    fn start(&self, peer: &Peer, setup: &Setup) -> Result<Proxy, BoxError> {
        let processors = if setup.workers > 1 {
            affinity::BOTH
        } else {
            affinity::PROXY
        };
        let log = (!peer.logs_calls()).then(|| self.scratch.join(format!("{}.log", peer.id)));
        let log = log.map(File::create).transpose()?;
        Proxy::start(&peer.command(setup)?, processors, log)
    }

    /// Runs a load on a separate thread, and reads clocks and counters at both ends of the measured
    /// time.
    fn loaded<F>(&self, proxy: &Proxy, scenario: &Scenario, load: F) -> Result<Figures, BoxError>
    where
        F: FnOnce(&Arc<Progress>) -> Result<(), BoxError> + Send + 'static,
    {
        let progress = Arc::new(Progress::default());
        let going = Arc::clone(&progress);
        let load = thread::spawn(move || load(&going));
        thread::sleep(self.length.warm_up);
        let processes = proxy.processes();
        let start = Instant::now();
        let before = (usage::processor(&processes), progress.so_far());
        thread::sleep(self.length.measured);
        let after = (usage::processor(&processes), progress.so_far());
        let seconds = start.elapsed().as_secs_f64();
        progress.stop();
        load.join().map_err(|_| "the load panicked")??;

        let ((processor_before, so_far), (processor_after, now)) = (before, after);
        let processor = (processor_after? - processor_before?).as_secs_f64();
        let (calls, bytes) = ((now.0 - so_far.0) as f64, (now.1 - so_far.1) as f64);
        let busy = ("busy", processor / seconds);
        if scenario.is_bulk() {
            let gib = bytes / f64::from(1 << 30);
            let per_gib = ("cpu_ms_per_gib", processor * 1e3 / gib);
            return Ok(BTreeMap::from([
                per_gib,
                ("gib_per_second", gib / seconds),
                busy,
            ]));
        }
        let per_call = ("cpu_us_per_call", processor * 1e6 / calls);
        Ok(BTreeMap::from([
            per_call,
            ("calls_per_second", calls / seconds),
            busy,
        ]))
    }

    fn latency(&self, listen: SocketAddr, connections: usize) -> Result<Figures, BoxError> {
        let Length { warm_up, measured } = self.length;
        let call = Call::small();
        let mut times = open::run(listen, &call, connections, self.rate, warm_up, measured)?;
        times.sort_unstable();
        let at = |share: f64| {
            let place = (times.len() as f64 * share) as usize;
            let time = times.get(place.min(times.len().saturating_sub(1)));
            time.map_or(f64::NAN, |time| time.as_secs_f64() * 1e6)
        };
        Ok(BTreeMap::from([
            ("p50_us", at(0.5)),
            ("p99_us", at(0.99)),
            ("p999_us", at(0.999)),
            (
                "calls_per_second",
                times.len() as f64 / measured.as_secs_f64(),
            ),
        ]))
    }
}

/// Returns the protocol that a scenario uses to the vendor.
pub fn wire(scenario: &Scenario, vendors: &Vendors) -> Wire {
    match scenario.load {
        Load::Closed { tls: true, .. } => Wire::Tls(vendors.authority.clone()),
        Load::Http2 { .. } => Wire::Http2,
        _ => Wire::Plain,
    }
}

/// Checks that the proxy does its work: a proxy that adds the credential also removes the caller's
/// key, and a proxy that only passes on bytes does neither.
fn check(peer: &Peer, setup: &Setup) -> Result<(), BoxError> {
    let forwarded = match setup.wire {
        Wire::Http2 => http2::forwarded(setup.listen)?,
        _ => probe::forwarded(setup.listen)?,
    };
    let forwarded = forwarded.to_ascii_lowercase();
    let credential = format!("authorization: {CREDENTIAL}\r\n").to_ascii_lowercase();
    let (credential, key) = (
        forwarded.contains(&credential),
        forwarded.contains(CALLERS_KEY),
    );
    if peer.injects() != credential || peer.injects() == key {
        return Err(format!("the vendor got {}", forwarded.escape_debug()).into());
    }
    Ok(())
}

/// Measures the memory that idle streams add to the memory of a proxy that has already served some
/// calls.
fn idle_streams(proxy: &Proxy, listen: SocketAddr, count: usize) -> Result<Figures, BoxError> {
    let settle = || thread::sleep(Duration::from_millis(500));
    drop(streams::open(listen, 16)?);
    settle();
    let processes = proxy.processes();
    let before = usage::memory(&processes)?;
    let open = streams::open(listen, count)?;
    settle();
    let after = usage::memory(&processes)?;
    drop(open);
    let per_stream = |before: f64, after: f64| (after - before) / count as f64;
    Ok(BTreeMap::from([
        ("rss_kib_per_stream", per_stream(before.rss, after.rss)),
        ("pss_kib_per_stream", per_stream(before.pss, after.pss)),
        ("pss_mib_before", before.pss / 1024.0),
    ]))
}

/// Returns an address with a port that was free at the time of the call.
fn free_port() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
