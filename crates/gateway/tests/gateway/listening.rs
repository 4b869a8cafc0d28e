//! The forms of `listen`, and the operator's view: the help, and the log of calls.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use testkit::process::binary::{self, check, run};
use testkit::process::canary::{KEY, TOKEN};
use testkit::process::config::Config;
use testkit::process::curl::{Answer, curl};
use testkit::process::folder::Folder;
use testkit::process::gateway::Gateway;
use testkit::process::output::Output;
use testkit::vendor::Vendor;

/// Returns the config with this place to listen at.
fn at(config: &Config, listen: &str) -> String {
    let text = config.to_string();
    text.replace(
        "listen = \"127.0.0.1:0\"",
        &format!("listen = \"{listen}\""),
    )
}

/// A gateway that listens on a Unix socket.
struct OnSocket {
    child: Child,
    stdout: Output,
    stderr: Output,
}

impl OnSocket {
    fn start(folder: &Folder, config: &str) -> Self {
        let file = folder.write("gateway.toml", config);
        let mut command = binary::command();
        command.arg("--config").arg(file);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        Self {
            stdout: Output::of(child.stdout.take().unwrap()),
            stderr: Output::of(child.stderr.take().unwrap()),
            child,
        }
    }

    async fn is_listening(&self) -> String {
        self.stdout
            .until("a line", |text| text.contains('\n'))
            .await
    }

    fn terminate(&self) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(id.unwrap(), Signal::TERM).unwrap();
    }
}

