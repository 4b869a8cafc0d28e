//! Reads the server's answers. An answer of another kind means that a name is used by another program.

use redis::Value;

use crate::error::InternalError;

pub(crate) fn items(value: Value) -> Result<Vec<Value>, InternalError> {
    match value {
        Value::Array(items) => Ok(items),
        _ => Err(InternalError::Unreadable),
    }
}

/// Returns the bytes, or `None` if there is no value.
pub(crate) fn optional(value: Value) -> Result<Option<Vec<u8>>, InternalError> {
    match value {
        Value::Nil => Ok(None),
        Value::BulkString(bytes) => Ok(Some(bytes)),
        Value::SimpleString(text) => Ok(Some(text.into_bytes())),
        _ => Err(InternalError::Unreadable),
    }
}

pub(crate) fn bytes(value: Value) -> Result<Vec<u8>, InternalError> {
    optional(value)?.ok_or(InternalError::Unreadable)
}

pub(crate) fn text(value: Value) -> Result<String, InternalError> {
    String::from_utf8(bytes(value)?).map_err(|_| InternalError::Unreadable)
}

/// Takes the next value of an array.
pub(crate) fn next(items: &mut impl Iterator<Item = Value>) -> Result<Value, InternalError> {
    items.next().ok_or(InternalError::Unreadable)
}
