//! Settings that work, but that are dangerous or have no effect: `--check` and the log at the start name them.

use testkit::process::binary::{Ended, check};
use testkit::process::canary::TOKEN;
use testkit::process::config::Config;
use testkit::process::gateway::Gateway;
use testkit::vendor::Vendor;

/// A config without any reason for a warning.
const GOOD: &str = r#"
listen = "127.0.0.1:0"
[limits]
in_flight = 100
[[caller]]
name = "app"
api_key = "c4nary"
connections = ["c"]
[integration.v]
base_url = "https://vendor.test"
auth = { kind = "bearer" }
[connection.c]
integration = "v"
secret = { token = "c4nary" }
"#;

fn warned(config: &str) -> Vec<String> {
    let ended = check(config);
    assert_eq!(ended.code, Some(0), "{config}\n{ended:?}");
    lines(&ended)
}

/// Returns the texts of the warnings.
fn lines(ended: &Ended) -> Vec<String> {
    let lines = ended.stderr.lines();
    lines
        .map(|line| {
            let (_, text) = line.split_once("WARN passthrough_gateway::log: ").unwrap();
            text.to_owned()
        })
        .collect()
}

/// Checks that the config with this change has one warning, with all these parts.
#[track_caller]
fn one_warning(config: &str, parts: &[&str]) {
    let warned = warned(config);
    let [warning] = &warned[..] else {
        panic!("one warning was expected: {warned:#?}\n{config}");
    };
    for part in parts {
        assert!(warning.contains(part), "{part} is missing: {warning}");
    }
}

fn replaced(old: &str, new: &str) -> String {
    assert!(GOOD.contains(old), "{old}");
    GOOD.replace(old, new)
}

#[test]
fn a_good_config_has_no_warning() {
    assert_eq!(warned(GOOD), Vec::<String>::new());
}

#[test]
fn an_idle_timeout_that_is_shorter_than_a_models_silence() {
    for (table, parts) in [
        (
            "[timeouts]\nidle = \"60s\"",
            &["timeouts.idle is 1m", "timeouts.stream_idle"][..],
        ),
        (
            "[timeouts]\nstream_idle = \"2m\"",
            &["timeouts.stream_idle is 2m"],
        ),
    ] {
        one_warning(&format!("{GOOD}{table}"), parts);
    }
    let own = replaced("auth =", "timeouts = { idle = \"30s\" }\nauth =");
    one_warning(&own, &["integration \"v\": timeouts.idle is 30s"]);
    for table in [
        "[timeouts]\nidle = \"60s\"\nstream_idle = \"10m\"",
        "[timeouts]\nidle = \"10m\"",
        "[timeouts]\nresponse_head = \"10s\"",
    ] {
        assert_eq!(
            warned(&format!("{GOOD}{table}")),
            Vec::<String>::new(),
            "{table}"
        );
    }
}

#[test]
fn a_vendor_of_models_with_the_usual_time_for_the_head() {
    let with = |lines: &str| {
        let lines = format!("https://api.anthropic.com\"\n{lines}");
        replaced("https://vendor.test\"", &lines)
    };
    one_warning(
        &with(""),
        &[
            "integration \"v\"",
            "response_head is 1m",
            "response_head = \"10m\"",
        ],
    );
    let enough = with("timeouts = { response_head = \"10m\" }");
    assert_eq!(warned(&enough), Vec::<String>::new());
    let enough = format!("{}[timeouts]\nresponse_head = \"10m\"", with(""));
    assert_eq!(warned(&enough), Vec::<String>::new());
}

#[test]
fn a_time_limit_that_is_never_reached() {
    let table = "[timeouts]\nresponse_head = \"10m\"\ntotal = \"1m\"";
    one_warning(
        &format!("{GOOD}{table}"),
        &["timeouts.response_head has no effect"],
    );
}

