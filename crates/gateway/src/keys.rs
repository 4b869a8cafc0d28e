//! The places in which SDKs send a caller's key: `x-api-key`, `Authorization` in many forms, the subprotocols of a WebSocket, and the places
//! that an integration names in `caller_key`. A key is removed from the subprotocols and from the places that an integration names, so that
//! the key never reaches an upstream. `x-api-key` and `Authorization` are removed by the library.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use base64::Engine as _;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::GeneralPurposeConfig;
use bytes::{Bytes, BytesMut};
use http::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, SEC_WEBSOCKET_PROTOCOL, TRANSFER_ENCODING,
};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use http_body_util::BodyExt;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::callers::{API_KEY, Caller};

/// The parameter in which a signed URL of AWS names the key.
const CREDENTIAL: &str = "X-Amz-Credential";

/// The maximum size of a form that is read to find a key, in bytes, and the maximum time.
const FORM_SIZE: usize = 256 * 1024;
const FORM_TIME: Duration = Duration::from_secs(10);

/// The number of forms that are read at the same time. Their callers aren't authenticated yet, so they may use only this memory.
static FORMS: Semaphore = Semaphore::const_new(256);

/// The maximum number of places in a query or a form that are compared with the keys. Each costs a hash, before the caller is known.
const MAX_CANDIDATES: usize = 8;

/// The maximum number of subprotocols that are compared with the keys. The client of Kubernetes offers six.
const MAX_SUBPROTOCOLS: usize = 16;

/// The prefix of a token of Kubernetes in a subprotocol. The token is in base64 for URLs.
const ENCODED_TOKEN: &[u8] = b"base64url.bearer.authorization.k8s.io.";

/// Some SDKs omit the padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent),
);

/// Base64 for URLs (RFC 4648 §5). Some clients omit the padding.
const BASE64_FOR_URLS: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent),
);

/// The places that integrations name in `caller_key`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct KeyPlaces {
    headers: Vec<HeaderName>,
    parameters: Vec<String>,
    /// The fields of forms in a request's body.
    fields: Vec<String>,
}

/// The caller whose key a request contains.
#[derive(Debug, Default)]
struct Found {
    caller: Option<Arc<Caller>>,
    /// The request contains keys of several callers, and it's unclear which of them is meant.
    is_ambiguous: bool,
    /// The request names so many places that they aren't all looked at, and the key could be in one of the others.
    has_too_many: bool,
}

impl Found {
    fn add(&mut self, found: Option<Arc<Caller>>) {
        match (&self.caller, found) {
            (_, None) => {}
            (None, found) => self.caller = found,
            (Some(known), Some(other)) => self.is_ambiguous |= !Arc::ptr_eq(known, &other),
        }
    }

    fn into_caller(self) -> Option<Arc<Caller>> {
        let is_clear = !self.is_ambiguous && !self.has_too_many;
        self.caller.filter(|_| is_clear)
    }
}

impl KeyPlaces {
    pub(crate) fn add_header(&mut self, name: HeaderName) {
        if !self.headers.contains(&name) {
            self.headers.push(name);
        }
    }

    pub(crate) fn add_parameter(&mut self, name: &str) {
        add(&mut self.parameters, name);
    }

    pub(crate) fn add_field(&mut self, name: &str) {
        add(&mut self.fields, name);
    }

    /// Returns the caller whose key is in the request, and removes keys from the named places. `find` returns the caller of a key.
    ///
    /// If the request has an `x-api-key`, the key in it counts alone, because SDKs always send something in their own places. Two
    /// lines of a field, and keys of two callers, count as no key, because it's unclear which of them is meant.
    pub(crate) async fn take(
        &self,
        request: Request,
        find: impl Fn(&[u8]) -> Option<Arc<Caller>>,
    ) -> (Request, Option<Arc<Caller>>) {
        let mut request = request;
        let mut found = Found::default();
        let headers = request.headers();
        let has_own = headers.contains_key(API_KEY);
        if has_own {
            found.add(only(headers, &API_KEY).and_then(&find));
        } else if let Some(value) = only(headers, &AUTHORIZATION) {
            forms(value, &mut |key| found.add(find(key)));
        }
        let mut elsewhere = Found::default();
        take_subprotocols(request.headers_mut(), &find, &mut elsewhere);
        for name in &self.headers {
            take_header(request.headers_mut(), name, &find, &mut elsewhere);
        }
        let is_named = |name: &str| {
            name.eq_ignore_ascii_case(CREDENTIAL)
                || self.parameters.iter().any(|known| known == name)
        };
        take_parameters(&mut request, &find, &mut elsewhere, is_named);
        found.has_too_many |= elsewhere.has_too_many;
        if has_own {
            return (request, found.into_caller());
        }
        found.is_ambiguous |= elsewhere.is_ambiguous;
        found.add(elsewhere.caller);
        let is_found = found.caller.is_some() || found.is_ambiguous || found.has_too_many;
        if !is_found && !self.fields.is_empty() && is_form(request.headers()) {
            request = self.take_field(request, &find, &mut found).await;
        }
        (request, found.into_caller())
    }

