//! The content of errors and reports of schemes that sign.

use std::sync::{Arc, Mutex, mpsc};

use tower_passthrough::auth::AuthScheme;
use tower_passthrough::auth::{Hmac, HmacHash, KeyEncoding};
use tower_passthrough::auth::{OAuth1, RsaSha1Signer};
use tower_passthrough::observe::CallReport;
use tower_passthrough::{Connection, Error};

use testkit::caller::request;
use testkit::pair::Pair;
use testkit::wait::PATIENCE;

/// The secrets, each with a word for the search.
const SECRETS: [(&str, &str); 9] = [
    ("consumer_key", "c4nsumer+/k"),
    ("consumer_secret", "c4nsecret%41"),
    ("token", "t4ken\"'"),
    ("token_secret", "t4ksecret&="),
    ("private_key", "pr1vatekey"),
    ("secret", "s4cret{}"),
    ("key_id", "k4yid\u{e9}"),
    ("in_hex", "n0hexdigits*"),
    ("other", "oth4r "),
];

/// The words of the secrets and of the call.
const WORDS: [&str; 13] = [
    "c4nsumer",
    "c4nsecret",
    "t4ken",
    "t4ksecret",
    "pr1vatekey",
    "s4cret",
    "k4yid",
    "n0hexdigits",
    "oth4r",
    "p4th",
    "qu3ry",
    "b0dy",
    "l1teral",
];

#[derive(Debug)]
struct Refusing;

impl RsaSha1Signer for Refusing {
    fn sign(
        &self,
        _: &tower_passthrough::Secret,
        _: &[u8],
    ) -> Result<Vec<u8>, tower_passthrough::auth::AuthError> {
        Err(tower_passthrough::auth::AuthError::InvalidKey)
    }
}

/// Returns schemes that can't sign the call, with the code of the answer.
fn failing() -> Vec<(Arc<dyn AuthScheme>, &'static str)> {
    let mut all: Vec<(Arc<dyn AuthScheme>, &'static str)> = Vec::new();
    all.extend([
        (
            Arc::new(OAuth1::rsa_sha256()) as Arc<dyn AuthScheme>,
            "reauthorize",
        ),
        (Arc::new(OAuth1::rsa_sha1(Refusing)), "reauthorize"),
        (Arc::new(OAuth1::plaintext()), "destination-refused"),
        (Arc::new(OAuth1::hmac_sha1()), "bad-address"),
        (Arc::new(OAuth1::hmac_sha1().in_query()), "bad-address"),
        (
            Arc::new(OAuth1::hmac_sha256().body_limit(3)),
            "body-too-large",
        ),
    ]);
    {
        let hmac = |message: &str| {
            let scheme = Hmac::new(HmacHash::Sha256, message).unwrap();
            scheme
                .header("x-s", "l1teral {key_id}:{signature}")
                .unwrap()
        };
        let message = "l1teral{query}{secret:other}";
        all.extend([
            (
                Arc::new(hmac(message).key("in_hex", KeyEncoding::Hex)) as Arc<dyn AuthScheme>,
                "reauthorize",
            ),
            (
                Arc::new(hmac(message).key("in_hex", KeyEncoding::Base64)),
                "reauthorize",
            ),
            (Arc::new(hmac("{secret:absent}{key_id}")), "reauthorize"),
            (Arc::new(hmac("{body}").body_limit(3)), "body-too-large"),
        ]);
    }
    all
}

#[tokio::test]
async fn l2_errors_of_signatures_contain_no_part_of_the_signed_data() {
    for (scheme, code) in failing() {
        let name = format!("{scheme:?}");
        let (sender, reports) = mpsc::channel();
        let sender = Mutex::new(sender);
        let mut connection = Connection::new("vendor");
        for (name, secret) in SECRETS {
            connection = connection.with_secret(name, secret);
        }
        let pair = Pair::with(|setup| {
            let setup = setup.connection(connection);
            let setup = setup.upstream(move |upstream| upstream.auth(scheme));
            setup.options(move |options| {
                options.observe_fn(move |call: &CallReport<'_>| {
                    let cause = call.cause().map(Error::to_string);
                    let shown = format!("{call:?} {:?} {cause:?}", call.cause());
                    let _ = sender.lock().unwrap().send(shown);
                })
            })
        })
        .await;
        let lines = [
            "Content-Type: application/x-www-form-urlencoded",
            "Content-Length: 20",
        ];
        let target = "/p/c/p4th?q=qu3ry";
        let body = match code {
            "bad-address" => "b0dy=1&oauth_token=2",
            _ => "b0dy=1&another=34567",
        };
        let sent = request("POST", target, &lines, body);
        let response = pair.call(&sent).await;
        assert_eq!(response.error(), Some(code), "{name}: {}", response.text());
        pair.vendor.untouched().await;
        let report = reports.recv_timeout(PATIENCE).unwrap();
        let head = String::from_utf8_lossy(&response.head.raw).into_owned();
        for text in [name, head, response.text(), report] {
            for word in WORDS {
                assert!(!text.contains(word), "`{word}` in {text}");
            }
        }
    }
}
