//! A scheme that announces no field still takes precedence over the caller's fields.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use tower_passthrough::auth::{
    Applied, AuthContext, AuthError, AuthRequest, AuthScheme, Bearer, Requirements,
};

use super::with_trailers;
use testkit::caller::request;
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
