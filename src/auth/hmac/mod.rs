//! HMAC (RFC 2104) over any part of a request. Each upstream defines the signed message differently, so
//! templates describe it.

mod context;
mod template;
mod timestamp;

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use http::HeaderName;
use http::request::Parts;
use ring::hmac;
use zeroize::Zeroizing;

use self::context::TemplateContext;
use self::template::Template;
use super::header::is_framing;
use super::signing::{BODY_LIMIT, Hash, Nonces, add_parameters, drop_parameters, text};
use super::{
    Applied, AuthContext, AuthError, AuthRequest, AuthScheme, PayloadUse, Requirements, SchemeError,
};
use crate::encoding::hex::{self, HexCase};
use crate::secret::sensitive;

const NO_FIELD: AuthError =
    AuthError::CannotSign("the value contains bytes that a header field can't contain");

#[doc = include_str!("../../docs/hmac.md")]
#[derive(Clone)]
pub struct Hmac(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    hash: HmacHash,
    message: Template,
    key: Box<str>,
    key_encoding: KeyEncoding,
    key_id: Box<str>,
    encoding: SignatureEncoding,
    body_limit: usize,
    nonces: Nonces,
    /// In the order of `headers`.
    fields: Vec<HeaderName>,
    headers: Vec<Template>,
    /// In the order of `values`.
    parameters: Vec<Box<str>>,
    values: Vec<Template>,
}

/// The hash function of an [`Hmac`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HmacHash {
    /// SHA-1: insecure for documents, but still secure in an HMAC (RFC 6194 §3.3).
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// The encoding of a stored key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyEncoding {
    /// The text itself is the key.
    #[default]
    Raw,
    /// Base64 (RFC 4648 §4), padded or not.
    Base64,
    /// Hexadecimal digits of either case.
    Hex,
}

/// The encoding of a signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureEncoding {
    /// Hexadecimal digits in lower case.
    #[default]
    Hex,
    /// Hexadecimal digits in upper case.
    UpperHex,
    /// Base64 (RFC 4648 §4), padded.
    Base64,
    /// Base64 for URLs (RFC 4648 §5), not padded.
    Base64Url,
}

impl Hmac {
    /// Returns a scheme that signs that message with the secret `secret`.
    ///
    /// Call [`header`](Self::header) and [`parameter`](Self::parameter) to define the fields and
    /// parameters that are sent.
    ///
    /// # Errors
    ///
    /// [`SchemeError`] if the template has a placeholder that doesn't exist, has an unpaired brace, or
    /// contains the signature.
    pub fn new(hash: HmacHash, message: &str) -> Result<Self, SchemeError> {
        let message = Template::parse(message)?;
        if message.holds_signature() {
            return Err(SchemeError(
                "the message template contains the signature itself",
            ));
        }
        Ok(Self(Arc::new(Inner {
            hash,
            message,
            key: "secret".into(),
            key_encoding: KeyEncoding::default(),
            key_id: "key_id".into(),
            encoding: SignatureEncoding::default(),
            body_limit: BODY_LIMIT,
            nonces: Nonces::Random,
            fields: Vec::new(),
            headers: Vec::new(),
            parameters: Vec::new(),
            values: Vec::new(),
        })))
    }

    fn inner(&mut self) -> &mut Inner {
        Arc::make_mut(&mut self.0)
    }

    /// Sets the name of the secret that is the key, and its encoding. Default: the secret `secret`, as text.
    #[must_use]
    pub fn key(mut self, name: &str, encoding: KeyEncoding) -> Self {
        let inner = self.inner();
        inner.key = name.into();
        inner.key_encoding = encoding;
        self
    }

    /// Sets the name of the secret for the placeholder `{key_id}`. Default: `key_id`.
    #[must_use]
    pub fn key_id(mut self, name: &str) -> Self {
        self.inner().key_id = name.into();
        self
    }

    /// Sets the encoding of `{signature}`. Default: [`SignatureEncoding::Hex`].
    #[must_use]
    pub fn encoding(mut self, encoding: SignatureEncoding) -> Self {
        self.inner().encoding = encoding;
        self
    }

