//! The rights of callers: keys, connections, methods and paths.

use testkit::process::canary::KEY;
use testkit::process::config::Config;
use testkit::process::gateway::Gateway;
use testkit::vendor::Vendor;

async fn start(callers: &str) -> (Vendor, Gateway) {
    let vendor = Vendor::ok().await;
    let more = ["acme", "team-a", "team-", "Team-b"].map(|id| {
        format!("[connection.\"{id}\"]\nintegration = \"v\"\nsecret = {{ token = \"c4nary\" }}")
    });
    let config = Config::new(&vendor)
        .callers(callers)
        .table(&more.join("\n"));
    let gateway = Gateway::start(&config).await;
    (vendor, gateway)
}

fn caller(rest: &str) -> String {
    format!("[[caller]]\napi_key = \"{KEY}\"\n{rest}")
}

#[tokio::test]
async fn a_key_is_accepted_in_each_form_and_never_forwarded() {
    let (vendor, gateway) = start(&caller("connections = [\"*\"]")).await;
    for fields in [
        &[format!("x-api-key: {KEY}")][..],
        &[format!("Authorization: Bearer {KEY}")],
        &[format!("authorization: bearer {KEY}")],
        &[format!("Authorization: {KEY}")],
        &[format!("Authorization: token {KEY}")],
        &[format!("Authorization: Bot {KEY}")],
        &[format!("Authorization: SSWS {KEY}")],
        &[format!("Authorization: Klaviyo-API-Key {KEY}")],
        &[format!("Authorization: Token token={KEY}")],
        &[format!("Authorization: Token token=\"{KEY}\"")],
        &[basic(&format!("AC1:{KEY}"))],
        &[basic(&format!("{KEY}:X"))],
        &[basic(&format!("{KEY}:"))],
        &[aws(KEY)],
        &[
            format!("x-api-key: {KEY}"),
            "Authorization: Basic YTpi".to_owned(),
        ],
        &[format!("x-api-key: {KEY}"), "Authorization;".to_owned()],
    ] {
        let arguments: Vec<_> = fields.iter().flat_map(|field| ["-H", field]).collect();
        let answer = gateway.curl("/passthrough/c/x", &arguments).await;
        assert_eq!(answer.status(), 200, "{fields:?}: {answer:?}");
        let received = vendor.next().await;
        assert!(!received.head.has("x-api-key"), "{:?}", received.head);
        let text = testkit::head::latin1(&received.head.raw);
        assert!(!text.contains(KEY), "{text}");
    }
}

