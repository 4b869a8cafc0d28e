//! Path and address: paths that are joined, refused and decoded.

use http::Method;
use tower_passthrough::Connection;
use tower_passthrough::address::PathEncoding;

use testkit::caller::{Caller, get, raw_call, request};
use testkit::gateway::{Mount, Setup};
use testkit::pair::Pair;
use testkit::vendor::Vendor;

/// Checks that these remainders arrive unchanged.
async fn arrive_as_sent(pair: &Pair, remainders: &[&str]) {
    for remainder in remainders {
        assert_eq!(pair.target(remainder).await, *remainder);
    }
}

/// Checks that GETs with these remainders are refused as `bad-address`, and that the gateway never connects to the
/// vendor.
async fn are_bad_addresses(pair: &Pair, remainders: &[&str]) {
    for remainder in remainders {
        let request = get(&format!("/p/c{remainder}"));
        pair.refused(request, 400, "bad-address").await;
    }
    pair.vendor.untouched().await;
}

#[tokio::test]
async fn p1_paths_are_joined_as_bytes() {
    let pair = Pair::new().await;
    arrive_as_sent(
        &pair,
        &[
            "/%7euser",
            "/%c3%a9",
            "/%41%2d",
            "/x/a%2Fb%20c+%25",
            "/x/%3F%23",
            "//evil.com/x",
            "///",
            "/$-_.!*'(),:@&=",
        ],
    )
    .await;

    let never = Pair::with(|setup| setup.options(|o| o.path_encoding(PathEncoding::Never))).await;
    arrive_as_sent(&never, &["/a%2Fb%20c+%25"]).await;
}

#[tokio::test]
async fn p1_a_path_that_looks_like_a_host_stays_a_path_at_the_base_host() {
    let pair = Pair::new().await;
    for remainder in [
        "//evil.test/x",
        "/http://evil.test/x",
        "/@evil.test/x",
        "/:99/x",
    ] {
        let received = pair.seen(get(&format!("/p/c{remainder}"))).await;
        assert_eq!(received.target(), remainder);
        let port = pair.vendor.address().port();
        let host = format!("vendor.test:{port}");
        assert_eq!(received.head.value("host"), Some(host.as_str()));
    }
}

#[tokio::test]
async fn p2_empty_segments_trailing_slashes_and_parameters_stay() {
    let pair = Pair::new().await;
    arrive_as_sent(
        &pair,
        &[
            "/a//b/",
            "/a/",
            "/m;v=1/x:go",
            "/a@b/!x/it's",
            "/a;;b=;",
            "//a",
        ],
    )
    .await;
}

#[tokio::test]
async fn p3_percent_sequences_that_are_broken_or_not_utf8_are_forwarded() {
    let pair = Pair::new().await;
    arrive_as_sent(&pair, &["/%FF%FE", "/100%", "/%zz", "/a%2", "/%", "/%%20"]).await;

    let nested = Pair::with(|setup| setup.mount(Mount::Nest)).await;
    arrive_as_sent(&nested, &["/%FF%FE", "/100%"]).await;
}

#[tokio::test]
async fn p4_there_is_one_slash_at_the_seam() {
    for (base, remainder, target) in [
        ("/v2", "/x", "/v2/x"),
        ("/v2/", "/x", "/v2/x"),
        ("/v2", "//x", "/v2//x"),
        ("/v2/", "//x", "/v2//x"),
        ("/v2", "", "/v2"),
        ("/v2/", "", "/v2/"),
        ("/v2", "/", "/v2/"),
        ("/v2/", "/", "/v2/"),
        ("", "", "/"),
        ("", "/", "/"),
        ("/", "", "/"),
        ("/", "/x", "/x"),
        ("", "?a=1", "/?a=1"),
        ("/v2", "?a=1", "/v2?a=1"),
    ] {
        let pair = Pair::with(|setup| setup.path(base)).await;
        assert_eq!(pair.target(remainder).await, target, "{base} + {remainder}");
    }
}

