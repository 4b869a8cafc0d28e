//! All attackers against all victims, over HTTP/1.1 and HTTP/2 upstreams, with a printed matrix of verdicts.
//!
//! A seed chooses the numbers of an attack. `NEIGHBOURS_SEEDS=10` runs ten seeds, and `NEIGHBOURS_SEED` runs a single seed again. A victim
//! may see no error and lose no byte. The time of its calls is compared with a quiet run of the same process: because tests share a small
//! machine with other work, times count only from [`FLOOR`] on.

mod attackers;
mod upstream;
mod victims;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use testkit::gateway::{Gateway, bind};
use tower_passthrough::policy::NetworkPolicy;
use tower_passthrough::refresh::{RefreshingStore, TokenError, TokenSource, Tokens};
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::{
    Connection, HttpTransport, Integrations, MemoryStore, PassthroughService, Upstream, auth,
};

use self::attackers::Attack;
use self::upstream::Upstreams;
use self::victims::{VICTIMS, Victim};

/// The times below which a victim isn't delayed: of the median, and of the slowest call.
const FLOOR: [Duration; 2] = [Duration::from_millis(150), Duration::from_millis(1500)];

/// The number of calls of a victim.
const CALLS: usize = 8;

/// A token for each connection that has none, as a token endpoint would return it.
struct Source;

impl TokenSource for Source {
    fn supports(&self, connection: &Connection) -> bool {
        connection.integration() == "refreshed"
    }

    async fn fetch(&self, key: &ConnectionKey, _: &Connection) -> Result<Tokens, TokenError> {
        Ok(Tokens::new(format!("token-of-{}", key.as_str())))
    }
}

/// Starts a gateway before the upstreams, with connections for attackers and victims at each.
async fn gateway(upstreams: &Upstreams) -> Gateway {
    let listener = bind().await;
    let network = NetworkPolicy::new()
        .allow("127.0.0.0/8".parse().unwrap())
        .listener(listener.local_addr().unwrap())
        .dangerous()
        .plaintext();
    let transport = HttpTransport::builder()
        .network(network)
        .root_pem(testkit::certificates::root_pem().as_bytes())
        .unwrap()
        .resolve("vendor.test", [127, 0, 0, 1].into())
        .build()
        .unwrap();
    let upstream = |origin: &str| Upstream::new(origin).unwrap();
    let integrations = Integrations::new()
        .with("h1", upstream(&upstreams.http1).auth(auth::Bearer))
        .with("h2", upstream(&upstreams.http2).auth(auth::Bearer))
        .with("tls", upstream(&upstreams.closing).auth(auth::Bearer))
        .with(
            "refreshed",
            upstream(&upstreams.http1).auth(auth::AccessToken),
        );
    let with_token = |integration| Connection::new(integration).with_secret("token", "t");
    let at = |integration| {
        let ids = ["a0", "a1", "a2", "a3", "v"];
        ids.map(|id| (format!("{integration}-{id}"), with_token(integration)))
    };
    let refreshed =
        (0..10_000).map(|nth| (format!("refreshed-{nth}"), Connection::new("refreshed")));
    let store = MemoryStore::from_iter(
        ["h1", "h2", "tls"]
            .into_iter()
            .flat_map(at)
            .chain(refreshed),
    );
    let service = PassthroughService::builder(RefreshingStore::new(store, Source), integrations)
        .dangerous()
        .allow_all()
        .transport(transport)
        .response_head_timeout(Duration::from_secs(20))
        .prefix("/p")
        .unwrap()
        .build();
    Gateway::serve(listener, service)
}

/// A sequence of numbers that a seed determines (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit).unwrap()
    }
}

/// The times of a victim's calls, in order.
fn sorted(mut times: Vec<Duration>) -> Vec<Duration> {
    times.sort_unstable();
    times
}

fn middle(times: &[Duration]) -> Duration {
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn slowest(times: &[Duration]) -> Duration {
    times.last().copied().unwrap_or_default()
}

/// Returns how much slower the victim is than in a quiet run, or the reason why it has lost.
fn verdict(quiet: &[Duration], attacked: &[Duration]) -> Result<f64, String> {
    let ratio = middle(attacked).as_secs_f64() / middle(quiet).as_secs_f64().max(1e-6);
    if middle(attacked) > (2 * middle(quiet)).max(FLOOR[0]) {
        return Err(format!("median {:?}, {ratio:.1} times", middle(attacked)));
    }
    if slowest(attacked) > (5 * slowest(quiet)).max(FLOOR[1]) {
        return Err(format!("slowest {:?}", slowest(attacked)));
    }
    Ok(ratio)
}

async fn run(seed: u64) {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let upstreams = Upstreams::start().await;
    let gateway = gateway(&upstreams).await;
    let mut quiet = BTreeMap::new();
    let mut matrix = format!("seed {seed}\n{:<24}", "");
    for victim in VICTIMS {
        // The first call opens connections.
        victim.call(gateway.address).await.unwrap();
        quiet.insert(
            victim,
            sorted(victim.calls(gateway.address, CALLS).await.unwrap()),
        );
        write!(matrix, "{:>14}", victim.name()).unwrap();
    }
    let mut lost = Vec::new();
    for attack in Attack::ALL {
        for integration in attack.integrations() {
            let size = 20 + random.below(40);
            let attacker = attack.begin(gateway.address, integration, size).await;
            write!(
                matrix,
                "\n{:<24}",
                format!("{} ({integration}, {size})", attack.name())
            )
            .unwrap();
            for victim in VICTIMS {
                let outcome = match victim.calls(gateway.address, CALLS).await {
                    Ok(times) => verdict(&quiet[&victim], &sorted(times)),
                    Err(error) => Err(error),
                };
                match outcome {
                    Ok(ratio) => write!(matrix, "{:>13.1}x", ratio).unwrap(),
                    Err(why) => {
                        write!(matrix, "{:>14}", "LOST").unwrap();
                        lost.push(format!(
                            "{} under {} at {integration}: {why}",
                            victim.name(),
                            attack.name()
                        ));
                    }
                }
            }
            drop(attacker);
        }
    }
    println!("{matrix}");
    assert!(
        lost.is_empty(),
        "seed {seed}:\n{}\n{matrix}",
        lost.join("\n")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn x8_no_attacker_delays_or_breaks_a_victims_call() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let seeds = match number("NEIGHBOURS_SEED") {
        Some(seed) => vec![seed],
        None => (1..=number("NEIGHBOURS_SEEDS").unwrap_or(1)).collect(),
    };
    for seed in seeds {
        run(seed).await;
    }
}

impl Victim {
    /// Makes calls one after the other, and returns the time of each.
    async fn calls(
        self,
        gateway: std::net::SocketAddr,
        calls: usize,
    ) -> Result<Vec<Duration>, String> {
        let mut times = Vec::new();
        for _ in 0..calls {
            let began = tokio::time::Instant::now();
            self.call(gateway).await?;
            times.push(began.elapsed());
        }
        Ok(times)
    }
}