#[tokio::test]
async fn a_call_without_a_valid_key_is_401() {
    let (vendor, gateway) = start(&caller("connections = [\"*\"]")).await;
    for fields in [
        &[][..],
        &["x-api-key: wrong".to_owned()],
        &["x-api-key;".to_owned()],
        &[format!("x-api-key: {KEY}x")],
        &[
            "x-api-key: wrong".to_owned(),
            format!("Authorization: Bearer {KEY}"),
        ],
        &[format!("x-api-key: {KEY}"), format!("x-api-key: {KEY}")],
        &[format!("Authorization: Basic {KEY}")],
        &[basic("AC1:wrong")],
        &[aws("wrong")],
        &[format!("Authorization: token {KEY}"), basic("a:b")],
        &[format!("Cookie: {KEY}")],
        &[format!("x-goog-api-key: {KEY}")],
    ] {
        let arguments: Vec<_> = fields.iter().flat_map(|field| ["-H", field]).collect();
        for path in ["/passthrough/c/x", "/passthrough/nobody", "/passthrough"] {
            let answer = gateway.curl(path, &arguments).await;
            assert_eq!(answer.status(), 401, "{path} {fields:?}");
            assert_eq!(answer.error(), Some("unauthenticated"));
            assert_eq!(answer.field("content-type"), Some("application/json"));
            assert_eq!(answer.field("cache-control"), Some("no-store"));
            let type_of_error = answer.field("proxy-status");
            assert_eq!(
                type_of_error,
                Some("passthrough; error=http_request_denied")
            );
            let body: serde_json::Value = serde_json::from_str(answer.body()).unwrap();
            assert_eq!(body.get("status"), Some(&401.into()), "{body}");
            assert_eq!(body.get("title"), Some(&"Unauthorized".into()), "{body}");
            assert_eq!(body.get("sent"), Some(&false.into()), "{body}");
            let detail = body.get("detail").unwrap().as_str().unwrap();
            for place in ["`x-api-key`", "`Authorization`", "`Basic`", "AWS"] {
                assert!(detail.contains(place), "{detail}");
            }
            // SDKs look for these members.
            assert_eq!(body.get("ok"), Some(&false.into()), "{body}");
            let message = body.pointer("/error/message");
            assert!(
                message.is_some() && message == body.get("message"),
                "{body}"
            );
        }
    }
    for target in [
        format!("/passthrough/c/x?key={KEY}"),
        "/passthrough/c/x?X-Amz-Credential=wrong/1/2/3/aws4_request".to_owned(),
    ] {
        assert_eq!(gateway.curl(&target, &[]).await.status(), 401, "{target}");
    }
    // Each value costs a hash, so only a few are compared.
    let many = "X-Amz-Credential=////&".repeat(100);
    let target = format!("/passthrough/c/x?{many}X-Amz-Credential={KEY}/1/2/3/aws4_request");
    assert_eq!(gateway.curl(&target, &[]).await.status(), 401);
    vendor.untouched().await;
}

#[tokio::test]
async fn t18_a_key_in_two_places_is_removed_from_both() {
    let (vendor, gateway) = start(&caller("connections = [\"*\"]")).await;
    let credential = format!("X-Amz-Credential={KEY}/20260101/eu-west-1/s3/aws4_request");
    for field in [
        format!("x-api-key: {KEY}"),
        format!("Authorization: Bearer {KEY}"),
    ] {
        let target = format!("/passthrough/c/x?{credential}&a=1");
        let answer = gateway.curl(&target, &["-H", &field]).await;
        assert_eq!(answer.status(), 200, "{field}");
        assert_eq!(vendor.next().await.target(), "/x?a=1");
    }
}

/// A browser would ask its user for a password, and then send it also from pages of other sites.
#[tokio::test]
async fn browsers_get_no_challenge_for_a_password() {
    let (_vendor, gateway) = start(&caller("connections = [\"*\"]")).await;
    for (field, has_basic) in [
        ("Accept: */*", true),
        ("Sec-Fetch-Mode: navigate", false),
        ("Upgrade-Insecure-Requests: 1", false),
        ("Accept: text/html,application/xhtml+xml", false),
    ] {
        let answer = gateway.curl("/passthrough/c/x", &["-H", field]).await;
        assert_eq!(answer.status(), 401);
        let text = format!("{answer:?}").to_ascii_lowercase();
        assert_eq!(text.contains("basic realm"), has_basic, "{field}: {text}");
    }
}

fn basic(text: &str) -> String {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(text);
    format!("Authorization: Basic {encoded}")
}

fn aws(key: &str) -> String {
    format!(
        "Authorization: AWS4-HMAC-SHA256 Credential={key}/20260101/eu-west-1/s3/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature={}",
        "0".repeat(64)
    )
}

/// The user and the password are keys of two callers, so it's unclear who calls.
#[tokio::test]
async fn keys_of_two_callers_are_no_key() {
    let second = "[[caller]]\napi_key = \"c4nary-second\"\nconnections = [\"*\"]\n";
    let callers = format!("{}\n{second}", caller("connections = [\"*\"]"));
    let (vendor, gateway) = start(&callers).await;
    let both = basic(&format!("{KEY}:c4nary-second"));
    let answer = gateway.curl("/passthrough/c/x", &["-H", &both]).await;
    assert_eq!(answer.status(), 401);
    vendor.untouched().await;
    let same = basic(&format!("{KEY}:{KEY}"));
    let answer = gateway.curl("/passthrough/c/x", &["-H", &same]).await;
    assert_eq!(answer.status(), 200);
}

