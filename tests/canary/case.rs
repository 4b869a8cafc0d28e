//! The schemes, each with canaries as secrets.

use std::sync::Arc;

use tower_passthrough::auth::AuthScheme;
use tower_passthrough::{Connection, auth};

use crate::said::{core, odd};

/// A scheme, and a connection whose secrets are canaries.
pub(crate) struct Case {
    pub(crate) scheme: Arc<dyn AuthScheme>,
    pub(crate) connection: Connection,
    /// The same connection after a refresh.
    pub(crate) renewed: Connection,
    /// The same connection with a line break in each secret.
    pub(crate) broken: Connection,
    pub(crate) cores: Vec<String>,
}

impl Case {
    pub(crate) fn new(name: &str, scheme: impl AuthScheme) -> Self {
        let requirements = scheme.requirements();
        let names: Vec<_> = requirements
            .secrets()
            .iter()
            .map(|name| String::from(&**name))
            .collect();
        let mut cores = Vec::new();
        let mut connection = |kind: &str, end: &str| {
            let mut connection = Connection::new("main");
            for (nth, secret) in names.iter().enumerate() {
                let core = core(&format!("{name}{kind}{nth}"));
                connection =
                    connection.with_secret(secret.as_str(), format!("{}{end}", odd(&core)));
                cores.push(core);
            }
            connection
        };
        Self {
            connection: connection("first", ""),
            renewed: connection("renewed", ""),
            broken: connection("broken", "\r\nx: y"),
            scheme: Arc::new(scheme),
            cores,
        }
    }

    /// Returns a case for a scheme that signs for AWS. The id of a key has ordinary characters only, because any other
    /// id isn't sent.
    fn signed(name: &str, scheme: impl AuthScheme) -> Self {
        let mut cores = Vec::new();
        let mut connection = |kind: &str, end: &str| {
            let mut core = |secret: &str| {
                let core = core(&format!("{name}{kind}{secret}"));
                cores.push(core.clone());
                core
            };
            Connection::new("main")
                .with_secret("access_key_id", format!("{}{end}", core("id")))
                .with_secret("secret_access_key", odd(&core("key")))
                .with_secret("session_token", format!("{}{end}", odd(&core("token"))))
        };
        Self {
            connection: connection("first", ""),
            renewed: connection("renewed", ""),
            broken: connection("broken", "\r\nx: y"),
            scheme: Arc::new(scheme),
            cores,
        }
    }

    pub(crate) fn all() -> Vec<Self> {
        let several: Vec<Box<dyn AuthScheme>> = vec![
            Box::new(auth::Header::new("x-app-key", "{app}").unwrap()),
            Box::new(auth::Query::new("account").unwrap()),
            Box::new(auth::Basic),
        ];
        let mut all = vec![
            Self::new("bearer", auth::Bearer),
            Self::new("basic", auth::Basic),
            Self::new(
                "header",
                auth::Header::new("authorization", "Token token=\"{api_key}\", id={id}").unwrap(),
            ),
            Self::new(
                "custom",
                auth::Header::new("X-Api-Key", "{api_key}").unwrap(),
            ),
            Self::new("query", auth::Query::new("api key").unwrap()),
            Self::new("several", several),
            Self::signed("signed", auth::SigV4::new("s3", "eu-central-1").unwrap()),
            Self::signed(
                "presigned",
                auth::SigV4::new("s3", "eu-central-1")
                    .unwrap()
                    .presigned(std::time::Duration::from_secs(60)),
            ),
        ];
        all.extend(signed());
        all
    }
}

/// Returns the cases of the other schemes that sign.
fn signed() -> Vec<Case> {
    vec![
        Case::new("oauth1", auth::OAuth1::hmac_sha1()),
        Case::new("oauth1query", auth::OAuth1::hmac_sha256().in_query()),
        Case::new(
            "hmac",
            auth::Hmac::new(auth::HmacHash::Sha256, "{method}{secret:app}")
                .and_then(|scheme| scheme.header("x-key", "{base64({key_id}:{signature})}"))
                .unwrap(),
        ),
    ]
}
