//! The settings of the server, the callers, and the file as a whole.

use super::integrations::INTEGRATION;
use super::{check, refused, refused_with};
use testkit::process::binary;

#[test]
fn settings_of_the_server() {
    for (config, expected) in [
        (
            "listen = 1",
            "1:10: listen: expected an address and a port such as \"127.0.0.1:8080\", \":8080\", \"localhost:8080\" or \"[::]:8080\", or a Unix socket such as \"unix:/run/passthrough.sock\", found an integer",
        ),
        (
            "listen = \"x\"",
            "1:10: listen: expected an address and a port such as \"127.0.0.1:8080\", \":8080\", \"localhost:8080\" or \"[::]:8080\", or a Unix socket such as \"unix:/run/passthrough.sock\"",
        ),
        (
            "path_encoding = \"c4nary\"",
            "1:17: path_encoding: expected \"auto\", \"never\" or \"always\"",
        ),
        (
            "response_headers = 3",
            "1:20: response_headers: expected \"all\" or \"browser-safe\", found an integer",
        ),
        (
            "rewrite_links = \"c4nary\"",
            "1:17: rewrite_links: expected a boolean, found a string",
        ),
        (
            "public_url = \"gw.c4nary\"",
            "1:14: public_url: a public URL must be an `http` or `https` URL with a host, such as `https://gw.example.com`, without user info, a query, a fragment and dot segments",
        ),
        (
            "foreign_locations = \"c4nary\"",
            "1:21: foreign_locations: expected \"pass\", \"hide\", or a list of hosts",
        ),
        (
            "foreign_locations = [\"a.test\", \"*.co.uk\"]",
            "1:32: foreign_locations: its suffix is a public suffix, below which anybody can register a host, expected \"host\", \"host:port\" or \"*.suffix\"",
        ),
        (
            "reauthorize_url = \"https://{connection}.app.example/\"",
            "1:19: reauthorize_url: expected a URL such as \"https://app.example/connect/{connection}\", with {connection} after the host",
        ),
        (
            "reauthorize_url = \"/c4nary\"",
            "1:19: reauthorize_url: expected a URL such as \"https://app.example/connect/{connection}\", with {connection} after the host",
        ),
        (
            "shutdown = \"soon\"",
            "1:12: shutdown: expected a duration, such as \"10s\", \"500ms\" or \"2m\"",
        ),
        (
            "mount = \"/healthz\"",
            "1:9: mount: the gateway uses this path itself; choose another path",
        ),
        (
            "listen = \"127.0.0.1:1\"\nlisten = \"127.0.0.1:2\"",
            "2:1: duplicate key",
        ),
    ] {
        refused(config, &[expected]);
    }
    for mount in [
        "", "a", "/a/", "//", "/{x}", "/a b", "/..", "/a/./b", "/a%20",
    ] {
        let config = format!("mount = \"{mount}\"");
        refused_with(
            &config,
            "1:9: mount: expected a path such as \"/passthrough\": ",
        );
    }
}

#[test]
fn ways_to_name_a_connection() {
    for (config, expected) in [
        (
            "address_by = [\"path\", \"c4nary\"]",
            "1:23: address_by: expected \"path\", \"host\", \"header\" or \"key\"",
        ),
        (
            "address_by = []",
            "1:14: address_by: expected at least one of \"path\", \"host\", \"header\" and \"key\"",
        ),
        (
            "address_by = [\"host\"]",
            "1:14: address_by: \"host\" needs `host_pattern`, such as \"{connection}.gw.example.com\"",
        ),
        (
            "host_pattern = \"{connection}.gw.test\"",
            "1:16: host_pattern: this key has no effect without \"host\" in `address_by`; add \"host\", or remove this key",
        ),
        (
            "address_by = [\"host\"]\nhost_pattern = \"gw.test\"",
            "2:16: host_pattern: a pattern of hosts must contain `{connection}` once, followed by a domain, such as `{connection}.gw.example.com`, without a scheme and a port",
        ),
        (
            "public_url = \"https://c4nary.example.com\"\naddress_by = [\"path\", \"host\"]\nhost_pattern = \"{connection}.example.com\"",
            "1:14: public_url: `host_pattern` takes this host for the name of a connection, so no other call would arrive; choose another pattern or host",
        ),
        (
            "address_by = [\"path\", \"key\"]\nmount = \"/\"",
            "1:14: address_by: \"key\" has no effect: with mount = \"/\", the path of each call names a connection; set another mount, or remove \"path\"",
        ),
    ] {
        refused(config, &[expected]);
    }
    let ended = binary::check("anyone = true\naddress_by = [\"key\"]");
    assert_eq!(
        ended.stderr,
        "FILE:2:14: address_by: \"key\" has no effect with `anyone = true`, because callers need no key\n"
    );
}

