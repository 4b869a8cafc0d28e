//! The places from which secrets are read: the config file, the environment, another file, the output of a program.

use rustix::process::Signal;
use testkit::process::binary::check;
use testkit::process::canary::TOKEN;
use testkit::process::config::Config;
use testkit::process::folder::Folder;
use testkit::process::gateway::Gateway;
use testkit::vendor::Vendor;
use testkit::wait::within;

/// Starts a gateway with the key and the token from these places, makes a call with the key, and returns the
/// `Authorization` that the vendor received.
async fn authorization(
    key: &str,
    token: &str,
    folder: Folder,
    variables: &[(&str, &str)],
) -> Option<String> {
    let vendor = Vendor::ok().await;
    let callers = format!("[[caller]]\napi_key = {key}\nconnections = [\"*\"]");
    let config = Config::new(&vendor)
        .callers(&callers)
        .auth("{ kind = \"bearer\" }", &format!("{{ token = {token} }}"));
    let gateway = Gateway::start_in(folder, &config, variables).await;
    let field = ["-H", "x-api-key: c4nary key"];
    let answer = gateway.curl("/passthrough/c/x", &field).await;
    assert_eq!(answer.status(), 200, "{answer:?}");
    let received = vendor.next().await;
    received.head.value("authorization").map(str::to_owned)
}

#[tokio::test]
async fn from_the_file_itself() {
    let key = "'''c4nary key'''";
    let token = "\"c4nary\\u0021\"";
    let value = authorization(key, token, Folder::new(), &[]).await;
    assert_eq!(value.as_deref(), Some("Bearer c4nary!"));
}

/// Numbers are sent in decimal, and dates in the form of RFC 3339.
#[tokio::test]
async fn from_a_number_or_a_date() {
    let key = "\"c4nary key\"";
    for (token, sent) in [
        ("1795601782", "1795601782"),
        ("0x10", "16"),
        ("-1_000", "-1000"),
        ("2026-11-25T09:00:00Z", "2026-11-25T09:00:00Z"),
        ("2026-11-25 09:00:00+01:00", "2026-11-25T09:00:00+01:00"),
        ("2026-11-25", "2026-11-25"),
    ] {
        let value = authorization(key, token, Folder::new(), &[]).await;
        assert_eq!(value, Some(format!("Bearer {sent}")), "{token}");
    }
}

#[tokio::test]
async fn from_the_environment() {
    let variables = [("HOST_KEY", "c4nary key"), ("VENDOR_TOKEN", TOKEN)];
    let (key, token) = ("{ env = \"HOST_KEY\" }", "{ env = \"VENDOR_TOKEN\" }");
    let value = authorization(key, token, Folder::new(), &variables).await;
    assert_eq!(value, Some(format!("Bearer {TOKEN}")));
}

/// The path is relative to the config file, and the line break that editors add is removed.
#[tokio::test]
async fn from_another_file() {
    for end in ["", "\n", "\r\n"] {
        let folder = Folder::new();
        folder.write("key", format!("c4nary key{end}"));
        folder.write("token", format!("{TOKEN}{end}"));
        let (key, token) = ("{ file = \"key\" }", "{ file = \"./token\" }");
        let value = authorization(key, token, folder, &[]).await;
        assert_eq!(value, Some(format!("Bearer {TOKEN}")), "{end:?}");
    }
}

/// A user may have put the secret itself there, so the error doesn't contain the name of the variable or the path.
#[tokio::test]
async fn l4_a_missing_source_is_an_error_without_its_name() {
    let vendor = Vendor::ok().await;
    for (source, why) in [
        (
            "{ env = \"C4NARY_UNSET\" }",
            "the environment variable isn't set",
        ),
        ("{ file = \"c4nary\" }", "the file can't be read"),
    ] {
        let secret = format!("{{ token = {source} }}");
        let config = Config::new(&vendor).auth("{ kind = \"bearer\" }", &secret);
        let ended = check(config.to_string());
        assert_eq!(ended.code, Some(2), "{source}");
        assert!(ended.stderr.contains(why), "{}", ended.stderr);
        let place = ": connection.c.secret.token: ";
        assert!(ended.stderr.contains(place), "{}", ended.stderr);
    }
}

