//! OAuth 1.0a (RFC 5849): each request signed with the client's and the token's secrets.
//!
//! The host application runs the three-legged authorization flow that returns the token, and stores
//! its result.

mod base_string;
mod method;
mod rsa;

pub use self::rsa::RsaSha1Signer;

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderName;
use http::header::AUTHORIZATION;
use http::request::Parts;
use zeroize::Zeroizing;

use self::base_string::BaseString;
use self::method::Method;
use super::signing::{
    BODY_LIMIT, Nonces, Parameters, add_parameters, drop_parameters, is_form, pairs, text,
};
use super::{
    Applied, AuthContext, AuthError, AuthRequest, AuthScheme, PayloadUse, Requirements, SchemeError,
};
use crate::encoding::calendar::since_epoch;
use crate::encoding::percent::{decode_form, encode};
use crate::policy::Scheme;
use crate::secret::sensitive;

/// The parameters of the protocol itself.
const PROTOCOL_PARAMETERS: [&str; 8] = [
    "oauth_consumer_key",
    "oauth_token",
    "oauth_signature_method",
    "oauth_timestamp",
    "oauth_nonce",
    "oauth_version",
    "oauth_body_hash",
    "oauth_signature",
];

/// Signs requests by OAuth 1.0a (RFC 5849).
///
/// ```
/// use tower_passthrough::{Connection, Upstream, auth};
///
/// let upstream = Upstream::new("https://1234567.suitetalk.api.netsuite.test")?
///     .auth(auth::OAuth1::hmac_sha256().realm("1234567")?);
/// let connection = Connection::new("netsuite")
///     .with_secret("consumer_key", "9djdj82h48djs9d2")
///     .with_secret("consumer_secret", "j49sk3j29djd")
///     .with_secret("token", "kkk9d7dh3k39sjv7")
///     .with_secret("token_secret", "dh893hdasih9");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// The connection's secrets are `consumer_key`, `consumer_secret`, `token` and `token_secret`; a
/// [`two_legged`](Self::two_legged) scheme doesn't need the last two. With RSA, they are
/// `consumer_key`, `token` and `private_key`, in PEM.
///
/// The signature covers the request as it's sent (§3.4.1): its method, its address, the parameters
/// of its query and, if the body is a form (`application/x-www-form-urlencoded`, not compressed),
/// the parameters of its body. Forms are buffered for that, up to [`body_limit`](Self::body_limit);
/// every other body streams. The caller must send the `Content-Type` of a form: an upstream's
/// default header of that name isn't considered.
///
/// The protocol's own parameters are removed from the caller's query. A form that contains some of
/// them is answered with `bad-address`, because a body isn't changed.
#[derive(Clone)]
pub struct OAuth1 {
    method: Method,
    realm: Option<Box<str>>,
    has_token: bool,
    in_query: bool,
    has_version: bool,
    hashes_bodies: bool,
    body_limit: usize,
    nonces: Nonces,
    field: [HeaderName; 1],
    parameters: Arc<[Box<str>]>,
}

impl OAuth1 {
    /// Returns a scheme that signs by `HMAC-SHA1` (§3.4.2).
    #[must_use]
    pub fn hmac_sha1() -> Self {
        Self::new(Method::HmacSha1)
    }

    /// Returns a scheme that signs by `HMAC-SHA256`: §3.4.2 with another hash, which many upstreams
    /// require.
    #[must_use]
    pub fn hmac_sha256() -> Self {
        Self::new(Method::HmacSha256)
    }

    /// Returns a scheme that signs by `RSA-SHA256`: §3.4.3 with another hash. The key has 2,048 to
    /// 8,192 bits, in PKCS #8 or PKCS #1, without encryption.
    #[must_use]
    pub fn rsa_sha256() -> Self {
        Self::new(Method::RsaSha256)
    }

    /// Returns a scheme that signs by `RSA-SHA1` (§3.4.3), with your own signer: see
    /// [`RsaSha1Signer`].
    #[must_use]
    pub fn rsa_sha1(signer: impl RsaSha1Signer) -> Self {
        Self::new(Method::RsaSha1(Arc::new(signer)))
    }

    /// Returns a scheme that sends the secrets themselves: `PLAINTEXT` (§3.4.4). If the upstream
    /// isn't called over TLS, the call is answered with `destination-refused`.
    #[must_use]
    pub fn plaintext() -> Self {
        Self::new(Method::Plaintext)
    }

