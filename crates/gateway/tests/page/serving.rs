//! The responses of the page, without a browser.

use testkit::caller::Caller;
use testkit::process::binary::check;
use testkit::process::canary::{KEY, TOKEN};
use testkit::process::config::Config;
use testkit::process::folder::Folder;
use testkit::process::gateway::Gateway;
use testkit::reply::Reply;
use testkit::vendor::Vendor;

const FILES: [(&str, &str); 4] = [
    ("/", "text/html; charset=utf-8"),
    ("/page.js", "text/javascript; charset=utf-8"),
    ("/page.css", "text/css; charset=utf-8"),
    ("/catalog.json", "application/json"),
];

fn with_page(vendor: &Vendor) -> Config {
    Config::new(vendor).top("page = true")
}

#[tokio::test]
async fn the_page_is_off_by_default_and_a_reload_switches_it() {
    let vendor = Vendor::ok().await;
    for off in [
        Config::new(&vendor),
        Config::new(&vendor).top("page = false"),
    ] {
        let gateway = Gateway::start(&off).await;
        for (path, _) in FILES {
            let answer = gateway.curl(path, &[]).await;
            assert_eq!((answer.status(), answer.error()), (404, None), "{path}");
            assert_eq!(
                answer.field("content-type"),
                Some("application/json"),
                "{path}"
            );
        }
    }
    let gateway = Gateway::start(&Config::new(&vendor)).await;
    let mut caller = Caller::connect(gateway.address).await;
    for (config, status) in [(with_page(&vendor), 200), (Config::new(&vendor), 404)] {
        gateway.reload(&config).await;
        let answer = caller.call("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert_eq!(answer.status(), status);
    }
}

#[tokio::test]
async fn the_page_can_be_cached_and_only_read() {
    let vendor = Vendor::ok().await;
    let gateway = Gateway::start(&with_page(&vendor)).await;
    for (path, kind) in FILES {
        let whole = gateway.curl(path, &[]).await;
        assert_eq!(whole.status(), 200, "{path}");
        assert_eq!(whole.field("content-type"), Some(kind));
        for (name, value) in [
            ("cache-control", "no-cache"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(whole.field(name), Some(value), "{path}: {name}");
        }
        let policy = whole.field("content-security-policy").unwrap_or_default();
        for part in [
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'",
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");

        let etag = whole.field("etag").unwrap_or_default().to_owned();
        assert!(etag.starts_with('"') && etag.len() == 34, "{etag}");
        for tags in [etag.clone(), format!("\"other\", W/{etag}"), "*".to_owned()] {
            let header = format!("if-none-match: {tags}");
            let same = gateway.curl(path, &["-H", &header]).await;
            assert_eq!((same.status(), same.body()), (304, ""), "{path}: {tags}");
            assert_eq!(same.field("etag"), Some(&*etag));
        }
        for other in ["\"other\"", "", "\"\""] {
            let header = format!("if-none-match: {other}");
            assert_eq!(
                gateway.curl(path, &["-H", &header]).await.status(),
                200,
                "{other}"
            );
        }

        let head = gateway.curl(path, &["-I"]).await;
        let length = whole.body().len().to_string();
        assert_eq!((head.status(), head.body()), (200, ""));
        assert_eq!(head.field("content-length"), Some(&*length), "{path}");
        for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
            let other = gateway.curl(path, &["-X", method]).await;
            assert_eq!(
                (other.status(), other.error()),
                (405, None),
                "{path}: {method}"
            );
            assert_eq!(other.field("allow"), Some("GET,HEAD"), "{path}");
        }
    }
    vendor.untouched().await;
}

/// Another config has another tag, so a browser never shows an old list.
#[tokio::test]
async fn a_change_of_the_integrations_changes_the_tags() {
    let vendor = Vendor::ok().await;
    let gateway = Gateway::start(&with_page(&vendor)).await;
    let tags = async || {
        let mut tags = Vec::new();
        for path in ["/", "/catalog.json"] {
            tags.push(
                gateway
                    .curl(path, &[])
                    .await
                    .field("etag")
                    .map(str::to_owned),
            );
        }
        tags
    };
    let before = tags().await;
    let more = "[integration.more]\nbase_url = \"https://more.test\"";
    gateway.reload(&with_page(&vendor).table(more)).await;
    let after = tags().await;
    assert!(
        before.iter().zip(&after).all(|(old, new)| old != new),
        "{before:?} {after:?}"
    );
}

/// The whole catalog fits into 40 KB of HTML, and each of its connections' tables is accepted by `--check`.
#[tokio::test]
async fn the_list_contains_the_catalog() {
    let vendor = Vendor::ok().await;
    let own = "[integration.hubspot]\nbase_url = \"https://hubspot.test\"";
    let gateway = Gateway::start(&with_page(&vendor).table(own)).await;
    let html = gateway.curl("/", &[]).await;
    let bytes = html.body().len();
    assert!(bytes <= 40_000, "{bytes} bytes");
    let json = gateway.curl("/catalog.json", &[]).await;
    let data: serde_json::Value = serde_json::from_str(json.body()).unwrap();
    // docs/page.md names these sizes.
    for (path, sizes) in [("/", 25_000..35_000), ("/catalog.json", 230_000..290_000)] {
        let bytes = gateway.curl(path, &[]).await.body().len();
        assert!(sizes.contains(&bytes), "{path}: {bytes} bytes");
    }
    let entries = data["entries"].as_array().unwrap();
    assert!(entries.len() > 140, "{} entries", entries.len());
    assert_eq!(html.body().matches("<th scope=row>").count(), entries.len());
    // The file's integration replaces the catalog's.
    let named: Vec<_> = entries
        .iter()
        .filter(|entry| entry["name"] == "hubspot")
        .collect();
    assert_eq!(named.len(), 1);
    assert_eq!(named[0]["own"], true);
    assert_eq!(named[0]["title"], "HubSpot");
    assert_eq!(named[0]["base_url"], "https://hubspot.test");
    for entry in entries.iter().filter(|entry| entry["own"] == false) {
        let toml = entry["toml"].as_str().unwrap();
        let table: toml::Table = toml
            .parse()
            .unwrap_or_else(|error| panic!("{toml}: {error}"));
        assert!(table.contains_key("connection"), "{toml}");
        let docs = entry["docs"].as_str().unwrap_or_default();
        assert!(docs.starts_with("https://"), "{entry:#}");
        let confidence = entry["confidence"].as_str().unwrap_or_default();
        assert!(
            ["checked", "documented", "unverified"].contains(&confidence),
            "{entry:#}"
        );
    }
}

#[tokio::test]
async fn names_are_text_and_ids_and_secrets_are_absent() {
    let vendor = Vendor::ok().await;
    let hostile = "[integration.\"<script>'\\\"&amp;</script>\"]\nbase_url = \"https://more.test/a&b\"\n\
                   headers = { x-key = \"c4nary-header\" }\nquery = { key = \"c4nary-query\" }\n\
                   auth = { kind = \"oauth2\", token_url = \"https://more.test/token\", client_id = \"c4nary-id\", client_secret = \"c4nary-secret\" }\n\
                   [connection.private-id]\nintegration = \"v\"\nsecret = { token = \"c4nary\" }";
    let gateway = Gateway::start(&with_page(&vendor).table(hostile)).await;
    let html = gateway.curl("/", &[]).await;
    let escaped = "&lt;script&gt;&#39;&quot;&amp;amp;&lt;/script&gt;";
    assert!(html.body().contains(escaped), "{}", html.body());
    assert_eq!(html.body().matches("<script").count(), 1);
    let json = gateway.curl("/catalog.json", &[]).await;
    let data: serde_json::Value = serde_json::from_str(json.body()).unwrap();
    let name = "<script>'\"&amp;</script>";
    let entries = data["entries"].as_array().unwrap();
    assert_eq!(entries[0]["name"], name);
    assert_eq!(entries[0]["auth"][0]["kind"], "oauth2");
    assert_eq!(entries[1]["name"], "v");
    assert_eq!(entries[2]["own"], false);
    let version = format!("data-version=\"{}\"", data["version"].as_str().unwrap());
    assert!(html.body().contains(&version));
    for text in [html.body(), json.body()] {
        for secret in ["private-id", KEY, TOKEN, "c4nary"] {
            assert!(!text.contains(secret), "{secret}");
        }
    }
}

/// docs/page.md warns of secrets in these values.
#[tokio::test]
async fn the_facts_that_the_documentation_names_are_shown() {
    let vendor = Vendor::ok().await;
    let table = "[integration.facts]\nbase_url = \"https://{region}.in-base.test\"\nverify = \"/me?in-verify=1\"\n\
                 title = \"in-title\"\ncategory = \"in-category\"\nnote = \"in-note\"\ndocs = \"https://in-docs.test\"\n\
                 variables = { region = { default = \"in-default\" } }\nquery = { key = \"in-query\" }";
    let gateway = Gateway::start(&with_page(&vendor).table(table)).await;
    let json = gateway.curl("/catalog.json", &[]).await;
    let text = include_str!("../../../../docs/page.md");
    let warning = text.split_once("Don't put a secret into").unwrap().1;
    let (warning, _) = warning.split_once("\n\n").unwrap();
    for (key, value) in [
        ("`base_url`", "in-base"),
        ("`verify` and its query", "in-verify"),
        ("`title`", "in-title"),
        ("`category`", "in-category"),
        ("`note`", "in-note"),
        ("`docs`", "in-docs"),
        ("default of a variable", "in-default"),
    ] {
        assert!(json.body().contains(value), "{key} isn't shown");
        let warning = warning.replace('\n', " ");
        assert!(warning.contains(key), "{key}: {warning}");
    }
    assert!(!json.body().contains("in-query"));
}

#[test]
fn the_page_and_the_mount_need_paths_of_their_own() {
    let rest = "anyone = true\n[limits]\nin_flight = 0\n";
    for mount in [
        "/",
        "/page.js",
        "/catalog.json",
        "/openapi.json",
        "/postman.json/x",
    ] {
        let ended = check(format!("page = true\nmount = \"{mount}\"\n{rest}"));
        assert_eq!(ended.code, Some(2), "{mount}: {ended:?}");
        assert!(
            ended
                .stderr
                .contains(":1:8: page: the page and the mount are at the same path"),
            "{mount}: {ended:?}"
        );
        assert_eq!(
            check(format!("page = false\nmount = \"{mount}\"\n{rest}")).code,
            Some(0),
            "{mount}"
        );
    }
    // Without the way by path, a call may not be at the root either, except by host.
    let by_header = check(format!(
        "page = true\nmount = \"/\"\naddress_by = [\"header\"]\n{rest}"
    ));
    assert_eq!(by_header.code, Some(2), "{by_header:?}");
    let by_host = check(format!(
        "page = true\nmount = \"/\"\naddress_by = [\"host\"]\nhost_pattern = \"{{connection}}.gw.test\"\n{rest}"
    ));
    assert_eq!(by_host.code, Some(0), "{by_host:?}");
    assert!(
        by_host
            .stderr
            .contains("the form of the page can't make calls"),
        "{by_host:?}"
    );
}

#[test]
fn the_page_warns_of_fields_that_act_in_a_browser() {
    let rest = "anyone = true\n[limits]\nin_flight = 0\n";
    let warning = "response_headers = \"browser-safe\"";
    for (lines, warns) in [
        ("page = true", true),
        ("page = false", false),
        ("", false),
        ("page = true\nresponse_headers = \"browser-safe\"", false),
    ] {
        let ended = check(format!("{lines}\n{rest}"));
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(ended.stderr.contains(warning), warns, "{lines}: {ended:?}");
    }
}

/// An integration or a file of the catalog may have a policy of its own.
#[test]
fn the_page_warns_of_each_integration_that_acts_in_a_browser() {
    let table = |name: &str, line: &str| {
        format!("[integration.{name}]\nbase_url = \"https://{name}.test\"\n{line}\n")
    };
    let all = "response_headers = \"all\"";
    let folder = Folder::new();
    folder.write(
        "more.toml",
        [table("filed", all), table("replaced", all)].concat(),
    );
    let file = folder.path("more.toml").display().to_string();
    let top = format!(
        "response_headers = \"browser-safe\"\ncatalog = [\"bundled\", {file:?}]\nanyone = true\n"
    );
    let tables = [
        table("own", all),
        table("heir", "extends = \"own\""),
        table("safe", "response_headers = \"browser-safe\""),
        table("replaced", ""),
    ]
    .concat();
    let ended = check(format!("page = true\n{top}{tables}"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for (name, warns) in [
        ("own", true),
        ("heir", true),
        ("filed", true),
        ("safe", false),
        ("replaced", false),
    ] {
        let warning = format!("integration {name:?}: it has response_headers = \"all\"");
        assert_eq!(ended.stderr.contains(&warning), warns, "{name}: {ended:?}");
    }
    assert!(ended.stderr.contains("service workers"), "{ended:?}");
    let ended = check(format!("page = false\n{top}{tables}"));
    assert!(
        !ended.stderr.contains("it has response_headers"),
        "{ended:?}"
    );
}

/// A service worker of an upstream could replace the page's files.
#[tokio::test]
async fn upstreams_register_no_service_workers_on_the_origin_of_the_page() {
    let reply = "HTTP/1.1 200 OK\r\nContent-Type: text/javascript\r\nService-Worker-Allowed: /\r\nContent-Length: 2\r\n\r\nok";
    let vendor = Vendor::answering(Reply::bytes(reply)).await;
    let base = Config::new(&vendor)
        .top("address_by = [\"path\", \"header\", \"host\", \"key\"]\nhost_pattern = \"{connection}.gw.test\"")
        .callers(&format!("[[caller]]\napi_key = \"{KEY}\"\nconnections = [\"c\"]"));
    let key = format!("x-api-key: {KEY}");
    let calls = [
        ("/passthrough/c/sw.js", "x-none: x"),
        ("/passthrough/sw.js", "x-connection: c"),
        ("/sw.js", "x-none: x"),
        ("/sw.js", "host: c.gw.test"),
    ];
    for policy in ["all", "browser-safe"] {
        let line = format!("response_headers = \"{policy}\"");
        let config = base.clone().integration(&line).top("page = true");
        let gateway = Gateway::start(&config).await;
        for (path, field) in calls {
            let answer = gateway.curl(path, &["-H", &key, "-H", field]).await;
            assert_eq!((answer.status(), answer.body()), (200, "ok"), "{path}");
            let allowed = answer.field("service-worker-allowed");
            assert_eq!(allowed, None, "{policy} {path} {field}");
            vendor.next().await;
            let script = ["-H", &key, "-H", field, "-H", "service-worker: script"];
            let answer = gateway.curl(path, &script).await;
            assert_eq!(answer.status(), 403, "{policy} {path} {field}");
            let code = "\"code\":\"service-worker\"";
            assert!(answer.body().contains(code), "{}", answer.body());
            assert!(vendor.try_next().await.is_none(), "{policy} {path}");
        }
    }
    // Without the page, nothing changes.
    let gateway = Gateway::start(&base).await;
    for (path, field) in calls {
        let script = ["-H", &key, "-H", field, "-H", "service-worker: script"];
        let answer = gateway.curl(path, &script).await;
        assert_eq!((answer.status(), answer.body()), (200, "ok"), "{path}");
        assert_eq!(answer.field("service-worker-allowed"), Some("/"), "{path}");
        let received = vendor.next().await;
        assert_eq!(received.head.value("service-worker"), Some("script"));
    }
}

#[tokio::test]
async fn other_ways_to_name_a_connection_go_on_working() {
    let vendor = Vendor::ok().await;
    let caller = format!("[[caller]]\napi_key = \"{KEY}\"\nconnections = [\"c\"]");
    let config = with_page(&vendor)
        .top("address_by = [\"host\", \"key\"]\nhost_pattern = \"{connection}.gw.test\"")
        .callers(&caller);
    let gateway = Gateway::start(&config).await;
    let key = format!("x-api-key: {KEY}");
    let page = gateway.curl("/", &["-H", &key]).await;
    assert_eq!(page.field("content-type"), Some("text/html; charset=utf-8"));
    for (path, arguments) in [
        ("/", &["-X", "POST"][..]),
        ("/catalog.json", &["-X", "POST"]),
        ("/openapi.json", &["-X", "POST"]),
        ("/postman.json", &["-X", "POST"]),
        ("/x", &[]),
        ("/page.js/x", &[]),
        ("/passthrough/", &[]),
        ("/", &["-H", "host: c.gw.test"]),
        ("/page.css", &["-H", "host: c.gw.test"]),
    ] {
        let arguments = [arguments, &["-H", &key]].concat();
        let answer = gateway.curl(path, &arguments).await;
        assert_eq!(
            (answer.status(), answer.body()),
            (200, "ok"),
            "{path} {arguments:?}"
        );
        let expected = path.strip_prefix("/passthrough").unwrap_or(path);
        assert_eq!(vendor.next().await.target(), expected);
    }
    // Without a key, these are no calls.
    let answer = gateway.curl("/", &["-X", "POST"]).await;
    assert_eq!(answer.status(), 401);
}
