//! newman, which runs the Postman collection.

use testkit::gateway::Origin as _;
use testkit::process::canary::{KEY, TOKEN};
use testkit::process::config::Config;
use testkit::process::folder::Folder;
use testkit::process::gateway::Gateway;
use testkit::vendor::Vendor;
use tokio::process::Command;

use crate::tool::{done, installed, run};

/// Returns the command that runs the collection of the gateway.
fn newman(packages: &str, gateway: &Gateway) -> Command {
    let mut command = Command::new("node");
    command
        .arg(format!("{packages}/node_modules/newman/bin/newman.js"))
        .args(["run", &gateway.url("/postman.json"), "--bail"])
        .args(["--color", "off", "--disable-unicode"]);
    command
}

#[tokio::test]
async fn newman_verifies_each_integration() {
    let Some(packages) = installed("DESCRIPTIONS_NODE") else {
        return;
    };
    let vendor = Vendor::ok().await;
    // A name with characters that end a variable of Postman, or a string of JSON.
    let second = format!(
        "[integration.'b}}}}\"{{{{connection}}}}']\nbase_url = \"{}/api\"\ntitle = \"B \\\"quoted\\\"\"\n\
         verify = \"/users/me?fields=a%2Cb&brief\"\nauth = {{ kind = \"header\", name = \"x-key\", value = \"{{api_key}}\" }}\n\
         [connection.second]\nintegration = 'b}}}}\"{{{{connection}}}}'\nsecret = {{ api_key = \"c4nary-second\" }}",
        vendor.origin()
    );
    let third = format!(
        "[integration.z]\nbase_url = \"{}/z\"\nauth = {{ kind = \"none\" }}\n[connection.third]\nintegration = \"z\"",
        vendor.origin()
    );
    let config = Config::new(&vendor)
        .path("/base")
        .integration("verify = \"/v3/a//group%2Frepo/?limit=1\"")
        .top("page = true")
        .table(&second)
        .table(&third);
    let gateway = Gateway::start(&config).await;
    let folder = Folder::new();

    let mut command = newman(&packages, &gateway);
    for (name, value) in [
        ("apiKey", KEY),
        ("connection", "c"),
        ("connection_b_____connection__", "second"),
        ("connection_z", "third"),
    ] {
        command.args(["--env-var", &format!("{name}={value}")]);
    }
    command.env("HOME", folder.path("."));
    let printed = done(command, "").await;
    assert!(printed.contains("B \"quoted\""), "{printed}");

    let received = vendor.next().await;
    let target = "/api/users/me?fields=a%2Cb&brief";
    assert_eq!((received.head.method(), received.target()), ("GET", target));
    assert_eq!(received.head.value("x-key"), Some("c4nary-second"));
    let received = vendor.next().await;
    assert_eq!(received.target(), "/base/v3/a//group%2Frepo/?limit=1");
    let credential = format!("Bearer {TOKEN}");
    assert_eq!(received.head.value("authorization"), Some(&*credential));
    assert_eq!(received.head.value("x-api-key"), None);
    let received = vendor.next().await;
    assert_eq!(received.target(), "/z");
    assert!(vendor.try_next().await.is_none());

    // Without a variable of its own, an integration uses the connection of all.
    let mut command = newman(&packages, &gateway);
    command.args(["--env-var", &format!("apiKey={KEY}")]);
    command.args(["--env-var", "connection=c", "--folder", "v"]);
    command.env("HOME", folder.path("."));
    done(command, "").await;
    let received = vendor.next().await;
    assert_eq!(received.target(), "/base/v3/a//group%2Frepo/?limit=1");
}

/// The collection has no key, so it can be published.
#[tokio::test]
async fn newman_needs_a_key() {
    let Some(packages) = installed("DESCRIPTIONS_NODE") else {
        return;
    };
    let vendor = Vendor::ok().await;
    let gateway = Gateway::start(&Config::new(&vendor).top("page = true")).await;
    let folder = Folder::new();
    let mut command = newman(&packages, &gateway);
    command.args(["--env-var", "connection=c"]);
    command.env("HOME", folder.path("."));
    let printed = run(command, "").await.stdout;
    let printed = String::from_utf8_lossy(&printed).into_owned();
    assert!(printed.contains("401 Unauthorized"), "{printed}");
    vendor.untouched().await;
}
