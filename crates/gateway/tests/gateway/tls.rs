//! Vendors over TLS, and the certificates that the gateway trusts.

use testkit::certificates;
use testkit::manual::ManualVendor;
use testkit::process::config::Config;
use testkit::process::folder::Folder;
use testkit::process::gateway::Gateway;

async fn start(vendor: &ManualVendor, roots: &str) -> Gateway {
    let folder = Folder::new();
    folder.write("ca.pem", certificates::root_pem());
    let network = format!(
        "allow = [\"127.0.0.0/8\"]\nresolve = {{ \"vendor.test\" = \"127.0.0.1\" }}\n{roots}"
    );
    let config = Config::new(vendor).network(&network);
    Gateway::start_in(folder, &config, &[]).await
}

const ROOTS: &str = "extra_roots = [\"ca.pem\"]";

#[tokio::test]
async fn v1_an_extra_root_is_trusted() {
    let vendor = ManualVendor::bind_tls(&["http/1.1"]).await;
    let gateway = start(&vendor, ROOTS).await;
    let call = gateway.call("/c/x", &[]);
    let serve = async {
        let mut connection = vendor.accept().await;
        let request = connection.request().await;
        connection
            .write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            .await;
        (connection, request)
    };
    let (answer, (_connection, request)) = tokio::join!(call, serve);
    assert_eq!((answer.status(), answer.body()), (200, "ok"), "{answer:?}");
    assert_eq!(request.target(), "/x");
}

async fn is_refused(vendor: ManualVendor, roots: &str) {
    let gateway = start(&vendor, roots).await;
    let call = gateway.call("/c/x", &[]);
    let (answer, ()) = tokio::join!(call, vendor.accept_and_fail());
    let answered = (answer.status(), answer.error());
    assert_eq!(answered, (502, Some("upstream-unreachable")), "{answer:?}");
    let status = answer.field("proxy-status").unwrap_or_default();
    assert!(status.contains("tls_certificate_error"), "{status}");
    assert!(answer.body().contains("\"sent\":false"), "{answer:?}");
}

#[tokio::test]
async fn v1_an_unknown_root_is_not_trusted() {
    is_refused(ManualVendor::bind_tls(&["http/1.1"]).await, "").await;
}

#[tokio::test]
async fn v1_a_certificate_for_another_name_is_refused() {
    is_refused(ManualVendor::bind_tls_as("other.test").await, ROOTS).await;
}

/// The secrets of one connection are in files, and the secrets of the other are in the config.
#[tokio::test]
async fn t7_each_connection_presents_its_own_certificate() {
    use testkit::identities::Authority;
    use testkit::mtls_vendor::{MtlsVendor, Terms};

    let authority = Authority::new();
    let (ann, bob) = (authority.certify("ann"), authority.certify("bob"));
    let vendor = MtlsVendor::start(&Terms::new(authority.verifier(true), &["http/1.1"])).await;
    let folder = Folder::new();
    folder.write("ca.pem", certificates::root_pem());
    folder.write("ann.pem", &ann.certificate);
    folder.write("ann.key", &ann.key);
    let network = format!(
        "allow = [\"127.0.0.0/8\"]\nresolve = {{ \"vendor.test\" = \"127.0.0.1\" }}\n{ROOTS}"
    );
    let files = "{ certificate = { file = \"ann.pem\" }, private_key = { file = \"ann.key\" } }";
    let config = Config::new(&vendor)
        .network(&network)
        .auth("{ kind = \"mtls\" }", files)
        .table(&format!(
            "[connection.bob]\nintegration = \"v\"\n[connection.bob.secret]\n\
             certificate = '''\n{}'''\nprivate_key = '''\n{}'''",
            bob.certificate, bob.key
        ));
    let gateway = Gateway::start_in(folder, &config, &[]).await;
    for _ in 0..2 {
        for (id, name) in [("c", "ann"), ("bob", "bob")] {
            let answer = gateway.call(&format!("/{id}/x"), &[]).await;
            assert_eq!(
                (answer.status(), answer.body()),
                (200, format!("{name} /x : ").as_str())
            );
        }
    }
}
