//! The gateway under load, with faults: vendors that die, stall, refuse, reset and answer garbage, callers that leave,
//! a SIGHUP every few seconds with another config, and a SIGTERM at the end.
//!
//! ```text
//! cargo test --test chaos                                        # 20 seconds
//! CHAOS_SECONDS=600 cargo test --release --test chaos -- --nocapture
//! ```
//!
//! Calls, vendors, callers and the check of each answer are the same as in the soak: each answer belongs to its request
//! and is whole, or is an error that the request may cause. [`weather`] adds outages, [`config`] adds the changes that
//! a reload makes, and [`verdict`] allows the results of both. Each call follows from `CHAOS_SEED`, which is printed,
//! and from the number of the call.
#![cfg(target_os = "linux")]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod config;
mod door;
mod verdict;
mod weather;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket};
use rustix::process::Signal;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::config::Configs;
use crate::door::Doors;
use testkit::certificates;
use testkit::load::callers::{Callers, Stopped};
use testkit::load::gateway::Gateway;
use testkit::load::vendors::{Book, Vendors};
use testkit::load::verdict::Outcome;
use testkit::load::watch::Memory;
use testkit::process::folder::Folder;

/// The pause between two calls of one caller. The pause is longer in the short run, because other tests need the
/// machine too.
const PAUSE: Duration = Duration::from_millis(5);
const SHORT: (u64, Duration) = (20, Duration::from_millis(120));

/// The time for which the gateway is paused before the SIGTERM.
const HELD: Duration = Duration::from_millis(300);

/// The time that the last calls and the process may take to end: more than `shutdown` in the config.
const PATIENCE: Duration = Duration::from_secs(75);

fn setting(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_answer_is_right_or_a_documented_error_and_no_call_is_lost() {
    let clock = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    let seed = setting("CHAOS_SEED").unwrap_or(clock.as_millis() as u64);
    let seconds = setting("CHAOS_SECONDS").unwrap_or(SHORT.0).max(1);
    println!("CHAOS_SEED={seed} CHAOS_SECONDS={seconds}");
    let time = Duration::from_secs(seconds);
    let pause = if seconds > SHORT.0 { PAUSE } else { SHORT.1 };

    let book = Arc::new(Book::default());
    let vendors = Vendors::start(&book).await;
    let doors = Arc::new(Doors::start(&vendors).await);
    let (_nobody, nobody) = refusing();
    let configs = Configs::new(&vendors, &doors, nobody);
    let folder = Folder::new();
    folder.write("ca.pem", certificates::root_pem());
    folder.write("gateway.toml", configs.first());
    let mut gateway = Gateway::start(&folder);

    let stopped = Stopped::default();
    let callers =
        Callers::new(gateway.address, seed, pause, &book, &stopped).excuse(verdict::excuse);
    let callers = Arc::new(callers);
    let calling = tokio::spawn({
        let callers = Arc::clone(&callers);
        async move { callers.run().await }
    });
    let mut weather = JoinSet::new();
    weather.spawn(weather::outages(Arc::clone(&doors), seed, time));
    let id = gateway.id();
    weather.spawn(async move { weather::reloads(&folder, id, &configs, time).await });
    let memory = Memory::watch(id, time).await;
    weather.shutdown().await;
    doors.open_all();

    // All callers make calls, and continue until the gateway accepts no more calls.
    let calls = |outcome| count(&callers, |each| *each == outcome);
    assert_eq!(calls(Outcome::Late), 0);
    // The kernel holds the calls that callers send to the paused gateway, and the gateway gets these calls together
    // with the SIGTERM.
    weather::signal(id, Signal::STOP);
    sleep(HELD).await;
    let told = Instant::now();
    let _ = stopped.set(told);
    gateway.terminate();
    weather::signal(id, Signal::CONT);
    let ended = async {
        while gateway.exit_code().is_none() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    if timeout(PATIENCE, ended).await.is_err() || gateway.exit_code() != Some(0) {
        book.fault(format!("exit code {:?} after SIGTERM", gateway.exit_code()));
    }
    println!("it ended {:?} after SIGTERM", told.elapsed());
    callers.stop();
    timeout(PATIENCE, calling)
        .await
        .expect("callers that end")
        .expect("callers that don't panic");
    left_at_vendors(&vendors, &book).await;

    let log = gateway.log();
    for line in log.leak.iter().chain(&log.panic) {
        book.fault(format!("in the log: {line}"));
    }
    for line in ["config reloaded: ", "config not reloaded: "] {
        if !log.last.iter().any(|last| last.contains(line)) {
            book.fault(format!("no {line:?} in the log"));
        }
    }
    if !memory.is_flat() {
        book.fault(format!("memory that grows: {memory}"));
    }
    summary(&callers, &vendors, &book);
    println!("memory: {memory}");
    for outcome in [Outcome::ByConfig, Outcome::ByOutage] {
        let is_enough = seconds < SHORT.0 || calls(outcome) > 0;
        assert!(is_enough, "no call had the outcome {outcome:?}");
    }
    let faults = book.faults();
    assert_eq!(
        faults, 0,
        "CHAOS_SEED={seed}; the end of the gateway's log: {log:#?}"
    );
}

/// Returns an address of this machine that is taken, and on which no server listens.
fn refusing() -> (impl Sized, u16) {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
    bind(&socket, &std::net::SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
    let address = getsockname(&socket).expect("a bound socket");
    let address = std::net::SocketAddr::try_from(address).expect("an address of IPv4");
    (socket, address.port())
}

/// Records a fault if a connection of the process, which has ended, is still open at a vendor.
async fn left_at_vendors(vendors: &Vendors, book: &Book) {
    let closed = async {
        while vendors.connections().iter().any(|(_, count)| *count > 0) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    if timeout(PATIENCE, closed).await.is_err() {
        book.fault(format!("left at vendors: {:?}", vendors.connections()));
    }
}

fn count(callers: &Callers, is_meant: impl Fn(&Outcome) -> bool) -> usize {
    let tally = callers.tally();
    let all = tally.values().flatten();
    all.filter(|(outcome, _)| is_meant(outcome))
        .map(|(_, count)| count)
        .sum()
}

fn summary(callers: &Callers, vendors: &Vendors, book: &Book) {
    println!(
        "calls: {}, of which vendors acted on {}, over {} connections; faults: {}",
        count(callers, |_| true),
        book.acted(),
        vendors.accepted(),
        book.faults(),
    );
    let mut places: BTreeMap<_, BTreeMap<Outcome, usize>> = BTreeMap::new();
    for ((place, _), outcomes) in callers.tally() {
        let of_place = places.entry(place).or_default();
        for (outcome, count) in outcomes {
            *of_place.entry(outcome).or_default() += count;
        }
    }
    for (place, outcomes) in places {
        println!("  {}: {outcomes:?}", place.name());
    }
}