    /// Reads the form in the request's body, and removes a key. A form that is too long or too slow counts as a form without a key.
    async fn take_field(
        &self,
        request: Request,
        find: &impl Fn(&[u8]) -> Option<Arc<Caller>>,
        found: &mut Found,
    ) -> Request {
        let (mut head, body) = request.into_parts();
        // The time includes the wait for a permit, or callers that send nothing could keep others waiting.
        let read = timeout(FORM_TIME, async {
            let _permit = FORMS.acquire().await.ok()?;
            read_form(body).await
        });
        let Ok(Some(form)) = read.await else {
            return Request::from_parts(head, Body::empty());
        };
        let is_named = |name: &str| self.fields.iter().any(|known| known == name);
        let text = std::str::from_utf8(&form).unwrap_or_default();
        let kept = without_keys(text, find, found, is_named);
        let form = kept.map_or(form, Bytes::from);
        head.headers.remove(TRANSFER_ENCODING);
        head.headers
            .insert(CONTENT_LENGTH, HeaderValue::from(form.len()));
        Request::from_parts(head, Body::from(form))
    }

    /// Returns the text that tells a caller where the key is looked for.
    pub(crate) fn detail(&self) -> String {
        let mut detail = "the call carries no valid API key: send one as `x-api-key`, in `Authorization` as `Bearer KEY`, `KEY`, \
            `token KEY` or with another word before it, as the user or the password of `Basic`, as the access key id of an AWS signature, or in \
            `Sec-WebSocket-Protocol`"
            .to_owned();
        let headers = self.headers.iter().map(HeaderName::as_str);
        let parameters = self.parameters.iter().map(String::as_str);
        let fields = self.fields.iter().map(String::as_str);
        let places = (headers.map(|name| ("header field", name)))
            .chain(parameters.map(|name| ("query parameter", name)))
            .chain(fields.map(|name| ("form field", name)));
        for (kind, name) in places {
            detail.push_str(&format!(", or as the {kind} `{name}`"));
        }
        detail
    }
}

/// Reads a form without its trailers. Returns `None` if the form is too long or breaks off.
///
/// The pieces are copied, because a piece of a byte keeps a much larger buffer alive.
async fn read_form(mut body: Body) -> Option<Bytes> {
    let mut form = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.ok()?.into_data() else {
            continue;
        };
        if form.len() + data.len() > FORM_SIZE {
            return None;
        }
        form.extend_from_slice(&data);
    }
    Some(form.freeze())
}

fn add(names: &mut Vec<String>, name: &str) {
    if !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}

fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h [u8]> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    Some(value.as_bytes())
}

/// Calls `with` for each text in the value of a field that may be a key, in the forms that SDKs write.
fn forms(value: &[u8], with: &mut impl FnMut(&[u8])) {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let end = value.iter().position(is_space).unwrap_or(value.len());
    let (scheme, rest) = value.split_at_checked(end).unwrap_or_default();
    let rest = rest.trim_ascii();
    let is = |name: &str| scheme.eq_ignore_ascii_case(name.as_bytes());
    if rest.is_empty() {
        return with(value);
    }
    if is("basic") {
        return basic(rest, with);
    }
    let aws = scheme.get(..5);
    if aws.is_some_and(|aws| aws.eq_ignore_ascii_case(b"AWS4-")) {
        return credential(rest, with);
    }
    with(rest);
    if is("token") {
        if let Some(key) = parameter(rest, "token") {
            with(key);
        }
    }
    if !is("bearer") {
        with(value);
    }
}

/// Reads the user and the password, or the whole text without a colon (RFC 7617 §2).
fn basic(encoded: &[u8], with: &mut impl FnMut(&[u8])) {
    let Ok(text) = BASE64.decode(encoded) else {
        return;
    };
    let text = Zeroizing::new(text);
    for part in text.splitn(2, |&byte| byte == b':') {
        if !part.is_empty() {
            with(part);
        }
    }
}

/// Reads the key id in `Credential=KEY/20260101/eu-west-1/s3/aws4_request`. The parts after the key id contain no slash; the key may.
fn credential(parameters: &[u8], with: &mut impl FnMut(&[u8])) {
    if let Some(scope) = parameter(parameters, "credential") {
        key_of_credential(scope, with);
    }
}

/// Version 4A has no region in the scope of the key.
fn key_of_credential(credential: &[u8], with: &mut impl FnMut(&[u8])) {
    for parts in [5, 4] {
        let mut parts = credential.rsplitn(parts, |&byte| byte == b'/');
        if let (Some(_), Some(key)) = (parts.nth(2), parts.last()) {
            with(key);
        }
    }
}