/// Only the connection's owner can repair a secret that can't be sent.
#[tokio::test]
async fn t9_a_secret_that_cannot_be_sent_is_reauthorize() {
    let vendor = Vendor::ok().await;
    let secret = "{ token = \"c4nary\\r\\nx: y\" }";
    let config = Config::new(&vendor).auth("{ kind = \"bearer\" }", secret);
    let gateway = Gateway::start(&config).await;
    let answer = gateway.call("/c/x", &[]).await;
    assert_eq!(
        (answer.status(), answer.error()),
        (424, Some("reauthorize"))
    );
    vendor.untouched().await;
}

/// A name is searched in `PATH`, and a path begins in the folder of the config file. There is no shell, and the environment is
/// the gateway's.
#[tokio::test]
async fn from_the_output_of_a_program() {
    use std::os::unix::fs::PermissionsExt as _;

    for end in ["", "\\n", "\\r\\n"] {
        let folder = Folder::new();
        let script = folder.write("token.sh", "#!/bin/sh\nprintf %s \"$1$TOKEN\"");
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
        let key = format!("{{ command = [\"printf\", \"c4nary key{end}\"] }}");
        let token = "{ command = [\"./token.sh\", \"$(c4nary)*-\"] }";
        let value = authorization(&key, token, folder, &[("TOKEN", TOKEN)]).await;
        assert_eq!(value, Some(format!("Bearer $(c4nary)*-{TOKEN}")), "{end:?}");
    }
}

/// Returns a config whose connection has the output of this shell command as its token.
fn with_command(vendor: &Vendor, script: &str) -> Config {
    let secret = format!("{{ token = {{ command = [\"sh\", \"-c\", '''{script}'''] }} }}");
    Config::new(vendor).auth("{ kind = \"bearer\" }", &secret)
}

