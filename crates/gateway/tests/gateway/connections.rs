//! `connections ...` with a store of kind `sqlite`, while gateways use the store.

use std::fs;
use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use tokio::time::sleep;

use testkit::process::binary::{Ended, run_with};
use testkit::process::canary::{self, TOKEN};
use testkit::process::config::Config;
use testkit::process::folder::Folder;
use testkit::process::gateway::Gateway;
use testkit::vendor::Vendor;
use testkit::wait::within;

/// Returns a key of 32 bytes that all have this value.
fn key(byte: u8) -> String {
    BASE64_STANDARD.encode([byte; 32])
}

fn store(lines: &str) -> String {
    format!("[store]\nkind = \"sqlite\"\nurl = \"sqlite://connections.db\"\n{lines}")
}

/// The files of a gateway: its config, and the file of its connections in the same folder.
struct Files {
    folder: Folder,
    config: Config,
}

impl Files {
    async fn new(vendor: &Vendor) -> Self {
        Self {
            folder: Folder::new(),
            config: Config::new(vendor).table(&store("key = { env = \"KEY\" }")),
        }
    }

    /// Runs a command, with these secrets on stdin.
    fn run(&self, command: &[&str], stdin: &str) -> Ended {
        self.run_keyed(&self.config, &[("KEY", &key(1))], command, stdin)
    }

    fn run_keyed(
        &self,
        config: &Config,
        keys: &[(&str, &str)],
        command: &[&str],
        stdin: &str,
    ) -> Ended {
        let file = self.folder.write("gateway.toml", config.to_string());
        let file = file.to_str().unwrap();
        let arguments = [&["--config", file, "connections"], command].concat();
        let mut ended = run_with(&arguments, keys, stdin);
        canary::assert_absent("stdout", &ended.stdout);
        canary::assert_absent("stderr", &ended.stderr);
        ended.stderr = ended.stderr.replace(file, "FILE");
        ended
    }

    /// Checks that a command succeeds.
    #[track_caller]
    fn done(&self, command: &[&str], stdin: &str, printed: &str) {
        let ended = self.run(command, stdin);
        assert_eq!(ended.code, Some(0), "{command:?}: {ended:?}");
        assert_eq!(ended.stdout, printed, "{command:?}");
    }

    /// Checks that a command fails.
    #[track_caller]
    fn fails(&self, command: &[&str], stdin: &str, code: i32, why: &str) {
        let ended = self.run(command, stdin);
        assert_eq!(ended.code, Some(code), "{command:?}: {ended:?}");
        assert!(ended.stderr.contains(why), "{command:?}: {ended:?}");
    }

    async fn gateway(self) -> Gateway {
        Gateway::start_in(self.folder, &self.config, &[("KEY", &key(1))]).await
    }
}

/// Repeats the question until the answer is `true`.
async fn eventually(what: &str, is_so: impl AsyncFn() -> bool) {
    let asked = async {
        while !is_so().await {
            sleep(Duration::from_millis(50)).await;
        }
    };
    within(what, asked).await;
}

const SECRET: &str = "token = \"c4nary-other\"";

#[tokio::test]
async fn imported_connections_are_served_instead_of_those_in_the_config() {
    let vendor = Vendor::ok().await;
    let files = Files::new(&vendor).await;
    let path = files.folder.path("gateway.toml");
    files.done(
        &["import", path.to_str().unwrap()],
        "",
        "imported 1 connection\n",
    );
    files.done(&["list"], "", "c\tv\tlive\n");
    let gateway = files.gateway().await;
    assert_eq!(gateway.call("/c/x", &[]).await.status(), 200);
    let received = vendor.next().await;
    let expected = format!("Bearer {TOKEN}");
    assert_eq!(received.head.value("authorization"), Some(&*expected));
    gateway.calls(1).await;
    let log = gateway.stderr.text();
    let warning = "connections are stored in sqlite, so the [connection.*] tables of this file (1) aren't served; `connections import` imports them";
    assert_eq!(log.matches(warning).count(), 1, "{log}");
}