    /// Sends a field with that value. The caller's fields of that name are removed. Default: none.
    ///
    /// # Errors
    ///
    /// [`SchemeError`] if the name isn't a field name, or is the name of a field that frames or routes a
    /// message; if the template isn't valid, or contains a control character.
    pub fn header(mut self, name: &str, template: &str) -> Result<Self, SchemeError> {
        let name: HeaderName = name
            .parse()
            .map_err(|_| SchemeError("the name isn't a valid field name"))?;
        if is_framing(&name) {
            return Err(SchemeError(
                "the field controls framing or routing, so it can't carry a signature",
            ));
        }
        if template.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(SchemeError("the template contains a control character"));
        }
        let template = Template::parse(template)?;
        let inner = self.inner();
        inner.fields.push(name);
        inner.headers.push(template);
        Ok(self)
    }

    /// Sends a query parameter with that value, after the parameters of the request. The caller's parameters of that
    /// name are removed. Default: none.
    ///
    /// # Errors
    ///
    /// [`SchemeError`] if the name is empty or `__domain`, or if the template isn't valid.
    pub fn parameter(mut self, name: &str, template: &str) -> Result<Self, SchemeError> {
        if name.is_empty() || name == "__domain" {
            return Err(SchemeError("the name is empty or reserved"));
        }
        let template = Template::parse(template)?;
        let inner = self.inner();
        inner.parameters.push(name.into());
        inner.values.push(template);
        Ok(self)
    }

    /// Sets the maximum size of a body that is buffered to be signed, in bytes.
    ///
    /// A larger body is answered with `body-too-large`.
    ///
    /// Default: 1 MiB.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.inner().body_limit = bytes;
        self
    }
}

impl Inner {
    fn templates(&self) -> impl Iterator<Item = &Template> {
        let message = std::iter::once(&self.message);
        message.chain(&self.headers).chain(&self.values)
    }

    fn key(&self, cx: &AuthContext<'_>) -> Result<hmac::Key, AuthError> {
        let stored = text(cx, &self.key)?;
        let decoded = match self.key_encoding {
            KeyEncoding::Raw => None,
            KeyEncoding::Base64 => Some(from_base64(stored).ok_or(AuthError::InvalidKey)?),
            KeyEncoding::Hex => Some(hex::decode(stored).ok_or(AuthError::InvalidKey)?),
        };
        let key = decoded.as_deref().map_or(stored, Vec::as_slice);
        Ok(hmac::Key::new(self.hash.hash().hmac(), key))
    }

    fn sign(&self, context: &TemplateContext<'_>) -> Result<Zeroizing<Vec<u8>>, AuthError> {
        let key = self.key(context.cx)?;
        let mut tag = hmac::Context::with_key(&key);
        context.write(&self.message, &mut |piece| tag.update(piece))?;
        Ok(self.encoding.encode(tag.sign().as_ref()))
    }

    /// Adds the fields and parameters with the signature in their templates. If `signature` is `None`, adds the other
    /// fields and parameters.
    fn put(
        &self,
        request: &mut AuthRequest<'_>,
        (cx, nonce): (&AuthContext<'_>, super::signing::Nonce),
        signature: Option<&[u8]>,
    ) -> Result<(), AuthError> {
        let is_now = |template: &&Template| template.holds_signature() == signature.is_some();
        let render = |request: &Parts, template: &Template| {
            let context = TemplateContext {
                request,
                cx,
                nonce,
                key_id: &self.key_id,
                signature: signature.unwrap_or_default(),
            };
            context.render(template)
        };
        for (name, template) in self.fields.iter().zip(&self.headers) {
            if is_now(&template) {
                let mut value = render(request.head(), template)?;
                // Secrets were checked when they were rendered, so another part of the request is the cause.
                let value = sensitive(std::mem::take(&mut *value)).map_err(|_| NO_FIELD)?;
                request.insert_header(name.clone(), value);
            }
        }
        for (name, template) in self.parameters.iter().zip(&self.values) {
            if is_now(&template) {
                let value = render(request.head(), template)?;
                add_parameters(request, &[(name, &value)])?;
            }
        }
        Ok(())
    }
}

impl AuthScheme for Hmac {
    fn requirements(&self) -> Requirements {
        let inner = &*self.0;
        let mut names = vec![&*inner.key];
        for template in inner.templates() {
            template.secrets(&mut names, &inner.key_id);
        }
        let fields = inner.fields.iter().cloned();
        let requirements = fields.fold(Requirements::new(), Requirements::field);
        let parameters = inner.parameters.iter().cloned();
        let requirements = parameters.fold(requirements, Requirements::parameter);
        names.into_iter().fold(requirements, Requirements::secret)
    }

