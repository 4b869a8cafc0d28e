//! What the caller gets when there is no vendor's response to hand back.

mod problem;

pub(crate) use self::problem::ErrorForm;

use crate::client::{TransportError, TransportErrorKind};
use crate::error::Error;

/// A coding beside `chunked` is left in the body, which nobody here can undo (FORWARDING B6).
pub(crate) fn odd_transfer_coding() -> Error {
    TransportError::from(TransportErrorKind::HttpProtocol).into()
}
