//! A rate that all replicas share: gateways on one Redis.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustix::process::Signal;
use testkit::caller::{Caller, request};
use testkit::process::binary::{Ended, run_with};
use testkit::process::canary::{self, KEY};
use testkit::process::config::Config;
use testkit::process::folder::Folder;
use testkit::process::gateway::Gateway;
use testkit::redis::{DURABLE, Server};
use testkit::vendor::Vendor;
use tokio::time::Instant;

/// The maximum time of everything that ends by itself.
const PATIENCE: Duration = Duration::from_secs(60);

const OTHER: &str =
    "[connection.other]\nintegration = \"v\"\nsecret = { token = \"c4nary-other\" }";

/// Returns a config in which three replicas share a rate of a call a minute, and a burst.
fn config(vendor: &Vendor, burst: u32) -> Config {
    let limits = format!(
        "[limits]\nrate_per_connection = {{ per_minute = 1, burst = {burst}, shared = true, replicas = 3 }}\n\
         redis = {{ url = {{ env = \"RATES\" }}, prefix = \"gw\" }}"
    );
    Config::new(vendor).table(&limits).table(OTHER)
}

async fn start(config: &Config, server: &Server) -> Gateway {
    let url = format!("redis://127.0.0.1:{}\n", server.port);
    Gateway::start_in(Folder::new(), config, &[("RATES", &url)]).await
}

/// Makes calls on one connection. Returns the number of calls that were admitted; the others must be refused with a time.
async fn admitted(gateway: &Gateway, id: &str, calls: usize) -> usize {
    let mut caller = Caller::connect(gateway.address).await;
    let key = format!("x-api-key: {KEY}");
    let call = request("GET", &format!("/passthrough/{id}/x"), &[&key], "");
    let mut admitted = 0;
    for _ in 0..calls {
        let answer = caller.call(&call).await;
        if answer.status() == 200 {
            admitted += 1;
            continue;
        }
        let code = (answer.status(), answer.error());
        assert_eq!(code, (429, Some("rate-limited")), "{answer:?}");
        let wait = answer.head.value("retry-after").unwrap();
        let wait: u64 = wait.parse().unwrap();
        assert!((1..=180).contains(&wait), "{wait}");
        assert!(answer.text().contains("\"sent\":false"));
    }
    admitted
}

/// Makes calls until the gateway draws from Redis again, and a call is admitted by it.
async fn wait_for_a_draw(gateway: &Gateway, before: u64) {
    let began = Instant::now();
    loop {
        let is_admitted = admitted(gateway, "c", 1).await == 1;
        if is_admitted && metric(&gateway.metrics().await, OK_DRAWS) > before {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "no call is drawn");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn metric(metrics: &str, name: &str) -> u64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name));
    line.map_or(0, |value| value.trim().parse().unwrap())
}

const OK_DRAWS: &str = "passthrough_rate_draws_total{outcome=\"ok\"}";
const FAILED_DRAWS: &str = "passthrough_rate_draws_total{outcome=\"failed\"}";
const LOCAL_CALLS: &str = "passthrough_rate_local_calls_total";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_gateways_admit_one_burst_together_and_a_hot_key_is_refused_without_redis() {
    let vendor = Vendor::ok().await;
    for attempt in 1.. {
        let Some(server) = Server::start("") else {
            return;
        };
        if is_one_burst_admitted(&vendor, &server).await {
            return;
        }
        // The machine has stalled for so long that a draw failed.
        assert!(attempt < 5, "draws fail");
    }
}