#[test]
fn plaintext() {
    let plain = replaced("https://vendor.test", "http://vendor.test");
    let plain = format!("{plain}[network]\nplaintext = true");
    one_warning(
        &plain,
        &["integration \"v\": base_url has http://", "plaintext"],
    );
    let token = replaced(
        "auth = { kind = \"bearer\" }",
        "auth = { kind = \"oauth2\", token_url = \"http://vendor.test/token\", client_id = \"a\", client_secret = \"c4nary\" }",
    );
    let token = token.replace("{ token =", "{ access_token =");
    one_warning(
        &format!("{token}[network]\nplaintext = true"),
        &["auth.token_url has http://"],
    );
    let unused = format!("{GOOD}[network]\nplaintext = true");
    one_warning(&unused, &["network.plaintext has no effect"]);
    // Callers' keys.
    for listen in [":0", "0.0.0.0:0", "[::]:0"] {
        let open = replaced("127.0.0.1:0", listen);
        one_warning(&open, &["callers' keys are sent without TLS", "[tls]"]);
    }
    for listen in ["localhost:0", "[::1]:0", "unix:x.sock"] {
        assert_eq!(
            warned(&replaced("127.0.0.1:0", listen)),
            Vec::<String>::new(),
            "{listen}"
        );
    }
}

#[test]
fn no_limits() {
    let none = replaced("[limits]\nin_flight = 100\n", "");
    one_warning(&none, &["there is no limit for calls", "limits.in_flight"]);
    for line in [
        "in_flight = 0",
        "in_flight_per_connection = 10",
        "rate_per_connection = { per_second = 10 }",
    ] {
        let some = replaced("in_flight = 100", line);
        assert_eq!(warned(&some), Vec::<String>::new(), "{line}");
    }
}

#[test]
fn blocks_of_addresses_that_open_too_much() {
    for (block, parts) in [
        ("0.0.0.0/0", &["permits all addresses"][..]),
        ("::/0", &["permits all addresses"]),
        ("169.254.0.0/16", &["metadata service"]),
    ] {
        one_warning(&format!("{GOOD}[network]\nallow = [\"{block}\"]"), parts);
    }
    let private = format!("{GOOD}[network]\nallow = [\"10.0.0.0/8\"]");
    assert_eq!(warned(&private), Vec::<String>::new());
}

/// A secret under a wrong name, and an `auth` that was forgotten.
#[test]
fn secrets_that_nothing_reads() {
    let extra = replaced("secret = { token", "secret = { tokn = \"c4nary\", token");
    one_warning(
        &extra,
        &[
            "connection \"c\"",
            "integration \"v\" doesn't read the secrets \"tokn\"",
        ],
    );
    let forgotten = replaced("auth = { kind = \"bearer\" }\n", "");
    one_warning(
        &forgotten,
        &[
            "integration \"v\" has no `auth`",
            "no credential",
            "\"token\" are never read",
        ],
    );
    // Optional secrets, and secrets that a template names, are read.
    for (auth, secret) in [
        (
            "{ kind = \"oauth2\", token_url = \"https://vendor.test/t\", client_id = \"a\", client_secret = \"b\", parameters = { x = \"{extra?}\" } }",
            "access_token = \"c4nary\", refresh_token = \"c4nary\", expires_at = 1, extra = \"c4nary\"",
        ),
        (
            "{ kind = \"sigv4\", service = \"s3\", region = \"eu-west-1\" }",
            "access_key_id = \"a\", secret_access_key = \"c4nary\", session_token = \"c4nary\"",
        ),
        (
            "{ kind = \"header\", name = \"x-key\", value = \"{a}:{b}\" }",
            "a = \"c4nary\", b = \"c4nary\"",
        ),
    ] {
        let config = replaced("{ kind = \"bearer\" }", auth);
        let config = config.replace("token = \"c4nary\"", secret);
        let unread = warned(&config);
        let unread: Vec<_> = unread
            .iter()
            .filter(|line| line.contains("secrets"))
            .collect();
        assert!(unread.is_empty(), "{auth}: {unread:?}");
    }
}

#[test]
fn what_is_never_used() {
    let integration = format!("{GOOD}[integration.w]\nbase_url = \"https://w.test\"");
    one_warning(&integration, &["integration \"w\": no connection uses it"]);
    let caller = replaced("connections = [\"c\"]", "connections = [\"c\", \"team-*\"]");
    one_warning(
        &caller,
        &["caller \"app\": \"team-*\"", "matches no connection"],
    );
    let connection =
        format!("{GOOD}[connection.d]\nintegration = \"v\"\nsecret = {{ token = \"c4nary\" }}");
    one_warning(&connection, &["connection \"d\": no [[caller]] may use it"]);
    let mode = replaced("[limits]", "socket_mode = \"600\"\n[limits]");
    one_warning(&mode, &["socket_mode has no effect"]);
}

