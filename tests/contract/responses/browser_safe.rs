//! Fields that act on the host application's origin in a browser, and shared caches.

use tower_passthrough::service::ResponseHeaderPolicy;

use super::{answering, answering_with};
use testkit::caller::{get, request};
use testkit::pair::Pair;

async fn browser_safe(fields: &str) -> Pair {
    let reply = format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 2\r\n\r\nok");
    answering_with(reply, |setup| {
        setup.options(|o| o.response_headers(ResponseHeaderPolicy::BrowserSafe))
    })
    .await
}

const ACTING: [&str; 46] = [
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
    "Access-Control-Allow-Private-Network",
    "Access-Control-Expose-Headers",
    "Access-Control-Max-Age",
    "Timing-Allow-Origin",
    "Service-Worker-Allowed",
    "Content-Security-Policy-Report-Only",
    "Permissions-Policy",
    "Document-Policy",
    "Cross-Origin-Opener-Policy",
    "Cross-Origin-Opener-Policy-Report-Only",
    "Cross-Origin-Embedder-Policy",
    "Cross-Origin-Embedder-Policy-Report-Only",
    "Cross-Origin-Resource-Policy",
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
    "Speculation-Rules",
    "Set-Login",
    "Activate-Storage-Access",
    "Sec-Session-Registration",
    "Sec-Session-Challenge",
    "Sec-Session-Id",
    "WWW-Authenticate",
    // A CGI, WSGI or PHP application reads these names like the names above.
    "Set_Cookie",
    // Possible future members of the families of names.
    "Access-Control-Yet-To-Come",
    "Content-Security-Policy-Yet-To-Come",
    "Cross-Origin-Isolation-Policy",
    "Sec-Session-Yet-To-Come",
];

#[tokio::test]
async fn browser_safe_removes_each_field_that_acts_on_the_origin() {
    for name in ACTING {
        let pair = browser_safe(&format!("{name}: canary\r\n{name}: canary\r\n")).await;
        let response = pair.call(get("/p/c/x")).await;
        assert_eq!(response.status(), 200);
        assert!(!response.head.has(name), "{name}");
    }
}

#[tokio::test]
async fn browser_safe_keeps_all_other_fields() {
    let kept = [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Disposition", "attachment; filename=\"a\""),
        ("Content-Encoding", "gzip"),
        ("Content-Language", "de"),
        ("Content-Range", "bytes 0-1/2"),
        ("Accept-Ranges", "bytes"),
        ("ETag", "W/\"1\""),
        ("Last-Modified", "Tue, 15 Nov 1994 08:12:31 GMT"),
        ("Location", "https://vendor.test/y"),
        ("Retry-After", "5"),
        ("Vary", "Accept"),
        ("X-RateLimit-Remaining", "7"),
        ("X-Request-Id", "r"),
        ("Server", "vendor/1"),
    ];
    let fields: String = kept
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let pair = browser_safe(&fields).await;
    let response = pair.call(get("/p/c/x")).await;
    for (name, value) in kept {
        assert_eq!(response.head.values(name), [value]);
    }
    assert_eq!(response.text(), "ok");
}

#[tokio::test]
async fn browser_safe_sandboxes_the_answer() {
    for fields in [
        "",
        "Content-Security-Policy: default-src *\r\nContent-Security-Policy: script-src *\r\nX-Content-Type-Options: none\r\n",
    ] {
        let pair = browser_safe(fields).await;
        let response = pair.call(get("/p/c/x")).await;
        let policies = response.head.values("content-security-policy");
        assert_eq!(policies, ["sandbox; default-src 'none'"]);
        assert_eq!(response.head.values("x-content-type-options"), ["nosniff"]);
    }
}

#[tokio::test]
async fn browser_safe_is_not_the_default() {
    let fields: String = ACTING
        .iter()
        .map(|name| format!("{name}: canary\r\n"))
        .collect();
    let pair = answering(format!(
        "HTTP/1.1 200 OK\r\n{fields}Content-Length: 2\r\n\r\nok"
    ))
    .await;
    let response = pair.call(get("/p/c/x")).await;
    for name in ACTING {
        assert_eq!(response.head.values(name), ["canary"], "{name}");
    }
    for added in [
        "content-security-policy",
        "x-content-type-options",
        "cache-control",
    ] {
        assert!(!response.head.has(added), "{added}");
    }
}

#[tokio::test]
async fn browser_safe_removes_these_fields_from_trailers() {
    let reply = "HTTP/1.1 200 OK\r\nTrailer: Set-Cookie, X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n\
                 2\r\nok\r\n0\r\nSet-Cookie: a=1\r\nX-Sum: 7\r\n\r\n";
    let pair = answering_with(reply, |setup| {
        setup.options(|o| o.response_headers(ResponseHeaderPolicy::BrowserSafe))
    })
    .await;
    let response = pair
        .call(request("GET", "/p/c/x", &["TE: trailers"], ""))
        .await;
    let names: Vec<_> = response
        .body
        .trailers
        .iter()
        .map(|(name, _)| name.to_ascii_lowercase())
        .collect();
    assert_eq!(names, ["x-sum"]);
}

#[tokio::test]
async fn r9_browser_safe_keeps_shared_caches_out() {
    for sent in [
        "",
        "Cache-Control: public, s-maxage=600\r\n",
        "Cache-Control: max-age=60\r\nCache-Control: Public\r\n",
        "Cache-Control: no-store\r\n",
        "Cache-Control: proxy-revalidate, no-cache=\"set-cookie\"\r\n",
        "CDN-Cache-Control: max-age=600\r\nSurrogate-Control: max-age=600\r\n",
    ] {
        let pair = browser_safe(sent).await;
        let response = pair.call(get("/p/c/x")).await;
        let values = response.head.values("cache-control");
        let [value] = values[..] else {
            panic!("{sent:?}: {values:?}");
        };
        let directives: Vec<_> = value.split(',').map(str::trim).collect();
        assert!(directives.contains(&"private"), "{sent:?}: {value}");
        assert!(
            !value.contains("public") && !value.contains("s-maxage"),
            "{sent:?}: {value}"
        );
        assert_eq!(
            directives.contains(&"no-store"),
            sent.contains("no-store"),
            "{value}"
        );
        for other in ["cdn-cache-control", "surrogate-control"] {
            assert!(!response.head.has(other), "{sent:?}");
        }
    }
}

#[tokio::test]
async fn r9_by_default_caching_fields_are_unchanged() {
    let pair = answering(
        "HTTP/1.1 200 OK\r\nCache-Control: public, s-maxage=600\r\nContent-Length: 0\r\n\r\n",
    )
    .await;
    let response = pair.call(get("/p/c/x")).await;
    assert_eq!(
        response.head.values("cache-control"),
        ["public, s-maxage=600"]
    );
}
