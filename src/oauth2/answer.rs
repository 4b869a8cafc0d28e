//! Parses the response of a token endpoint: tokens, or the reason why there are none.
//!
//! Only tokens and error codes from a fixed list leave this module, because the text of an error may repeat the
//! request.

use std::time::{Duration, SystemTime};

use http::StatusCode;
use serde_json::{Map, Value};
use zeroize::{Zeroize, Zeroizing};

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
    /// `None` for the default: `expires_in_sec` or `expires_in`, in the same object as the access token.
    pub(super) lifetime: Option<Path>,
    /// `None` for the default: `expires_at` or `expires_on`, in the same object as the access token.
    pub(super) expiry: Option<Path>,
    pub(super) default_lifetime: Option<Duration>,
    /// Error codes of this endpoint that mean `invalid_grant`.
    pub(super) revoked_errors: Vec<Box<str>>,
    /// Error codes and parts of descriptions with which this endpoint refuses a grant that stays valid.
    pub(super) passing_errors: Vec<Box<str>>,
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
            passing_errors: Vec::new(),
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
    /// The grant is refused now, but stays valid. The code is present if it's a registered code.
    Passing(Option<&'static str>),
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
    let said = fields.as_ref().map(|fields| Said::read(shape, fields));
    let said = said.unwrap_or_default();
    if said.is_revoked && is_final(status) {
        return Err(match said.passes {
            true => Refusal::Passing(said.code),
            false => Refusal::Revoked,
        });
    }
    Err(match (status.is_success(), said.code, fields) {
        (true, None, None) => Refusal::Unreadable,
        (true, None, Some(_)) => Refusal::NoToken,
        (_, code, _) => Refusal::Code(code),
    })
}

/// Returns `true` if an error with that status can be about the grant. The others are about the moment: the server is busy, or another
/// request with the same refresh token is in progress.
fn is_final(status: StatusCode) -> bool {
    let is_of_the_moment = matches!(
        status,
        StatusCode::REQUEST_TIMEOUT
            | StatusCode::CONFLICT
            | StatusCode::LOCKED
            | StatusCode::TOO_EARLY
            | StatusCode::TOO_MANY_REQUESTS
    );
    (status.is_success() || status.is_client_error()) && !is_of_the_moment
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
    // Zoho's older endpoints return milliseconds in `expires_in`, and seconds in `expires_in_sec`.
    let lifetime = value(&shape.lifetime, &["expires_in_sec", "expires_in"]);
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

/// The parts of descriptions with which vendors refuse a grant that stays valid, although the code is `invalid_grant`. The letters are
/// compared regardless of case.
const PASSING_TEXTS: [&str; 12] = [
    // Salesforce, while another request with the same refresh token is in progress:
    // https://help.salesforce.com/s/articleView?id=release-notes.rn_security_refresh_token_requests.htm&release=250&type=5
    "already being processed",
    // Salesforce: "ip restricted or invalid login hours"
    // https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_flow_errors.htm&type=5
    "ip restricted",
    "login hours",
    // Exact Online, until shortly before the end of the access token.
    "access token not expired",
    "too many requests",
    "rate limit",
    "temporarily unavailable",
    "try again later",
    // Microsoft Entra ID: a client that asks too often, and failures of the service.
    // https://learn.microsoft.com/entra/identity-platform/reference-error-codes
    "aadsts50196",
    "aadsts90006",
    "aadsts90024",
    "aadsts90033",
];

/// The number of objects within objects in which errors are searched.
const MAX_DEPTH: usize = 4;

/// The errors in a response.
#[derive(Default)]
struct Said {
    /// The first registered code.
    code: Option<&'static str>,
    /// One of the codes says that the grant is revoked.
    is_revoked: bool,
    /// A code or a description says that the refusal passes.
    passes: bool,
}

impl Said {
    /// Searches the members in which vendors return errors, in the whole response and in the object of the access token.
    fn read(shape: &Shape, fields: &Fields) -> Self {
        let mut said = Self::default();
        said.read_object(shape, &fields.0, MAX_DEPTH);
        if let Some((parents, _)) = shape.access_token.0.rsplit_once('.') {
            if let Some(Value::Object(beside)) = find(fields, parents.split('.')) {
                said.read_object(shape, beside, MAX_DEPTH);
            }
        }
        said
    }

    fn read_object(&mut self, shape: &Shape, fields: &Map<String, Value>, depth: usize) {
        // The member of RFC 6749 §5.2 comes first, for the code in the log.
        let error = fields.get_key_value("error");
        let others = fields.iter().filter(|(name, _)| *name != "error");
        for (name, value) in error.into_iter().chain(others) {
            let role = Role::from_name(name);
            if role != Role::Other {
                self.read_value(shape, role, value, depth);
            }
        }
    }

    fn read_value(&mut self, shape: &Shape, role: Role, value: &Value, depth: usize) {
        match value {
            Value::String(text) => self.read_text(shape, role, text),
            Value::Number(number) => self.read_text(shape, role, &number.to_string()),
            Value::Array(values) if depth > 0 => values
                .iter()
                .for_each(|value| self.read_value(shape, role, value, depth - 1)),
            Value::Object(fields) if depth > 0 => self.read_object(shape, fields, depth - 1),
            _ => {}
        }
    }

    fn read_text(&mut self, shape: &Shape, role: Role, text: &str) {
        let is_in = |words: &[Box<str>]| words.iter().any(|word| **word == *text);
        if matches!(role, Role::Code | Role::CodeOrText) {
            self.is_revoked |= text == "invalid_grant" || is_in(&shape.revoked_errors);
            self.passes |= is_in(&shape.passing_errors);
            self.code = self.code.or_else(|| registered(text));
        }
        if matches!(role, Role::Text | Role::CodeOrText) {
            let own = shape.passing_errors.iter().map(|part| &**part);
            self.passes |= PASSING_TEXTS
                .into_iter()
                .chain(own)
                .any(|part| contains_ignoring_case(text, part));
        }
    }
}

/// The meaning of a member in an error.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// A code, or an object or an array with codes.
    Code,
    /// A description for humans, which is never read as a code.
    Text,
    /// A description that some vendors use for a code alone.
    CodeOrText,
    Other,
}

