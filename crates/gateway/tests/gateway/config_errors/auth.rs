//! The kinds of `auth` that have further keys.

use super::integrations::{INTEGRATION, refused_integration};
use super::{check, refused};

/// Checks the error for that `auth`, which is on the third line of its file. The expected text begins with the column.
#[track_caller]
fn refused_auth(auth: &str, expected: &str) {
    let line = format!("auth = {{ {auth} }}");
    let (column, what) = expected.split_once(' ').unwrap();
    refused_integration(&line, &format!("3:{column}: integration.v.auth{what}"));
}

const OAUTH2: &str = "kind = \"oauth2\", token_url = \"https://v.test/token\"";

#[test]
fn oauth2() {
    for (auth, expected) in [
        ("kind = \"oauth2\"", "8 : missing key `token_url`"),
        (
            "kind = \"oauth2\", token_url = \"http://v.test/t\"",
            "39 .token_url: expected https://, as `network.plaintext` isn't set",
        ),
        (
            "kind = \"oauth2\", token_url = \"ftp://c4nary.test\"",
            "39 .token_url: its scheme is neither http nor https, \
             expected a URL such as \"https://vendor.com/oauth/token\"",
        ),
    ] {
        refused_auth(auth, expected);
    }
    let of_jwt = "this key is only for JWTs: set `grant = \"jwt_bearer\"` or `client_auth = \"private_key_jwt\"`, or remove it";
    for (more, expected) in [
        (
            "grant = \"password\"",
            "71 .grant: expected \"refresh_token\", \"client_credentials\" or \"jwt_bearer\""
                .to_owned(),
        ),
        (
            "client_auth = \"c4nary\"",
            "77 .client_auth: expected \"basic\", \"basic_raw\", \"body\", \"private_key_jwt\" or \"none\"".to_owned(),
        ),
        (
            "client_secret = 1234321.5",
            "79 .client_secret: expected a string, a whole number, a date, { env = \"NAME\" }, { file = \"PATH\" } or { command = [\"PROGRAM\", \"ARGUMENT\"] }, found a float"
                .to_owned(),
        ),
        (
            "client_secret = { env = \"C4NARY_UNSET\" }",
            "79 .client_secret: the environment variable isn't set".to_owned(),
        ),
        (
            "client_auth = \"none\", client_secret = \"c4nary\"",
            "101 .client_secret: this `client_auth` sends no client secret; remove the key, or use another `client_auth`".to_owned(),
        ),
        (
            "algorithm = \"RS256\"",
            format!("75 .algorithm: {of_jwt}"),
        ),
        (
            "private_key = \"c4nary\"",
            format!("77 .private_key: {of_jwt}"),
        ),
        (
            "grant = \"client_credentials\", dead_errors = [\"c4nary\"]",
            "107 .dead_errors: only a refresh token can be dead, and this `grant` has none; remove the key"
                .to_owned(),
        ),
        (
            "grant = \"jwt_bearer\", passing_errors = [\"c4nary\"]",
            "102 .passing_errors: only a refresh token can be dead, and this `grant` has none; remove the key"
                .to_owned(),
        ),
        (
            "refresh_on = [401, 200]",
            "82 .refresh_on: expected the status of an error: 400 to 599".to_owned(),
        ),
        (
            "refresh_on = [70000]",
            "77 .refresh_on: expected the status of an error: 400 to 599".to_owned(),
        ),
        (
            "refresh_on = [\"c4nary\"]",
            "77 .refresh_on: expected a whole number, found a string".to_owned(),
        ),
        (
            "refresh_jitter = \"1s\"",
            "80 .refresh_jitter: this key needs `refresh_before` in the same table".to_owned(),
        ),
        (
            "parameters = { a = 1.5 }",
            "82 .parameters.a: expected a string, a whole number, a date, { env = \"NAME\" }, { file = \"PATH\" } or { command = [\"PROGRAM\", \"ARGUMENT\"] }, found a float"
                .to_owned(),
        ),
        (
            "scopes = \"c4nary\"",
            "72 .scopes: expected an array, found a string".to_owned(),
        ),
        (
            "headers = { host = \"c4nary\" }",
            "75 .headers.host: this field controls framing or routing, so it can't be a default field"
                .to_owned(),
        ),
    ] {
        refused_auth(&format!("{OAUTH2}, {more}"), &expected);
    }
    let unknown = check(format!(
        "{INTEGRATION}auth = {{ {OAUTH2}, secret = \"c4nary\" }}"
    ));
    let start =
        "FILE:3:63: integration.v.auth.secret: unknown key `secret`, expected one of `kind`, ";
    assert!(unknown.stderr.starts_with(start), "{unknown:?}");
    let key = check(format!(
        "{INTEGRATION}auth = {{ {OAUTH2}, grant = \"jwt_bearer\", private_key = \"c4nary\" }}"
    ));
    let start = "FILE:3:99: integration.v.auth.private_key: ";
    assert!(key.stderr.starts_with(start), "{key:?}");
    let twice = format!("auth = [{{ {OAUTH2} }}, {{ {OAUTH2} }}]");
    let expected = "3:66: integration.v.auth: expected at most one table of kind \"oauth2\"";
    refused_integration(&twice, expected);
}

