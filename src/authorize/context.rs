//! What the host application knows of a call.

use http::{Extensions, Method};

/// The context of a call, as the host application's layers left it: the tenant that its authentication found, axum's
/// `MatchedPath`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CallContext<'a> {
    extensions: &'a Extensions,
    method: &'a Method,
}

impl<'a> CallContext<'a> {
    /// Returns a context, for calling a store or an authorizer by hand.
    #[must_use]
    pub const fn new(extensions: &'a Extensions, method: &'a Method) -> Self {
        Self { extensions, method }
    }

    /// Returns the request's extensions. They stop at this crate: none reaches an upstream.
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