/// The connections of a database are unknown when the file is read.
#[test]
fn connections_elsewhere_are_not_missed() {
    let start = GOOD.split("[connection.c]").next().unwrap();
    let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let store =
        format!("{start}[store]\nkind = \"sqlite\"\nurl = \"sqlite://c.db\"\nkey = \"{key}\"");
    assert_eq!(warned(&store), Vec::<String>::new());
}

#[tokio::test]
async fn the_log_has_the_same_warnings_at_the_start() {
    let vendor = Vendor::ok().await;
    let config = Config::new(&vendor).connection("variables = {}");
    let secret = format!("{{ token = \"{TOKEN}\", tokn = \"{TOKEN}\" }}");
    let config = config.auth("{ kind = \"bearer\" }", &secret);
    let mut checked = lines(&check(config.to_string()));
    checked.retain(|line| !line.contains("[store]"));
    assert_eq!(checked.len(), 3, "{checked:#?}");
    let gateway = Gateway::start(&config).await;
    let all = |text: &str| checked.iter().all(|line| text.contains(line.as_str()));
    gateway.stderr.until("the warnings", all).await;
}

#[test]
fn a_secret_that_is_the_name_of_a_variable() {
    for value in ["${ACME_TOKEN}", "$ACME_TOKEN"] {
        let config = replaced(
            "{ token = \"c4nary\" }",
            &format!("{{ token = \"{value}\" }}"),
        );
        one_warning(
            &config,
            &["connection \"c\": secret.token is a placeholder", "env ="],
        );
    }
    let caller = replaced("api_key = \"c4nary\"", "api_key = \"${HOST_KEY}\"");
    let ended = check(&caller);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    let text = "caller.api_key: the key is a placeholder";
    assert!(ended.stderr.contains(text), "{ended:?}");
    assert!(!ended.stderr.contains("HOST_KEY"), "{ended:?}");
}

#[test]
fn a_token_with_the_word_that_the_scheme_adds() {
    let token = |secret: &str| replaced("{ token = \"c4nary\" }", secret);
    let parts = &["connection \"c\": secret.token begins with \"Bearer \""];
    one_warning(&token("{ token = \"bearer c4nary\" }"), parts);
    let header = "auth = { kind = \"header\", name = \"authorization\", value = \"{token}\" }";
    let whole =
        token("{ token = \"Bearer c4nary\" }").replace("auth = { kind = \"bearer\" }", header);
    assert_eq!(warned(&whole), Vec::<String>::new());
    // An entry of the catalog.
    let entry = token("{ token = \"Bearer c4nary\" }")
        .replace("integration = \"v\"", "integration = \"hubspot\"");
    let warned = warned(&entry);
    let found = warned.iter().any(|warning| warning.contains(parts[0]));
    assert!(found, "{warned:#?}");
}

#[test]
fn a_token_with_a_line_break() {
    let parts = &["connection \"c\": secret.token contains a line break"];
    let config = replaced("{ token = \"c4nary\" }", "{ token = \"c4nary\\n\" }");
    one_warning(&config, parts);
}

#[test]
fn a_default_header_that_the_scheme_sets() {
    let config = replaced(
        "auth =",
        "headers = { Authorization = \"Bearer c4nary\", x-a = \"1\" }\nauth =",
    );
    one_warning(
        &config,
        &["integration \"v\": headers.Authorization has no effect"],
    );
}

#[test]
fn a_base_url_that_the_guard_of_addresses_refuses() {
    for host in [
        "10.0.0.5",
        "localhost:9001",
        "[::1]:9001",
        "169.254.169.254",
    ] {
        one_warning(
            &replaced("vendor.test", host),
            &[
                "integration \"v\": base_url leads to an address",
                "network.allow",
            ],
        );
    }
    let named = format!("{GOOD}[network]\nresolve = {{ \"vendor.test\" = \"192.168.0.1\" }}");
    one_warning(&named, &["network.allow"]);
    for (host, network) in [
        ("10.0.0.5", "allow = [\"10.0.0.0/24\"]"),
        ("8.8.8.8", ""),
        ("10.example.com", ""),
    ] {
        let config = format!("{}[network]\n{network}", replaced("vendor.test", host));
        assert_eq!(warned(&config), Vec::<String>::new(), "{host}");
    }
}
