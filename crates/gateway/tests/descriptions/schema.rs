//! A validator of OpenAPI documents, and schemathesis, which makes calls of the document and checks the answers.

use std::collections::BTreeSet;

use testkit::process::canary::KEY;
use testkit::process::config::Config;
use testkit::process::folder::Folder;
use testkit::process::gateway::Gateway;
use testkit::vendor::Vendor;
use tokio::process::Command;

use crate::tool::{done, file, installed};

fn python(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.arg("-m").args(arguments);
    command
}

/// Returns a folder with the document of a gateway, and the path of the document.
async fn document_of(gateway: &Gateway) -> (Folder, String) {
    let answer = gateway.curl("/openapi.json", &[]).await;
    assert_eq!(answer.status(), 200);
    let folder = Folder::new();
    let file = folder.write("openapi.json", answer.body());
    let file = file.display().to_string();
    (folder, file)
}

#[tokio::test]
async fn documents_are_valid() {
    let Some(program) = installed("DESCRIPTIONS_PYTHON") else {
        return;
    };
    let vendor = Vendor::ok().await;
    let named =
        "title = \"\\\"V\\\"\"\ndocs = \"https://docs.test/?a=1&b=2\"\nverify = \"/me?x=1\"";
    let pattern = "address_by = [\"host\"]\nhost_pattern = \"{connection}.gw.test\"";
    let configs = [
        Config::new(&vendor).integration(named),
        Config::new(&vendor).anyone(),
        Config::new(&vendor).top("address_by = [\"header\"]"),
        Config::new(&vendor).top("address_by = [\"key\"]"),
        Config::new(&vendor).top(pattern),
        Config::new(&vendor)
            .top("public_url = \"https://gw.test/below\"\npath_encoding = \"never\""),
    ];
    for config in configs {
        let gateway = Gateway::start(&config.top("page = true")).await;
        let (_folder, file) = document_of(&gateway).await;
        let command = python(
            &program,
            &["openapi_spec_validator", "--schema", "3.1", &file],
        );
        let printed = done(command, "").await;
        assert!(printed.trim_end().ends_with(": OK"), "{printed}");
    }
}

/// Calls that the document describes, and calls that it forbids: each answer has a status, a media type and members that the
/// document describes, and each error of the gateway is described for its status (`python/gateway_errors.py`).
///
/// A call that the document describes may be refused with 400 nevertheless, because the patterns of the document describe
/// neither dot segments nor the names of hosts, so `positive_data_acceptance` isn't checked.
#[tokio::test]
async fn schemathesis_finds_no_fault() {
    let Some(program) = installed("DESCRIPTIONS_PYTHON") else {
        return;
    };
    // The content of a response without a media type can't be described, so the vendor names a media type.
    let vendor = Vendor::answering(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok",
    )
    .await;
    let gateway = Gateway::start(&Config::new(&vendor).top("page = true")).await;
    let (folder, file_of_document) = document_of(&gateway).await;
    // The example of the document is `acme`.
    let document = std::fs::read_to_string(&file_of_document).unwrap();
    let document = document.replace("\"example\":\"acme\"", "\"example\":\"c\"");
    std::fs::write(&file_of_document, document).unwrap();
    let settings = format!(
        "seed = 1\nhooks = \"gateway_errors\"\n[auth.openapi.x-api-key]\napi_key = \"{KEY}\"\n"
    );
    let settings = folder.write("schemathesis.toml", settings);
    let seen = folder.path("seen");
    let variables = [
        ("DOCUMENT", file_of_document.clone()),
        ("HOME", folder.path(".").display().to_string()),
        ("PYTHONDONTWRITEBYTECODE", "1".to_owned()),
        ("PYTHONPATH", file("python").display().to_string()),
        ("SEEN", seen.display().to_string()),
    ];
    let mut command = python(&program, &["schemathesis.cli"]);
    command.current_dir(folder.path("."));
    command
        .arg("--config-file")
        .arg(&settings)
        .args(["run", &file_of_document, "--url", &gateway.url("")])
        .args(["--max-examples", "15"])
        .args(["--phases", "examples,coverage,fuzzing"])
        .args(["--checks", "all"])
        .args(["--exclude-checks", "positive_data_acceptance"]);
    command.envs(variables);
    done(command, "").await;

    // The run has reached the vendor, and errors of several kinds.
    assert!(vendor.try_next().await.is_some());
    let seen = std::fs::read_to_string(seen).unwrap();
    let seen: BTreeSet<_> = seen.lines().collect();
    for code in [
        "bad-address",
        "bad-domain",
        "domain-refused",
        "unauthenticated",
        "unknown-connection",
    ] {
        assert!(seen.contains(code), "{code} isn't among {seen:?}");
    }
}
