//! `[connection.*]`.

use super::integrations::INTEGRATION;
use super::{refused, refused_with};

/// A line of a connection, the fifth of its file.
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
        &["4:1: connection.c: missing key `secret.token`, which the integration's `auth` sends"],
    );
    refused(
        &with(
            "{ kind = \"basic\" }",
            "[connection.c]\nintegration = \"v\"\nsecret = { username = \"ann\" }",
        ),
        &["4:1: connection.c: missing key `secret.password`, which the integration's `auth` sends"],
    );
    let several = "[{ kind = \"bearer\" }, { kind = \"query\", name = \"k\" }]";
    refused(
        &with(several, "[connection.c]\nintegration = \"v\""),
        &[
            "4:1: connection.c: missing key `secret.token`, which the integration's `auth` sends",
            "4:1: connection.c: missing key `secret.api_key`, which the integration's `auth` sends",
        ],
    );
    refused(
        &format!("{INTEGRATION}[connection.\"a/b\"]\nintegration = \"v\""),
        &["3:13: connection.a/b: a connection id is 1 to 256 bytes without `/` and control bytes"],
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

/// However a secret is miswritten, what was written isn't shown: `check` looks for it.
#[test]
fn secrets_that_are_miswritten_stay_unsaid() {
    for (line, expected) in [
        (
            "secret = \"c4nary\"",
            "5:10: connection.c.secret: expected a table, found a string",
        ),
        (
            "secret = { token = [\"c4nary\"] }",
            "5:20: connection.c.secret.token: expected a string, { env = \"NAME\" } or { file = \"PATH\" }, found an array",
        ),
        (
            "secret = { token = 1234321 }",
            "5:20: connection.c.secret.token: expected a string, { env = \"NAME\" } or { file = \"PATH\" }, found an integer",
        ),
        (
            "secret = { token = { env = 1 } }",
            "5:28: connection.c.secret.token.env: expected a string, found an integer",
        ),
        (
            "secret = { token = { env = \"A\", file = \"c4nary\" } }",
            "5:20: connection.c.secret.token: expected one key, `env` or `file`",
        ),
        (
            "secret = { token = \"a\", token = \"c4nary\" }",
            "5:25: duplicate key",
        ),
    ] {
        refused_connection(line, expected);
    }
    // The parser's own words, of which only the place is ours to promise.
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
