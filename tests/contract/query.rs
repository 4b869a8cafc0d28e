//! The query: the bytes are forwarded unchanged, except `__domain`.

use http::HeaderName;
use tower_passthrough::policy::DomainPolicy;
use tower_passthrough::{Connection, auth};

use testkit::caller::{get, raw_call};
use testkit::gateway::{Gateway, Setup};
use testkit::pair::Pair;
use testkit::reply::Reply;
use testkit::vendor::Vendor;

/// Returns a pair whose policy allows `eu.vendor.test` at the vendor's port.
async fn with_domain() -> Pair {
    let vendor = Vendor::ok().await;
    let pattern = format!("eu.vendor.test:{}", vendor.address().port());
    Pair::before(vendor, |setup| {
        setup
            .path("/v2")
            .upstream(move |u| u.domains(DomainPolicy::none().allow(&pattern).unwrap()))
    })
    .await
}

#[tokio::test]
async fn q1_raw_bytes_are_forwarded_unparsed() {
    let pair = Pair::new().await;
    for query in [
        "a=1+2&b=%20&c[]=1&c[]=2&d=&e&&f=a=b&%zz",
        "z=1&a=2&z=0",
        "&&",
        "=",
        "a",
        "?a=?",
        "q=%FF%2b+",
        "a='()*!",
        "u=http://x/?y=1",
    ] {
        assert_eq!(
            pair.target(&format!("/x?{query}")).await,
            format!("/x?{query}")
        );
    }
}

#[tokio::test]
async fn q2_the_reserved_name_is_compared_after_one_decoding() {
    let pair = Pair::new().await;
    for name in [
        "__domain",
        "%5F%5Fdomain",
        "%5f%5Fdomain",
        "__d%6Fmain",
        "%5f%5f%64%6f%6d%61%69%6e",
    ] {
        let request = get(&format!("/p/c/x?{name}=evil.test"));
        pair.refused(request, 403, "domain-refused").await;
    }
    pair.vendor.untouched().await;

    for name in [
        "__Domain",
        "x__domain",
        "__domain[]",
        "%255F_domain",
        "__domain%20",
        "_domain",
    ] {
        let target = format!("/x?{name}=evil.test");
        assert_eq!(pair.target(&target).await, target);
    }
}

#[tokio::test]
async fn q3_the_reserved_pair_is_removed_with_one_ampersand() {
    let pair = with_domain().await;
    let port = pair.vendor.address().port();
    let domain = format!("eu.vendor.test:{port}");
    for (sent, arrived) in [
        (format!("/x?a=1&__domain={domain}&b=2"), "/x?a=1&b=2"),
        (format!("/x?__domain={domain}"), "/x"),
        (format!("/x?__domain={domain}&b=2"), "/x?b=2"),
        (format!("/x?a=1&__domain={domain}"), "/x?a=1"),
        (format!("/x?a&&__domain={domain}&&b"), "/x?a&&&b"),
        (format!("/x?%5F%5Fdomain={domain}&b=%20"), "/x?b=%20"),
    ] {
        let arrived_at = pair.target(&sent).await;
        assert_eq!(arrived_at, arrived, "{sent}");
    }
    assert_eq!(pair.target("/x?").await, "/v2/x?");
}

#[tokio::test]
async fn q4_any_number_of_pairs_is_scanned_and_semicolons_separate_nothing() {
    let pair = Pair::new().await;
    let many = "a&".repeat(20_000);
    let late = get(&format!("/p/c/x?{many}__domain=evil.test"));
    pair.refused(late, 403, "domain-refused").await;
    pair.vendor.untouched().await;

    let one_pair = "/x?a=1;__domain=evil.test";
    assert_eq!(pair.target(one_pair).await, one_pair);
}

#[tokio::test]
async fn q5_twice_or_without_a_value_is_refused() {
    let pair = with_domain().await;
    let domain = format!("eu.vendor.test:{}", pair.vendor.address().port());
    for query in [
        format!("__domain={domain}&__domain={domain}"),
        format!("__domain={domain}&%5F_domain={domain}"),
        format!("__domain={domain}&__domain"),
        "__domain=".to_owned(),
        "__domain".to_owned(),
        "a=1&__domain&b=2".to_owned(),
    ] {
        let request = get(&format!("/p/c/x?{query}"));
        pair.refused(request, 400, "bad-domain").await;
    }
    pair.vendor.untouched().await;
}

