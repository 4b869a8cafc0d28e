//! `kind = "hmac"`: calls are signed in the way that the upstream defines.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;
use toml::de::DeValue;
use tower_passthrough::auth::{Hmac, HmacHash, KeyEncoding, SignatureEncoding};

use super::super::value::{Form, Size, Text};
use super::{Problem, Scheme, bytes, shape, unfit};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(rename = "kind")]
    _kind: IgnoredAny,
    hash: Option<Text<HmacHash>>,
    message: Spanned<String>,
    /// The name of the secret.
    key: Option<String>,
    key_encoding: Option<Text<KeyEncoding>>,
    /// The name of the secret.
    key_id: Option<String>,
    encoding: Option<Text<SignatureEncoding>>,
    #[serde(default)]
    headers: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    parameters: BTreeMap<Spanned<String>, Spanned<String>>,
    body_limit: Option<Spanned<Size>>,
}

impl Form for HmacHash {
    const EXPECTED: &'static str = "\"sha1\", \"sha256\", \"sha384\" or \"sha512\"";

    fn read(text: &str) -> Option<Self> {
        match text {
            "sha1" => Some(Self::Sha1),
            "sha256" => Some(Self::Sha256),
            "sha384" => Some(Self::Sha384),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }
}

impl Form for KeyEncoding {
    const EXPECTED: &'static str = "\"raw\", \"base64\" or \"hex\"";

    fn read(text: &str) -> Option<Self> {
        match text {
            "raw" => Some(Self::Raw),
            "base64" => Some(Self::Base64),
            "hex" => Some(Self::Hex),
            _ => None,
        }
    }
}

impl Form for SignatureEncoding {
    const EXPECTED: &'static str = "\"hex\", \"upper-hex\", \"base64\" or \"base64url\"";

    fn read(text: &str) -> Option<Self> {
        match text {
            "hex" => Some(Self::Hex),
            "upper-hex" => Some(Self::UpperHex),
            "base64" => Some(Self::Base64),
            "base64url" => Some(Self::Base64Url),
            _ => None,
        }
    }
}

pub(super) fn read(table: &Spanned<DeValue<'_>>) -> Result<Scheme, Problem> {
    let place = Spanned::new(table.span(), ());
    let table: Table = shape(table)?;
    if table.headers.is_empty() && table.parameters.is_empty() {
        let what = "missing key `headers` or `parameters`, which names the place of the signature";
        return Err(Problem::at(&place, what));
    }
    let hash = table.hash.map_or(HmacHash::Sha256, |hash| hash.0);
    let mut scheme =
        Hmac::new(hash, table.message.get_ref()).map_err(|error| unfit(&table.message, error))?;
    let encoding = table
        .key_encoding
        .map_or(KeyEncoding::Raw, |encoding| encoding.0);
    scheme = scheme.key(table.key.as_deref().unwrap_or("secret"), encoding);
    if let Some(name) = &table.key_id {
        scheme = scheme.key_id(name);
    }
    if let Some(encoding) = table.encoding {
        scheme = scheme.encoding(encoding.0);
    }
    for (name, template) in &table.headers {
        let with_header = scheme.header(name.get_ref(), template.get_ref());
        scheme = with_header.map_err(|error| unfit(template, error))?;
    }
    for (name, template) in &table.parameters {
        let with_parameter = scheme.parameter(name.get_ref(), template.get_ref());
        scheme = with_parameter.map_err(|error| unfit(template, error))?;
    }
    if let Some(limit) = &table.body_limit {
        scheme = scheme.body_limit(bytes(limit));
    }
    Ok(Box::new(scheme))
}
