//! The places from which secrets are read: the config file, the environment, another file.

use testkit::process::binary::check;
use testkit::process::canary::TOKEN;
use testkit::process::config::Config;
use testkit::process::folder::Folder;
use testkit::process::gateway::Gateway;
use testkit::vendor::Vendor;

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
