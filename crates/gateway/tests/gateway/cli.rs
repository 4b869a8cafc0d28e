//! The command line.

use testkit::process::binary::{self, Ended, check, run};
use testkit::process::config::Config;
use testkit::process::curl::curl;
use testkit::process::folder::Folder;
use testkit::process::gateway::Gateway;
use testkit::vendor::Vendor;

#[test]
fn help_names_each_option() {
    let ended = run(&["--help"]);
    assert_eq!(ended.code, Some(0));
    for option in ["--config", "--listen", "--check", "connections"] {
        assert!(ended.stdout.contains(option), "{}", ended.stdout);
    }
}

#[test]
fn version_names_the_program_and_its_version() {
    let ended = run(&["--version"]);
    let version = concat!("passthrough-gateway ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!((ended.code, &*ended.stdout), (Some(0), version));
}

#[test]
fn an_unknown_option_exits_2() {
    for arguments in [
        &["--colour"][..],
        &["--listen", "nowhere"],
        &["--check"],
        &["file.toml"],
        &["--config"],
    ] {
        let ended = run(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:?}");
        assert_eq!(ended.stdout, "", "{arguments:?}");
        assert_ne!(ended.stderr, "", "{arguments:?}");
    }
}

#[test]
fn an_unreadable_file_is_named() {
    let folder = Folder::new();
    let missing = folder.path("none.toml");
    let ended = run(&["--config", missing.to_str().unwrap()]);
    assert_eq!(ended.code, Some(2));
    let start = format!("{}: can't be read: ", missing.display());
    assert!(ended.stderr.starts_with(&start), "{}", ended.stderr);
}

#[test]
fn help_names_each_command_of_connections() {
    let ended = run(&["connections", "--help"]);
    assert_eq!(ended.code, Some(0));
    for command in ["import", "list", "add", "remove", "revive", "rotate-key"] {
        assert!(ended.stdout.contains(command), "{}", ended.stdout);
        let ended = run(&["connections", command, "--help"]);
        assert_eq!(ended.code, Some(0), "{command}");
        let usage = format!("Usage: passthrough-gateway connections {command} [OPTIONS]");
        assert!(ended.stdout.contains(&usage), "{}", ended.stdout);
    }
    let ended = run(&["connections", "add", "--help"]);
    for option in ["--integration", "--variable", "--secrets", "--replace"] {
        assert!(ended.stdout.contains(option), "{}", ended.stdout);
    }
}

/// No secret is passed as an argument.
#[test]
fn an_unknown_connections_command_exits_2() {
    for arguments in [
        &["connections"][..],
        &["connections", "drop"],
        &["connections", "import"],
        &["connections", "remove"],
        &["connections", "remove", "a/b"],
        &["connections", "add", "c"],
        &["connections", "add", "c", "--integration"],
        &["connections", "add", "c", "--integration", "v", "token=a"],
        &[
            "connections",
            "add",
            "c",
            "--integration",
            "v",
            "--secret",
            "token=a",
        ],
        &[
            "connections",
            "add",
            "c",
            "--integration",
            "v",
            "--variable",
            "region",
        ],
        &["connections", "add", "", "--integration", "v"],
        &["connections", "list", "--now"],
        &["connections", "rotate-key", "key"],
        &["connections", "revive"],
        &["connections", "revive", "c", "--all"],
        &["connections", "revive", "c", "--integration", "v"],
        &["connections", "revive", "--integration", "v"],
    ] {
        let ended = run(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:?}");
        assert_eq!(ended.stdout, "", "{arguments:?}");
        assert_ne!(ended.stderr, "", "{arguments:?}");
    }
}

/// Connections that are in the config file are changed in the config file.
#[tokio::test]
async fn connections_commands_need_a_persistent_store() {
    let vendor = Vendor::ok().await;
    let folder = Folder::new();
    let config = Config::new(&vendor);
    for (config, store) in [
        (config.clone(), "none"),
        (config.table("[store]\nkind = \"file\""), "file"),
    ] {
        let file = folder.write("gateway.toml", config.to_string());
        let file = file.to_str().unwrap();
        for command in [
            &["list"][..],
            &["import", file],
            &["add", "d", "--integration", "v"],
            &["remove", "c"],
            &["revive", "c"],
            &["rotate-key"],
        ] {
            let arguments = [&["--config", file, "connections"], command].concat();
            let ended = run(&arguments);
            assert_eq!(ended.code, Some(2), "{store} {command:?}");
            let expected = format!("connections: there is no persistent [store] in {file}: ");
            assert!(ended.stderr.starts_with(&expected), "{}", ended.stderr);
            assert_eq!(ended.stdout, "", "{store} {command:?}");
        }
    }
    let ended = run(&["connections", "list"]);
    assert_eq!(ended.code, Some(2));
    let expected = "connections: add --config FILE, ";
    assert!(ended.stderr.starts_with(expected), "{}", ended.stderr);
    let ended = run(&["connections", "list", "--config", "none.toml"]);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.starts_with("none.toml: can't be read: "),
        "{}",
        ended.stderr
    );
}

