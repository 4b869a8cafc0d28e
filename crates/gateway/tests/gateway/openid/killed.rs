//! `kill -9` at random moments of a refresh.
//!
//! No client can protect one short time: from the moment when the provider has consumed the old refresh token until the
//! new tokens are stored. A process that is killed in this time has lost the grant, by the provider's rule. A token
//! that was used and isn't stored must never occur.

use std::time::Duration;

use futures_util::future::join_all;
use rustix::process::Signal;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::get;
use super::provider::{Grant, Provider};
use super::shared::{LIFETIME, Shared, token_ends};
use testkit::process::gateway::Gateway;

/// A time that is longer than the lease of a dead process.
const LEASE: Duration = Duration::from_secs(60);

/// Kills a gateway this long after three callers have called.
async fn kill(gateway: Gateway, after: Duration) {
    let mut callers = Vec::new();
    for _ in 0..3 {
        let mut caller = TcpStream::connect(gateway.address).await.unwrap();
        caller.write_all(get().as_bytes()).await.unwrap();
        callers.push(caller);
    }
    tokio::time::sleep(after).await;
    gateway.signal(Signal::KILL);
}

/// Returns whether the connection still works. The lease of a killed process may delay the refresh for a while.
async fn works(gateway: &Gateway) -> bool {
    let answered = async {
        loop {
            let mut caller = TcpStream::connect(gateway.address).await.unwrap();
            caller.write_all(get().as_bytes()).await.unwrap();
            let mut response = String::new();
            caller.read_to_string(&mut response).await.unwrap();
            gateway.saw(&response);
            let is = |error: &str| response.contains(&format!("passthrough-error: {error}\r\n"));
            match response.get(..12) {
                Some("HTTP/1.1 200") => return true,
                Some("HTTP/1.1 424") if is("reauthorize") => return false,
                Some("HTTP/1.1 503") if is("refresh-failed") => {
                    tokio::time::sleep(Duration::from_millis(250)).await;
                }
                _ => panic!("{response}"),
            }
        }
    };
    timeout(LEASE, answered).await.expect("an answer")
}

/// Returns the number of kills that fell into the unprotected time.
async fn lane(provider: &Provider, lane: u64, kills: u64) -> u64 {
    let shared = Shared::new();
    let mut grant: Grant = provider.grant().await;
    shared.import(provider, &grant);
    let mut lost = 0;
    for kill_number in 0..kills {
        let gateway = shared.gateway(provider, &grant).await;
        // The moments differ between lanes, and cover a refresh evenly.
        let after = Duration::from_micros((kill_number * 7919 + lane * 3571) % 40_000);
        kill(gateway, after).await;
        let gateway = shared.gateway(provider, &grant).await;
        token_ends().await;
        if !works(&gateway).await {
            let facts = provider.facts(&grant).await;
            assert!(!facts.is_used, "a token was used that isn't stored");
            lost += 1;
            grant = provider.grant().await;
            shared.import(provider, &grant);
        } else {
            token_ends().await;
        }
    }
    lost
}

async fn killed(lanes: u64, kills: u64) {
    let Some(provider) = Provider::start().await else {
        return;
    };
    let settings = format!("{{\"lifetime\":{LIFETIME},\"delay\":5}}");
    provider.set(&settings).await;
    let lanes = (0..lanes).map(|number| lane(&provider, number, kills));
    let lost: u64 = join_all(lanes).await.into_iter().sum();
    println!("grants lost in the provider's own window: {lost}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o2_a_connection_survives_kills() {
    killed(3, 3).await;
}

/// Makes `KILLS` kills in all. Default: 200.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn o2_a_connection_survives_two_hundred_kills() {
    let kills = std::env::var("KILLS").ok();
    let kills = kills.and_then(|kills| kills.parse().ok()).unwrap_or(200);
    killed(10, kills / 10).await;
}