#[tokio::test]
async fn q6_a_host_or_url_replaces_the_base() {
    let pair = with_domain().await;
    let port = pair.vendor.address().port();
    let host = format!("eu.vendor.test:{port}");
    for (domain, target) in [
        (format!("eu.vendor.test:{port}"), "/x"),
        (format!("eu.vendor.test%3A{port}"), "/x"),
        (format!("http://eu.vendor.test:{port}/api"), "/api/x"),
        (
            format!("http%3A%2F%2Feu.vendor.test%3A{port}%2Fapi%2F"),
            "/api/x",
        ),
        (format!("HTTP://eu.vendor.test:{port}"), "/x"),
    ] {
        let received = pair.seen(get(&format!("/p/c/x?__domain={domain}"))).await;
        assert_eq!(received.target(), target, "{domain}");
        assert_eq!(received.head.value("host"), Some(host.as_str()), "{domain}");
    }
}

#[tokio::test]
async fn q6_values_that_are_not_a_host_or_url_are_refused() {
    let pair = with_domain().await;
    let port = pair.vendor.address().port();
    for domain in [
        "a@b",
        "user:pass@eu.vendor.test",
        "https://u@eu.vendor.test/",
        "v.com\\.evil",
        "v.com%5C.evil",
        "//h",
        "eu.vendor.test%3Fx",
        "http://eu.vendor.test/a%3Fx",
        "eu.vendor.test%23x",
        "eu.vendor.test%20",
        "%09eu.vendor.test",
        "eu.vendor.test%0d%0ax",
        "eu.vendor.test%00",
        "eu%252evendor.test",
        "eu.vendor.test:0",
        "eu.vendor.test:65536",
        "eu.vendor.test:",
        "eu.vendor.test:x",
        "ftp://eu.vendor.test",
        "http:eu.vendor.test",
        "[::1",
        "[::1]x",
        "[::1%25eth0]",
    ] {
        let request = get(&format!("/p/c/x?__domain={domain}"));
        let response = pair.call(request).await;
        assert_eq!(
            (response.status(), response.error()),
            (400, Some("bad-domain")),
            "{domain}: {}",
            response.text()
        );
    }
    // `+` isn't a blank: it isn't decoded, and no host contains it.
    let plus = get(&format!("/p/c/x?__domain=eu.vendor.test+:{port}"));
    pair.refused(plus, 400, "bad-domain").await;
    pair.vendor.untouched().await;
}

#[tokio::test]
async fn q6_an_ipv6_address_is_read_with_its_port() {
    let pair = with_domain().await;
    for domain in ["[::1]:8443", "[::1]", "http://[::1]:8443/"] {
        let request = get(&format!("/p/c/x?__domain={domain}"));
        pair.refused(request, 403, "domain-refused").await;
    }
    pair.vendor.untouched().await;
}

#[tokio::test]
async fn q7_hosts_are_compared_in_one_normal_form() {
    let pair = with_domain().await;
    let port = pair.vendor.address().port();
    let host = format!("eu.vendor.test:{port}");
    for domain in [
        format!("EU.Vendor.TEST:{port}"),
        format!("eu.vendor.test.:{port}"),
        format!("EU.VENDOR.TEST.:{port}"),
        format!("%65u.vendor.test:{port}"),
        // IDNA maps full-width letters and dots.
        format!("%EF%BD%85u%E3%80%82vendor.test:{port}"),
    ] {
        let received = pair.seen(get(&format!("/p/c/x?__domain={domain}"))).await;
        assert_eq!(received.head.value("host"), Some(host.as_str()), "{domain}");
    }
    // An explicit default port is the same as no port, and neither of the two is the allowed port.
    for domain in ["eu.vendor.test", "eu.vendor.test:80", "eu.vendor.test:81"] {
        let request = get(&format!("/p/c/x?__domain={domain}"));
        pair.refused(request, 403, "domain-refused").await;
    }
}

