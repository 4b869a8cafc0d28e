//! A signature in the query
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>).

use http::header::HeaderValue;
use http::uri::PathAndQuery;
use zeroize::Zeroizing;

use super::canonical::{pairs, signed_names};
use super::key::ALGORITHM;
use super::signing::Signing;
use crate::address::MAX_TARGET_SIZE;
use crate::auth::AuthError;
use crate::auth::AuthRequest;
use crate::encoding::percent::{decode, encode_into};
use crate::secret::Secret;

/// The parameters of a signature.
pub(super) const PARAMETERS: [&str; 8] = [
    "X-Amz-Algorithm",
    "X-Amz-Content-Sha256",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
];

/// The parameters of a signature of version 2. The query has such a signature if it has the first parameter.
const VERSION_2: [&str; 3] = ["AWSAccessKeyId", "Signature", "Expires"];

/// Returns `true` if the name of the pair is in `names`, in any spelling.
fn is_named(pair: &str, names: &[&str]) -> bool {
    let name = pair.split_once('=').map_or(pair, |(name, _)| name);
    let name = decode(name.as_bytes());
    let is = |other: &&str| name.eq_ignore_ascii_case(other.as_bytes());
    names.iter().any(is)
}

/// Returns the query without the caller's signature, or `None` if the query has no signature.
fn unsigned(query: &str) -> Option<String> {
    let [id, ..] = VERSION_2;
    let is_version_2 = pairs(query).any(|pair| is_named(pair, &[id]));
    let goes = |pair: &str| {
        is_named(pair, &PARAMETERS)
            || is_named(pair, &["X-Amz-Region-Set"])
            || (is_version_2 && is_named(pair, &VERSION_2))
    };
    if !pairs(query).any(goes) {
        return None;
    }
    let kept: Vec<_> = query.split('&').filter(|pair| !goes(pair)).collect();
    Some(kept.join("&"))
}

/// Removes the caller's signature from the query.
pub(super) fn strip(request: &mut AuthRequest<'_>) -> Result<(), AuthError> {
    let Some(kept) = request.uri().query().and_then(unsigned) else {
        return Ok(());
    };
    let path = request.uri().path();
    let mut target = String::with_capacity(path.len() + 1 + kept.len());
    target.push_str(path);
    if !kept.is_empty() {
        target.push('?');
        target.push_str(&kept);
    }
    request.set_path_and_query(target.into_bytes())
}

impl Signing<'_> {
    /// Adds a signature to the query that is valid for that many seconds.
    pub(super) fn presign(
        &self,
        head: &mut AuthRequest<'_>,
        seconds: u64,
        token: Option<&Secret>,
        payload: &[u8],
    ) -> Result<(), AuthError> {
        let scope = self.scope();
        let credential = self.credential(&scope)?;
        let seconds = HeaderValue::from(seconds);
        let fields = signed_names(head.headers(), self.signs).join(";");
        let token = token.map(Secret::expose);
        let given = [
            ("X-Amz-Algorithm", ALGORITHM.as_bytes()),
            ("X-Amz-Credential", &credential),
            ("X-Amz-Date", self.stamp.as_str().as_bytes()),
            ("X-Amz-Expires", seconds.as_bytes()),
            ("X-Amz-SignedHeaders", fields.as_bytes()),
        ];
        let given = || {
            let token = token.map(|token| ("X-Amz-Security-Token", token));
            given.into_iter().chain(token)
        };
        // Each byte may become three bytes. Allocated at that size, because a buffer that grows would leave copies of
        // the token behind.
        let room = |pairs: &mut dyn Iterator<Item = (&str, &[u8])>| {
            let pairs = pairs.map(|(name, value)| name.len() + 3 * value.len() + 2);
            pairs.sum::<usize>()
        };
        let sent = head
            .uri()
            .path_and_query()
            .map_or("/", PathAndQuery::as_str);
        let signature = 1 + "X-Amz-Signature=".len() + 64;
        let room = sent.len() + 1 + room(&mut given()) + signature;
        let mut target = Zeroizing::new(String::with_capacity(room));
        target.push_str(sent);
        let mut is_first = head.uri().query().is_none_or(str::is_empty);
        if head.uri().query().is_none() {
            target.push('?');
        }
        for (name, value) in given() {
            if !std::mem::take(&mut is_first) {
                target.push('&');
            }
            target.push_str(name);
            target.push('=');
            encode_into(&mut target, value);
        }
        if target.len() + signature > MAX_TARGET_SIZE {
            return Err(AuthError::TooLong);
        }
        let mut without_signature = Vec::with_capacity(target.len());
        without_signature.extend_from_slice(target.as_bytes());
        head.set_path_and_query(without_signature)?;

        let signature = self.signature(&self.canonical(head.head(), payload), &scope);
        target.push_str("&X-Amz-Signature=");
        target.extend(signature.iter().map(|&digit| char::from(digit)));
        head.set_path_and_query(std::mem::take(&mut *target).into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_of_the_callers_is_taken_out() {
        for (sent, kept) in [
            (
                "https://h/p?a=1&X-Amz-Signature=x&b=2",
                "https://h/p?a=1&b=2",
            ),
            ("https://h/p?X-Amz-Signature=x", "https://h/p"),
            (
                "https://h/p?x-amz-date=x&%58-Amz-Credential=y&&c",
                "https://h/p?&c",
            ),
            (
                "https://h/p?X-Amz-Copy=x&a=X-Amz-Date",
                "https://h/p?X-Amz-Copy=x&a=X-Amz-Date",
            ),
            ("https://h/p?", "https://h/p?"),
            (
                "https://h/p?AWSAccessKeyId=a&Signature=b&Expires=1&x",
                "https://h/p?x",
            ),
            (
                "https://h/p?Signature=b&Expires=1",
                "https://h/p?Signature=b&Expires=1",
            ),
        ] {
            let request = http::Request::get(sent).body(());
            let stripped = request.map(|request| {
                let (mut head, ()) = request.into_parts();
                let stripped = strip(&mut AuthRequest::new(&mut head));
                stripped.is_ok_and(|()| head.uri == kept)
            });
            assert!(
                stripped.is_ok_and(|is_as_expected| is_as_expected),
                "{sent}"
            );
        }
    }
}