/// Returns the value of a parameter in `name=value, name="value"`.
fn parameter<'a>(parameters: &'a [u8], name: &str) -> Option<&'a [u8]> {
    parameters.split(|&byte| byte == b',').find_map(|pair| {
        let pair = pair.trim_ascii();
        let equals = pair.iter().position(|&byte| byte == b'=')?;
        let (found, value) = pair.split_at_checked(equals)?;
        let value = value.strip_prefix(b"=")?.trim_ascii();
        let quoted = value
            .strip_prefix(b"\"")
            .and_then(|value| value.strip_suffix(b"\""));
        let is_named = found.trim_ascii().eq_ignore_ascii_case(name.as_bytes());
        is_named.then_some(quoted.unwrap_or(value))
    })
}

fn take_header(
    headers: &mut HeaderMap,
    name: &HeaderName,
    find: &impl Fn(&[u8]) -> Option<Arc<Caller>>,
    found: &mut Found,
) {
    let mut here = Found::default();
    let mut lines = 0;
    for value in headers.get_all(name) {
        lines += 1;
        if lines > MAX_CANDIDATES {
            found.has_too_many = true;
            return;
        }
        forms(value.as_bytes(), &mut |key| here.add(find(key)));
    }
    if here.caller.is_some() {
        headers.remove(name);
        found.is_ambiguous |= here.is_ambiguous || lines > 1;
        found.add(here.caller);
    }
}

/// Removes keys from the subprotocols of a WebSocket. A page in a browser can't set another field, so SDKs write the key there: OpenAI's
/// SDK offers `realtime, openai-insecure-api-key.KEY`, and Deepgram's SDK offers `token, KEY`.
fn take_subprotocols(
    headers: &mut HeaderMap,
    find: &impl Fn(&[u8]) -> Option<Arc<Caller>>,
    found: &mut Found,
) {
    if !headers.contains_key(SEC_WEBSOCKET_PROTOCOL) {
        return;
    }
    let lines = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    let offered = lines.flat_map(|line| line.as_bytes().split(|&byte| byte == b','));
    let mut kept = Vec::new();
    let mut here = Found::default();
    let offered = offered.map(<[u8]>::trim_ascii);
    let offered = offered.filter(|subprotocol| !subprotocol.is_empty());
    for (nth, subprotocol) in offered.enumerate() {
        if nth >= MAX_SUBPROTOCOLS {
            found.has_too_many = true;
            return;
        }
        let mut of_this = Found::default();
        subprotocol_forms(subprotocol, &mut |key| of_this.add(find(key)));
        match of_this.caller {
            None => kept.push(subprotocol),
            key => here.add(key),
        }
        here.is_ambiguous |= of_this.is_ambiguous;
    }
    if here.caller.is_none() {
        return;
    }
    let kept = HeaderValue::from_bytes(&kept.join(&b", "[..])).ok();
    match kept.filter(|kept| !kept.is_empty()) {
        Some(kept) => {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, kept);
        }
        None => {
            headers.remove(SEC_WEBSOCKET_PROTOCOL);
        }
    }
    found.is_ambiguous |= here.is_ambiguous;
    found.add(here.caller);
}

/// Calls `with` for each text in a subprotocol that may be a key: the subprotocol, and the parts after its first and its last full stop. The
/// key itself may contain full stops.
fn subprotocol_forms(subprotocol: &[u8], with: &mut impl FnMut(&[u8])) {
    with(subprotocol);
    if let Some(token) = subprotocol.strip_prefix(ENCODED_TOKEN) {
        if let Ok(token) = BASE64_FOR_URLS.decode(token) {
            with(&Zeroizing::new(token));
        }
    }
    let is_stop = |byte: &u8| *byte == b'.';
    let first = subprotocol.splitn(2, is_stop).nth(1);
    let last = subprotocol.rsplitn(2, is_stop).next();
    if let (Some(first), Some(last)) = (first, last) {
        with(first);
        if first != last {
            with(last);
        }
    }
}

/// Removes keys from the query.
fn take_parameters(
    request: &mut Request,
    find: &impl Fn(&[u8]) -> Option<Arc<Caller>>,
    found: &mut Found,
    is_named: impl Fn(&str) -> bool,
) {
    let query = request.uri().query().unwrap_or_default();
    let Some(kept) = without_keys(query, find, found, is_named) else {
        return;
    };
    if let Some(uri) = with_query(request.uri(), &kept) {
        *request.uri_mut() = uri;
    }
}