#[test]
fn unknown_keys() {
    refused_with(
        "colour = \"c4nary\"",
        "1:1: colour: unknown key `colour`, expected one of `listen`, ",
    );
    refused_with(
        "[network]\nproxy = 1",
        "2:1: network.proxy: unknown key `proxy`, expected one of ",
    );
    refused_with(
        "[timeouts]\nsum = \"1s\"",
        "2:1: timeouts.sum: unknown key `sum`, ",
    );
    refused_with(
        "[store]\ncolour = 1",
        "2:1: store.colour: unknown key `colour`, ",
    );
    let connection =
        format!("{INTEGRATION}[connection.c]\nintegration = \"v\"\nextra = \"c4nary\"");
    refused_with(
        &connection,
        "5:1: connection.c.extra: unknown key `extra`, ",
    );
}

#[test]
fn the_network() {
    for (line, expected) in [
        (
            "allow = [\"10.0.0.0/99\"]",
            "2:10: network.allow: expected a block of addresses, such as \"10.0.0.0/8\"",
        ),
        (
            "allow = \"x\"",
            "2:9: network.allow: expected an array, found a string",
        ),
        (
            "plaintext = \"yes\"",
            "2:13: network.plaintext: expected a boolean, found a string",
        ),
        (
            "resolve = { \"V.test\" = \"1.1.1.1\" }",
            "2:13: network.resolve.V.test: expected a host name in lower case without a port, such as \"vendor.test\"",
        ),
        (
            "resolve = { \"v.test\" = \"x\" }",
            "2:24: network.resolve.v.test: expected an IP address, such as \"127.0.0.1\"",
        ),
        (
            "extra_roots = [\"gateway.toml\"]",
            "2:16: network.extra_roots: expected certificates in PEM: the file contains no certificate",
        ),
    ] {
        refused(&format!("[network]\n{line}"), &[expected]);
    }
    let missing = "[network]\nextra_roots = [\"none.pem\"]";
    refused_with(
        missing,
        "2:16: network.extra_roots: the file can't be read: ",
    );
}

#[test]
fn timeouts_and_limits() {
    for (config, expected) in [
        (
            "[timeouts]\nconnect = \"0s\"",
            "2:11: timeouts.connect: expected a duration above zero, such as \"10s\"",
        ),
        (
            "[timeouts]\nresponse_head = 1",
            "2:17: timeouts.response_head: expected a duration, such as \"10s\", \"500ms\" or \"2m\", found an integer",
        ),
        (
            "[timeouts]\nidle = \"x\"",
            "2:8: timeouts.idle: expected a duration, such as \"10s\", \"500ms\" or \"2m\"",
        ),
        (
            "[limits]\nrequest_body = \"many\"",
            "2:16: limits.request_body: expected a number of bytes, such as \"10MiB\" or \"1KB\"",
        ),
        (
            "[limits]\nrequest_body = -1",
            "2:16: limits.request_body: expected a number of bytes, such as \"10MiB\" or \"1KB\"",
        ),
        (
            "[retry]\nattempts = 0",
            "2:12: retry.attempts: expected 1 or more: the total number of attempts",
        ),
        (
            "[observe]\ntrace_context = \"begin\"",
            "2:17: observe.trace_context: expected \"pass\" or \"start\"",
        ),
        (
            "[retry]\nmax_wait = 5",
            "2:12: retry.max_wait: expected a duration, such as \"10s\", \"500ms\" or \"2m\", found an integer",
        ),
        (
            "[circuit]\nfailures = -1",
            "2:12: circuit.failures: expected a whole number, 0 or more",
        ),
        (
            "[circuit]\nfailures = 5\nopen = \"0s\"",
            "3:8: circuit.open: expected a duration above zero, such as \"10s\"",
        ),
        (
            "[circuit]\nopen = \"10s\"",
            "2:8: circuit.open: this key needs `failures` in the same table",
        ),
    ] {
        refused(config, &[expected]);
    }
}

