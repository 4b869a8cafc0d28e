//! Parses the response of a token endpoint: tokens, or the reason why there are none.
//!
//! Only tokens and error codes from a fixed list leave this module, because the text of an error may repeat the
//! request.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use http::StatusCode;
use serde_json::{Map, Value};
use zeroize::Zeroize;

use super::expiry;
use crate::encoding::percent::decode_form;
use crate::refresh::Tokens;
use crate::secret::Secret;

/// The positions of the fields in a response.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) access_token: Path,
    /// `None` for the default: `refresh_token`, in the same object as the access token.
    pub(super) refresh_token: Option<Path>,
    /// `None` for the default: `expires_in`, in the same object as the access token.
    pub(super) lifetime: Option<Path>,
    /// `None` for the default: `expires_at` or `expires_on`, in the same object as the access token.
    pub(super) expiry: Option<Path>,
    pub(super) default_lifetime: Option<Duration>,
    /// Error codes of this endpoint that mean `invalid_grant`.
    pub(super) revoked_errors: Vec<Box<str>>,
    /// Fields that are kept as secrets, with their names in the response.
    pub(super) kept: Vec<Path>,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            access_token: Path::new("access_token"),
            refresh_token: None,
            lifetime: None,
            expiry: None,
            default_lifetime: None,
            revoked_errors: Vec::new(),
            kept: Vec::new(),
        }
    }
}

/// Names of nested fields, such as `authed_user.access_token`.
#[derive(Clone, Debug)]
pub(super) struct Path(Box<str>);

impl Path {
    pub(super) fn new(path: impl Into<Box<str>>) -> Self {
        Self(path.into())
    }

    fn find<'a>(&self, fields: &'a Fields) -> Option<&'a Value> {
        find(fields, self.0.split('.'))
    }

    fn find_beside<'a>(&self, fields: &'a Fields, name: &str) -> Option<&'a Value> {
        let parents = self.0.rsplit_once('.').map(|(parents, _)| parents);
        let parents = parents.into_iter().flat_map(|parents| parents.split('.'));
        find(fields, parents.chain([name]))
    }

    fn name(&self) -> &str {
        self.0.rsplit('.').next().unwrap_or_default()
    }
}

fn find<'a, 'n>(fields: &'a Fields, mut names: impl Iterator<Item = &'n str>) -> Option<&'a Value> {
    let first = fields.0.get(names.next()?)?;
    names.try_fold(first, |value, name| value.get(name))
}

/// The reason why a response contains no tokens.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The grant has expired or was revoked.
    Revoked,
    /// The response contains an error. The code is present if it's a registered code.
    Code(Option<&'static str>),
    /// The response is a success without an access token.
    NoToken,
    /// The body is neither JSON nor a form.
    Unreadable,
}

/// Reads the response to a request that began at the time `began`.
pub(super) fn read(
    shape: &Shape,
    status: StatusCode,
    body: &[u8],
    began: SystemTime,
) -> Result<Tokens, Refusal> {
    let fields = Fields::parse(body);
    if let Some(fields) = fields.as_ref().filter(|_| status.is_success()) {
        if let Some(tokens) = tokens(shape, fields, began) {
            return Ok(tokens);
        }
    }
    let passes = status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::REQUEST_TIMEOUT;
    let is_final = (status.is_success() || status.is_client_error()) && !passes;
    let mut code = None;
    if let Some(fields) = &fields {
        for word in words(shape, fields) {
            let is_revoked = *word == *"invalid_grant"
                || shape.revoked_errors.iter().any(|code| **code == *word);
            if is_revoked && is_final {
                return Err(Refusal::Revoked);
            }
            code = code.or_else(|| registered(&word));
        }
    }
    Err(match (status.is_success(), code, fields) {
        (true, None, None) => Refusal::Unreadable,
        (true, None, Some(_)) => Refusal::NoToken,
        (_, code, _) => Refusal::Code(code),
    })
}