#[tokio::test]
async fn p5_the_default_query_comes_first() {
    let pair = Pair::with(|setup| setup.upstream(|u| u.query("v=3").unwrap())).await;
    for (remainder, target) in [
        ("/x?a=1", "/x?v=3&a=1"),
        ("/x", "/x?v=3"),
        ("/x?v=4", "/x?v=4"),
        ("?a=1", "/?v=3&a=1"),
        ("/%2Fx%3Fa%3D1", "/x?v=3&a=1"),
    ] {
        assert_eq!(pair.target(remainder).await, target);
    }
}

#[tokio::test]
async fn p6_dot_segments_that_leave_the_base_are_refused() {
    let pair = Pair::with(|setup| setup.path("/v2")).await;
    are_bad_addresses(
        &pair,
        &[
            "/../x",
            "/..",
            "/%2e%2E/x",
            "/.%2e/x",
            "/a/.%2e/..",
            "/a%2f..%2f..%2fx",
            "/x/..%2f..%2fy",
            "/a//../..",
            "/./..",
            "/a/../..",
            "/%2F..%2Fx",
        ],
    )
    .await;
}

#[tokio::test]
async fn p6_dot_segments_that_stay_inside_are_forwarded_unchanged() {
    let pair = Pair::with(|setup| setup.path("/v2")).await;
    for remainder in [
        "/a/../b",
        "/a/..",
        "/a/./b",
        "/a/b/%2e%2e/c",
        "/a/...",
        "/..a/b..",
        "/.a",
    ] {
        assert_eq!(pair.target(remainder).await, format!("/v2{remainder}"));
    }
}

#[tokio::test]
async fn p7_a_segment_is_checked_without_its_parameters() {
    let pair = Pair::new().await;
    are_bad_addresses(
        &pair,
        &["/..;/admin", "/..;a=1/admin", "/a/..;/..;x/b", "/%2e%2e;/b"],
    )
    .await;
    let pair = Pair::new().await;
    arrive_as_sent(&pair, &["/a/..;/b", "/a;../b"]).await;
}

#[tokio::test]
async fn p8_the_checked_path_is_the_forwarded_path() {
    let pair = Pair::new().await;
    arrive_as_sent(
        &pair,
        &[
            "/My%20Project",
            "/a/%252e/b",
            "/a/b%2f..%2fc",
            "/a/%2e%2e/b",
        ],
    )
    .await;
}

#[tokio::test]
async fn p9_dots_encoded_twice_are_text() {
    let pair = Pair::with(|setup| setup.path("/v2")).await;
    for remainder in ["/%252e%252e/x", "/%252E%252e%252f/x"] {
        assert_eq!(pair.target(remainder).await, format!("/v2{remainder}"));
    }
}

#[tokio::test]
async fn p9_an_option_refuses_dots_encoded_twice_that_leave_the_base() {
    let pair = Pair::with(|setup| setup.options(|o| o.reject_double_encoded_dots(true))).await;
    are_bad_addresses(
        &pair,
        &["/%252e%252e/x", "/a/%252E%252e%252f..%252fx", "/.%252e/x"],
    )
    .await;

    let pair = Pair::with(|setup| setup.options(|o| o.reject_double_encoded_dots(true))).await;
    arrive_as_sent(&pair, &["/a/%252e%252e/x", "/a%2525b/x", "/a%252fb/x"]).await;
}

#[tokio::test]
async fn p10_backslashes_and_control_characters_are_refused_in_the_path() {
    let pair = Pair::new().await;
    are_bad_addresses(
        &pair,
        &[
            "/a\\b",
            "/a%5Cb",
            "/a%5cb",
            "/%00",
            "/a%0d%0aX:1",
            "/a%0A",
            "/%7F",
            "/%1f",
            "/%2Fa%0A",
            "/%2Fa%5Cb",
        ],
    )
    .await;
    // hyper's parser answers requests with raw control characters.
    for raw in ["\x01", "\x7f", "\x00"] {
        let response = pair.call(get(&format!("/p/c/a{raw}b"))).await;
        assert_eq!(response.status(), 400, "{raw:?}");
    }
    pair.vendor.untouched().await;
}