/// Returns the pairs, except the pairs whose value is a key, or `None` if there is no key.
fn without_keys(
    pairs: &str,
    find: &impl Fn(&[u8]) -> Option<Arc<Caller>>,
    found: &mut Found,
    is_named: impl Fn(&str) -> bool,
) -> Option<String> {
    // The positions of the pairs with a key, of which there are few, as the candidates are. Most queries have none.
    let mut with_key = Vec::new();
    let mut candidates = 0;
    for (position, pair) in pairs.split('&').enumerate() {
        let mut here = Found::default();
        if let Some((name, value)) = form_urlencoded::parse(pair.as_bytes()).next() {
            if is_named(&name) {
                candidates += 1;
                if candidates > MAX_CANDIDATES {
                    found.has_too_many = true;
                    return None;
                }
                here.add(find(value.as_bytes()));
                key_of_credential(value.as_bytes(), &mut |key| here.add(find(key)));
            }
        }
        if here.caller.is_some() {
            with_key.push(position);
            found.add(here.caller);
        }
    }
    if with_key.is_empty() {
        return None;
    }
    let pairs = pairs.split('&').enumerate();
    let kept = pairs.filter(|(position, _)| !with_key.contains(position));
    let kept: Vec<_> = kept.map(|(_, pair)| pair).collect();
    Some(kept.join("&"))
}

/// Returns the URI with that query, or without a query if it's empty.
fn with_query(uri: &Uri, query: &str) -> Option<Uri> {
    let mut parts = uri.clone().into_parts();
    let target = match query {
        "" => uri.path().to_owned(),
        query => format!("{}?{query}", uri.path()),
    };
    parts.path_and_query = Some(PathAndQuery::from_maybe_shared(Bytes::from(target)).ok()?);
    Uri::from_parts(parts).ok()
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let kind = kind.and_then(|kind| kind.split(|&byte| byte == b';').next());
    kind.is_some_and(|kind| {
        kind.trim_ascii()
            .eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
    })
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn read(value: &str) -> Vec<String> {
        let mut read = Vec::new();
        forms(value.as_bytes(), &mut |key| {
            read.push(String::from_utf8_lossy(key).into_owned());
        });
        read
    }

    #[test]
    fn a_key_is_read_in_each_form_that_sdks_write() {
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        for value in [
            "k",
            "Bearer k",
            "bearer  k",
            "BEARER\tk",
            "token k",
            "Token k",
            "Token token=k",
            "Token token=\"k\"",
            "Token token=\"k\", nonce=\"n\"",
            "SSWS k",
            "Bot k",
            "Klaviyo-API-Key k",
            "OAuth k",
            &basic("k:"),
            &basic("k:x"),
            &basic("AC1:k"),
            &basic(":k"),
            &basic("k"),
            &basic("api:k").replace('=', ""),
            &basic("k:").replace("Basic", "basic"),
            "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00",
            "AWS4-HMAC-SHA256 SignedHeaders=host,Credential=k/20260101/us-east-1/s3/aws4_request,Signature=00",
            "AWS4-ECDSA-P256-SHA256 Credential=k/20260101/s3/aws4_request, SignedHeaders=host, Signature=00",
        ] {
            assert!(read(value).contains(&"k".to_owned()), "{value}");
        }
        let slash = "AWS4-HMAC-SHA256 Credential=k/+=/20260101/us-east-1/s3/aws4_request";
        assert!(read(slash).contains(&"k/+=".to_owned()));
        assert_eq!(read(&basic("a:b:c")), ["a", "b:c"]);
        assert_eq!(read("Bearer a b"), ["a b"]);
    }

    #[test]
    fn a_key_is_read_in_each_form_of_a_subprotocol() {
        let read = |subprotocol: &str| {
            let mut read = Vec::new();
            subprotocol_forms(subprotocol.as_bytes(), &mut |key| {
                read.push(String::from_utf8_lossy(key).into_owned());
            });
            read
        };
        for (subprotocol, expected) in [
            ("k", &["k"][..]),
            ("p.k", &["p.k", "k"]),
            ("p.k.l", &["p.k.l", "k.l", "l"]),
            ("", &[""]),
            (".", &[".", ""]),
        ] {
            assert_eq!(read(subprotocol), expected, "{subprotocol}");
        }
        let of_kubernetes = "base64url.bearer.authorization.k8s.io.az8_";
        assert!(
            ["k??", "az8_"]
                .iter()
                .all(|key| read(of_kubernetes).contains(&(*key).to_owned()))
        );
    }

    #[test]
    fn other_texts_are_no_keys() {
        for value in [
            "Basic k",
            "Basic a2",
            "Basic",
            "Bearer x, k",
            "AWS4-HMAC-SHA256 k",
            "AWS4-HMAC-SHA256 Credential=x/k/k/k",
            "Token secret=k",
        ] {
            assert!(!read(value).contains(&"k".to_owned()), "{value}");
        }
    }
}