impl Role {
    /// Returns the role of the member with that name, in any spelling: `error_code`, `errorCode`, `ErrorCode`.
    fn from_name(name: &str) -> Self {
        const NAMES: [(&str, Role); 32] = [
            ("error", Role::CodeOrText),
            ("errors", Role::CodeOrText),
            ("errorcode", Role::Code),
            ("errorcodes", Role::Code),
            ("errortype", Role::Code),
            ("errorsubtype", Role::Code),
            ("suberror", Role::Code),
            ("errorname", Role::Code),
            ("errorreason", Role::CodeOrText),
            ("errcode", Role::Code),
            ("errno", Role::Code),
            ("subcode", Role::Code),
            ("statustxt", Role::CodeOrText),
            ("code", Role::Code),
            ("status", Role::Code),
            ("type", Role::Code),
            ("reason", Role::CodeOrText),
            ("name", Role::Code),
            ("fault", Role::CodeOrText),
            ("faultstring", Role::CodeOrText),
            ("data", Role::CodeOrText),
            ("meta", Role::CodeOrText),
            ("message", Role::CodeOrText),
            ("msg", Role::CodeOrText),
            ("errormessage", Role::CodeOrText),
            ("errormsg", Role::CodeOrText),
            ("errmsg", Role::CodeOrText),
            ("submsg", Role::Text),
            ("errordescription", Role::Text),
            ("description", Role::Text),
            ("detail", Role::Text),
            ("details", Role::Text),
        ];
        let letters = || name.bytes().filter(|byte| !matches!(byte, b'_' | b'-'));
        let is_it = |known: &&(&str, Self)| {
            letters()
                .map(|byte| byte.to_ascii_lowercase())
                .eq(known.0.bytes())
        };
        NAMES
            .iter()
            .find(is_it)
            .map_or(Self::Other, |known| known.1)
    }
}

