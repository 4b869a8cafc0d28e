//! Response fields that act on the host application in a browser.

use std::fs;
use std::path::Path;

use tower_passthrough::service::ResponseHeaderPolicy;

use testkit::caller::{Caller, get, request};
use testkit::gateway::{Builder, Setup};
use testkit::h2_caller::{self, H2Caller};
use testkit::pair::Pair;
use testkit::vendor::Vendor;

/// Each field that acts on the host application's origin, from the list of the rule BrowserSafe in
/// `docs/rules/forwarding.md`.
const ACTIVE: [&str; 46] = [
    "Set-Cookie",
    "Set-Cookie2",
    "Strict-Transport-Security",
    "Public-Key-Pins",
    "Public-Key-Pins-Report-Only",
    "Expect-CT",
    "Clear-Site-Data",
    "Alt-Svc",
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Credentials",
    "Access-Control-Allow-Methods",
    "Access-Control-Expose-Headers",
    "Access-Control-Max-Age",
    "Access-Control-Allow-Private-Network",
    "Timing-Allow-Origin",
    "Service-Worker-Allowed",
    "Content-Security-Policy",
    "Content-Security-Policy-Report-Only",
    "Permissions-Policy",
    "Document-Policy",
    "Cross-Origin-Opener-Policy",
    "Cross-Origin-Embedder-Policy",
    "Cross-Origin-Resource-Policy",
    "Cross-Origin-Opener-Policy-Report-Only",
    "Cross-Origin-Embedder-Policy-Report-Only",
    "Origin-Agent-Cluster",
    "Referrer-Policy",
    "X-Frame-Options",
    "Reporting-Endpoints",
    "Report-To",
    "NEL",
    "Accept-CH",
    "Critical-CH",
    "Refresh",
    "Link",
    "SourceMap",
    "X-SourceMap",
    "Speculation-Rules",
    "Set-Login",
    "Activate-Storage-Access",
    "Sec-Session-Registration",
    "Sec-Session-Challenge",
    "WWW-Authenticate",
    "Set_Cookie",
    "access_control_allow_origin",
    "Feature-Policy",
];

#[tokio::test]
async fn v4_browser_safe_removes_fields_that_act_on_the_origin() {
    for field in ACTIVE {
        let answer = format!(
            "HTTP/1.1 200 OK\r\n{field}: active\r\n{field}: active2\r\nX-Own: 1\r\nContent-Type: text/html\r\nCache-Control: public, s-maxage=60\r\nTrailer: {field}, x-sum\r\n\
             Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n{field}: active\r\nx-sum: 1\r\n\r\n"
        );
        let pair = Pair::before(Vendor::answering(answer).await, |setup| {
            setup.options(|options| options.response_headers(ResponseHeaderPolicy::BrowserSafe))
        })
        .await;
        let response = pair
            .call(request("GET", "/p/c/x", &["TE: trailers"], ""))
            .await;
        let head = String::from_utf8_lossy(&response.head.raw).into_owned();
        assert!(!head.contains("active"), "{head}");
        assert_eq!(
            response.body.trailers,
            [("x-sum".to_owned(), "1".to_owned())],
            "{field}"
        );
        assert_eq!(
            response.head.value("content-security-policy"),
            Some("sandbox; default-src 'none'")
        );
        assert_eq!(
            response.head.value("x-content-type-options"),
            Some("nosniff")
        );
        assert_eq!(response.head.value("cache-control"), Some("private"));
        assert_eq!(response.head.value("content-type"), Some("text/html"));
        assert_eq!(response.head.value("x-own"), Some("1"));
    }
}

#[tokio::test]
async fn v4_browser_safe_keeps_shared_caches_out_of_each_answer() {
    for (sent, kept) in [
        ("", "private"),
        ("Cache-Control: public\r\n", "private"),
        (
            "Cache-Control: max-age=60\r\nCache-Control: s-maxage=9\r\n",
            "private, max-age=60",
        ),
        ("Cache-Control: no-store\r\n", "private, no-store"),
        ("Cache-Control: public, No-Cache\r\n", "private, No-Cache"),
        (
            "Cache-Control: no-cache=\"a, public\", must-revalidate\r\n",
            "private, no-cache=\"a, public\", must-revalidate",
        ),
        (
            "CDN-Cache-Control: public\r\nSurrogate-Control: max-age=9\r\n",
            "private",
        ),
    ] {
        let answer = format!("HTTP/1.1 200 OK\r\n{sent}Content-Length: 0\r\n\r\n");
        let pair = Pair::before(Vendor::answering(answer).await, |setup| {
            setup.options(|options| options.response_headers(ResponseHeaderPolicy::BrowserSafe))
        })
        .await;
        let response = pair.call(get("/p/c/x")).await;
        assert_eq!(response.head.value("cache-control"), Some(kept), "{sent}");
        assert!(!response.head.has("cdn-cache-control") && !response.head.has("surrogate-control"));
    }
}

