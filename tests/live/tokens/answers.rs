//! The parts of a token endpoint's answers that are read.

use std::time::Duration;

use tower_passthrough::Secret;
use tower_passthrough::oauth2::{ClientAuth, TokenEndpoint};
use tower_passthrough::refresh::TokenError;

use super::kit::{connection, endpoint, failure, left, obtain, reply};
use testkit::reply::Reply;
use testkit::vendor::Vendor;

type Change = fn(TokenEndpoint) -> TokenEndpoint;

fn as_it_is(endpoint: TokenEndpoint) -> TokenEndpoint {
    endpoint
}

/// Returns the result of a request to an endpoint with that reply.
async fn outcome(
    reply: impl Into<Reply>,
    change: Change,
) -> Result<tower_passthrough::refresh::Tokens, TokenError> {
    let vendor = Vendor::answering(reply).await;
    let endpoint = change(endpoint(&vendor)).client_auth(ClientAuth::None);
    obtain(&vendor, endpoint, &connection()).await
}

#[tokio::test]
async fn tokens_are_found_in_each_known_form() {
    let rotate: Change = |endpoint| endpoint.access_token_at("token").expiry_at("exp");
    let user: Change = |endpoint| endpoint.access_token_at("authed_user.access_token");
    let by_default: Change = |endpoint| endpoint.default_lifetime(Duration::from_secs(900));
    for (body, change, refresh, lifetime) in [
        (
            // The form at https://docs.github.com without `Accept`, and of older servers.
            "access_token=new&expires_in=28800&refresh_token=next&scope=&token_type=bearer",
            as_it_is as Change,
            Some("next"),
            Some(28800),
        ),
        (
            r#"{"access_token":"new","expires_in":"3600"}"#,
            as_it_is,
            None,
            Some(3600),
        ),
        (
            r#"{"access_token":"new","expires_in":86399.7,"refresh_token":null}"#,
            as_it_is,
            None,
            Some(86399),
        ),
        (
            r#"{"access_token":"new","refresh_token":"next","expires_on":"4000000000","ext_expires_in":"0"}"#,
            as_it_is,
            Some("next"),
            None,
        ),
        (
            r#"{"ok":true,"token":"new","refresh_token":"next","iat":1,"exp":"not a time"}"#,
            rotate,
            Some("next"),
            None,
        ),
        (
            r#"{"ok":true,"access_token":"bot","refresh_token":"b","expires_in":1,
                "authed_user":{"id":"U","access_token":"new","refresh_token":"next","expires_in":43200}}"#,
            user,
            Some("next"),
            Some(43200),
        ),
        (r#"{"access_token":"new"}"#, by_default, None, Some(900)),
        (r#"{"access_token":"new"}"#, as_it_is, None, None),
    ] {
        let tokens = outcome(reply(200, body), change).await.unwrap();
        assert_eq!(tokens.access_token, Secret::from("new"), "{body}");
        assert_eq!(tokens.refresh_token, refresh.map(Secret::from), "{body}");
        match (left(&tokens), lifetime) {
            (Some(left), Some(lifetime)) => {
                assert!(left <= lifetime && left + 20 > lifetime, "{left} {body}");
            }
            // The end is far in the future, so it counts as ten years.
            (left, None) if body.contains("4000000000") => assert!(left.is_some(), "{body}"),
            (left, lifetime) => assert_eq!(left, lifetime, "{body}"),
        }
    }
}

#[tokio::test]
async fn a_body_in_chunks_is_read_completely() {
    let mut chunks = String::from("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    let body = format!(
        r#"{{"access_token":"new","scope":"{}"}}"#,
        "x".repeat(100_000)
    );
    for chunk in body.as_bytes().chunks(997) {
        let text = std::str::from_utf8(chunk).unwrap();
        chunks.push_str(&format!("{:x}\r\n{text}\r\n", chunk.len()));
    }
    chunks.push_str("0\r\nTrailer: x\r\n\r\n");
    let tokens = outcome(chunks, as_it_is).await.unwrap();
    assert_eq!(tokens.access_token, Secret::from("new"));
}

#[tokio::test]
async fn other_fields_can_be_kept() {
    let keep: Change = |endpoint| {
        endpoint
            .keep("instance_url")
            .keep("team.id")
            .keep("nothing")
    };
    let body = r#"{"access_token":"new","instance_url":"https://na1.test","team":{"id":"T1"}}"#;
    let tokens = outcome(reply(200, body), keep).await.unwrap();
    assert_eq!(
        tokens.others,
        [
            ("instance_url".into(), Secret::from("https://na1.test")),
            ("id".into(), Secret::from("T1")),
        ]
    );
}

#[tokio::test]
async fn o4_a_revoked_grant_is_distinguished_from_an_outage() {
    let own: Change = |endpoint| endpoint.revoked_errors(["bad_refresh_token", "token_revoked"]);
    for (status, body, change) in [
        (400, r#"{"error":"invalid_grant"}"#, as_it_is as Change),
        (401, r#"{"error":"invalid_grant"}"#, as_it_is),
        (200, r#"{"error":"invalid_grant"}"#, as_it_is),
        (403, "error=invalid_grant", as_it_is),
        (200, r#"{"error":"bad_refresh_token"}"#, own),
        (200, r#"{"ok":false,"error":"token_revoked"}"#, own),
    ] {
        let outcome = outcome(reply(status, body), change).await;
        assert!(
            matches!(outcome, Err(TokenError::Revoked)),
            "{status} {body}"
        );
    }
    for (status, body, change, code) in [
        (
            400,
            r#"{"error":"invalid_client"}"#,
            as_it_is as Change,
            Some("invalid_client"),
        ),
        (
            401,
            r#"{"error":"unauthorized_client"}"#,
            own,
            Some("unauthorized_client"),
        ),
        (
            500,
            r#"{"error":"invalid_grant"}"#,
            own,
            Some("invalid_grant"),
        ),
        (503, r#"{"error":"token_revoked"}"#, own, None),
        (429, r#"{"error":"token_revoked"}"#, own, None),
        (
            200,
            r#"{"ok":false,"error":"token_revoked"}"#,
            as_it_is,
            None,
        ),
        (200, "<html>", own, None),
        (200, "", own, None),
        (204, "", own, None),
        (404, "<html>", own, None),
    ] {
        let reply = match status {
            204 => Reply::bytes("HTTP/1.1 204 So\r\n\r\n"),
            _ => reply(status, body),
        };
        let (cause, retry_after) = failure(outcome(reply, change).await);
        let said = (cause.status().map(|status| status.as_u16()), cause.code());
        assert_eq!((said, retry_after), ((Some(status), code), None), "{body}");
    }
}

#[tokio::test]
async fn retry_after_is_reported() {
    let date = httpdate::fmt_http_date(std::time::SystemTime::now() + Duration::from_secs(600));
    for (field, least, most) in [("7", 7, 7), (&*date, 570, 600), ("1e9", 0, 0)] {
        let reply =
            format!("HTTP/1.1 429 So\r\nRetry-After: {field}\r\nContent-Length: 2\r\n\r\n{{}}");
        let (cause, retry_after) = failure(outcome(reply, as_it_is).await);
        let seconds = retry_after.unwrap_or_default().as_secs();
        assert!((least..=most).contains(&seconds), "{seconds} of {field}");
        assert_eq!(cause.status().map(|status| status.as_u16()), Some(429));
    }
}
