//! TLS to the server: certificates that are accepted, and certificates that aren't.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use tower_passthrough::Secret;
use tower_passthrough::store::ConnectionStore;
use tower_passthrough_redis::{RedisStore, RedisStoreError};

use super::{DURABLE, KEY, Server, id, keys, told, with_token};

pub(super) type Authority = CertifiedIssuer<'static, KeyPair>;

pub(super) fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Writes a certificate of that authority, and its key.
pub(super) fn certify(server: &Server, authority: &Authority, name: &str, expires: i32) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(expires, 1, 1);
    let certificate = params.signed_by(&key, authority).unwrap();
    server.write("server.crt", &certificate.pem());
    server.write("server.key", &key.serialize_pem());
}

pub(super) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_used_only_if_its_certificate_is_valid_for_its_name() {
    let Some(server) = Server::start(DURABLE) else {
        return;
    };
    let (trusted, other) = (authority("trusted"), authority("other"));
    certify(&server, &trusted, "localhost", 2100);
    let (certificate, key) = (
        server.folder.join("server.crt"),
        server.folder.join("server.key"),
    );
    let port = free_port();
    let reload = || {
        let (certificate, key) = (certificate.display().to_string(), key.display().to_string());
        server.set(&[
            "CONFIG",
            "SET",
            "tls-cert-file",
            &certificate,
            "tls-key-file",
            &key,
            "tls-auth-clients",
            "no",
        ]);
    };
    let ca = server.write("ca.crt", &trusted.pem());
    server.set(&[
        "CONFIG",
        "SET",
        "tls-ca-cert-file",
        &ca.display().to_string(),
        "tls-cert-file",
        &certificate.display().to_string(),
        "tls-key-file",
        &key.display().to_string(),
        "tls-auth-clients",
        "no",
        "tls-port",
        &port.to_string(),
    ]);
    let open = async |host: &str, roots: Option<&Authority>| {
        let url = format!("rediss://{host}:{port}");
        let mut builder = RedisStore::builder(keys(&[KEY]));
        if let Some(roots) = roots {
            builder = builder.root_pem(roots.pem());
        }
        builder.open(&Secret::from(url)).await
    };
    let store = open("localhost", Some(&trusted)).await.unwrap();
    store.put(&id("acme"), &with_token("token")).await.unwrap();

    let refused = async |host: &str, roots: Option<&Authority>, why: &str| {
        let error = open(host, roots).await.unwrap_err();
        let shown = format!("{} {error:?}", told(&error));
        assert!(shown.contains(why) && !shown.contains(host), "{shown}");
    };
    refused("127.0.0.1", Some(&trusted), "another name").await;
    refused("localhost", Some(&other), "trusted roots").await;
    // The bundled roots don't contain a private authority.
    refused("localhost", None, "trusted roots").await;
    certify(&server, &trusted, "localhost", 2021);
    reload();
    refused("localhost", Some(&trusted), "expired").await;
    certify(&server, &trusted, "localhost", 2100);
    reload();
    open("localhost", Some(&trusted)).await.unwrap();

    // The port without TLS.
    let url = format!("rediss://localhost:{}", server.port);
    let plain = RedisStore::open(&Secret::from(url), keys(&[KEY]))
        .await
        .unwrap_err();
    // It doesn't answer.
    assert!(
        told(&plain).contains("timeout: connecting"),
        "{}",
        told(&plain)
    );
    let url = Secret::from("redis://192.0.2.1");
    let plaintext = RedisStore::open(&url, keys(&[KEY])).await;
    assert!(
        matches!(plaintext, Err(RedisStoreError::Plaintext)),
        "{plaintext:?}"
    );
    let invalid = RedisStore::builder(keys(&[KEY])).root_pem("not a certificate");
    let invalid = invalid.open(&Secret::from("rediss://localhost")).await;
    assert!(
        matches!(invalid, Err(RedisStoreError::InvalidRoots)),
        "{invalid:?}"
    );
}
