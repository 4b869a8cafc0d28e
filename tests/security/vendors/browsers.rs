//! Response fields that act on the host application in a browser.

use std::fs;
use std::path::Path;

use tower_passthrough::service::ResponseHeaderPolicy;

use testkit::caller::{get, request};
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
