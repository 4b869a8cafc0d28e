//! Bodies: frames are forwarded from one side to the other, and their bytes are never copied.
//!
//! A body reports its size and its end, and each wrapper reports the same, because they determine the framing of the
//! message. Frames are polled only when the receiving side has room, so back-pressure is passed on.

mod buffered;
mod drain;
mod encoded;
mod payload;
mod request;
mod stream;
mod tee;
mod upload;
mod upstream;

pub use self::request::RequestBody;
pub use self::upstream::UpstreamBody;

pub(crate) use self::payload::no_room;
pub(crate) use self::tee::Tee;
pub(crate) use self::upload::{
    Following, Progress, Upload, UploadState, poll_still, poll_unbudgeted,
};
pub(crate) use self::upstream::Drive;

use std::any::Any;
use std::pin::Pin;

use bytes::Bytes;
use http_body::Body;

use crate::error::BoxError;

type BoxBody = Pin<Box<dyn Body<Data = Bytes, Error = BoxError> + Send>>;

fn boxed<B>(body: B) -> BoxBody
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    Box::pin(http_body_util::BodyExt::map_err(body, Into::into))
}

/// Takes the body out of its slot if it has that type. This is a downcast that needs no box.
fn take<T: 'static, B: 'static>(slot: &mut Option<B>) -> Option<T> {
    let slot: &mut dyn Any = slot;
    slot.downcast_mut::<Option<T>>()?.take()
}
