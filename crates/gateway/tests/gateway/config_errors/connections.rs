//! `[connection.*]`.

use super::integrations::INTEGRATION;
use super::{refused, refused_with};

/// Checks the error for a line of a connection, which is the fifth line of its file.
#[track_caller]
fn refused_connection(line: &str, expected: &str) {
    let connection = "[connection.c]\nintegration = \"v\"\n";
    refused(&format!("{INTEGRATION}{connection}{line}\n"), &[expected]);
}

#[test]
fn connections() {
    let with = |auth: &str, connection: &str| format!("{INTEGRATION}auth = {auth}\n{connection}");
    refused(
        &with(
            "{ kind = \"bearer\" }",
            "[connection.c]\nintegration = \"v\"",
        ),
        &["4:1: connection.c: missing key `secret.token`, which the integration's `auth` needs"],
    );
    refused(
        &with(
            "{ kind = \"basic\" }",
            "[connection.c]\nintegration = \"v\"\nsecret = { username = \"ann\" }",
        ),
        &["4:1: connection.c: missing key `secret.password`, which the integration's `auth` needs"],
    );
    let several = "[{ kind = \"bearer\" }, { kind = \"query\", name = \"k\" }]";
    refused(
        &with(several, "[connection.c]\nintegration = \"v\""),
        &[
            "4:1: connection.c: missing key `secret.token`, which the integration's `auth` needs",
            "4:1: connection.c: missing key `secret.api_key`, which the integration's `auth` needs",
        ],
    );
    refused(
        &format!("{INTEGRATION}[connection.\"a/b\"]\nintegration = \"v\""),
        &[
            "3:13: connection.a/b: a connection id must have 1 to 256 bytes, without `/` and control bytes",
        ],
    );
    let template = "[integration.v]\nbase_url = \"https://{region}.v.test\"\n[connection.c]\nintegration = \"v\"\n";
    refused(
        template,
        &["3:1: connection.c: the variable `region` is missing"],
    );
    refused(
        &format!("{template}variables = {{ region = \"evil.test/\" }}"),
        &["3:1: connection.c: the variable `region` doesn't match its pattern"],
    );
}

/// An error never shows the text of a secret, in whatever way the secret is badly written: `check` looks for the text.
#[test]
fn badly_written_secrets_are_not_printed() {
    for (line, expected) in [
        (
            "secret = \"c4nary\"",
            "5:10: connection.c.secret: expected a table, found a string",
        ),
        (
            "secret = { token = [\"c4nary\"] }",
            "5:20: connection.c.secret.token: expected a string, a whole number, a date, { env = \"NAME\" }, { file = \"PATH\" } or { command = [\"PROGRAM\", \"ARGUMENT\"] }, found an array",
        ),
        (
            "secret = { token = 1234321.5 }",
            "5:20: connection.c.secret.token: expected a string, a whole number, a date, { env = \"NAME\" }, { file = \"PATH\" } or { command = [\"PROGRAM\", \"ARGUMENT\"] }, found a float",
        ),
        (
            "secret = { token = { env = 1 } }",
            "5:28: connection.c.secret.token.env: expected a string, found an integer",
        ),
        (
            "secret = { token = { env = \"A\", file = \"c4nary\" } }",
            "5:20: connection.c.secret.token: expected one key, `env`, `file` or `command`",
        ),
        (
            "secret = { token = \"a\", token = \"c4nary\" }",
            "5:25: duplicate key",
        ),
    ] {
        refused_connection(line, expected);
    }
    // For these lines, the text of the error comes from the parser, and only the place is promised.
    for line in [
        "secret = { token = \"c4nary }",
        "secret = { token \"c4nary\" }",
        "secret = { token = c4nary }",
        "secret = { token = \"c4nary\\q\" }",
        "secret = { token = \"c4nary\u{1}\" }",
        "secret = { \"c4nary\" }",
        "secret = { c4nary }",
        "secret = { token = \"\"\"c4nary }",
        "secret.token = 'c4nary",
        "secret = { token = \"c4nary\" ",
    ] {
        let connection = "[connection.c]\nintegration = \"v\"\n";
        refused_with(&format!("{INTEGRATION}{connection}{line}"), "5:");
    }
}

/// The key by which the parser marks a date, written by hand, doesn't reveal a value.
#[test]
fn an_invalid_date_is_not_printed() {
    let connection = "[connection.c]\nintegration = \"v\"\n";
    for date in ["[\"c4nary\"]", "1234321"] {
        let secret = format!("secret = {{ token = {{ \"$__toml_private_datetime\" = {date} }} }}");
        refused_with(&format!("{INTEGRATION}{connection}{secret}"), "5:");
    }
}