#[tokio::test]
async fn v5_the_crate_adds_no_cors_field() {
    let pair = Pair::new().await;
    let lines = [
        "Origin: https://evil.test",
        "Access-Control-Request-Method: DELETE",
        "Access-Control-Request-Private-Network: true",
        "Cookie: session=1",
    ];
    for (method, target) in [
        ("OPTIONS", "/p/c/x"),
        ("GET", "/p/c/x"),
        ("OPTIONS", "/p/nobodys/x"),
        ("GET", "/p/c/../x"),
        ("TRACE", "/p/c/x"),
    ] {
        let response = pair.call(request(method, target, &lines, "")).await;
        let names = response.head.names();
        assert!(
            !names
                .iter()
                .any(|name| name.starts_with("access-control-") || name == "set-cookie"),
            "{names:?}"
        );
    }
    // A preflight is forwarded like any other call, without the browser's credentials.
    let received = pair.vendor.next().await;
    assert_eq!(
        (received.head.method(), received.head.has("cookie")),
        ("OPTIONS", false)
    );
}

#[test]
fn v5_the_docs_warn_of_mounts_behind_cookies() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/docs/mounting.md");
    let guide = fs::read_to_string(guide).unwrap().to_lowercase();
    assert!(
        guide.contains("cookie") && guide.contains("csrf"),
        "the guide doesn't warn"
    );
}

/// Fields that nginx, Apache, lighttpd, LiteSpeed, h2o and Perlbal obey when they're in front of the host application.
const INSTRUCTIONS: [&str; 18] = [
    "X-Accel-Redirect",
    "X-Accel-Buffering",
    "X-Accel-Expires",
    "X-Accel-Charset",
    "X-Accel-Limit-Rate",
    "X-Sendfile",
    "X-Sendfile2",
    "X-Sendfile-Type",
    "X-Sendfile-Temporary",
    "X-LiteSpeed-Location",
    "X-LiteSpeed-Purge",
    "X-LSCACHE",
    "X-Reproxy-URL",
    "X-Reproxy-File",
    "X-Lighttpd-Send-File",
    "X-Lighttpd-Send-Tempfile",
    "x_accel_redirect",
    "X_SENDFILE",
];

#[tokio::test]
async fn v8_instructions_to_a_server_in_front_are_dropped_in_both_policies() {
    for policy in [ResponseHeaderPolicy::All, ResponseHeaderPolicy::BrowserSafe] {
        for passes in [false, true] {
            for field in INSTRUCTIONS {
                let answer = format!(
                    "HTTP/1.1 200 OK\r\n{field}: /internal/secret\r\n{field}: /etc/passwd\r\nX-Own: 1\r\n\
                     Trailer: {field}, x-sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\
                     {field}: /internal/secret\r\nx-sum: 1\r\n\r\n"
                );
                let pair = Pair::before(Vendor::answering(answer).await, move |setup| {
                    setup.options(move |options| {
                        let options = options.response_headers(policy);
                        match passes {
                            true => options.pass_server_instructions(true),
                            false => options,
                        }
                    })
                })
                .await;
                let sent = request("GET", "/p/c/x", &["TE: trailers"], "");
                let response = pair.call(sent).await;
                let values = response.head.values(&field.to_lowercase());
                let trailers = response.body.trailers.len();
                if passes {
                    assert_eq!(values, ["/internal/secret", "/etc/passwd"], "{field}");
                    assert_eq!(trailers, 2, "{field}");
                } else {
                    assert_eq!(values, [""; 0], "{field}");
                    assert_eq!(trailers, 1, "{field}");
                }
                assert_eq!(response.head.value("x-own"), Some("1"));
            }
        }
    }
}