/// Returns `false` if a draw has failed, so that the calls aren't exact.
async fn is_one_burst_admitted(vendor: &Vendor, server: &Server) -> bool {
    let config = config(vendor, 7);
    let mut gateways = Vec::new();
    for _ in 0..3 {
        gateways.push(start(&config, server).await);
    }
    let began = Instant::now();
    let calls = gateways
        .iter()
        .flat_map(|gateway| [gateway; 4])
        .map(|gateway| admitted(gateway, "c", 10));
    let total: usize = futures_util::future::join_all(calls).await.iter().sum();
    let minutes = usize::try_from(began.elapsed().as_secs() / 60).unwrap();
    let evaluations = || server.calls("evalsha") + server.calls("eval");
    let before = evaluations();
    let hot = gateways.iter().map(|gateway| admitted(gateway, "c", 700));
    futures_util::future::join_all(hot).await;
    let asked = evaluations() - before;
    let mut others = Vec::new();
    for gateway in &gateways {
        others.push(admitted(gateway, "other", 1).await);
        let metrics = gateway.metrics().await;
        assert!(metric(&metrics, OK_DRAWS) > 0, "{metrics}");
        if metric(&metrics, FAILED_DRAWS) > 0 {
            return false;
        }
    }
    // A minute allows a call more, if the machine is that slow.
    assert!((7..=7 + minutes).contains(&total), "{total}");
    // Redis is asked again only when there is a call to draw.
    let most = 6 * (began.elapsed().as_secs() / 60 + 1);
    assert!(asked <= most, "{asked} draws for 2,100 calls");
    assert_eq!(others, [1, 1, 1]);
    let names = server.set(&["KEYS", "*"]);
    assert!(names.contains("gw:{094}:r:60000000000:7:c"), "{names}");

    // A reload keeps the counts of the process, and the connection.
    let received = || {
        let received = server.info("total_connections_received");
        received.parse::<u64>().unwrap()
    };
    let connections = received();
    let gateway = gateways.first().unwrap();
    gateway.reload(&config.table("[retry]\nattempts = 2")).await;
    let before = evaluations();
    let minutes = usize::try_from(began.elapsed().as_secs() / 60).unwrap();
    assert!(admitted(gateway, "c", 100).await <= minutes + 1);
    assert!(evaluations() - before <= 2);
    // Each question of the test is a connection.
    let new = received() - connections - 5;
    if metric(&gateway.metrics().await, FAILED_DRAWS) > 0 {
        return false;
    }
    assert_eq!(new, 0, "a reload opens a connection to Redis");
    true
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_each_gateway_has_its_share_and_nobody_waits() {
    let Some(mut server) = Server::start("") else {
        return;
    };
    let vendor = Vendor::ok().await;
    let config = config(&vendor, 9);
    let gateways = [start(&config, &server).await, start(&config, &server).await];
    for is_crash in [true, false] {
        match is_crash {
            true => server.crash(),
            false => server.signal(Signal::STOP),
        }
        for gateway in &gateways {
            let before = gateway.metrics().await;
            let began = Instant::now();
            let count = admitted(gateway, "c", 200).await;
            let minutes = usize::try_from(began.elapsed().as_secs() / 60).unwrap();
            // The calls that were admitted before the failure count as well.
            let least = if is_crash { 3 } else { 0 };
            let expected = least..=3 + minutes;
            assert!(expected.contains(&count), "{is_crash}: {count}");
            let metrics = gateway.metrics().await;
            let more = |name| metric(&metrics, name) - metric(&before, name);
            // A single draw a second finds out if Redis answers again.
            let most = began.elapsed().as_secs() + 2;
            assert!((1..=most).contains(&more(FAILED_DRAWS)), "{metrics}");
            assert_eq!(more(LOCAL_CALLS), count as u64);
            assert_eq!(gateway.curl("/readyz", &[]).await.body(), "ready\n");
        }
        match is_crash {
            true => server.run(),
            false => server.signal(Signal::CONT),
        }
        for gateway in &gateways {
            let draws = metric(&gateway.metrics().await, OK_DRAWS);
            wait_for_a_draw(gateway, draws).await;
        }
    }
    for gateway in &gateways {
        let log = gateway
            .stderr
            .until("the failure", |log| {
                log.contains("rate that all processes share failed")
            })
            .await;
        assert!(!log.contains(&format!(":{}", server.port)), "{log}");
        gateway
            .stderr
            .until("the end of the failure", |log| {
                log.contains("rate that all processes share succeeded")
            })
            .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_starts_without_redis_and_the_check_names_the_server_that_is_away() {
    let Some(mut server) = Server::start("requirepass s3cr3t\n") else {
        return;
    };
    let vendor = Vendor::ok().await;
    let config = config(&vendor, 9);
    let check = |url: &str, config: &Config| {
        let folder = Folder::new();
        let file = folder.write("gateway.toml", config.to_string());
        let arguments = ["--config", file.to_str().unwrap(), "--check"];
        let ended = run_with(&arguments, &[("RATES", url)], "");
        for text in [&ended.stdout, &ended.stderr] {
            canary::assert_absent("the check", text);
            for part in ["127.0.0.1", "s3cr3t", "us3r"] {
                assert!(!text.contains(part), "{text}");
            }
        }
        ended
    };
    let good = format!("redis://:s3cr3t@127.0.0.1:{}", server.port);
    assert_eq!(check(&good, &config).code, Some(0));
    for (url, code, why) in [
        (good.replace("s3cr3t", "us3r:s3cr3ts"), 1, "is wrong"),
        ("redis://us3r:s3cr3t@127.0.0.1:1".to_owned(), 1, "refused"),
        (
            "redis://us3r:s3cr3t@db.example".to_owned(),
            2,
            "would not be encrypted",
        ),
        ("http://us3r:s3cr3t@db.example".to_owned(), 2, "`redis://`"),
    ] {
        let ended = check(&url, &config);
        assert_eq!(ended.code, Some(code), "{ended:?}");
        let is_named = ended.stderr.contains("`limits.redis`") && ended.stderr.contains(why);
        assert!(is_named, "{ended:?}");
    }
    server.crash();
    let away = check(&good, &config);
    assert_eq!(away.code, Some(1), "{away:?}");
    let gateway = start(&config, &server).await;
    assert_eq!(admitted(&gateway, "c", 10).await, 3);
}

fn checked(limits: &str, store: &str, variables: &[(&str, &str)]) -> Ended {
    let folder = Folder::new();
    let text = format!("anyone = true\n[limits]\n{limits}\n{store}");
    let file = folder.write("gateway.toml", text);
    folder.write("url", variables.first().map_or("", |(_, value)| *value));
    let ended = run_with(
        &["--config", file.to_str().unwrap(), "--check"],
        variables,
        "",
    );
    canary::assert_absent("the check", &ended.stderr);
    ended
}

#[test]
fn the_server_is_named_in_several_ways() {
    let Some(server) = Server::start(&format!("{DURABLE}requirepass pw\n")) else {
        return;
    };
    let rate = "rate_per_connection = { per_second = 10, burst = 20, shared = true, replicas = 3 }";
    let url = format!("redis://:pw@127.0.0.1:{}", server.port);
    let without = format!("redis://127.0.0.1:{}", server.port);
    let key = BASE64_STANDARD.encode([1; 32]);
    let variables = [("URL", &*url), ("WITHOUT", &without), ("KEY", &key)];
    for redis in [
        format!("redis = \"{url}\""),
        "redis = { env = \"URL\" }".to_owned(),
        "redis = { file = \"url\" }".to_owned(),
        "redis = { command = [\"sh\", \"-c\", \"echo $URL\"] }".to_owned(),
        "redis = { url = { env = \"URL\" }, prefix = \"a\" }".to_owned(),
        "redis = { url = { env = \"WITHOUT\" }, password = \"pw\" }".to_owned(),
    ] {
        let ended = checked(&format!("{rate}\n{redis}"), "", &variables);
        assert_eq!(ended.code, Some(0), "{redis}: {ended:?}");
    }
    let store = "[store]\nkind = \"redis\"\nurl = { env = \"URL\" }\nkey = { env = \"KEY\" }";
    let ended = checked(rate, store, &variables);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    // A share needs no server.
    let ended = checked(
        "rate_per_connection = { per_second = 10, replicas = 3 }",
        "",
        &[],
    );
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn what_cannot_work_is_refused_with_its_place() {
    let rate = "rate_per_connection = { per_second = 10, shared = true }";
    let store = "[store]\nkind = \"sqlite\"\nurl = \"sqlite://a.db\"\nkey = { env = \"KEY\" }";
    let key = BASE64_STANDARD.encode([1; 32]);
    for (limits, store, place, what) in [
        (
            rate,
            "",
            "3:51: limits.rate_per_connection.shared",
            "set `limits.redis`",
        ),
        (
            rate,
            store,
            "3:51: limits.rate_per_connection.shared",
            "set `limits.redis`",
        ),
        (
            "rate_per_connection = { per_second = 10, shared = 1 }",
            "",
            "3:51: limits.rate_per_connection.shared",
            "expected a boolean",
        ),
        (
            "rate_per_connection = { per_second = 10, replicas = 0 }",
            "",
            "3:53: limits.rate_per_connection.replicas",
            "expected 1 or more",
        ),
        (
            "rate_per_connection = { per_second = 10, share = true }",
            "",
            "3:42: limits.rate_per_connection.share",
            "unknown key `share`",
        ),
        ("redis = 1", "", "3:9: limits.redis", "expected a URL"),
        (
            "redis = {}",
            "",
            "3:9: limits.redis",
            "expected the key `url`",
        ),
        (
            "redis = { prefix = \"a\" }",
            "",
            "3:9: limits.redis",
            "expected the key `url`",
        ),
        (
            "redis = { env = \"A\", prefix = \"a\" }",
            "",
            "3:9: limits.redis",
            "expected the key `url`",
        ),
        (
            "redis = { url = \"c4nary\", env = \"A\" }",
            "",
            "3:9: limits.redis",
            "expected the key `url`",
        ),
        (
            "redis = { command = [] }",
            "",
            "3:9: limits.redis",
            "expected the key `url`",
        ),
        (
            "redis = { url = \"c4nary\", key = \"c4nary\" }",
            "",
            "3:27: limits.redis.key",
            "unknown key `key`",
        ),
        (
            "redis = { url = { env = \"C4NARY_IS_NOT_SET\" } }",
            "",
            "3:17: limits.redis.url",
            "the environment variable isn't set",
        ),
        (
            "redis = { url = \"c4nary\", roots = [\"missing.pem\"] }",
            "",
            "3:36: limits.redis.roots",
            "the file can't be read",
        ),
    ] {
        let ended = checked(limits, store, &[("KEY", &key)]);
        assert_eq!(ended.code, Some(2), "{limits}: {ended:?}");
        let is_named = ended.stderr.contains(place) && ended.stderr.contains(what);
        assert!(is_named, "{limits}: {ended:?}");
    }
    let server = "redis = \"redis://127.0.0.1:1\"";
    for (replicas, is_warned) in [("", true), (", replicas = 1", false)] {
        let rate = format!(
            "rate_per_connection = {{ per_second = 10, shared = true{replicas} }}\n{server}"
        );
        let ended = checked(&rate, "", &[]);
        let warned = ended.stderr.contains("`shared = true` without `replicas`");
        assert_eq!(warned, is_warned, "{ended:?}");
    }
    let ended = checked("in_flight = 1\nredis = \"redis://127.0.0.1\"", "", &[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.stderr.contains("limits.redis has no effect"),
        "{ended:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_of_the_store_counts_if_no_other_is_named() {
    let Some(server) = Server::start(DURABLE) else {
        return;
    };
    let vendor = Vendor::ok().await;
    let (url, key) = (
        format!("redis://127.0.0.1:{}", server.port),
        BASE64_STANDARD.encode([1; 32]),
    );
    let variables = [("RATES", &*url), ("KEY", &*key)];
    let config = Config::new(&vendor)
        .table("[limits]\nrate_per_connection = { per_minute = 1, burst = 5, shared = true }")
        .table("[store]\nkind = \"redis\"\nurl = { env = \"RATES\" }\nkey = { env = \"KEY\" }\nprefix = \"st\"");
    let folder = Folder::new();
    let file = folder.write("gateway.toml", config.to_string());
    let file = file.to_str().unwrap();
    let import = ["--config", file, "connections", "import", file];
    assert_eq!(run_with(&import, &variables, "").code, Some(0));
    let mut total = 0;
    for _ in 0..2 {
        let gateway = Gateway::start_in(Folder::new(), &config, &variables).await;
        total += admitted(&gateway, "c", 20).await;
    }
    assert!((5..=7).contains(&total), "{total}");
    assert!(server.set(&["KEYS", "st:*:r:*:c"]).ends_with(":c"));
    // An unknown connection is never counted.
    let gateway = Gateway::start_in(Folder::new(), &config, &variables).await;
    assert_eq!(gateway.call("/nobody/x", &[]).await.status(), 404);
    assert!(!server.set(&["KEYS", "st:*:r:*"]).contains("nobody"));
}
