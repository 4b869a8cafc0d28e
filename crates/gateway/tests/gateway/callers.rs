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
        &[format!("Cookie: {KEY}")],
    ] {
        let arguments: Vec<_> = fields.iter().flat_map(|field| ["-H", field]).collect();
        for path in ["/passthrough/c/x", "/passthrough/nobody", "/passthrough"] {
            let answer = gateway.curl(path, &arguments).await;
            assert_eq!(answer.status(), 401, "{path} {fields:?}");
            assert_eq!(answer.error(), Some("unauthenticated"));
            assert_eq!(answer.field("content-type"), Some("application/json"));
            assert_eq!(answer.field("cache-control"), Some("no-store"));
            let body: serde_json::Value = serde_json::from_str(answer.body()).unwrap();
            assert_eq!(body.get("status"), Some(&401.into()), "{body}");
            assert_eq!(body.get("title"), Some(&"Unauthorized".into()), "{body}");
            assert_eq!(body.get("sent"), Some(&false.into()), "{body}");
            // SDKs look for these members.
            assert_eq!(body.get("ok"), Some(&false.into()), "{body}");
            let message = body.pointer("/error/message");
            assert!(
                message.is_some() && message == body.get("message"),
                "{body}"
            );
        }
    }
    vendor.untouched().await;
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