fn tokens(shape: &Shape, fields: &Fields, began: SystemTime) -> Option<Tokens> {
    let access_token = &shape.access_token;
    let text = |value: Option<&Value>| {
        let text = value?.as_str().filter(|text| !text.is_empty());
        text.map(Secret::from)
    };
    // If a path is set, only that path is used. Otherwise, the usual names are looked up in the object of the access
    // token.
    let value = |set: &Option<Path>, names: &[&str]| match set {
        Some(path) => path.find(fields),
        None => names
            .iter()
            .find_map(|name| access_token.find_beside(fields, name)),
    };
    let mut tokens = Tokens::new(text(access_token.find(fields))?);
    tokens.refresh_token = text(value(&shape.refresh_token, &["refresh_token"]));
    let lifetime = value(&shape.lifetime, &["expires_in"]);
    let expiry = value(&shape.expiry, &["expires_at", "expires_on"]);
    let by_default = || began.checked_add(shape.default_lifetime?);
    tokens.expires_at = lifetime
        .and_then(|lifetime| expiry::after(lifetime, began))
        .or_else(|| expiry::at(expiry?, began))
        .or_else(by_default);
    for path in &shape.kept {
        if let Some(kept) = text(path.find(fields)) {
            tokens.others.push((path.name().into(), kept));
        }
    }
    Some(tokens)
}

/// Returns the error codes from all usual places: `error` as a string (RFC 6749 §5.2), or as an object with its own
/// code, and `code` and similar fields if there is no `error`.
fn words<'a>(shape: &Shape, fields: &'a Fields) -> impl Iterator<Item = Cow<'a, str>> {
    let error = fields.0.get("error");
    let inside = |name| error.and_then(|error| error.get(name));
    [
        error,
        shape.access_token.find_beside(fields, "error"),
        inside("code"),
        inside("type"),
        inside("status"),
        inside("error"),
        fields.0.get("code"),
        fields.0.get("error_code"),
    ]
    .into_iter()
    .flatten()
    .filter_map(|value| match value {
        Value::String(word) => Some(Cow::Borrowed(&**word)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    })
}

/// Returns the code from the list of registered codes, if it's in the list.
fn registered(word: &str) -> Option<&'static str> {
    /// From RFC 6749 §5.2 and §4.1.2.1, RFC 8707 §2, OpenID Connect Core 1.0 §3.1.2.6.
    const CODES: [&str; 14] = [
        "access_denied",
        "account_selection_required",
        "consent_required",
        "interaction_required",
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "invalid_target",
        "login_required",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_grant_type",
    ];
    CODES.into_iter().find(|code| *code == word)
}

/// The fields of a response, which are wiped when they're dropped. The parser's copies of strings with escapes can't be
/// wiped.
struct Fields(Map<String, Value>);

impl Fields {
    /// Parses a JSON object or a form by its content, as the `Content-Type` is often wrong. GitHub responds with a form
    /// unless the request accepts JSON.
    fn parse(body: &[u8]) -> Option<Self> {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let body = body.trim_ascii();
        if body.first() == Some(&b'{') {
            return serde_json::from_slice(body).ok().map(Self);
        }
        let fits = |&byte: &u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
        if !body.contains(&b'=') || !body.iter().all(fits) {
            return None;
        }
        let mut fields = Self(Map::new());
        for pair in body.split(|&byte| byte == b'&') {
            let at = pair.iter().position(|&byte| byte == b'=');
            let (name, value) = pair.split_at_checked(at.unwrap_or(pair.len()))?;
            let value = value.get(1..).unwrap_or_default();
            if let (Some(name), Some(value)) = (form_decode(name), form_decode(value)) {
                fields.0.insert(name, Value::String(value));
            }
        }
        Some(fields)
    }
}

/// Decodes into a buffer that doesn't grow. Returns `None` if the text isn't UTF-8.
fn form_decode(bytes: &[u8]) -> Option<String> {
    let mut decoded = Vec::with_capacity(bytes.len());
    decode_form(bytes, &mut |part| decoded.extend_from_slice(part));
    match String::from_utf8(decoded) {
        Ok(text) => Some(text),
        Err(error) => {
            error.into_bytes().zeroize();
            None
        }
    }
}

impl Drop for Fields {
    fn drop(&mut self) {
        wipe_fields(&mut self.0);
    }
}