#[test]
fn the_limits() {
    for (line, expected) in [
        (
            "in_flight = \"many\"",
            "2:13: limits.in_flight: expected a whole number, found a string".to_owned(),
        ),
        (
            "in_flight_per_connection = -1",
            "2:28: limits.in_flight_per_connection: expected a whole number, 0 or more".to_owned(),
        ),
        (
            "rate_per_connection = \"c4nary\"",
            "2:23: limits.rate_per_connection: expected a table such as \
             { per_second = 10, burst = 20 }, found a string"
                .to_owned(),
        ),
        (
            "rate_per_connection = {}",
            "2:23: limits.rate_per_connection: expected either `per_second` or `per_minute`"
                .to_owned(),
        ),
        (
            "rate_per_connection = { per_second = 1, per_minute = 1 }",
            "2:23: limits.rate_per_connection: expected either `per_second` or `per_minute`"
                .to_owned(),
        ),
        (
            "rate_per_connection = { per_second = 1, burst = 0 }",
            "2:49: limits.rate_per_connection.burst: expected 1 or more".to_owned(),
        ),
        (
            "rate_per_connection = { per_second = 4294967296 }",
            "2:38: limits.rate_per_connection.per_second: expected a number below 4294967296"
                .to_owned(),
        ),
    ] {
        refused(&format!("[limits]\n{line}"), &[&expected]);
    }
    // A build with the feature accepts the key.
    for line in [
        "rate_per_connection = { per_second = 10, burst = 20 }",
        "rate_per_connection = { per_minute = 10 }",
    ] {
        let config = format!("[limits]\n{line}");
        assert_eq!(check(&config).code, Some(0), "{config}");
    }
    let none = "[limits]\nin_flight = 0\nin_flight_per_connection = 0\n\
                rate_per_connection = { per_second = 0 }";
    assert_eq!(check(none).code, Some(0), "{:?}", check(none));
}

/// Keys that need a persistent store.
#[test]
fn the_store() {
    let what = "this key needs `kind = \"sqlite\"`, `kind = \"postgres\"` or `kind = \"redis\"`";
    for (line, place) in [
        ("url = \"c4nary\"", "2:7: store.url"),
        ("key = \"c4nary\"", "2:7: store.key"),
        ("key = { env = \"C4NARY\" }", "2:7: store.key"),
        ("keys = [\"c4nary\"]", "2:8: store.keys"),
        ("old_keys = [\"c4nary\"]", "2:12: store.old_keys"),
        ("cache = \"1MiB\"", "2:9: store.cache"),
        ("cache_entries = 5", "2:17: store.cache_entries"),
        ("staleness = \"1s\"", "2:13: store.staleness"),
    ] {
        refused(&format!("[store]\n{line}"), &[&format!("{place}: {what}")]);
        let place = place.replacen('2', "3", 1);
        let file = format!("[store]\nkind = \"file\"\n{line}");
        refused(&file, &[&format!("{place}: {what}")]);
    }
    for (line, expected) in [
        (
            "kind = \"c4nary\"",
            "2:8: store.kind: expected \"file\", \"postgres\", \"redis\" or \"sqlite\"",
        ),
        (
            "url = 1.5",
            "2:7: store.url: expected a string, a whole number, a date, { env = \"NAME\" }, { file = \"PATH\" } or { command = [\"PROGRAM\", \"ARGUMENT\"] }, found a float",
        ),
        (
            "key = 1234321.5",
            "2:7: store.key: expected a string, a whole number, a date, { env = \"NAME\" }, { file = \"PATH\" } or { command = [\"PROGRAM\", \"ARGUMENT\"] }, found a float",
        ),
        (
            "old_keys = \"c4nary\"",
            "2:12: store.old_keys: expected an array, found a string",
        ),
        (
            "old_keys = [{ c4nary = \"c4nary\" }]",
            "2:13: store.old_keys: expected one key, `env`, `file` or `command`",
        ),
    ] {
        refused(&format!("[store]\n{line}"), &[expected]);
    }
}

/// 32 bytes in base64.
const KEY: &str = "YzRuYXJ5YzRuYXJ5YzRuYXJ5YzRuYXJ5YzRuYXJ5YTE=";

