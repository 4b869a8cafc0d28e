//! `examples/catalog_probe`, against a server on loopback with a vendor's name.

#[path = "../../examples/support/probe.rs"]
mod steps;

use std::io::Write as _;
use std::process::{Command, Stdio};

use testkit::certificates;
use testkit::reply::Reply;
use testkit::vendor::Vendor;

use self::steps::{Options, Report, run};
use crate::source::root;

fn answer(status: &str, kind: &str, body: &str) -> Reply {
    Reply::bytes(format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    ))
}

/// Probes the entry at a vendor with that name. All hosts of the entry lead to the vendor.
async fn probe(name: &str, hosts: &[&str], vendor: &Vendor) -> Report {
    let folder = std::env::temp_dir();
    let file = folder.join(format!("catalog-probe-{}-{name}.pem", std::process::id()));
    std::fs::write(&file, certificates::root_pem()).unwrap();
    let mut arguments = vec![name.to_owned(), "--date".into(), "2031-02-03".into()];
    arguments.extend(["--root".into(), file.display().to_string()]);
    for host in hosts {
        arguments.extend(["--resolve".into(), format!("{host}={}", vendor.address())]);
    }
    let report = run(&Options::parse(&arguments).unwrap()).await;
    std::fs::remove_file(&file).unwrap();
    report.unwrap()
}

#[tokio::test]
async fn an_entry_that_agrees_gets_a_new_date() {
    // Both hosts of Salesloft would need certificates, so the second can't be reached, which is no fault.
    let vendor = Vendor::replying_over_tls_as("api.salesloft.com", &["http/1.1"], |_| {
        answer("401 Unauthorized", "application/json", "{}")
    })
    .await;
    let hosts = ["api.salesloft.com", "accounts.salesloft.com"];
    let report = probe("salesloft", &hosts, &vendor).await;
    assert_eq!(report.lines, ["ok salesloft"]);
    assert!(!report.has_failed);
    assert_eq!(vendor.next().await.target(), "/v2/me");
    assert!(
        report.patch.contains("+checked = \"2031-02-03\""),
        "{}",
        report.patch
    );

    let mut git = Command::new("git")
        .args(["apply", "--unidiff-zero", "--check", "-"])
        .current_dir(root())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    git.stdin
        .take()
        .unwrap()
        .write_all(report.patch.as_bytes())
        .unwrap();
    assert!(git.wait().unwrap().success(), "{}", report.patch);
}

#[tokio::test]
async fn an_open_verify_path_and_html_are_faults() {
    for (status, kind, faults) in [
        (
            "200 OK",
            "application/json",
            &["fault stripe: the verify path is answered with 200 OK"][..],
        ),
        (
            "403 Forbidden",
            "Text/HTML; charset=utf-8",
            &["fault stripe: the verify path is answered with HTML"],
        ),
    ] {
        let vendor = Vendor::replying_over_tls_as("api.stripe.com", &["http/1.1"], move |_| {
            answer(status, kind, "")
        })
        .await;
        let hosts = ["api.stripe.com", "connect.stripe.com"];
        let report = probe("stripe", &hosts, &vendor).await;
        assert_eq!(report.lines, faults);
        assert!(report.has_failed);
        assert_eq!(report.patch, "");
    }
}

#[tokio::test]
async fn metadata_that_disagree_are_a_fault() {
    let vendor = Vendor::replying_over_tls_as("api.close.com", &["http/1.1"], |received| match received.target() {
        "/.well-known/oauth-authorization-server" => answer(
            "200 OK",
            "application/json",
            r#"{"authorization_endpoint":"https://app.close.com/oauth2/authorize/","token_endpoint":"https://api.close.com/oauth3/token/"}"#,
        ),
        _ => answer("401 Unauthorized", "application/json", "{}"),
    })
    .await;
    // The authorization server's certificate isn't for its name, so no metadata are read.
    let report = probe("close", &["api.close.com", "app.close.com"], &vendor).await;
    assert_eq!(report.lines, ["ok close"]);

    // PayPal has no authorization endpoint, so the metadata are read at the token endpoint's host.
    let vendor =
        Vendor::replying_over_tls_as("api-m.paypal.com", &["http/1.1"], |received| match received
            .target()
        {
            "/.well-known/oauth-authorization-server" => answer(
                "200 OK",
                "application/json",
                r#"{"token_endpoint":"https://api-m.paypal.com/v9/oauth2/token"}"#,
            ),
            _ => answer("401 Unauthorized", "application/json", "{}"),
        })
        .await;
    let report = probe("paypal", &["api-m.paypal.com"], &vendor).await;
    let expected = "fault paypal: /.well-known/oauth-authorization-server: token_endpoint is \
                    \"https://api-m.paypal.com/v9/oauth2/token\", and not \"https://api-m.paypal.com/v1/oauth2/token\"";
    assert_eq!(report.lines, [expected]);
}

#[tokio::test]
async fn a_wrong_certificate_is_a_fault() {
    let vendor = Vendor::replying_over_tls_as("other.test", &["http/1.1"], |_| {
        answer("401 Unauthorized", "application/json", "{}")
    })
    .await;
    let report = probe("openai", &["api.openai.com"], &vendor).await;
    assert!(
        report.has_failed && report.lines[0].starts_with("fault openai: "),
        "{report:?}"
    );
    assert!(vendor.try_next().await.is_none());
}

#[tokio::test]
async fn entries_with_variables_are_skipped_and_mistakes_are_named() {
    let arguments = ["zendesk".to_owned()];
    let report = run(&Options::parse(&arguments).unwrap()).await.unwrap();
    assert_eq!(report.lines, ["skipped zendesk: it needs `--variable`"]);
    for (arguments, error) in [
        (&["--resolve"][..], "`--resolve` needs a value"),
        (&["--resolve", "x"], "`--resolve x` has no `=`"),
        (&["--nothing", "x"], "there is no option `--nothing`"),
    ] {
        let arguments: Vec<_> = arguments.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(Options::parse(&arguments).unwrap_err().to_string(), error);
    }
    let unknown = run(&Options::parse(&["nobody".to_owned()]).unwrap()).await;
    assert_eq!(
        unknown.unwrap_err().to_string(),
        "there is no entry `nobody` in the catalog"
    );
}