#[test]
fn the_end_of_an_access_token() {
    use super::check;

    let with = |end: &str| {
        let auth = "auth = { kind = \"oauth2\", token_url = \"https://v.test/t\", \
                    client_id = \"a\", client_secret = \"b\" }";
        format!(
            "{INTEGRATION}{auth}\n[connection.c]\nintegration = \"v\"\n\
             secret = {{ access_token = \"c4nary\", expires_at = {end} }}"
        )
    };
    for end in [
        "\"1795601782\"",
        "\" 1795601782.5 \"",
        "1795601782",
        "1795601782000",
        "\"2026-11-25T09:00:00Z\"",
        "\"2026-11-25 10:00:00.25+01:00\"",
        "2026-11-25T09:00:00Z",
        "2026-11-25 10:00:00+01:00",
    ] {
        let ended = check(with(end));
        assert_eq!(ended.code, Some(0), "{end}: {ended:?}");
    }
    let what = "4:1: connection.c: `secret.expires_at`: expected Unix seconds, or a date and time \
                with its offset, such as \"2026-01-01T00:00:00Z\"";
    for end in [
        "\"c4nary\"",
        "\"\"",
        "\".5\"",
        "-1234321",
        "\"1e9\"",
        "\"99999999999999999999\"",
        "2026-11-25",
        "2026-11-25T09:00:00",
        "09:00:00",
        "\"2026-13-01T00:00:00Z\"",
    ] {
        refused(&with(end), &[what]);
    }
    // A missing environment variable isn't reported as an invalid time as well.
    let unset = "6:50: connection.c.secret.expires_at: the environment variable isn't set";
    refused(&with("{ env = \"C4NARY_UNSET\" }"), &[unset]);
    // For other kinds of `auth`, the key is a secret like any other.
    let other = "auth = { kind = \"bearer\" }\n[connection.c]\nintegration = \"v\"\n\
                 secret = { token = \"c4nary\", expires_at = \"soon\" }";
    assert_eq!(check(format!("{INTEGRATION}{other}")).code, Some(0));
}

/// A certificate needs its private key and an `https` base URL.
#[test]
fn client_certificates() {
    use super::check;

    let pair = || {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::default().self_signed(&key);
        (certificate.unwrap().pem(), key.serialize_pem())
    };
    let with = |auth: &str, certificate: &str, key: &str| {
        format!(
            "{INTEGRATION}auth = {auth}\n[connection.c]\nintegration = \"v\"\n\
             secret.token = \"c4nary\"\n\
             secret.certificate = \"\"\"{certificate}\"\"\"\nsecret.private_key = \"\"\"{key}\"\"\""
        )
    };
    let ((certificate, key), (_, other)) = (pair(), pair());
    let what = "4:1: connection.c: the certificate and the private key aren't PEM, or don't belong together";
    for auth in [
        "{ kind = \"mtls\" }",
        "[{ kind = \"mtls\" }, { kind = \"bearer\" }]",
    ] {
        let good = check(with(auth, &certificate, &key));
        assert_eq!(good.code, Some(0), "{good:?}");
        for (certificate, key) in [
            (&*certificate, &*other),
            (&certificate, "c4nary"),
            ("c4nary", &key),
            ("", ""),
        ] {
            refused(&with(auth, certificate, key), &[what]);
        }
    }
    let lacking = "[connection.c]\nintegration = \"v\"\nsecret = { certificate = \"c4nary\" }";
    refused(
        &format!("{INTEGRATION}auth = {{ kind = \"mtls\" }}\n{lacking}"),
        &[
            "4:1: connection.c: missing key `secret.private_key`, which the integration's `auth` needs",
        ],
    );
    let plain = "[network]\nplaintext = true\n[integration.v]\nbase_url = \"HTTP://v.test\"\n";
    let https = "client certificates need a base URL with https://";
    refused(
        &format!("{plain}auth = {{ kind = \"mtls\" }}"),
        &[&format!("5:17: integration.v.auth.kind: {https}")],
    );
    refused(
        &format!("{plain}auth = [{{ kind = \"bearer\" }}, {{ kind = \"mtls\" }}]"),
        &[&format!("5:39: integration.v.auth.kind: {https}")],
    );
}
