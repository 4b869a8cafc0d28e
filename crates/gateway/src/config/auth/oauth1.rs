//! `kind = "oauth1"`: calls are signed with OAuth 1.0a.

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;
use toml::de::DeValue;
use tower_passthrough::auth::OAuth1;

use super::super::value::{Form, Size, Text};
use super::{Problem, Scheme, bytes, shape, unfit};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(rename = "kind")]
    _kind: IgnoredAny,
    signature: Option<Text<Signature>>,
    realm: Option<Spanned<String>>,
    #[serde(default)]
    two_legged: bool,
    #[serde(default)]
    in_query: bool,
    #[serde(default)]
    body_hash: bool,
    #[serde(default)]
    without_version: bool,
    body_limit: Option<Spanned<Size>>,
}

#[derive(Clone, Copy)]
enum Signature {
    HmacSha1,
    HmacSha256,
    RsaSha256,
    Plaintext,
}

impl Form for Signature {
    const EXPECTED: &'static str =
        "\"hmac-sha1\", \"hmac-sha256\", \"rsa-sha256\" or \"plaintext\"";

    fn read(text: &str) -> Option<Self> {
        match text {
            "hmac-sha1" => Some(Self::HmacSha1),
            "hmac-sha256" => Some(Self::HmacSha256),
            "rsa-sha256" => Some(Self::RsaSha256),
            "plaintext" => Some(Self::Plaintext),
            _ => None,
        }
    }
}

pub(super) fn read(table: &Spanned<DeValue<'_>>) -> Result<Scheme, Problem> {
    let table: Table = shape(table)?;
    let mut scheme = match table.signature.map_or(Signature::HmacSha1, |text| text.0) {
        Signature::HmacSha1 => OAuth1::hmac_sha1(),
        Signature::HmacSha256 => OAuth1::hmac_sha256(),
        Signature::RsaSha256 => OAuth1::rsa_sha256(),
        Signature::Plaintext => OAuth1::plaintext(),
    };
    if let Some(realm) = &table.realm {
        let with_realm = scheme.realm(realm.get_ref());
        scheme = with_realm.map_err(|error| unfit(realm, error))?;
    }
    if table.two_legged {
        scheme = scheme.two_legged();
    }
    if table.in_query {
        scheme = scheme.in_query();
    }
    if table.body_hash {
        scheme = scheme.body_hash();
    }
    if table.without_version {
        scheme = scheme.without_version();
    }
    if let Some(limit) = &table.body_limit {
        scheme = scheme.body_limit(bytes(limit));
    }
    Ok(Box::new(scheme))
}
