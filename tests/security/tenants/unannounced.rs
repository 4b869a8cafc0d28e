//! A scheme that announces no field still takes precedence over the caller's fields.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use tower_passthrough::auth::{
    Applied, AuthContext, AuthError, AuthRequest, AuthScheme, Bearer, Requirements,
};

use super::with_trailers;
use testkit::caller::{post, request};
use testkit::gateway::Setup;
use testkit::h2_caller::{self, H2Caller};
use testkit::head::latin1;
use testkit::pair::Pair;
use testkit::vendor::Received;

const AUTH: HeaderName = HeaderName::from_static("x-acme-auth");

/// A scheme that sets two values of a field, and doesn't announce the field.
#[derive(Debug)]
struct Unannounced {
    appends: bool,
}

impl AuthScheme for Unannounced {
    fn requirements(&self) -> Requirements {
        Requirements::new()
    }

    fn apply(
        &self,
        request: &mut AuthRequest<'_>,
        _: &AuthContext<'_>,
    ) -> Result<Applied, AuthError> {
        let value = HeaderValue::from_static("stored");
        match self.appends {
            true => request.append_header(AUTH, value),
            false => request.insert_header(AUTH, value),
        }
        Ok(Applied::default())
    }
}

fn setup(setup: Setup, appends: bool) -> Setup {
    setup.upstream(move |upstream| upstream.auth((Bearer, Unannounced { appends })))
}

/// Returns all bytes that arrived, as text.
fn raw(received: &Received) -> String {
    latin1(&[&received.head.raw[..], &received.body.raw].concat())
}

const SPELLINGS: [&str; 5] = [
    "X-Acme-Auth: forged",
    "x-acme-auth: forged",
    "x_acme_auth: forged",
    "X_Acme-Auth: forged",
    "x-acme_auth: forged",
];

#[tokio::test]
async fn t5_a_scheme_that_announces_nothing_takes_precedence() {
    for appends in [false, true] {
        let pair = Pair::with(move |pair| setup(pair, appends)).await;
        for nominated in [
            "keep-alive",
            "x-acme-auth",
            "X-Acme-Auth, x_acme_auth, close",
            "x_acme_auth",
        ] {
            let connection = format!("Connection: {nominated}");
            let mut lines = SPELLINGS.to_vec();
            lines.extend([&*connection, "TE: trailers"]);
            let plain = request("GET", "/p/c/x", &lines, "");
            lines.push("Trailer: X-Acme-Auth, x_acme_auth, X_Acme-Auth, x-acme_auth, X-Kept");
            let mut trailers = SPELLINGS.to_vec();
            trailers.push("X-Kept: trailer");
            for sent in [plain, with_trailers("/p/c/x", &lines, &trailers)] {
                let received = pair.seen(&sent).await;
                assert_eq!(
                    received.head.values("x-acme-auth"),
                    ["stored"],
                    "{nominated}"
                );
                assert!(!raw(&received).contains("forged"), "{}", raw(&received));
            }
        }
        let kept = ["Trailer: X-Acme-Auth, X-Kept"];
        let sent = with_trailers("/p/c/x", &kept, &["X-Acme-Auth: forged", "X-Kept: trailer"]);
        let received = pair.seen(sent).await;
        let trailers = [("x-kept".to_owned(), "trailer".to_owned())];
        assert_eq!(received.body.trailers, trailers);
    }
}

#[tokio::test]
async fn t5_a_scheme_that_announces_nothing_takes_precedence_over_http2() {
    let pair = Pair::with(|pair| setup(pair, false)).await;
    let mut caller = H2Caller::connect(pair.gateway.address).await;
    let names = ["x-acme-auth", "x_acme_auth", "x_acme-auth", "x-acme-auth"];
    let sent = names
        .iter()
        .fold(h2_caller::request("POST", "/p/c/x"), |sent, name| {
            sent.header(*name, "forged")
        });
    // Over HTTP/1.1, trailers that aren't announced don't reach an upstream.
    let announced = "x-acme-auth, x_acme_auth, x_acme-auth, x-kept";
    let sent = sent.header("te", "trailers").header("trailer", announced);
    let sent = sent.body(()).unwrap();
    let mut trailers = HeaderMap::new();
    for name in names {
        trailers.append(name, HeaderValue::from_static("forged"));
    }
    trailers.insert("x-kept", HeaderValue::from_static("trailer"));
    let response = caller.call_with(sent, b"body", Some(trailers)).await;
    assert_eq!(response.status, 200);
    let received = pair.vendor.next().await;
    assert_eq!(received.head.values("x-acme-auth"), ["stored"]);
    assert!(!raw(&received).contains("forged"), "{}", raw(&received));
    let trailers = [("x-kept".to_owned(), "trailer".to_owned())];
    assert_eq!(received.body.trailers, trailers);
}

