//! The ways in which a call can end, over HTTP/1.1 and HTTP/2.

use std::sync::Arc;
use std::time::Duration;

use h2::Reason;
use http::Response;
use tower_passthrough::observe::CallReport;
use tower_passthrough::{Integrations, PassthroughLayer, PassthroughService, Upstream};

use crate::case::Case;
use crate::said::{SAID, say, shows};
use crate::store::{ById, Nameless, Store};
use testkit::caller::{Caller, RawResponse, get, raw_call, request};
use testkit::gateway::{Gateway, Origin, Setup, bind};
use testkit::h2_caller;
use testkit::h2_caller::H2Caller;
use testkit::h2_vendor::H2Vendor;
use testkit::manual::ManualVendor;
use testkit::reply::Reply;
use testkit::vendor::Vendor;
use testkit::wait::within;

/// Starts a gateway in front of that vendor, and records the gateway's reports.
pub(crate) async fn gateway(
    vendor: &(impl Origin + ?Sized),
    wrong_name: u16,
    case: &Case,
) -> Gateway {
    let listener = bind().await;
    let transport = Setup::new(vendor)
        .name("wrong.test", [127, 0, 0, 1])
        .name("private.test", [10, 0, 0, 1])
        .transport(|transport| transport.resolver(Nameless))
        .build_transport(listener.local_addr().unwrap());
    let at = |base: &str| Upstream::new(base).unwrap().auth(Arc::clone(&case.scheme));
    let integrations = Integrations::new()
        .with("main", at(&vendor.origin()))
        .with("closed", at("http://127.0.0.1:1"))
        .with("private", at("http://private.test"))
        .with("unresolved", at("http://unresolved.invalid"))
        .with(
            "wrong-name",
            at(&format!("https://wrong.test:{wrong_name}")),
        );
    shows(&(
        &integrations,
        &transport,
        &*case.scheme,
        &case.connection,
        case.connection.credential(),
    ));
    shows(&integrations.get("main"));
    let store = Store {
        first: case.connection.clone(),
        renewed: case.renewed.clone(),
        broken: case.broken.clone(),
    };
    let builder = PassthroughService::builder(store, integrations)
        .authorize(ById)
        .caller_credentials([])
        .transport(transport);
    let builder = builder
        .request_body_limit(64)
        .response_head_timeout(Duration::from_millis(400))
        .idle_timeout(Duration::from_millis(400))
        .observe_fn(|call: &CallReport<'_>| {
            shows(call);
            let mut cause = call.cause().map(|error| error as &dyn std::error::Error);
            while let Some(error) = cause {
                say(&format!("{error} {error:?} {error:#?}\n"));
                cause = error.source();
            }
        });
    shows(&builder);
    let service = builder.build();
    shows(&service);
    shows(&PassthroughLayer::new("/p", service.clone()).unwrap());
    Gateway::serve(listener, service)
}

/// Data of the caller, which must not be shown either.
pub(crate) const HOST_KEY: &str = "Zq7xhostkey9Kw3Vb";

pub(crate) const COOKIE: &str = "Zq7xcookie9Kw3Vb";

pub(crate) const BODY: &str = "Zq7xbody9Kw3Vb";

pub(crate) const PARAMETER: &str = "Zq7xparameter9Kw3Vb";

pub(crate) fn sent(method: &str, target: &str, body: &str) -> String {
    let length = format!("Content-Length: {}", body.len());
    let key = format!("Authorization: Bearer {HOST_KEY}");
    let cookie = format!("Cookie: session={COOKIE}");
    request(method, target, &[&key, &cookie, &length], body)
}

/// Records an error of the gateway.
pub(crate) fn keep(response: &RawResponse) {
    if response.error().is_some() {
        SAID.lock().unwrap().extend_from_slice(&response.head.raw);
        SAID.lock().unwrap().extend_from_slice(&response.body.raw);
    }
}