    fn new(method: Method) -> Self {
        Self {
            method,
            realm: None,
            has_token: true,
            in_query: false,
            has_version: true,
            hashes_bodies: false,
            body_limit: BODY_LIMIT,
            nonces: Nonces::Random,
            field: [AUTHORIZATION],
            parameters: PROTOCOL_PARAMETERS
                .iter()
                .map(|&name| name.into())
                .collect(),
        }
    }

    /// Sets the `realm` in `Authorization`. It isn't signed (§3.4.1.3.1), and isn't sent if the parameters are in the
    /// query. Default: none.
    ///
    /// # Errors
    ///
    /// [`SchemeError`] if it contains a quotation mark, a backslash, or anything but printable
    /// ASCII.
    pub fn realm(mut self, realm: &str) -> Result<Self, SchemeError> {
        let fits = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
        if !realm.bytes().all(fits) {
            return Err(SchemeError(
                "the realm contains characters that a quoted string can't contain",
            ));
        }
        self.realm = Some(realm.into());
        Ok(self)
    }

    /// Signs only for the client, without a token. Default: a token is required.
    #[must_use]
    pub fn two_legged(mut self) -> Self {
        self.has_token = false;
        self
    }

    /// Puts the parameters into the query (§3.5.3), for upstreams that don't read `Authorization`.
    ///
    /// Prefer the header field: URLs are often logged, and an upstream may repeat its own URL in a
    /// response. [`Upstream::scrub_links`](crate::Upstream::scrub_links), which is on by default, removes
    /// the parameters from the fields with links, and `Refresh`, but not from other fields or a body.
    ///
    /// Default: the parameters are in the field `Authorization`.
    #[must_use]
    pub fn in_query(mut self) -> Self {
        self.in_query = true;
        self
    }

    /// Omits `oauth_version`, which is optional (§3.1). Default: `oauth_version` is sent.
    #[must_use]
    pub fn without_version(mut self) -> Self {
        self.has_version = false;
        self
    }

    /// Adds `oauth_body_hash` to requests that aren't forms, so that their body is signed as well
    /// (draft-eaton-oauth-bodyhash-00), with the hash of the signature's method. `PLAINTEXT` has no
    /// hash.
    ///
    /// *Each* body is then buffered, up to [`body_limit`](Self::body_limit).
    ///
    /// Default: off.
    #[must_use]
    pub fn body_hash(mut self) -> Self {
        self.hashes_bodies = true;
        self
    }

    /// Sets the maximum size of a body that is buffered to be signed, in bytes.
    ///
    /// A larger body is answered with `body-too-large`. Signing a form temporarily takes up to
    /// fifteen times its size in memory, and up to thirty times with RSA.
    ///
    /// Default: 1 MiB.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Returns the hash of the body in base64, if the hash must be sent.
    fn hash_of(&self, cx: &AuthContext<'_>, is_form: bool) -> Result<Option<String>, AuthError> {
        let (Some(hash), true, false) = (self.method.hash(), self.hashes_bodies, is_form) else {
            return Ok(None);
        };
        let body = cx.payload().map(|body| &**body).unwrap_or_default();
        let hash = hash.digest(|sink| {
            sink(body);
            Ok::<_, AuthError>(())
        })?;
        Ok(Some(BASE64_STANDARD.encode(hash)))
    }

    /// Returns `OAuth realm="…", oauth_consumer_key="…", …` (§3.5.1), allocated at its final size.
    fn header(&self, parameters: &[(&str, &[u8])]) -> Vec<u8> {
        let realm = self.realm.iter().map(|realm| realm.len() + 10);
        let others = parameters
            .iter()
            .map(|(name, value)| name.len() + 3 * value.len() + 5);
        let room = 6 + realm.sum::<usize>() + others.sum::<usize>();
        let mut value = Vec::with_capacity(room);
        value.extend_from_slice(b"OAuth ");
        if let Some(realm) = &self.realm {
            for part in ["realm=\"", realm, "\", "] {
                value.extend_from_slice(part.as_bytes());
            }
        }
        for (nth, (name, plain)) in parameters.iter().enumerate() {
            if nth > 0 {
                value.extend_from_slice(b", ");
            }
            value.extend_from_slice(name.as_bytes());
            value.extend_from_slice(b"=\"");
            encode(plain, &mut |part| value.extend_from_slice(part));
            value.push(b'"');
        }
        value
    }
}

