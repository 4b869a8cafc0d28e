//! A key in the query.

use http::request::Parts;

use super::target::set_target;
use super::{AuthContext, AuthError, AuthScheme, SchemeError};
use crate::address::{encode_query_value, without};

/// Sends a secret as a query parameter; the caller's parameters of that name are removed, and ours
/// is the last.
///
/// A vendor may echo its request URL in `Location`, `Link` or a body, and logs keep URLs: prefer a
/// header where a vendor takes one. [`Upstream::scrub_links`](crate::Upstream::scrub_links) takes
/// the key out of the two headers.
#[derive(Clone, Debug)]
pub struct Query {
    name: [Box<str>; 1],
    secret: Box<str>,
}

impl Query {
    /// The parameter, and by the same name the secret of the connection.
    ///
    /// # Errors
    ///
    /// If the name is empty, or `__domain`.
    pub fn new(name: &str) -> Result<Self, SchemeError> {
        if name.is_empty() || name == "__domain" {
            return Err(SchemeError("the name is empty or reserved"));
        }
        Ok(Self {
            name: [name.into()],
            secret: name.into(),
        })
    }

    /// Takes the secret of another name.
    #[must_use]
    pub fn secret(mut self, name: &str) -> Self {
        self.secret = name.into();
        self
    }
}

impl AuthScheme for Query {
    fn parameters(&self) -> &[Box<str>] {
        &self.name
    }

    fn secrets(&self) -> Vec<&str> {
        vec![&self.secret]
    }

    fn apply(&self, request: &mut Parts, cx: &AuthContext<'_>) -> Result<(), AuthError> {
        let secret = cx.secret(&self.secret)?.expose();
        let [name] = &self.name;
        let path = request.uri.path();
        let kept = request.uri.query().and_then(|query| without(query, name));
        // Each byte may become three; made once at that size, so that no copy is left behind
        // (SECURITY L9).
        let room =
            path.len() + kept.as_deref().map_or(0, str::len) + 3 * (name.len() + secret.len()) + 3;
        let mut target = String::with_capacity(room);
        target.push_str(path);
        target.push('?');
        if let Some(kept) = kept.filter(|kept| !kept.is_empty()) {
            target.push_str(&kept);
            target.push('&');
        }
        encode_query_value(&mut target, name.as_bytes());
        target.push('=');
        encode_query_value(&mut target, secret);
        set_target(&mut request.uri, target.into_bytes())
    }
}