#[tokio::test]
async fn q7_spellings_of_an_address_are_that_address() {
    let vendor = Vendor::ok().await;
    let port = vendor.address().port();
    let spellings = [
        "127.0.0.1",
        "127.1",
        "0x7f000001",
        "2130706433",
        "0177.0.0.1",
    ];

    let refusing = Gateway::to(&vendor).await;
    for address in spellings {
        let request = get(&format!("/p/c/x?__domain={address}:{port}"));
        let response = raw_call(refusing.address, request).await;
        assert_eq!(response.error(), Some("domain-refused"), "{address}");
    }
    vendor.untouched().await;

    let loopback = [127, 0, 0, 1].into();
    let allowing = Pair::before(vendor, |setup| {
        setup.upstream(move |u| u.domains(DomainPolicy::none().allow_address(loopback, Some(port))))
    })
    .await;
    for address in spellings {
        let request = get(&format!("/p/c/x?__domain={address}:{port}"));
        let received = allowing.seen(request).await;
        let host = format!("127.0.0.1:{port}");
        assert_eq!(
            received.head.value("host"),
            Some(host.as_str()),
            "{address}"
        );
    }
}

#[tokio::test]
async fn q8_domain_cannot_replace_https_by_http() {
    let vendor = Vendor::ok().await;
    let port = vendor.address().port();
    let pattern = format!("eu.vendor.test:{port}");
    let secure = format!("https://vendor.test:{port}");
    let gateway = Setup::new(secure.as_str())
        .upstream(move |u| u.domains(DomainPolicy::none().allow(&pattern).unwrap()))
        .start()
        .await;
    for domain in [
        format!("http://eu.vendor.test:{port}"),
        format!("http://vendor.test:{port}"),
        format!("HTTP%3a//eu.vendor.test:{port}"),
    ] {
        let request = get(&format!("/p/c/x?__domain={domain}"));
        let response = raw_call(gateway.address, request).await;
        assert_eq!(
            (response.status(), response.error()),
            (403, Some("domain-refused")),
            "{domain}: {}",
            response.text()
        );
    }
    vendor.untouched().await;
}

/// Returns a pair whose credential is the query parameter `api_key` with the secret `S+`.
async fn with_query_key(vendor: Vendor) -> Pair {
    Pair::before(vendor, |setup| {
        setup
            .upstream(|u| u.auth(auth::Query::new("api_key").unwrap()))
            .connection(Connection::new("vendor").with_secret("api_key", "S+"))
    })
    .await
}

#[tokio::test]
async fn q9_a_key_in_the_query_replaces_the_callers_and_comes_last() {
    let pair = with_query_key(Vendor::ok().await).await;
    for (sent, arrived) in [
        ("/x?api_key=me&x=1", "/x?x=1&api_key=S%2B"),
        ("/x", "/x?api_key=S%2B"),
        ("", "/?api_key=S%2B"),
        ("/x?x=1", "/x?x=1&api_key=S%2B"),
        ("/x?api_key=a&x&api_key=b&api_key", "/x?x&api_key=S%2B"),
        ("/x?api%5Fkey=me", "/x?api_key=S%2B"),
        ("/x?%61pi_key=me&y", "/x?y&api_key=S%2B"),
        ("/x?api_key[]=me", "/x?api_key[]=me&api_key=S%2B"),
        ("/%2Fx%3Fapi_key%3Dme", "/x?api_key=S%2B"),
    ] {
        assert_eq!(pair.target(sent).await, arrived, "{sent}");
    }
}

