//! Data that must not lead a call to another destination, and must not show the destination.

use tower_passthrough::{Connection, auth};

use testkit::caller::{get, post, raw_call, request};
use testkit::gateway::Builder;
use testkit::gateway::Setup;
use testkit::h2_caller;
use testkit::h2_caller::H2Caller;
use testkit::pair::Pair;
use testkit::reply::Reply;
use testkit::vendor::Vendor;

#[tokio::test]
async fn d11_redirects_are_returned_and_never_followed() {
    let evil = Vendor::ok().await;
    let location = format!("http://evil.test:{}/steal", evil.address().port());
    for status in [301, 302, 303, 307, 308] {
        let reply = format!(
            "HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nAlt-Svc: h2=\":1\"\r\nContent-Length: 0\r\n\r\n"
        );
        let pair = Pair::before(Vendor::answering(reply).await, |setup| {
            setup.name("evil.test", [127, 0, 0, 1])
        })
        .await;
        for sent in [get("/p/c/x"), post("/p/c/x", "body")] {
            let response = pair.call(sent).await;
            assert_eq!(response.status(), status);
            assert_eq!(response.head.value("location"), Some(&*location));
            pair.vendor.next().await;
        }
        assert!(
            pair.vendor.try_next().await.is_none(),
            "{status} was followed"
        );
        assert_eq!(pair.vendor.connections().await, 1);
    }
    evil.untouched().await;
}

#[tokio::test]
async fn d12_a_key_in_the_url_is_in_no_error() {
    let key = "k3y/+ =&?#\u{e9}";
    let forms = [key.to_owned(), "k3y".to_owned()];
    let (sender, reports) = std::sync::mpsc::channel();
    let setup = Setup::new("http://vendor.test:1")
        .connection(Connection::new("vendor").with_secret("api_key", key))
        .upstream(|upstream| upstream.auth(auth::Query::new("api_key").unwrap()))
        .options(move |options| {
            let sender = std::sync::Mutex::new(sender);
            options.observe_fn(move |call: &tower_passthrough::observe::CallReport<'_>| {
                sender.lock().unwrap().send(format!("{call:?}")).unwrap();
            })
        });
    let gateway = setup.start().await;
    let response = raw_call(gateway.address, get("/p/c/x?q=1")).await;
    assert_eq!(response.error(), Some("upstream-unreachable"));
    let report = reports
        .recv_timeout(std::time::Duration::from_secs(10))
        .unwrap();
    let head = String::from_utf8_lossy(&response.head.raw).into_owned();
    for text in [response.text(), head, report] {
        for form in &forms {
            assert!(!text.contains(form.as_str()), "{text}");
        }
        assert!(!text.contains("q=1"), "{text}");
    }
}

#[tokio::test]
async fn d14_only_the_base_url_and_the_domain_name_a_destination() {
    let evil = Vendor::ok().await;
    let port = evil.address().port();
    let pair = Pair::with(|setup| setup.name("evil.test", [127, 0, 0, 1])).await;
    let authority = format!("evil.test:{port}");
    let own = format!("vendor.test:{}", pair.vendor.address().port());
    let url = format!("http://{authority}/");
    let mut calls = vec![
        format!("GET http://{authority}/p/c/x HTTP/1.1\r\nHost: {authority}\r\n\r\n"),
        format!("GET /p/c/x HTTP/1.1\r\nHost: {authority}\r\n\r\n"),
        get(&format!("/p/c/http://{authority}/x")),
        get(&format!("/p/c//{authority}/x")),
        get(&format!("/p/c/%2F%2F{authority}%2Fx")),
        get(&format!("/p/c/@{authority}/x")),
        get(&format!(
            "/p/c/x?url={url}&domain={authority}&base_url={url}&_domain={authority}&__Domain={authority}"
        )),
        request(
            "POST",
            "/p/c/x",
            &[
                "Content-Type: application/json",
                &format!("Content-Length: {}", url.len() + 15),
            ],
            &format!("{{\"base_url\":\"{url}\"}}"),
        ),
    ];
    for field in [
        "X-Forwarded-Host",
        "X-Host",
        "X-Original-Host",
        "X-Forwarded-Server",
        "X-HTTP-Host-Override",
        "Base-Url-Override",
        "Nango-Base-Url-Override",
        "X-Base-Url",
        "X-Custom-Host",
        "X-Target-Url",
        "X-Portkey-Custom-Host",
        "X-Original-URL",
        "X-Rewrite-URL",
        "Proxy-Host",
        "Origin",
        "Referer",
        "Destination",
        "Location",
    ] {
        for value in [&authority, &url] {
            calls.push(request(
                "GET",
                "/p/c/x",
                &[&format!("{field}: {value}")],
                "",
            ));
        }
    }
    calls.push(request(
        "GET",
        "/p/c/x",
        &[&format!("Forwarded: host=\"{authority}\"")],
        "",
    ));
    for call in &calls {
        let received = pair.seen(call).await;
        assert_eq!(received.head.value("host"), Some(&*own), "{call}");
    }
    let mut caller = H2Caller::connect(pair.gateway.address).await;
    let target = http::Request::get(format!("http://{authority}/p/c/x")).header("host", &authority);
    let response = caller.call(target.body(()).unwrap()).await;
    assert_eq!(response.status, 200);
    assert_eq!(pair.vendor.next().await.head.value("host"), Some(&*own));
    let plain = caller
        .call(h2_caller::request("GET", "/p/c/x").body(()).unwrap())
        .await;
    assert_eq!(plain.status, 200);
    evil.untouched().await;
}

