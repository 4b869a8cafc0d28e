//! A caller: one connection that is kept, with one request after the other.

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
    /// So many, that `poll` knows by their place.
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

    /// Sends the next request, or what can be sent of it now.
    pub fn begin(&mut self, call: &Call, progress: &Progress) -> Result<(), BoxError> {
        self.exchange = Exchange::begun(std::mem::take(&mut self.exchange));
        self.send(call, progress)
    }

    /// Sends what hasn't been sent.
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

    /// Takes what came; `true`: the answer is complete, and was as it must be.
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
            // Edge-triggered: less than was asked for is all that there was.
            if read < buffer.len() {
                return Ok(false);
            }
        }
    }
}
