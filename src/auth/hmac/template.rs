//! The text form of a signed message, and of the fields and parameters that are sent. This module
//! has the only parser of the form, which is strict.
//!
//! ```text
//! template = *( text / "{{" / "}}" / "{" value "}" )
//! value    = name / name ":" argument / function "(" template ")"
//! ```

use http::HeaderName;

use super::timestamp::Timestamp;
use crate::auth::SchemeError;
use crate::auth::header::is_framing;
use crate::auth::signing::Hash;

/// The maximum depth to which functions may be nested.
const MAX_DEPTH: usize = 8;

/// A parsed template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template(pub(super) Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text(Box<str>),
    Value(Value),
    Call(Function, Vec<Self>),
}

/// A value of the request, its connection or the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Method,
    Scheme,
    Host,
    Hostname,
    Port,
    Path,
    PathAndQuery,
    Query,
    QuerySorted,
    QueryCanonical,
    QueryParameter(Box<str>),
    Body,
    FormCanonical,
    FormParameter(Box<str>),
    Header(HeaderName),
    KeyId,
    Secret(Box<str>),
    Timestamp(Timestamp),
    Nonce(NonceForm),
    Signature,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NonceForm {
    Hex,
    Uuid,
    Base64,
}

/// A function that is applied to a nested template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Lower,
    Upper,
    Percent,
    Hex,
    UpperHex,
    Base64,
    Base64Url,
    Digest(Hash, DigestForm),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DigestForm {
    Bytes,
    Hex,
    Base64,
}

impl Template {
    pub(super) fn parse(text: &str) -> Result<Self, SchemeError> {
        let mut parser = Parser { rest: text };
        parser.parts(0).map(Self)
    }

    /// Returns `true` if the template contains the signature.
    pub(super) fn holds_signature(&self) -> bool {
        any(&self.0, &|value| matches!(value, Value::Signature))
    }

    /// Returns `true` if the template can't be rendered without the body.
    pub(super) fn needs_body(&self) -> bool {
        any(&self.0, &|value| {
            matches!(
                value,
                Value::Body | Value::FormCanonical | Value::FormParameter(_)
            )
        })
    }

    /// Adds the names of the secrets in the template. `key_id` is the name of the secret that holds
    /// the key's id.
    pub(super) fn secrets<'a>(&'a self, names: &mut Vec<&'a str>, key_id: &'a str) {
        collect(&self.0, names, key_id);
    }
}

fn any(parts: &[Part], is: &dyn Fn(&Value) -> bool) -> bool {
    parts.iter().any(|part| match part {
        Part::Text(_) => false,
        Part::Value(value) => is(value),
        Part::Call(_, inner) => any(inner, is),
    })
}