/// A reload that is under way doesn't leave its programs behind.
#[tokio::test]
async fn a_program_ends_with_the_gateway() {
    let vendor = Vendor::ok().await;
    let folder = Folder::new();
    let note = folder.path("pid");
    let script = format!(
        "echo $$ > {0}.new; mv {0}.new {0}; sleep 600",
        note.display()
    );
    let mut gateway = Gateway::start_in(folder, &with_command(&vendor, "echo c4nary"), &[]).await;
    gateway.hang_up(with_command(&vendor, &script).to_string());
    let started = async {
        loop {
            if let Ok(id) = std::fs::read_to_string(&note) {
                return id.trim().to_owned();
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let id = within("the program's start", started).await;
    gateway.signal(Signal::TERM);
    within("the gateway's end", gateway.exit()).await;
    // A program that has ended may stay as a zombie for a while, without a command line.
    let ended = async {
        while std::fs::read(format!("/proc/{id}/cmdline")).is_ok_and(|line| !line.is_empty()) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    // The program itself would be ended after 10 s only by a gateway that runs.
    within("the program's end", ended).await;
}

/// Neither arguments nor output are shown, because they may be secrets.
#[tokio::test]
async fn l4_a_program_that_fails_is_named_with_its_status_alone() {
    let vendor = Vendor::ok().await;
    for (script, why) in [
        (
            "echo c4nary; echo c4nary >&2; exit 3",
            "the program `sh` failed: exit status: 3",
        ),
        ("kill -TERM $$", "the program `sh` failed: signal: 15"),
        ("true c4nary", "the program `sh` printed nothing"),
        ("yes c4nary", "the program `sh` printed more than 64 KiB"),
    ] {
        let ended = check(with_command(&vendor, script).to_string());
        assert_eq!(ended.code, Some(2), "{script}: {ended:?}");
        let place = format!(": connection.c.secret.token: {why}");
        assert!(ended.stderr.contains(&place), "{script}: {ended:?}");
    }
    for (command, why) in [
        ("[\"c4nary-none/x\"]", "can't be started: entity not found"),
        ("[]", "expected a program and its arguments"),
        ("[\"\"]", "expected a program and its arguments"),
        ("\"c4nary\"", "expected an array, found a string"),
    ] {
        let secret = format!("{{ token = {{ command = {command} }} }}");
        let config = Config::new(&vendor).auth("{ kind = \"bearer\" }", &secret);
        let config = config.to_string().replace("c4nary-none", "none");
        let ended = check(config);
        assert_eq!(ended.code, Some(2), "{command}: {ended:?}");
        assert!(ended.stderr.contains(why), "{command}: {ended:?}");
    }
}

#[tokio::test]
async fn a_program_that_hangs_is_ended_with_the_programs_that_it_has_started() {
    let vendor = Vendor::ok().await;
    let folder = Folder::new();
    let pids = folder.path("pids");
    let script = format!("sleep 1000 & echo $! $$ > {}; sleep 1000", pids.display());
    let ended = check(with_command(&vendor, &script).to_string());
    assert_eq!(ended.code, Some(2), "{ended:?}");
    let why = "the program `sh` didn't end within 10 s";
    assert!(ended.stderr.contains(why), "{ended:?}");
    let pids = std::fs::read_to_string(pids).unwrap();
    assert_eq!(pids.split_whitespace().count(), 2);
    let is_running = |pid: &str| {
        // A process that nobody has waited for yet is dead as well.
        let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        status
            .rsplit(") ")
            .next()
            .is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
    };
    testkit::wait::within("the end of both", async {
        while pids.split_whitespace().any(is_running) {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
}

/// Each program waits for all others.
#[tokio::test]
async fn programs_run_at_the_same_time() {
    let vendor = Vendor::ok().await;
    let folder = Folder::new();
    let here = folder.path("").display().to_string();
    let wait = format!(
        "touch {here}/came-$0; until test $(ls {here} | grep -c came-) -ge 8; do sleep 0.02; done; echo token"
    );
    let mut config = with_command(&vendor, "echo token");
    for number in 0..8 {
        config = config.table(&format!(
            "[connection.c{number}]\nintegration = \"v\"\nsecret = {{ token = {{ command = [\"sh\", \"-c\", '''{wait}''', \"{number}\"] }} }}"
        ));
    }
    let ended = check(config.to_string());
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[tokio::test]
async fn programs_run_again_at_a_reload() {
    let vendor = Vendor::ok().await;
    let folder = Folder::new();
    let token = folder.write("token", "c4nary-first\n");
    let config = with_command(&vendor, &format!("cat {}", token.display()));
    let gateway = Gateway::start_in(Folder::new(), &config, &[]).await;
    for expected in ["c4nary-first", "c4nary-second"] {
        assert_eq!(gateway.call("/c/x", &[]).await.status(), 200);
        let received = vendor.next().await;
        let expected = format!("Bearer {expected}");
        assert_eq!(received.head.value("authorization"), Some(&*expected));
        folder.write("token", "c4nary-second\n");
        gateway.reload(&config).await;
    }
}

/// A catalog or a file to import may come from others, who must not run programs. Connections that aren't served aren't read.
#[tokio::test]
async fn only_the_config_file_itself_names_programs() {
    let vendor = Vendor::ok().await;
    let folder = Folder::new();
    let mark = folder.path("mark");
    let command = format!("{{ command = [\"touch\", \"{}\"] }}", mark.display());
    let key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    let store =
        format!("[store]\nkind = \"sqlite\"\nurl = \"sqlite://connections.db\"\nkey = \"{key}\"");
    let unread = Config::new(&vendor)
        .auth("{ kind = \"bearer\" }", &format!("{{ token = {command} }}"))
        .table(&store)
        .to_string();
    let file = folder.write("gateway.toml", &unread);
    let file = file.to_str().unwrap();
    let ended = testkit::process::binary::run(&["--config", file, "--check"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let why = "a program is only run for a secret that is in the config file itself";
    let imported =
        testkit::process::binary::run(&["--config", file, "connections", "import", file]);
    assert_eq!(imported.code, Some(2), "{imported:?}");
    assert!(imported.stderr.contains(why), "{imported:?}");

    let auth = format!(
        "{{ kind = \"oauth2\", token_url = \"https://v.test/token\", client_id = \"a\", client_secret = {command} }}"
    );
    folder.write(
        "others.toml",
        format!("[integration.theirs]\nbase_url = \"https://v.test\"\nauth = {auth}"),
    );
    for extending in ["", "[integration.ours]\nextends = \"theirs\""] {
        let config = Config::new(&vendor)
            .top("catalog = [\"bundled\", \"others.toml\"]")
            .table(extending);
        let file = folder.write("gateway.toml", config.to_string());
        let ended = testkit::process::binary::run(&["--config", file.to_str().unwrap(), "--check"]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(why), "{ended:?}");
    }
    assert!(!mark.exists(), "a program was run");
}
