//! Answers that try to act on the page.

use serde_json::Value;
use testkit::reply::Reply;
use testkit::vendor::Vendor;
use testkit::wait::Signal;

use crate::browser::run;
use crate::calls::{assert_no_faults, gateway, of};

const SCRIPT: &str = "<script>alert(1)</script><img src=x onerror=alert(2)>";
const SVG: &str =
    "<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(3)\"><script>alert(4)</script></svg>";

fn answer(fields: &str, body: &[u8]) -> Reply {
    let head = format!(
        "HTTP/1.1 200 OK\r\n{fields}Content-Length: {}\r\n\r\n",
        body.len()
    );
    Reply::bytes([head.as_bytes(), body].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_shown_as_text() {
    let vendor = Vendor::replying(|received| match received.target() {
        "/script" => answer("Content-Type: text/plain\r\n", SCRIPT.as_bytes()),
        "/svg" => answer("Content-Type: image/svg+xml\r\n", SVG.as_bytes()),
        "/html" => answer("Content-Type: text/html\r\nRefresh: 0; url=https://evil.test/\r\n", SCRIPT.as_bytes()),
        "/invalid" => answer("Content-Type: text/plain\r\n", b"ok \xff\xfe<script>alert(5)</script>"),
        "/nul" => answer("Content-Type: text/plain\r\n", b"a\0b"),
        "/cut-utf8" => answer("", b"caf\xc3"),
        "/quotes" => answer("X-Quotes: '\"><img src=x onerror=alert(6)>\r\nLink: <https://evil.test/x.css>; rel=stylesheet\r\n", b"q"),
        "/cookie" => answer("Set-Cookie: a=b; Path=/\r\nReport-To: {\"group\":\"x\",\"max_age\":1,\"endpoints\":[{\"url\":\"https://evil.test/\"}]}\r\n", b"c"),
        "/frame" => answer("X-Frame-Options: ALLOWALL\r\nContent-Security-Policy: default-src *\r\n", b"<iframe src=/>"),
        "/broken" => Reply::bytes("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").reset(),
        _ => answer("", b"x"),
    })
    .await;
    let gateway = gateway(&vendor).await;
    let Some(seen) = run("hostile", &gateway, "").await else {
        return;
    };
    assert_no_faults(&seen);
    let answers = &seen["seen"];
    for (path, text) in [
        ("script", SCRIPT),
        ("svg", SVG),
        ("html", SCRIPT),
        ("invalid", ""),
        ("nul", ""),
        ("cut-utf8", ""),
        ("quotes", "q"),
        ("frame", "<iframe src=/>"),
    ] {
        let one = &answers[path];
        assert_eq!(of(one, "/answer"), text, "{path}");
        assert!(of(one, "/status").starts_with("200 OK"), "{path}: {one:#}");
        assert_eq!(one["elements"], Value::from(0), "{path}: {one:#}");
        assert_eq!(one["save"], Value::Bool(true), "{path}");
    }
    for binary in ["invalid", "nul", "cut-utf8"] {
        assert!(
            of(&answers[binary], "/size").contains("not UTF-8 text"),
            "{binary}: {answers:#}"
        );
    }
    assert!(
        of(&answers["quotes"], "/fields").contains("'\"><img src=x onerror=alert(6)>"),
        "{answers:#}"
    );
    let saved: Vec<u8> = serde_json::from_value(answers["saved"].clone()).unwrap();
    assert_eq!(saved, b"ok \xff\xfe<script>alert(5)</script>");
    assert!(
        of(&answers["broken"], "/explain").contains("before the body was complete"),
        "{answers:#}"
    );
    for id in ["<img src=x onerror=alert(1)>", "a'b\"c", "\u{2028}${x}`"] {
        let one = &answers[format!("id {id}")];
        assert!(of(one, "/status").starts_with("404"), "{id}: {one:#}");
    }
    assert!(
        of(&answers["id .."], "/status").starts_with("Not sent"),
        "{answers:#}"
    );
    assert!(
        of(&answers["id c/../../x"], "/target").contains("/c%2F..%2F..%2Fx/x"),
        "{answers:#}"
    );
    assert_eq!(of(&seen, "/title"), "Integrations of this gateway");
    assert_eq!(seen["cookies"], serde_json::json!([]), "{seen:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_body_is_counted_and_not_kept() {
    const LENGTH: usize = 50_000_000;
    let last = Signal::new();
    let vendor = Vendor::replying(move |received| match received.target() {
        "/large" => {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n");
            let most = [head.as_bytes(), &vec![b'a'; LENGTH - 1]].concat();
            Reply::bytes(most).until(&last).then("a")
        }
        "/release" => {
            last.give();
            answer("", b"")
        }
        _ => answer("Content-Type: text/plain\r\n", &vec![b'b'; 1_000_000]),
    })
    .await;
    let gateway = gateway(&vendor).await;
    let direct = format!("http://{}", vendor.address());
    let Some(seen) = run("large", &gateway, &direct).await else {
        return;
    };
    assert_no_faults(&seen);
    assert_eq!(seen["shown"], Value::from(256 * 1024));
    assert!(
        of(&seen, "/size")
            .starts_with("47.7 MiB; the first 256.0 KiB are shown; bodies over 16.0 MiB"),
        "{seen:#}"
    );
    assert_eq!(seen["save"], Value::Bool(false));
    let grown = seen["grown"].as_f64().unwrap();
    assert!(grown < 8e6, "the page kept {grown} bytes");
    assert!(
        of(&seen, "/medium/size").starts_with("976.6 KiB; the first"),
        "{seen:#}"
    );
    assert_eq!(seen["medium"]["save"], Value::Bool(true));
}
