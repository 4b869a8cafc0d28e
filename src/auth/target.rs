//! The request's target, once a credential is written into it.

use bytes::Bytes;
use http::Uri;
use http::uri::PathAndQuery;
use zeroize::Zeroizing;

use super::AuthError;
use crate::address::LONGEST_TARGET;

/// Puts `target` in place of path and query. It's wiped when the request is dropped.
pub(super) fn set_target(uri: &mut Uri, target: Vec<u8>) -> Result<(), AuthError> {
    let target = Zeroizing::new(target);
    if target.len() > LONGEST_TARGET {
        return Err(AuthError::TooLong);
    }
    let target = PathAndQuery::from_maybe_shared(Bytes::from_owner(target))
        .map_err(|_| AuthError::Unsendable)?;
    let mut parts = std::mem::take(uri).into_parts();
    parts.path_and_query = Some(target);
    *uri = Uri::from_parts(parts).map_err(|_| AuthError::Unsendable)?;
    Ok(())
}
