//! The application's own scheme.

use http::header::{HeaderName, HeaderValue};
use http::request::Parts;
use tower_passthrough::auth::{
    Applied, AuthContext, AuthError, AuthRequest, AuthScheme, CacheKey, PayloadUse, Requirements,
};

/// Sends the secret `key`, the variable `account`, and a checksum of the payload.
///
/// The scheme announces no field, which must do no harm.
#[derive(Debug)]
pub struct AcmeAuth {
    cache: CacheKey,
}

const AUTH: HeaderName = HeaderName::from_static("x-acme-auth");
const ACCOUNT: HeaderName = HeaderName::from_static("x-acme-account");
const CHECKSUM: HeaderName = HeaderName::from_static("x-acme-checksum");

impl AcmeAuth {
    /// Returns the scheme.
    #[must_use]
    pub fn new() -> Self {
        Self {
            cache: CacheKey::unique(),
        }
    }
}

impl Default for AcmeAuth {
    fn default() -> Self {
        Self::new()
    }
}

impl AuthScheme for AcmeAuth {
    fn requirements(&self) -> Requirements {
        Requirements::new().secret("key").variable("account")
    }

    fn payload(&self, _: &Parts, _: &AuthContext<'_>) -> Result<PayloadUse, AuthError> {
        Ok(PayloadUse::Bytes { limit: 1024 })
    }

    fn apply(
        &self,
        request: &mut AuthRequest<'_>,
        cx: &AuthContext<'_>,
    ) -> Result<Applied, AuthError> {
        let key = cx.cached_header(&self.cache, || {
            Ok(cx.secret("key")?.to_header_value("Acme ")?)
        })?;
        let account = HeaderValue::from_str(cx.variable("account")?);
        let payload = cx.payload().map_or(&[][..], |payload| payload);
        let checksum: u64 = payload.iter().copied().map(u64::from).sum();
        request.insert_header(AUTH, key);
        request.insert_header(ACCOUNT, account.map_err(|_| AuthError::InvalidHeaderValue)?);
        request.insert_header(CHECKSUM, checksum.into());
        Ok(Applied::default())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::time::SystemTime;

    use bytes::Bytes;
    use http::Request;
    use tower_passthrough::test_util::authenticate;
    use tower_passthrough::{Connection, Upstream};

    use super::*;

    const URL: &str = "https://api.acme.test/users";

    fn connection() -> Connection {
        Connection::new("acme")
            .with_secret("key", "s3cr3t")
            .with_variable("account", "acct_17")
    }

    #[test]
    fn key_account_and_checksum_are_sent() {
        let (connection, destination) = (connection(), Upstream::new(URL).unwrap().destination());
        let cx = AuthContext::new(&connection, &destination, SystemTime::UNIX_EPOCH);
        let forged = ["x-acme-auth", "x_acme_auth", "x_acme-auth"];
        let request = forged
            .iter()
            .fold(Request::post(URL), |request, name| {
                request.header(*name, "forged")
            })
            .body(Bytes::from_static(b"\x01\x02"))
            .unwrap();
        let signed = authenticate(&AcmeAuth::new(), &cx, request).unwrap();
        let sent: Vec<_> = signed
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        assert_eq!(
            sent,
            [
                ("x-acme-auth", "Acme s3cr3t"),
                ("x-acme-account", "acct_17"),
                ("x-acme-checksum", "3"),
            ]
        );
    }

    #[test]
    fn without_the_helper() {
        let (connection, destination) = (connection(), Upstream::new(URL).unwrap().destination());
        let payload = Bytes::from_static(b"\x05");
        let cx = AuthContext::new(&connection, &destination, SystemTime::UNIX_EPOCH)
            .with_payload(&payload);
        let (mut head, ()) = Request::get(URL).body(()).unwrap().into_parts();
        let mut request = AuthRequest::new(&mut head);
        let _ = AcmeAuth::new().apply(&mut request, &cx).unwrap();
        assert_eq!(request.headers()["x-acme-checksum"], "5");
    }

    #[test]
    fn a_missing_secret_or_variable_is_named() {
        let destination = Upstream::new(URL).unwrap().destination();
        for (connection, error) in [
            (
                connection().without_secret("key"),
                AuthError::MissingSecret("key".into()),
            ),
            (
                Connection::new("acme").with_secret("key", "s3cr3t"),
                AuthError::MissingVariable("account".into()),
            ),
        ] {
            let cx = AuthContext::new(&connection, &destination, SystemTime::UNIX_EPOCH);
            let request = Request::get(URL).body(Bytes::new()).unwrap();
            let refused = authenticate(&AcmeAuth::new(), &cx, request);
            assert_eq!(refused.unwrap_err(), error);
        }
    }

    #[test]
    fn a_payload_over_the_limit_is_refused() {
        let (connection, destination) = (connection(), Upstream::new(URL).unwrap().destination());
        let cx = AuthContext::new(&connection, &destination, SystemTime::UNIX_EPOCH);
        let request = Request::post(URL).body(vec![0; 1025].into()).unwrap();
        let refused = authenticate(&AcmeAuth::new(), &cx, request);
        assert!(matches!(refused, Err(AuthError::CannotSign(_))));
    }
}
