//! Event streams that stay open and idle.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::exchange;
use crate::BoxError;

/// Opens `streams` streams, and receives the first event of each stream. A stream stays open until
/// its socket is dropped.
pub fn open(proxy: SocketAddr, streams: usize) -> Result<Vec<TcpStream>, BoxError> {
    let mut open = Vec::with_capacity(streams);
    while open.len() < streams {
        // Streams are opened in groups, because a proxy may delay an event for a moment.
        let first = open.len();
        for _ in first..streams.min(first + 100) {
            open.push(asked(proxy)?);
        }
        open.iter_mut().skip(first).try_for_each(answered)?;
    }
    Ok(open)
}

fn asked(proxy: SocketAddr) -> Result<TcpStream, BoxError> {
    let mut stream = TcpStream::connect(proxy)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(&exchange::head("GET", "events", 0))?;
    Ok(stream)
}

fn answered(stream: &mut TcpStream) -> Result<(), BoxError> {
    let mut answer = Vec::new();
    let mut buffer = [0; 2048];
    while !answer.windows(9).any(|window| window == b"data: 1\n\n") {
        match stream.read(&mut buffer)? {
            0 => return Err(format!("not a stream: {}", answer.escape_ascii()).into()),
            read => answer.extend_from_slice(&buffer[..read]),
        }
    }
    if answer.starts_with(b"HTTP/1.1 200 ") {
        return Ok(());
    }
    Err(format!("not the vendor's answer: {}", answer.escape_ascii()).into())
}
