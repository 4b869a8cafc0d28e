//! The common parts of schemes that sign: checked secrets, parameters in the order that both sides agree on, nonces,
//! and a target with more parameters.

mod digest;
mod nonce;
mod parameters;
mod target;

pub(crate) use self::digest::Hash;
#[cfg(feature = "hmac")]
pub(crate) use self::nonce::Nonce;
pub(crate) use self::nonce::Nonces;
pub(crate) use self::parameters::{Parameters, pairs};
pub(crate) use self::target::{add_parameters, drop_parameters};

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};

use super::{AuthContext, AuthError};

/// The default maximum size of a body that is buffered to be signed, in bytes: 1 MiB.
pub(crate) const BODY_LIMIT: usize = 1024 * 1024;

/// Returns the secret of that name, if it contains nothing that could break a line.
///
/// A secret that is only used in a signature is checked as well. A line break at the end of a key is a mistake of the
/// person who stored the key, and would otherwise only show as the upstream's 401.
pub(crate) fn text<'a>(cx: &AuthContext<'a>, name: &str) -> Result<&'a [u8], AuthError> {
    let bytes = cx.secret(name)?.expose();
    let breaks = |&byte: &u8| byte.is_ascii_control() && byte != b'\t';
    match bytes.iter().any(breaks) {
        true => Err(AuthError::InvalidHeaderValue),
        false => Ok(bytes),
    }
}

/// Returns `true` if the body is a form with parameters that can be read: a single part that isn't compressed.
pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(only), None) = (types.next(), types.next()) else {
        return false;
    };
    let essence = only.as_bytes().split(|&byte| byte == b';').next();
    let is_form = essence.is_some_and(|essence| {
        essence
            .trim_ascii()
            .eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
    });
    is_form && headers.get_all(CONTENT_ENCODING).iter().all(is_no_coding)
}

/// Returns `true` if a line of `Content-Encoding` names no coding.
fn is_no_coding(codings: &HeaderValue) -> bool {
    let mut codings = codings.as_bytes().split(|&byte| byte == b',');
    codings.all(|coding| {
        let coding = coding.trim_ascii();
        coding.is_empty() || coding.eq_ignore_ascii_case(b"identity")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[(&'static str, &'static str)]) -> bool {
        let pairs = fields.iter().filter_map(|&(name, value)| {
            Some((http::HeaderName::from_static(name), value.parse().ok()?))
        });
        is_form(&pairs.collect())
    }

    #[test]
    fn a_form_is_said_once_and_is_not_compressed() {
        let plain = ("content-type", "application/x-www-form-urlencoded");
        assert!(form(&[plain]));
        assert!(form(&[(
            "content-type",
            "Application/X-WWW-Form-Urlencoded ; charset=utf-8"
        )]));
        assert!(!form(&[]));
        assert!(!form(&[plain, plain]));
        assert!(form(&[plain, ("content-encoding", "identity")]));
        assert!(form(&[plain, ("content-encoding", "")]));
        assert!(!form(&[plain, ("content-encoding", "gzip")]));
        assert!(!form(&[plain, ("content-encoding", "identity, br")]));
        assert!(!form(&[(
            "content-type",
            "multipart/form-data; boundary=x"
        )]));
        assert!(!form(&[(
            "content-type",
            "application/x-www-form-urlencodedx"
        )]));
    }
}
