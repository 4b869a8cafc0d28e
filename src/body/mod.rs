//! Bodies: frames move from one side to the other, and their bytes are never copied.
//!
//! A body says how long it is and whether it's at its end, and each wrapper here says the same, as
//! framing is made of that (FORWARDING B2). Frames are asked for only when the far side has room,
//! so back-pressure passes through.

mod begun;
mod buffered;
mod drain;
mod driven;
mod encoded;
mod following;
mod idle;
mod payload;
mod request;
mod stream;
mod tee;
mod upload;
mod upstream;

pub use self::request::RequestBody;
pub use self::upstream::UpstreamBody;

pub(crate) use self::driven::Drive;
pub(crate) use self::following::Following;
pub(crate) use self::idle::poll_still;
pub(crate) use self::tee::Tee;
pub(crate) use self::upload::{Progress, Upload, UploadState};

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

/// The body itself, if it's of that type: a downcast without a box. Else it stays in its slot.
fn take<T: 'static, B: 'static>(slot: &mut Option<B>) -> Option<T> {
    let slot: &mut dyn Any = slot;
    slot.downcast_mut::<Option<T>>()?.take()
}
