//! Integrations of the bundled catalog and of its files, `extends`, `catalog list|show` and `connections verify`.

use std::net::SocketAddr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use testkit::certificates;
use testkit::egress_proxy::{EgressProxy, Verdict};
use testkit::gateway::Origin;
use testkit::process::binary::{Ended, check, command, run, run_with};
use testkit::process::canary;
use testkit::process::config::Config;
use testkit::process::folder::Folder;
use testkit::process::gateway::Gateway;
use testkit::reply::Reply;
use testkit::vendor::{Received, Vendor};

const HUBSPOT: &str = "api.hubapi.com";

fn json(status: &str, body: &str) -> Reply {
    let length = body.len();
    Reply::bytes(format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    ))
}

/// The answers of HubSpot: its token endpoint, and its API, which accepts two tokens.
fn hubspot(request: &Received) -> Reply {
    if request.target().starts_with("/oauth/") {
        let form = String::from_utf8_lossy(&request.body.data).into_owned();
        if form.contains("refresh_token=c4nary-dead") {
            return json("400 Bad Request", "{\"error\":\"invalid_grant\"}");
        }
        return json(
            "200 OK",
            "{\"access_token\":\"c4nary-new\",\"refresh_token\":\"c4nary-r1\",\"token_type\":\"bearer\",\"expires_in\":1800}",
        );
    }
    match request.head.value("authorization") {
        Some("Bearer c4nary-private" | "Bearer c4nary-new") => json("200 OK", "{}"),
        _ if request.target().starts_with("/own") => json("401 Unauthorized", "{}"),
        // The credential is in the answer, and must not be printed.
        other => json("401 Unauthorized", &format!("{{\"you sent\":{other:?}}}")),
    }
}

/// HubSpot behind a proxy that resolves its name.
struct HubSpot {
    vendor: Vendor,
    proxy: EgressProxy,
    folder: Folder,
}

impl HubSpot {
    async fn start() -> Self {
        Self::start_beside(None).await
    }

    /// Starts HubSpot. The proxy leads to `other` for all other hosts.
    async fn start_beside(other: Option<SocketAddr>) -> Self {
        let vendor = Vendor::replying_over_tls_as(HUBSPOT, &["http/1.1"], hubspot).await;
        Self::of(vendor, other).await
    }

    async fn of(vendor: Vendor, other: Option<SocketAddr>) -> Self {
        let address = vendor.address();
        let proxy = EgressProxy::http(move |asked| match other {
            Some(other) if !format!("{asked:?}").contains(HUBSPOT) => Verdict::To(other),
            _ => Verdict::To(address),
        })
        .await;
        let folder = Folder::new();
        folder.write("ca.pem", certificates::root_pem());
        Self {
            vendor,
            proxy,
            folder,
        }
    }

    /// Returns a config whose only way to HubSpot is its name.
    fn config(&self, tables: &str) -> Config {
        let network = format!(
            "allow = [\"127.0.0.0/8\"]\nextra_roots = [\"ca.pem\"]\nplaintext = true\n\
             egress_proxy = {{ url = \"{}\", remote_dns = true }}",
            self.proxy.url("")
        );
        Config::new(&self.vendor).network(&network).table(tables)
    }

    fn run(&self, config: &Config, arguments: &[&str]) -> Ended {
        run_in(&self.folder, config, arguments)
    }
}

/// Runs a command with that config. Its output contains no secret.
fn run_in(folder: &Folder, config: &Config, arguments: &[&str]) -> Ended {
    let file = folder.write("gateway.toml", config.to_string());
    let arguments = [&["--config", file.to_str().unwrap()], arguments].concat();
    let ended = run_with(&arguments, &[], "");
    canary::assert_absent("stdout", &ended.stdout);
    canary::assert_absent("stderr", &ended.stderr);
    ended
}

#[track_caller]
fn verified(ended: &Ended, code: i32, first: &str, text: &str) {
    assert_eq!(ended.code, Some(code), "{ended:?}");
    assert!(ended.stdout.starts_with(first), "{ended:?}");
    assert!(ended.stdout.contains(text), "{ended:?}");
}

const PRIVATE: &str =
    "[connection.acme]\nintegration = \"hubspot\"\nsecret = { token = \"c4nary-private\" }";