#[tokio::test]
async fn q10_no_error_contains_the_query_with_the_key() {
    let dead = {
        let listener = testkit::gateway::bind().await;
        listener.local_addr().unwrap()
    };
    let origin = format!("http://vendor.test:{}", dead.port());
    let gateway = Setup::new(origin.as_str())
        .upstream(|u| u.auth(auth::Query::new("api_key").unwrap()))
        .connection(Connection::new("vendor").with_secret("api_key", "canary"))
        .start()
        .await;
    let response = raw_call(gateway.address, get("/p/c/x?secret=mine")).await;
    assert_eq!(response.error(), Some("upstream-unreachable"));
    let all = testkit::head::latin1(&response.head.raw) + &response.text();
    for hidden in [
        "canary",
        "api_key",
        "secret",
        "mine",
        "vendor.test",
        "127.0.0.1",
    ] {
        assert!(!all.contains(hidden), "{hidden} in {all}");
    }
}

#[tokio::test]
async fn q11_the_key_is_removed_from_the_vendors_copy_of_its_url_unless_the_host_switches_it_off() {
    let link = "<https://vendor.test/x?api_key=S%2B&page=2>; rel=next";
    let location = "https://vendor.test/y?api_key=S%2B&next=%2Fz%3Fapi_key%3DS%252B%26a%3D1";
    let reply = format!(
        "HTTP/1.1 302 Found\r\nLink: {link}\r\nLocation: {location}\r\nContent-Location: /y?api_key=S%2B\r\n\
         Content-Length: 0\r\n\r\n"
    );
    let pair = with_query_key(Vendor::answering(Reply::from(reply.clone())).await).await;
    let response = pair.call(get("/p/c/x")).await;
    assert_eq!(
        response.head.value("link"),
        Some("<https://vendor.test/x?page=2>; rel=next")
    );
    assert_eq!(
        response.head.value("location"),
        Some("https://vendor.test/y?next=%2Fz%3Fa%3D1")
    );
    assert_eq!(response.head.value("content-location"), Some("/y"));

    let pair = Pair::before(Vendor::answering(Reply::from(reply)).await, |setup| {
        setup
            .upstream(|u| {
                u.auth(auth::Query::new("api_key").unwrap())
                    .scrub_links(false)
            })
            .connection(Connection::new("vendor").with_secret("api_key", "S+"))
    })
    .await;
    let response = pair.call(get("/p/c/x")).await;
    assert_eq!(response.head.value("link"), Some(link));
    assert_eq!(response.head.value("location"), Some(location));
}

#[tokio::test]
async fn p20_a_target_that_its_key_makes_too_long_is_bad_address() {
    let pair = with_query_key(Vendor::ok().await).await;
    let query = "q".repeat(65_527);
    let long = get(&format!("/p/c/x?{query}"));
    pair.refused(long, 400, "bad-address").await;
    pair.vendor.untouched().await;
}

/// A scheme that adds the parameter `account`, and shows the query that it would sign in a field.
#[derive(Debug)]
struct SignsQuery;

impl auth::AuthScheme for SignsQuery {
    fn requirements(&self) -> auth::Requirements {
        auth::Requirements::new().parameter("account")
    }

    fn apply(
        &self,
        request: &mut auth::AuthRequest<'_>,
        _: &auth::AuthContext<'_>,
    ) -> Result<auth::Applied, auth::AuthError> {
        let target = request.uri().path_and_query().unwrap().as_str().to_owned();
        let separator = if target.contains('?') { '&' } else { '?' };
        let target = format!("{target}{separator}account=17");
        request.insert_header(HeaderName::from_static("x-signed"), target.parse().unwrap());
        request.set_path_and_query(target.into_bytes())?;
        Ok(auth::Applied::default())
    }
}

#[tokio::test]
async fn q9_a_scheme_signs_the_query_without_the_callers_parameters_of_its_names() {
    let pair = Pair::with(|setup| setup.upstream(|upstream| upstream.auth(SignsQuery))).await;
    for (target, sent) in [
        ("/p/c/x?account=99&a=1", "/x?a=1&account=17"),
        ("/p/c/x?a=1&%61ccount=99&account", "/x?a=1&account=17"),
        ("/p/c/x?account=99", "/x?account=17"),
        ("/p/c/x?accounts=1", "/x?accounts=1&account=17"),
    ] {
        let seen = pair.seen(get(target)).await;
        assert_eq!(seen.head.target(), sent, "{target}");
        assert_eq!(seen.head.value("x-signed"), Some(sent), "{target}");
    }
}