#[tokio::test]
async fn check_prints_a_report_and_exits() {
    let vendor = Vendor::ok().await;
    let ended = check(Config::new(&vendor).to_string());
    assert_eq!((ended.code, &*ended.unusual()), (Some(0), ""));
    let summary = "the config is good: 1 integration, 1 connection, 1 caller\n";
    assert_eq!(ended.stdout, summary);
    vendor.untouched().await;
}

/// The file that a reader copies.
#[test]
fn check_accepts_the_example_config() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/gateway.toml");
    let run = |variables: &[(&str, &str)]| {
        let mut command = binary::command();
        command.args(["--config", file, "--check"]);
        let output = command.envs(variables.iter().copied()).output();
        Ended::from(output.unwrap())
    };
    let ended = run(&[("HOST_KEY", "a"), ("ACME_KEY", "b")]);
    assert_eq!((ended.code, &*ended.unusual()), (Some(0), ""));
    let ended = run(&[("HOST_KEY", "a")]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(
        ended.stderr.contains("connection.acme.secret.api_key: "),
        "{ended:?}"
    );
}

/// The smallest file, as the README of the package shows the file.
#[test]
fn check_accepts_the_config_in_the_readme() {
    let readme = include_str!("../../README.md");
    let block = readme.split("```toml\n").nth(1).unwrap();
    let config = block.split("```").next().unwrap();
    let folder = Folder::new();
    let file = folder.write("gateway.toml", config);
    let mut command = binary::command();
    command.args(["--config", file.to_str().unwrap(), "--check"]);
    command.envs([("BACKEND_KEY", "a"), ("ACME_TOKEN", "b")]);
    let ended = Ended::from(command.output().unwrap());
    assert_eq!((ended.code, &*ended.unusual()), (Some(0), ""));
}

#[tokio::test]
async fn the_listen_option_replaces_the_files_address() {
    let vendor = Vendor::ok().await;
    let running = Gateway::start(&Config::new(&vendor)).await;
    // The port of the option is taken, so a gateway that obeys the option can't start.
    let folder = Folder::new();
    let file = folder.write("gateway.toml", Config::new(&vendor).to_string());
    let address = running.address.to_string();
    let ended = run(&["--config", file.to_str().unwrap(), "--listen", &address]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let line = format!("can't listen on {address}: ");
    assert!(ended.stderr.contains(&line), "{}", ended.stderr);
}

/// A file that lacks its callers by mistake must not open the gateway.
#[tokio::test]
async fn without_callers_it_starts_only_for_anyone() {
    let vendor = Vendor::ok().await;
    let folder = Folder::new();
    let written = |config: &Config| {
        let file = folder.write("gateway.toml", config.to_string());
        file.to_str().unwrap().to_owned()
    };
    for line in ["", "anyone = false"] {
        let file = written(&Config::new(&vendor).callers("").top(line));
        for arguments in [
            &["--config", &*file][..],
            &["--config", &file, "--check"],
            &["--config", &file, "--listen", "0.0.0.0:0"],
        ] {
            let ended = run(arguments);
            assert_eq!((ended.code, &*ended.stdout), (Some(2), ""), "{ended:?}");
            let expected = ":1:1: without a [[caller]], everybody who reaches the listener could \
                            use each connection; add a [[caller]], or allow that with \
                            `anyone = true`\n";
            assert!(ended.stderr.ends_with(expected), "{}", ended.stderr);
        }
    }
    let warning = "WARN passthrough_gateway::log: callers need no key: everybody who reaches the \
                   listener may use each connection\n";
    for address in ["127.0.0.1:0", "0.0.0.0:0"] {
        let open = Config::new(&vendor)
            .listen(address.parse().unwrap())
            .anyone();
        let ended = run(&["--config", &written(&open), "--check"]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.stderr.ends_with(warning), "{ended:?}");
        let gateway = Gateway::start(&open).await;
        let port = gateway.address.port();
        let url = format!("http://127.0.0.1:{port}/passthrough/c/x");
        assert_eq!(curl(&["--include", &url]).await.status(), 200);
        gateway.calls(1).await;
        let log = gateway.stderr.text();
        assert_eq!(log.matches(warning).count(), 1, "{log}");
    }
    vendor.next().await;
}

#[tokio::test]
async fn callers_and_anyone_are_not_both() {
    let vendor = Vendor::ok().await;
    let ended = check(Config::new(&vendor).top("anyone = true").to_string());
    assert_eq!(ended.code, Some(2), "{ended:?}");
    let expected = "FILE:2:10: anyone: the [[caller]] tables have no effect with `anyone = true`; \
                    remove this key, or the [[caller]] tables\n";
    assert_eq!(ended.stderr, expected);
    let ended = check(Config::new(&vendor).top("anyone = false").to_string());
    assert_eq!((ended.code, &*ended.unusual()), (Some(0), ""), "{ended:?}");
}

#[tokio::test]
async fn the_demo_needs_no_callers() {
    let gateway = Gateway::demo().await;
    let answer = gateway.curl("/passthrough/demo/v2/customers", &[]).await;
    assert_eq!(answer.status(), 200);
}
