//! OAuth 1.0a with oauthlib, the implementation with which most Python servers verify.

use std::net::SocketAddr;
use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tower_passthrough::auth::{AuthError, OAuth1, RsaSha1Signer};
use tower_passthrough::{Connection, Secret};

use testkit::caller::{RawResponse, get, raw_call, request};
use testkit::certificates;
use testkit::gateway::Setup;
use testkit::pair::Pair;
use testkit::wait::within;

/// The variable that names a Python with `oauthlib[signedtoken]`. If the variable is set, the tests aren't skipped.
const PYTHON: &str = "OAUTH1_PYTHON";

const FORM: &str = "Content-Type: application/x-www-form-urlencoded";

/// A running `peers/oauth1/server.py`.
struct Peer {
    ready: Value,
    _server: Child,
}

impl Peer {
    /// Starts the peer. `None` means that no Python has oauthlib.
    async fn start() -> Option<Self> {
        let wanted = std::env::var_os(PYTHON);
        let python = wanted.clone().unwrap_or_else(|| "python3".into());
        let probe = Command::new(&python)
            .args(["-c", "import oauthlib, cryptography, jwt"])
            .output();
        if !probe.await.is_ok_and(|output| output.status.success()) {
            assert!(wanted.is_none(), "{PYTHON} has no oauthlib[signedtoken]");
            eprintln!("skipped: python3 has no oauthlib; {PYTHON} names one that has");
            return None;
        }
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/live/peers/oauth1/server.py"
        );
        let mut server = Command::new(&python)
            .arg(script)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
        let line = within("the server in Python", lines.next_line()).await;
        let ready = serde_json::from_str(&line.unwrap().unwrap()).unwrap();
        Some(Self {
            ready,
            _server: server,
        })
    }

    fn address(&self, scheme: &str) -> SocketAddr {
        let port = self.ready[scheme].as_u64().unwrap();
        SocketAddr::from(([127, 0, 0, 1], u16::try_from(port).unwrap()))
    }

    /// Returns the origin without TLS.
    fn http(&self) -> String {
        format!("http://vendor.test:{}", self.address("http").port())
    }

    fn connection(&self, key: &str) -> Connection {
        Connection::new("vendor")
            .with_secret("consumer_key", "9djdj82h48djs9d2xyzw")
            .with_secret("consumer_secret", "j49sk3j29djd&%+/")
            .with_secret("token", "kkk9d7dh3k39sjv7xyzw")
            .with_secret("token_secret", "dh893hdasih9 ~\u{e9}")
            .with_secret("private_key", self.ready[key].as_str().unwrap())
    }
}

/// Returns oauthlib's verdict on the request.
fn verdict(response: &RawResponse) -> Value {
    serde_json::from_str(&response.text()).unwrap_or_default()
}

/// Returns requests whose parameters can easily be read in two ways.
fn requests() -> Vec<String> {
    let form = |target: &str, body: &str| {
        let length = format!("Content-Length: {}", body.len());
        request("POST", target, &[FORM, &length], body)
    };
    let mut requests: Vec<String> = [
        "",
        "/",
        "/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b",
        "/a%20b//c/%C3%A9;v=1/$&+,:@?q=1",
        "/x?a=1&a=1&a=0&A=2&a%20=&a-b=3&a_b=4&a.b=5&%61=6",
        "/x?plain=a+b&encoded=a%20b&plus=a%2Bb&emoji=%F0%9F%98%80&tilde=~%7E",
        "/x?empty&also=&=none&&x=1&",
        "/x?legal=!*'(),;:@/?$&lower=%c3%a9",
        // oauthlib refuses brackets that aren't encoded.
        "/x?array%5B%5D=1&array%5b%5d=2",
    ]
    .iter()
    .map(|target| get(&format!("/p/c{target}")))
    .collect();
    requests.extend([
        form("/p/c/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b", "c2&a3=2+q"),
        form("/p/c/x", "status=Hello%20Ladies%20%2b%20Gentlemen%2c%21"),
        form("/p/c/x?same=1", "same=1&same=0&%C3%A9=%00&last"),
        form("/p/c/x", ""),
        form("/p/c/x", &"many=1&".repeat(500)),
        request(
            "POST",
            "/p/c/x",
            &[
                "Content-Type: application/x-www-form-urlencoded; charset=utf-8",
                "Transfer-Encoding: chunked",
            ],
            "5\r\na=1&b\r\n3\r\n=+2\r\n0\r\n\r\n",
        ),
        request(
            "PUT",
            "/p/c/x?a=1",
            &["Content-Type: application/json", "Content-Length: 9"],
            "{\"b\": 12}",
        ),
        request("DELETE", "/p/c/x/1", &[], ""),
    ]);
    requests
}

