//! The parts of a token endpoint's answers that are read.

use std::time::Duration;

use tower_passthrough::authorize::AuthorizeFn;
use tower_passthrough::oauth2::{ClientAuth, TokenEndpoint};
use tower_passthrough::refresh::{RefreshingStore, TokenError, Tokens};
use tower_passthrough::{MemoryStore, Secret, auth};

use super::kit::{connection, endpoint, failure, left, obtain, reply};
use testkit::caller::{get, raw_call};
use testkit::gateway::Setup;
use testkit::reply::Reply;
use testkit::vendor::Vendor;
use testkit::wait::within;

type Change = fn(TokenEndpoint) -> TokenEndpoint;

fn as_it_is(endpoint: TokenEndpoint) -> TokenEndpoint {
    endpoint
}

/// Returns the result of a request to an endpoint with that reply.
async fn outcome(reply: impl Into<Reply>, change: Change) -> Result<Tokens, TokenError> {
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

#[tokio::test]
async fn o4_a_revoked_grant_is_found_wherever_vendors_write_it() {
    let own: Change = |endpoint| endpoint.revoked_errors(["BAD_REFRESH_TOKEN", "40140"]);
    for (status, body, change) in [
        (
            401,
            r#"{"errors":[{"errorType":"invalid_grant","message":"Refresh token invalid"}],"success":false}"#,
            as_it_is as Change,
        ),
        (
            400,
            r#"{"status":"BAD_REFRESH_TOKEN","message":"missing or invalid refresh token"}"#,
            own,
        ),
        (
            400,
            r#"{"error":{"code":40140,"message":"refresh_token invalid"}}"#,
            own,
        ),
        (400, r#"{"error":["invalid_grant"]}"#, as_it_is),
        (
            200,
            r#"{"data":{"error_code":40140,"description":"x"},"message":"error"}"#,
            own,
        ),
    ] {
        let outcome = outcome(reply(status, body), change).await;
        assert!(matches!(outcome, Err(TokenError::Revoked)), "{body}");
    }
    // A word in free text isn't a code.
    let said = r#"{"error":"invalid_request","error_description":"not invalid_grant","hint":"BAD_REFRESH_TOKEN"}"#;
    let (cause, _) = failure(outcome(reply(400, said), own).await);
    assert_eq!(cause.code(), Some("invalid_request"));
}

#[tokio::test]
async fn o4_a_refusal_that_passes_does_not_revoke_a_grant() {
    let own: Change = |endpoint| {
        endpoint
            .revoked_errors(["dead"])
            .passing_errors(["Busy Now", "dead_for_a_moment"])
    };
    for (body, code) in [
        (
            r#"{"error":"invalid_grant","error_description":"token request is already being processed"}"#,
            Some("invalid_grant"),
        ),
        (
            "error=invalid_grant&error_description=IP+Restricted+or+invalid+login+hours",
            Some("invalid_grant"),
        ),
        (
            r#"{"error":"invalid_grant","error_description":"the account is busy now."}"#,
            Some("invalid_grant"),
        ),
        (
            r#"{"error":{"code":"dead","type":"dead_for_a_moment"}}"#,
            None,
        ),
    ] {
        let (cause, retry_after) = failure(outcome(reply(400, body), own).await);
        assert_eq!((cause.code(), retry_after), (code, None), "{body}");
    }
    let conflict = r#"{"error":"invalid_grant"}"#;
    for status in [408, 409, 423, 425, 429] {
        let (cause, _) = failure(outcome(reply(status, conflict), as_it_is).await);
        assert_eq!(cause.code(), Some("invalid_grant"), "{status}");
    }
}

/// Compresses with the coding of that name; `raw` is `deflate` without the frame of zlib.
fn compressed(coding: &str, body: &[u8]) -> Vec<u8> {
    use flate2::Compression;
    use flate2::read::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use std::io::Read as _;

    let mut compressed = Vec::new();
    let level = Compression::best();
    match coding {
        "gzip" => GzEncoder::new(body, level).read_to_end(&mut compressed),
        "deflate" => ZlibEncoder::new(body, level).read_to_end(&mut compressed),
        _ => DeflateEncoder::new(body, level).read_to_end(&mut compressed),
    }
    .unwrap();
    compressed
}

fn coded(field: &str, body: &[u8]) -> Reply {
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\n{field}Content-Length: {length}\r\n\r\n");
    Reply::bytes([head.as_bytes(), body].concat())
}

#[tokio::test]
async fn a_compressed_answer_is_read() {
    let json = br#"{"access_token":"new","refresh_token":"next","expires_in":3600}"#;
    let form = b"access_token=new&refresh_token=next&expires_in=3600";
    for body in [&json[..], form] {
        let (gzip, deflate) = (compressed("gzip", body), compressed("deflate", body));
        for (field, bytes) in [
            ("Content-Encoding: gzip\r\n", gzip.clone()),
            ("Content-Encoding: X-GZip\r\n", gzip.clone()),
            ("Content-Encoding: deflate\r\n", deflate.clone()),
            ("Content-Encoding: deflate\r\n", compressed("raw", body)),
            (
                "Content-Encoding: deflate, identity, gzip\r\n",
                compressed("gzip", &deflate),
            ),
            (
                "Content-Encoding: deflate\r\nContent-Encoding: gzip\r\n",
                compressed("gzip", &deflate),
            ),
            // The field is missing, or names a coding that was already undone.
            ("", gzip.clone()),
            ("Content-Encoding: gzip\r\n", body.to_vec()),
            ("Content-Encoding: deflate\r\n", body.to_vec()),
            ("Content-Encoding: identity\r\n", body.to_vec()),
            // The check sum is missing or wrong, but the tokens are there.
            (
                "Content-Encoding: gzip\r\n",
                gzip[..gzip.len() - 8].to_vec(),
            ),
            (
                "Content-Encoding: gzip\r\n",
                [&gzip[..gzip.len() - 8], b"????????"].concat(),
            ),
        ] {
            let tokens = outcome(coded(field, &bytes), as_it_is).await.unwrap();
            assert_eq!(tokens.access_token, Secret::from("new"), "{field}");
            assert_eq!(tokens.refresh_token, Some(Secret::from("next")), "{field}");
        }
    }
}

#[tokio::test]
async fn a_compressed_refusal_is_read() {
    let body = compressed("gzip", br#"{"error":"invalid_grant"}"#);
    let length = body.len();
    let head =
        format!("HTTP/1.1 400 So\r\nContent-Encoding: gzip\r\nContent-Length: {length}\r\n\r\n");
    let reply = Reply::bytes([head.as_bytes(), &body].concat());
    let outcome = outcome(reply, as_it_is).await;
    assert!(matches!(outcome, Err(TokenError::Revoked)));
}

#[tokio::test]
async fn l8_a_compressed_answer_has_the_limit_of_a_plain_answer() {
    let huge = vec![b' '; 64 << 20];
    let gzip = compressed("gzip", &huge);
    let twice = compressed("gzip", &gzip);
    let deflate = compressed("deflate", &huge);
    for (field, bytes, why) in [
        ("gzip", &gzip[..], "with more than 256 KiB"),
        ("deflate", &deflate, "with more than 256 KiB"),
        ("gzip, gzip", &twice, "with more than 256 KiB"),
        (
            "gzip",
            b"\x1f\x8b?",
            "with a body that is neither JSON nor a form",
        ),
        (
            "br",
            b"?",
            "with a content coding other than gzip and deflate",
        ),
        (
            "gzip, gzip, gzip",
            b"?",
            "with a content coding other than gzip and deflate",
        ),
    ] {
        let reply = coded(&format!("Content-Encoding: {field}\r\n"), bytes);
        let (cause, _) = failure(outcome(reply, as_it_is).await);
        let expected = format!("the token endpoint of `vendor` responded with 200 {why}");
        assert_eq!(cause.to_string(), expected, "{field}");
    }
}

/// Slack answers a call with a bad token by 200, so only the lifetime tells that a token must be refreshed.
#[tokio::test]
async fn a_default_lifetime_refreshes_tokens_whose_end_nobody_says() {
    let calls = std::sync::atomic::AtomicUsize::new(0);
    let vendor = Vendor::replying(move |received| {
        let field = received.head.value("authorization");
        match received.target() {
            "/oauth/token" => {
                let nth = calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1;
                reply(200, &format!(r#"{{"ok":true,"access_token":"a{nth}"}}"#))
            }
            _ if field == Some("Bearer a1") => reply(200, r#"{"ok":false,"error":"invalid_auth"}"#),
            _ => Reply::ok(field.unwrap_or_default()),
        }
    })
    .await;
    let endpoint = endpoint(&vendor)
        .client_auth(ClientAuth::None)
        .default_lifetime(Duration::from_secs(3));
    let stored = connection().without_secret("access_token");
    let store = MemoryStore::from_iter([("c", stored)]);
    let refreshing = RefreshingStore::new(store, super::kit::source(&vendor, endpoint));
    let gateway = Setup::new(&vendor)
        .upstream(|upstream| upstream.auth(auth::AccessToken))
        .start_with(refreshing, AuthorizeFn::new(|_, _| true))
        .await;
    // The body of a response isn't read, so the first calls return the error of the vendor.
    let first = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!(first.text(), r#"{"ok":false,"error":"invalid_auth"}"#);
    within("a token of its own accord", async {
        loop {
            let response = raw_call(gateway.address, get("/p/c/x")).await;
            assert_eq!((response.status(), response.error()), (200, None));
            if response.text().starts_with("Bearer a") {
                break;
            }
        }
    })
    .await;
}