    fn payload(&self, _: &Parts, cx: &AuthContext<'_>) -> Result<PayloadUse, AuthError> {
        if !self.0.templates().any(Template::needs_body) {
            return Ok(PayloadUse::Ignored);
        }
        for template in self.0.templates() {
            let mut names = Vec::new();
            template.secrets(&mut names, &self.0.key_id);
            names
                .into_iter()
                .try_for_each(|name| text(cx, name).map(drop))?;
        }
        text(cx, &self.0.key).map(drop)?;
        self.0.key(cx)?;
        Ok(PayloadUse::Bytes {
            limit: self.0.body_limit,
        })
    }

    fn apply(
        &self,
        request: &mut AuthRequest<'_>,
        cx: &AuthContext<'_>,
    ) -> Result<Applied, AuthError> {
        let inner = &*self.0;
        drop_parameters(request, inner.parameters.iter().map(|name| &**name))?;
        let nonce = inner.nonces.draw()?;
        // Fields and parameters without the signature are added first, so that they can be signed.
        inner.put(request, (cx, nonce), None)?;
        let signature = inner.sign(&TemplateContext {
            request: request.head(),
            cx,
            nonce,
            key_id: &inner.key_id,
            signature: &[],
        })?;
        inner.put(request, (cx, nonce), Some(&signature))?;
        Ok(Applied::default())
    }
}

impl HmacHash {
    fn hash(self) -> Hash {
        match self {
            Self::Sha1 => Hash::Sha1,
            Self::Sha256 => Hash::Sha256,
            Self::Sha384 => Hash::Sha384,
            Self::Sha512 => Hash::Sha512,
        }
    }
}

impl SignatureEncoding {
    fn encode(self, signature: &[u8]) -> Zeroizing<Vec<u8>> {
        let in_hex = |case| {
            let mut digits = Vec::with_capacity(2 * signature.len());
            hex::encode(signature, case, &mut |pair| digits.extend_from_slice(pair));
            digits
        };
        Zeroizing::new(match self {
            Self::Hex => in_hex(HexCase::Lower),
            Self::UpperHex => in_hex(HexCase::Upper),
            Self::Base64 => BASE64_STANDARD.encode(signature).into_bytes(),
            Self::Base64Url => BASE64_URL_SAFE_NO_PAD.encode(signature).into_bytes(),
        })
    }
}

fn from_base64(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    const ENGINE: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(text.len())]);
    let length = ENGINE.decode_slice(text, &mut bytes).ok()?;
    bytes.truncate(length);
    Some(bytes)
}

