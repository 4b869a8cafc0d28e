//! The destinations of a client's secrets, and the visible parts of a token endpoint's answer.

use std::error::Error as _;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use tower_passthrough::oauth2::{
    Assertion, ClientAuth, GrantType, OAuth2TokenSource, SigningAlgorithm, TokenEndpoint,
    TokenParameter,
};
use tower_passthrough::policy::NetworkPolicy;
use tower_passthrough::refresh::{TokenError, TokenSource, Tokens};
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::upstream::BaseUrlError;
use tower_passthrough::{Connection, HttpTransport};

use testkit::gateway::{Origin, Setup};
use testkit::names::Names;
use testkit::reply::Reply;
use testkit::vendor::{Received, Vendor};

const CLIENT_SECRET: &str = "cl13nt+s3cr3t";
const REFRESH_TOKEN: &str = "r3fr3sh+t0k3n";
const ACCESS_TOKEN: &str = "acc3ss+t0k3n";
const KEY: &str = include_str!("../live/keys/rfc7515_a3.pem");

fn transport(vendor: &(impl Origin + ?Sized)) -> HttpTransport {
    Setup::new(vendor).build_transport(SocketAddr::from(([127, 0, 0, 1], 1)))
}

fn connection() -> Connection {
    Connection::new("vendor")
        .with_secret("access_token", ACCESS_TOKEN)
        .with_secret("refresh_token", REFRESH_TOKEN)
        .with_secret("private_key", KEY)
}

/// Returns an endpoint at that URL, whose client has a secret.
fn endpoint(url: &str) -> Result<TokenEndpoint, BaseUrlError> {
    let endpoint = TokenEndpoint::new(url)?;
    Ok(endpoint.client_id("cl13nt1d").client_secret(CLIENT_SECRET))
}

async fn obtain(
    transport: HttpTransport,
    endpoint: TokenEndpoint,
    connection: &Connection,
) -> Result<Tokens, TokenError> {
    let source = OAuth2TokenSource::new(transport)
        .with("vendor", endpoint)
        .timeout(Duration::from_secs(2));
    let id = ConnectionKey::try_from("c").unwrap();
    source.fetch(&id, connection).await
}

