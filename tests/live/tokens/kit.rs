//! A scripted token endpoint, and requests to it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use tower_passthrough::oauth2::{OAuth2TokenSource, TokenEndpoint, TokenEndpointError};
use tower_passthrough::refresh::{TokenError, TokenSource, Tokens};
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::{Connection, HttpTransport, Secret};

use testkit::gateway::{Origin, Setup};
use testkit::reply::Reply;
use testkit::vendor::{Received, Vendor};

/// A 200 with a token that lives an hour.
pub(super) const TOKEN: &str =
    r#"{"access_token":"new","refresh_token":"next","expires_in":3600,"token_type":"bearer"}"#;

/// Returns an answer with that status and body.
pub(super) fn reply(status: u16, body: &str) -> Reply {
    let length = body.len();
    Reply::bytes(format!(
        "HTTP/1.1 {status} So\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    ))
}

/// Returns a transport that allows loopback and plaintext, and knows `vendor.test`.
pub(super) fn transport(vendor: &(impl Origin + ?Sized)) -> HttpTransport {
    Setup::new(vendor).build_transport(SocketAddr::from(([127, 0, 0, 1], 1)))
}

/// Returns the vendor's token endpoint.
pub(super) fn endpoint(vendor: &(impl Origin + ?Sized)) -> TokenEndpoint {
    TokenEndpoint::new(&format!("{}/oauth/token", vendor.origin())).expect("a token URL")
}

pub(super) fn source(
    vendor: &(impl Origin + ?Sized),
    endpoint: TokenEndpoint,
) -> OAuth2TokenSource<HttpTransport> {
    OAuth2TokenSource::new(transport(vendor)).with("vendor", endpoint)
}

pub(super) fn id() -> ConnectionKey {
    ConnectionKey::try_from("c").unwrap()
}

/// Returns a connection with a refresh token.
pub(super) fn connection() -> Connection {
    Connection::new("vendor")
        .with_secret("access_token", "old")
        .with_secret("refresh_token", "r+1/&=")
}

/// Fetches new tokens for the connection from that endpoint.
pub(super) async fn obtain(
    vendor: &(impl Origin + ?Sized),
    endpoint: TokenEndpoint,
    connection: &Connection,
) -> Result<Tokens, TokenError> {
    source(vendor, endpoint).fetch(&id(), connection).await
}

/// Returns the request that the endpoint receives for that connection.
pub(super) async fn asked(
    change: impl FnOnce(TokenEndpoint) -> TokenEndpoint,
    connection: &Connection,
) -> Received {
    let vendor = Vendor::answering(reply(200, TOKEN)).await;
    let endpoint = change(endpoint(&vendor));
    let tokens = obtain(&vendor, endpoint, connection).await.unwrap();
    assert_eq!(tokens.access_token, Secret::from("new"));
    let received = vendor.next().await;
    assert!(
        vendor.try_next().await.is_none(),
        "the endpoint was called twice"
    );
    received
}

/// Returns the pairs of a form, in which each name must occur once.
pub(super) fn form(received: &Received) -> BTreeMap<String, String> {
    let text = std::str::from_utf8(&received.body.data).unwrap();
    let mut pairs = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
        let old = pairs.insert(name.clone().into_owned(), value.into_owned());
        assert_eq!(old, None, "{name} twice");
    }
    pairs
}

/// Returns the pairs for a comparison.
pub(super) fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Returns the cause of a failure, and the time after which the endpoint wants the next request.
pub(super) fn failure(
    outcome: Result<Tokens, TokenError>,
) -> (TokenEndpointError, Option<Duration>) {
    match outcome {
        Err(TokenError::Failed {
            retry_after,
            source,
            ..
        }) => {
            let cause = source.downcast_ref::<TokenEndpointError>().unwrap();
            (cause.clone(), retry_after)
        }
        other => unreachable!("no failure: {other:?}"),
    }
}

/// Returns the error for tokens that can't be requested.
pub(super) fn unready(outcome: Result<Tokens, TokenError>) -> TokenEndpointError {
    match outcome {
        Err(TokenError::Incomplete { source, .. } | TokenError::Failed { source, .. }) => {
            source.downcast_ref::<TokenEndpointError>().unwrap().clone()
        }
        other => unreachable!("the tokens can be requested: {other:?}"),
    }
}

/// Returns the remaining lifetime of the token, in seconds.
pub(super) fn left(tokens: &Tokens) -> Option<u64> {
    let left = tokens.expires_at?.duration_since(SystemTime::now());
    Some(left.unwrap().as_secs())
}
