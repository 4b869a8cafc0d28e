//! TLS to the server: certificates that are accepted, and certificates that aren't.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use tower_passthrough::store::{ConnectionStore, TokenStore};
use tower_passthrough::{Secret, StoreError};
use tower_passthrough_postgres::{PostgresStore, PostgresStoreError};

use super::{KEY, Server, id, keys, told, with_token};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Gives the server a certificate of that authority.
fn certify(server: &Server, authority: &Authority, name: &str, expires: i32) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(expires, 1, 1);
    let certificate = params.signed_by(&key, authority).unwrap();
    server.write("data/server.crt", &certificate.pem());
    server.write("data/server.key", &key.serialize_pem());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_used_only_if_its_certificate_is_valid_for_its_name() {
    let Some(mut server) = Server::start("") else {
        return;
    };
    let (trusted, other) = (authority("trusted"), authority("other"));
    certify(&server, &trusted, "db.example", 2100);
    server.stop();
    server.configure("ssl = on");
    server.run();
    let (name, port) = (server.database().name, server.port);
    let open = async |server_name: &str, roots: Option<&Authority>| {
        let url = format!(
            "postgres://postgres@{server_name}:{port}/{name}?hostaddr=127.0.0.1&sslmode=require"
        );
        let mut builder = PostgresStore::builder(keys(&[KEY]));
        if let Some(roots) = roots {
            builder = builder.root_pem(roots.pem());
        }
        builder.open(&Secret::from(url)).await
    };
    let store = open("db.example", Some(&trusted)).await.unwrap();
    store.put(&id("acme"), &with_token("token")).await.unwrap();
    let encrypted = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'tower-passthrough'";
    assert_eq!(server.sql(&name, encrypted), "t");

    let refused = async |server_name: &str, roots: Option<&Authority>, why: &str| {
        let error = open(server_name, roots).await.unwrap_err();
        let shown = format!("{} {error:?}", told(&error));
        assert!(shown.contains(why) && !shown.contains("example"), "{shown}");
    };
    refused("other.example", Some(&trusted), "another name").await;
    refused("db.example", Some(&other), "trusted roots").await;
    // The bundled roots don't contain a private authority.
    refused("db.example", None, "trusted roots").await;
    certify(&server, &trusted, "db.example", 2021);
    server.reload();
    refused("db.example", Some(&trusted), "expired").await;
    certify(&server, &trusted, "db.example", 2100);
    server.reload();
    open("db.example", Some(&trusted)).await.unwrap();
    let direct = format!(
        "postgres://postgres@db.example:{port}/{name}?hostaddr=127.0.0.1&sslmode=verify-full"
    );
    let builder = PostgresStore::builder(keys(&[KEY])).root_pem(trusted.pem());
    builder.open(&Secret::from(direct)).await.unwrap();
    let invalid = PostgresStore::builder(keys(&[KEY])).root_pem("not a certificate");
    let invalid = invalid.open(&Secret::from("postgres://localhost/x")).await;
    assert!(
        matches!(invalid, Err(PostgresStoreError::InvalidRoots)),
        "{invalid:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_open_recovers_from_a_certificate_that_expires() {
    let Some(mut server) = Server::start("") else {
        return;
    };
    let trusted = authority("trusted");
    certify(&server, &trusted, "db.example", 2100);
    server.stop();
    server.configure("ssl = on");
    server.run();
    let (name, port) = (server.database().name, server.port);
    let url = format!(
        "postgres://postgres@db.example:{port}/{name}?hostaddr=127.0.0.1&sslmode=verify-full"
    );
    let builder = PostgresStore::builder(keys(&[KEY])).root_pem(trusted.pem());
    let store = builder.open(&Secret::from(url)).await.unwrap();
    store.put(&id("acme"), &with_token("token")).await.unwrap();
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'tower-passthrough'";
    for (server_name, expires, why) in [
        ("db.example", 2021, "expired"),
        ("other.example", 2100, "another name"),
    ] {
        certify(&server, &trusted, server_name, expires);
        server.reload();
        let error = eventually(async || {
            server.sql(&name, end);
            match store.read(&id("acme")).await {
                Err(StoreError::Unavailable(error)) => Some(error),
                _ => None,
            }
        });
        let error = error.await;
        let shown = format!("{} {error:?}", told(&*error));
        assert!(shown.contains(why) && !shown.contains("example"), "{shown}");
        certify(&server, &trusted, "db.example", 2100);
        server.reload();
        eventually(async || store.read(&id("acme")).await.ok()).await;
    }
}

/// Repeats the attempt until it returns a value.
async fn eventually<T>(attempt: impl AsyncFn() -> Option<T>) -> T {
    let attempts = async {
        loop {
            if let Some(value) = attempt().await {
                return value;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    let time = std::time::Duration::from_secs(20);
    tokio::time::timeout(time, attempts).await.unwrap()
}

#[tokio::test]
async fn a_server_without_tls_is_refused_if_tls_is_required() {
    let Some(server) = super::shared() else {
        return;
    };
    let url = format!(
        "postgres://postgres@localhost:{}/postgres?hostaddr=127.0.0.1&sslmode=require",
        server.port
    );
    let error = PostgresStore::open(&Secret::from(url), keys(&[KEY]))
        .await
        .unwrap_err();
    assert!(
        told(&error).contains("doesn't support TLS"),
        "{}",
        told(&error)
    );
    let url = "postgres://postgres@192.0.2.1/postgres?sslmode=disable";
    let error = PostgresStore::open(&Secret::from(url), keys(&[KEY]))
        .await
        .unwrap_err();
    assert!(matches!(error, PostgresStoreError::Plaintext), "{error:?}");
}