#[tokio::test]
async fn a_running_gateway_sees_changes_of_the_store() {
    let vendor = Vendor::ok().await;
    let files = Files::new(&vendor).await;
    let config = files.config.clone();
    let folder = files.folder.path("");
    let gateway = files.gateway().await;
    assert_eq!(gateway.call("/d/x", &[]).await.status(), 404);
    // The commands run in another process, over the same files.
    let beside = |command: &[&str], stdin: &str| {
        let file = folder.join("gateway.toml");
        let arguments = ["--config", file.to_str().unwrap(), "connections"];
        let ended = run_with(&[&arguments, command].concat(), &[("KEY", &key(1))], stdin);
        assert_eq!(ended.code, Some(0), "{ended:?}");
    };
    let authorization = async || {
        let answer = gateway.call("/d/x", &[]).await;
        if answer.status() == 404 {
            return None;
        }
        let received = vendor.next().await;
        received.head.value("authorization").map(str::to_owned)
    };
    beside(&["add", "d", "--integration", "v"], SECRET);
    let added = async || authorization().await.as_deref() == Some("Bearer c4nary-other");
    eventually("the connection that was added", added).await;
    beside(
        &["add", "d", "--integration", "v", "--replace"],
        "token = \"c4nary-third\"",
    );
    let replaced = async || authorization().await.as_deref() == Some("Bearer c4nary-third");
    eventually("its new token", replaced).await;
    // A reload keeps the store open.
    gateway.reload(&config).await;
    assert_eq!(gateway.call("/d/x", &[]).await.status(), 200);
    vendor.next().await;
    beside(&["remove", "d"], "");
    let removed = async || authorization().await.is_none();
    eventually("the connection to be gone", removed).await;
}

#[tokio::test]
async fn secrets_come_from_stdin_or_a_file_and_are_checked() {
    let vendor = Vendor::ok().await;
    let files = Files::new(&vendor).await;
    let add = ["add", "d", "--integration", "v"];
    let missing = "missing key `secret.token`, which the integration's `auth` needs";
    files.fails(&add, "", 2, missing);
    files.fails(&add, "token = c4nary", 2, "stdin:1:9: ");
    files.fails(&add, "c4nary", 2, "stdin:1:7: ");
    files.fails(
        &add,
        "token = [\"c4nary\"]",
        2,
        "stdin:1:9: token: expected a string",
    );
    let unknown = ["add", "d", "--integration", "w"];
    let why =
        "--integration: neither the config file nor the catalog has an integration with this name";
    files.fails(&unknown, SECRET, 2, why);
    files.done(&["list"], "", "");

    files.done(&add, SECRET, "added 1 connection\n");
    let why = "the connection d already exists; --replace replaces it";
    files.fails(&add, SECRET, 1, why);
    let secrets = files.folder.write("secrets.toml", SECRET);
    let from_file = [
        &add[..],
        &["--secrets", secrets.to_str().unwrap(), "--replace"],
    ]
    .concat();
    files.done(&from_file, "", "added 1 connection\n");
    files.done(&["list"], "", "d\tv\tlive\n");

    files.fails(
        &["remove", "d", "e"],
        "",
        1,
        "the connection e doesn't exist",
    );
    files.done(&["list"], "", "");
    files.fails(
        &["import", "none.toml"],
        "",
        2,
        "none.toml: can't be read: ",
    );
}

/// The same types as in the config file: numbers and dates, each checked by the keys that the integration reads.
#[tokio::test]
async fn secrets_may_be_numbers_and_dates() {
    let vendor = Vendor::ok().await;
    let mut files = Files::new(&vendor).await;
    let auth = "{ kind = \"oauth2\", token_url = \"http://vendor.test/t\", client_id = \"a\", \
                client_secret = \"b\" }";
    files.config = files.config.auth(auth, "{}");
    let add = ["add", "d", "--integration", "v", "--replace"];
    for end in ["1795601782", "2026-11-25T09:00:00Z", "\"1795601782\""] {
        let secrets = format!("access_token = \"c4nary\"\nexpires_at = {end}");
        files.done(&add, &secrets, "added 1 connection\n");
    }
    let secrets = "access_token = \"c4nary\"\nexpires_at = \"c4nary\"";
    files.fails(
        &add,
        secrets,
        2,
        "`secret.expires_at`: expected Unix seconds",
    );
    let table = format!("[connection.e]\nintegration = \"v\"\n[connection.e.secret]\n{secrets}");
    let why = "stdin:1:1: connection.e: `secret.expires_at`: expected Unix seconds";
    files.fails(&["import", "-"], &table, 2, why);
    files.done(&["list"], "", "d\tv\tlive\n");
}