// Implemented by hand, because the host application may have written a key into a template.
impl fmt::Debug for Hmac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hmac")
            .field("hash", &self.0.hash)
            .field("fields", &self.0.fields)
            .field("parameters", &self.0.parameters)
            .field("secrets", &self.requirements().secrets())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    //! Examples that vendors publish, compared byte for byte.
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::time::{Duration, UNIX_EPOCH};

    use bytes::Bytes;
    use http::Request;

    use super::*;
    use crate::connection::Connection;
    use crate::upstream::Upstream;

    const FORM: &str = "application/x-www-form-urlencoded";

    fn fixed(mut scheme: Hmac, nonce: &'static str) -> Hmac {
        scheme.inner().nonces = Nonces::Fixed(nonce);
        scheme
    }

    /// Returns the request as it's sent.
    fn sent(
        scheme: &Hmac,
        connection: &Connection,
        (method, origin, target): (&str, &str, &str),
        fields: &[(&str, &str)],
        body: &'static str,
        milliseconds: u64,
    ) -> Result<Parts, AuthError> {
        let upstream = Upstream::new(origin).unwrap();
        let destination = upstream.destination();
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{origin}{target}"));
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let mut request = request.body(()).unwrap().into_parts().0;
        let cx = AuthContext::new(connection, &destination, UNIX_EPOCH);
        let payload = match scheme.payload(&request, &cx)? {
            PayloadUse::Bytes { .. } => Some(Bytes::from_static(body.as_bytes())),
            PayloadUse::Ignored => None,
        };
        let cx = AuthContext::new(
            connection,
            &destination,
            UNIX_EPOCH + Duration::from_millis(milliseconds),
        );
        let cx = payload
            .as_ref()
            .map_or(cx, |payload| cx.with_payload(payload));
        let _ = scheme.apply(&mut AuthRequest::new(&mut request), &cx)?;
        Ok(request)
    }

    fn field(request: &Parts, name: &str) -> String {
        let value = request.headers.get(name).unwrap();
        assert!(value.is_sensitive(), "{name}");
        value.to_str().unwrap().to_owned()
    }

    #[test]
    fn the_examples_of_binance() {
        // "SIGNED Endpoint Examples for POST /api/v3/order", HMAC keys.
        let scheme = Hmac::new(HmacHash::Sha256, "{query}{body}").unwrap();
        let scheme = scheme
            .header("X-MBX-APIKEY", "{key_id}")
            .and_then(|scheme| scheme.parameter("signature", "{signature}"))
            .unwrap();
        let connection = Connection::new("binance")
            .with_secret(
                "key_id",
                "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A",
            )
            .with_secret(
                "secret",
                "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j",
            );
        let all = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1\
                   &recvWindow=5000&timestamp=1499827319559";
        let whole = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71";
        let in_query = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC";
        for (query, body, expected) in [
            (all, "", whole),
            (
                in_query,
                "quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559",
                "0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77",
            ),
        ] {
            let target = format!("/api/v3/order?signature=caller&{query}");
            let line = ("POST", "https://api.binance.test", &*target);
            let request = sent(&scheme, &connection, line, &[], body, 0).unwrap();
            let query = format!("{query}&signature={expected}");
            assert_eq!(request.uri.query(), Some(&*query));
            assert!(field(&request, "x-mbx-apikey").starts_with("vmPUZE6mv9"));
        }
        // The same with the time of the gateway.
        let scheme = scheme.parameter("timestamp", "{timestamp_ms}").unwrap();
        let (query, _) = all.split_once("&timestamp").unwrap();
        let target = format!("/api/v3/order?timestamp=1&{query}");
        let line = ("POST", "https://api.binance.test", &*target);
        let request = sent(&scheme, &connection, line, &[], "", 1_499_827_319_559).unwrap();
        assert_eq!(
            request.uri.query(),
            Some(&*format!("{all}&signature={whole}"))
        );
    }

    #[test]
    fn the_example_of_kraken() {
        // "Spot REST Authentication".
        let scheme = Hmac::new(HmacHash::Sha512, "{path}{sha256({form:nonce}{body})}").unwrap();
        let scheme = scheme
            .key("secret", KeyEncoding::Base64)
            .encoding(SignatureEncoding::Base64)
            .header("API-Sign", "{signature}")
            .unwrap();
        let key = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj\
                   6F1huXg==";
        let body = "nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy\
                    &volume=1.25";
        let line = ("POST", "https://api.kraken.test", "/0/private/AddOrder");
        for key in [key, key.trim_end_matches('=')] {
            let connection = Connection::new("kraken").with_secret("secret", key);
            let fields = [("content-type", FORM)];
            let request = sent(&scheme, &connection, line, &fields, body, 0).unwrap();
            assert_eq!(
                field(&request, "api-sign"),
                "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8nd\
                 wLUQ=="
            );
        }
    }

    #[test]
    fn the_example_of_duo() {
        // Auth API, Accounts API: "Authentication".
        let message = "{timestamp_mail}\n{upper({method})}\n{lower({host})}\n{path}\n\
                       {query_canonical}{form_canonical}";
        let scheme = Hmac::new(HmacHash::Sha1, message).unwrap();
        let scheme = scheme
            .header("Date", "{timestamp_mail}")
            .and_then(|scheme| {
                scheme.header("Authorization", "Basic {base64({key_id}:{signature})}")
            })
            .unwrap();
        let connection = Connection::new("duo")
            .with_secret("key_id", "DIWJ8X6AEYOR5OMC6TQ1")
            .with_secret("secret", "Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep");
        let origin = "https://API-xxxxxxxx.duosecurity.com";
        let path = "/accounts/v1/account/list";
        let parameters = "username=root&realname=First+Last";
        let in_query = format!("{path}?{parameters}");
        let fields = [("content-type", FORM)];
        for (target, fields, body) in [(path, &fields[..], parameters), (&*in_query, &[], "")] {
            let line = ("POST", origin, target);
            let request =
                sent(&scheme, &connection, line, fields, body, 1_345_570_158_000).unwrap();
            assert_eq!(field(&request, "date"), "Tue, 21 Aug 2012 17:29:18 -0000");
            assert_eq!(
                field(&request, "authorization"),
                "Basic RElXSjhYNkFFWU9SNU9NQzZUUTE6MmQ5N2Q2MTY2MzE5NzgxYjVhM2EwN2FmMzlkMzY2ZjQ5MTIz\
                 NGVkYw=="
            );
        }
    }

    #[test]
    fn the_examples_of_hawk() {
        // "Protocol Example" and "Payload Validation" of its README.
        let connection = Connection::new("hawk")
            .with_secret("key_id", "dh37fgj492je")
            .with_secret("secret", "werxhqb98rpaxn39848xrunpaw3489ruxnpa98w4rxn");
        let begin = "hawk.1.header\n{timestamp}\n{nonce}\n{upper({method})}\n{path_and_query}\n\
                     {hostname}\n{port}\n";
        let value = "Hawk id=\"{key_id}\", ts=\"{timestamp}\", nonce=\"{nonce}\", ";
        let ext = "ext=\"some-app-ext-data\"";
        let payload = "{sha256_base64(hawk.1.payload\n{header:content-type}\n{body}\n)}";
        let head = "Hawk id=\"dh37fgj492je\", ts=\"1353832234\", nonce=\"j4h3g2\", ";
        for (method, body, hash, mac) in [
            (
                "GET",
                "",
                "",
                "6R4rV5iE+NPoym+WwjeHzjAGXUtLNIxmo1vpMofpLAE=",
            ),
            (
                "POST",
                "Thank you for flying Hawk",
                payload,
                "aSe1DERmZuRl3pI36/9BdZmnErTw3sNzOOAUlfeKjVw=",
            ),
        ] {
            let message = format!("{begin}{hash}\nsome-app-ext-data\n");
            let scheme = Hmac::new(HmacHash::Sha256, &message).unwrap();
            let scheme = scheme
                .encoding(SignatureEncoding::Base64)
                .header(
                    "authorization",
                    &format!("{value}{ext}, mac=\"{{signature}}\""),
                )
                .unwrap();
            let scheme = fixed(scheme, "j4h3g2");
            let line = (method, "http://example.com:8000", "/resource/1?b=1&a=2");
            let fields = [("content-type", "text/plain")];
            let request =
                sent(&scheme, &connection, line, &fields, body, 1_353_832_234_000).unwrap();
            assert_eq!(
                field(&request, "authorization"),
                format!("{head}{ext}, mac=\"{mac}\"")
            );
        }
    }

    #[test]
    fn rfc4231_and_rfc2202_vectors() {
        // Test case 2 of each: key "Jefe".
        let connection = Connection::new("v").with_secret("secret", "4a656665");
        for (hash, expected) in [
            (HmacHash::Sha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            (
                HmacHash::Sha256,
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                HmacHash::Sha384,
                "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b\
                 3239ecfab21649",
            ),
            (
                HmacHash::Sha512,
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d\
                 034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            ),
        ] {
            let scheme = Hmac::new(hash, "what do ya want for nothing?").unwrap();
            let scheme = scheme.key("secret", KeyEncoding::Hex);
            let scheme = scheme.header("x-signature", "{signature}").unwrap();
            let line = ("GET", "https://v.test", "/");
            let request = sent(&scheme, &connection, line, &[], "", 0).unwrap();
            assert_eq!(field(&request, "x-signature"), expected);
        }
    }

    #[test]
    fn each_value_is_what_is_sent() {
        let connection = Connection::new("v")
            .with_secret("secret", "k")
            .with_secret("app", "4pp")
            .with_secret("key_id", "1d");
        let line = (
            "pAtCh",
            "https://V.test:8443",
            "/a%20b//?b=%7e&a-b=1&a=2&a=+",
        );
        let fields = [("x-one", "1"), ("x-one", "2"), ("content-type", FORM)];
        for (template, expected) in [
            (
                "{method} {upper({method})} {lower({method})}",
                "pAtCh PATCH patch",
            ),
            (
                "{scheme}://{host} {hostname} {port}",
                "https://v.test:8443 v.test 8443",
            ),
            ("{path_and_query}", "/a%20b//?b=%7e&a-b=1&a=2&a=+"),
            ("{path} {query}", "/a%20b// b=%7e&a-b=1&a=2&a=+"),
            ("{query_sorted}", "a=+&a=2&a-b=1&b=%7e"),
            ("{query_canonical}", "a=%20&a=2&a-b=1&b=~"),
            ("{query:b} {query:c}.", "~ ."),
            ("{body} {form_canonical} {form:y}", "y=%2B&x x=&y=%2B +"),
            ("{header:x-one} {header:x-two}.", "1, 2 ."),
            ("{secret:app} {key_id}", "4pp 1d"),
            (
                "{timestamp} {timestamp_iso}",
                "1499827319 2017-07-12T02:41:59Z",
            ),
            ("{nonce} {nonce_uuid} {nonce_base64}", "once once once"),
            ("{hex(ab{key_id})} {upper_hex(\u{ff})}", "61623164 C3BF"),
            (
                "{base64(ab?>)} {base64url(ab?>)} {percent(a b)}",
                "YWI/Pg== YWI_Pg a%20b",
            ),
            (
                "{body_sha1_hex} {sha256_base64()}",
                "d8595b416d944cd36e6e912cb6adfd5c0bc5feb3 \
                 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            ),
        ] {
            let scheme = Hmac::new(HmacHash::Sha256, "").unwrap();
            let scheme = fixed(scheme.header("x-made", template).unwrap(), "once");
            let now = 1_499_827_319_559;
            let request = sent(&scheme, &connection, line, &fields, "y=%2B&x", now).unwrap();
            let made = field(&request, "x-made");
            assert_eq!(made, expected, "{template}");
        }
    }

    #[test]
    fn signatures_are_written_as_the_vendor_wants_them() {
        let connection = Connection::new("v").with_secret("secret", "Jefe");
        let message = "what do ya want for nothing?";
        for (encoding, expected) in [
            (
                SignatureEncoding::Hex,
                "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
            ),
            (
                SignatureEncoding::UpperHex,
                "EFFCDF6AE5EB2FA2D27416D5F184DF9C259A7C79",
            ),
            (SignatureEncoding::Base64, "7/zfauXrL6LSdBbV8YTfnCWafHk="),
            (SignatureEncoding::Base64Url, "7_zfauXrL6LSdBbV8YTfnCWafHk"),
        ] {
            let scheme = Hmac::new(HmacHash::Sha1, message).unwrap();
            let scheme = scheme.encoding(encoding);
            let scheme = scheme.header("x-signature", "{signature}").unwrap();
            let line = ("GET", "https://v.test", "/");
            let request = sent(&scheme, &connection, line, &[], "", 0).unwrap();
            assert_eq!(field(&request, "x-signature"), expected);
        }
    }

    #[test]
    fn only_a_message_that_names_the_body_keeps_it() {
        let request = Request::new(()).into_parts().0;
        let scheme = |message| Hmac::new(HmacHash::Sha256, message).unwrap();
        let kept = PayloadUse::Bytes { limit: 7 };
        for (scheme, expected) in [
            (scheme("{method}{path}"), PayloadUse::Ignored),
            (scheme("{body}"), kept),
            (scheme("{lower({body_sha256_hex})}"), kept),
            (
                scheme("").header("x-hash", "{body_sha256_base64}").unwrap(),
                kept,
            ),
        ] {
            let connection = Connection::new("v").with_secret("secret", "s");
            let upstream = Upstream::new("https://v.test").unwrap();
            let destination = upstream.destination();
            let cx = AuthContext::new(&connection, &destination, UNIX_EPOCH);
            assert_eq!(scheme.body_limit(7).payload(&request, &cx), Ok(expected));
        }
    }

    #[test]
    fn what_a_caller_sends_that_no_field_may_hold_is_its_own_fault() {
        let scheme = Hmac::new(HmacHash::Sha256, "{query:q}").unwrap();
        let scheme = scheme.header("x-q", "{query:q}:{signature}").unwrap();
        let connection = Connection::new("v").with_secret("secret", "s");
        let line = ("GET", "https://v.test", "/?q=a%0d%0ax:%20b");
        let refused = sent(&scheme, &connection, line, &[], "", 0);
        assert_eq!(refused.err(), Some(NO_FIELD));
    }

    #[test]
    fn a_key_that_is_none_signs_nothing() {
        let scheme = |encoding| {
            let scheme = Hmac::new(HmacHash::Sha256, "{method}{secret:other}").unwrap();
            let scheme = scheme.key("k", encoding);
            scheme.header("x-signature", "{signature}").unwrap()
        };
        let line = ("GET", "https://v.test", "/");
        for (encoding, key, expected) in [
            (KeyEncoding::Base64, "a*", AuthError::InvalidKey),
            (KeyEncoding::Hex, "abc", AuthError::InvalidKey),
            (KeyEncoding::Hex, "xy", AuthError::InvalidKey),
            (KeyEncoding::Raw, "a\r\nb", AuthError::InvalidHeaderValue),
            (KeyEncoding::Base64, "YWJj\n", AuthError::InvalidHeaderValue),
        ] {
            let connection = Connection::new("v")
                .with_secret("k", key)
                .with_secret("other", "x");
            let refused = sent(&scheme(encoding), &connection, line, &[], "", 0);
            assert_eq!(refused.err(), Some(expected));
        }
        let scheme = scheme(KeyEncoding::Raw);
        assert_eq!(
            scheme.requirements().secrets(),
            ["k".into(), "other".into()]
        );
        let missing = Connection::new("v").with_secret("k", "x");
        let refused = sent(&scheme, &missing, line, &[], "", 0);
        assert_eq!(
            refused.err(),
            Some(AuthError::MissingSecret("other".into()))
        );
        let broken = missing.with_secret("other", "a\nb");
        let refused = sent(&scheme, &broken, line, &[], "", 0);
        assert_eq!(refused.err(), Some(AuthError::InvalidHeaderValue));
    }

    #[test]
    fn what_cannot_be_sent_is_refused_when_it_is_said() {
        assert!(Hmac::new(HmacHash::Sha256, "{signature}").is_err());
        assert!(Hmac::new(HmacHash::Sha256, "{lower({signature})}").is_err());
        let scheme = || Hmac::new(HmacHash::Sha256, "{method}").unwrap();
        for (name, template) in [
            ("host", "{signature}"),
            ("Content-Length", "{signature}"),
            ("a b", "{signature}"),
            ("x-signature", "{signatur}"),
            ("x-signature", "a\n{signature}"),
        ] {
            assert!(scheme().header(name, template).is_err(), "{name}");
        }
        for (name, template) in [("", "{signature}"), ("__domain", "x"), ("s", "{s}")] {
            assert!(scheme().parameter(name, template).is_err(), "{name}");
        }
        let shown = format!("{:?}", scheme().header("x-s", "k3y {signature}").unwrap());
        assert!(!shown.contains("k3y"), "{shown}");
    }
}