impl OAuth1 {
    /// Returns the names of the secrets that the scheme reads.
    fn secrets(&self) -> impl Iterator<Item = &'static str> {
        let token = self.has_token.then_some("token");
        let keys = self.method.secrets(self.has_token);
        std::iter::once("consumer_key")
            .chain(token)
            .chain(keys.iter().copied())
    }

    fn check(&self, cx: &AuthContext<'_>) -> Result<(), AuthError> {
        if self.method.is_in_clear() && cx.destination().scheme() != Scheme::Https {
            return Err(AuthError::PlaintextRefused);
        }
        // A private key has several lines, so it isn't checked for line breaks.
        self.secrets().try_for_each(|name| match name {
            "private_key" => cx.secret(name).map(drop),
            _ => text(cx, name).map(drop),
        })
    }
}

impl AuthScheme for OAuth1 {
    fn requirements(&self) -> Requirements {
        let requirements = self
            .secrets()
            .fold(Requirements::new(), Requirements::secret);
        match self.in_query {
            true => self
                .parameters
                .iter()
                .cloned()
                .fold(requirements, Requirements::parameter),
            false => self
                .field
                .iter()
                .cloned()
                .fold(requirements, Requirements::field),
        }
    }

    fn payload(&self, request: &Parts, cx: &AuthContext<'_>) -> Result<PayloadUse, AuthError> {
        // A form is searched for the protocol's own parameters even if nothing is signed.
        let is_hashed = self.hashes_bodies && self.method.hash().is_some();
        if !is_hashed && !is_form(&request.headers) {
            return Ok(PayloadUse::Ignored);
        }
        self.check(cx)?;
        Ok(PayloadUse::Bytes {
            limit: self.body_limit,
        })
    }

    fn apply(
        &self,
        request: &mut AuthRequest<'_>,
        cx: &AuthContext<'_>,
    ) -> Result<Applied, AuthError> {
        self.check(cx)?;
        // The caller's parameters are removed from the query, even if the scheme's parameters are
        // sent elsewhere, because an upstream may read both places.
        drop_parameters(request, PROTOCOL_PARAMETERS.into_iter())?;
        let is_form = is_form(request.headers());
        // The payload may be there only because another scheme needs it, so it isn't always a form.
        let form = cx.payload().filter(|_| is_form);
        let form = form.map(|form| &**form).unwrap_or_default();
        if pairs(form).any(|(name, _)| is_own(name)) {
            return Err(AuthError::Ambiguous);
        }

        let nonce = self.nonces.draw()?.short();
        let timestamp = http::HeaderValue::from(since_epoch(cx.now()).as_secs());
        let hash = self.hash_of(cx, is_form)?;
        let mut own: Vec<(&str, &[u8])> = Vec::with_capacity(PROTOCOL_PARAMETERS.len());
        own.push(("oauth_consumer_key", text(cx, "consumer_key")?));
        if self.has_token {
            own.push(("oauth_token", text(cx, "token")?));
        }
        own.push(("oauth_signature_method", self.method.name().as_bytes()));
        own.push(("oauth_timestamp", timestamp.as_bytes()));
        own.push(("oauth_nonce", nonce.as_bytes()));
        if self.has_version {
            own.push(("oauth_version", b"1.0"));
        }
        if let Some(hash) = &hash {
            own.push(("oauth_body_hash", hash.as_bytes()));
        }
        let query = request.uri().query().unwrap_or_default();
        let parameters = Parameters::new(&[query.as_bytes(), form], &own);
        let base = BaseString {
            method: request.method().as_str(),
            destination: cx.destination(),
            path: request.uri().path(),
            parameters: &parameters,
        };
        let signature: Zeroizing<Vec<u8>> = self.method.sign(&base, cx, self.has_token)?;
        own.push(("oauth_signature", &signature));
        if self.in_query {
            add_parameters(request, &own)?;
            return Ok(Applied::default());
        }
        let value = sensitive(self.header(&own))?;
        let [field] = &self.field;
        request.insert_header(field.clone(), value);
        Ok(Applied::default())
    }
}