#[tokio::test]
async fn a_dash_means_standard_input() {
    let vendor = Vendor::ok().await;
    let files = Files::new(&vendor).await;
    let table = format!("[connection.e]\nintegration = \"v\"\nsecret.{SECRET}");
    files.done(&["import", "-"], &table, "imported 1 connection\n");
    files.fails(
        &["import", "-"],
        "[connection.e]\nsecret = c4nary",
        2,
        "stdin:2:10: ",
    );
    let nothing = "stdin:1:1: the file contains no [connection.*] tables";
    files.fails(&["import", "-"], "", 2, nothing);
    let add = ["add", "d", "--integration", "v", "--secrets", "-"];
    files.done(&add, SECRET, "added 1 connection\n");
    files.done(&["list"], "", "d\tv\tlive\ne\tv\tlive\n");
    let help = run_with(&["connections", "import", "--help"], &[], "").stdout;
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for told in [
        "`-` reads standard input",
        "Nothing is imported either if a token was refreshed since it was stored",
        "also tokens that a gateway refreshes during the import",
        "if the store fails, none of them is imported",
    ] {
        assert!(help.contains(told), "{help}");
    }
}

/// White space that environments and files put around a key isn't part of the key.
#[tokio::test]
async fn white_space_around_a_key_is_ignored() {
    let vendor = Vendor::ok().await;
    let files = Files::new(&vendor).await;
    let add = ["add", "c", "--integration", "v"];
    files.done(&add, SECRET, "added 1 connection\n");
    let spaced = format!(" \t{}\r\n\n", key(1));
    let list = |config: &Config| files.run_keyed(config, &[("KEY", &spaced)], &["list"], "");
    assert_eq!(list(&files.config).stdout, "c\tv\tlive\n");
    files.folder.write("key", &spaced);
    let from_file = Config::new(&vendor).table(&store("key = { file = \"key\" }"));
    assert_eq!(list(&from_file).stdout, "c\tv\tlive\n");
    let literal = format!("key = \" {} \"", key(1));
    let literal = Config::new(&vendor).table(&store(&literal));
    assert_eq!(list(&literal).stdout, "c\tv\tlive\n");
}

#[tokio::test]
async fn a_check_finds_a_wrong_key_and_makes_no_file() {
    let vendor = Vendor::ok().await;
    let files = Files::new(&vendor).await;
    let file = files.folder.write("gateway.toml", files.config.to_string());
    let check = |byte| {
        let arguments = ["--config", file.to_str().unwrap(), "--check"];
        run_with(&arguments, &[("KEY", &key(byte))], "")
    };
    assert_eq!(check(2).code, Some(0));
    assert!(!files.folder.path("connections.db").exists());
    let add = ["add", "c", "--integration", "v"];
    files.done(&add, SECRET, "added 1 connection\n");
    let wrong = check(2);
    assert_eq!((wrong.code, &*wrong.stdout), (Some(2), ""), "{wrong:?}");
    let why = "its connections are encrypted with a key that is neither `key` nor in `keys`";
    assert!(wrong.stderr.contains(why), "{wrong:?}");
    assert!(!wrong.stderr.contains(&key(2)), "{wrong:?}");
    let right = check(1);
    assert_eq!(right.code, Some(0), "{right:?}");
    let good = "the config is good: ";
    assert!(right.stdout.starts_with(good), "{right:?}");
}

/// A check of the next config, with a new key, must not lock out the config that runs.
#[tokio::test]
async fn a_check_writes_nothing() {
    let vendor = Vendor::ok().await;
    let files = Files::new(&vendor).await;
    let add = ["add", "c", "--integration", "v"];
    files.done(&add, SECRET, "added 1 connection\n");
    let contents = || {
        let entries = fs::read_dir(files.folder.path("")).unwrap();
        let read = entries.map(|entry| {
            let path = entry.unwrap().path();
            (fs::read(&path).unwrap(), path)
        });
        let mut read: Vec<_> = read
            .filter(|(_, path)| path.extension().is_none_or(|end| end != "toml"))
            .collect();
        read.sort_unstable();
        read
    };
    let next = Config::new(&vendor).table(&store(
        "key = { env = \"NEW\" }\nold_keys = [{ env = \"KEY\" }]",
    ));
    let file = files.folder.path("next.toml");
    fs::write(&file, next.to_string()).unwrap();
    let before = contents();
    let arguments = ["--config", file.to_str().unwrap(), "--check"];
    let (old, new) = (key(1), key(2));
    let checked = run_with(&arguments, &[("KEY", &old), ("NEW", &new)], "");
    assert_eq!(checked.code, Some(0), "{checked:?}");
    assert!(before == contents(), "the check has changed the file");
    files.done(&["list"], "", "c\tv\tlive\n");
}