/// A database: missing keys, keys of other kinds, and keys that can't be read. No value is printed, and the database is asked
/// only if the file has no mistake.
#[test]
fn the_store_of_kind_postgres() {
    let needed = "this key needs `kind = \"postgres\"`";
    for (line, place) in [
        ("connections = 2", "3:15: store.connections"),
        (
            "statement_timeout = \"1s\"",
            "3:21: store.statement_timeout",
        ),
        ("schema = \"c4nary\"", "3:10: store.schema"),
        ("migrations = \"run\"", "3:14: store.migrations"),
    ] {
        let expected = format!("{place}: {needed}");
        for kind in ["sqlite", "redis"] {
            refused(&elsewhere(kind, line), &[&expected]);
        }
        refused(&format!("[store]\nkind = \"file\"\n{line}"), &[&expected]);
    }
    let needed = "this key needs `kind = \"postgres\"` or `kind = \"redis\"`";
    for (line, place) in [
        ("password = \"c4nary\"", "3:12: store.password"),
        ("outage_grace = \"1m\"", "3:16: store.outage_grace"),
        ("roots = [\"c4nary.pem\"]", "3:9: store.roots"),
    ] {
        let expected = format!("{place}: {needed}");
        refused(&elsewhere("sqlite", line), &[&expected]);
        refused(&format!("[store]\nkind = \"file\"\n{line}"), &[&expected]);
    }
    for (lines, expected) in [
        (
            format!("key = \"{KEY}\""),
            "2:8: store.kind: missing key `store.url`, such as { env = \"DATABASE_URL\" }",
        ),
        (
            "url = \"postgres://c4nary:c4nary@c4nary/c4nary\"".to_owned(),
            "2:8: store.kind: missing key `store.key`, which encrypts secrets at rest",
        ),
        (
            format!("key = \"{KEY}\"\nurl = {{ env = \"C4NARY\" }}"),
            "4:7: store.url: the environment variable isn't set",
        ),
        (
            format!("key = \"{KEY}\"\nurl = \"postgres://h/d\"\nroots = [\"c4nary.pem\"]"),
            "5:10: store.roots: the file can't be read: entity not found",
        ),
        (
            format!("key = \"{KEY}\"\nurl = \"postgres://h/d\"\nmigrations = \"c4nary\""),
            "5:14: store.migrations: expected \"run\" or \"check\"",
        ),
    ] {
        refused(
            &format!("[store]\nkind = \"postgres\"\n{lines}"),
            &[expected],
        );
    }
    let good = format!(
        "[store]\nkind = \"postgres\"\nurl = \"postgres://u@127.0.0.1:1/d\"\nkey = \"{KEY}\"\npassword = {{ file = \"later\" }}"
    );
    // The config is good, so the database is asked.
    let ended = check(&good);
    let why = "[store]: the database can't be used: the password's file can't be read: entity not found\n";
    assert_eq!((ended.code, &*ended.unusual()), (Some(1), why), "{ended:?}");
    assert_eq!(ended.stdout, "");
}

/// Returns a store of another kind with that line.
fn elsewhere(kind: &str, line: &str) -> String {
    format!("[store]\nkind = \"{kind}\"\n{line}\nurl = \"sqlite://c.db\"\nkey = \"{KEY}\"")
}

/// A server: missing keys, keys of other kinds, and values that can't be read. No value is printed.
#[test]
fn the_store_of_kind_redis() {
    let needed = "this key needs `kind = \"redis\"`";
    for (line, place) in [
        ("durability = \"aof\"", "3:14: store.durability"),
        ("replicas = 1", "3:12: store.replicas"),
        ("prefix = \"c4nary\"", "3:10: store.prefix"),
    ] {
        let expected = format!("{place}: {needed}");
        for kind in ["sqlite", "postgres"] {
            refused(&elsewhere(kind, line), &[&expected]);
        }
        refused(&format!("[store]\nkind = \"file\"\n{line}"), &[&expected]);
    }
    for (lines, expected) in [
        (
            format!("key = \"{KEY}\""),
            "2:8: store.kind: missing key `store.url`, such as { env = \"REDIS_URL\" }",
        ),
        (
            "url = \"redis://c4nary:c4nary@c4nary/c4nary\"".to_owned(),
            "2:8: store.kind: missing key `store.key`, which encrypts secrets at rest",
        ),
        (
            format!("key = \"{KEY}\"\nurl = \"redis://h\"\ndurability = \"c4nary\""),
            "5:14: store.durability: expected \"aof\", \"external\" or \"none\"",
        ),
    ] {
        refused(&format!("[store]\nkind = \"redis\"\n{lines}"), &[expected]);
    }
    let good = format!(
        "[store]\nkind = \"redis\"\nurl = \"rediss://u@127.0.0.1:1\"\nkey = \"{KEY}\"\npassword = {{ file = \"later\" }}\n\
         durability = \"external\"\nreplicas = 1\nprefix = \"a\"\nstaleness = \"1s\"\noutage_grace = \"1m\"\ncache_entries = 5\ncache = \"1MiB\""
    );
    // The config is good, so the server is asked.
    let ended = check(&good);
    let why =
        "[store]: the server can't be used: the password's file can't be read: entity not found\n";
    assert_eq!((ended.code, &*ended.unusual()), (Some(1), why), "{ended:?}");
    assert_eq!(ended.stdout, "");
}

