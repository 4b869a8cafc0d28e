//! Schemes that sign: the stored credential takes precedence, and a value that breaks a line isn't sent.

use std::sync::Arc;

use tower_passthrough::Connection;
use tower_passthrough::auth::AuthScheme;
use tower_passthrough::auth::OAuth1;
use tower_passthrough::auth::{Hmac, HmacHash};

use super::with_trailers;
use testkit::caller::post;
use testkit::pair::Pair;

fn schemes() -> Vec<Arc<dyn AuthScheme>> {
    let mut all: Vec<Arc<dyn AuthScheme>> = Vec::new();
    all.extend([
        Arc::new(OAuth1::hmac_sha1()) as Arc<dyn AuthScheme>,
        Arc::new(OAuth1::hmac_sha256().in_query()),
        Arc::new(OAuth1::hmac_sha256().two_legged()),
    ]);
    {
        let hmac = || Hmac::new(HmacHash::Sha256, "{method}{path}{secret:in_message}").unwrap();
        let header = hmac().header("Authorization", "HMAC {key_id}:{nonce}:{signature}");
        let query = hmac()
            .parameter("api key", "{key_id}")
            .and_then(|scheme| scheme.parameter("signature", "{signature}"));
        all.extend([
            Arc::new(header.unwrap()) as Arc<dyn AuthScheme>,
            Arc::new(query.unwrap()),
        ]);
    }
    all
}

fn connection(scheme: &dyn AuthScheme, broken: Option<(&str, &str)>) -> Connection {
    let mut connection = Connection::new("vendor");
    for name in scheme.requirements().secrets() {
        let name = &**name;
        let value = broken.filter(|(other, _)| *other == name);
        connection = connection.with_secret(name, value.map_or("stored", |(_, value)| value));
    }
    connection
}

async fn pair(scheme: Arc<dyn AuthScheme>, connection: Connection) -> Pair {
    Pair::with(move |setup| {
        let setup = setup.connection(connection);
        setup.upstream(move |upstream| upstream.auth(scheme))
    })
    .await
}

#[tokio::test]
async fn t5_a_signature_takes_precedence_over_the_callers_fields() {
    for scheme in schemes() {
        let connection = connection(&*scheme, None);
        let pair = pair(Arc::clone(&scheme), connection).await;
        let mut target = "/p/c/x?kept=1".to_owned();
        for name in scheme.requirements().parameters() {
            let name = name.replace(' ', "%20");
            let (first, rest) = name.split_at(1);
            let encoded = format!("%{:02x}{rest}", first.as_bytes()[0]);
            target.push_str(&format!("&{name}=callers&{name}&{encoded}=callers"));
        }
        // The name may be in the header or not, because a vendor may read either place.
        if !scheme
            .requirements()
            .secrets()
            .iter()
            .any(|name| &**name == "in_message")
        {
            target.push_str("&oauth_consumer_key=callers&oauth%5ftoken=callers");
        }
        let lines = [
            "Authorization: callers",
            "AUTHORIZATION: callers",
            "TE: trailers",
        ];
        let sent = with_trailers(&target, &lines, &["Authorization: callers"]);
        let received = pair.seen(sent).await;
        let mut bytes = received.head.raw.clone();
        bytes.extend_from_slice(&received.body.raw);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!text.contains("callers"), "{scheme:?}: {text}");
        assert!(received.target().starts_with("/x?kept=1"), "{text}");
        let is_in_header = !scheme.requirements().fields().is_empty();
        assert_eq!(
            received.head.values("authorization").len(),
            usize::from(is_in_header)
        );
    }
}

#[tokio::test]
async fn t9_a_line_break_in_a_signing_secret_is_not_sent() {
    for scheme in schemes() {
        for name in scheme.requirements().secrets() {
            for value in ["a\r\nx: y", "a\nb", "a\r", "a\0b", "\n", "a\x7f"] {
                let connection = connection(&*scheme, Some((&**name, value)));
                let pair = pair(Arc::clone(&scheme), connection).await;
                let response = pair
                    .refused(post("/p/c/x", "body"), 424, "reauthorize")
                    .await;
                assert!(!response.text().contains("x: y"));
                pair.vendor.untouched().await;
            }
        }
    }
}