/// Starts a gateway whose integration names these places, and a second integration `w` that names none, with connection `w`.
async fn with_places(caller_key: &str, top: &str) -> (Vendor, Gateway) {
    let vendor = Vendor::ok().await;
    let config = Config::new(&vendor);
    let other = format!(
        "[integration.w]\nbase_url = \"{}\"\n[connection.w]\nintegration = \"w\"",
        config.origin()
    );
    let config = config
        .top(top)
        .integration(&format!("caller_key = {caller_key}"))
        .table(&other);
    let gateway = Gateway::start(&config).await;
    (vendor, gateway)
}

fn all_bytes(received: &testkit::vendor::Received) -> String {
    let head = testkit::head::latin1(&received.head.raw);
    head + &testkit::head::latin1(&received.body.data)
}

#[tokio::test]
async fn t18_a_key_in_the_query_is_found_and_removed() {
    let places = "[{ query = \"key\" }, { query = \"token\" }]";
    // The original target, from which rewritten links are made, contains the key as well.
    let (vendor, gateway) = with_places(places, "rewrite_links = true").await;
    let encoded: String = KEY.bytes().map(|byte| format!("%{byte:02X}")).collect();
    for (path, target) in [
        (format!("/c/x?key={KEY}"), "/x"),
        (format!("/c/x?a=1&key={KEY}&b=2"), "/x?a=1&b=2"),
        (format!("/c/x?key=dummy&token={KEY}"), "/x"),
        (format!("/c/x?token={encoded}&a"), "/x?a"),
        (format!("/c/x?%6Bey={KEY}&Key=1"), "/x?Key=1"),
        (format!("/w/x?key={KEY}&token=own"), "/x?token=own"),
    ] {
        let answer = gateway.curl(&format!("/passthrough{path}"), &[]).await;
        assert_eq!(answer.status(), 200, "{path}");
        let received = vendor.next().await;
        assert_eq!(received.target(), target, "{path}");
        assert!(!all_bytes(&received).contains(KEY));
    }
    // With an `x-api-key`, the places of the integration are removed nevertheless, and other integrations keep theirs.
    for (path, target) in [
        ("/c/x?key=dummy&a=1&token=", "/x?a=1"),
        ("/c/%2Fx%3Fkey%3Ddummy%26a%3D1", "/x?a=1"),
        ("/w/x?key=own", "/x?key=own"),
        (&format!("/w/x?key={KEY}"), "/x"),
    ] {
        let answer = gateway.call(path, &[]).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(vendor.next().await.target(), target, "{path}");
    }
    let answer = gateway.curl("/passthrough/c/x?key=wrong", &[]).await;
    assert_eq!(answer.status(), 401);
    assert!(
        answer.body().contains("query parameter `key`"),
        "{}",
        answer.body()
    );
    assert!(vendor.try_next().await.is_none());
}