/// Starts a vendor that repeats the request in some answers that aren't valid.
pub(crate) async fn vendor() -> Vendor {
    Vendor::replying(|received| {
        let path = received.target().split('?').next().unwrap_or_default();
        match path {
            "/garbage" => Reply::bytes(received.head.raw.clone()).close(),
            "/header-garbage" => {
                let echoed = received.head.value("authorization").unwrap_or_default();
                Reply::bytes(format!("HTTP/1.1 200 {echoed}\0\r\n\r\n")).close()
            }
            "/close" => Reply::default().close(),
            "/reset" => Reply::default().reset(),
            "/cut" => Reply::bytes("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf").close(),
            "/silence" => Reply::silence(),
            "/unauthorized" => {
                Reply::bytes("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
            }
            "/coding" => Reply::bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n").close(),
            "/switch" => Reply::bytes(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
            ),
            _ => Reply::ok("ok"),
        }
    })
    .await
}

/// Ends a call in each way over HTTP/1.1, and adds the error codes to `codes`.
pub(crate) async fn over_http1(case: &Case, codes: &mut Vec<String>) {
    let vendor = vendor().await;
    let wrong = ManualVendor::bind_tls(&["http/1.1"]).await;
    let gateway = gateway(&vendor, wrong.address().port(), case).await;
    let query = format!("?q={PARAMETER}");
    for (method, target) in [
        ("GET", "/c/ok"),
        ("POST", "/c/ok"),
        ("HEAD", "/c/ok"),
        ("GET", "/c/a/../../.."),
        ("GET", "/c/%5C"),
        ("TRACE", "/c/ok"),
        ("GET", "/nobodys/ok"),
        ("GET", "/dead/ok"),
        ("GET", "/down/ok"),
        ("GET", "/scoped/ok"),
        ("GET", "/unset/ok"),
        ("GET", "/broken/ok"),
        ("GET", "/closed/ok"),
        ("GET", "/private/ok"),
        ("GET", "/unresolved/ok"),
        ("GET", "/plain/ok"),
        ("GET", "/c/garbage"),
        ("GET", "/c/header-garbage"),
        ("GET", "/c/close"),
        ("POST", "/c/reset"),
        ("GET", "/c/cut"),
        ("GET", "/c/silence"),
        ("POST", "/c/silence"),
        ("GET", "/c/unauthorized"),
        ("GET", "/renew/unauthorized"),
        ("GET", "/renew-broken/unauthorized"),
        ("GET", "/renew-down/unauthorized"),
        ("GET", "/c/coding"),
        ("GET", "/c/switch"),
    ] {
        let body = if method == "POST" { BODY } else { "" };
        let response = raw_call(
            gateway.address,
            sent(method, &format!("{target}{query}"), body),
        )
        .await;
        keep(&response);
        codes.extend(response.error().map(str::to_owned));
    }
    for target in ["/c/ok?__domain=evil.test&", "/c/ok?__domain=a@b&"] {
        let response = raw_call(
            gateway.address,
            sent("GET", &format!("{target}{}", &query[1..]), ""),
        )
        .await;
        keep(&response);
        codes.extend(response.error().map(str::to_owned));
    }
    let large = raw_call(gateway.address, sent("POST", "/c/ok", &BODY.repeat(9))).await;
    keep(&large);
    codes.extend(large.error().map(str::to_owned));

    // The vendor has a certificate for another name.
    let shaking = wrong.accept_and_fail();
    let call = raw_call(gateway.address, sent("GET", "/wrong-name/ok", ""));
    let (response, ()) = Box::pin(async { tokio::join!(call, shaking) }).await;
    assert_eq!(response.error(), Some("upstream-unreachable"));
    keep(&response);

    // Callers leave before the answer, and during an upload.
    let mut leaving = Caller::connect(gateway.address).await;
    leaving.write(sent("GET", "/c/silence", "")).await;
    leaving.wire.reset();
    let mut leaving = Caller::connect(gateway.address).await;
    leaving
        .write(request("POST", "/c/ok", &["Content-Length: 50"], BODY))
        .await;
    leaving.wire.reset();
    assert_eq!(raw_call(gateway.address, get("/c/ok")).await.status(), 200);
}

/// Ends a call in each way over HTTP/2 on both sides.
pub(crate) async fn over_http2(case: &Case) {
    let vendor = H2Vendor::start().await;
    let gateway = gateway(&vendor, 1, case).await;
    let mut caller = H2Caller::connect(gateway.address).await;
    let ask = |path: &str| {
        h2_caller::request("POST", &format!("/c{path}?q={PARAMETER}"))
            .header("authorization", format!("Bearer {HOST_KEY}"))
            .header("cookie", format!("session={COOKIE}"))
            .body(())
            .unwrap()
    };
    for way in [
        "/ok",
        "/reset",
        "/refuse",
        "/cut",
        "/unauthorized",
        "/unread",
    ] {
        let (response, mut upload) = caller.open(ask(way), false).await;
        upload.send_data(BODY.into(), true).unwrap();
        let mut call = within("a stream", vendor.next()).await;
        match way {
            "/ok" => {
                call.read().await;
                call.ok("ok");
            }
            "/reset" => call.respond.send_reset(Reason::INTERNAL_ERROR),
            "/refuse" => call.respond.send_reset(Reason::ENHANCE_YOUR_CALM),
            "/cut" => {
                let mut stream = call.answer(Response::new(()));
                stream.send_data("half".into(), false).unwrap();
                stream.send_reset(Reason::CANCEL);
            }
            "/unauthorized" => call.finish(Response::builder().status(401).body(()).unwrap()),
            _ => drop(call),
        }
        if let Ok(Ok(response)) = tokio::time::timeout(Duration::from_secs(5), response).await {
            if response.headers().contains_key("passthrough-error") {
                shows(response.headers());
                let (body, _) = testkit::h2_vendor::read(&mut response.into_body())
                    .await
                    .unwrap();
                SAID.lock().unwrap().extend(body);
            }
        }
    }
    // If a caller breaks its call off, the vendor's stream is reset.
    let (response, mut upload) = caller.open(ask("/left"), false).await;
    upload.send_data(BODY.into(), false).unwrap();
    let mut call = within("a stream", vendor.next()).await;
    upload.send_reset(Reason::CANCEL);
    drop(response);
    call.reset().await;
}
