//! `[tls]`: callers use https.

use std::io::ErrorKind;
use std::sync::Arc;

use rustix::process::Signal;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use testkit::caller::Caller;
use testkit::certificates::{certificate_pem, root_pem};
use testkit::manual::ManualVendor;
use testkit::process::binary::run_with;
use testkit::process::canary::{self, KEY};
use testkit::process::config::Config;
use testkit::process::curl::{Answer, curl};
use testkit::process::folder::Folder;
use testkit::process::gateway::Gateway;
use testkit::vendor::Vendor;
use testkit::wait::within;

const TLS: &str = "[tls]\ncertificate = \"cert.pem\"\nprivate_key = \"key.pem\"";
const NAME: &str = "gateway.test";

/// Writes a certificate for the gateway's name into the folder, and returns it.
fn certify(folder: &Folder) -> String {
    let (certificate, key) = certificate_pem(NAME);
    folder.write("cert.pem", &certificate);
    folder.write("key.pem", key);
    folder.write("ca.pem", root_pem());
    certificate
}

async fn start(config: &Config) -> (Gateway, Roots) {
    let folder = Folder::new();
    certify(&folder);
    let roots = Roots(folder.path("ca.pem").to_str().unwrap().to_owned());
    let gateway = Gateway::start_in(folder, &config.clone().table(TLS), &[]).await;
    (gateway, roots)
}

/// The file of the roots that curl trusts.
struct Roots(String);

impl Roots {
    async fn call(&self, gateway: &Gateway, path: &str, arguments: &[&str]) -> Answer {
        let port = gateway.address.port();
        let url = format!("https://{NAME}:{port}/passthrough{path}");
        let resolve = format!("{NAME}:{port}:127.0.0.1");
        let key = format!("x-api-key: {KEY}");
        let usual = ["--cacert", &self.0, "--resolve", &resolve, "-H", &key, &url];
        let answer = curl(&[arguments, &usual].concat()).await;
        gateway.saw(&answer.stdout);
        answer
    }
}

/// Opens a connection, and returns it with the certificate that the gateway showed.
async fn connect(gateway: &Gateway, alpn: &[&str]) -> (TlsStream<TcpStream>, Vec<u8>) {
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(root_pem().as_bytes()).unwrap();
    roots.add(root).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let socket = TcpStream::connect(gateway.address).await.unwrap();
    let name = ServerName::try_from(NAME).unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, socket);
    let stream = within("a handshake", stream).await.unwrap();
    let shown = stream.get_ref().1.peer_certificates().unwrap();
    let shown = shown.first().unwrap().to_vec();
    (stream, shown)
}

#[tokio::test]
async fn callers_use_https_with_either_version() {
    let vendor = Vendor::ok().await;
    let (gateway, roots) = start(&Config::new(&vendor)).await;
    let line = format!("listening on https://{}\n", gateway.address);
    assert_eq!(gateway.stdout.text(), line);
    for (protocol, version) in [("--http1.1", "HTTP/1.1"), ("--http2", "HTTP/2")] {
        let data = "a".repeat(100_000);
        let answer = roots
            .call(&gateway, "/c/x", &[protocol, "--data", &data])
            .await;
        assert_eq!((answer.status(), answer.body()), (200, "ok"), "{answer:?}");
        assert_eq!(answer.version(), version);
        assert_eq!(vendor.next().await.body.data.len(), data.len());
    }
    for (offered, chosen) in [
        (&["h2", "http/1.1"][..], Some("h2")),
        (&["http/1.1"], Some("http/1.1")),
        (&[], None),
    ] {
        let (stream, _) = connect(&gateway, offered).await;
        let alpn = stream.get_ref().1.alpn_protocol();
        assert_eq!(alpn, chosen.map(str::as_bytes), "{offered:?}");
    }
    // There is no other way.
    let plain = gateway.curl("/passthrough/c/x", &[]).await;
    assert_ne!(plain.exit, Some(0), "{plain:?}");
}