fn schemes() -> Vec<OAuth1> {
    let all = || {
        [
            OAuth1::hmac_sha1(),
            OAuth1::hmac_sha256(),
            OAuth1::rsa_sha256(),
        ]
    };
    let mut schemes = all().to_vec();
    schemes.extend(all().map(OAuth1::in_query));
    schemes.extend(all().map(OAuth1::two_legged));
    schemes.extend(all().map(|scheme| scheme.realm("a realm").unwrap().body_hash()));
    schemes.push(OAuth1::hmac_sha1().without_version());
    schemes
}

#[tokio::test]
async fn oauthlib_verifies_the_signatures() {
    let Some(peer) = Peer::start().await else {
        return;
    };
    for scheme in schemes() {
        let shown = scheme.clone();
        let connection = peer.connection("pkcs8");
        let setup = Setup::new(&*peer.http()).connection(connection);
        let gateway = setup
            .upstream(|upstream| upstream.auth(scheme))
            .start()
            .await;
        for request in requests() {
            let response = raw_call(gateway.address, &request).await;
            let text = response.text();
            assert_eq!(response.status(), 200, "{shown:?} {request} → {text}");
            assert_eq!(verdict(&response)["valid"], true, "{request}");
        }
    }
}

#[tokio::test]
async fn oauthlib_sees_realm_token_and_hash() {
    let Some(peer) = Peer::start().await else {
        return;
    };
    let json = || {
        request(
            "POST",
            "/p/c/x",
            &["Content-Type: text/plain", "Content-Length: 12"],
            "Hello World!",
        )
    };
    let form = || request("POST", "/p/c/x", &[FORM, "Content-Length: 3"], "a=1");
    let scheme = OAuth1::hmac_sha1().realm("a realm").unwrap().body_hash();
    for (scheme, sent, realm, token, hash) in [
        (OAuth1::hmac_sha256(), json(), None, true, None),
        (OAuth1::rsa_sha256().two_legged(), json(), None, false, None),
        (scheme.clone(), form(), Some("a realm"), true, None),
        (
            scheme,
            json(),
            Some("a realm"),
            true,
            Some("Lve95gjOVATpfV8EL5X4nxwjKHE="),
        ),
    ] {
        let setup = Setup::new(&*peer.http()).connection(peer.connection("pkcs1"));
        let gateway = setup
            .upstream(|upstream| upstream.auth(scheme))
            .start()
            .await;
        let verdict = verdict(&raw_call(gateway.address, &sent).await);
        assert_eq!(verdict["valid"], true);
        assert_eq!(verdict["realm"].as_str(), realm);
        assert_eq!(verdict["token"].is_string(), token);
        assert_eq!(verdict["hash"].as_str(), hash);
    }
}

#[tokio::test]
async fn oauthlib_refuses_other_secrets() {
    let Some(peer) = Peer::start().await else {
        return;
    };
    for (scheme, name) in [
        (OAuth1::hmac_sha1(), "consumer_key"),
        (OAuth1::hmac_sha1(), "consumer_secret"),
        (OAuth1::hmac_sha256(), "token_secret"),
        (OAuth1::rsa_sha256(), "token"),
    ] {
        let connection = peer
            .connection("pkcs8")
            .with_secret(name, "anotheranotheranother");
        let setup = Setup::new(&*peer.http()).connection(connection);
        let gateway = setup
            .upstream(|upstream| upstream.auth(scheme))
            .start()
            .await;
        let response = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!((response.status(), response.error()), (401, None), "{name}");
    }
}

/// Removes TLS, and forwards the bytes.
async fn behind_tls(peer: SocketAddr) -> (String, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = certificates::acceptor("vendor.test", &[]);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((socket, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            connections.spawn(async move {
                let mut outer = acceptor.accept(socket).await.unwrap();
                let mut inner = TcpStream::connect(peer).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut outer, &mut inner).await;
            });
        }
    });
    (format!("https://vendor.test:{port}"), tasks)
}