/// Wipes a value and its nested values. The recursion is limited, because the parser allows at most 128 levels.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(fields) => wipe_fields(fields),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn wipe_fields(fields: &mut Map<String, Value>) {
    for (mut name, mut value) in std::mem::take(fields) {
        name.zeroize();
        wipe(&mut value);
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use proptest::prelude::*;

    use super::*;

    fn began() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_700_000_000)
    }

    fn ok(shape: &Shape, body: &str) -> Option<Tokens> {
        read(shape, StatusCode::OK, body.as_bytes(), began()).ok()
    }

    fn refused(shape: &Shape, status: StatusCode, body: &str) -> Option<Refusal> {
        read(shape, status, body.as_bytes(), began()).err()
    }

    fn seconds(tokens: &Tokens) -> Option<u64> {
        let left = tokens.expires_at?.duration_since(began()).ok()?;
        Some(left.as_secs())
    }

    #[test]
    fn tokens_are_read_from_json_and_forms() {
        let shape = Shape::default();
        for body in [
            r#"{"access_token":"a+b","refresh_token":"r","expires_in":60,"token_type":"x"}"#,
            "\u{feff} \n{\"expires_in\":\"60\",\"refresh_token\":\"r\",\"access_token\":\"a\\u002bb\"}\r\n",
            r#"{"access_token":"a+b","refresh_token":"r","expires_on":"1700000060"}"#,
            r#"{"access_token":"a+b","refresh_token":"r","expires_at":"2023-11-14T22:14:20Z"}"#,
            r#"{"access_token":"a+b","refresh_token":"r","expires_in":null,"expires_at":1700000060000}"#,
            "access_token=a%2Bb&expires_in=60&refresh_token=r&scope=&token_type=bearer",
        ] {
            let tokens = ok(&shape, body);
            let read = tokens.as_ref().map(|tokens| {
                (
                    tokens.access_token == Secret::from("a+b"),
                    tokens.refresh_token == Some(Secret::from("r")),
                    seconds(tokens),
                )
            });
            assert_eq!(read, Some((true, true, Some(60))), "{body}");
        }
    }

    #[test]
    fn what_is_absent_stays_unknown() {
        let shape = Shape::default();
        for body in [
            r#"{"access_token":"a"}"#,
            r#"{"access_token":"a","refresh_token":null,"expires_in":null}"#,
            r#"{"access_token":"a","refresh_token":"","expires_in":0}"#,
            r#"{"access_token":"a","refresh_token":7,"expires_in":"never","expires_at":{}}"#,
            "access_token=a&expires_in=&refresh_token",
        ] {
            let tokens = ok(&shape, body);
            let read = tokens
                .as_ref()
                .map(|tokens| (tokens.refresh_token.is_none(), tokens.expires_at));
            assert_eq!(read, Some((true, None)), "{body}");
        }
        let shape = Shape {
            default_lifetime: Some(Duration::from_secs(7)),
            ..Shape::default()
        };
        let tokens = ok(&shape, r#"{"access_token":"a"}"#);
        assert_eq!(tokens.as_ref().and_then(seconds), Some(7));
    }

    #[test]
    fn tokens_are_found_in_odd_places() {
        let slack = Shape {
            access_token: Path::new("authed_user.access_token"),
            kept: vec![Path::new("team.id"), Path::new("nowhere")],
            ..Shape::default()
        };
        let body = r#"{"ok":true,"access_token":"bot","refresh_token":"bot","expires_in":1,"team":{"id":"T1"},
            "authed_user":{"access_token":"user","refresh_token":"next","expires_in":43200}}"#;
        let tokens = ok(&slack, body);
        let read = tokens.as_ref().map(|tokens| {
            (
                tokens.access_token == Secret::from("user"),
                tokens.refresh_token == Some(Secret::from("next")),
                seconds(tokens),
                tokens.others == [("id".into(), Secret::from("T1"))],
            )
        });
        assert_eq!(read, Some((true, true, Some(43200), true)));
        let without = r#"{"access_token":"bot","authed_user":"access_token"}"#;
        assert!(ok(&slack, without).is_none());

        let rotate = Shape {
            access_token: Path::new("token"),
            expiry: Some(Path::new("meta.exp")),
            refresh_token: Some(Path::new("next.token")),
            ..Shape::default()
        };
        let body = r#"{"token":"t","next":{"token":"n"},"meta":{"exp":1700000009},"expires_at":1}"#;
        let tokens = ok(&rotate, body);
        assert_eq!(tokens.as_ref().and_then(seconds), Some(9));
        assert!(tokens.is_some_and(|tokens| tokens.refresh_token == Some(Secret::from("n"))));
    }

    #[test]
    fn revoked_is_what_rfc_6749_and_the_vendor_say() {
        let shape = Shape {
            revoked_errors: vec!["invalid_refresh_token".into(), "190".into()],
            ..Shape::default()
        };
        for (status, body) in [
            (400, r#"{"error":"invalid_grant","error_description":"x"}"#),
            (401, r#"{"error":"invalid_grant"}"#),
            (200, r#"{"error":"invalid_grant"}"#),
            (400, "error=invalid_grant&error_description=a+b"),
            (200, r#"{"ok":false,"error":"invalid_refresh_token"}"#),
            (400, r#"{"error":{"type":"OAuthException","code":190}}"#),
            (403, r#"{"code":"invalid_refresh_token"}"#),
        ] {
            let status = StatusCode::from_u16(status).unwrap_or_default();
            assert_eq!(
                refused(&shape, status, body),
                Some(Refusal::Revoked),
                "{body}"
            );
        }
    }

    #[test]
    fn everything_else_is_a_failure_that_tells_no_word_of_the_vendors() {
        let shape = Shape::default();
        let code = |code| Refusal::Code(Some(code));
        for (status, body, expected) in [
            (400, r#"{"error":"invalid_client"}"#, code("invalid_client")),
            (500, r#"{"error":"invalid_grant"}"#, code("invalid_grant")),
            (429, r#"{"error":"invalid_grant"}"#, code("invalid_grant")),
            (301, r#"{"error":"invalid_grant"}"#, code("invalid_grant")),
            (200, "error=server_error", code("server_error")),
            (400, r#"{"error":"s3cr3t"}"#, Refusal::Code(None)),
            (400, "<html>invalid_grant</html>", Refusal::Code(None)),
            (400, r#"{"error":["invalid_grant"]}"#, Refusal::Code(None)),
            (503, "", Refusal::Code(None)),
            (301, r#"{"access_token":"a"}"#, Refusal::Code(None)),
            (400, r#"{"access_token":"a"}"#, Refusal::Code(None)),
            (200, r#"{"error":"bad_refresh_token"}"#, Refusal::NoToken),
            (200, r#"{"access_token":""}"#, Refusal::NoToken),
            (200, r#"{"access_token":7}"#, Refusal::NoToken),
            (200, r#"{"access_token":["a"]}"#, Refusal::NoToken),
            (200, r#"{"access_token":"a""#, Refusal::Unreadable),
            (200, r#"["access_token","a"]"#, Refusal::Unreadable),
            (200, "<a href=\"?access_token=a\">", Refusal::Unreadable),
            (200, "<a/>access_token=a", Refusal::Unreadable),
            (200, "a", Refusal::Unreadable),
            (200, "", Refusal::Unreadable),
        ] {
            let status = StatusCode::from_u16(status).unwrap_or_default();
            assert_eq!(
                refused(&shape, status, body),
                Some(expected),
                "{status} {body}"
            );
        }
        let deep = "{\"a\":".repeat(100_000);
        assert_eq!(
            refused(&shape, StatusCode::OK, &deep),
            Some(Refusal::Unreadable)
        );
    }

    proptest! {
        #[test]
        fn no_body_is_a_panic(body in any::<Vec<u8>>(), status in 100_u16..600) {
            let status = StatusCode::from_u16(status).unwrap_or_default();
            let _ = read(&Shape::default(), status, &body, began());
        }

        #[test]
        fn no_value_is_a_panic(text in r#"[-+.:TZz0-9eE ]{0,30}|\PC{0,12}"#, number in any::<f64>()) {
            for value in [Value::from(text), Value::from(number)] {
                let end = expiry::after(&value, began()).into_iter().chain(expiry::at(&value, began()));
                for end in end {
                    prop_assert!(end > began() - Duration::from_secs(1));
                }
            }
        }
    }
}
