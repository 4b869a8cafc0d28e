//! A caller: an open connection, which carries requests in sequence.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;

use mio::net::TcpStream;
use mio::{Interest, Poll, Token};

use super::Progress;
use super::exchange::{Call, Exchange};
use crate::BoxError;

pub struct Caller {
    stream: TcpStream,
    exchange: Exchange,
}

impl Caller {
    /// Opens `connections` connections. The token of a connection in `poll` is the index of its caller.
    pub fn connect(proxy: SocketAddr, connections: usize, poll: &Poll) -> io::Result<Vec<Self>> {
        let connect = |place| {
            let stream = std::net::TcpStream::connect(proxy)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            let interest = Interest::READABLE | Interest::WRITABLE;
            poll.registry()
                .register(&mut stream, Token(place), interest)?;
            Ok(Self {
                stream,
                exchange: Exchange::default(),
            })
        };
        (0..connections).map(connect).collect()
    }

    /// Starts the next request, and sends as much of the request as the socket accepts now.
    pub fn begin(&mut self, call: &Call, progress: &Progress) -> Result<(), BoxError> {
        self.exchange = Exchange::begun(std::mem::take(&mut self.exchange));
        self.send(call, progress)
    }

    /// Sends the unsent rest of the request.
    pub fn send(&mut self, call: &Call, progress: &Progress) -> Result<(), BoxError> {
        loop {
            let unsent = self.exchange.unsent(call);
            if unsent.is_empty() {
                return Ok(());
            }
            match self.stream.write(unsent) {
                Ok(written) => {
                    self.exchange.sent(written, call);
                    if call.upload > 0 {
                        progress.bytes(written as u64);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Reads the received bytes. Returns `true` once the response is complete, and fails if the
    /// response isn't the expected response.
    pub fn receive(
        &mut self,
        call: &Call,
        progress: &Progress,
        buffer: &mut [u8],
    ) -> Result<bool, BoxError> {
        loop {
            let read = match self.stream.read(buffer) {
                Ok(0) => return Err("the proxy closed a connection that was to be kept".into()),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error.into()),
            };
            if call.upload == 0 {
                progress.bytes(read as u64);
            }
            if self.exchange.received(&buffer[..read], call)? {
                progress.call();
                return Ok(true);
            }
            // Events are edge-triggered. A read that doesn't fill the buffer has emptied the socket.
            if read < buffer.len() {
                return Ok(false);
            }
        }
    }
}
