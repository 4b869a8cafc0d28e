//! Rates that several processes share.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::Instant;
use tower_passthrough::limits::{DrawNotSent, Drawn, Rate, SharedRate};
use tower_passthrough::store::{ConnectionStore as _, TokenStore as _};
use tower_passthrough::{BoxError, Secret};
use tower_passthrough_redis::{RedisRates, RedisRatesBuilder, RedisStoreError};

use super::outages::{PATIENCE, within};
use super::{DURABLE, Server, Stores, id, prefix, redis, shared, told, with_token};

fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

fn builder(prefix: &str) -> RedisRatesBuilder {
    // Long enough for a machine that is busy with other tests.
    RedisRates::builder()
        .prefix(prefix)
        .timeout(Duration::from_secs(30))
}

async fn open(server: &Server, prefix: &str) -> RedisRates {
    builder(prefix).open(&server.url()).await.unwrap()
}

async fn draw(rates: &RedisRates, key: &str, rate: Rate, want: u32) -> Result<Drawn, BoxError> {
    rates.draw(&id(key), rate, number(want)).await
}

/// Returns the maximum wait for a call. The server counts whole microseconds.
fn most_wait(rate: Rate) -> Duration {
    rate.interval() + Duration::from_micros(1)
}

/// Returns the server's time in microseconds.
fn time(server: &Server) -> u64 {
    let time = server.set(&["TIME"]);
    let (seconds, micros) = time.split_once(' ').unwrap();
    seconds.parse::<u64>().unwrap() * 1_000_000 + micros.parse::<u64>().unwrap()
}

