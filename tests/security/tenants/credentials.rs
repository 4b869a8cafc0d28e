//! The caller's credentials aren't forwarded, and the stored credentials take precedence.

use std::sync::Arc;

use http::{HeaderMap, HeaderName};
use tower_passthrough::auth::AuthScheme;
use tower_passthrough::{Connection, auth};

use super::with_trailers;
use testkit::caller::{get, post, request};
use testkit::gateway::TOKEN;
use testkit::h2_caller;
use testkit::h2_caller::H2Caller;
use testkit::pair::Pair;
use testkit::vendor::Received;

/// Returns all bytes that arrived, as text.
fn raw(received: &Received) -> String {
    let mut bytes = received.head.raw.clone();
    bytes.extend_from_slice(&received.body.raw);
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

#[tokio::test]
async fn t4_the_callers_credentials_never_reach_a_vendor() {
    let named = HeaderName::from_static("x-host-key");
    for bearer in [false, true] {
        let name = named.clone();
        let pair = Pair::with(move |setup| {
            let setup = if bearer {
                setup
            } else {
                setup.upstream(|upstream| upstream.auth(auth::NoAuth))
            };
            setup.options(|options| options.strip_request_header(name))
        })
        .await;
        let fields = [
            "Authorization: Bearer hostsecret1",
            "AUTHORIZATION: Basic hostsecret2",
            "authorization: hostsecret3",
            "Cookie: session=hostsecret4",
            "cookie: b=hostsecret5",
            "Proxy-Authorization: Basic hostsecret6",
            "PROXY_AUTHORIZATION: hostsecret7",
            "X-Host-Key: hostsecret8",
            "x-host-key: hostsecret9",
            "x_host-key: hostsecretA",
        ];
        let trailers: Vec<String> = fields
            .iter()
            .map(|field| field.replace("hostsecret", "hostsecret-t-"))
            .collect();
        let trailers: Vec<&str> = trailers.iter().map(String::as_str).collect();
        let announce = "Trailer: Authorization, Cookie, Proxy-Authorization, X-Host-Key, Proxy_Authorization, X_Host-Key, X-Kept";
        let kept: Vec<&str> = trailers
            .iter()
            .copied()
            .chain(["X-Kept: trailer"])
            .collect();
        for nominated in [
            "",
            "close, X-Other",
            "authorization, cookie, proxy-authorization, x-host-key, x-kept-head",
        ] {
            let connection = format!("Connection: {nominated}");
            let mut lines: Vec<&str> = fields.to_vec();
            lines.extend([announce, "TE: trailers", "X-Kept-Head: yes"]);
            if !nominated.is_empty() {
                lines.push(&connection);
            }
            for sent in [
                request("GET", "/p/c/x", &lines, ""),
                with_trailers("/p/c/x", &lines, &kept),
            ] {
                let received = pair.seen(&sent).await;
                assert!(!raw(&received).contains("hostsecret"), "{}", raw(&received));
                let expected = bearer.then(|| format!("Bearer {TOKEN}"));
                assert_eq!(received.head.value("authorization"), expected.as_deref());
                assert!(!received.head.has("cookie"));
            }
        }
        let received = pair
            .seen(with_trailers("/p/c/x", &[announce, "TE: trailers"], &kept))
            .await;
        assert_eq!(
            received.body.trailers,
            [("x-kept".to_owned(), "trailer".to_owned())]
        );
    }
}

#[tokio::test]
async fn t4_the_callers_credentials_over_http2_never_reach_a_vendor() {
    let pair = Pair::new().await;
    let mut caller = H2Caller::connect(pair.gateway.address).await;
    let sent = h2_caller::request("POST", "/p/c/x")
        .header("authorization", "Bearer hostsecret1")
        .header("cookie", "a=hostsecret2")
        .header("cookie", "b=hostsecret3")
        .header("proxy-authorization", "hostsecret4")
        .header("proxy_authorization", "hostsecret5")
        .body(())
        .unwrap();
    let mut trailers = HeaderMap::new();
    for name in [
        "authorization",
        "cookie",
        "proxy-authorization",
        "proxy_authorization",
    ] {
        trailers.insert(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            "hostsecret6".parse().unwrap(),
        );
    }
    let response = caller.call_with(sent, b"body", Some(trailers)).await;
    assert_eq!(response.status, 200);
    let received = pair.vendor.next().await;
    assert!(!raw(&received).contains("hostsecret"), "{}", raw(&received));
    assert_eq!(
        received.head.value("authorization"),
        Some(&*format!("Bearer {TOKEN}"))
    );
}

#[tokio::test]
async fn t5_a_stored_header_takes_precedence_over_the_callers_fields() {
    for has_default in [false, true] {
        let pair = Pair::with(move |setup| {
            setup
                .connection(Connection::new("vendor").with_secret("key", "stored"))
                .upstream(move |upstream| {
                    let upstream = upstream.auth(auth::Header::new("X-Api-Key", "{key}").unwrap());
                    let name = HeaderName::from_static("x-api-key");
                    match has_default {
                        true => upstream.header(name, "default".parse().unwrap()),
                        false => upstream,
                    }
                })
        })
        .await;
        let lines = [
            "X-Api-Key: callers",
            "x-api-key: callers",
            "X-API-KEY: callers",
            "X_Api_Key: callers",
            "x_api-key: callers",
        ];
        for connection in [
            "Connection: keep-alive",
            "Connection: x-api-key",
            "Connection: X-Api-Key, close",
            "Connection: x_api_key",
        ] {
            let mut all = lines.to_vec();
            all.extend([connection, "Trailer: x-api-key, x_api_key", "TE: trailers"]);
            let trailers = ["X-Api-Key: callers", "x_api_key: callers"];
            let received = pair.seen(with_trailers("/p/c/x", &all, &trailers)).await;
            assert_eq!(
                received.head.values("x-api-key"),
                ["stored"],
                "{connection}"
            );
            assert!(!raw(&received).contains("callers"), "{}", raw(&received));
        }
    }
}

#[tokio::test]
async fn t5_a_stored_query_key_takes_precedence_over_the_callers_parameters() {
    let pair = Pair::with(|setup| {
        setup
            .connection(Connection::new("vendor").with_secret("api_key", "st&red"))
            .upstream(|upstream| upstream.auth(auth::Query::new("api_key").unwrap()))
    })
    .await;
    for (sent, arrived) in [
        ("/x", "/x?api_key=st%26red"),
        ("/x?", "/x?api_key=st%26red"),
        ("/x?api_key=me&x=1", "/x?x=1&api_key=st%26red"),
        (
            "/x?x=1&api%5Fkey=me&%61pi_key=me&api_key",
            "/x?x=1&api_key=st%26red",
        ),
        ("/x?API_KEY=other", "/x?API_KEY=other&api_key=st%26red"),
        (
            "/%2Fx%3Fapi_key%3Dme%26y%3D2?api_key=me",
            "/x?y=2&api_key=st%26red",
        ),
    ] {
        assert_eq!(pair.target(sent).await, arrived);
    }
}

#[tokio::test]
async fn t5_each_of_several_credentials_takes_precedence() {
    let schemes = || -> Vec<Box<dyn AuthScheme>> {
        vec![
            Box::new(auth::Basic),
            Box::new(auth::Header::new("x-app-key", "{app}").unwrap()),
            Box::new(auth::Query::new("key").unwrap().secret("app")),
        ]
    };
    let pair = Pair::with(move |setup| {
        setup
            .connection(
                Connection::new("vendor")
                    .with_secret("username", "u")
                    .with_secret("password", "p")
                    .with_secret("app", "stored"),
            )
            .upstream(move |upstream| upstream.auth(schemes()))
    })
    .await;
    let lines = [
        "Authorization: callers",
        "X-App-Key: callers",
        "x_app_key: callers",
        "Connection: x-app-key, authorization",
    ];
    let received = pair
        .seen(request("GET", "/p/c/x?key=callers", &lines, ""))
        .await;
    assert_eq!(received.head.values("authorization"), ["Basic dTpw"]);
    assert_eq!(received.head.values("x-app-key"), ["stored"]);
    assert_eq!(received.target(), "/x?key=stored");
    assert!(!raw(&received).contains("callers"), "{}", raw(&received));
}

#[tokio::test]
async fn t9_stored_values_that_break_a_field_are_not_sent() {
    let several = || -> Vec<Box<dyn AuthScheme>> {
        vec![
            Box::new(auth::NoAuth),
            Box::new(auth::Header::new("x-key", "{token}").unwrap()),
        ]
    };
    let schemes: Vec<(&str, Arc<dyn AuthScheme>)> = vec![
        ("bearer", Arc::new(auth::Bearer)),
        ("basic", Arc::new(auth::Basic)),
        (
            "header",
            Arc::new(auth::Header::new("x-key", "Key k={token}").unwrap()),
        ),
        ("several", Arc::new(several())),
    ];
    for (name, scheme) in schemes {
        for value in [
            "a\r\nx: y",
            "a\nb",
            "a\rb",
            "a\0b",
            "\n",
            "a\x7f",
            "a\x1b[31m",
        ] {
            let connection = Connection::new("vendor")
                .with_secret("token", value)
                .with_secret("username", value)
                .with_secret("password", value);
            let scheme = Arc::clone(&scheme);
            let pair = Pair::with(move |setup| {
                setup
                    .connection(connection)
                    .upstream(move |upstream| upstream.auth(scheme))
            })
            .await;
            let response = pair
                .refused(post("/p/c/x", "body"), 424, "reauthorize")
                .await;
            assert!(
                response.text().contains("\"sent\":false"),
                "{name} {value:?}"
            );
            pair.vendor.untouched().await;
        }
    }
    // In the query all characters are encoded, so no value can add a line.
    let pair = Pair::with(|setup| {
        setup
            .connection(Connection::new("vendor").with_secret("key", "a\r\nx: y\0&b=c #"))
            .upstream(|upstream| upstream.auth(auth::Query::new("key").unwrap()))
    })
    .await;
    assert_eq!(
        pair.target("/x").await,
        "/x?key=a%0D%0Ax%3A%20y%00%26b%3Dc%20%23"
    );
}

#[tokio::test]
async fn t9_a_user_name_cannot_move_the_border_to_the_password() {
    let pair = Pair::with(|setup| {
        setup
            .connection(
                Connection::new("vendor")
                    .with_secret("username", "admin:x")
                    .with_secret("password", "p"),
            )
            .upstream(|upstream| upstream.auth(auth::Basic))
    })
    .await;
    pair.refused(get("/p/c/x"), 424, "reauthorize").await;
    pair.vendor.untouched().await;
}

#[tokio::test]
async fn t11_names_are_compared_with_underscores_read_as_hyphens() {
    let pair = Pair::with(|setup| {
        setup
            .connection(Connection::new("vendor").with_secret("key", "stored"))
            .upstream(|upstream| {
                let version = "x-version".parse().unwrap();
                upstream
                    .auth(auth::Header::new("x-api-key", "{key}").unwrap())
                    .header(version, "1".parse().unwrap())
            })
            .options(|options| options.strip_request_header(HeaderName::from_static("x-host_key")))
    })
    .await;
    let lines = [
        "X_Api_Key: bad",
        "x-api_key: bad",
        "x_api-key: bad",
        "Proxy_Authorization: bad",
        "X_Forwarded_For: bad",
        "x_forwarded_host: bad",
        "X_Real_IP: bad",
        "Keep_Alive: bad",
        "Transfer_Encoding: bad",
        "Content_Length: 7",
        "Proxy_Connection: bad",
        "x-host-key: bad",
        "x_host_key: bad",
        "x_version: bad",
        "Http2_Settings: bad",
    ];
    let received = pair.seen(request("GET", "/p/c/x", &lines, "")).await;
    assert_eq!(received.head.names(), ["host", "x-api-key", "x-version"]);
    let kept = pair
        .seen(request(
            "GET",
            "/p/c/x",
            &["X_Other: fine", "x-version: 2"],
            "",
        ))
        .await;
    assert_eq!(
        (kept.head.value("x_other"), kept.head.value("x-version")),
        (Some("fine"), Some("2"))
    );
}

#[tokio::test]
async fn t18_what_an_integration_strips_never_reaches_its_upstream() {
    let name = HeaderName::from_static("x-goog-api-key");
    let pair = Pair::with(|setup| {
        setup.upstream(move |upstream| {
            let upstream = upstream.strip_request_header(name);
            let upstream = upstream.strip_query_parameter("key");
            // The order of the settings makes no difference.
            upstream.auth(auth::Bearer).strip_query_parameter("token")
        })
    })
    .await;
    let lines = [
        "X-Goog-Api-Key: hostsecret",
        "x_goog_api_key: hostsecret",
        "Trailer: X-Goog-Api-Key",
        "TE: trailers",
    ];
    let trailers = ["X-Goog-Api-Key: hostsecret", "X-Kept: trailer"];
    let target = "/p/c/x?key=hostsecret&a=1&%6bey=hostsecret&token=hostsecret&token&b";
    for sent in [
        request("GET", target, &lines, ""),
        with_trailers(target, &lines, &trailers),
    ] {
        let received = pair.seen(&sent).await;
        assert!(!raw(&received).contains("hostsecret"), "{}", raw(&received));
        assert_eq!(received.target(), "/x?a=1&b");
        let token = received.head.value("authorization");
        assert_eq!(token, Some(&*format!("Bearer {TOKEN}")));
    }
    for (target, expected) in [
        ("/p/c/x?key=a", "/x"),
        ("/p/c/x?KEY=a&keys=b", "/x?KEY=a&keys=b"),
        ("/p/c/x?", "/x?"),
        ("/p/c/%2Fx%3Fkey%3Da%26b", "/x?b"),
    ] {
        assert_eq!(pair.seen(get(target)).await.target(), expected, "{target}");
    }
}

/// A link with a parameter that a call would lose can't be called, so it stays unchanged.
#[tokio::test]
async fn t18_a_link_with_a_stripped_parameter_is_not_rewritten() {
    for (link, expected) in [
        ("/y?page=2", "http://app.test/p/c/y?page=2"),
        ("/y?key=2", "/y?key=2"),
    ] {
        let reply = format!("HTTP/1.1 302 Found\r\nLocation: {link}\r\nContent-Length: 0\r\n\r\n");
        let vendor = testkit::vendor::Vendor::answering(testkit::reply::Reply::bytes(reply)).await;
        let pair = Pair::before(vendor, |setup| {
            let setup = setup.upstream(|upstream| upstream.strip_query_parameter("key"));
            setup.options(|options| options.rewrite_links(true))
        })
        .await;
        let answer = pair.call(get("/p/c/x")).await;
        assert_eq!(answer.head.value("location"), Some(expected));
    }
}
