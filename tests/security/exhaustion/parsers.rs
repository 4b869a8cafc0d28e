//! Inputs that could be slow to parse.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Request;
use tokio::time::Instant;
use tower::ServiceExt as _;
use tower_passthrough::Grant;
use tower_passthrough::authorize::AuthorizeError;
use tower_passthrough::{
    CallContext, Connection, ConnectionId, Integrations, MemoryStore, PassthroughService, Scope,
    Upstream, auth,
};

use super::Void;

/// Inputs that are slow for a parser which reads each part from the start again, or which calls itself for each part.
#[tokio::test]
async fn x6_no_number_of_delimiters_is_slow_or_a_panic() {
    let calls = Arc::new(AtomicUsize::new(0));
    let upstream = Upstream::template("https://{v}.vendor.test/")
        .unwrap()
        .variable("v", "([a-z]+)*x")
        .unwrap()
        .auth(auth::Query::new("key").unwrap());
    let scope = Scope::all().paths(["*a*a*a*a*a*a*a*b", "*/*/*/*/*/x", "*"]);
    let long = "a".repeat(60_000);
    let store = MemoryStore::from_iter([
        (
            "c",
            Connection::new("x")
                .with_variable("v", "x")
                .with_secret("key", "t"),
        ),
        (
            "long",
            Connection::new("x")
                .with_variable("v", long)
                .with_secret("key", "t"),
        ),
    ]);
    let service = PassthroughService::builder(store, Integrations::new().with("x", upstream))
        .authorize(Granting(scope))
        .caller_credentials([])
        .transport(Void(Arc::clone(&calls)))
        .build();
    let started = Instant::now();
    let mut made = 0;
    for delimiter in [
        "/",
        "//",
        "%",
        "%2F",
        "%2f..",
        "%25",
        "..",
        "../",
        "a/../",
        "./",
        ";",
        "..;/",
        "&",
        "=",
        "?",
        "&=",
        "%26",
        "__domain=&",
        "__domain=h&",
        "%5F",
        ".",
        ":",
        "@",
        "[",
        "]",
        "*",
        "+",
        "-",
        "~",
        "aaaa",
        "a/",
        "xn--",
        "a.",
        "\u{e9}",
    ] {
        let many: String = delimiter.repeat(64_000 / delimiter.len());
        let targets = [
            format!("/c/{many}"),
            format!("/c/x?{many}"),
            format!("/c/%2F{many}"),
            format!("/c/x?__domain={many}"),
            format!("/{many}/x"),
            format!("/long/{many}"),
        ];
        for target in targets {
            let Ok(uri) = target.parse::<http::Uri>() else {
                continue;
            };
            let answer = service
                .clone()
                .oneshot(Request::get(uri).body(String::new()).unwrap())
                .await
                .unwrap();
            assert!(
                answer.status().as_u16() < 500,
                "{delimiter:?}: {}",
                answer.status()
            );
            made += 1;
        }
        // The test takes a second or two in total. A parser with quadratic time would take hours.
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "{delimiter:?}: {:?}",
            started.elapsed()
        );
    }
    assert!(
        made > 150 && calls.load(Ordering::SeqCst) > 20,
        "{made} calls, {calls:?} sent"
    );
}

/// Grants one scope for everything.
struct Granting(Scope);

impl tower_passthrough::Authorize for Granting {
    async fn authorize(
        &self,
        _: &ConnectionId,
        _: CallContext<'_>,
    ) -> Result<Grant, AuthorizeError> {
        Ok(self.0.clone().into())
    }
}