fn contains_ignoring_case(text: &str, part: &str) -> bool {
    !part.is_empty()
        && text
            .as_bytes()
            .windows(part.len())
            .any(|window| window.eq_ignore_ascii_case(part.as_bytes()))
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
            let parsed = match std::str::from_utf8(body) {
                Ok(text) => serde_json::from_str(text).ok(),
                Err(_) => Self::parse_latin1(body),
            };
            return parsed.map(Self);
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

    /// Parses a JSON object in ISO 8859-1, in which old servers write names of users. Tokens are ASCII, and the answer may be the only
    /// copy of a token.
    #[cold]
    fn parse_latin1(body: &[u8]) -> Option<Map<String, Value>> {
        // Each byte takes at most two bytes in UTF-8, so the buffer doesn't grow and leave a copy of a token.
        let mut text = Zeroizing::new(String::with_capacity(body.len() * 2));
        text.extend(body.iter().copied().map(char::from));
        serde_json::from_str(&text).ok()
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
            r#"{"access_token":"a+b","refresh_token":"r","expires_in":60000,"expires_in_sec":60}"#,
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
    fn an_answer_in_latin_1_is_read() {
        let body = b"{\"access_token\":\"a\",\"user\":\"caf\xe9\",\"refresh_token\":\"r\"}";
        let tokens = read(&Shape::default(), StatusCode::OK, body, began()).ok();
        let refresh_token = tokens.and_then(|tokens| tokens.refresh_token);
        assert_eq!(refresh_token, Some(Secret::from("r")));
        let broken = b"{\"access_token\":\"a\",\"user\":\"caf\xe9\"";
        let refusal = read(&Shape::default(), StatusCode::OK, broken, began()).err();
        assert_eq!(refusal, Some(Refusal::Unreadable));
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
            (400, r#"{"error":["invalid_grant"]}"#),
            // Fitbit, HubSpot, Apigee, JSON:API, and others.
            (
                400,
                r#"{"errors":[{"errorType":"invalid_grant","message":"x"}],"success":false}"#,
            ),
            (
                400,
                r#"{"status":"invalid_refresh_token","message":"missing or invalid refresh token"}"#,
            ),
            (
                401,
                r#"{"fault":{"faultstring":"x","detail":{"errorcode":"invalid_refresh_token"}}}"#,
            ),
            (
                400,
                r#"{"errors":[{"title":"x"},{"status":"400","code":"invalid_grant"}]}"#,
            ),
            (400, r#"{"errors":["invalid_grant"]}"#),
            (400, r#"{"message":"invalid_grant"}"#),
            (400, r#"{"Error-Code":"invalid_grant"}"#),
            (400, r#"{"error":"x","error_codes":[190]}"#),
            (400, r#"{"data":{"error":{"code":"invalid_grant"}}}"#),
            (200, r#"{"errcode":190,"errmsg":"invalid refresh_token"}"#),
            (
                200,
                r#"{"status_code":500,"status_txt":"invalid_grant","data":null}"#,
            ),
            (400, r#"{"meta":{"error_type":"invalid_grant","code":400}}"#),
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
    fn a_refusal_that_passes_is_not_the_end_of_the_grant() {
        let shape = Shape {
            revoked_errors: vec!["dead".into()],
            passing_errors: vec!["BUSY".into(), "is in use".into()],
            ..Shape::default()
        };
        for body in [
            r#"{"error":"invalid_grant","error_description":"Token request is already being processed"}"#,
            "error=invalid_grant&error_description=token+request+is+already+being+processed",
            r#"{"error":"invalid_grant","error_description":"ip restricted or invalid login hours"}"#,
            r#"{"error":"invalid_grant","error_description":"AADSTS50196: The server terminated an operation"}"#,
            r#"{"error":"invalid_grant","message":"Rate limit exceeded."}"#,
            r#"{"error":"invalid_grant","error_subtype":"BUSY"}"#,
            r#"{"error":"invalid_grant","error_description":"The token IS IN USE."}"#,
            r#"{"error":{"code":"dead","message":"Too many requests"}}"#,
            r#"{"errors":[{"errorType":"invalid_grant","message":"busy"}]}"#,
        ] {
            let expected = match body.contains("dead") {
                true => Refusal::Passing(None),
                false => Refusal::Passing(Some("invalid_grant")),
            };
            let refusal = refused(&shape, StatusCode::BAD_REQUEST, body);
            assert_eq!(refusal, Some(expected), "{body}");
        }
        for body in [
            r#"{"error":"invalid_grant","error_description":"expired access/refresh token"}"#,
            r#"{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"#,
            r#"{"error":"invalid_grant","error_uri":"https://vendor.test/rate limit"}"#,
        ] {
            let refusal = refused(&shape, StatusCode::BAD_REQUEST, body);
            assert_eq!(refusal, Some(Refusal::Revoked), "{body}");
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
            (
                400,
                r#"{"error_description":"invalid_grant"}"#,
                Refusal::Code(None),
            ),
            (400, r#"{"error":"not invalid_grant"}"#, Refusal::Code(None)),
            (400, r#"{"scope":"invalid_grant"}"#, Refusal::Code(None)),
            (409, r#"{"error":"invalid_grant"}"#, code("invalid_grant")),
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
