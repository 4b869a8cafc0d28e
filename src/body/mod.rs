//! Bodies of requests and responses, for your own transports, and for requests that the host application sends itself.
//!
//! Bodies are built from text, from bytes or from any other body:
//!
//! ```
//! use http::{Request, Response};
//! use http_body_util::BodyExt;
//! use tower_passthrough::body::{RequestBody, UpstreamBody};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let request = Request::post("https://api.vendor.test/items").body(RequestBody::from("{}"))?;
//! // A transport that answers with the body of the request, while it streams:
//! let response = Response::new(UpstreamBody::new(request.into_body()));
//! assert_eq!(response.into_body().collect().await?.to_bytes(), "{}");
//! # Ok(())
//! # }
//! ```
//!
//! The frames of a body are forwarded from one side to the other, and their bytes aren't copied. Only pieces of less than
//! 256 bytes that have arrived together are joined into one frame. A body reports its size and its end, and each wrapper
//! reports the same, because they determine the framing of the message. Frames are polled only when the receiving side
//! has room, so back-pressure is passed on.

mod buffered;
mod drain;
mod encoded;
mod payload;
mod pieces;
mod request;
mod stream;
mod tee;
mod upload;
mod upstream;

pub use self::request::RequestBody;
pub use self::upstream::UpstreamBody;

pub(crate) use self::payload::no_room;
pub(crate) use self::pieces::{Pieces, SMALL_SIZE};
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