/// A key behind so many values that they aren't all compared with the keys would reach the upstream.
#[tokio::test]
async fn t18_a_request_with_too_many_places_of_keys_is_refused_also_with_an_own_key() {
    let places = "[{ query = \"key\" }, { header = \"x-goog-api-key\" }]";
    let (vendor, gateway) = with_places(places, "").await;
    let many = |value: &str| format!("{value}&").repeat(8);
    for path in [
        format!("/w/x?{}key={KEY}", many("key=x")),
        format!(
            "/w/x?{}X-Amz-Credential={KEY}/20260101/eu/s3/aws4_request",
            many("X-Amz-Credential=x/20260101/eu/s3/aws4_request")
        ),
    ] {
        let answer = gateway.call(&path, &[]).await;
        assert_eq!(answer.error(), Some("unauthenticated"), "{path}");
    }
    let last = format!("x-goog-api-key: {KEY}");
    let mut lines = ["-H", "x-goog-api-key: x"].repeat(8);
    lines.extend(["-H", &last]);
    let answer = gateway.call("/w/x", &lines).await;
    assert_eq!(answer.error(), Some("unauthenticated"));
    vendor.untouched().await;
    let answer = gateway.call(&format!("/w/x?{}", many("key=x")), &[]).await;
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn t18_a_key_in_a_header_field_is_found_and_removed() {
    let (vendor, gateway) = with_places("{ header = \"x-goog-api-key\" }", "").await;
    let own = format!("x-api-key: {KEY}");
    for (id, lines, kept) in [
        ("c", &[format!("X-Goog-Api-Key: {KEY}")][..], None),
        ("c", &[format!("X-Goog-Api-Key: Bearer {KEY}")], None),
        (
            "c",
            &[
                format!("x-goog-api-key: {KEY}"),
                "authorization: Bearer dummy".to_owned(),
            ],
            None,
        ),
        ("w", &[format!("x-goog-api-key: {KEY}")], None),
        (
            "c",
            &[own.clone(), "x-goog-api-key: dummy".to_owned()],
            None,
        ),
        (
            "c",
            &[own.clone(), "x_goog_api_key: dummy".to_owned()],
            None,
        ),
        (
            "w",
            &[own.clone(), "x-goog-api-key: own".to_owned()],
            Some("own"),
        ),
        ("w", &[own, format!("x-goog-api-key: {KEY}")], None),
    ] {
        let arguments: Vec<_> = lines.iter().flat_map(|field| ["-H", field]).collect();
        let path = format!("/passthrough/{id}/x");
        let answer = gateway.curl(&path, &arguments).await;
        assert_eq!(answer.status(), 200, "{lines:?}");
        let received = vendor.next().await;
        assert_eq!(received.head.value("x-goog-api-key"), kept, "{lines:?}");
        assert!(!received.head.has("x_goog_api_key"), "{lines:?}");
        assert!(!all_bytes(&received).contains(KEY));
    }
    let two = [
        "-H",
        &format!("x-goog-api-key: {KEY}"),
        "-H",
        "x-goog-api-key: a",
    ];
    assert_eq!(gateway.curl("/passthrough/c/x", &two).await.status(), 401);
}

#[tokio::test]
async fn t18_a_key_in_a_form_is_found_and_removed() {
    let (vendor, gateway) = with_places("{ form = \"token\" }", "").await;
    for (body, expected) in [
        (format!("token={KEY}"), ""),
        (
            format!("channel=C1&text=a+b%26&token={KEY}"),
            "channel=C1&text=a+b%26",
        ),
        (format!("token={KEY}&x"), "x"),
    ] {
        for framing in ["content-length: ", "transfer-encoding: chunked"] {
            let framing = match framing.ends_with(' ') {
                true => format!("{framing}{}", body.len()),
                false => framing.to_owned(),
            };
            let chunk = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
            let sent = if framing.contains("chunked") {
                &chunk
            } else {
                &body
            };
            let request = format!(
                "POST /passthrough/c/chat HTTP/1.1\r\nHost: gw.test\r\n{framing}\r\n\
                 Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n\r\n{sent}"
            );
            let answer = gateway.raw(request).await;
            assert_eq!(answer.status(), 200, "{body}: {}", answer.text());
            let received = vendor.next().await;
            assert_eq!(testkit::head::latin1(&received.body.data), expected);
            let length = expected.len().to_string();
            assert_eq!(received.head.value("content-length"), Some(&*length));
            assert!(!all_bytes(&received).contains(KEY));
        }
    }
    let long = format!("a={}&token={KEY}", "x".repeat(300_000));
    for (kind, body) in [
        ("application/x-www-form-urlencoded", "token=wrong"),
        ("application/x-www-form-urlencoded", ""),
        ("application/json", &format!("token={KEY}")),
        ("application/x-www-form-urlencoded", &long),
    ] {
        let request = format!(
            "POST /passthrough/c/chat HTTP/1.1\r\nHost: gw.test\r\nContent-Length: {}\r\n\
             Content-Type: {kind}\r\n\r\n{body}",
            body.len()
        );
        assert_eq!(gateway.raw(request).await.status(), 401, "{kind}");
    }
    assert!(vendor.try_next().await.is_none());
}

/// A presigned URL names the key in its query, at integrations with each kind of authentication.
#[tokio::test]
async fn t18_the_key_id_of_a_signature_is_found_and_removed() {
    let sigv4 = "{ kind = \"sigv4\", service = \"s3\", region = \"us-east-1\" }";
    let secret = "{ access_key_id = \"AKID\", secret_access_key = \"c4nary-aws\" }";
    for (auth, secret) in [
        (sigv4, secret),
        ("{ kind = \"bearer\" }", "{ token = \"c4nary-t\" }"),
    ] {
        let vendor = Vendor::ok().await;
        let gateway = Gateway::start(&Config::new(&vendor).auth(auth, secret)).await;
        let slash = format!("{KEY}%2F20260101%2Fus-east-1%2Fs3%2Faws4_request");
        let path = format!(
            "/passthrough/c/x?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={slash}\
             &X-Amz-Date=20260101T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=00&a=1"
        );
        let answer = gateway.curl(&path, &[]).await;
        assert_eq!(answer.status(), 200, "{auth}: {}", answer.body());
        let received = vendor.next().await;
        assert!(received.target().contains("a=1"));
        assert!(!received.target().contains("Credential"));
        assert!(!all_bytes(&received).contains(KEY));

        let answer = gateway.curl("/passthrough/c/x", &["-H", &aws(KEY)]).await;
        assert_eq!(answer.status(), 200, "{auth}");
        let received = vendor.next().await;
        assert!(!all_bytes(&received).contains(KEY));
        let authorization = received.head.value("authorization").unwrap();
        assert_eq!(authorization.contains("Credential=AKID/"), auth == sigv4);
    }
}

/// A browser would ask its user for a password.
#[tokio::test]
async fn a_401_asks_clients_other_than_browsers_for_a_password() {
    let (_vendor, gateway) = start(&caller("connections = [\"*\"]")).await;
    for (field, challenges) in [
        ("", &["Bearer", "Basic realm=\"passthrough\""][..]),
        ("Sec-Fetch-Mode: cors\r\n", &["Bearer"]),
    ] {
        let request = format!("GET /passthrough/c/x HTTP/1.1\r\nHost: a\r\n{field}\r\n");
        let response = gateway.raw(request).await;
        assert_eq!(response.status(), 401);
        assert_eq!(response.head.values("www-authenticate"), challenges);
    }
}

#[tokio::test]
async fn ids_and_patterns_select_connections() {
    let (vendor, gateway) = start(&caller("connections = [\"acme\", \"team-*\"]")).await;
    for id in ["acme", "team-a", "team-", "te%61m-a"] {
        let answer = gateway.call(&format!("/{id}/x"), &[]).await;
        assert_eq!(answer.status(), 200, "{id}");
        vendor.next().await;
    }
    let unknown = gateway.call("/team-none/x", &[]).await;
    assert_eq!(
        (unknown.status(), unknown.error()),
        (404, Some("unknown-connection"))
    );
    for id in ["c", "Team-b", "acme2", "team", "*", "ACME"] {
        let refused = gateway.call(&format!("/{id}/x"), &[]).await;
        assert_eq!(
            (refused.status(), refused.body()),
            (404, unknown.body()),
            "{id}"
        );
    }
    assert!(vendor.try_next().await.is_none());
}

#[tokio::test]
async fn each_key_has_separate_rights() {
    let callers = format!(
        "{}\n[[caller]]\napi_key = \"c4nary-other\"\nconnections = [\"c\"]",
        caller("connections = [\"acme\"]")
    );
    let (_vendor, gateway) = start(&callers).await;
    for (key, id, status) in [
        (KEY, "acme", 200),
        (KEY, "c", 404),
        ("c4nary-other", "acme", 404),
        ("c4nary-other", "c", 200),
    ] {
        let key = format!("x-api-key: {key}");
        let answer = gateway
            .curl(&format!("/passthrough/{id}/x"), &["-H", &key])
            .await;
        assert_eq!(answer.status(), status, "{key} {id}");
    }
    let calls = gateway.calls(4).await;
    let labels = calls
        .iter()
        .map(|call| call.contains("caller=\"caller-1\""));
    assert_eq!(
        labels.collect::<Vec<_>>(),
        [true, true, false, false],
        "{calls:?}"
    );
}

/// A position changes if a table is inserted before it, so an audit needs names.
#[tokio::test]
async fn the_log_has_the_names_of_callers() {
    let named = |name: &str, key: &str| {
        format!("[[caller]]\n{name}\napi_key = \"{key}\"\nconnections = [\"*\"]\n")
    };
    let callers = [
        named("name = \"crm-sync\"", KEY),
        named("", "c4nary-second"),
        named("name = \"a \\\"b\\\" é\"", "c4nary-third"),
    ];
    let (_vendor, gateway) = start(&callers.concat()).await;
    for key in [KEY, "c4nary-second", "c4nary-third"] {
        let key = format!("x-api-key: {key}");
        let answer = gateway.curl("/passthrough/c/x", &["-H", &key]).await;
        assert_eq!(answer.status(), 200, "{key}");
        gateway.curl("/passthrough/nobody/x", &["-H", &key]).await;
    }
    let calls = gateway.calls(6).await;
    let names = ["crm-sync", "caller-2", "a \\\"b\\\" é"].map(|name| [name; 2]);
    for (call, name) in calls.iter().zip(names.concat()) {
        assert!(call.contains(&format!(" caller=\"{name}\" ")), "{call}");
    }
}

#[tokio::test]
async fn a_read_only_key_allows_only_reading() {
    let callers = caller("connections = [\"*\"]\nmethods = [\"GET\", \"HEAD\"]");
    let (vendor, gateway) = start(&callers).await;
    let over = "X-HTTP-Method-Override: DELETE";
    let answer = gateway.call("/c/x", &["-H", over]).await;
    assert_eq!(answer.status(), 200);
    let received = vendor.next().await;
    assert_eq!(received.head.method(), "GET");
    assert!(!received.head.has("x-http-method-override"));
    assert_eq!(gateway.call("/c/x", &["--head"]).await.status(), 200);
    vendor.next().await;
    for method in ["POST", "DELETE", "OPTIONS", "get"] {
        let answer = gateway.call("/c/x", &["-X", method]).await;
        assert_eq!(
            (answer.status(), answer.error()),
            (403, Some("scope-refused")),
            "{method}"
        );
    }
    assert!(vendor.try_next().await.is_none());
}

/// The scope is checked on the path as the vendor may interpret the path.
#[tokio::test]
async fn t3_a_path_scope_holds_for_each_spelling_of_the_path() {
    let callers = caller("connections = [\"*\"]\npaths = [\"crm/v3/*\", \"me\"]");
    let (vendor, gateway) = start(&callers).await;
    for path in [
        "crm/v3/contacts?a=../x",
        "crm/v3/a/../b",
        "me",
        "%2Fcrm%2Fv3%2Fx",
    ] {
        let answer = gateway.call(&format!("/c/{path}"), &[]).await;
        assert_eq!(answer.status(), 200, "{path}: {answer:?}");
        vendor.next().await;
    }
    for path in [
        "crm/v3",
        "crm/v3/../admin",
        "crm/v3/%2e%2e/admin",
        "CRM/v3/x",
        "me/x",
        "",
        "x?crm/v3/a",
    ] {
        let answer = gateway.call(&format!("/c/{path}"), &[]).await;
        assert_eq!(
            (answer.status(), answer.error()),
            (403, Some("scope-refused")),
            "{path}"
        );
    }
    assert!(vendor.try_next().await.is_none());
}
