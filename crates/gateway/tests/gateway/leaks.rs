//! Error paths with secrets in each place that can have a secret: no output of the process contains a secret.
//!
//! The test kit searches stdout, stderr and all answers when a gateway is dropped.

use testkit::certificates;
use testkit::gateway::bind;
use testkit::h2_vendor::H2Vendor;
use testkit::process::canary::{self, TOKEN};
use testkit::process::config::Config;
use testkit::process::folder::Folder;
use testkit::process::gateway::Gateway;
use testkit::reply::Reply;
use testkit::vendor::Vendor;

/// Each scheme that has a secret, and the secret.
const SCHEMES: [(&str, &str); 4] = [
    ("{ kind = \"bearer\" }", "token"),
    ("{ kind = \"basic\" }", "password"),
    (
        "{ kind = \"header\", name = \"x-key\", value = \"Token {key}\" }",
        "key",
    ),
    ("{ kind = \"query\", name = \"key\" }", "api_key"),
];

fn with_scheme(config: Config, (auth, name): (&str, &str)) -> Config {
    let secret = format!("{{ username = \"ann\", {name} = \"{TOKEN}\" }}");
    config.auth(auth, &secret)
}

/// Starts a gateway with the log level at which the gateway's own crates print everything.
async fn start(config: &Config) -> Gateway {
    Gateway::start_in(Folder::new(), config, &[("RUST_LOG", "trace")]).await
}

async fn looked_through(gateway: &Gateway) {
    canary::assert_absent("metrics", &gateway.metrics().await);
}

#[tokio::test]
async fn refused_calls() {
    let vendor = Vendor::ok().await;
    for scheme in SCHEMES {
        let gateway = start(&with_scheme(Config::new(&vendor), scheme)).await;
        for path in [
            "/nobody/x",
            "/c/../x",
            "/c/%00/x",
            "/c/x?__domain=evil.test",
            "/c/x?__domain=",
            "/c/x?__domain=a@b",
            "/",
            "",
        ] {
            let answer = gateway.call(path, &["-H", "x-key: mine"]).await;
            assert!((400..500).contains(&answer.status()), "{path}: {answer:?}");
        }
        gateway.call("/c/x", &["-X", "TRACE"]).await;
        looked_through(&gateway).await;
    }
    vendor.untouched().await;
}

#[tokio::test]
async fn failing_vendors() {
    for scheme in SCHEMES {
        for reply in [
            Reply::default().close(),
            Reply::default().reset(),
            Reply::bytes("no HTTP\r\n\r\n").close(),
            Reply::bytes("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123").close(),
            Reply::bytes("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"),
            Reply::bytes(
                "HTTP/1.1 302 Found\r\nLocation: https://a.test/\r\nContent-Length: 0\r\n\r\n",
            ),
        ] {
            let vendor = Vendor::answering(reply).await;
            let gateway = start(&with_scheme(Config::new(&vendor), scheme)).await;
            gateway.call("/c/x?a", &[]).await;
            gateway
                .call("/c/x?a", &["--http2-prior-knowledge", "--data", "b"])
                .await;
            gateway.calls(2).await;
            looked_through(&gateway).await;
        }
    }
}

#[tokio::test]
async fn unreachable_vendors() {
    let closed = bind().await.local_addr().unwrap().port();
    let plain = Vendor::ok().await.address().port();
    for scheme in SCHEMES {
        for (url, network) in [
            (format!("http://vendor.test:{closed}"), ""),
            (format!("https://vendor.test:{plain}"), ""),
            ("http://no-such-host.invalid".to_owned(), ""),
            ("http://10.0.0.1".to_owned(), "plaintext = true"),
        ] {
            let mut config = with_scheme(Config::new("http://vendor.test"), scheme).base_url(&url);
            if !network.is_empty() {
                config = config.network(network);
            }
            let gateway = start(&config).await;
            let answer = gateway.call("/c/x?a", &[]).await;
            assert!(answer.error().is_some(), "{url}: {answer:?}");
            looked_through(&gateway).await;
        }
    }
}

/// HTTP/2 on both sides, which compresses header fields and keeps tables of the fields.
#[tokio::test]
async fn over_http2() {
    for scheme in SCHEMES {
        let vendor = H2Vendor::start().await;
        let folder = Folder::new();
        folder.write("ca.pem", certificates::root_pem());
        let network = "allow = [\"127.0.0.0/8\"]\nextra_roots = [\"ca.pem\"]\n\
                       resolve = { \"vendor.test\" = \"127.0.0.1\" }";
        let config = with_scheme(Config::new(&vendor), scheme).network(network);
        let all = [(
            "RUST_LOG",
            "trace,h2=trace,hyper=trace,hyper_util=trace,rustls=trace",
        )];
        let gateway = Gateway::start_in(folder, &config, &all).await;
        let call = gateway.call("/c/x?a", &["--http2-prior-knowledge"]);
        let vendor = async {
            let mut stream = vendor.next().await;
            stream.ok("ok");
            stream
        };
        let (answer, _stream) = tokio::join!(call, vendor);
        assert_eq!((answer.status(), answer.body()), (200, "ok"), "{answer:?}");
        let from_h2 = |text: &str| text.contains(" h2::");
        gateway.stderr.until("a line of h2", from_h2).await;
        looked_through(&gateway).await;
    }
}
