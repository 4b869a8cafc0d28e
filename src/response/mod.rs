//! What the caller gets when there is no vendor's response to hand back.

mod problem;

pub(crate) use self::problem::ErrorForm;

use crate::client::{TransportError, TransportErrorKind};
use crate::error::Error;

/// The head of the vendor's response can't be handed back.
pub(crate) fn unusable_head() -> Error {
    TransportError::from(TransportErrorKind::HttpProtocol).into()
}
