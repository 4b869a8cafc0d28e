//! What the passthrough costs over loopback, as a ratio to the least that a proxy can do with the
//! same client and server.
//!
//! ```text
//! cargo bench --bench overhead
//! ```
//!
//! Two proxies, each a process of its own with one thread, stand before one vendor: the
//! passthrough, and a bare hyper-util client that swaps the authority and puts the same header on,
//! under the same server. Rounds alternate between them, so that what else the machine does falls
//! on both. The time is the caller's; the processor's time is that of the proxy's process alone.

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

/// How long a round lasts at most, and how many there are: 18 seconds for three loads.
const ROUND: Duration = Duration::from_millis(150);
const ROUNDS: usize = 20;

/// Enough to see that all of it works, where nobody looks at the numbers.
const TRIAL_CALLS: usize = 8;

fn main() -> Result<(), BoxError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [verb, kind, vendor] = arguments.as_slice() {
        if verb == proxy::VERB {
            return proxy::run(kind.parse()?, vendor.parse()?);
        }
    }
    // `cargo bench` says so; `cargo test --benches` doesn't.
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
        // The first round opens connections, and isn't counted.
        load.round(&bare, ROUND, calls).await?;
        load.round(&passthrough, ROUND, calls).await?;
        let mut pairs = Vec::with_capacity(rounds);
        for round in 0..rounds {
            // Whoever goes second finds warmer caches: they take turns at that too.
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