/// Callers learn that the store failed, and the log names the cause.
#[tokio::test]
async fn the_log_names_the_cause_of_a_store_failure_at_most_once_in_a_while() {
    let vendor = Vendor::ok().await;
    let files = Files::new(&vendor).await;
    let add = ["add", "c", "--integration", "v"];
    files.done(&add, SECRET, "added 1 connection\n");
    let path = files.folder.path("connections.db");
    let gateway = files.gateway().await;
    let other = rusqlite::Connection::open(path).unwrap();
    other.execute_batch("DROP TABLE connections").unwrap();
    for _ in 0..3 {
        let answer = gateway.call("/c/x", &[]).await;
        let answer = (answer.status(), answer.error());
        assert_eq!(answer, (503, Some("store-unavailable")));
    }
    gateway.calls(3).await;
    let log = gateway.stderr.text();
    let mut lines = log.lines().filter(|line| line.contains("the store failed"));
    let line = lines.next().unwrap();
    assert!(line.contains("WARN"), "{line}");
    let why = "the store's file can't be used: SQLite failed: no such table";
    assert!(line.contains(why), "{line}");
    // The log has another line if the calls take longer than the pause between two such lines.
    assert!(lines.count() < 2, "{log}");
}

/// Only `key` opens the records that `key` encrypted. During a rotation both keys open records, until all records are
/// encrypted with the new key.
#[tokio::test]
async fn keys_are_rotated_while_all_connections_work() {
    let vendor = Vendor::ok().await;
    let files = Files::new(&vendor).await;
    let (first, second) = (key(1), key(2));
    files.done(
        &["add", "c", "--integration", "v"],
        SECRET,
        "added 1 connection\n",
    );
    let old = [("KEY", &*first)];
    let alone = [("KEY", &*second)];
    let new = [("KEY", &*second), ("OLD", &*first)];
    let rotating = Config::new(&vendor).table(&store(
        "key = { env = \"KEY\" }\nold_keys = [{ env = \"OLD\" }]",
    ));
    let list =
        |config: &Config, keys: &[(&str, &str)]| files.run_keyed(config, keys, &["list"], "");
    let wrong = list(&files.config, &alone);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    let why = "its connections are encrypted with a key that is neither `key` nor in `keys`";
    assert!(wrong.stderr.contains(why), "{wrong:?}");
    assert!(!wrong.stderr.contains(&*second), "{wrong:?}");
    assert_eq!(list(&rotating, &new).code, Some(0));
    let rotated = files.run_keyed(&rotating, &new, &["rotate-key"], "");
    assert_eq!(rotated.stdout, "re-encrypted 1 connection\n", "{rotated:?}");
    assert_eq!(list(&files.config, &alone).code, Some(0));
    assert_eq!(list(&files.config, &old).code, Some(2));

    let Files { folder, config } = files;
    let gateway = Gateway::start_in(folder, &config, &[("KEY", &second)]).await;
    assert_eq!(gateway.call("/c/x", &[]).await.status(), 200);
    let received = vendor.next().await;
    let authorization = received.head.value("authorization");
    assert_eq!(authorization, Some("Bearer c4nary-other"));
}

