//! A client that a generator makes of the document.

use serde_json::{Value, json};
use testkit::process::canary::{KEY, TOKEN};
use testkit::process::config::Config;
use testkit::process::folder::Folder;
use testkit::process::gateway::Gateway;
use testkit::vendor::Vendor;

use crate::tool::{done, file, installed, node};

/// The paths that the program gives to the client, and the targets that arrive at the vendor.
const PATHS: [(&str, &str); 11] = [
    ("/v2/customers?page=2", "/base/v2/customers?page=2"),
    ("v2/customers?page=2", "/base/v2/customers?page=2"),
    ("/customers?page=2", "/base/customers?page=2"),
    ("/projects/group%2Frepo", "/base/projects/group%2Frepo"),
    ("/a b/\u{e9}.json", "/base/a%20b/%C3%A9.json"),
    ("/x?q=a%20b&r=\u{e9}", "/base/x?q=a%20b&r=%C3%A9"),
    ("/what%3F/now?x=y?z", "/base/what%3F/now?x=y?z"),
    ("//a//b/", "/base//a//b/"),
    ("/v1.2/..x/file.tar.gz", "/base/v1.2/..x/file.tar.gz"),
    ("/100%25/x#y", "/base/100%25/x%23y"),
    ("/x;y=1,2/@:$&+=!~*'()", "/base/x;y=1,2/@:$&+=!~*'()"),
];

#[tokio::test]
async fn paths_of_a_generated_client_arrive_byte_for_byte() {
    let Some(packages) = installed("DESCRIPTIONS_NODE") else {
        return;
    };
    let vendor = Vendor::replying(|_| {
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n{\"ok\":true}".into()
    })
    .await;
    let gateway = Gateway::start(&Config::new(&vendor).path("/base").top("page = true")).await;
    let folder = Folder::new();
    let paths: Vec<_> = PATHS.iter().map(|(path, _)| path).collect();
    let variables = [
        ("ORIGIN", gateway.url("")),
        ("KEY", KEY.to_owned()),
        ("OUT", folder.path("client").display().to_string()),
        ("PATHS", json!(paths).to_string()),
    ];
    let program = std::fs::read_to_string(file("node/generated.mjs")).unwrap();
    let mut command = node(&packages);
    command.envs(variables);
    let printed = done(command, &program).await;
    let result: Value = serde_json::from_str(printed.trim()).unwrap();

    let credential = format!("Bearer {TOKEN}");
    for (path, target) in PATHS {
        let received = vendor.next().await;
        assert_eq!(
            (received.head.method(), received.target()),
            ("GET", target),
            "{path}"
        );
        assert_eq!(received.head.value("authorization"), Some(&*credential));
        assert_eq!(received.head.value("x-api-key"), None);
    }
    // The parameters of the object `query` follow after the query of the path.
    let received = vendor.next().await;
    assert_eq!(received.target(), "/base/v2/x?a=1&b=x%20y&c=z");
    let received = vendor.next().await;
    assert_eq!(
        (received.head.method(), received.target()),
        ("POST", "/base/v2/x")
    );
    assert_eq!(received.body.data, "{\"name\":\"\u{fc}\"}".as_bytes());
    let received = vendor.next().await;
    assert_eq!(
        (received.head.method(), received.target()),
        ("HEAD", "/base")
    );

    assert_eq!(result["statuses"], json!(vec![200; PATHS.len() + 3]));
    assert_eq!(result["data"], json!({ "ok": true }));
    let unknown = &result["unknown"];
    assert_eq!(unknown["field"], "unknown-connection");
    assert_eq!(unknown["error"]["code"], "unknown-connection");
    assert_eq!(unknown["error"]["ok"], false);
    assert!(vendor.try_next().await.is_none());
}