/// The keys that a connection must have depend on the grant, and on the keys of the integration.
#[test]
fn required_keys_of_oauth2_connections() {
    let of = |more: &str, secret: &str| {
        format!(
            "{INTEGRATION}auth = [{{ {OAUTH2}{more} }}]\n[connection.c]\nintegration = \"v\"\n\
             secret = {secret}"
        )
    };
    let missing = |name: &str| {
        format!("4:1: connection.c: missing key {name}, which the integration's `auth` needs")
    };
    let client = ", client_id = \"a\", client_secret = \"c4nary\"";
    let cc = ", grant = \"client_credentials\"";
    let jwt = ", grant = \"jwt_bearer\"";
    refused(
        &of(client, "{}"),
        &[&missing("`secret.access_token` or `secret.refresh_token`")],
    );
    refused(
        &of(cc, "{}"),
        &[
            &missing("`secret.client_id`"),
            &missing("`secret.client_secret`"),
        ],
    );
    refused(&of(jwt, "{}"), &[&missing("`secret.private_key`")]);
    for (more, secret) in [
        (
            format!(
                "{client} }}, {{ kind = \"header\", name = \"x-token\", value = \"{{access_token}}\""
            ),
            "{ refresh_token = \"c4nary\" }",
        ),
        (client.to_owned(), "{ access_token = \"c4nary\" }"),
        (client.to_owned(), "{ refresh_token = \"c4nary\" }"),
        (format!("{client}{cc}"), "{}"),
        (
            cc.to_owned(),
            "{ client_id = \"a\", client_secret = \"c4nary\" }",
        ),
        (jwt.to_owned(), "{ private_key = \"c4nary\" }"),
        (
            ", client_auth = \"none\"".to_owned(),
            "{ refresh_token = \"c4nary\" }",
        ),
    ] {
        let config = of(&more, secret);
        let ended = check(&config);
        assert_eq!(ended.code, Some(0), "{config}\n{ended:?}");
    }
}

#[test]
fn signing_schemes() {
    for (auth, expected) in [
        (
            "kind = \"sigv4\", service = \"s3\"",
            "8 : missing key `region`",
        ),
        (
            "kind = \"sigv4\", service = \"s 3\", region = \"eu\"",
            "36 .service: the name of the service or the region isn't valid",
        ),
        (
            "kind = \"sigv4\", service = \"s3\", region = \"\"",
            "51 .region: the name of the service or the region isn't valid",
        ),
        (
            "kind = \"sigv4\", service = \"s3\", region = \"eu\", payload = \"c4nary\"",
            "67 .payload: expected \"signed\" or \"streaming\"",
        ),
        (
            "kind = \"sigv4\", service = \"s3\", region = \"eu\", presigned = \"8d\"",
            "69 .presigned: expected a duration between \"1s\" and \"7d\"",
        ),
        (
            "kind = \"oauth1\", signature = \"md5\"",
            "39 .signature: expected \"hmac-sha1\", \"hmac-sha256\", \"rsa-sha256\" or \"plaintext\"",
        ),
        (
            "kind = \"oauth1\", realm = \"a\\\"b\"",
            "35 .realm: the realm contains characters that a quoted string can't contain",
        ),
        ("kind = \"hmac\"", "8 : missing key `message`"),
        (
            "kind = \"hmac\", message = \"{path}\"",
            "8 : missing key `headers` or `parameters`, which names the place of the signature",
        ),
        (
            "kind = \"hmac\", hash = \"md5\"",
            "32 .hash: expected \"sha1\", \"sha256\", \"sha384\" or \"sha512\"",
        ),
        (
            "kind = \"mtls\", certificate = \"c4nary\"",
            "25 .certificate: unknown key `certificate`, expected `kind`",
        ),
    ] {
        refused_auth(auth, expected);
    }
    let mtls = format!(
        "{INTEGRATION}auth = {{ kind = \"mtls\" }}\n[connection.c]\nintegration = \"v\"\n\
         secret = {{ certificate = \"c4nary\" }}"
    );
    refused(
        &mtls,
        &[
            "4:1: connection.c: missing key `secret.private_key`, which the integration's `auth` needs",
        ],
    );
}
