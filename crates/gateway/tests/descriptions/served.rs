//! The routes of the descriptions.

use serde_json::{Value, json};
use testkit::certificates;
use testkit::process::binary::check;
use testkit::process::config::Config;
use testkit::process::curl::curl;
use testkit::process::folder::Folder;
use testkit::process::gateway::Gateway;
use testkit::vendor::Vendor;

const PATHS: [&str; 2] = ["/openapi.json", "/postman.json"];

async fn json_of(gateway: &Gateway, path: &str, arguments: &[&str]) -> Value {
    let answer = gateway.curl(path, arguments).await;
    assert_eq!(answer.status(), 200, "{path} {arguments:?}");
    serde_json::from_str(answer.body()).unwrap()
}

/// Returns the address of the server in both descriptions.
async fn servers(gateway: &Gateway, arguments: &[&str]) -> [Value; 2] {
    let openapi = json_of(gateway, PATHS[0], arguments).await;
    let postman = json_of(gateway, PATHS[1], arguments).await;
    let of = |value: &Value, pointer: &str| value.pointer(pointer).cloned().unwrap_or_default();
    [
        of(&openapi, "/servers/0/url"),
        of(&postman, "/variable/0/value"),
    ]
}

#[tokio::test]
async fn descriptions_are_off_by_default() {
    let vendor = Vendor::ok().await;
    for config in [
        Config::new(&vendor),
        Config::new(&vendor).top("page = false"),
    ] {
        let gateway = Gateway::start(&config).await;
        for path in PATHS {
            let answer = gateway.curl(path, &[]).await;
            assert_eq!((answer.status(), answer.error()), (404, None), "{path}");
        }
    }
}