#[tokio::test]
async fn p10_encoded_control_characters_are_forwarded_in_the_query() {
    let pair = Pair::new().await;
    arrive_as_sent(&pair, &["/x?q=a%0Ab", "/x?q=%00%0D%7F%5C", "/x?q=\\"]).await;
}

#[tokio::test]
async fn p11_a_raw_fragment_never_arrives_and_a_decoded_fragment_is_encoded() {
    let pair = Pair::new().await;
    assert_eq!(pair.target("/a#b").await, "/a");
    assert_eq!(pair.target("/%2Fa%23b").await, "/a%23b");
    assert_eq!(pair.target("/x/a%23b").await, "/x/a%23b");
}

#[tokio::test]
async fn p12_an_absolute_target_never_selects_the_upstream() {
    let pair = Pair::with(|setup| setup.path("/v2")).await;
    let port = pair.vendor.address().port();
    for target in [
        "http://evil.test/p/c/x?a=1",
        "https://evil.test:99/p/c/x?a=1",
        "http://user:pass@evil.test/p/c/x?a=1",
    ] {
        let received = pair.seen(get(target)).await;
        assert_eq!(received.head.start, "GET /v2/x?a=1 HTTP/1.1");
        let host = format!("vendor.test:{port}");
        assert_eq!(received.head.value("host"), Some(host.as_str()));
    }
}

#[tokio::test]
async fn p13_connect_and_asterisk_are_never_forwarded_but_options_on_a_path_is() {
    let pair = Pair::new().await;
    for connect in ["v.test:443", "vendor.test:443"] {
        let request = request("CONNECT", connect, &[], "");
        pair.refused(request, 405, "method-refused").await;
    }
    let asterisk = pair.call(request("OPTIONS", "*", &[], "")).await;
    assert!((400..500).contains(&asterisk.status()), "{asterisk:?}");
    pair.vendor.untouched().await;

    let received = pair.seen(request("OPTIONS", "/p/c/x", &[], "")).await;
    assert_eq!(received.head.start, "OPTIONS /x HTTP/1.1");
}

#[tokio::test]
async fn p13_every_other_method_is_forwarded() {
    let pair = Pair::new().await;
    for method in [
        Method::GET.as_str(),
        "HEAD",
        "POST",
        "PUT",
        "PATCH",
        "DELETE",
        "OPTIONS",
        "QUERY",
        "PURGE",
        "x-my.method",
    ] {
        let received = pair.seen(request(method, "/p/c/x", &[], "")).await;
        assert_eq!(received.head.start, format!("{method} /x HTTP/1.1"));
    }
}

#[tokio::test]
async fn p14_generated_clients_paths_are_decoded_exactly_once() {
    let pair = Pair::new().await;
    for (sent, arrived) in [
        ("/%2Fv2%2Fc%3Fx%3D1", "/v2/c?x=1"),
        ("/%2fv2%2fc", "/v2/c"),
        ("/v2%2Fc", "/v2/c"),
        ("/%2Fa%2520b", "/a%20b"),
        ("/%2Fq%3Ft%3Da%20b", "/q?t=a%20b"),
        ("/%2Fa%20b", "/a%20b"),
        ("/%2F%22%3C%3E%5E%7B%7D%60%23", "/%22%3C%3E%5E%7B%7D%60%23"),
        ("/%2Fcaf%C3%A9", "/caf%C3%A9"),
        ("/%2Fa%3Fx%3D1%3Fy", "/a?x=1?y"),
        ("/%2Fa%3Fx%3D%26y", "/a?x=&y"),
        ("/%2Fusers%2F%F0%9F%A6%80", "/users/%F0%9F%A6%80"),
    ] {
        assert_eq!(pair.target(sent).await, arrived, "{sent}");
    }
}

