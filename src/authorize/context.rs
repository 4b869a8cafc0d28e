//! The host application's data about a call.

use http::{Extensions, Method};

/// The context of a call, with the data that the host application's layers have added, such as the authenticated
/// tenant or axum's `MatchedPath`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CallContext<'a> {
    extensions: &'a Extensions,
    method: &'a Method,
}

impl<'a> CallContext<'a> {
    /// Returns a context, to call a store or an authorizer directly.
    #[must_use]
    pub const fn new(extensions: &'a Extensions, method: &'a Method) -> Self {
        Self { extensions, method }
    }

    /// Returns the request's extensions. No extension is forwarded to an upstream.
    #[must_use]
    pub const fn extensions(self) -> &'a Extensions {
        self.extensions
    }

    /// Returns the request's method.
    #[must_use]
    pub const fn method(self) -> &'a Method {
        self.method
    }
}