/// Fields of a vendor's response that name another host don't change the destination of a later call.
#[tokio::test]
async fn d14_a_vendors_answer_names_no_destination() {
    let evil = Vendor::ok().await;
    let authority = format!("evil.test:{}", evil.address().port());
    let reply = Reply::bytes(format!(
        "HTTP/1.1 421 Misdirected Request\r\nAlt-Svc: http/1.1=\"{authority}\"\r\nRefresh: 0; url=http://{authority}/\r\nContent-Location: http://{authority}/\r\nLink: <http://{authority}/>; rel=preconnect\r\nContent-Length: 0\r\n\r\n"
    ));
    let pair = Pair::before(Vendor::answering(reply).await, |setup| {
        setup.name("evil.test", [127, 0, 0, 1])
    })
    .await;
    for _ in 0..2 {
        assert_eq!(pair.call(get("/p/c/x")).await.status(), 421);
        pair.vendor.next().await;
    }
    evil.untouched().await;
}

#[tokio::test]
async fn d15_the_path_of_a_domain_is_judged_like_the_path_of_a_call() {
    let pair = Pair::new().await;
    let port = pair.vendor.address().port();
    // The expected path: the value is decoded once, and the path is sent as it is then.
    for path in [
        "/a%250d%250aSet-Cookie:x",
        "/a%250A",
        "/a%2500",
        "/%257F",
        "/a%255cb",
        "/a/..%255c..%255cb",
        "/a/..%252fb",
        "/..%252F..%252fb",
        "/a%252f..%252fb",
        "/a%252F.",
        "/a/..%253bx/b",
        "/a;%252f../b",
        "/a/%252e%252e/b",
        "/a/.%252E/b",
        "/a/..;x/b",
        "/a/../b",
    ] {
        for remainder in ["", "/users"] {
            let target = format!("/p/c{remainder}?__domain=http://vendor.test:{port}{path}");
            pair.refused(get(&target), 400, "bad-domain").await;
        }
    }
    pair.vendor.untouched().await;
    for (path, sent) in [
        ("/a%252Fb", "/a%2Fb/users"),
        ("/a%2520b;v=1", "/a%20b;v=1/users"),
        ("/..a/b..", "/..a/b../users"),
        ("/a%25252e", "/a%252e/users"),
    ] {
        let target = format!("/users?__domain=http://vendor.test:{port}{path}");
        assert_eq!(pair.target(&target).await, sent);
    }
    // The option for dots that are encoded twice counts here too.
    let strict = |builder: Builder| builder.reject_double_encoded_dots(true);
    let pair = Pair::with(|setup| setup.options(strict)).await;
    let port = pair.vendor.address().port();
    let target = format!("/p/c/x?__domain=http://vendor.test:{port}/%25252e%25252e");
    pair.refused(get(&target), 400, "bad-address").await;
    pair.vendor.untouched().await;
}
