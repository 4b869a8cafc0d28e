//! The cost of the passthrough over loopback, as a ratio to the smallest cost that a proxy can have
//! with the same client and server.
//!
//! ```text
//! cargo bench --bench overhead
//! ```
//!
//! Two proxies run in front of the same vendor, each in a separate process with one thread: the
//! passthrough, and a bare hyper-util client that changes the authority and adds the same header.
//! Both proxies use the same server. Rounds alternate between the two proxies, so that other work
//! of the machine affects both. The caller measures the time of a call; the processor time is the
//! time of the proxy's process alone.

mod caller;
mod cpu;
mod proxy;
mod report;
mod vendor;

use std::time::Duration;

use tower_passthrough::BoxError;

use self::caller::Load;
use self::proxy::{Kind, Proxy};
use self::report::Pair;

/// The maximum length of a round, and the number of rounds: 18 seconds for three loads.
const ROUND: Duration = Duration::from_millis(150);
const ROUNDS: usize = 20;

/// The maximum number of calls of each caller in a trial run, which only shows that all parts work.
const TRIAL_CALLS: usize = 8;

fn main() -> Result<(), BoxError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [verb, kind, vendor] = arguments.as_slice() {
        if verb == proxy::VERB {
            return proxy::run(kind.parse()?, vendor.parse()?);
        }
    }
    // `cargo bench` passes this argument; `cargo test --benches` doesn't.
    let in_earnest = arguments.iter().any(|argument| argument == "--bench");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(measure(in_earnest))
}

async fn measure(in_earnest: bool) -> Result<(), BoxError> {
    let vendor = vendor::start().await?;
    let bare = Proxy::start(Kind::Bare, vendor).await?;
    let passthrough = Proxy::start(Kind::Passthrough, vendor).await?;
    let (rounds, calls) = if in_earnest {
        (ROUNDS, usize::MAX)
    } else {
        (1, TRIAL_CALLS)
    };
    for load in Load::ALL {
        // The first round opens the connections, so the first round isn't counted.
        load.round(&bare, ROUND, calls).await?;
        load.round(&passthrough, ROUND, calls).await?;
        let mut pairs = Vec::with_capacity(rounds);
        for round in 0..rounds {
            // The second proxy of a round finds warmer caches, so the order alternates as well.
            pairs.push(if round % 2 == 0 {
                let bare = load.round(&bare, ROUND, calls).await?;
                let passthrough = load.round(&passthrough, ROUND, calls).await?;
                Pair { bare, passthrough }
            } else {
                let passthrough = load.round(&passthrough, ROUND, calls).await?;
                let bare = load.round(&bare, ROUND, calls).await?;
                Pair { bare, passthrough }
            });
        }
        report::print(load, &pairs);
    }
    Ok(())
}