#[tokio::test]
async fn p14_a_decoded_path_is_checked_like_any_path() {
    let pair = Pair::new().await;
    are_bad_addresses(
        &pair,
        &[
            "/%2F..%2Fx",
            "/%2Fa%2F..%2F..%2Fx",
            "/%2F%252e%252e%2Fx",
            "/%2Fa%00",
            "/%2Fa%5C",
            "/%2Fa%0D%0A",
        ],
    )
    .await;
    let domain = get("/p/c/%2Fx%3F__domain%3Devil.test");
    pair.refused(domain, 403, "domain-refused").await;
    pair.vendor.untouched().await;
}

#[tokio::test]
async fn p15_a_remainder_with_a_literal_slash_is_never_decoded() {
    let pair = Pair::new().await;
    arrive_as_sent(
        &pair,
        &[
            "/projects/group%2Fproject",
            "/bucket/a%2Fb%3Fc",
            "/a%2Fb/",
            "//a%2Fb",
            "/users%3Fx%3D1",
        ],
    )
    .await;
}

#[tokio::test]
async fn p16_a_decoded_query_precedes_the_outer_query() {
    let pair = Pair::new().await;
    assert_eq!(pair.target("/%2Fa%3Fx%3D1?y=2").await, "/a?x=1&y=2");
    assert_eq!(pair.target("/%2Fa?y=2").await, "/a?y=2");

    let pair = Pair::new().await;
    let twice = get("/p/c/%2Fa%3F__domain%3Dvendor.test?__domain=vendor.test");
    pair.refused(twice, 400, "bad-domain").await;
    pair.vendor.untouched().await;
}

#[tokio::test]
async fn p17_the_service_or_the_integration_overrides_auto() {
    // (a) An id with `%2F` as the only segment.
    let auto = Pair::with(|setup| setup.path("/projects")).await;
    assert_eq!(
        auto.target("/group%2Fproject").await,
        "/projects/group/project"
    );
    let never = Pair::with(|setup| {
        setup
            .path("/projects")
            .upstream(|u| u.path_encoding(PathEncoding::Never))
    })
    .await;
    assert_eq!(
        never.target("/group%2Fproject").await,
        "/projects/group%2Fproject"
    );

    // (b) A generated client's path without any slash.
    assert_eq!(
        auto.target("/users%3Fx%3D1").await,
        "/projects/users%3Fx%3D1"
    );
    let always = Pair::with(|setup| setup.options(|o| o.path_encoding(PathEncoding::Always))).await;
    assert_eq!(always.target("/users%3Fx%3D1").await, "/users?x=1");

    // (c) A generated client's path with an encoded id.
    assert_eq!(
        auto.target("/%2Fprojects%2Fg%252Fp").await,
        "/projects/projects/g%2Fp"
    );
}

#[tokio::test]
async fn p18_the_prefix_is_removed_by_whole_segments_of_the_raw_path() {
    let pair = Pair::with(|setup| setup.mount(Mount::Layer)).await;
    for (target, ours) in [
        ("/p/c/x", true),
        ("/p/c", true),
        ("/px/c", false),
        ("/%70/c/x", false),
        ("/x/p/c", false),
        ("//p/c/x", false),
        ("/P/c/x", false),
    ] {
        let response = pair.call(get(target)).await;
        assert_eq!(response.status(), 200, "{target}");
        let expected = if ours { "ok" } else { "inner" };
        assert_eq!(response.text(), expected, "{target}");
    }
    // Only the first segment is removed, even if the segment occurs again.
    pair.vendor.next().await;
    pair.vendor.next().await;
    assert_eq!(pair.target("/p/c/p").await, "/p/c/p");
}

#[tokio::test]
async fn p18_the_connection_id_is_one_segment_decoded_once() {
    let pair = Pair::with(|setup| {
        let connection = Connection::new("vendor").with_secret("token", "other");
        setup
            .also("a b", connection.clone())
            .also("%63", connection.clone())
            .also(&"i".repeat(256), connection)
    })
    .await;
    for id in ["", "a%2Fb", "%2F", "a%00", "%0A", "%7f", &"i".repeat(257)] {
        let request = get(&format!("/p/{id}/x"));
        pair.refused(request, 400, "bad-address").await;
    }
    for id in ["C", "c%20", "a+b", "%2563%25", "nobody"] {
        let request = get(&format!("/p/{id}/x"));
        pair.refused(request, 404, "unknown-connection").await;
    }
    pair.vendor.untouched().await;

    let long = "i".repeat(256);
    for (id, token) in [
        ("c", "s3cr3t"),
        ("%63", "s3cr3t"),
        ("a%20b", "other"),
        ("%2563", "other"),
        (long.as_str(), "other"),
    ] {
        let received = pair.seen(get(&format!("/p/{id}/x"))).await;
        assert_eq!(received.target(), "/x");
        let bearer = format!("Bearer {token}");
        assert_eq!(
            received.head.value("authorization"),
            Some(bearer.as_str()),
            "{id}"
        );
    }
}