/// Returns the text that an error shows of itself and of its causes.
fn shown(error: &TokenError) -> String {
    let mut text = format!("{error} {error:?} {error:#?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(text, " {error} {error:?} {error:#?}").unwrap();
        cause = error.source();
    }
    text
}

/// Returns each secret in clear, and in the encodings of forms and base64.
fn canaries() -> Vec<String> {
    let mut forms = Vec::new();
    for secret in [CLIENT_SECRET, REFRESH_TOKEN, ACCESS_TOKEN, "p4th", "w0rd"] {
        forms.push(secret.to_owned());
        forms.push(secret.replace('+', "%2B"));
        forms.push(STANDARD.encode(secret));
        forms.push(URL_SAFE_NO_PAD.encode(secret));
    }
    forms.extend(KEY.lines().map(str::to_owned));
    // The part of the client's credential that is the same in each request.
    let basic = format!("cl13nt1d:{}", CLIENT_SECRET.replace('+', "%2B"));
    forms.push(STANDARD.encode(basic));
    forms.push(URL_SAFE_NO_PAD.encode("{\"alg\":\"ES256\""));
    forms
}

fn holds_no_canary(text: &str) {
    for canary in canaries() {
        assert!(!text.contains(&canary), "`{canary}` in {text}");
    }
}

/// Returns bodies with which an endpoint repeats the request, and more.
fn echoes(received: &Received) -> Vec<String> {
    let body = String::from_utf8_lossy(&received.body.data).into_owned();
    let field = received.head.value("authorization").unwrap_or_default();
    let echo = format!("{body} {field} {CLIENT_SECRET} {REFRESH_TOKEN} {ACCESS_TOKEN} w0rd")
        .replace('"', "'");
    vec![
        format!(r#"{{"error":"{echo}","error_description":"{echo}"}}"#),
        format!(r#"{{"error":{{"code":"{echo}","type":"w0rd","message":"{echo}"}}}}"#),
        format!(
            r#"{{"error":"invalid_client","error_description":"{echo}","error_uri":"{echo}"}}"#
        ),
        format!(r#"{{"error":"invalid_grant","error_description":"{echo}"}}"#),
        format!(r#"{{"{echo}":"{echo}","access_token":{{"{echo}":1}}}}"#),
        format!(r#"{{"access_token":"{ACCESS_TOKEN}" {echo}"#),
        format!(r#"{{"expires_in":{echo}}}"#),
        format!("<html><title>{echo}</title><a href='?access_token={ACCESS_TOKEN}'>"),
        format!("error=w0rd&error_description={body}&client_secret={CLIENT_SECRET}"),
        format!("error=invalid_client&{body}"),
        echo,
    ]
}

#[tokio::test]
async fn l8_no_text_of_a_token_endpoints_answer_is_shown() {
    let assertion = || Assertion::new(SigningAlgorithm::Es256);
    let by_grant = [
        (GrantType::RefreshToken, ClientAuth::Basic),
        (GrantType::RefreshToken, ClientAuth::Body),
        (
            GrantType::ClientCredentials,
            ClientAuth::PrivateKeyJwt(assertion()),
        ),
        (GrantType::JwtBearer(assertion()), ClientAuth::Basic),
    ];
    let mut seen = 0;
    for (grant, auth) in by_grant {
        for status in [200, 204, 302, 400, 401, 429, 500, 503] {
            for which in 0..11 {
                let vendor = Vendor::replying(move |received| {
                    let body = echoes(received).swap_remove(which);
                    let body = if status == 204 { "" } else { &body };
                    let length = body.len();
                    Reply::bytes(format!(
                        "HTTP/1.1 {status} w0rd {CLIENT_SECRET}\r\nContent-Length: {length}\r\n\
                         WWW-Authenticate: Basic realm=\"{CLIENT_SECRET}\"\r\n\
                         Location: /{REFRESH_TOKEN}\r\nRetry-After: w0rd\r\n\r\n{body}"
                    ))
                })
                .await;
                let url = format!("{}/p4th/token", vendor.origin());
                let endpoint = endpoint(&url)
                    .unwrap()
                    .grant(grant.clone())
                    .client_auth(auth.clone());
                let error = obtain(transport(&vendor), endpoint, &connection()).await;
                let text = shown(&error.unwrap_err());
                holds_no_canary(&text);
                assert!(!text.contains("vendor.test"), "{text}");
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 4 * 8 * 11);
}

#[tokio::test]
async fn l8_no_url_of_a_token_endpoint_is_shown() {
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nw0rd";
    let closing = Vendor::answering(Reply::bytes(half).close()).await;
    let garbage = Vendor::answering(Reply::bytes("w0rd vendor.test\r\n\r\n").close()).await;
    let silent = Vendor::answering(Reply::silence()).await;
    let tls = format!("https://vendor.test:{}", silent.address().port());
    for origin in [
        closing.origin(),
        garbage.origin(),
        silent.origin(),
        tls,
        "http://vendor.test:1".to_owned(),
        "http://10.9.8.7".to_owned(),
        "http://nowhere.vendor.test".to_owned(),
        "http://{sub}.vendor.test".to_owned(),
    ] {
        let names = |transport: tower_passthrough::client::HttpTransportBuilder| {
            let loopback = [127, 0, 0, 1].into();
            let transport = transport.resolver(Names::new());
            transport.resolve("vendor.test", loopback)
        };
        let transport = Setup::new(&*origin)
            .transport(names)
            .build_transport(SocketAddr::from(([127, 0, 0, 1], 1)));
        let endpoint = endpoint(&format!("{origin}/p4th/token"))
            .unwrap()
            .parameter("w0rd", "w0rd");
        let connection = connection().with_variable("sub", "w0rd.");
        let error = obtain(transport, endpoint, &connection).await.unwrap_err();
        let text = shown(&error);
        holds_no_canary(&text);
        for word in ["vendor.test", "127.0.0.1", "10.9.8.7", "http"] {
            assert!(!text.contains(word), "`{word}` in {text}");
        }
    }
}

#[test]
fn l8_debug_of_token_sources_shows_no_secret() {
    let assertion = Assertion::new(SigningAlgorithm::Es256)
        .key(KEY)
        .unwrap()
        .subject(CLIENT_SECRET)
        .claim(
            "c",
            TokenParameter::from(tower_passthrough::Secret::from(REFRESH_TOKEN)),
        );
    let endpoint = endpoint("https://vendor.test/token?a=w0rd")
        .unwrap()
        .grant(GrantType::JwtBearer(assertion.clone()))
        .client_auth(ClientAuth::PrivateKeyJwt(assertion))
        .parameter("a", ACCESS_TOKEN);
    let source = OAuth2TokenSource::new(()).with("vendor", endpoint);
    holds_no_canary(&format!("{source:?} {source:#?}"));
    let refused = Assertion::new(SigningAlgorithm::Es256).key(CLIENT_SECRET);
    let refused = refused.unwrap_err();
    holds_no_canary(&format!("{refused:?} {refused}"));
}

#[tokio::test]
async fn d11_a_token_endpoints_redirect_is_not_followed() {
    for status in [300, 301, 302, 303, 305, 307, 308] {
        let other = Vendor::ok().await;
        let location = format!("{}/token", other.origin().replace("vendor", "eu.vendor"));
        let own =
            format!("HTTP/1.1 {status} So\r\nLocation: {location}\r\nContent-Length: 22\r\n\r\n");
        let vendor = Vendor::answering(format!("{own}{{\"access_token\":\"new\"}}")).await;
        let endpoint = endpoint(&format!("{}/token", vendor.origin())).unwrap();
        let outcome = obtain(transport(&vendor), endpoint, &connection()).await;
        let text = shown(&outcome.unwrap_err());
        assert!(text.contains(&format!("responded with {status}")), "{text}");
        vendor.next().await;
        assert!(vendor.try_next().await.is_none(), "{status}");
        other.untouched().await;
    }
}

#[tokio::test]
async fn o5_a_token_url_at_a_private_address_is_not_called() {
    let vendor = Vendor::ok().await;
    let port = vendor.address().port();
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "[::ffff:127.0.0.1]",
        "localhost",
        "vendor.test",
    ] {
        // Plaintext is allowed, so only the guard of addresses can refuse the call.
        let transport = HttpTransport::builder()
            .network(NetworkPolicy::new().dangerous().plaintext())
            .resolve("vendor.test", [127, 0, 0, 1].into())
            .build()
            .unwrap();
        let endpoint = endpoint(&format!("http://{host}:{port}/token")).unwrap();
        let outcome = obtain(transport, endpoint, &connection()).await;
        let text = shown(&outcome.unwrap_err());
        assert!(text.contains("DestinationProhibited"), "{host}: {text}");
        vendor.untouched().await;
    }
}

#[tokio::test]
async fn o5_a_client_secret_is_sent_to_no_other_host() {
    let other = Vendor::ok().await;
    let answer = "HTTP/1.1 400 So\r\nContent-Length: 2\r\n\r\n{}";
    let vendor = Vendor::answering(answer).await;
    let evil = other.origin().replace("vendor", "eu.vendor");
    let url = format!("{}/token", vendor.origin());
    // The connection and a field contain other hosts.
    let connection = connection()
        .with_secret("token_url", &*evil)
        .with_variable("token_url", &*evil)
        .with_variable("host", &*evil);
    for name in [
        "host",
        "x-forwarded-host",
        "forwarded",
        "upgrade",
        "location",
    ] {
        let name = http::HeaderName::from_static(name);
        let value = http::HeaderValue::from_str(&evil).unwrap();
        let endpoint = endpoint(&url)
            .unwrap()
            .header(name, value)
            .parameter("token_url", TokenParameter::from_connection("token_url"));
        let outcome = obtain(transport(&vendor), endpoint, &connection).await;
        assert!(outcome.is_err());
        let received = vendor.next().await;
        let host = received.head.value("host").unwrap().to_owned();
        assert_eq!(format!("http://{host}"), vendor.origin());
        assert!(received.head.has("authorization"));
    }
    other.untouched().await;
}

/// `https://{sub}` would lead the client's secret and the refresh token to any domain.
#[tokio::test]
async fn d9_a_variable_in_the_registered_domain_of_a_token_url_needs_a_pattern() {
    let connection = connection().with_variable("tld", "evil");
    for host in ["vendor.{tld}", "{tld}.test"] {
        let vendor = Vendor::ok().await;
        let transport = || {
            Setup::new(&vendor)
                .transport(|transport| transport.resolver(Names::all_to_loopback()))
                .build_transport(SocketAddr::from(([127, 0, 0, 1], 1)))
        };
        let url = format!("http://{host}:{}/token", vendor.address().port());
        let open = endpoint(&url).unwrap();
        assert!(open.check_patterns().is_err());
        let outcome = obtain(transport(), open, &connection).await;
        let text = shown(&outcome.unwrap_err());
        assert!(text.contains("`tld` needs a pattern"), "{text}");
        vendor.untouched().await;
        let known = endpoint(&url).unwrap().variable("tld", "evil|com").unwrap();
        assert_eq!(known.check_patterns(), Ok(()));
        let _ = obtain(transport(), known, &connection).await;
        assert_eq!(vendor.next().await.target(), "/token");
    }
}

#[tokio::test]
async fn o5_no_value_of_a_connection_changes_the_host_of_a_token_url() {
    let vendor = Vendor::ok().await;
    let port = vendor.address().port();
    let url = format!("http://{{sub}}.vendor.test:{port}/token");
    for value in [
        "evil.test/",
        "evil.test#",
        "evil.test?",
        "evil.test\\",
        "u:p@evil",
        "evil.test:80/x",
        "a\r\nx",
        "a\0",
        "",
        "..",
        "{refresh_token}",
        "\u{ff0e}",
        "%2e",
    ] {
        for pattern in ["[a-z]+", "(?s).*", "(?m)^[a-z]+$"] {
            let endpoint = endpoint(&url).unwrap().variable("sub", pattern).unwrap();
            let transport = Setup::new(&vendor)
                .transport(|transport| transport.resolver(Names::all_to_loopback()))
                .build_transport(SocketAddr::from(([127, 0, 0, 1], 1)));
            let connection = connection().with_variable("sub", value);
            let outcome = obtain(transport, endpoint, &connection).await;
            let text = shown(&outcome.unwrap_err());
            assert!(
                text.contains("the token URL isn't valid"),
                "{value}: {text}"
            );
        }
    }
    vendor.untouched().await;
}
