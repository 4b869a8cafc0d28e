//! Secrets with unusual characters, sent by each scheme and in each way in which a call can end, while the output of
//! all crates at the level TRACE is recorded. The recorded text is then searched for the secrets, in clear and in each
//! encoding.
//!
//! This test is a separate process, because its subscriber is the subscriber of the process.
#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod case;
mod said;
mod store;
mod ways;

use std::fmt::Debug;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use http::Request;
use tower::Service as _;
use tower_passthrough::authorize::AuthorizeFn;
use tower_passthrough::authorize::BoxAuthorize;
use tower_passthrough::store::BoxCredentialStore;
use tower_passthrough::{
    Connection, HttpTransport, Integrations, MemoryStore, PassthroughService, Secret, Upstream,
    auth,
};

use crate::case::Case;
use crate::said::{Pen, SAID, core, forms, odd, search};
use crate::ways::{BODY, COOKIE, HOST_KEY, PARAMETER, over_http1, over_http2};

#[tokio::test]
async fn l7_no_crate_logs_a_secret_at_any_level() {
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(|| Pen)
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let mut cores: Vec<String> = [HOST_KEY, COOKIE, BODY, PARAMETER]
        .map(str::to_owned)
        .to_vec();
    let mut codes = Vec::new();
    for case in Case::all() {
        Box::pin(over_http1(&case, &mut codes)).await;
        Box::pin(over_http2(&case)).await;
        cores.extend(case.cores);
    }
    search(&cores);

    // The calls ended in many ways, and much text was recorded.
    codes.sort();
    codes.dedup();
    let expected = [
        "bad-address",
        "bad-domain",
        "body-too-large",
        "destination-refused",
        "domain-refused",
        "method-refused",
        "reauthorize",
        "refresh-failed",
        "scope-refused",
        "store-unavailable",
        "unknown-connection",
        "upstream-protocol",
        "upstream-timeout",
        "upstream-unreachable",
    ];
    assert_eq!(codes, expected);
    let said = String::from_utf8_lossy(&SAID.lock().unwrap()).into_owned();
    assert!(
        said.contains("TRACE") && said.contains("h2::"),
        "nothing was logged at TRACE"
    );
    assert!(
        said.len() > 500_000,
        "only {} bytes were recorded",
        said.len()
    );
}

#[test]
fn l7_the_search_finds_each_form() {
    let core = core("found");
    let odd = odd(&core);
    let percent: String = core.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let said = [
        odd.clone(),
        format!("{odd:?}"),
        format!("{:?}", odd.as_bytes()),
        percent,
        STANDARD.encode(&odd),
        STANDARD.encode(format!("u:{odd}")),
        STANDARD.encode(format!("us:{odd}")),
        URL_SAFE.encode(format!("?{odd}")),
        odd.to_uppercase(),
    ];
    for text in said {
        assert!(
            forms(&core).iter().any(|form| text.contains(form)),
            "{text}"
        );
    }
}

#[tokio::test]
async fn l2_debug_of_public_types_shows_no_secret() {
    let core = core("debug");
    let secret = odd(&core);
    let connection = Connection::new("x")
        .with_variable("v", core.as_str())
        .with_secret("token", secret.as_str());
    let store = MemoryStore::from_iter([("c", connection.clone())]);
    let upstream = Upstream::new("https://vendor.test")
        .unwrap()
        .auth(auth::Bearer);
    let value = Secret::from(secret.as_str())
        .to_header_value("Bearer ")
        .unwrap();
    let integrations = Integrations::new().with("x", upstream.clone());
    let boxed = BoxCredentialStore::new(store.clone());
    let authorizer = BoxAuthorize::new(AuthorizeFn::new(|_, _| true));
    let service = PassthroughService::builder(boxed.clone(), integrations.clone())
        .authorize(authorizer.clone())
        .caller_credentials([])
        .build();
    let future = service.clone().call(
        Request::get("/c/x")
            .header("authorization", value.clone())
            .body(secret.clone())
            .unwrap(),
    );
    let types: [&dyn Debug; 13] = [
        &connection,
        connection.credential(),
        connection.variables(),
        &store,
        &upstream,
        &value,
        &integrations,
        &boxed,
        &authorizer,
        &service,
        &future,
        &HttpTransport::builder(),
        &Secret::from(secret.as_str()),
    ];
    for shown in types {
        let text = format!("{shown:?} {shown:#?}");
        for form in forms(&core) {
            assert!(!text.contains(&form), "{text}");
        }
    }
}