fn collect<'a>(parts: &'a [Part], names: &mut Vec<&'a str>, key_id: &'a str) {
    for part in parts {
        let name = match part {
            Part::Value(Value::Secret(name)) => name,
            Part::Value(Value::KeyId) => key_id,
            Part::Call(_, inner) => {
                collect(inner, names, key_id);
                continue;
            }
            Part::Text(_) | Part::Value(_) => continue,
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    /// Parses parts up to the end of the text, or inside a function up to the `)}` that ends the
    /// function.
    fn parts(&mut self, depth: usize) -> Result<Vec<Part>, SchemeError> {
        const UNPAIRED: SchemeError = SchemeError("the template has an unpaired brace");
        if depth > MAX_DEPTH {
            return Err(SchemeError(
                "the template's functions are nested too deeply",
            ));
        }
        let mut parts = Vec::new();
        let mut text = String::new();
        let end = |parts: &mut Vec<Part>, text: &mut String| {
            if !text.is_empty() {
                parts.push(Part::Text(std::mem::take(text).into()));
            }
        };
        loop {
            let Some(brace) = self.rest.find(['{', '}']) else {
                if depth > 0 {
                    return Err(UNPAIRED);
                }
                text.push_str(self.rest);
                end(&mut parts, &mut text);
                return Ok(parts);
            };
            let (before, at) = self.rest.split_at(brace);
            text.push_str(before);
            if let (true, Some(after), true) =
                (depth > 0, at.strip_prefix('}'), text.ends_with(')'))
            {
                text.pop();
                end(&mut parts, &mut text);
                self.rest = after;
                return Ok(parts);
            }
            if let Some(after) = at.strip_prefix("{{") {
                text.push('{');
                self.rest = after;
            } else if let Some(after) = at.strip_prefix("}}") {
                text.push('}');
                self.rest = after;
            } else {
                end(&mut parts, &mut text);
                self.rest = at.strip_prefix('{').ok_or(UNPAIRED)?;
                parts.push(self.placeholder(depth)?);
            }
        }
    }

    /// Parses a placeholder after its `{`, up to its `}`.
    fn placeholder(&mut self, depth: usize) -> Result<Part, SchemeError> {
        const UNPAIRED: SchemeError = SchemeError("the template has an unpaired brace");
        let is_name =
            |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_';
        let end = self.rest.find(|char| !is_name(char)).ok_or(UNPAIRED)?;
        let (name, after) = self.rest.split_at(end);
        if let Some(after) = after.strip_prefix('(') {
            let function = function(name).ok_or(SchemeError(
                "the template has parentheses without the name of a function",
            ))?;
            self.rest = after;
            return Ok(Part::Call(function, self.parts(depth + 1)?));
        }
        let (argument, after) = match after.strip_prefix(':') {
            Some(after) => {
                let (argument, after) = after.split_once('}').ok_or(UNPAIRED)?;
                (Some(argument), after)
            }
            None => {
                let after = after.strip_prefix('}');
                (
                    None,
                    after.ok_or(SchemeError(
                        "the template has braces without the name of a value",
                    ))?,
                )
            }
        };
        self.rest = after;
        match argument {
            Some(argument) => named(name, argument).map(Part::Value),
            None => value(name).ok_or(SchemeError(
                "the template has braces without the name of a value",
            )),
        }
    }
}

fn named(name: &str, argument: &str) -> Result<Value, SchemeError> {
    if argument.is_empty() || argument.contains('{') {
        return Err(SchemeError(
            "the template has a colon without a name after it",
        ));
    }
    Ok(match name {
        "secret" => Value::Secret(argument.into()),
        "query" => Value::QueryParameter(argument.into()),
        "form" => Value::FormParameter(argument.into()),
        "header" => {
            let name: Result<HeaderName, _> = argument.parse();
            let name =
                name.map_err(|_| SchemeError("the template has no name of a header field"))?;
            if is_framing(&name) {
                return Err(SchemeError(
                    "the template reads a field that only the HTTP client sets (`Host`, `Content-Length`, `Connection`, ...); remove it",
                ));
            }
            Value::Header(name)
        }
        _ => {
            return Err(SchemeError(
                "the template has braces without the name of a value",
            ));
        }
    })
}

fn value(name: &str) -> Option<Part> {
    let value = match name {
        "method" => Value::Method,
        "scheme" => Value::Scheme,
        "host" => Value::Host,
        "hostname" => Value::Hostname,
        "port" => Value::Port,
        "path" => Value::Path,
        "path_and_query" => Value::PathAndQuery,
        "query" => Value::Query,
        "query_sorted" => Value::QuerySorted,
        "query_canonical" => Value::QueryCanonical,
        "body" => Value::Body,
        "form_canonical" => Value::FormCanonical,
        "key_id" => Value::KeyId,
        "timestamp" => Value::Timestamp(Timestamp::Seconds),
        "timestamp_ms" => Value::Timestamp(Timestamp::Milliseconds),
        "timestamp_us" => Value::Timestamp(Timestamp::Microseconds),
        "timestamp_iso" => Value::Timestamp(Timestamp::Iso),
        "timestamp_iso_ms" => Value::Timestamp(Timestamp::IsoMilliseconds),
        "timestamp_iso_basic" => Value::Timestamp(Timestamp::IsoBasic),
        "timestamp_http" => Value::Timestamp(Timestamp::Http),
        "timestamp_mail" => Value::Timestamp(Timestamp::Mail),
        "nonce" => Value::Nonce(NonceForm::Hex),
        "nonce_uuid" => Value::Nonce(NonceForm::Uuid),
        "nonce_base64" => Value::Nonce(NonceForm::Base64),
        "signature" => Value::Signature,
        _ => {
            let digest = digest(name.strip_prefix("body_")?)?;
            return Some(Part::Call(digest, vec![Part::Value(Value::Body)]));
        }
    };
    Some(Part::Value(value))
}

fn function(name: &str) -> Option<Function> {
    Some(match name {
        "lower" => Function::Lower,
        "upper" => Function::Upper,
        "percent" => Function::Percent,
        "hex" => Function::Hex,
        "upper_hex" => Function::UpperHex,
        "base64" => Function::Base64,
        "base64url" => Function::Base64Url,
        _ => return digest(name),
    })
}

fn digest(name: &str) -> Option<Function> {
    let (hash, form) = match name.split_once('_') {
        None => (name, DigestForm::Bytes),
        Some((hash, "hex")) => (hash, DigestForm::Hex),
        Some((hash, "base64")) => (hash, DigestForm::Base64),
        Some(_) => return None,
    };
    let hash = match hash {
        "sha1" => Hash::Sha1,
        "sha256" => Hash::Sha256,
        "sha384" => Hash::Sha384,
        "sha512" => Hash::Sha512,
        _ => return None,
    };
    Some(Function::Digest(hash, form))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<Vec<Part>> {
        Template::parse(text).ok().map(|template| template.0)
    }

    #[test]
    fn templates_are_text_values_and_functions() {
        let text = |text: &str| Part::Text(text.into());
        let nonce = || Part::Value(Value::FormParameter("nonce".into()));
        let body = || Part::Value(Value::Body);
        let sha256 = Function::Digest(Hash::Sha256, DigestForm::Bytes);
        assert_eq!(parsed(""), Some(vec![]));
        assert_eq!(
            parsed("{{{method}\n}}({path})"),
            Some(vec![
                text("{"),
                Part::Value(Value::Method),
                text("\n}("),
                Part::Value(Value::Path),
                text(")"),
            ])
        );
        assert_eq!(
            parsed("{path}{sha256({form:nonce}{body})}."),
            Some(vec![
                Part::Value(Value::Path),
                Part::Call(sha256, vec![nonce(), body()]),
                text("."),
            ])
        );
        assert_eq!(
            parsed("{hex({sha256(a) {body}))})}"),
            Some(vec![Part::Call(
                Function::Hex,
                vec![Part::Call(sha256, vec![text("a) "), body(), text(")")])]
            )])
        );
        assert_eq!(parsed("{body_sha256_hex}"), parsed("{sha256_hex({body})}"));
    }

    #[test]
    fn anything_else_is_an_error() {
        for text in [
            "{",
            "}",
            "a}",
            "{a",
            "{}",
            "{ }",
            "{unknown}",
            "{Method}",
            "{method }",
            "{method",
            "{method:x}",
            "{header}",
            "{header:}",
            "{header:a b}",
            "{header:host}",
            "{header:content-length}",
            "{secret}",
            "{secret:}",
            "{secret:a{b}}",
            "{form}",
            "{body_md5_hex}",
            "{body_sha256}x{",
            "{md5({body})}",
            "{sha256_upper({body})}",
            "{lower({method}}",
            "{lower({method})",
            "{lower}",
            "{(x)}",
            "{timestamp_}",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
        let deep = |depth| format!("{}x{}", "{lower(".repeat(depth), ")}".repeat(depth));
        assert!(parsed(&deep(MAX_DEPTH)).is_some());
        assert!(parsed(&deep(MAX_DEPTH + 1)).is_none());
        assert!(parsed(&"{lower(".repeat(100_000)).is_none());
    }

    #[test]
    fn what_it_needs_is_found_at_each_depth() {
        let template = |text| Template::parse(text).ok();
        let of = |text, is: fn(&Template) -> bool| template(text).is_some_and(|it| is(&it));
        assert!(of(
            "{base64({key_id}:{signature})}",
            Template::holds_signature
        ));
        assert!(!of("{key_id}", Template::holds_signature));
        for text in [
            "{body}",
            "{sha512({form:a})}",
            "{upper({form_canonical})}",
            "{body_sha1_hex}",
        ] {
            assert!(of(text, Template::needs_body), "{text}");
        }
        assert!(!of("{path}{header:x}{query}", Template::needs_body));
        let template = template("{secret:a}{lower({key_id}{secret:b})}{secret:a}");
        let mut names = Vec::new();
        if let Some(template) = &template {
            template.secrets(&mut names, "k");
        }
        assert_eq!(names, ["a", "k", "b"]);
    }
}