/// A persistent store: missing keys, and keys that can't be read. No value is printed.
#[test]
fn the_store_of_kind_sqlite() {
    let long = format!("{KEY}{KEY}");
    let no_key =
        "expected 32 bytes in base64 with padding, as `openssl rand -base64 32` prints them";
    let no_url = "expected a URL such as \"sqlite://connections.db\", without parameters";
    let url = "url = \"sqlite://c.db\"";
    for (lines, expected) in [
        (
            format!("key = \"{KEY}\""),
            "2:8: store.kind: missing key `store.url`, such as \"sqlite://connections.db\""
                .to_owned(),
        ),
        (
            url.to_owned(),
            "2:8: store.kind: missing key `store.key`, which encrypts secrets at rest".to_owned(),
        ),
        (
            format!("{url}\nkey = \"c4nary\""),
            format!("4:7: store.key: {no_key}"),
        ),
        (
            format!("{url}\nkey = \"{long}\""),
            format!("4:7: store.key: {no_key}"),
        ),
        (
            format!("{url}\nkey = \"{}\"", KEY.trim_end_matches('=')),
            format!("4:7: store.key: {no_key}"),
        ),
        (
            format!("{url}\nkey = {{ env = \"C4NARY_UNSET\" }}"),
            "4:7: store.key: the environment variable isn't set".to_owned(),
        ),
        (
            format!("{url}\nkey = \"{KEY}\"\nold_keys = [\"c4nary\"]"),
            format!("5:13: store.old_keys: {no_key}"),
        ),
        (
            format!("{url}\nkey = \"{KEY}\"\nold_keys = [\"{KEY}\"]"),
            "5:13: store.old_keys: this key is listed twice".to_owned(),
        ),
        (
            format!("{url}\nkey = \"{KEY}\"\nkeys = [\"c4nary\"]"),
            format!("5:9: store.keys: {no_key}"),
        ),
        (
            format!("{url}\nkey = \"{KEY}\"\nkeys = [\"{KEY}\"]"),
            "5:9: store.keys: this key is listed twice".to_owned(),
        ),
        (
            format!("{url}\nkey = \"{KEY}\"\nkeys = []\nold_keys = []"),
            "6:12: store.old_keys: `old_keys` is another name of `keys`; use only one of the two"
                .to_owned(),
        ),
        // Space around it is no other key.
        (
            format!("{url}\nkey = \"{KEY}\"\nold_keys = [\" {KEY}\\r\\n\"]"),
            "5:13: store.old_keys: this key is listed twice".to_owned(),
        ),
        (
            format!("url = \"c4nary.db\"\nkey = \"{KEY}\""),
            format!("3:7: store.url: {no_url}"),
        ),
        (
            format!("url = \"sqlite://\"\nkey = \"{KEY}\""),
            format!("3:7: store.url: {no_url}"),
        ),
        (
            format!("url = \"sqlite://c.db?key=c4nary\"\nkey = \"{KEY}\""),
            format!("3:7: store.url: {no_url}"),
        ),
    ] {
        refused(
            &format!("[store]\nkind = \"sqlite\"\n{lines}"),
            &[&expected],
        );
    }
    // A check of a config makes no file.
    let good = format!("[store]\nkind = \"sqlite\"\n{url}\nkey = \"{KEY}\"");
    let ended = check(&good);
    assert_eq!((ended.code, &*ended.unusual()), (Some(0), ""), "{ended:?}");
    let summary = "the config is good: 0 integrations, connections in sqlite, 1 caller\n";
    assert_eq!(ended.stdout, summary);
    // The connections of the file aren't served then, so their secrets aren't read.
    let table = "[connection.c]\nintegration = \"v\"\nsecret = { token = { env = \"UNSET\" } }";
    let ended = check(format!("{good}\n{table}"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let expected = "connections are stored in sqlite, so the [connection.*] tables of this file (1) aren't served; `connections import` imports them\n";
    assert!(ended.stderr.ends_with(expected), "{ended:?}");
}

#[test]
fn callers() {
    let fields = "connections = [\"*\"]";
    for (lines, expected) in [
        (
            "connections = [\"*\"]",
            "1:1: caller: missing key `api_key`",
        ),
        (
            "api_key = \"c4nary\"",
            "1:1: caller: missing key `connections`",
        ),
        (
            "api_key = \"\"\nconnections = []",
            "2:11: caller.api_key: the key is empty, so a header field can't carry it",
        ),
        (
            "api_key = \"c4nary\\n\"\nconnections = []",
            "2:11: caller.api_key: the key begins or ends with a blank, or contains a control character, so a header field can't carry it",
        ),
        (
            "api_key = 1234321.5\nconnections = []",
            "2:11: caller.api_key: expected a string, a whole number, a date, { env = \"NAME\" }, { file = \"PATH\" } or { command = [\"PROGRAM\", \"ARGUMENT\"] }, found a float",
        ),
        (
            "api_key = [\"c4nary\"]\nconnections = []",
            "2:11: caller.api_key: expected a string, a whole number, a date, { env = \"NAME\" }, { file = \"PATH\" } or { command = [\"PROGRAM\", \"ARGUMENT\"] }, found an array",
        ),
        (
            "api_key = { c4nary = \"c4nary\" }\nconnections = []",
            "2:11: caller.api_key: expected one key, `env`, `file` or `command`",
        ),
        (
            "api_key = \"c4nary\"\nconnections = \"*\"",
            "3:15: caller.connections: expected an array, found a string",
        ),
    ] {
        refused(&format!("[[caller]]\n{lines}"), &[expected]);
    }
    for (line, expected) in [
        (
            "methods = [\"get\"]",
            "4:12: caller.methods: expected a method in capitals, such as \"GET\"",
        ),
        (
            "methods = []",
            "4:11: caller.methods: expected at least one method; to allow all, remove the key",
        ),
        (
            "paths = []",
            "4:9: caller.paths: expected at least one path; to allow all, remove the key",
        ),
    ] {
        refused(
            &format!("[[caller]]\napi_key = \"c4nary\"\n{fields}\n{line}"),
            &[expected],
        );
    }
    let name = "expected a name of printable characters, without a blank at its beginning or end";
    for text in ["", " ", " a", "a ", "a\\nb", "a\\u001bb", "a\\u202eb"] {
        let config = format!("[[caller]]\nname = \"{text}\"\napi_key = \"c4nary\"\n{fields}");
        refused(&config, &[&format!("2:8: caller.name: {name}")]);
    }
    let taken = "another [[caller]] has the same name; without `name`, a caller's name is \
                 `caller-` and its position";
    for (first, second, place) in [
        ("name = \"a\"", "name = \"a\"", "6:8"),
        ("name = \"caller-2\"", "", "2:8"),
        ("", "name = \"caller-1\"", "6:8"),
    ] {
        let config = format!(
            "[[caller]]\n{first}\napi_key = \"c4nary\"\n{fields}\n\
             [[caller]]\n{second}\napi_key = \"c4nary-2\"\n{fields}"
        );
        refused(&config, &[&format!("{place}: caller.name: {taken}")]);
    }
    let twice = format!("[[caller]]\napi_key = \"c4nary\"\n{fields}\n").repeat(2);
    refused(
        &twice,
        &["5:11: caller.api_key: another [[caller]] has the same key; each caller needs its own"],
    );
}

#[test]
fn invalid_toml() {
    refused_with("listen", "1:7: ");
    refused_with("a = 1\n= 1", "2:1: ");
    let ended = check(b"a = 1\nb = \"c4nary\xff\"");
    assert_eq!(ended.code, Some(2));
    assert_eq!(
        ended.stderr,
        "FILE:2:12: the file isn't UTF-8; expected TOML\n"
    );
}

/// One run prints all errors, in the order of the file.
#[test]
fn each_error_has_its_line() {
    refused(
        "mount = \"a/\"\n[retry]\nattempts = 0\n[integration.v]\nbase_url = \"ftp://v.test\"\n[[caller]]\napi_key = \"\"\nconnections = []",
        &[
            "1:9: mount: expected a path such as \"/passthrough\": letters, digits and `-._~`, without a slash at the end",
            "3:12: retry.attempts: expected 1 or more: the total number of attempts",
            "5:12: integration.v.base_url: its scheme is neither http nor https, expected a URL such as \"https://api.vendor.com/v2\"",
            "7:11: caller.api_key: the key is empty, so a header field can't carry it",
        ],
    );
}
