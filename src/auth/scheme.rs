//! The trait of a scheme, with its requirements and its results.

use std::fmt;
use std::sync::Arc;

use http::HeaderName;
use http::request::Parts;

use super::{AuthContext, AuthError, AuthRequest, BodyEncoder};
use crate::identity::ClientIdentity;

/// A way to authenticate a request. A scheme is synchronous and pure: it reads neither the clock nor the network.
///
/// ```
/// use http::header::HeaderName;
/// use tower_passthrough::auth::{Applied, AuthContext, AuthError, AuthRequest, AuthScheme, Requirements};
///
/// /// Sends the secret `key` and the variable `account` in the vendor's own fields.
/// #[derive(Debug)]
/// struct AcmeAuth;
///
/// const KEY: HeaderName = HeaderName::from_static("x-acme-key");
/// const ACCOUNT: HeaderName = HeaderName::from_static("x-acme-account");
///
/// impl AuthScheme for AcmeAuth {
///     fn requirements(&self) -> Requirements {
///         Requirements::new().field(KEY).field(ACCOUNT).secret("key").variable("account")
///     }
///
///     fn apply(&self, request: &mut AuthRequest<'_>, cx: &AuthContext<'_>) -> Result<Applied, AuthError> {
///         request.insert_header(KEY, cx.secret("key")?.to_header_value("")?);
///         request.insert_header(ACCOUNT, cx.variable("account")?.parse().map_err(|_| AuthError::InvalidHeaderValue)?);
///         Ok(Applied::default())
///     }
/// }
/// ```
///
/// A scheme can't change the destination of a request:
///
/// ```compile_fail,E0594
/// # use tower_passthrough::auth::AuthRequest;
/// fn turn(request: &mut AuthRequest<'_>) {
///     *request.uri() = "https://evil.test".parse().unwrap();
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` isn't an authentication scheme",
    label = "not an `AuthScheme`",
    note = "implement `AuthScheme` for it, or use one of `tower_passthrough::auth`, such as `Bearer`"
)]
pub trait AuthScheme: fmt::Debug + Send + Sync + 'static {
    /// Returns the fields and parameters that the scheme sets, and the secrets and variables that it reads.
    ///
    /// The method is called once, when the scheme is added to an [`Upstream`](crate::Upstream). The returned fields are removed from
    /// the caller's request before its body is read. A field that isn't returned here, but that [`apply`](Self::apply) sets,
    /// replaces the caller's field as well.
    fn requirements(&self) -> Requirements;

    /// Returns the part of the payload that the scheme needs before the head is sent.
    ///
    /// `request` is the caller's head, without changes. The payload is read after this method has succeeded and the
    /// [required secrets](Requirements::secret) have been found, because a caller may not send the body until the server requests it
    /// (`Expect: 100-continue`, RFC 9110 §10.1.1). A scheme that can fail should fail here.
    ///
    /// Default: nothing, so the body streams.
    ///
    /// # Errors
    ///
    /// The same errors as [`apply`](Self::apply).
    fn payload(&self, request: &Parts, cx: &AuthContext<'_>) -> Result<PayloadUse, AuthError> {
        let _ = (request, cx);
        Ok(PayloadUse::Ignored)
    }

    /// Adds the credential, and returns the further needs of the request: an encoder of the body, a client certificate.
    ///
    /// # Errors
    ///
    /// [`AuthError`], whose variant decides the response: `reauthorize` for a missing secret, `bad-address` for a request that can't be
    /// signed, and others. Nothing is sent.
    fn apply(
        &self,
        request: &mut AuthRequest<'_>,
        cx: &AuthContext<'_>,
    ) -> Result<Applied, AuthError>;
}

/// The fields and parameters that a scheme sets, and the secrets and variables that it reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirements {
    fields: Vec<HeaderName>,
    parameters: Vec<Box<str>>,
    secrets: Vec<Box<str>>,
    variables: Vec<Box<str>>,
    binds_connection: bool,
}

impl Requirements {
    /// Returns the requirements of a scheme that sets and reads nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            fields: Vec::new(),
            parameters: Vec::new(),
            secrets: Vec::new(),
            variables: Vec::new(),
            binds_connection: false,
        }
    }

    /// Adds a field that the scheme sets. Default: none.
    #[must_use]
    pub fn field(mut self, name: HeaderName) -> Self {
        self.fields.push(name);
        self
    }

    /// Adds a query parameter that the scheme sets. `name` is the decoded name. The caller's parameters of this name are removed before
    /// [`apply`](AuthScheme::apply). Default: none.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<Box<str>>) -> Self {
        self.parameters.push(name.into());
        self
    }

    /// Adds a secret that the scheme requires, so that a configuration can be checked before a call needs the secret. Default: none.
    #[must_use]
    pub fn secret(mut self, name: impl Into<Box<str>>) -> Self {
        self.secrets.push(name.into());
        self
    }

    /// Adds a variable of the connection that the scheme requires. Default: none.
    #[must_use]
    pub fn variable(mut self, name: impl Into<Box<str>>) -> Self {
        self.variables.push(name.into());
        self
    }

    /// Sets whether the credential authenticates the network connection and not only the request, as with NTLM and Negotiate (RFC 4559 §6).
    ///
    /// If it's `true`, a network connection is only used for calls with the same secrets. A scheme that sends `Authorization: Negotiate` or
    /// `NTLM` and isn't binding fails with [`AuthError::UnboundConnection`].
    ///
    /// Default: `false`.
    #[must_use]
    pub fn binds_connection(mut self, binds: bool) -> Self {
        self.binds_connection = binds;
        self
    }

    /// Returns the fields that the scheme sets.
    #[must_use]
    pub fn fields(&self) -> &[HeaderName] {
        &self.fields
    }

    /// Returns the query parameters that the scheme sets.
    #[must_use]
    pub fn parameters(&self) -> &[Box<str>] {
        &self.parameters
    }

    /// Returns the names of the secrets that the scheme requires.
    #[must_use]
    pub fn secrets(&self) -> &[Box<str>] {
        &self.secrets
    }

    /// Returns the names of the variables that the scheme requires.
    #[must_use]
    pub fn variables(&self) -> &[Box<str>] {
        &self.variables
    }

    /// Returns `true` if the credential authenticates the network connection.
    #[must_use]
    pub fn is_binding(&self) -> bool {
        self.binds_connection
    }

    /// Returns the requirements of both schemes together.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.fields.extend(other.fields);
        self.parameters.extend(other.parameters);
        self.secrets.extend(other.secrets);
        self.variables.extend(other.variables);
        self.binds_connection |= other.binds_connection;
        self
    }

    /// Checks that the connection has each of the required secrets and variables.
    ///
    /// # Errors
    ///
    /// [`AuthError::MissingSecret`] or [`AuthError::MissingVariable`] for the first secret or variable that is missing.
    pub fn check(&self, cx: &AuthContext<'_>) -> Result<(), AuthError> {
        let mut secrets = self.secrets.iter();
        secrets.try_for_each(|name| cx.secret(name).map(drop))?;
        let mut variables = self.variables.iter();
        variables.try_for_each(|name| cx.variable(name).map(drop))
    }
}

/// The part of a request's payload that a scheme needs before the head is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayloadUse {
    /// The scheme needs no payload: the body streams.
    Ignored,
    /// The scheme needs the whole payload, up to `limit` bytes. A larger payload is answered with `body-too-large`.
    Bytes {
        /// The maximum number of bytes that are buffered in memory.
        limit: usize,
    },
}

impl PayloadUse {
    /// Returns the need of both schemes together, with the smaller limit.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Ignored, other) => other,
            (one, Self::Ignored) => one,
            (Self::Bytes { limit: one }, Self::Bytes { limit: other }) => Self::Bytes {
                limit: one.min(other),
            },
        }
    }
}

/// The results of a scheme that are used after the head is complete: an encoder and a client certificate.
#[derive(Debug, Default)]
#[must_use]
pub struct Applied {
    encoder: Option<Box<dyn BodyEncoder>>,
    identity: Option<ClientIdentity>,
}

impl Applied {
    /// Sets the encoder of the body, which encodes the body while it streams. The encoder also determines the length that is sent. Default:
    /// none.
    pub fn encoder(mut self, encoder: impl BodyEncoder) -> Self {
        self.encoder = Some(Box::new(encoder));
        self
    }

    /// Sets the client certificate that is presented to the upstream in TLS. A network connection on which it is presented is used for no
    /// other calls. Default: none.
    #[cfg(feature = "rustls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "rustls")))]
    pub fn client_identity(mut self, identity: ClientIdentity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Returns the results of both schemes together. If both schemes have an encoder or a certificate, the
    /// encoder or certificate of the first scheme is used.
    pub fn and(self, other: Self) -> Self {
        Self {
            encoder: self.encoder.or(other.encoder),
            identity: self.identity.or(other.identity),
        }
    }

    pub(crate) fn take_encoder(&mut self) -> Option<Box<dyn BodyEncoder>> {
        self.encoder.take()
    }

    pub(crate) fn take_client_identity(&mut self) -> Option<ClientIdentity> {
        self.identity.take()
    }
}

macro_rules! forward {
    ($pointer:ident) => {
        impl<S: AuthScheme + ?Sized> AuthScheme for $pointer<S> {
            fn requirements(&self) -> Requirements {
                S::requirements(self)
            }

            fn payload(
                &self,
                request: &Parts,
                cx: &AuthContext<'_>,
            ) -> Result<PayloadUse, AuthError> {
                S::payload(self, request, cx)
            }

            fn apply(
                &self,
                request: &mut AuthRequest<'_>,
                cx: &AuthContext<'_>,
            ) -> Result<Applied, AuthError> {
                S::apply(self, request, cx)
            }
        }
    };
}

forward!(Arc);
forward!(Box);

/// Applies each scheme in order, for schemes that are chosen at run time.
impl<S: AuthScheme> AuthScheme for Vec<S> {
    fn requirements(&self) -> Requirements {
        let each = self.iter().map(AuthScheme::requirements);
        each.fold(Requirements::new(), Requirements::and)
    }

    fn payload(&self, request: &Parts, cx: &AuthContext<'_>) -> Result<PayloadUse, AuthError> {
        self.iter().try_fold(PayloadUse::Ignored, |all, scheme| {
            Ok(all.and(scheme.payload(request, cx)?))
        })
    }

    fn apply(
        &self,
        request: &mut AuthRequest<'_>,
        cx: &AuthContext<'_>,
    ) -> Result<Applied, AuthError> {
        self.iter().try_fold(Applied::default(), |all, scheme| {
            Ok(all.and(scheme.apply(request, cx)?))
        })
    }
}

macro_rules! tuple {
    ($($scheme:ident)+) => {
        /// Applies each scheme in order.
        impl<$($scheme: AuthScheme),+> AuthScheme for ($($scheme,)+) {
            #[expect(non_snake_case, reason = "each scheme is named by its type")]
            fn requirements(&self) -> Requirements {
                let ($($scheme,)+) = self;
                Requirements::new()$(.and($scheme.requirements()))+
            }

            #[expect(non_snake_case, reason = "each scheme is named by its type")]
            fn payload(&self, request: &Parts, cx: &AuthContext<'_>) -> Result<PayloadUse, AuthError> {
                let ($($scheme,)+) = self;
                Ok(PayloadUse::Ignored$(.and($scheme.payload(request, cx)?))+)
            }

            #[expect(non_snake_case, reason = "each scheme is named by its type")]
            fn apply(&self, request: &mut AuthRequest<'_>, cx: &AuthContext<'_>) -> Result<Applied, AuthError> {
                let ($($scheme,)+) = self;
                Ok(Applied::default()$(.and($scheme.apply(request, cx)?))+)
            }
        }
    };
}

tuple!(A);
tuple!(A B);
tuple!(A B C);
tuple!(A B C D);