#[tokio::test]
async fn oauthlib_accepts_plaintext_over_tls() {
    let Some(peer) = Peer::start().await else {
        return;
    };
    let (origin, _tasks) = behind_tls(peer.address("https")).await;
    for scheme in [
        OAuth1::plaintext(),
        // Not in the query, because oauthlib decodes a signature in the query once too often.
        OAuth1::plaintext().two_legged(),
        OAuth1::hmac_sha256(),
    ] {
        let setup = Setup::new(&*origin).connection(peer.connection("pkcs8"));
        let gateway = setup
            .upstream(|upstream| upstream.auth(scheme))
            .start()
            .await;
        for request in requests() {
            let response = raw_call(gateway.address, &request).await;
            assert_eq!(response.status(), 200, "{request} → {}", response.text());
        }
    }
}

/// Signs with the command line of OpenSSL, with the key in a temporary file.
#[derive(Debug)]
struct OpenSsl;

impl RsaSha1Signer for OpenSsl {
    fn sign(&self, private_key: &Secret, message: &[u8]) -> Result<Vec<u8>, AuthError> {
        use std::io::Write as _;
        let name = format!("live-oauth1-{}.pem", std::process::id());
        let file = std::env::temp_dir().join(name);
        std::fs::write(&file, private_key.expose()).unwrap();
        let mut openssl = std::process::Command::new("openssl")
            .args(["dgst", "-sha1", "-sign"])
            .arg(&file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        openssl.stdin.take().unwrap().write_all(message).unwrap();
        let output = openssl.wait_with_output().unwrap();
        std::fs::remove_file(&file).unwrap();
        match output.status.success() {
            true => Ok(output.stdout),
            false => Err(AuthError::InvalidKey),
        }
    }
}

#[tokio::test]
async fn oauthlib_verifies_rsa_sha1_of_a_custom_signer() {
    let openssl = Command::new("openssl").arg("version").output().await;
    if !openssl.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: there is no openssl on the path");
        return;
    }
    let Some(peer) = Peer::start().await else {
        return;
    };
    let setup = Setup::new(&*peer.http()).connection(peer.connection("pkcs8"));
    let scheme = OAuth1::rsa_sha1(OpenSsl);
    let gateway = setup
        .upstream(|upstream| upstream.auth(scheme))
        .start()
        .await;
    for request in requests().iter().step_by(3) {
        let verdict = verdict(&raw_call(gateway.address, request).await);
        assert_eq!(verdict["valid"], true, "{request}");
        assert_eq!(verdict["method"], "RSA-SHA1");
    }
}

fn connection() -> Connection {
    Connection::new("vendor")
        .with_secret("consumer_key", "key")
        .with_secret("consumer_secret", "secret")
        .with_secret("token", "token")
        .with_secret("token_secret", "secret")
}

#[tokio::test]
async fn bodies_arrive_unchanged() {
    let pair = Pair::with(|setup| {
        let setup = setup.connection(connection());
        setup.upstream(|upstream| upstream.auth(OAuth1::hmac_sha1().body_limit(20)))
    })
    .await;
    let body = "b=2&a=%zz+&&c";
    let length = format!("Content-Length: {}", body.len());
    let sent = request("POST", "/p/c/x", &[FORM, &length], body);
    let received = pair.seen(&sent).await;
    assert_eq!(received.body.data, body.as_bytes());
    // A body that isn't a form streams, whatever its size. A form over the limit is refused, and no byte of it is sent.
    let large = "x".repeat(100_000);
    let length = format!("Content-Length: {}", large.len());
    let sent = request(
        "POST",
        "/p/c/x",
        &["Content-Type: text/plain", &length],
        &large,
    );
    assert_eq!(pair.seen(&sent).await.body.data.len(), large.len());
    let sent = request("POST", "/p/c/x", &[FORM, &length], &large);
    pair.refused(&sent, 413, "body-too-large").await;
    assert!(pair.vendor.try_next().await.is_none());
}

#[tokio::test]
async fn each_request_has_another_nonce() {
    let pair = Pair::with(|setup| {
        let setup = setup.connection(connection());
        setup.upstream(|upstream| upstream.auth(OAuth1::hmac_sha1()))
    })
    .await;
    let mut nonces = std::collections::HashSet::new();
    for _ in 0..20 {
        let received = pair.seen(get("/p/c/x")).await;
        let value = received.head.value("authorization").unwrap().to_owned();
        let nonce = value.split("oauth_nonce=\"").nth(1).unwrap();
        nonces.insert(nonce.split('"').next().unwrap().to_owned());
    }
    assert_eq!(nonces.len(), 20);
}