/// The secrets of this table are those of other tables.
#[tokio::test]
async fn the_certificate_and_its_key_may_come_from_the_environment() {
    let vendor = Vendor::ok().await;
    let folder = Folder::new();
    let (certificate, key) = certificate_pem(NAME);
    folder.write("cert.pem", certificate);
    folder.write("ca.pem", root_pem());
    let roots = Roots(folder.path("ca.pem").to_str().unwrap().to_owned());
    let table = "[tls]\ncertificate = { file = \"cert.pem\" }\nprivate_key = { env = \"TLS_KEY\" }";
    let config = Config::new(&vendor).table(table);
    let gateway = Gateway::start_in(folder, &config, &[("TLS_KEY", &key)]).await;
    assert_eq!(roots.call(&gateway, "/c/x", &[]).await.status(), 200);
}

#[tokio::test]
async fn a_reload_takes_a_new_certificate_for_new_connections() {
    let vendor = Vendor::ok().await;
    let config = Config::new(&vendor).table(TLS);
    let folder = Folder::new();
    let first = certify(&folder);
    let (certificate, key) = (folder.path("cert.pem"), folder.path("key.pem"));
    let gateway = Gateway::start_in(folder, &config, &[]).await;
    let der = |pem: &str| {
        CertificateDer::from_pem_slice(pem.as_bytes())
            .unwrap()
            .to_vec()
    };
    let (mut open, shown) = connect(&gateway, &["http/1.1"]).await;
    assert_eq!(shown, der(&first));

    let (second, second_key) = certificate_pem(NAME);
    std::fs::write(&certificate, &second).unwrap();
    // A key that doesn't belong to it yet changes nothing.
    gateway.hang_up(config.to_string());
    let told = |text: &str| text.contains("config not reloaded");
    let log = gateway.stderr.until("what is wrong", told).await;
    let what = "tls.private_key: the private key doesn't belong to the certificate";
    assert!(log.contains(what), "{log}");
    assert_eq!(connect(&gateway, &[]).await.1, der(&first));
    std::fs::write(&key, &second_key).unwrap();
    gateway.reload(&config).await;
    assert_eq!(connect(&gateway, &[]).await.1, der(&second));

    // The connection that was open goes on.
    let get = format!(
        "GET /passthrough/c/x HTTP/1.1\r\nHost: a\r\nx-api-key: {KEY}\r\nConnection: close\r\n\r\n"
    );
    open.write_all(get.as_bytes()).await.unwrap();
    let mut answer = String::new();
    within("an answer", open.read_to_string(&mut answer))
        .await
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

/// A file that is being written may lack its table for a moment.
#[tokio::test]
async fn a_reload_never_turns_tls_off() {
    let vendor = Vendor::ok().await;
    let config = Config::new(&vendor);
    let (gateway, roots) = start(&config).await;
    gateway.hang_up(config.to_string());
    let told = |text: &str| text.contains("config not reloaded: [tls] can't be added or removed");
    gateway.stderr.until("what is wrong", told).await;
    assert_eq!(roots.call(&gateway, "/c/x", &[]).await.status(), 200);
}

/// Handshakes that stall or fail cost nobody else anything, and hold no stop.
#[tokio::test]
async fn a_handshake_that_stalls_or_fails_stops_no_other() {
    let vendor = Vendor::ok().await;
    let (mut gateway, roots) = start(&Config::new(&vendor).top("shutdown = \"1h\"")).await;
    let mut stalled = Vec::new();
    for start in ["", "\x16\x03\x01", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"] {
        for _ in 0..50 {
            let mut caller = Caller::connect(gateway.address).await;
            caller.write(start).await;
            stalled.push(caller);
        }
    }
    assert_eq!(roots.call(&gateway, "/c/x", &[]).await.status(), 200);
    gateway.signal(Signal::TERM);
    assert_eq!(gateway.exit().await.code(), Some(0));
}

#[tokio::test]
#[ignore = "waits until the gateway gives up a handshake: 10 s"]
async fn a_handshake_that_takes_its_time_is_given_up() {
    let vendor = Vendor::ok().await;
    let (gateway, _) = start(&Config::new(&vendor)).await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write("\x16\x03\x01").await;
    let closed = async { while caller.wire.fill().await {} };
    let limit = std::time::Duration::from_secs(20);
    tokio::time::timeout(limit, closed)
        .await
        .expect("the connection to be closed");
}

/// Without the length, only TLS's end shows the end of an HTTP/1.0 response: it may not look proper, nor may TCP's.
#[tokio::test]
async fn an_http_1_0_caller_sees_a_reset_below_tls() {
    let get = format!("GET /passthrough/c/x HTTP/1.0\r\nx-api-key: {KEY}\r\n\r\n");
    for (end, expected) in [("0\r\n\r\n", None), ("", Some(ErrorKind::ConnectionReset))] {
        let vendor = ManualVendor::bind().await;
        let (gateway, _) = start(&Config::new(&vendor)).await;
        let (mut caller, _) = connect(&gateway, &[]).await;
        caller.write_all(get.as_bytes()).await.unwrap();
        let mut connection = vendor.accept().await;
        connection.head().await;
        connection
            .write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n123\r\n")
            .await;
        let mut answer = Vec::new();
        while !answer.ends_with(b"123") {
            let read = within("the body", caller.read_buf(&mut answer)).await;
            assert_ne!(read.unwrap(), 0);
        }
        connection.write(end).await;
        drop(connection);
        let ended = within("the end", caller.read_to_end(&mut answer)).await;
        assert_eq!(
            ended.map_err(|error| error.kind()).err(),
            expected,
            "{end:?}"
        );
        assert!(answer.ends_with(b"\r\n\r\n123"));
    }
}

#[tokio::test]
async fn an_early_refusal_of_a_large_upload_arrives_through_tls() {
    let vendor = Vendor::ok().await;
    let limit = "[limits]\nrequest_body = \"1MiB\"";
    let (gateway, roots) = start(&Config::new(&vendor).table(limit)).await;
    let folder = Folder::new();
    let file = folder.path("upload");
    std::fs::File::create(&file)
        .unwrap()
        .set_len(10 << 20)
        .unwrap();
    let upload = ["-T", file.to_str().unwrap(), "-H", "Expect:"];
    for protocol in ["--http1.1", "--http2"] {
        let answer = roots
            .call(&gateway, "/c/x", &[&[protocol], &upload[..]].concat())
            .await;
        assert_eq!(
            (answer.exit, answer.status()),
            (Some(0), 413),
            "{protocol} {answer:?}"
        );
    }
    vendor.untouched().await;
}

/// WebSockets and server-sent events need the same upgrades and flushes as without TLS.
#[tokio::test]
async fn a_websocket_goes_through_tls() {
    let vendor = ManualVendor::bind().await;
    let (gateway, _) = start(&Config::new(&vendor)).await;
    let (mut caller, _) = connect(&gateway, &["http/1.1"]).await;
    let handshake = format!(
        "GET /passthrough/c/x HTTP/1.1\r\nHost: a\r\nx-api-key: {KEY}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    caller.write_all(handshake.as_bytes()).await.unwrap();
    let mut connection = vendor.accept().await;
    connection.head().await;
    connection
        .write(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nhello",
        )
        .await;
    let mut answer = Vec::new();
    while !answer.ends_with(b"hello") {
        let read = within("the tunnel", caller.read_buf(&mut answer)).await;
        assert_ne!(read.unwrap(), 0, "{answer:?}");
    }
    assert!(answer.starts_with(b"HTTP/1.1 101 "), "{answer:?}");
    caller.write_all(b"there").await.unwrap();
    assert_eq!(connection.wire.exactly(5).await.0, b"there");
}

#[tokio::test]
async fn what_is_wrong_with_the_table_is_said_without_secrets() {
    let vendor = Vendor::ok().await;
    let folder = Folder::new();
    certify(&folder);
    let (_, other_key) = certificate_pem(NAME);
    folder.write("other.pem", &other_key);
    folder.write("c4nary.pem", "c4nary");
    let base = Config::new(&vendor);
    let at = base.to_string().lines().count();
    let check = |table: &str| {
        let file = folder.write("gateway.toml", base.clone().table(table).to_string());
        let arguments = ["--config", file.to_str().unwrap(), "--check"];
        let ended = run_with(&arguments, &[("C4NARY", &other_key)], "");
        canary::assert_absent("stderr", &ended.stderr);
        assert!(!ended.stderr.contains("PRIVATE"), "{ended:?}");
        (
            ended.code,
            ended.unusual().replace(file.to_str().unwrap(), "FILE"),
        )
    };
    assert_eq!(check(TLS), (Some(0), String::new()));
    let wrong = "expected a private key in PEM, without a passphrase";
    for (lines, line, expected) in [
        ("certificate = \"cert.pem\"", 1, "1: tls: missing key `private_key`".to_owned()),
        ("private_key = \"key.pem\"", 1, "1: tls: missing key `certificate`".to_owned()),
        (
            "certificate = \"cert.pem\"\nprivate_key = \"key.pem\"\ncolour = 1",
            4,
            "1: tls.colour: unknown key `colour`, expected `certificate` or `private_key`".to_owned(),
        ),
        (
            "certificate = \"cert.pem\"\nprivate_key = \"c4nary-none.pem\"",
            3,
            "15: tls.private_key: the file can't be read: entity not found".to_owned(),
        ),
        (
            "certificate = \"c4nary.pem\"\nprivate_key = \"key.pem\"",
            2,
            "15: tls.certificate: expected certificates in PEM".to_owned(),
        ),
        (
            "certificate = \"cert.pem\"\nprivate_key = \"c4nary.pem\"",
            3,
            format!("15: tls.private_key: {wrong}"),
        ),
        (
            "certificate = \"cert.pem\"\nprivate_key = \"cert.pem\"",
            3,
            format!("15: tls.private_key: {wrong}"),
        ),
        (
            "certificate = \"cert.pem\"\nprivate_key = { env = \"C4NARY_UNSET\" }",
            3,
            "15: tls.private_key: the environment variable isn't set".to_owned(),
        ),
        (
            "certificate = \"cert.pem\"\nprivate_key = { env = \"C4NARY\" }",
            3,
            "15: tls.private_key: the private key doesn't belong to the certificate, which must be \
             the first of its file"
                .to_owned(),
        ),
        (
            "certificate = \"cert.pem\"\nprivate_key = \"-----BEGIN c4nary\"",
            3,
            "15: tls.private_key: expected the path of a file in PEM".to_owned(),
        ),
    ] {
        let line = at + line;
        let expected = (Some(2), format!("FILE:{line}:{expected}\n"));
        assert_eq!(check(&format!("[tls]\n{lines}")), expected, "{lines}");
    }
}

/// The addresses have the scheme of the listener.
#[tokio::test]
async fn rewritten_links_are_https_behind_a_tls_listener() {
    let redirect = "HTTP/1.1 302 Found\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n";
    let vendor = Vendor::answering(redirect).await;
    let config = Config::new(&vendor).top("rewrite_links = true");
    let (gateway, roots) = start(&config).await;
    let port = gateway.address.port();
    let address = format!("https://{NAME}:{port}/passthrough/c/y");
    for version in ["--http1.1", "--http2"] {
        let answer = roots.call(&gateway, "/c/x", &[version]).await;
        assert_eq!(answer.field("location"), Some(&*address), "{version}");
    }
}
