//! What the host app knows of a call.

use http::{Extensions, Method};

/// The call's context, as the host app's own layers left it: the tenant that its authentication
/// found, axum's `MatchedPath`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CallContext<'a> {
    extensions: &'a Extensions,
    method: &'a Method,
}

impl<'a> CallContext<'a> {
    /// A context for calling a store or an authorizer by hand.
    #[must_use]
    pub const fn new(extensions: &'a Extensions, method: &'a Method) -> Self {
        Self { extensions, method }
    }

    /// The request's extensions. They stop at this crate: none reaches the client.
    #[must_use]
    pub const fn extensions(self) -> &'a Extensions {
        self.extensions
    }

    /// The request's method.
    #[must_use]
    pub const fn method(self) -> &'a Method {
        self.method
    }
}