const OAUTH2: &str = "[connection.acme]\nintegration = \"hubspot\"\nsecret = { access_token = \"c4nary-old\", \
                      refresh_token = \"c4nary-r0\", client_id = \"cl1ent\", client_secret = \"c4nary-client\" }";

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_of_the_bundled_catalog_needs_only_its_secrets() {
    let hubspot = HubSpot::start().await;
    let config = hubspot.config(PRIVATE);
    let ended = hubspot.run(&config, &["connections", "verify", "acme"]);
    let first = "acme (hubspot): GET /account-info/v3/details: 200, JSON\nthe credential works\n";
    verified(&ended, 0, first, "`catalog show hubspot` has notes");
    let asked = hubspot.proxy.next().await;
    assert!(asked.starts_with("CONNECT api.hubapi.com:443 "), "{asked}");
    let received = hubspot.vendor.next().await;
    assert_eq!(received.target(), "/account-info/v3/details");

    let gateway = Gateway::start_in(hubspot.folder, &config, &[]).await;
    let answer = gateway.call("/acme/crm/v3/objects", &[]).await;
    assert_eq!(answer.status(), 200, "{answer:?}");
    assert_eq!(hubspot.vendor.next().await.target(), "/crm/v3/objects");
    canary::assert_absent("the metrics", &gateway.metrics().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_of_the_bundled_catalog_is_refreshed_at_the_entrys_endpoint() {
    let hubspot = HubSpot::start().await;
    let config = hubspot.config(OAUTH2);
    // HubSpot's refresh tokens stay valid, so that a command may use them without a store.
    let ended = hubspot.run(&config, &["connections", "verify", "acme"]);
    verified(
        &ended,
        0,
        "acme (hubspot): GET ",
        ": 200, JSON\nthe credential works\n",
    );
    assert_eq!(
        hubspot.vendor.next().await.target(),
        "/account-info/v3/details"
    );
    let refresh = hubspot.vendor.next().await;
    assert_eq!(refresh.target(), "/oauth/2026-03/token");
    let form = String::from_utf8(refresh.body.data).unwrap();
    for part in [
        "refresh_token=c4nary-r0",
        "client_id=cl1ent",
        "client_secret=c4nary-client",
    ] {
        assert!(form.contains(part), "{form}");
    }
}

/// A table without `extends` has nothing of the entry of the same name, and its tokens aren't sent to the entry's vendor.
#[tokio::test(flavor = "multi_thread")]
async fn an_integration_of_the_file_never_uses_the_entrys_token_endpoint() {
    let hubspot = HubSpot::start().await;
    let table = "[integration.hubspot]\nbase_url = \"https://api.hubapi.com/own\"\nauth = { kind = \"header\", name = \"authorization\", value = \"Bearer {access_token}\" }\n";
    let config = hubspot.config(&format!("{table}{OAUTH2}"));
    let gateway = Gateway::start_in(hubspot.folder, &config, &[]).await;
    let answer = gateway.call("/acme/x", &[]).await;
    assert_eq!(answer.status(), 401);
    let answer = gateway.call("/acme/y", &[]).await;
    assert_eq!(answer.status(), 401);
    assert_eq!(hubspot.vendor.next().await.target(), "/own/x");
    // Not a request to the token endpoint.
    assert_eq!(hubspot.vendor.next().await.target(), "/own/y");
}

#[tokio::test]
async fn each_kind_of_a_bundled_entry_reaches_an_upstream_that_extends_names() {
    let vendor = Vendor::ok().await;
    let origin = vendor.origin();
    let basic = BASE64_STANDARD.encode("a@b.test/token:c4nary-api");
    let pair = BASE64_STANDARD.encode("c4nary-user:c4nary-pass");
    for (entry, secret, target, field, value) in [
        (
            "hubspot",
            "token = \"c4nary-t\"",
            "/x",
            "authorization",
            "Bearer c4nary-t".to_owned(),
        ),
        (
            "hubspot",
            "access_token = \"c4nary-a\"",
            "/x",
            "authorization",
            "Bearer c4nary-a".to_owned(),
        ),
        (
            "activecampaign",
            "api_key = \"c4nary-k\"",
            "/x",
            "api-token",
            "c4nary-k".to_owned(),
        ),
        (
            "zendesk",
            "email = \"a@b.test\", api_token = \"c4nary-api\"",
            "/x",
            "authorization",
            format!("Basic {basic}"),
        ),
        (
            "zendesk",
            "username = \"c4nary-user\", password = \"c4nary-pass\"",
            "/x",
            "authorization",
            format!("Basic {pair}"),
        ),
        (
            "jazzhr",
            "api_key = \"c4nary-q\"",
            "/x?apikey=c4nary-q",
            "accept",
            "*/*".to_owned(),
        ),
    ] {
        let tables = format!(
            "[integration.own]\nextends = \"{entry}\"\nbase_url = \"{origin}\"\n\
             [connection.own]\nintegration = \"own\"\nsecret = {{ {secret} }}"
        );
        let gateway = Gateway::start(&Config::new(&vendor).table(&tables)).await;
        assert_eq!(gateway.call("/own/x", &[]).await.status(), 200, "{entry}");
        let received = vendor.next().await;
        assert_eq!(received.target(), target, "{entry}");
        assert_eq!(received.head.value(field), Some(&*value), "{entry}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn extends_takes_over_what_the_table_does_not_say() {
    let vendor = Vendor::ok().await;
    let origin = vendor.origin();
    let tables = format!(
        "[integration.base]\nbase_url = \"{origin}/{{area}}\"\nvariables = {{ area = {{ pattern = \"[a-z]+\", default = \"eu\" }} }}\n\
         headers = {{ X-One = \"base\", x-two = \"base\" }}\nquery = {{ a = \"base\", b = \"base\" }}\n\
         auth = {{ kind = \"bearer\" }}\nverify = \"/{{area}}/me\"\n\
         [integration.own]\nextends = \"base\"\nheaders = {{ x-one = \"own\" }}\nquery = {{ b = \"own\" }}\n\
         [connection.own]\nintegration = \"own\"\nsecret = {{ token = \"c4nary-t\" }}\n\
         [connection.base]\nintegration = \"base\"\nvariables = {{ area = \"us\" }}\nsecret = {{ token = \"c4nary-t\" }}"
    );
    let config = Config::new(&vendor).table(&tables);
    let folder = Folder::new();
    let verify = run_in(&folder, &config, &["connections", "verify", "base"]);
    // The vendor of this test answers without a content type.
    verified(
        &verify,
        0,
        "base (base): GET /{area}/me: 200, ",
        "\nthe credential works\n",
    );
    assert_eq!(vendor.next().await.target(), "/us/us/me?a=base&b=base");
    let gateway = Gateway::start(&config).await;
    assert_eq!(gateway.call("/own/x", &[]).await.status(), 200);
    let received = vendor.next().await;
    assert_eq!(received.target(), "/eu/x?a=base&b=own");
    assert_eq!(received.head.values("x-one"), ["own"]);
    assert_eq!(received.head.values("x-two"), ["base"]);
    assert_eq!(
        received.head.value("authorization"),
        Some("Bearer c4nary-t")
    );
}

/// A default of a variable doesn't remove the base's pattern, and the other way round. Otherwise the value of a connection could name
/// the host of the token endpoint, which gets the host's client secret.
#[test]
fn a_variable_keeps_the_pattern_and_the_default_of_the_base() {
    let client =
        "auth = { kind = \"oauth2\", client_id = \"host\", client_secret = \"c4nary-host\" }";
    let secrets = "secret = { refresh_token = \"c4nary-r0\" }";
    let config = |variable: &str, connection: &str| {
        format!(
            "anyone = true\n[integration.own]\nextends = \"exact-online\"\n{client}\nvariables = {{ region = {variable} }}\n\
             [connection.a]\nintegration = \"own\"\n{secrets}\n{connection}"
        )
    };
    let evil = "variables = { region = \"evil\" }";
    for (variable, connection, code) in [
        ("{ default = \"nl\" }", evil, 2),
        ("{ default = \"nl\" }", "", 0),
        (
            "{ default = \"nl\" }",
            "variables = { region = \"co.uk\" }",
            0,
        ),
        ("{}", evil, 2),
        // The entry has no default.
        ("{}", "", 2),
        ("\"^(nl|be)$\"", evil, 2),
        ("\"^(nl|evil)$\"", evil, 0),
    ] {
        let ended = checked(&config(variable, connection));
        canary::assert_absent("stderr", &ended.stderr);
        assert_eq!(ended.code, Some(code), "{variable} {connection}: {ended:?}");
    }
    // The short form, and the default of a file's base.
    let base = "anyone = true\n[integration.base]\nbase_url = \"https://a.test/{area}\"\n";
    let own = "[integration.own]\nextends = \"base\"\n";
    for (theirs, ours, connection, code) in [
        ("\"^eu$\"", "{ default = \"eu\" }", "us", 2),
        (
            "{ pattern = \"^eu$\", default = \"eu\" }",
            "\"^us$\"",
            "us",
            2,
        ),
        ("{ pattern = \"^eu$\" }", "\"^us$\"", "us", 0),
    ] {
        let config = format!(
            "{base}variables = {{ area = {theirs} }}\n{own}variables = {{ area = {ours} }}\n\
             [connection.a]\nintegration = \"own\"\nvariables = {{ area = \"{connection}\" }}"
        );
        let ended = checked(&config);
        assert_eq!(ended.code, Some(code), "{theirs} {ours}: {ended:?}");
    }
}

/// A table with another host is an integration of another vendor. The hosts of the base's vendor get none of its credentials.
#[tokio::test]
async fn another_host_takes_over_no_host_of_the_base() {
    let [vendor, other] = [Vendor::ok().await, Vendor::ok().await];
    let (origin, base) = (vendor.origin(), other.origin());
    let port = vendor.address().port();
    let folder = Folder::new();
    folder.write(
        "files.toml",
        format!(
            "[integration.base]\nbase_url = \"{base}/v1\"\nauth = {{ kind = \"bearer\" }}\n\
             domains = [\"files.vendor.test:{port}\"]\nroutes = [{{ path = \"/files\", base_url = \"{base}/r\" }}]"
        ),
    );
    let tables = format!(
        "[integration.own]\nextends = \"base\"\nbase_url = \"{origin}\"\n\
         [integration.near]\nextends = \"base\"\nbase_url = \"{base}/v2\"\n\
         [connection.own]\nintegration = \"own\"\nsecret = {{ token = \"c4nary-t\" }}\n\
         [connection.near]\nintegration = \"near\"\nsecret = {{ token = \"c4nary-t\" }}\n\
         [integration.models]\nextends = \"openai\"\nbase_url = \"{origin}\"\n\
         [connection.models]\nintegration = \"models\"\nsecret = {{ api_key = \"c4nary-t\" }}"
    );
    let config = Config::new(&vendor)
        .top("catalog = [\"bundled\", \"files.toml\"]")
        .table(&tables);
    let gateway = Gateway::start_in(folder, &config, &[]).await;
    for target in [
        format!("/own/x?__domain=files.vendor.test:{port}"),
        "/models/x?__domain=us.api.openai.com".to_owned(),
    ] {
        let answer = gateway.call(&target, &[]).await;
        assert_eq!(
            (answer.status(), answer.error()),
            (403, Some("domain-refused")),
            "{target}"
        );
    }
    assert_eq!(gateway.call("/own/files/x", &[]).await.status(), 200);
    assert_eq!(vendor.next().await.target(), "/files/x");
    // The same host, with another path.
    for (target, received) in [("/near/x", "/v2/x"), ("/near/files/x", "/r/files/x")] {
        assert_eq!(gateway.call(target, &[]).await.status(), 200);
        assert_eq!(other.next().await.target(), received);
    }
}

/// The refresh token and the client's secret of another host aren't posted to the token endpoint of the base.
#[tokio::test(flavor = "multi_thread")]
async fn another_host_takes_over_no_token_endpoint() {
    let vendor = Vendor::replying(|_| json("401 Unauthorized", "{}")).await;
    let hubspot = HubSpot::start_beside(Some(vendor.address())).await;
    let tables = format!(
        "[integration.own]\nextends = \"hubspot\"\nbase_url = \"{}\"\n\
         [integration.again]\nextends = \"own\"\n{}\n{}",
        vendor.origin(),
        OAUTH2.replace("\"hubspot\"", "\"own\""),
        OAUTH2
            .replace("\"hubspot\"", "\"again\"")
            .replace("connection.acme", "connection.again"),
    );
    let config = hubspot.config(&tables);
    let file = hubspot.folder.write("checked.toml", config.to_string());
    let ended = run(&["--config", file.to_str().unwrap(), "--check"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for id in ["acme", "again"] {
        let warning = format!(
            "connection {id:?}: its tokens can't be refreshed, because `base_url` of integration"
        );
        assert!(ended.stderr.contains(&warning), "{ended:?}");
    }
    canary::assert_absent("stderr", &ended.stderr);
    let gateway = Gateway::start_in(hubspot.folder, &config, &[]).await;
    for id in ["acme", "again"] {
        let answer = gateway.call(&format!("/{id}/x"), &[]).await;
        assert_eq!(answer.status(), 401, "{answer:?}");
        assert_eq!(vendor.next().await.target(), "/x");
    }
    hubspot.vendor.untouched().await;
}

/// The codes of the vendor are those of the entry, also if the client is the host's.
#[tokio::test(flavor = "multi_thread")]
async fn o4_a_dead_refresh_token_of_the_hosts_own_client_is_known_by_the_vendors_code() {
    let answers = |_: &Received| {
        json(
            "400 Bad Request",
            "{\"status\":\"BAD_REFRESH_TOKEN\",\"message\":\"missing or invalid refresh token\"}",
        )
    };
    let vendor = Vendor::replying_over_tls_as(HUBSPOT, &["http/1.1"], answers).await;
    let scene = HubSpot::of(vendor, None).await;
    let config = scene.config(
        "[integration.own]\nextends = \"hubspot\"\n\
         auth = { kind = \"oauth2\", client_id = \"h0st\", client_secret = \"c4nary-host\" }\n\
         [connection.a]\nintegration = \"own\"\nsecret = { refresh_token = \"c4nary-r\" }",
    );
    let gateway = Gateway::start_in(scene.folder, &config, &[]).await;
    for _ in 0..2 {
        let answer = gateway.call("/a/x", &[]).await;
        assert_eq!(answer.status(), 424, "{answer:?}");
    }
    scene.vendor.next().await;
    assert!(
        scene.vendor.try_next().await.is_none(),
        "the endpoint was called again"
    );
}

/// Some vendors want the client's id or secret with each call. The host's secret is only sent together with the host's id.
#[tokio::test(flavor = "multi_thread")]
async fn the_hosts_own_client_is_sent_where_an_entry_sends_the_client() {
    for (entry, host, field, value) in [
        ("etsy", "api.etsy.com", "x-api-key", "h0st:c4nary-host"),
        ("deel", "api.letsdeel.com", "x-client-id", "h0st"),
    ] {
        let answers = |_: &Received| json("200 OK", "{}");
        let vendor = Vendor::replying_over_tls_as(host, &["http/1.1"], answers).await;
        let scene = HubSpot::of(vendor, None).await;
        let client = "client_id = \"h0st\", client_secret = \"c4nary-host\"";
        let tables = |secrets: &str| {
            format!(
                "[integration.own]\nextends = \"{entry}\"\nauth = {{ kind = \"oauth2\", {client} }}\n\
                 [connection.a]\nintegration = \"own\"\nsecret = {{ access_token = \"c4nary-a\" }}\n\
                 [connection.b]\nintegration = \"own\"\nsecret = {{ access_token = \"c4nary-b\", {secrets} }}"
            )
        };
        let own = "client_id = \"own\", client_secret = \"c4nary-own\"";
        let config = scene.config(&tables(own));
        let only_id = scene.config(&tables("client_id = \"own\""));
        let file = scene.folder.write("only-id.toml", only_id.to_string());
        let ended = run(&["--config", file.to_str().unwrap(), "--check"]);
        canary::assert_absent("stderr", &ended.stderr);
        // Etsy's calls contain the secret as well, and the connection's id needs a secret of the connection.
        let code = if entry == "etsy" { 2 } else { 0 };
        assert_eq!(ended.code, Some(code), "{ended:?}");
        let gateway = Gateway::start_in(scene.folder, &config, &[]).await;
        for (id, value) in [
            ("a", value),
            ("b", &*value.replace("h0st", "own").replace("-host", "-own")),
        ] {
            let answer = gateway.call(&format!("/{id}/x"), &[]).await;
            assert_eq!(answer.status(), 200, "{answer:?}");
            let received = scene.vendor.next().await;
            assert_eq!(received.head.values(field), [value], "{entry} {id}");
        }
    }
    // Without a secret in the file, the check names what is missing.
    let ended = checked(
        "anyone = true\n[integration.own]\nextends = \"etsy\"\nauth = { kind = \"oauth2\", client_id = \"h0st\", client_auth = \"none\" }\n\
         [connection.a]\nintegration = \"own\"\nsecret = { access_token = \"c4nary-a\" }",
    );
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("`secret.client_secret`"), "{ended:?}");
}

/// A secret file of a catalog's file is in the folder of that file, also if the path of the config file is relative.
#[test]
fn a_relative_config_finds_the_secret_files_of_its_catalog() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path("conf/parts")).unwrap();
    folder.write("conf/parts/secret", "c4nary-file");
    folder.write(
        "conf/parts/base.toml",
        "[integration.base]\nbase_url = \"https://a.test\"\nauth = { kind = \"oauth2\", token_url = \"https://a.test/t\", \
         client_secret = { file = \"secret\" } }",
    );
    folder.write(
        "conf/parts/more.toml",
        "[integration.more]\nextends = \"base\"\nauth = { kind = \"oauth2\", client_id = \"more\" }",
    );
    let config = |last: &str| {
        format!(
            "anyone = true\ncatalog = [\"parts/base.toml\", \"{last}\"]\n[integration.own]\nextends = \"more\"\n\
             auth = {{ kind = \"oauth2\", client_id = \"own\" }}"
        )
    };
    for (last, code, expected) in [
        ("parts/more.toml", 0, "the config is good: 1 integration, "),
        // A message has the path as it was given.
        ("parts/none.toml", 2, "conf/gateway.toml:2:31: catalog: "),
    ] {
        folder.write("conf/gateway.toml", config(last));
        let output = command()
            .current_dir(folder.path(""))
            .args(["--config", "conf/gateway.toml", "--check"])
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        let text = text.concat();
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert!(text.contains(expected), "{text}");
        canary::assert_absent("the output", &text);
    }
}

/// A client of OAuth 2.0 needs a token endpoint of its own host.
#[test]
fn a_client_for_another_host_needs_its_token_url() {
    let own = "base_url = \"https://gitlab.corp.test\"\n";
    let client =
        "auth = { kind = \"oauth2\", client_id = \"a\", client_secret = \"c4nary-host\" }\n";
    let base = "[integration.base]\nbase_url = \"https://a.test\"\nauth = { kind = \"oauth2\", token_url = \"https://a.test/t\" }\n";
    let expected = "`base_url` has another host than the extended integration";
    for (tables, place) in [
        (
            format!("[integration.own]\nextends = \"gitlab\"\n{own}{client}"),
            Some("FILE:5:8: integration.own.auth: "),
        ),
        (
            format!(
                "[integration.mid]\nextends = \"gitlab\"\n{own}[integration.own]\nextends = \"mid\"\n{client}"
            ),
            Some("FILE:7:8: integration.own.auth: "),
        ),
        (
            format!("{base}[integration.own]\nextends = \"base\"\n{own}"),
            Some("FILE:6:11: integration.own.extends: "),
        ),
        (
            format!(
                "{base}[integration.own]\nextends = \"base\"\nbase_url = \"https://A.test/v2\""
            ),
            None,
        ),
        (
            format!(
                "{base}[integration.own]\nextends = \"base\"\n{own}{}",
                client.replace(
                    "client_id",
                    "token_url = \"https://gitlab.corp.test/t\", client_id"
                )
            ),
            None,
        ),
    ] {
        let ended = checked(&format!("anyone = true\n{tables}"));
        canary::assert_absent("stderr", &ended.stderr);
        match place {
            Some(place) => {
                assert_eq!(ended.code, Some(2), "{tables}: {ended:?}");
                let expected = format!("{place}{expected}");
                assert!(ended.stderr.contains(&expected), "{tables}: {ended:?}");
            }
            None => assert_eq!(ended.code, Some(0), "{tables}: {ended:?}"),
        }
    }
}

/// A host of `domains` is completed with the variables of the connection.
#[tokio::test]
async fn domains_contain_variables_of_the_connection() {
    let vendor = Vendor::ok().await;
    let port = vendor.address().port();
    let lines = format!(
        "domains = [\"{{area}}.vendor.test:{port}\"]\nvariables = {{ area = \"^[a-z]+$\" }}"
    );
    let config = Config::new(&vendor).integration(&lines);
    let gateway = Gateway::start(&config.connection("variables = { area = \"eu\" }")).await;
    for (area, status, error) in [("eu", 200, None), ("us", 403, Some("domain-refused"))] {
        let target = format!("/c/x?__domain={area}.vendor.test:{port}");
        let answer = gateway.call(&target, &[]).await;
        assert_eq!((answer.status(), answer.error()), (status, error), "{area}");
    }
    let host = format!("eu.vendor.test:{port}");
    assert_eq!(vendor.next().await.head.value("host"), Some(&*host));
}

#[tokio::test]
async fn a_client_without_a_token_url_takes_over_the_endpoint() {
    let vendor = Vendor::replying(hubspot).await;
    let origin = vendor.origin();
    let folder = Folder::new();
    std::fs::create_dir(folder.path("parts")).unwrap();
    folder.write("parts/secret", "c4nary-file");
    folder.write(
        "parts/catalog.toml",
        format!(
            "[integration.crm]\nbase_url = \"{origin}\"\nauth = {{ kind = \"oauth2\", token_url = \"{origin}/oauth/token\", \
             client_auth = \"body\", client_secret = {{ file = \"secret\" }}, parameters = {{ a = \"base\", b = \"base\" }} }}"
        ),
    );
    let config = Config::new(&vendor).top("catalog = [\"bundled\", \"parts/catalog.toml\"]").table(
        "[integration.crm]\nextends = \"crm\"\nauth = { kind = \"oauth2\", client_id = \"own\", parameters = { b = \"own\" } }\n\
         [connection.own]\nintegration = \"crm\"\nsecret = { refresh_token = \"c4nary-r0\" }",
    );
    let gateway = Gateway::start_in(folder, &config, &[]).await;
    assert_eq!(gateway.call("/own/x", &[]).await.status(), 200);
    let refresh = vendor.next().await;
    assert_eq!(refresh.target(), "/oauth/token");
    let form = String::from_utf8(refresh.body.data).unwrap();
    for part in [
        "client_id=own",
        "client_secret=c4nary-file",
        "a=base",
        "b=own",
    ] {
        assert!(form.contains(part), "{part}: {form}");
    }
}

#[tokio::test]
async fn a_reload_reads_the_files_of_the_catalog_again() {
    let [first, second] = [Vendor::ok().await, Vendor::ok().await];
    let entry = |vendor: &Vendor| {
        format!(
            "[integration.hubspot]\nextends = \"hubspot\"\nbase_url = \"{}\"",
            vendor.origin()
        )
    };
    let folder = Folder::new();
    let file = folder.write("overrides.toml", entry(&first));
    let config = Config::new(&first)
        .top("catalog = [\"bundled\", \"overrides.toml\"]")
        .table(PRIVATE);
    let gateway = Gateway::start_in(folder, &config, &[]).await;
    assert_eq!(gateway.call("/acme/x", &[]).await.status(), 200);
    first.next().await;
    std::fs::write(&file, entry(&second)).unwrap();
    gateway.reload(&config).await;
    assert_eq!(gateway.call("/acme/y", &[]).await.status(), 200);
    assert_eq!(second.next().await.target(), "/y");

    // A file with a mistake changes nothing, and the log names the place.
    std::fs::write(
        &file,
        "[integration.hubspot]\nextends = \"hubspot\"\nbase_url = \"c4nary\"",
    )
    .unwrap();
    gateway.hang_up(config.to_string());
    let told = |text: &str| text.contains("config not reloaded");
    let log = gateway.stderr.until("what is wrong", told).await;
    let place = "overrides.toml:3:12: integration.hubspot.base_url: ";
    assert!(log.contains(place), "{log}");
    assert_eq!(gateway.call("/acme/z", &[]).await.status(), 200);
    assert_eq!(second.next().await.target(), "/z");
}

fn checked(rest: &str) -> Ended {
    check(format!("{rest}\n"))
}

#[test]
fn mistakes_are_named_with_their_places() {
    for (config, expected) in [
        (
            "anyone = true\n[connection.a]\nintegration = \"hubspt\"",
            "FILE:3:15: connection.a.integration: neither the config file nor the catalog has an integration with this name; did you \
             mean `hubspot`?",
        ),
        (
            "anyone = true\ncatalog = []\n[connection.a]\nintegration = \"hubspot\"",
            "FILE:4:15: connection.a.integration: the config file has no integration with this name, and `catalog` doesn't contain",
        ),
        (
            "anyone = true\n[connection.a]\nintegration = \"hubspot\"",
            "FILE:2:1: connection.a: the connection lacks the secrets `access_token`, or `token`",
        ),
        (
            "anyone = true\n[connection.a]\nintegration = \"zendesk\"\nsecret = { access_token = \"c4nary\" }",
            "FILE:2:1: connection.a: the connection lacks the variables `subdomain`",
        ),
        (
            "anyone = true\n[integration.own]\nextends = \"zendesk\"\n[connection.a]\nintegration = \"own\"\nvariables = { subdomain = \"a\" }",
            "FILE:4:1: connection.a: missing secrets: the integration needs `secret.access_token`, or `secret.email` and `secret.api_token`",
        ),
        (
            "anyone = true\n[integration.own]\nextends = \"zendsk\"",
            "FILE:3:11: integration.own.extends: neither this file nor an earlier catalog has an integration with this name; did you mean \
             `zendesk`?",
        ),
        (
            "anyone = true\n[integration.own]\nextends = \"own\"",
            "FILE:3:11: integration.own.extends: no earlier catalog has an integration of this name",
        ),
        (
            "anyone = true\n[integration.a]\nextends = \"b\"\n[integration.b]\nextends = \"a\"",
            ": the tables extend each other in a circle",
        ),
        (
            "anyone = true\n[integration.a]\nauth = { kind = \"bearer\" }",
            "FILE:2:1: integration.a: missing key `base_url`",
        ),
        (
            "anyone = true\n[integration.a]\nbase_url = \"https://a.test\"\nverify = \"me\"",
            "FILE:4:10: integration.a.verify: expected a path such as",
        ),
        (
            "anyone = true\n[integration.a]\nbase_url = \"https://a.test\"\nverify = \"/me\"\nverify_ok = \"user..id\"",
            "FILE:5:13: integration.a.verify_ok: expected the path of a value in the JSON answer, such as \"ok\" or \"user.id\"",
        ),
        (
            "anyone = true\n[integration.a]\nbase_url = \"https://a.test\"\nverify_ok = \"ok\"",
            "FILE:4:13: integration.a.verify_ok: this key needs `verify` in the same table",
        ),
        (
            "anyone = true\n[integration.a]\nbase_url = \"https://a.test\"\nverify = \"/a/../b\"",
            "FILE:4:10: integration.a.verify: expected a path such as",
        ),
        (
            "anyone = true\n[integration.a]\nbase_url = \"https://a.test\"\nverify = \"/{me}\"",
            "FILE:4:10: integration.a.verify: the path contains a variable that `variables` doesn't declare",
        ),
        (
            "anyone = true\n[integration.a]\nbase_url = \"https://a.test\"\nconfidence = \"c4nary\"",
            "FILE:4:14: integration.a.confidence: expected \"checked\", \"documented\" or \"unverified\"",
        ),
        (
            "anyone = true\ncatalog = [\"missing.toml\", \"bundled\"]",
            "FILE:2:28: catalog: \"bundled\" must be the first, because later files replace its entries",
        ),
        (
            "anyone = true\ncatalog = [\"bundled\", \"missing.toml\"]",
            "FILE:2:23: catalog: the file can't be read: ",
        ),
    ] {
        let ended = checked(config);
        assert_eq!(ended.code, Some(2), "{config}: {ended:?}");
        assert!(ended.stderr.contains(expected), "{config}: {ended:?}");
    }
}

#[test]
fn mistakes_in_files_of_the_catalog_have_the_places_in_those_files() {
    for (file, expected) in [
        (
            "[integration.a]\nbase_ur = \"c4nary\"",
            "one.toml:2:1: integration.a.base_ur: unknown key `base_ur`",
        ),
        (
            "listen = \"c4nary\"",
            "one.toml:1:1: listen: unknown key `listen`",
        ),
        ("[integration.a]\nbase_url = c4nary", "one.toml:2:12: "),
        (
            "[integration.a]\nbase_url = \"c4nary\"",
            "one.toml:2:12: integration.a.base_url: ",
        ),
        (
            "[integration.a]\nbase_url = \"https://a.test\"\nauth = { kind = \"c4nary\" }",
            "one.toml:3:17: integration.a.auth.kind: expected \"none\", ",
        ),
        (
            "[integration.hubspot]\nextends = \"nothing\"",
            "one.toml:2:11: integration.hubspot.extends: neither this file nor",
        ),
    ] {
        let folder = Folder::new();
        folder.write("one.toml", file);
        // The config replaces the wrong integration.
        let config = "anyone = true\ncatalog = [\"bundled\", \"one.toml\"]\n[integration.a]\nbase_url = \"https://a.test\"\n";
        let path = folder.write("gateway.toml", config);
        let ended = run(&["--config", path.to_str().unwrap(), "--check"]);
        canary::assert_absent("stderr", &ended.stderr);
        assert_eq!(ended.code, Some(2), "{file}: {ended:?}");
        assert!(ended.stderr.contains(expected), "{file}: {ended:?}");
    }
}

#[test]
fn a_connection_that_cannot_be_refreshed_is_warned_of() {
    let config = "anyone = true\n[connection.a]\nintegration = \"hubspot\"\nsecret = { access_token = \"c4nary\", refresh_token = \"c4nary\" }";
    let ended = checked(config);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let warning = "connection \"a\": its tokens can't be refreshed, because the client's credentials are missing";
    assert!(ended.stderr.contains(warning), "{ended:?}");
    let whole = config.replace(
        "refresh_token",
        "client_id = \"i\", client_secret = \"c4nary\", refresh_token",
    );
    let ended = checked(&whole);
    assert!(!ended.stderr.contains("its tokens can't be"), "{ended:?}");
    let client = format!(
        "{config}\n[integration.hubspot]\nextends = \"hubspot\"\nauth = {{ kind = \"oauth2\", client_id = \"i\", client_secret = \"c4nary\" }}"
    );
    let ended = checked(&client);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.stderr.contains("its tokens can't be"), "{ended:?}");
}

#[test]
fn the_catalog_is_listed_and_shown() {
    let ended = run(&["catalog", "list"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let line = "hubspot\tHubSpot\tcrm\toauth2,bearer\tchecked";
    assert!(
        ended.stdout.lines().any(|listed| listed == line),
        "{ended:?}"
    );
    assert!(
        ended
            .stdout
            .lines()
            .all(|line| line.split('\t').count() == 5),
        "{ended:?}"
    );
    assert!(ended.stdout.lines().is_sorted(), "{ended:?}");

    let ended = run(&["catalog", "show", "zendesk"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for part in [
        "base URL      https://{subdomain}.zendesk.com\n",
        "; pattern ^[a-z0-9-]+$\n",
        "basic, with the secrets email, api_token\n",
        "verify        /api/v2/users/me.json\n",
        "PKCE          supported\n",
        "[connection.zendesk]\nintegration = \"zendesk\"\nvariables = { subdomain = \"...\" }\n\
         secret = { access_token = \"...\", refresh_token = \"...\", client_id = \"...\", client_secret = \"...\" }\n\
         # or: secret = { email = \"...\", api_token = \"...\" }\n",
    ] {
        assert!(ended.stdout.contains(part), "{part}: {}", ended.stdout);
    }
    let ended = run(&["catalog", "show", "zendsk"]);
    assert_eq!((ended.code, &*ended.stdout), (Some(2), ""), "{ended:?}");
    assert!(
        ended.stderr.contains("did you mean `zendesk`?"),
        "{ended:?}"
    );
}

/// The example of each entry is a connection that the config file accepts, except for values that a person must fill in.
#[test]
fn the_example_of_each_entry_is_toml() {
    let list = run(&["catalog", "list"]);
    let names = list
        .stdout
        .lines()
        .filter_map(|line| line.split('\t').next());
    let mut count = 0;
    for name in names {
        let shown = run(&["catalog", "show", name]);
        let (_, example) = shown.stdout.split_once("\n\n[").unwrap();
        let example = format!("[{}", example.replace("# or: ", "[again]\n"));
        // Further ways to authenticate are comments, so that each becomes a table of its own.
        let mut whole = String::new();
        for (index, line) in example.split("[again]\n").enumerate() {
            whole.push_str(&match index {
                0 => line.to_owned(),
                index => format!("[connection.other{index}]\n{line}"),
            });
        }
        let parsed = toml::de::DeTable::parse(&whole);
        assert!(parsed.is_ok(), "{name}: {whole}: {parsed:?}");
        count += 1;
    }
    assert!(count > 100, "{count}");
}

#[test]
fn integrations_of_files_are_listed_and_shown() {
    let folder = Folder::new();
    folder.write(
        "own.toml",
        "[integration.crm]\nbase_url = \"https://crm.test\"\ntitle = \"Own\\tCRM\"\ncategory = \"crm\"\nconfidence = \"checked\"\n\
         checked = \"2026-11-29\"\nauth = { kind = \"header\", name = \"x-key\", value = \"{key}\" }",
    );
    let config = "anyone = true\ncatalog = [\"own.toml\"]\n[integration.other]\nextends = \"crm\"\nheaders = { x-static = \"c4nary\" }";
    let file = folder.write("gateway.toml", config);
    let with = |arguments: &[&str]| {
        let arguments = [&["--config", file.to_str().unwrap(), "catalog"], arguments].concat();
        let ended = run(&arguments);
        canary::assert_absent("stdout", &ended.stdout);
        ended
    };
    let listed = with(&["list"]);
    let expected = "crm\tOwn\\tCRM\tcrm\theader\tchecked\nother\tOwn\\tCRM\tcrm\theader\tchecked\n";
    assert_eq!(
        (listed.code, &*listed.stdout),
        (Some(0), expected),
        "{listed:?}"
    );
    let shown = with(&["show", "other"]);
    for part in [
        "base URL      https://crm.test\n",
        "headers       x-static\n",
        "secret = { key = \"...\" }\n",
    ] {
        assert!(shown.stdout.contains(part), "{part}: {shown:?}");
    }
    // The bundled catalog isn't in this list.
    assert_eq!(with(&["show", "hubspot"]).code, Some(2));
}

const KEY: &str = "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=";

#[tokio::test(flavor = "multi_thread")]
async fn verify_explains_why_a_credential_does_not_work() {
    let vendor = Vendor::replying(hubspot).await;
    let origin = vendor.origin();
    let gone = {
        let closed = Vendor::ok().await;
        closed.origin()
    };
    let folder = Folder::new();
    let tables = format!(
        "[integration.own]\nbase_url = \"{origin}\"\nverify = \"/me\"\nauth = {{ kind = \"bearer\" }}\n\
         [integration.gone]\nbase_url = \"{gone}\"\nverify = \"/me\"\nauth = {{ kind = \"bearer\" }}\n\
         [connection.wrong]\nintegration = \"own\"\nsecret = {{ token = \"c4nary-wrong\" }}\n\
         [connection.gone]\nintegration = \"gone\"\nsecret = {{ token = \"c4nary-private\" }}"
    );
    let config = Config::new(&vendor).table(&tables);
    let verify = |id: &str| run_in(&folder, &config, &["connections", "verify", id]);
    let wrong = verify("wrong");
    verified(
        &wrong,
        1,
        "wrong (own): GET /me: 401, JSON\n",
        "the vendor refused the credential (401)",
    );
    let gone = verify("gone");
    let first = "gone (gone): GET /me: no response of the vendor\n";
    verified(
        &gone,
        1,
        first,
        "upstream-unreachable: the vendor is unreachable: ",
    );
    let without = verify("c");
    assert_eq!(
        (without.code, &*without.stdout),
        (Some(2), ""),
        "{without:?}"
    );
    assert!(
        without
            .stderr
            .contains("set `verify`, such as verify = \"/users/me\", in [integration.v]"),
        "{without:?}"
    );
    let unknown = verify("nobody");
    assert_eq!(
        (unknown.code, &*unknown.stdout),
        (Some(2), ""),
        "{unknown:?}"
    );
    assert!(
        unknown
            .stderr
            .contains("there is no connection with the id nobody"),
        "{unknown:?}"
    );
}

/// Returns the config of an integration with a token endpoint that rotates refresh tokens.
fn rotating(vendor: &Vendor, token: &str) -> Config {
    let origin = vendor.origin();
    Config::new(vendor).table(&format!(
        "[integration.own]\nbase_url = \"{origin}\"\nverify = \"/me\"\nauth = {{ kind = \"oauth2\", token_url = \"{origin}/oauth/token\", \
         client_id = \"i\", client_secret = \"c4nary\" }}\n\
         [connection.own]\nintegration = \"own\"\nsecret = {{ access_token = \"c4nary-old\", refresh_token = \"{token}\" }}"
    ))
}

/// A refresh token of the config file isn't used up.
/// Answers each credential with 200, as Slack does.
fn always_ok(request: &Received) -> Reply {
    let answer = match request.head.value("authorization") {
        Some("Bearer c4nary-good") => {
            r#"{"ok":true,"user":{"id":7,"name":"c4nary-private"},"success":true}"#
        }
        Some("Bearer c4nary-wrong") => {
            r#"{"ok":false,"error":"c4nary-private","user":{"id":null},"success":false}"#
        }
        Some("Bearer c4nary-none") => r#"["ok","c4nary-private"]"#,
        Some("Bearer c4nary-long") => {
            return json("200 OK", &format!("{{\"ok\":true}}{}", " ".repeat(70_000)));
        }
        _ => "c4nary-private",
    };
    json("200 OK", answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_reads_the_answer_if_the_status_is_always_200() {
    const REFUSED: &str = "the vendor answered with success, but without";
    const UNKNOWN: &str = "the vendor's answer isn't JSON of at most 64 KiB";
    let vendor = Vendor::replying(always_ok).await;
    let origin = vendor.origin();
    let folder = Folder::new();
    let bearer = "auth = { kind = \"bearer\" }";
    let mut tables = format!(
        "[integration.slack]\nextends = \"slack\"\nbase_url = \"{origin}\"\n{bearer}\n\
         [integration.nested]\nbase_url = \"{origin}\"\nverify = \"/me\"\nverify_ok = \"user.id\"\n{bearer}\n\
         [integration.replaced]\nextends = \"nested\"\nverify_ok = \"success\"\n\
         [integration.other]\nextends = \"nested\"\nverify = \"/other\"\n"
    );
    let cases = [
        ("slack", "good", 0, "the credential works"),
        ("slack", "wrong", 1, REFUSED),
        ("slack", "none", 1, REFUSED),
        ("slack", "long", 1, UNKNOWN),
        ("slack", "text", 1, UNKNOWN),
        ("nested", "good", 0, "the credential works"),
        ("nested", "wrong", 1, REFUSED),
        ("replaced", "good", 0, "the credential works"),
        ("replaced", "wrong", 1, REFUSED),
        // The value belongs to the answer of the other path.
        ("other", "wrong", 0, "the credential works"),
    ];
    for (integration, token, ..) in cases {
        tables += &format!(
            "[connection.{integration}-{token}]\nintegration = \"{integration}\"\nsecret = {{ token = \"c4nary-{token}\" }}\n"
        );
    }
    let config = Config::new(&vendor).table(&tables);
    for (integration, token, code, text) in cases {
        let id = format!("{integration}-{token}");
        let ended = run_in(&folder, &config, &["connections", "verify", &id]);
        verified(&ended, code, &format!("{id} ({integration}): GET /"), text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_refreshes_no_token_that_the_file_cannot_keep() {
    let vendor = Vendor::replying(hubspot).await;
    let ended = run_in(
        &Folder::new(),
        &rotating(&vendor, "c4nary-r0"),
        &["connections", "verify", "own"],
    );
    verified(
        &ended,
        1,
        "own (own): GET /me: 401, JSON\n",
        "tokens weren't refreshed, because the vendor may replace",
    );
    assert_eq!(vendor.next().await.target(), "/me");
    assert!(vendor.try_next().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_with_a_store_keeps_refreshed_tokens() {
    let vendor = Vendor::replying(hubspot).await;
    let store =
        format!("[store]\nkind = \"sqlite\"\nurl = \"sqlite://connections.db\"\nkey = \"{KEY}\"");
    for (token, code, text) in [
        ("c4nary-r0", 0, ": 200, JSON\nthe credential works\n"),
        (
            "c4nary-dead",
            1,
            "no response of the vendor\nreauthorize: only the connection's owner can repair it: ",
        ),
    ] {
        let folder = Folder::new();
        let config = rotating(&vendor, token).table(&store);
        let path = folder.path("gateway.toml");
        let imported = run_in(
            &folder,
            &config,
            &["connections", "import", path.to_str().unwrap()],
        );
        assert_eq!(imported.code, Some(0), "{imported:?}");
        let ended = run_in(&folder, &config, &["connections", "verify", "own"]);
        verified(&ended, code, "own (own): GET /me: ", text);
        assert_eq!(vendor.next().await.target(), "/me");
        assert_eq!(vendor.next().await.target(), "/oauth/token");
        if code == 0 {
            vendor.next().await;
            // The new access token was stored.
            let again = run_in(&folder, &config, &["connections", "verify", "own"]);
            assert_eq!(again.code, Some(0), "{again:?}");
            let received = vendor.next().await;
            assert_eq!(
                received.head.value("authorization"),
                Some("Bearer c4nary-new")
            );
        } else {
            let listed = run_in(&folder, &config, &["connections", "list"]);
            assert!(
                listed.stdout.contains("own\town\treauthorize\n"),
                "{listed:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_connections_uses_the_bundled_catalog() {
    let hubspot = HubSpot::start().await;
    let store =
        format!("[store]\nkind = \"sqlite\"\nurl = \"sqlite://connections.db\"\nkey = \"{KEY}\"");
    let config = hubspot.config(&store);
    let file = hubspot.folder.write("gateway.toml", config.to_string());
    let add = |integration: &str, secrets: &str| {
        let arguments = [
            "--config",
            file.to_str().unwrap(),
            "connections",
            "add",
            "acme",
            "--integration",
            integration,
        ];
        let ended = run_with(&arguments, &[], secrets);
        canary::assert_absent("stderr", &ended.stderr);
        ended
    };
    let unknown = add("hubsopt", "token = \"c4nary-private\"");
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert!(
        unknown.stderr.contains("did you mean `hubspot`?"),
        "{unknown:?}"
    );
    let lacking = add("hubspot", "user = \"c4nary-private\"");
    assert_eq!(lacking.code, Some(2), "{lacking:?}");
    assert!(
        lacking
            .stderr
            .contains("lacks the secrets `access_token`, or `token`"),
        "{lacking:?}"
    );
    let added = add("hubspot", "token = \"c4nary-private\"");
    assert_eq!(added.code, Some(0), "{added:?}");
    let gateway = Gateway::start_in(hubspot.folder, &config, &[]).await;
    let answer = gateway.call("/acme/x", &[]).await;
    assert_eq!(answer.status(), 200, "{answer:?}");
}