impl Drop for OnSocket {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn call(socket: &Path, arguments: &[&str]) -> Answer {
    let key = format!("x-api-key: {KEY}");
    let socket = socket.to_str().unwrap();
    let own = [
        "--unix-socket",
        socket,
        "-H",
        &key,
        "http://gateway/passthrough/c/x",
    ];
    curl(&[arguments, &own[..]].concat()).await
}

#[tokio::test]
async fn listen_on_all_addresses_and_on_a_name() {
    let vendor = Vendor::ok().await;
    for (listen, is_all) in [(":0", true), ("*:0", true), ("localhost:0", false)] {
        let file = at(&Config::new(&vendor), listen);
        let folder = Folder::new();
        let gateway = OnSocket::start(&folder, &file);
        let line = gateway.is_listening().await;
        let address = line.trim().strip_prefix("listening on http://").unwrap();
        let address: SocketAddr = address.parse().unwrap();
        assert_eq!(address.ip().is_unspecified(), is_all, "{listen}: {address}");
        let ip = match is_all {
            // IPv4 is reached as well.
            true => Ipv4Addr::LOCALHOST.into(),
            false => address.ip(),
        };
        let url = format!("http://{}/healthz", SocketAddr::new(ip, address.port()));
        assert_eq!(curl(&[&url]).await.body(), "ok\n", "{listen}");
        // The peer of a dual socket is written as IPv4.
        let url = format!(
            "http://{}/passthrough/c/x",
            SocketAddr::new(ip, address.port())
        );
        curl(&[&url]).await;
        let peer = format!(" peer={ip} ");
        gateway
            .stderr
            .until("the peer", |text| text.contains(&peer))
            .await;
    }
}

#[tokio::test]
async fn listen_on_a_unix_socket() {
    let vendor = Vendor::ok().await;
    for (lines, mode) in [
        ("", 0o660),
        ("socket_mode = \"600\"", 0o600),
        ("socket_mode = \"0666\"", 0o666),
    ] {
        let folder = Folder::new();
        // A relative path begins in the folder of the config.
        let file = at(&Config::new(&vendor).top(lines), "unix:gw.sock");
        let mut gateway = OnSocket::start(&folder, &file);
        let socket = folder.path("gw.sock");
        let line = gateway.is_listening().await;
        assert_eq!(line, format!("listening on unix:{}\n", socket.display()));
        let metadata = std::fs::metadata(&socket).unwrap();
        assert!(metadata.file_type().is_socket());
        assert_eq!(metadata.permissions().mode() & 0o777, mode, "{lines}");
        let answer = call(&socket, &[]).await;
        assert_eq!(answer.status(), 200, "{answer:?}");
        assert_eq!(vendor.next().await.target(), "/x");
        let log = gateway
            .stderr
            .until("the call", |text| text.contains(" audit: call "))
            .await;
        assert!(
            log.contains("caller=\"caller-1\"") && !log.contains("peer="),
            "{log}"
        );
        // The file ends with the gateway.
        gateway.terminate();
        assert_eq!(gateway.child.wait().unwrap().code(), Some(0));
        assert!(!socket.exists());
    }
}

#[tokio::test]
async fn a_socket_that_was_left_behind_is_replaced() {
    let vendor = Vendor::ok().await;
    let folder = Folder::new();
    let socket = folder.path("gw.sock");
    drop(UnixListener::bind(&socket).unwrap());
    assert!(socket.exists());
    let gateway = OnSocket::start(&folder, &at(&Config::new(&vendor), "unix:gw.sock"));
    gateway.is_listening().await;
    assert_eq!(call(&socket, &[]).await.status(), 200);
}

#[tokio::test]
async fn a_socket_in_use_and_another_file_stay() {
    let vendor = Vendor::ok().await;
    let folder = Folder::new();
    let socket = folder.path("gw.sock");
    let other = UnixListener::bind(&socket).unwrap();
    let file = folder.write("gateway.toml", at(&Config::new(&vendor), "unix:gw.sock"));
    let ended = run(&["--config", file.to_str().unwrap()]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("another process listens on this socket"),
        "{ended:?}"
    );
    other.accept().unwrap();
    let plain = folder.write("plain", "text");
    folder.write("gateway.toml", at(&Config::new(&vendor), "unix:plain"));
    let ended = run(&["--config", file.to_str().unwrap()]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("isn't a socket"), "{ended:?}");
    assert_eq!(std::fs::read_to_string(plain).unwrap(), "text");
}

/// Calls that have arrived are answered, as on an address.
#[tokio::test]
async fn operators_can_have_a_unix_socket() {
    let vendor = Vendor::ok().await;
    let folder = Folder::new();
    let config = Config::new(&vendor).table("[operator]\nlisten = \"unix:op.sock\"");
    let gateway = OnSocket::start(&folder, &at(&config, "unix:gw.sock"));
    let told = |text: &str| text.contains("listening for operators on unix:");
    gateway.stdout.until("the place for operators", told).await;
    let ready = |socket: &str| {
        let socket = folder.path(socket).to_str().unwrap().to_owned();
        async move { curl(&["--unix-socket", &socket, "http://gateway/readyz"]).await }
    };
    assert_eq!(ready("op.sock").await.body(), "ready\n");
    assert_eq!(ready("gw.sock").await.status(), 404);
}

#[tokio::test]
async fn tls_on_a_unix_socket_is_refused() {
    let vendor = Vendor::ok().await;
    let folder = Folder::new();
    let (certificate, key) = testkit::certificates::certificate_pem("gw.test");
    let certificate = folder.write("cert.pem", certificate);
    let key = folder.write("key.pem", key);
    let tls = format!(
        "[tls]\ncertificate = \"{}\"\nprivate_key = \"{}\"",
        certificate.display(),
        key.display()
    );
    let ended = check(at(&Config::new(&vendor).table(&tls), "unix:gw.sock"));
    assert_eq!(ended.code, Some(2));
    assert!(
        ended
            .stderr
            .contains("`listen` is a Unix socket, which has no TLS"),
        "{ended:?}"
    );
}

#[test]
fn help_names_signals_the_environment_and_the_endpoints() {
    let help = run(&["--help"]).stdout;
    for name in [
        "SIGTERM", "SIGINT", "SIGHUP", "RUST_LOG", "/healthz", "/readyz", "/metrics", "unix:",
        ":8080",
    ] {
        assert!(help.contains(name), "{name} is missing: {help}");
    }
}

#[test]
fn listen_on_the_command_line_has_the_same_forms() {
    for listen in [
        "8080",
        "localhost",
        "http://127.0.0.1:1",
        "unix:",
        "127.1:80",
    ] {
        let ended = run(&["--listen", listen]);
        assert_eq!(ended.code, Some(2), "{listen}");
        assert!(
            ended.stderr.contains("unix:/run/passthrough.sock"),
            "{ended:?}"
        );
    }
}

#[tokio::test]
async fn log_json() {
    let vendor = Vendor::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let quoted = "a \"b";
    let callers =
        format!("[[caller]]\nname = 'the \"app\"'\napi_key = \"{KEY}\"\nconnections = [\"*\"]");
    let config = Config::new(&vendor).top("log = \"json\"").callers(&callers);
    let gateway = Gateway::start(&config).await;
    gateway.call("/c/x", &["--data", "abc"]).await;
    gateway.call("/a%20%22b/x", &[]).await;
    let calls =
        |text: &str| text.matches("\"target\":\"audit\"").count() >= 2 && text.ends_with('\n');
    let log = gateway.stderr.until("two lines", calls).await;
    // Each line is an object, also the lines that aren't about calls.
    let lines: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect();
    assert!(
        lines
            .iter()
            .all(|line| line["timestamp"].is_string() && line["level"].is_string())
    );
    assert!(lines.iter().any(|line| line["level"] == "WARN"), "{log}");
    let calls: Vec<_> = lines
        .iter()
        .filter(|line| line["target"] == "audit")
        .collect();
    let [first, second] = &calls[..] else {
        panic!("{log}");
    };
    assert_eq!(first["message"], "call");
    assert_eq!(first["caller"], "the \"app\"");
    assert_eq!(first["connection"], "c");
    assert_eq!(first["integration"], "v");
    assert_eq!(first["method"], "POST");
    assert_eq!(first["status"], 200);
    assert_eq!(first["request_bytes"], 3);
    assert_eq!(first["peer"], "127.0.0.1");
    assert_eq!(first["verdict"], "allowed");
    assert_eq!(first["path"], serde_json::Value::Null);
    assert_eq!(second["connection"], quoted);
    assert_eq!(second["code"], "unknown-connection");
}

#[tokio::test]
async fn a_reload_changes_the_format_of_the_log() {
    let vendor = Vendor::ok().await;
    let gateway = Gateway::start(&Config::new(&vendor)).await;
    gateway.call("/c/x", &[]).await;
    gateway.calls(1).await;
    gateway
        .reload(&Config::new(&vendor).top("log = \"json\""))
        .await;
    gateway.call("/c/x", &[]).await;
    let json = |text: &str| text.contains("\"target\":\"audit\"");
    gateway.stderr.until("a line in JSON", json).await;
    // A file with a mistake leaves an object for each problem.
    gateway.hang_up("colour = 1");
    let told = |text: &str| text.contains("config not reloaded");
    let log = gateway.stderr.until("the problem", told).await;
    let problem = log.lines().find(|line| line.contains("unknown key"));
    let problem: serde_json::Value = serde_json::from_str(problem.unwrap()).unwrap();
    assert_eq!(problem.get("level").unwrap(), "ERROR");
}

#[tokio::test]
async fn observe_paths() {
    let vendor = Vendor::ok().await;
    let targets = [
        ("/c/v2/users?key=a-value", "path=/v2/users"),
        ("/c/%2Fv2%2Fusers%3Fkey%3Da-value", "path=/%2Fv2%2Fusers"),
        ("/c", "path=/"),
        ("/c/a%0Ab\"c", "path=\"/a%0Ab\\\"c\""),
    ];
    for (table, has_path) in [
        ("", false),
        ("[observe]\npaths = false", false),
        ("[observe]\npaths = true", true),
    ] {
        let gateway = Gateway::start(&Config::new(&vendor).table(table)).await;
        for (target, _) in targets {
            gateway.call(target, &[]).await;
        }
        let calls = gateway.calls(targets.len()).await;
        for (call, (_, path)) in calls.iter().zip(targets) {
            assert_eq!(call.contains(path), has_path, "{table}: {call}");
            assert!(!call.contains("a-value"), "{call}");
        }
    }
}

/// The path is complete if something else names the connection.
#[tokio::test]
async fn observe_paths_in_each_way_of_addressing() {
    let vendor = Vendor::ok().await;
    let top = "address_by = [\"path\", \"host\", \"header\", \"key\"]\nhost_pattern = \"{connection}.gw.test\"";
    let config = Config::new(&vendor)
        .top(top)
        .callers("[[caller]]\napi_key = \"k3y\"\nconnections = [\"c\"]")
        .table("[observe]\npaths = true");
    let gateway = Gateway::start(&config).await;
    let key = "x-api-key: k3y";
    for (target, fields) in [
        ("/passthrough/c/admin/users", &[key][..]),
        ("/admin/users", &[key, "Host: c.gw.test"]),
        ("/passthrough/admin/users", &[key, "x-connection: c"]),
        ("/admin/users", &[key]),
    ] {
        let arguments: Vec<_> = fields.iter().flat_map(|field| ["-H", field]).collect();
        let answer = gateway.curl(target, &arguments).await;
        assert_eq!(answer.status(), 200, "{target} {fields:?}");
        assert_eq!(vendor.next().await.target(), "/admin/users");
    }
    for call in gateway.calls(4).await {
        assert!(call.contains("path=/admin/users"), "{call}");
    }
}

/// The peer of a caller without a key is in the log as well.
#[tokio::test]
async fn the_log_names_the_peer_of_each_call() {
    let vendor = Vendor::ok().await;
    let gateway = Gateway::start(&Config::new(&vendor)).await;
    gateway.call("/c/x", &[]).await;
    gateway.curl("/passthrough/c/x", &[]).await;
    let calls = gateway.calls(2).await;
    for call in &calls {
        assert!(call.contains("peer=127.0.0.1"), "{call}");
    }
}

/// The caller's answer doesn't name the secret.
#[tokio::test]
async fn the_log_names_the_secret_that_a_connection_lacks() {
    let vendor = Vendor::ok().await;
    let folder = Folder::new();
    let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let store = format!("[store]\nkind = \"sqlite\"\nurl = \"sqlite://c.db\"\nkey = \"{key}\"");
    let secret = format!("{{ tokn = \"{TOKEN}\" }}");
    // The integration changes its scheme after the connection was imported.
    let header = "{ kind = \"header\", name = \"x-key\", value = \"{tokn}\" }";
    let before = Config::new(&vendor).auth(header, &secret).table(&store);
    let file = folder.write("gateway.toml", before.to_string());
    let file = file.to_str().unwrap();
    let ended = run(&["--config", file, "connections", "import", file]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let after = Config::new(&vendor)
        .auth("{ kind = \"bearer\" }", &secret)
        .table(&store);
    let gateway = Gateway::start_in(folder, &after, &[]).await;
    let answer = gateway.call("/c/x", &[]).await;
    let answered = (answer.status(), answer.error());
    assert_eq!(answered, (424, Some("reauthorize")));
    assert!(!answer.body().contains("`token`"), "{answer:?}");
    let named = |text: &str| text.contains("lacks the secret `token`");
    let log = gateway.stderr.until("the secret's name", named).await;
    assert!(log.contains("connection=\"c\""), "{log}");
    vendor.untouched().await;
}

/// An imported connection whose secrets nothing reads is a warning.
#[tokio::test]
async fn an_import_warns_about_secrets_that_nothing_reads() {
    let vendor = Vendor::ok().await;
    let folder = Folder::new();
    let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let store = format!("[store]\nkind = \"sqlite\"\nurl = \"sqlite://c.db\"\nkey = \"{key}\"");
    let secret = format!("{{ token = \"{TOKEN}\", tokn = \"{TOKEN}\" }}");
    let lines = "pass_forwarded = true\nlog = \"text\"\ntitle_case = false";
    let config = Config::new(&vendor)
        .top(lines)
        .auth("{ kind = \"bearer\" }", &secret);
    let config = config
        .table(&store)
        .table("[pool]\nidle = \"50s\"\n[refresh]\nskew = \"5m\"");
    let file = folder.write("gateway.toml", config.to_string());
    let file = file.to_str().unwrap();
    let ended = run(&["--config", file, "connections", "import", file]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.stderr.contains("doesn't read the secrets \"tokn\""),
        "{ended:?}"
    );
    assert!(!ended.stderr.contains(TOKEN), "{ended:?}");
}
