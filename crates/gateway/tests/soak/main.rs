//! The gateway under calls of all kinds, for a chosen time: each answer is checked against its request, and at the end
//! the memory is flat and no socket is left.
//!
//! ```text
//! cargo test --test soak                                         # 20 seconds
//! SOAK_SECONDS=600 cargo test --release --test soak -- --nocapture
//! ```
//!
//! Each call follows from `SOAK_SEED`, which is printed, and from the number of the call.
#![cfg(target_os = "linux")]
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod config;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::{sleep, timeout};

use crate::config::config;
use testkit::certificates;
use testkit::load::callers::Callers;
use testkit::load::gateway::{Gateway, Log};
use testkit::load::vendors::{Book, Vendors};
use testkit::load::watch::{Memory, sockets};
use testkit::process::folder::Folder;

/// The pause between two calls of one caller. The pause is longer in the short run, because other tests need the
/// machine too.
const PAUSE: Duration = Duration::from_millis(5);
const SHORT: (u64, Duration) = (20, Duration::from_millis(120));

/// The time that the last calls, the last sockets and the process may take to end.
const PATIENCE: Duration = Duration::from_secs(75);

/// The number of idle connections that the gateway may keep to one vendor.
const IDLE: usize = 64;

fn setting(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_answer_belongs_to_its_request_and_nothing_is_left() {
    let clock = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    let seed = setting("SOAK_SEED").unwrap_or(clock.as_millis() as u64);
    let seconds = setting("SOAK_SECONDS").unwrap_or(SHORT.0).max(1);
    println!("SOAK_SEED={seed} SOAK_SECONDS={seconds}");
    let time = Duration::from_secs(seconds);
    let pause = if seconds > SHORT.0 { PAUSE } else { SHORT.1 };

    let book = Arc::new(Book::default());
    let vendors = Vendors::start(&book).await;
    let folder = Folder::new();
    folder.write("ca.pem", certificates::root_pem());
    folder.write("gateway.toml", config(&vendors));
    let gateway = Gateway::start(&folder);
    let own = sockets(gateway.id());
    // The gateway isn't stopped while there are calls.
    let stopped = Arc::default();
    let callers = Callers::new(gateway.address, seed, pause, &book, &stopped);
    let callers = Arc::new(callers);
    let calling = tokio::spawn({
        let callers = Arc::clone(&callers);
        async move { callers.run().await }
    });
    let memory = Memory::watch(gateway.id(), time).await;
    callers.stop();
    timeout(PATIENCE, calling)
        .await
        .expect("callers that end")
        .expect("callers that don't panic");

    settle(&gateway, &vendors, own, &book).await;
    if callers.tally().is_empty() {
        book.fault("no call had an outcome");
    }
    if !memory.is_flat() {
        book.fault(format!("memory that grows: {memory}"));
    }
    summary(&callers, &vendors, &book);
    println!("memory: {memory}");
    let open = sockets(gateway.id());
    println!("sockets when the callers had left: {open:?}, of them the gateway's own: {own:?}");
    let log = stop(gateway, &vendors, &book).await;
    let faults = book.faults();
    assert_eq!(
        faults, 0,
        "SOAK_SEED={seed}; the end of the gateway's log: {log:#?}"
    );
}

/// Waits until no call is in progress, and the gateway holds only its own sockets and the sockets that vendors see as
/// idle.
async fn settle(gateway: &Gateway, vendors: &Vendors, own: Option<usize>, book: &Book) {
    let is_settled = || {
        let idle = vendors.connections();
        let total: usize = idle.iter().map(|(_, count)| count).sum();
        let few = idle.iter().all(|(_, count)| *count <= IDLE);
        let held = sockets(gateway.id()).zip(own);
        let none_left = held.is_none_or(|(held, own)| held <= own + total);
        vendors.calls() == 0 && few && none_left
    };
    let settled = async {
        while !is_settled() {
            sleep(Duration::from_millis(50)).await;
        }
    };
    if timeout(PATIENCE, settled).await.is_err() {
        let (held, calls) = (sockets(gateway.id()), vendors.calls());
        let idle = vendors.connections();
        book.fault(format!("left: {held:?} sockets, {calls} calls, {idle:?}"));
    }
}

/// Stops the gateway, and checks that the gateway exits with the code 0 and closes all its connections to vendors.
async fn stop(mut gateway: Gateway, vendors: &Vendors, book: &Book) -> Log {
    gateway.terminate();
    let ended = async {
        let open = |(_, count): &(_, usize)| *count > 0;
        while gateway.exit_code().is_none() || vendors.connections().iter().any(open) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    let ended = timeout(PATIENCE, ended).await;
    if ended.is_err() || gateway.exit_code() != Some(0) {
        let (code, left) = (gateway.exit_code(), vendors.connections());
        book.fault(format!("after SIGTERM: exit code {code:?}, {left:?}"));
    }
    let log = gateway.log();
    if let Some(line) = &log.leak {
        book.fault(format!("a secret in the log: {line}"));
    }
    if let Some(line) = &log.panic {
        book.fault(format!("a panic: {line}"));
    }
    log
}

fn summary(callers: &Callers, vendors: &Vendors, book: &Book) {
    let tally = callers.tally();
    let calls: usize = tally.values().flat_map(BTreeMap::values).sum();
    println!(
        "calls: {calls}, of which vendors acted on {}, over {} connections; faults: {}",
        book.acted(),
        vendors.accepted(),
        book.faults(),
    );
    for ((place, manner), outcomes) in tally {
        println!("  {} {manner:?}: {outcomes:?}", place.name());
    }
}