#[tokio::test]
async fn descriptions_can_be_read_and_cached() {
    let vendor = Vendor::ok().await;
    let gateway = Gateway::start(&Config::new(&vendor).top("page = true")).await;
    for path in PATHS {
        let answer = gateway.curl(path, &[]).await;
        assert_eq!(answer.status(), 200, "{path}");
        for (name, value) in [
            ("content-type", "application/json"),
            ("cache-control", "no-cache"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(answer.field(name), Some(value), "{path}");
        }
        let tag = answer.field("etag").unwrap();
        assert!(tag.starts_with('"'), "{path}: {tag}");

        let known = format!("if-none-match: \"other\", W/{tag}");
        let same = gateway.curl(path, &["-H", &known]).await;
        assert_eq!((same.status(), same.body()), (304, ""), "{path}");
        assert_eq!(same.field("etag"), Some(tag), "{path}");
        let other = gateway
            .curl(path, &["-H", "if-none-match: \"other\""])
            .await;
        assert_eq!(other.body(), answer.body(), "{path}");

        let head = gateway.curl(path, &["-I"]).await;
        let length = answer.body().len().to_string();
        assert_eq!((head.status(), head.body()), (200, ""), "{path}");
        assert_eq!(head.field("content-length"), Some(&*length), "{path}");
        assert_eq!(head.field("etag"), Some(tag), "{path}");

        let posted = gateway.curl(path, &["-X", "POST", "--data", "x"]).await;
        assert_eq!((posted.status(), posted.error()), (405, None), "{path}");
        assert_eq!(posted.field("allow"), Some("GET,HEAD"), "{path}");
    }
    vendor.untouched().await;
}

#[tokio::test]
async fn a_reload_switches_the_descriptions() {
    let vendor = Vendor::ok().await;
    let without = Config::new(&vendor);
    let gateway = Gateway::start(&without).await;
    gateway.reload(&without.clone().top("page = true")).await;
    assert_eq!(gateway.curl(PATHS[0], &[]).await.status(), 200);
    gateway.reload(&without).await;
    assert_eq!(gateway.curl(PATHS[0], &[]).await.status(), 404);
}

#[tokio::test]
async fn the_server_is_the_address_that_the_caller_uses() {
    let vendor = Vendor::ok().await;
    let gateway = Gateway::start(&Config::new(&vendor).top("page = true")).await;
    let own = json!(gateway.url(""));
    assert_eq!(servers(&gateway, &[]).await, [own.clone(), own]);
    let named = json!("http://gw.test:81");
    let host = ["-H", "host: gw.test:81"];
    assert_eq!(servers(&gateway, &host).await, [named.clone(), named]);
    let h2 = ["--http2-prior-knowledge", "-H", "host: h2.test"];
    let named = json!("http://h2.test");
    assert_eq!(servers(&gateway, &h2).await, [named.clone(), named]);
    // No text of a hostile host is in a description.
    for hostile in ["u@evil.test", "{evil}.test", "evil'.test", "evil.test:1:2"] {
        let host = format!("host: {hostile}");
        for path in PATHS {
            let answer = gateway.curl(path, &["-H", &host]).await;
            let is_absent = !answer.body().contains("evil");
            assert!(is_absent, "{hostile} {path}");
        }
    }
}

#[tokio::test]
async fn the_server_is_the_public_url() {
    let vendor = Vendor::ok().await;
    let top = "page = true\nmount = \"/a/b\"\npublic_url = \"https://gw.test/outer/\"";
    let gateway = Gateway::start(&Config::new(&vendor).top(top)).await;
    let public = json!("https://gw.test/outer");
    let host = ["-H", "host: other.test"];
    assert_eq!(servers(&gateway, &host).await, [public.clone(), public]);
    let openapi = json_of(&gateway, PATHS[0], &[]).await;
    let paths = openapi["paths"].as_object().unwrap().keys();
    let paths: Vec<_> = paths.collect();
    assert_eq!(
        paths,
        ["/a/b/{connection_id}", "/a/b/{connection_id}/{path}"]
    );
}

#[tokio::test]
async fn the_server_of_a_gateway_with_tls_has_https() {
    let vendor = Vendor::ok().await;
    let folder = Folder::new();
    let (certificate, key) = certificates::certificate_pem("localhost");
    folder.write("cert.pem", certificate);
    folder.write("key.pem", key);
    let tls = "[tls]\ncertificate = \"cert.pem\"\nprivate_key = \"key.pem\"";
    let config = Config::new(&vendor).top("page = true").table(tls);
    let gateway = Gateway::start_in(folder, &config, &[]).await;
    let origin = format!("https://{}", gateway.address);
    let answer = curl(&["--insecure", &format!("{origin}/openapi.json")]).await;
    let openapi: Value = serde_json::from_str(answer.body()).unwrap();
    assert_eq!(openapi["servers"][0]["url"], origin);
}

/// The list of integrations contains names with any characters, and no connection.
#[tokio::test]
async fn integrations_are_listed_without_connections() {
    let vendor = Vendor::ok().await;
    let table = "[integration.'a\"b\\</script>']\nbase_url = \"https://{region}.a.test/v2\"\ntitle = \"A\\n\\\"B\\\"\"\n\
                 docs = \"https://docs.a.test\"\nverify = \"/me?x=1\"\nauth = { kind = \"bearer\" }\n\
                 [connection.hidden-connection]\nintegration = 'a\"b\\</script>'\nvariables = { region = \"eu\" }\n\
                 secret = { token = \"c4nary\" }";
    let config = Config::new(&vendor).top("page = true").table(table);
    let gateway = Gateway::start(&config).await;
    let openapi = json_of(&gateway, PATHS[0], &[]).await;
    let listed = json!([
        {
            "name": "a\"b\\</script>", "title": "A\n\"B\"", "baseUrl": "https://{region}.a.test/v2",
            "docs": "https://docs.a.test", "verify": { "method": "GET", "path": "/me?x=1" },
        },
        { "name": "v", "title": "v", "baseUrl": config.origin() },
    ]);
    assert_eq!(openapi["x-integrations"], listed);
    for path in PATHS {
        let answer = gateway.curl(path, &[]).await;
        assert!(!answer.body().contains("hidden-connection"), "{path}");
    }
}

#[tokio::test]
async fn the_place_of_the_connection_is_described() {
    let vendor = Vendor::ok().await;
    let start =
        async |top: &str| Gateway::start(&Config::new(&vendor).top("page = true").top(top)).await;
    let by_header = start("address_by = [\"key\", \"header\"]").await;
    let openapi = json_of(&by_header, PATHS[0], &[]).await;
    let parameter = &openapi["components"]["parameters"]["connection_id"];
    assert_eq!(parameter["name"], "x-connection");
    let by_key = start("address_by = [\"key\"]").await;
    let openapi = json_of(&by_key, PATHS[0], &[]).await;
    assert!(openapi["paths"].get("/passthrough/{path}").is_some());
    let pattern = "address_by = [\"host\"]\nhost_pattern = \"{connection}.gw.test\"";
    let by_host = start(pattern).await;
    let port = by_host.address.port();
    let openapi = json_of(&by_host, PATHS[0], &[]).await;
    let server = &openapi["servers"][0]["url"];
    assert_eq!(*server, format!("http://{{connection}}.gw.test:{port}"));
    assert!(openapi["paths"].get("/{path}").is_some());
    // Below the host of a connection, the path is the vendor's.
    let acme = ["-H", "host: c.gw.test"];
    let answer = by_host.curl(PATHS[0], &acme).await;
    assert_eq!(
        (answer.status(), answer.error()),
        (401, Some("unauthenticated"))
    );
}

#[tokio::test]
async fn a_key_that_isnt_needed_isnt_described() {
    let vendor = Vendor::ok().await;
    let gateway = Gateway::start(&Config::new(&vendor).anyone().top("page = true")).await;
    let openapi = json_of(&gateway, PATHS[0], &[]).await;
    assert_eq!(openapi.get("security"), None);
    let codes = &openapi["components"]["schemas"]["ErrorCode"]["enum"];
    let codes = codes.as_array().unwrap();
    assert!(!codes.contains(&json!("unauthenticated")));
}

#[tokio::test]
async fn mistakes_are_reported() {
    let vendor = Vendor::ok().await;
    for mount in ["/", "/openapi.json", "/postman.json/x"] {
        let top = format!("page = true\nmount = \"{mount}\"");
        let ended = check(Config::new(&vendor).top(&top).to_string());
        assert_eq!(ended.code, Some(2), "{mount}");
        assert!(
            ended.stderr.contains("at the same path"),
            "{mount}: {ended:?}"
        );
        let without = check(
            Config::new(&vendor)
                .top(&top.replace("true", "false"))
                .to_string(),
        );
        assert_eq!(without.code, Some(0), "{mount}: {without:?}");
    }
    for verify in ["https://evil.test/x", "a b", "/a#b"] {
        let line = format!("verify = \"{verify}\"");
        let ended = check(Config::new(&vendor).integration(&line).to_string());
        assert_eq!(ended.code, Some(2), "{verify}");
        let expected = "integration.v.verify: expected a path such as";
        assert!(ended.stderr.contains(expected), "{verify}: {ended:?}");
    }
}
