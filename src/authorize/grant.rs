//! The permission that an authorizer grants.

use super::{AuthorizeError, Scope};
use crate::connection::ConnectionKey;

/// The permission to use a connection: a scope, and the key of the connection.
///
/// Without a [`connection_key`](Self::connection_key), the key is the connection id in the request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    scope: Scope,
    key: Option<ConnectionKey>,
}

impl Grant {
    /// Returns a grant with that scope.
    #[must_use]
    pub const fn new(scope: Scope) -> Self {
        Self { scope, key: None }
    }

    /// Returns a grant with every method and every path.
    #[must_use]
    pub const fn all() -> Self {
        Self::new(Scope::all())
    }

    /// Sets the connection's key, which identifies the connection in the store, refreshes, the pool, limits, upgrades and
    /// reports. Default: the connection id in the request.
    ///
    /// Set it if ids are unique only within a tenant:
    /// [`ConnectionKey::in_tenant`](crate::store::ConnectionKey::in_tenant).
    ///
    /// Default: the connection id in the request.
    #[must_use]
    pub fn connection_key(mut self, key: ConnectionKey) -> Self {
        self.key = Some(key);
        self
    }

    /// Returns the scope.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Returns the key, if the authorizer has set a key.
    #[must_use]
    pub const fn key(&self) -> Option<&ConnectionKey> {
        self.key.as_ref()
    }

    pub(crate) fn into_parts(self) -> (Scope, Option<ConnectionKey>) {
        (self.scope, self.key)
    }
}

impl From<Scope> for Grant {
    fn from(scope: Scope) -> Self {
        Self::new(scope)
    }
}

/// The result of the function of [`authorize_fn`](crate::PassthroughBuilder::authorize_fn): a `bool` (`true` grants every
/// method and path), a [`Scope`], a [`Grant`], or an `Option` or a `Result` of these.
#[diagnostic::on_unimplemented(
    message = "an authorizer's function can't return `{Self}`",
    label = "returns `{Self}`",
    note = "return a `bool`, a `Scope`, a `Grant`, or an `Option` or a `Result<_, AuthorizeError>` of one of them",
    note = "a function that returns a future goes to `.authorize_async_fn(..)`"
)]
pub trait IntoGrant {
    /// Returns the grant.
    ///
    /// # Errors
    ///
    /// [`AuthorizeError::Denied`] for `false` and `None`; for an `Err`, its error.
    fn into_grant(self) -> Result<Grant, AuthorizeError>;
}

impl IntoGrant for Grant {
    fn into_grant(self) -> Result<Self, AuthorizeError> {
        Ok(self)
    }
}

impl IntoGrant for Scope {
    fn into_grant(self) -> Result<Grant, AuthorizeError> {
        Ok(self.into())
    }
}

impl IntoGrant for bool {
    fn into_grant(self) -> Result<Grant, AuthorizeError> {
        match self {
            true => Ok(Grant::all()),
            false => Err(AuthorizeError::Denied),
        }
    }
}

impl<T: IntoGrant> IntoGrant for Option<T> {
    fn into_grant(self) -> Result<Grant, AuthorizeError> {
        self.ok_or(AuthorizeError::Denied)?.into_grant()
    }
}

impl<T: IntoGrant, E: Into<AuthorizeError>> IntoGrant for Result<T, E> {
    fn into_grant(self) -> Result<Grant, AuthorizeError> {
        self.map_err(Into::into)?.into_grant()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_an_answer_is_a_grant_or_denied() {
        let scope = Scope::all().paths(["crm/*"]);
        assert_eq!(true.into_grant().ok(), Some(Grant::all()));
        assert_eq!(
            Some(scope.clone()).into_grant().ok(),
            Some(Grant::new(scope))
        );
        for denied in [
            false.into_grant(),
            None::<Grant>.into_grant(),
            Ok::<_, AuthorizeError>(false).into_grant(),
            Err::<bool, _>(AuthorizeError::Denied).into_grant(),
        ] {
            assert!(matches!(denied, Err(AuthorizeError::Denied)));
        }
    }
}
