//! The choice among the alternatives of an entry by the secrets of a connection.

use std::time::SystemTime;

use http::Request;
use tower_passthrough::Connection;
use tower_passthrough::auth::{AuthContext, AuthError, AuthRequest};
use tower_passthrough::catalog::{AuthKind, Catalog, Entry};

fn entry(name: &str) -> Entry {
    Catalog::bundled().get(name).unwrap()
}

/// Returns a connection with these secrets, and each variable of the entry that the base URL needs.
fn connection(name: &str, secrets: &[(&str, &str)]) -> Connection {
    secrets.iter().fold(
        Connection::new(name.to_owned()),
        |connection, (name, value)| connection.with_secret(*name, *value),
    )
}

/// Returns the fields and the query that the scheme adds, each as `name: value`.
fn sent(connection: &Connection) -> Result<Vec<String>, AuthError> {
    let upstream = entry(connection.integration()).upstream().unwrap();
    let destination = tower_passthrough::Upstream::new("https://v.test")
        .unwrap()
        .destination();
    let cx = AuthContext::new(connection, &destination, SystemTime::UNIX_EPOCH);
    let (mut head, ()) = Request::get("https://v.test/x")
        .body(())
        .unwrap()
        .into_parts();
    let _ = upstream.scheme().payload(&head, &cx)?;
    let _ = upstream
        .scheme()
        .apply(&mut AuthRequest::new(&mut head), &cx)?;
    let mut all: Vec<_> = head
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    all.extend(head.uri.query().map(|query| format!("?{query}")));
    Ok(all)
}

#[test]
fn the_secrets_choose_the_alternative() {
    for (name, secrets, expected) in [
        // The specified names of each kind.
        (
            "hubspot",
            &[("token", "t")][..],
            &["authorization: Bearer t"][..],
        ),
        (
            "hubspot",
            &[("access_token", "a"), ("refresh_token", "r")],
            &["authorization: Bearer a"],
        ),
        ("anthropic", &[("api_key", "k")], &["x-api-key: k"]),
        ("anthropic", &[("token", "t")], &["authorization: Bearer t"]),
        ("jazzhr", &[("api_key", "k")], &["?apikey=k"]),
        (
            "zendesk",
            &[("email", "e"), ("api_token", "t")],
            &["authorization: Basic ZS90b2tlbjp0"],
        ),
        (
            "zendesk",
            &[("username", "u"), ("password", "p")],
            &["authorization: Basic dTpw"],
        ),
        (
            "zendesk",
            &[("access_token", "a")],
            &["authorization: Bearer a"],
        ),
        (
            "zoho-crm",
            &[("access_token", "a")],
            &["authorization: Zoho-oauthtoken a"],
        ),
        (
            "shopify",
            &[("access_token", "a")],
            &["x-shopify-access-token: a"],
        ),
        ("shopify", &[("token", "t")], &["x-shopify-access-token: t"]),
        // Other names of a single key.
        (
            "anthropic",
            &[("api_key", "k"), ("token", "t")],
            &["x-api-key: k"],
        ),
        ("stripe", &[("api_key", "k")], &["authorization: Bearer k"]),
        ("sentry", &[("token", "t")], &["authorization: Bearer t"]),
        (
            "sentry",
            &[("auth_token", "t"), ("token", "x")],
            &["authorization: Bearer t"],
        ),
        ("gitlab", &[("api_key", "k")], &["private-token: k"]),
        ("gitlab", &[("token", "t")], &["authorization: Bearer t"]),
        ("figma", &[("token", "t")], &["x-figma-token: t"]),
        // An empty user or password.
        ("close", &[("api_key", "k")], &["authorization: Basic azo="]),
        (
            "azure-devops",
            &[("personal_access_token", "p")],
            &["authorization: Basic OnA="],
        ),
        // More secrets take precedence over fewer, and the first alternative among equals.
        (
            "cloudflare",
            &[("api_key", "k"), ("email", "e"), ("token", "t")],
            &["x-auth-email: e", "x-auth-key: k"],
        ),
        (
            "hubspot",
            &[("token", "t"), ("access_token", "a")],
            &["authorization: Bearer a"],
        ),
        (
            "etsy",
            &[
                ("access_token", "a"),
                ("client_id", "i"),
                ("client_secret", "s"),
            ],
            &["x-api-key: i:s", "authorization: Bearer a"],
        ),
    ] {
        let found = sent(&connection(name, secrets));
        let expected = expected.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(found, Ok(expected), "{name} {secrets:?}");
    }
}

