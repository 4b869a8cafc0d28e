//! The demo, which readers see first.

use testkit::process::curl;
use testkit::process::gateway::Gateway;

/// The answers to the printed commands, in order. The README shows the same answers.
const ANSWERS: [&str; 3] = [
    "{\"customers\":[\"Cleo\",\"Dana\"],\"page\":2,\"received\":\"/v2/customers?page=2\"}\n",
    "{\"received\":\"/v2/projects/group%2Frepo\"}\n",
    "event: tick\ndata: 1 of 3\n\nevent: tick\ndata: 2 of 3\n\nevent: tick\ndata: 3 of 3\n\n",
];

/// Returns the curl commands that the demo printed.
async fn lines(gateway: &Gateway) -> Vec<String> {
    let printed = |text: &str| text.matches("  curl ").count() >= ANSWERS.len();
    let text = gateway.stdout.until("its curl lines", printed).await;
    let lines = text.lines().filter_map(|line| line.strip_prefix("  curl "));
    lines.map(|line| format!("curl {line}")).collect()
}

/// Runs a command, like a user who pastes the command into a shell.
async fn paste(line: &str) -> curl::Answer {
    let mut shell = tokio::process::Command::new("sh");
    shell
        .args(["-c", line])
        .env("NO_PROXY", "*")
        .kill_on_drop(true);
    curl::run(shell).await
}

#[tokio::test]
async fn the_printed_lines_work_as_pasted_and_each_call_is_logged() {
    let gateway = Gateway::demo().await;
    let lines = lines(&gateway).await;
    assert_eq!(lines.len(), ANSWERS.len(), "{lines:?}");
    for (line, expected) in lines.iter().zip(ANSWERS) {
        let answer = paste(line).await;
        assert_eq!(answer.exit, Some(0), "{line}: {}", answer.stderr);
        assert_eq!(answer.stdout, expected, "{line}");
    }
    let calls = gateway.calls(3).await;
    assert_eq!(calls.len(), 3, "{calls:?}");
    for call in calls {
        assert!(call.contains("connection=demo"), "{call}");
        assert!(call.contains("status=200"), "{call}");
    }
}

#[test]
fn the_readme_shows_the_answers_to_the_printed_lines() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    for line in ANSWERS.iter().flat_map(|answer| answer.lines()) {
        let said = readme.lines().any(|said| said.trim_start() == line);
        assert!(said, "the README lacks {line:?}");
    }
}

/// The vendor's token appears nowhere, and the caller's own credentials don't replace the token.
#[tokio::test]
async fn the_token_of_the_vendor_is_never_shown() {
    let gateway = Gateway::demo().await;
    let path = "/passthrough/demo/v2/customers";
    let answer = gateway
        .curl(path, &["-H", "Authorization: Bearer mine"])
        .await;
    assert_eq!(answer.status(), 200);
    let metrics = gateway.metrics().await;
    let log = gateway.calls(1).await.concat();
    for text in [&answer.stdout, &metrics, &log, &gateway.stdout.text()] {
        assert!(!text.contains("demo-token"), "{text}");
    }
}

#[tokio::test]
async fn the_demo_allows_no_other_host() {
    let gateway = Gateway::demo().await;
    let path = "/passthrough/demo/v2/customers?__domain=evil.test";
    let answer = gateway.curl(path, &[]).await;
    assert_eq!(
        (answer.status(), answer.error()),
        (403, Some("domain-refused"))
    );
}
