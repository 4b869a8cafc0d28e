//! Bodies on HTTP/2 streams, sent when the far side has room.

use std::future::poll_fn;

use bytes::Bytes;
use h2::SendStream;

use crate::load::content::Content;

/// Sends that part of a body, without the end of the stream.
pub async fn send(
    stream: &mut SendStream<Bytes>,
    content: Content,
    upto: u64,
) -> Result<(), h2::Error> {
    let mut at = 0;
    while at < upto {
        let size = (16 << 10).min(upto - at) as usize;
        stream.reserve_capacity(size);
        let room = loop {
            match poll_fn(|cx| stream.poll_capacity(cx)).await {
                Some(Ok(0)) => {}
                Some(Ok(room)) => break room.min(size),
                Some(Err(error)) => return Err(error),
                None => return Err(h2::Reason::CANCEL.into()),
            }
        };
        stream.send_data(content.piece(at, room).into(), false)?;
        at += room as u64;
    }
    Ok(())
}