#[test]
fn an_incomplete_alternative_is_not_chosen() {
    for (name, secrets) in [
        ("hubspot", &[][..]),
        ("hubspot", &[("refresh_token", "r")]),
        ("zendesk", &[("email", "e")]),
        ("zendesk", &[("username", "u")]),
        // `token` belongs to the alternative with the user.
        ("hibob", &[("token", "t")]),
        ("datadog", &[("api_key", "k")]),
        ("xero", &[("access_token", "a")]),
        ("trello", &[("api_key", "k")]),
    ] {
        let found = sent(&connection(name, secrets));
        let Err(AuthError::NoAlternative(detail)) = found else {
            panic!("{name} {secrets:?}: {found:?}");
        };
        for alternative in entry(name).auth() {
            for secret in alternative.secrets() {
                assert!(detail.contains(&format!("`{secret}`")), "{detail}");
            }
        }
    }
}

#[test]
fn public_values_may_be_variables_and_secrets_may_not() {
    let zendesk = Connection::new("zendesk").with_secret("api_token", "t");
    let found = sent(&zendesk.with_variable("email", "e"));
    assert_eq!(found, Ok(vec!["authorization: Basic ZS90b2tlbjp0".into()]));
    let only_variables = Connection::new("zendesk")
        .with_variable("email", "e")
        .with_variable("api_token", "t");
    assert!(sent(&only_variables).is_err());
    let algolia = Connection::new("algolia")
        .with_variable("app_id", "ABCDEFGHIJ")
        .with_secret("api_key", "k");
    let expected = [
        "x-algolia-application-id: ABCDEFGHIJ",
        "x-algolia-api-key: k",
    ];
    assert_eq!(sent(&algolia), Ok(expected.map(str::to_owned).to_vec()));
}

#[test]
fn a_value_that_cannot_be_sent_is_an_error() {
    for secrets in [&[("token", "a\r\nx: y")][..], &[("access_token", "a\n")]] {
        let found = sent(&connection("hubspot", secrets));
        assert_eq!(found, Err(AuthError::InvalidHeaderValue));
    }
    // A colon would move the border between user and password (RFC 7617 §2).
    let found = sent(&connection(
        "zendesk",
        &[("email", "a:b"), ("api_token", "t")],
    ));
    assert_eq!(found, Err(AuthError::InvalidHeaderValue));
}

#[test]
fn the_fields_of_all_alternatives_are_removed_from_the_callers_request() {
    let fields = |name| {
        let upstream = entry(name).upstream().unwrap();
        let requirements = upstream.requirements();
        let fields = requirements
            .fields()
            .iter()
            .map(|name| name.as_str().to_owned());
        let parameters = requirements
            .parameters()
            .iter()
            .map(|name| format!("?{name}"));
        Vec::from_iter(fields.chain(parameters))
    };
    assert_eq!(fields("anthropic"), ["x-api-key", "authorization"]);
    assert_eq!(fields("google-gemini"), ["x-goog-api-key", "?key"]);
    assert_eq!(fields("datadog"), ["dd-api-key", "dd-application-key"]);
    assert_eq!(
        fields("cloudflare"),
        ["authorization", "x-auth-key", "x-auth-email"]
    );
}

#[test]
fn missing_secrets_and_variables_are_named() {
    let zendesk = entry("zendesk");
    let missing = zendesk.missing(&Connection::new("zendesk")).unwrap();
    assert_eq!(missing.variables(), ["subdomain"]);
    assert_eq!(
        missing.alternatives(),
        [vec!["access_token"], vec!["email", "api_token"]]
    );
    assert_eq!(
        missing.to_string(),
        "the connection lacks the secrets `access_token`, or `email` and `api_token`; \
         the connection lacks the variables `subdomain`"
    );
    let wrong = connection("zendesk", &[("access_token", "a")]).with_variable("subdomain", "A/b");
    let missing = zendesk.missing(&wrong).unwrap();
    assert_eq!(missing.invalid_variables(), ["subdomain"]);
    assert!(missing.alternatives().is_empty() && missing.variables().is_empty());
    assert!(!missing.to_string().contains("A/b"));

    // A token that can be fetched isn't missing.
    let refreshable =
        connection("zendesk", &[("refresh_token", "r")]).with_variable("subdomain", "a");
    assert_eq!(zendesk.missing(&refreshable), None);
    let client = connection("paypal", &[("client_id", "i"), ("client_secret", "s")]);
    assert_eq!(entry("paypal").missing(&client), None);
    assert!(
        entry("paypal")
            .missing(&connection("paypal", &[("client_id", "i")]))
            .is_some()
    );
    // A variable of the token endpoint is only needed for refreshes.
    let zoho = connection("zoho-crm", &[("access_token", "a")]).with_variable("region", "eu");
    assert_eq!(entry("zoho-crm").missing(&zoho), None);
    let zoho = zoho.with_secret("refresh_token", "r");
    assert_eq!(
        entry("zoho-crm").missing(&zoho).unwrap().variables(),
        ["accounts_host"]
    );
}

#[test]
fn kinds_have_the_names_of_the_configuration() {
    let kinds = entry("gitlab").auth().map(|it| it.kind());
    assert!(kinds.eq([AuthKind::OAuth2, AuthKind::Header, AuthKind::Bearer]));
    assert_eq!(AuthKind::OAuth2.name(), "oauth2");
}
