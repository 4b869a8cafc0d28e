//! The authentication of an entry of the bundled catalog, whose alternatives the secrets of a connection choose.

use std::ops::Range;
use std::sync::Arc;

use http::request::Parts;
use toml::Spanned;
use toml::de::DeValue;
use tower_passthrough::Upstream;
use tower_passthrough::auth::{
    Applied, AuthContext, AuthError, AuthRequest, AuthScheme, PayloadUse, Requirements,
};
use tower_passthrough::catalog::Entry;
use tower_passthrough::upstream::BaseUrlTemplate;

use super::super::problem::{Problem, Problems};
use super::{Authentication, Needs, Surroundings, Tokens, may_rotate, oauth2};

/// Returns the authentication of an entry that an integration extends. `client` is the `auth` of the host's own client of
/// OAuth 2.0. Without `has_endpoint`, the entry's token endpoint isn't used. Returns `None` if there is a problem.
pub(in super::super) fn read(
    entry: Entry,
    client: Option<&Spanned<DeValue<'_>>>,
    has_endpoint: bool,
    around: Surroundings<'_>,
    at: &Range<usize>,
    problems: &mut Problems,
) -> Option<Authentication> {
    let upstream = entry.upstream().map_err(|error| {
        let what = match std::error::Error::source(&error) {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        };
        Problem::at(&Spanned::new(at.clone(), ()), what)
    });
    let tokens = match client {
        Some(client) => {
            let mut tokens = problems.ok(oauth2::read(client, around))?.tokens;
            if let Some(tokens) = &mut tokens {
                tokens.may_rotate &= may_rotate(entry);
            }
            tokens
        }
        None if has_endpoint => Tokens::of_entry(entry),
        None => None,
    };
    Some(Authentication {
        scheme: Arc::new(Alternatives(problems.ok(upstream)?)),
        needs: Needs::default(),
        tokens,
    })
}

/// The scheme of an entry's upstream.
#[derive(Debug)]
struct Alternatives(Upstream<BaseUrlTemplate>);

impl AuthScheme for Alternatives {
    fn requirements(&self) -> Requirements {
        self.0.requirements().clone()
    }

    fn payload(&self, request: &Parts, cx: &AuthContext<'_>) -> Result<PayloadUse, AuthError> {
        self.0.scheme().payload(request, cx)
    }

    fn apply(
        &self,
        request: &mut AuthRequest<'_>,
        cx: &AuthContext<'_>,
    ) -> Result<Applied, AuthError> {
        self.0.scheme().apply(request, cx)
    }
}