/// Returns `true` if a name, as it's encoded in a form, is a parameter of the protocol.
fn is_own(encoded: &[u8]) -> bool {
    // The longest name has 22 bytes, and each byte may be encoded as three bytes.
    if encoded.len() > 3 * 22 {
        return false;
    }
    let mut name = Vec::with_capacity(encoded.len());
    decode_form(encoded, &mut |byte| name.extend_from_slice(byte));
    PROTOCOL_PARAMETERS.iter().any(|own| own.as_bytes() == name)
}

// Implemented by hand, because a signer of the host application may print its data.
impl fmt::Debug for OAuth1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuth1")
            .field("method", &self.method.name())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    //! Published examples, compared byte for byte.
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::io::Write as _;
    use std::process::{Command, Stdio};
    use std::time::{Duration, UNIX_EPOCH};

    use bytes::Bytes;
    use http::Request;

    use super::*;
    use crate::connection::Connection;
    use crate::secret::Secret;
    use crate::upstream::Upstream;

    /// Returns the sent parts of that request: its target and its `Authorization`.
    fn sent(
        scheme: &OAuth1,
        connection: &Connection,
        (method, url): (&str, &str),
        form: Option<&'static str>,
        now: u64,
    ) -> Result<(String, Option<String>), AuthError> {
        let (origin, _) = url.split_at(url.match_indices('/').nth(2).map_or(0, |(at, _)| at));
        let upstream = Upstream::new(origin).unwrap();
        let destination = upstream.destination();
        let mut request = Request::builder().method(method).uri(url);
        if form.is_some() {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        let mut request = request.body(()).unwrap().into_parts().0;
        let payload = form.map(|form| Bytes::from_static(form.as_bytes()));
        let cx = AuthContext::new(connection, &destination, UNIX_EPOCH);
        let payload = match scheme.payload(&request, &cx)? {
            PayloadUse::Bytes { .. } => Some(payload.unwrap_or_default()),
            PayloadUse::Ignored => None,
        };
        let cx = AuthContext::new(
            connection,
            &destination,
            UNIX_EPOCH + Duration::from_secs(now),
        );
        let cx = payload
            .as_ref()
            .map_or(cx, |payload| cx.with_payload(payload));
        let _ = scheme.apply(&mut AuthRequest::new(&mut request), &cx)?;
        let value = request.headers.get(AUTHORIZATION);
        assert!(value.is_none_or(http::HeaderValue::is_sensitive));
        let value = value.map(|value| value.to_str().unwrap().to_owned());
        Ok((request.uri.to_string(), value))
    }

    /// Returns `oauth_signature` as it is in the header.
    fn signature(
        scheme: &OAuth1,
        connection: &Connection,
        line: (&str, &str),
        form: Option<&'static str>,
        now: u64,
    ) -> String {
        let (_, value) = sent(scheme, connection, line, form, now).unwrap();
        let value = value.unwrap();
        let (_, after) = value.split_once("oauth_signature=\"").unwrap();
        after.trim_end_matches('"').to_owned()
    }

    fn fixed(mut scheme: OAuth1, nonce: &'static str) -> OAuth1 {
        scheme.nonces = Nonces::Fixed(nonce);
        scheme
    }

    fn rfc5849() -> Connection {
        Connection::new("example")
            .with_secret("consumer_key", "9djdj82h48djs9d2")
            .with_secret("consumer_secret", "j49sk3j29djd")
            .with_secret("token", "kkk9d7dh3k39sjv7")
            .with_secret("token_secret", "dh893hdasih9")
    }

    const REQUEST: (&str, &str) = (
        "POST",
        "http://example.com/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b",
    );

    #[test]
    fn rfc5849_1_2_the_photos_example() {
        let connection = Connection::new("photos")
            .with_secret("consumer_key", "dpf43f3p2l4k3l03")
            .with_secret("consumer_secret", "kd94hf93k423kf44")
            .with_secret("token", "nnch734d00sl2jdk")
            .with_secret("token_secret", "pfkkdhi9sl3r4s00");
        let scheme = fixed(OAuth1::hmac_sha1(), "chapoH").without_version();
        let scheme = scheme.realm("Photos").unwrap();
        let url = "http://photos.example.net/photos?file=vacation.jpg&size=original";
        let (target, value) = sent(&scheme, &connection, ("GET", url), None, 137_131_202).unwrap();
        assert_eq!(target, url);
        assert_eq!(
            value.unwrap(),
            "OAuth realm=\"Photos\", oauth_consumer_key=\"dpf43f3p2l4k3l03\", \
             oauth_token=\"nnch734d00sl2jdk\", oauth_signature_method=\"HMAC-SHA1\", \
             oauth_timestamp=\"137131202\", oauth_nonce=\"chapoH\", \
             oauth_signature=\"MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D\""
        );
    }

    /// The private key of the test case "RSA-SHA1" of oauth.net's wiki, published for such tests.
    const WIKI_KEY: &str = "\
-----BEGIN PRIVATE KEY-----
MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBALRiMLAh9iimur8V
A7qVvdqxevEuUkW4K+2KdMXmnQbG9Aa7k7eBjK1S+0LYmVjPKlJGNXHDGuy5Fw/d
7rjVJ0BLB+ubPK8iA/Tw3hLQgXMRRGRXXCn8ikfuQfjUS1uZSatdLB81mydBETlJ
hI6GH4twrbDJCR2Bwy/XWXgqgGRzAgMBAAECgYBYWVtleUzavkbrPjy0T5FMou8H
X9u2AC2ry8vD/l7cqedtwMPp9k7TubgNFo+NGvKsl2ynyprOZR1xjQ7WgrgVB+mm
uScOM/5HVceFuGRDhYTCObE+y1kxRloNYXnx3ei1zbeYLPCHdhxRYW7T0qcynNmw
rn05/KO2RLjgQNalsQJBANeA3Q4Nugqy4QBUCEC09SqylT2K9FrrItqL2QKc9v0Z
zO2uwllCbg0dwpVuYPYXYvikNHHg+aCWF+VXsb9rpPsCQQDWR9TT4ORdzoj+Nccn
qkMsDmzt0EfNaAOwHOmVJ2RVBspPcxt5iN4HI7HNeG6U5YsFBb+/GZbgfBT3kpNG
WPTpAkBI+gFhjfJvRw38n3g/+UeAkwMI2TJQS4n8+hid0uus3/zOjDySH3XHCUno
cn1xOJAyZODBo47E+67R4jV1/gzbAkEAklJaspRPXP877NssM5nAZMU0/O/NGCZ+
3jPgDUno6WbJn5cqm8MqWhW1xGkImgRk+fkDBquiq4gPiT898jusgQJAd5Zrr6Q8
AO/0isr/3aa6O6NLQxISLKcPDk2NOccAfS/xOtfOz4sJYM3+Bs4Io9+dZGSDCA54
Lw03eHTNQghS0A==
-----END PRIVATE KEY-----
";

    /// Signs by the command line of OpenSSL.
    #[derive(Debug)]
    struct OpenSsl;

    impl RsaSha1Signer for OpenSsl {
        fn sign(&self, private_key: &Secret, message: &[u8]) -> Result<Vec<u8>, AuthError> {
            let name = format!("oauth1-{}.pem", std::process::id());
            let file = std::env::temp_dir().join(name);
            std::fs::write(&file, private_key.expose()).unwrap();
            let child = Command::new("openssl")
                .args(["dgst", "-sha1", "-sign"])
                .arg(&file)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn();
            let mut child = child.unwrap();
            child.stdin.take().unwrap().write_all(message).unwrap();
            let output = child.wait_with_output().unwrap();
            std::fs::remove_file(&file).unwrap();
            assert!(output.status.success());
            Ok(output.stdout)
        }
    }

    #[test]
    fn the_rsa_example_of_the_oauth_wiki() {
        if Command::new("openssl").arg("version").output().is_err() {
            eprintln!("skipped: there is no openssl on the path");
            return;
        }
        let connection = Connection::new("wiki")
            .with_secret("consumer_key", "dpf43f3p2l4k3l03")
            .with_secret("private_key", WIKI_KEY);
        let scheme = fixed(OAuth1::rsa_sha1(OpenSsl), "13917289812797014437").two_legged();
        let url = "http://photos.example.net/photos?file=vacaction.jpg&size=original";
        let signed = signature(&scheme, &connection, ("GET", url), None, 1_196_666_512);
        assert_eq!(
            signed,
            "jvTp%2FwX1TYtByB1m%2BPbyo0lnCOLIsyGCH7wke8AUs3BpnwZJtAuEJkvQL2%2F9n4s5wUmUl4aCI4BwpraNx\
             4RtEXMe5qg5T1LVTGliMRpKasKsW%2F%2Fe%2BRinhejgCuzoH26dyF8iY2ZZ%2F5D1ilgeijhV%2FvBka5twt\
             399mXwaYdCwFYE%3D"
        );
    }

    #[test]
    fn rfc5849_3_4_1_1_the_base_string_of_a_form() {
        // The signature is that of erratum 2550: the signature printed in §3.1 belongs to no base string.
        let scheme = fixed(OAuth1::hmac_sha1(), "7d8f3e4a").without_version();
        let form = Some("c2&a3=2+q");
        assert_eq!(
            signature(&scheme, &rfc5849(), REQUEST, form, 137_131_201),
            "r6%2FTJjbCOr97%2F%2BUU0NsvSne7s5g%3D"
        );
        // The same with SHA-256, on which other implementations agree.
        let scheme = fixed(OAuth1::hmac_sha256(), "7d8f3e4a").without_version();
        assert_eq!(
            signature(&scheme, &rfc5849(), REQUEST, form, 137_131_201),
            "ypAxjNip%2B%2BDm0fTM%2BgCl8wAo6ufSnseu1WHxL7py3BU%3D"
        );
    }

    #[test]
    fn rfc5849_3_4_1_1_the_base_string_to_the_byte() {
        let own: [(&str, &[u8]); 5] = [
            ("oauth_consumer_key", b"9djdj82h48djs9d2"),
            ("oauth_token", b"kkk9d7dh3k39sjv7"),
            ("oauth_signature_method", b"HMAC-SHA1"),
            ("oauth_timestamp", b"137131201"),
            ("oauth_nonce", b"7d8f3e4a"),
        ];
        let query = b"b5=%3D%253D&a3=a&c%40=&a2=r%20b";
        let parameters = Parameters::new(&[query, b"c2&a3=2+q"], &own);
        for (origin, method, path, expected) in [
            (
                "http://EXAMPLE.COM:80",
                "post",
                "/request",
                "POST&http%3A%2F%2Fexample.com%2Frequest&",
            ),
            (
                "https://www.example.net:8080",
                "GET",
                "/",
                "GET&https%3A%2F%2Fwww.example.net%3A8080%2F&",
            ),
            (
                "https://v.test:443",
                "GET",
                "/a%20b//c",
                "GET&https%3A%2F%2Fv.test%2Fa%2520b%2F%2Fc&",
            ),
        ] {
            let upstream = Upstream::new(origin).unwrap();
            let destination = upstream.destination();
            let base = BaseString {
                method,
                destination: &destination,
                path,
                parameters: &parameters,
            };
            let mut written = Vec::new();
            base.write(&mut |part| written.extend_from_slice(part));
            assert_eq!(base.length(), written.len());
            let expected = format!(
                "{expected}a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26\
                 oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26\
                 oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26\
                 oauth_token%3Dkkk9d7dh3k39sjv7"
            );
            assert_eq!(String::from_utf8_lossy(&written), expected);
        }
    }

    #[test]
    fn the_example_of_twitters_documentation() {
        // "Creating a signature": of the page as it is, and of an older version.
        let connection = Connection::new("twitter")
            .with_secret("consumer_key", "xvz1evFS4wEEPTGEFPHBog")
            .with_secret(
                "consumer_secret",
                "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
            )
            .with_secret(
                "token",
                "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb",
            )
            .with_secret("token_secret", "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE");
        let scheme = fixed(
            OAuth1::hmac_sha1(),
            "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg",
        );
        let form = "status=Hello%20Ladies%20%2b%20Gentlemen%2c%20a%20signed%20OAuth%20request%21";
        for (version, expected) in [
            ("1.1", "hCtSmYh%2BiHYCEqBWrE7C7hYmtUk%3D"),
            ("1", "tnnArxj06cWHq44gCs1OSKk%2FjLY%3D"),
        ] {
            let url = format!(
                "https://api.twitter.com/{version}/statuses/update.json?include_entities=true"
            );
            let line = ("POST", &*url);
            let signed = signature(&scheme, &connection, line, Some(form), 1_318_622_958);
            assert_eq!(signed, expected);
        }
    }

    #[test]
    fn plaintext_sends_the_secrets_and_only_over_tls() {
        let scheme = OAuth1::plaintext();
        let connection = rfc5849().with_secret("consumer_secret", "djr9rjt0jd78jf88&");
        let (method, http) = REQUEST;
        let https = http.replace("http:", "https:");
        assert_eq!(
            signature(&scheme, &connection, (method, &https), None, 0),
            "djr9rjt0jd78jf88%2526%26dh893hdasih9"
        );
        let scheme = scheme.two_legged();
        assert_eq!(
            signature(&scheme, &connection, (method, &https), None, 0),
            "djr9rjt0jd78jf88%2526%26"
        );
        assert_eq!(
            sent(&scheme, &connection, REQUEST, None, 0),
            Err(AuthError::PlaintextRefused)
        );
    }

    #[test]
    fn in_the_query_ours_are_the_only_ones() {
        let scheme = fixed(OAuth1::hmac_sha1(), "7d8f3e4a").in_query();
        let url = "http://example.com/r?a=%zz&oauth_token=x&%6fauth_signature=y&oauth_verifier=z";
        let line = ("GET", url);
        let (target, value) = sent(&scheme, &rfc5849(), line, None, 137_131_201).unwrap();
        assert_eq!(value, None);
        let (before, signature) = target.split_once("&oauth_signature=").unwrap();
        assert_eq!(
            before,
            "http://example.com/r?a=%zz&oauth_verifier=z&oauth_consumer_key=9djdj82h48djs9d2&\
             oauth_token=kkk9d7dh3k39sjv7&oauth_signature_method=HMAC-SHA1&\
             oauth_timestamp=137131201&oauth_nonce=7d8f3e4a&oauth_version=1.0"
        );
        assert!(signature.ends_with("%3D"));
        let header = fixed(OAuth1::hmac_sha1(), "7d8f3e4a");
        let (target, value) = sent(&header, &rfc5849(), line, None, 137_131_201).unwrap();
        assert_eq!(target, "http://example.com/r?a=%zz&oauth_verifier=z");
        assert!(
            value
                .unwrap()
                .ends_with(&format!("oauth_signature=\"{signature}\""))
        );
    }

    #[test]
    fn a_form_that_brings_parameters_of_the_protocol_is_refused() {
        let scheme = OAuth1::hmac_sha1();
        let url = REQUEST.1.replace("http:", "https:");
        for form in [
            "oauth_token=x",
            "a=1&o%61uth_nonce",
            "%6F%61uth_signature=1",
        ] {
            for scheme in [&scheme, &OAuth1::plaintext()] {
                assert_eq!(
                    sent(scheme, &rfc5849(), ("POST", &url), Some(form), 0),
                    Err(AuthError::Ambiguous)
                );
            }
        }
        let form = Some("oauth_callback=oob&oauth_verifier=1");
        assert!(sent(&scheme, &rfc5849(), REQUEST, form, 0).is_ok());
    }

    #[test]
    fn no_delimiter_in_any_number_is_slow_or_a_panic() {
        let begin = std::time::SystemTime::now();
        for delimiter in ["&", "=", "%", "+", "&=", "a&", "%zz&", "&\u{ff}", "&oauth_"] {
            let form = Bytes::from(delimiter.repeat(65_536 / delimiter.len()));
            let upstream = Upstream::new("https://v.test").unwrap();
            let destination = upstream.destination();
            let connection = rfc5849();
            let cx = AuthContext::new(&connection, &destination, UNIX_EPOCH).with_payload(&form);
            let request = Request::post("https://v.test/?&&").body(());
            let mut request = request.unwrap().into_parts().0;
            let kind = http::HeaderValue::from_static("application/x-www-form-urlencoded");
            request.headers.insert("content-type", kind);
            let _ = OAuth1::hmac_sha1()
                .apply(&mut AuthRequest::new(&mut request), &cx)
                .unwrap();
        }
        // Less than a second without optimization.
        assert!(begin.elapsed().unwrap() < Duration::from_secs(60));
    }

    #[test]
    fn only_forms_are_kept_unless_bodies_are_hashed() {
        let head = |kind: &str| {
            let request = Request::builder().header("content-type", kind);
            request.body(()).unwrap().into_parts().0
        };
        let (form, json) = (
            head("application/x-www-form-urlencoded"),
            head("application/json"),
        );
        let kept = PayloadUse::Bytes { limit: 5 };
        for (scheme, of_form, of_json) in [
            (OAuth1::hmac_sha1(), kept, PayloadUse::Ignored),
            (OAuth1::rsa_sha256(), kept, PayloadUse::Ignored),
            (OAuth1::hmac_sha256().body_hash(), kept, kept),
            // Without a signature, forms are only searched for parameters.
            (OAuth1::plaintext(), kept, PayloadUse::Ignored),
            (OAuth1::plaintext().body_hash(), kept, PayloadUse::Ignored),
        ] {
            let scheme = scheme.body_limit(5);
            let connection = rfc5849().with_secret("private_key", "k");
            let upstream = Upstream::new("https://v.test").unwrap();
            let destination = upstream.destination();
            let cx = AuthContext::new(&connection, &destination, UNIX_EPOCH);
            assert_eq!(scheme.payload(&form, &cx), Ok(of_form), "{scheme:?}");
            assert_eq!(scheme.payload(&json, &cx), Ok(of_json), "{scheme:?}");
        }
    }

    #[test]
    fn the_hash_of_the_drafts_example_is_told() {
        // draft-eaton-oauth-bodyhash-00, §4: a PUT without a form, and a GET without a body.
        let scheme = fixed(
            OAuth1::hmac_sha1().body_hash().two_legged(),
            "10369470270925",
        );
        let connection = Connection::new("example")
            .with_secret("consumer_key", "consumer")
            .with_secret("consumer_secret", "secret");
        let upstream = Upstream::new("http://www.example.com").unwrap();
        let destination = upstream.destination();
        for (body, expected) in [
            ("Hello World!", "Lve95gjOVATpfV8EL5X4nxwjKHE%3D"),
            ("", "2jmj7l5rSw0yVb%2FvlWAYkK%2FYBwk%3D"),
        ] {
            let payload = Bytes::from_static(body.as_bytes());
            let cx = AuthContext::new(
                &connection,
                &destination,
                UNIX_EPOCH + Duration::from_secs(1_236_874_236),
            )
            .with_payload(&payload);
            let request = Request::put("http://www.example.com/resource").body(());
            let mut request = request.unwrap().into_parts().0;
            let _ = scheme
                .apply(&mut AuthRequest::new(&mut request), &cx)
                .unwrap();
            let value = request
                .headers
                .get(AUTHORIZATION)
                .unwrap()
                .to_str()
                .unwrap();
            let hash = format!("oauth_body_hash=\"{expected}\"");
            assert!(value.contains(&hash), "{value}");
        }
    }

    #[test]
    fn secrets_are_named_by_what_is_signed_with() {
        for (scheme, expected) in [
            (
                OAuth1::hmac_sha1(),
                &["consumer_key", "token", "consumer_secret", "token_secret"][..],
            ),
            (
                OAuth1::plaintext().two_legged(),
                &["consumer_key", "consumer_secret"],
            ),
            (
                OAuth1::rsa_sha256(),
                &["consumer_key", "token", "private_key"],
            ),
        ] {
            assert!(scheme.secrets().eq(expected.iter().copied()));
        }
        let missing = Connection::new("example").with_secret("consumer_key", "k");
        assert_eq!(
            sent(&OAuth1::hmac_sha1(), &missing, REQUEST, None, 0),
            Err(AuthError::MissingSecret("token".into()))
        );
    }

    #[test]
    fn a_line_break_in_a_secret_is_not_signed_with() {
        for name in ["consumer_key", "consumer_secret", "token", "token_secret"] {
            for value in ["a\r\nx: y", "a\n", "a\0"] {
                let connection = rfc5849().with_secret(name, value);
                assert_eq!(
                    sent(&OAuth1::hmac_sha1(), &connection, REQUEST, None, 0),
                    Err(AuthError::InvalidHeaderValue)
                );
            }
        }
    }

    #[test]
    fn a_realm_stays_in_its_quotes() {
        for realm in ["a\"b", "a\\b", "a\nb", "\u{e9}"] {
            assert!(OAuth1::hmac_sha1().realm(realm).is_err());
        }
        assert_eq!(
            format!("{:?}", OAuth1::hmac_sha1()),
            "OAuth1 { method: \"HMAC-SHA1\", .. }"
        );
    }
}