/// Draws from two handles in many tasks, and returns the number of granted calls and the time that it took.
async fn drawn_by_many(server: &Server, prefix: &str, rate: Rate, draws: usize) -> (u64, u64) {
    let handles = [open(server, prefix).await, open(server, prefix).await];
    let handles = Arc::new(handles);
    let began = time(server);
    let tasks: Vec<_> = (0..16)
        .map(|task: usize| {
            let handles = Arc::clone(&handles);
            tokio::spawn(async move {
                let mut granted = 0;
                for nth in 0..draws {
                    let want = u32::try_from((task + nth) % 7 + 1).unwrap();
                    let drawn = draw(&handles[task % 2], "c", rate, want).await.unwrap();
                    assert!(drawn.granted() <= want);
                    assert!(drawn.granted() == want || drawn.again_after() <= most_wait(rate));
                    granted += u64::from(drawn.granted());
                }
                granted
            })
        })
        .collect();
    let mut granted = 0;
    for task in tasks {
        granted += task.await.unwrap();
    }
    (granted, time(server) - began)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_draws_together_stay_below_the_rate_and_the_burst() {
    let Some(server) = shared() else {
        return;
    };
    for (rate, burst, draws) in [
        (Rate::per_second(number(1_000)), 50, 100),
        (Rate::per_second(number(3_000)), 7, 100),
        (Rate::per_second(number(1_000_000)), 100, 100),
        (Rate::per_minute(number(7)), 300, 20),
        (Rate::per_minute(number(1)), 20, 20),
    ] {
        let rate = rate.burst(number(burst));
        let (granted, micros) = drawn_by_many(server, &prefix(), rate, draws).await;
        let nanos = u128::from(micros) * 1000;
        let most = u128::from(burst) + nanos / rate.interval().as_nanos() + 1;
        assert!(
            u128::from(granted) >= u128::from(burst).min(16),
            "{rate:?}: {granted}"
        );
        assert!(
            u128::from(granted) <= most,
            "{rate:?}: {granted} in {micros} us, at most {most}"
        );
        // Without time for another call, it's the burst exactly.
        if nanos < rate.interval().as_nanos() {
            assert_eq!(granted, u64::from(burst), "{rate:?}");
        }
    }
}

#[tokio::test]
async fn an_idle_key_leaves_nothing_behind_and_names_hold_the_key_alone() {
    let Some(server) = Server::start("requirepass s3cr3t-passw0rd\n") else {
        return;
    };
    let url = Secret::from(format!("redis://127.0.0.1:{}", server.port));
    let rates = builder("own").password(Secret::from("s3cr3t-passw0rd"));
    let rates = rates.open(&url).await.unwrap();
    let fast = Rate::per_second(number(1_000)).burst(number(10));
    assert_eq!(
        draw(&rates, "acme/crm", fast, 10).await.unwrap().granted(),
        10
    );
    let began = Instant::now();
    while !server.set(&["KEYS", "*"]).is_empty() {
        assert!(began.elapsed() < PATIENCE, "the key doesn't expire");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let slow = Rate::per_minute(number(1)).burst(number(3));
    assert_eq!(
        draw(&rates, "acme/crm", slow, 2).await.unwrap().granted(),
        2
    );
    assert_eq!(
        server.set(&["KEYS", "*"]),
        "own:{048}:r:60000000000:3:acme/crm"
    );
    let full_at: u64 = server
        .set(&["GET", "own:{048}:r:60000000000:3:acme/crm"])
        .parse()
        .unwrap();
    assert!(full_at > time(&server) && full_at <= time(&server) + 120_000_000);
    let expiry: i64 = server
        .set(&["PTTL", "own:{048}:r:60000000000:3:acme/crm"])
        .parse()
        .unwrap();
    assert!((1..=120_000).contains(&expiry), "{expiry}");
    // Calls that weren't granted aren't counted.
    assert_eq!(
        draw(&rates, "acme/crm", slow, 3).await.unwrap().granted(),
        1
    );
    let refused = draw(&rates, "acme/crm", slow, 3).await.unwrap();
    assert_eq!(refused.granted(), 0);
    assert!(!refused.again_after().is_zero() && refused.again_after() <= most_wait(slow));
    assert!(!format!("{rates:?} {:?}", RedisRates::builder()).contains("s3cr3t"));
}

#[tokio::test]
async fn each_rate_can_be_counted() {
    let Some(server) = shared() else {
        return;
    };
    let rates = open(server, &prefix()).await;
    for (nth, rate) in [
        Rate::per_minute(number(1)).burst(number(u32::MAX)),
        Rate::per_minute(number(1)),
        Rate::per_second(number(1_000_000)),
        Rate::per_second(number(1_000_000)).burst(number(1)),
        Rate::per_second(number(u32::MAX)),
        Rate::per_second(number(1)).burst(number(u32::MAX)),
    ]
    .into_iter()
    .enumerate()
    {
        let burst = rate.burst_size().get();
        let drawn = draw(&rates, &nth.to_string(), rate, burst).await.unwrap();
        assert_eq!(drawn.granted(), burst, "{rate:?}");
        let next = draw(&rates, &nth.to_string(), rate, burst).await.unwrap();
        assert!(next.again_after() <= most_wait(rate));
    }
}

#[tokio::test]
async fn times_are_rounded_up_to_whole_microseconds() {
    let Some(server) = shared() else {
        return;
    };
    let prefix = prefix();
    let rates = open(server, &prefix).await;
    // A call each 8,571,428.571 us.
    let rate = Rate::per_minute(number(7)).burst(number(100));
    let full_at = async || -> u64 {
        let granted = draw(&rates, "acme", rate, 1).await.unwrap().granted();
        assert_eq!(granted, 1);
        let name = format!("{prefix}:{{066}}:r:8571428571:100:acme");
        server.set(&["GET", &name]).parse().unwrap()
    };
    let first = full_at().await;
    assert_eq!(full_at().await - first, 8_571_429);
}

/// After a fail-over to a server whose clock is behind.
#[tokio::test]
async fn a_time_that_is_too_late_is_replaced() {
    let Some(server) = shared() else {
        return;
    };
    let prefix = prefix();
    let rates = open(server, &prefix).await;
    let rate = Rate::per_second(number(100));
    let name = format!("{prefix}:{{066}}:r:10000000:100:acme");
    server.set(&["SET", &name, &(time(server) + 3_600_000_000).to_string()]);
    let drawn = draw(&rates, "acme", rate, 1).await.unwrap();
    assert!(drawn.granted() == 0 && drawn.again_after() <= rate.interval());
    within(PATIENCE, async || {
        match draw(&rates, "acme", rate, 1).await.unwrap().granted() {
            0 => Err("nothing is granted"),
            _ => Ok(()),
        }
    })
    .await;
}

/// In a rolling deployment, old and new processes have different rates.
#[tokio::test]
async fn two_rates_of_a_key_do_not_disturb_each_other() {
    let Some(server) = shared() else {
        return;
    };
    let rates = open(server, &prefix()).await;
    let large = Rate::per_minute(number(1)).burst(number(10));
    let small = Rate::per_minute(number(1)).burst(number(1));
    let (mut by_large, mut by_small) = (0, 0);
    for _ in 0..20 {
        by_large += draw(&rates, "c", large, 3).await.unwrap().granted();
        by_small += draw(&rates, "c", small, 1).await.unwrap().granted();
    }
    assert_eq!((by_large, by_small), (10, 1));
}

#[tokio::test]
async fn a_full_bucket_grants_its_whole_burst() {
    let Some(server) = shared() else {
        return;
    };
    let rates = open(server, &prefix()).await;
    for calls in (1..=100).chain([120, 150, 333, 500, 999, 1_000, 3_000, 600_000, 1_000_000]) {
        for burst in [1, 2, 3, 7, 10, 45, 100, 500, 999, 1_000, 100_000] {
            for (unit, rate) in [
                ("s", Rate::per_second(number(calls))),
                ("m", Rate::per_minute(number(calls))),
            ] {
                let rate = rate.burst(number(burst));
                let key = format!("{unit}{calls}");
                let drawn = draw(&rates, &key, rate, burst).await.unwrap();
                assert_eq!(drawn.granted(), burst, "{rate:?}");
            }
        }
    }
}

#[tokio::test]
async fn draws_go_on_after_the_scripts_were_removed_and_after_a_crash() {
    let Some(mut server) = Server::start("") else {
        return;
    };
    let rates = open(&server, "tp").await;
    let rate = Rate::per_minute(number(1)).burst(number(10));
    assert_eq!(draw(&rates, "c", rate, 4).await.unwrap().granted(), 4);
    server.set(&["SCRIPT", "FLUSH"]);
    assert_eq!(draw(&rates, "c", rate, 4).await.unwrap().granted(), 4);
    let evals = server.calls("eval");
    assert_eq!(draw(&rates, "c", rate, 1).await.unwrap().granted(), 1);
    assert_eq!(server.calls("eval"), evals, "the server knows the script");
    server.crash();
    let error = draw(&rates, "c", rate, 1).await.unwrap_err();
    let error = told(&*error);
    assert!(!error.contains("127.0.0.1"), "{error}");
    server.run();
    // The counts are lost, because the server has no file.
    let drawn = within(PATIENCE, async || draw(&rates, "c", rate, 10).await).await;
    assert_eq!(drawn.granted(), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stalls_fails_draws_until_it_goes_on() {
    let Some(server) = Server::start("") else {
        return;
    };
    let rates = RedisRates::open(&server.url()).await.unwrap();
    let rate = Rate::per_minute(number(1)).burst(number(1_000));
    within(PATIENCE, async || draw(&rates, "c", rate, 1).await).await;
    server.signal(Signal::STOP);
    for _ in 0..3 {
        let error = draw(&rates, "c", rate, 1).await.unwrap_err();
        let error = told(&*error);
        assert!(
            error.contains("timeout") || error.contains("paused"),
            "{error}"
        );
    }
    server.signal(Signal::CONT);
    within(PATIENCE, async || draw(&rates, "c", rate, 1).await).await;
}

/// A draw that ends too late is the concern of its key alone: its connection stays open for the other keys.
#[tokio::test]
async fn a_late_draw_does_not_close_the_connection() {
    let Some(server) = Server::start("") else {
        return;
    };
    let rates = builder("tp").timeout(Duration::from_millis(200));
    let rates = rates.build(&server.url()).unwrap();
    let rate = Rate::per_minute(number(1)).burst(number(10));
    within(PATIENCE, async || draw(&rates, "c", rate, 1).await).await;
    let opened = || -> u64 {
        let info = server.set(&["INFO", "stats"]);
        let line = info.split("total_connections_received:").nth(1).unwrap();
        let digits = line.split(|c: char| !c.is_ascii_digit()).next().unwrap();
        digits.parse().unwrap()
    };
    let before = opened();
    server.set(&["CLIENT", "PAUSE", "1000", "WRITE"]);
    let error = draw(&rates, "late", rate, 1).await.unwrap_err();
    assert!(told(&*error).contains("timeout"), "{}", told(&*error));
    within(PATIENCE, async || draw(&rates, "d", rate, 1).await).await;
    // Each look is a connection: the look itself, and `CLIENT PAUSE`.
    assert_eq!(opened() - before, 2);
}

/// The draws would otherwise take the places of the store's operations.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn x2_many_draws_on_the_server_of_a_store_do_not_refuse_its_operations() {
    let Some(server) = Server::start(DURABLE) else {
        return;
    };
    let store = server.open("tp").await;
    let rates = store.rates();
    let rate = Rate::per_minute(number(1)).burst(number(10));
    within(PATIENCE, async || draw(&rates, "c", rate, 1).await).await;
    let acme = id("acme");
    store.put(&acme, &with_token("t")).await.unwrap();
    server.set(&["CLIENT", "PAUSE", "1000", "WRITE"]);
    let draws: Vec<_> = (0..300)
        .map(|nth| {
            let rates = rates.clone();
            tokio::spawn(async move { draw(&rates, &nth.to_string(), rate, 1).await })
        })
        .collect();
    let mut not_sent = 0;
    for drawn in draws {
        let error = drawn.await.unwrap().unwrap_err();
        not_sent += u32::from(error.is::<DrawNotSent>());
    }
    assert_eq!(not_sent, 300 - 64);
    // The draws still wait for the server.
    store.read(&acme).await.unwrap();
}

#[tokio::test]
async fn a_store_counts_on_its_own_server() {
    let Some(server) = shared() else {
        return;
    };
    let prefix = prefix();
    let rates = server.open(&prefix).await.rates();
    let rate = Rate::per_minute(number(1)).burst(number(2));
    assert_eq!(draw(&rates, "c", rate, 1).await.unwrap().granted(), 1);
    // Another handle counts in the same place.
    let other = open(server, &prefix).await;
    assert_eq!(draw(&other, "c", rate, 2).await.unwrap().granted(), 1);
}

#[tokio::test]
async fn servers_that_cannot_count_are_refused_and_lost_memory_fails_draws() {
    let Some(program) = redis() else {
        return;
    };
    let server = Server::start_with(&program, "appendonly no\n");
    server.set(&[
        "ACL", "SETUSER", "few", "on", ">p", "~tp:*", "+info", "+eval", "+evalsha",
    ]);
    server.set(&[
        "ACL", "SETUSER", "enough", "on", ">p", "~tp:*", "+info", "+time", "+get", "+set", "+eval",
        "+evalsha",
    ]);
    let url = |user: &str| Secret::from(format!("redis://{user}:p@127.0.0.1:{}", server.port));
    let refused = builder("tp").open(&url("few")).await.unwrap_err();
    assert!(
        matches!(refused, RedisStoreError::NotPermitted(_)),
        "{refused:?}"
    );
    server.set(&[
        "ACL", "SETUSER", "reader", "on", ">p", "~tp:*", "+info", "+time", "+get", "+eval",
        "+evalsha",
    ]);
    server.set(&[
        "ACL", "SETUSER", "blind", "on", ">p", "~tp:*", "+time", "+get", "+set", "+eval",
        "+evalsha",
    ]);
    for user in ["reader", "blind"] {
        let rates = builder("tp").build(&url(user)).unwrap();
        for _ in 0..2 {
            let refused = rates.check().await.unwrap_err();
            assert!(
                matches!(refused, RedisStoreError::NotPermitted(_)),
                "{user}: {refused:?}"
            );
        }
    }
    let rates = builder("tp").open(&url("enough")).await.unwrap();
    let rate = Rate::per_second(number(10));
    assert_eq!(draw(&rates, "c", rate, 1).await.unwrap().granted(), 1);
    let other = builder("other").open(&url("enough")).await.unwrap_err();
    assert!(
        matches!(other, RedisStoreError::NotPermitted(_)),
        "{other:?}"
    );

    server.set(&["CONFIG", "SET", "maxmemory", "1"]);
    let error = draw(&rates, "c", rate, 1).await.unwrap_err();
    assert!(told(&*error).contains("OOM"), "{}", told(&*error));
    server.set(&["CONFIG", "SET", "maxmemory", "0"]);
    draw(&rates, "c", rate, 1).await.unwrap();

    let replica = server.replica("");
    let error = builder("tp").open(&replica.url()).await.unwrap_err();
    assert!(
        matches!(error, RedisStoreError::Unavailable(_)),
        "{error:?}"
    );
    drop(replica);
    for (url, is_expected) in [
        (
            "http://u:s3cr3t@h",
            matches_url as fn(&RedisStoreError) -> bool,
        ),
        ("redis://u:s3cr3t@db.example", |error| {
            matches!(error, RedisStoreError::Plaintext)
        }),
    ] {
        let error = RedisRates::builder().build(&Secret::from(url)).unwrap_err();
        assert!(is_expected(&error), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("s3cr3t"));
    }
    let error = RedisRates::builder().prefix("{").build(&server.url());
    assert!(matches!(error, Err(RedisStoreError::InvalidPrefix)));
    let plain = Secret::from("redis://db.example");
    let builder = RedisRates::builder().dangerous().plaintext();
    assert!(builder.build(&plain).is_ok());
}

fn matches_url(error: &RedisStoreError) -> bool {
    matches!(error, RedisStoreError::InvalidUrl(_))
}