/// The steps that `rotate-key --help` lists, with two gateways on one file. Each gateway reads at each step what the
/// other gateway and commands with its config have written.
#[tokio::test]
async fn two_gateways_replace_a_key_and_no_call_fails() {
    let vendor = Vendor::ok().await;
    let folders = [Folder::new(), Folder::new()];
    let file = folders[0].path("connections.db");
    let file = file.to_str().unwrap();
    let (old, new) = (key(1), key(2));
    let variables = [("OLD", &*old), ("NEW", &*new)];
    let config = |keys: &str| {
        let table = format!("[store]\nkind = \"sqlite\"\nurl = \"sqlite://{file}\"\n{keys}");
        Config::new(&vendor).table(&table)
    };
    let (old_key, new_key) = ("key = { env = \"OLD\" }", "key = { env = \"NEW\" }");
    let first = config(old_key);
    let second = config(&format!("{old_key}\nkeys = [{{ env = \"NEW\" }}]"));
    let third = config(&format!("{new_key}\nkeys = [{{ env = \"OLD\" }}]"));
    let last = config(new_key);

    let paths = folders.each_ref().map(|folder| folder.path("gateway.toml"));
    let command = |at: usize, command: &[&str], stdin: &str| {
        let path = paths.get(at).unwrap().to_str().unwrap();
        let arguments = ["--config", path, "connections"];
        let ended = run_with(&[&arguments, command].concat(), &variables, stdin);
        assert_eq!(ended.code, Some(0), "{command:?}: {ended:?}");
        ended.stdout
    };
    let mut gateways = Vec::new();
    for folder in folders {
        gateways.push(Gateway::start_in(folder, &first, &variables).await);
    }
    let mut ids = Vec::new();
    // Each gateway reads all connections, and one that was just written with each gateway's keys.
    let mut step = async |what: &str| {
        for at in 0..gateways.len() {
            ids.push(format!("c{}", ids.len()));
            let add = ["add", ids.last().unwrap(), "--integration", "v"];
            command(at, &add, SECRET);
            for id in &ids {
                for (number, gateway) in gateways.iter().enumerate() {
                    let answer = gateway.call(&format!("/{id}/x"), &[]).await;
                    let answered = (answer.status(), answer.error());
                    assert_eq!(answered, (200, None), "{what}: {id} through {number}");
                    vendor.next().await;
                }
            }
        }
        ids.len()
    };
    step("before").await;
    for (what, config) in [
        ("the new key decrypts", &second),
        ("the new key encrypts", &third),
    ] {
        for gateway in &gateways {
            gateway.reload(config).await;
            step(what).await;
        }
    }
    let rotated = command(0, &["rotate-key"], "");
    assert!(rotated.starts_with("re-encrypted "), "{rotated}");
    let count = step("after rotate-key").await;
    for gateway in &gateways {
        gateway.reload(&last).await;
        step("without the old key").await;
    }
    assert!(count > 10);
    let help = run_with(&["connections", "rotate-key", "--help"], &[], "").stdout;
    for part in [
        "1. Add the new key to `keys`",
        "2. Make the new key `key`",
        "3. Run",
        "4. Remove",
    ] {
        assert!(help.contains(part), "{help}");
    }
}

#[tokio::test]
async fn a_gateway_with_the_wrong_key_reports_it_and_exits_2() {
    let vendor = Vendor::ok().await;
    let files = Files::new(&vendor).await;
    files.done(
        &["add", "c", "--integration", "v"],
        SECRET,
        "added 1 connection\n",
    );
    let file = files.folder.path("gateway.toml");
    let wrong = key(3);
    let ended = run_with(
        &["--config", file.to_str().unwrap()],
        &[("KEY", &wrong)],
        "",
    );
    assert_eq!(ended.code, Some(2), "{ended:?}");
    let why = "its connections are encrypted with a key that is neither `key` nor in `keys`";
    assert!(ended.stderr.contains(why), "{ended:?}");
    assert!(!ended.stderr.contains(&*wrong), "{ended:?}");
    assert_eq!(ended.stdout, "");
}

/// Neither the database file nor the files that SQLite keeps next to it contain a secret.
#[tokio::test]
async fn l6_no_file_of_the_store_holds_a_secret() {
    let vendor = Vendor::ok().await;
    let files = Files::new(&vendor).await;
    for id in ["c", "d"] {
        let add = ["add", id, "--integration", "v"];
        files.done(&add, SECRET, "added 1 connection\n");
    }
    let folder = files.folder.path("");
    assert_no_secret(&folder);
    let gateway = files.gateway().await;
    assert_eq!(gateway.call("/c/x", &[]).await.status(), 200);
    assert_no_secret(&folder);
}

#[track_caller]
fn assert_no_secret(folder: &Path) {
    let mut seen = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap() == "gateway.toml" {
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let place = path.display().to_string();
        canary::assert_absent(&place, &String::from_utf8_lossy(&bytes));
        seen += usize::from(!bytes.is_empty());
    }
    assert_ne!(seen, 0, "no file of the store");
}