/// Opens a WebSocket with these lines, and returns the status of the answer.
async fn opens(setup: impl FnOnce(Builder) -> Builder + Send + 'static, lines: &[&str]) -> u16 {
    let vendor = Vendor::answering(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    )
    .await;
    let gateway = Setup::new(&vendor).options(setup).start().await;
    let usual = [
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        "Cookie: session=ann",
    ];
    let lines = [&usual[..], lines].concat();
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(request("GET", "/p/c/live", &lines, "")).await;
    let head = caller.head().await;
    if head.status() == 403 {
        assert_eq!(head.value("passthrough-error"), Some("scope-refused"));
        vendor.untouched().await;
    }
    head.status()
}

fn browser_safe(options: Builder) -> Builder {
    options.response_headers(ResponseHeaderPolicy::BrowserSafe)
}

#[tokio::test]
async fn v9_pages_of_other_origins_cannot_open_websockets() {
    for lines in [
        &["Origin: https://evil.test"][..],
        &["Origin: https://evil.test", "Sec-Fetch-Site: cross-site"],
        &["Origin: null"],
        &["Origin: http://app.test:8080"],
        &["Origin: http://sub.app.test", "Sec-Fetch-Site: same-site"],
        &["Origin: http://app.test.evil.test"],
        &["Origin: http://app.test", "Sec-Fetch-Site: cross-site"],
        &["Origin: http://app.test", "Sec-Fetch-Site: same-site"],
        &["Sec-Fetch-Site: cross-site"],
        &["Sec-Fetch-Site: same-site"],
        &["Origin: http://app.test", "Origin: https://evil.test"],
        &["Origin: https://evil.test", "Sec-Fetch-Site: same-origin"],
    ] {
        assert_eq!(opens(browser_safe, lines).await, 403, "{lines:?}");
        // Servers don't send these fields, and `All` is for servers.
        assert_eq!(opens(|options| options, lines).await, 101, "{lines:?}");
    }
}

#[tokio::test]
async fn v9_pages_of_the_own_and_of_listed_origins_and_programs_can() {
    for lines in [
        &[][..],
        &["Origin: http://app.test"],
        &["Origin: https://app.test"],
        &["Origin: http://app.test", "Sec-Fetch-Site: same-origin"],
        &["Sec-Fetch-Site: none"],
    ] {
        assert_eq!(opens(browser_safe, lines).await, 101, "{lines:?}");
    }
    let listed = |options: Builder| {
        let options = browser_safe(options);
        let options = options
            .websocket_origin("https://Front.example:443")
            .unwrap();
        options.websocket_origin("http://localhost:3000").unwrap()
    };
    for lines in [
        &[
            "Origin: https://front.example",
            "Sec-Fetch-Site: cross-site",
        ][..],
        &["Origin: http://localhost:3000", "Sec-Fetch-Site: same-site"],
        &["Origin: http://app.test"],
    ] {
        assert_eq!(opens(listed, lines).await, 101, "{lines:?}");
    }
    for lines in [
        &["Origin: http://front.example"][..],
        &["Origin: https://front.example:8443"],
        &["Origin: http://localhost:3001"],
    ] {
        assert_eq!(opens(listed, lines).await, 403, "{lines:?}");
    }
}

#[tokio::test]
async fn v9_an_extended_connect_is_judged_by_its_authority() {
    let vendor = Vendor::ok().await;
    let gateway = Setup::new(&vendor).options(browser_safe).start().await;
    for (origin, is_refused) in [
        ("https://evil.test", true),
        ("https://app.test:8443", true),
        ("http://app.test", false),
        ("https://app.test", false),
    ] {
        let mut caller = H2Caller::connect(gateway.address).await;
        caller.connect_protocol().await;
        let handshake = h2_caller::request("CONNECT", "/p/c/live").header("origin", origin);
        let mut handshake = handshake.body(()).unwrap();
        let protocol = h2::ext::Protocol::from_static("websocket");
        handshake.extensions_mut().insert(protocol);
        let (response, _upload) = caller.open(handshake, false).await;
        let response = h2_caller::answer(response).await;
        let code = response.headers().get("passthrough-error").cloned();
        assert_eq!(
            code.is_some_and(|code| code == "scope-refused"),
            is_refused,
            "{origin}"
        );
    }
}