/// A scheme of a host application's that announces nothing, and does one thing to the request.
#[derive(Clone, Copy, Debug)]
enum Careless {
    AppendsTwice,
    InsertsTwice,
    Underscored,
    RemovesAndAppends,
    OddName,
    Query,
    QueryFirst,
    Frames,
}

impl AuthScheme for Careless {
    fn requirements(&self) -> Requirements {
        Requirements::new()
    }

    fn apply(
        &self,
        request: &mut AuthRequest<'_>,
        _: &AuthContext<'_>,
    ) -> Result<Applied, AuthError> {
        let stored = HeaderValue::from_static("stored");
        let named = HeaderName::from_static;
        match self {
            Self::AppendsTwice => {
                request.append_header(AUTH, stored.clone());
                request.append_header(AUTH, stored);
            }
            Self::InsertsTwice => {
                request.insert_header(AUTH, HeaderValue::from_static("older"));
                request.insert_header(AUTH, stored);
            }
            Self::Underscored => request.insert_header(named("x_acme_auth"), stored),
            Self::RemovesAndAppends => {
                request.remove_header(&AUTH);
                request.append_header(AUTH, stored);
            }
            // Of a pseudo-header's kind, as far as a field's name can be.
            Self::OddName => request.insert_header(named("authority"), stored),
            Self::Query | Self::QueryFirst => {
                let (path, query) = (request.uri().path(), request.uri().query());
                let query = query.unwrap_or_default();
                let target = match self {
                    Self::Query => format!("{path}?{query}&api_key=stored"),
                    _ => format!("{path}?api_key=stored&{query}"),
                };
                request.set_path_and_query(target.into_bytes())?;
            }
            Self::Frames => {
                for name in ["host", "content-length", "transfer-encoding", "connection"] {
                    request.insert_header(named(name), HeaderValue::from_static("evil.test"));
                }
            }
        }
        Ok(Applied::default())
    }
}

async fn careless(scheme: Careless) -> Pair {
    Pair::with(move |pair| pair.upstream(move |upstream| upstream.auth(scheme))).await
}

#[tokio::test]
async fn t5_whatever_a_scheme_sets_wins_in_every_manner() {
    for (scheme, name, values) in [
        (
            Careless::AppendsTwice,
            "x-acme-auth",
            &["stored", "stored"][..],
        ),
        (Careless::InsertsTwice, "x-acme-auth", &["stored"]),
        (Careless::Underscored, "x_acme_auth", &["stored"]),
        (Careless::RemovesAndAppends, "x-acme-auth", &["stored"]),
        (Careless::OddName, "authority", &["stored"]),
    ] {
        let pair = careless(scheme).await;
        let mut lines = SPELLINGS.to_vec();
        let odd = ["Authority: forged", "AUTHORITY: forged"];
        match scheme {
            Careless::OddName => lines = odd.to_vec(),
            _ => lines.push("Trailer: X-Acme-Auth, x_acme_auth, X-Kept"),
        }
        let trailers = [&lines[..], &["X-Kept: trailer"]].concat();
        for sent in [
            request("GET", "/p/c/x", &lines, ""),
            with_trailers("/p/c/x", &lines, &trailers),
        ] {
            let received = pair.seen(&sent).await;
            assert_eq!(received.head.values(name), values, "{scheme:?}");
            assert!(!raw(&received).contains("forged"), "{}", raw(&received));
        }
    }
}

#[tokio::test]
async fn t5_a_parameter_that_a_scheme_adds_wins_too() {
    for (scheme, sent, arrived) in [
        (
            Careless::Query,
            "a=1&api_key=forged&b",
            "a=1&b&api_key=stored",
        ),
        (
            Careless::Query,
            "api_key=forged&api%5Fkey=forged",
            "api_key=stored",
        ),
        (Careless::Query, "%61pi_key", "api_key=stored"),
        (Careless::Query, "api_key=stored", "api_key=stored"),
        (Careless::Query, "a=1&a=1&&b", "a=1&a=1&&b&api_key=stored"),
        (
            Careless::QueryFirst,
            "a=1&api_key=forged",
            "api_key=stored&a=1",
        ),
        (
            Careless::QueryFirst,
            "api_keys=1&Api_Key=2",
            "api_key=stored&api_keys=1&Api_Key=2",
        ),
    ] {
        let pair = careless(scheme).await;
        let target = pair.target(&format!("/x?{sent}")).await;
        assert_eq!(target, format!("/x?{arrived}"), "{scheme:?} {sent}");
    }
}

#[tokio::test]
async fn t5_a_scheme_cannot_frame_or_route_a_request() {
    let pair = careless(Careless::Frames).await;
    let received = pair.seen(post("/p/c/x", "body")).await;
    assert_eq!(received.body.data, b"body");
    assert!(!raw(&received).contains("evil"), "{}", raw(&received));
    let host = format!("127.0.0.1:{}", pair.vendor.address().port());
    let seen = received.head.values("host");
    assert!(
        seen.len() == 1 && (seen[0] == host || seen[0].starts_with("vendor.test")),
        "{seen:?}"
    );
}