#[tokio::test]
async fn p19_a_nested_mount_keeps_the_difference_between_no_path_and_a_slash() {
    let pair = Pair::with(|setup| setup.mount(Mount::Nest).path("/v2")).await;
    for (remainder, target) in [
        ("", "/v2"),
        ("/", "/v2/"),
        ("?q=1", "/v2?q=1"),
        ("/?q=1", "/v2/?q=1"),
        ("//x", "/v2//x"),
        ("/x/", "/v2/x/"),
    ] {
        assert_eq!(pair.target(remainder).await, target, "{remainder}");
    }
}

#[tokio::test]
async fn p20_a_target_that_grows_too_long_is_refused() {
    let base = format!("/{}", "b".repeat(20));
    let pair = Pair::with(|setup| setup.path(&base)).await;
    let longest = "x".repeat(65_534 - "/p/c/".len());
    pair.refused(get(&format!("/p/c/{longest}")), 400, "bad-address")
        .await;
    let query = format!("?{}", "q".repeat(65_534 - "/p/c?".len()));
    pair.refused(get(&format!("/p/c{query}")), 400, "bad-address")
        .await;
    pair.vendor.untouched().await;

    let fits = format!("/{}", "x".repeat(60_000));
    assert_eq!(pair.target(&fits).await, format!("{base}{fits}"));
}

#[tokio::test]
async fn p20_a_target_that_is_too_long_before_joining_is_answered() {
    let pair = Pair::new().await;
    let response = pair
        .call(get(&format!("/p/c/{}", "x".repeat(70_000))))
        .await;
    assert!(
        matches!(response.status(), 400 | 414),
        "{:?}",
        response.head
    );
    pair.vendor.untouched().await;
}

#[tokio::test]
async fn p21_a_trailing_slash_is_not_removed() {
    for mount in [Mount::Hyper, Mount::Nest, Mount::Layer] {
        let pair = Pair::with(|setup| setup.mount(mount)).await;
        arrive_as_sent(&pair, &["/a/", "/a//", "/a"]).await;
    }
}

#[tokio::test]
async fn p18_each_call_of_a_callers_connection_has_its_own_address() {
    let vendor = Vendor::ok().await;
    let gateway = Setup::new(&vendor).start().await;
    let mut caller = Caller::connect(gateway.address).await;
    for path in ["/one", "/two", "/three"] {
        assert_eq!(caller.call(get(&format!("/p/c{path}"))).await.status(), 200);
        assert_eq!(vendor.next().await.target(), path);
    }
    let elsewhere = raw_call(gateway.address, get("/elsewhere")).await;
    assert!((400..500).contains(&elsewhere.status()));
}

#[tokio::test]
async fn p22_the_answer_at_the_mount_alone_says_that_the_id_is_missing() {
    for mount in [Mount::Hyper, Mount::Nest, Mount::Layer] {
        let pair = Pair::with(|setup| setup.mount(mount)).await;
        for target in ["/p", "/p/", "/p?x=1"] {
            let refused = pair.refused(get(target), 400, "bad-address").await;
            let text = refused.text();
            assert!(
                text.contains("contains no connection id"),
                "{target} {text}"
            );
        }
    }
    let pair = Pair::new().await;
    let refused = pair.refused(request("OPTIONS", "*", &[], ""), 400, "bad-address");
    let text = refused.await.text();
    assert!(text.contains("the request target has no path"), "{text}");
}
