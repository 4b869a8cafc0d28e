//! The floor: the least work that a proxy in safe Rust can do. Each caller's connection has a
//! separate connection to the vendor. The proxy reads each head only for the length of the body,
//! and passes on all bytes unchanged. The proxy has no pool, no limits and no timeouts, and neither
//! adds nor removes fields.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::thread;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrStorage, bind, listen, setsockopt, socket,
    sockopt,
};
use std::os::fd::AsRawFd;

use super::Served;
use crate::BoxError;
use crate::slab::Slab;

const LISTENER: Token = Token(usize::MAX);
const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);
/// The maximum number of bytes in a single read.
const BUFFER: usize = 256 * 1024;

/// Serves with `workers` threads. Each thread has separate sockets.
pub fn run(told: &Served) -> Result<(), BoxError> {
    let workers = (0..told.workers).map(|_| {
        let (listener, vendor) = (listener(told.listen)?, told.vendor);
        Ok(thread::spawn(move || serve(listener, vendor)))
    });
    for worker in workers.collect::<Result<Vec<_>, BoxError>>()? {
        worker.join().map_err(|_| "a worker panicked")??;
    }
    Ok(())
}

/// Returns a listener that shares its port with the listeners of the other threads.
fn listener(address: SocketAddr) -> Result<TcpListener, BoxError> {
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let socket = socket(AddressFamily::Inet, SockType::Stream, flags, None)?;
    setsockopt(&socket, sockopt::ReuseAddr, &true)?;
    setsockopt(&socket, sockopt::ReusePort, &true)?;
    bind(socket.as_raw_fd(), &SockaddrStorage::from(address))?;
    listen(&socket, Backlog::new(4096)?)?;
    Ok(TcpListener::from_std(socket.into()))
}

fn serve(mut listener: TcpListener, vendor: SocketAddr) -> io::Result<()> {
    let mut poll = Poll::new()?;
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(1024);
    let mut pairs = Slab::default();
    let mut buffer = vec![0; BUFFER];
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            if event.token() == LISTENER {
                accept(&listener, vendor, &poll, &mut pairs)?;
                continue;
            }
            let (key, is_vendor) = (event.token().0 / 2, event.token().0 % 2 == 1);
            let Some(pair) = pairs.get_mut(key) else {
                continue;
            };
            if !matches!(
                pair.advance(is_vendor, event.is_writable(), &mut buffer),
                Ok(true)
            ) {
                drop(pairs.remove(key));
            }
        }
    }
}

fn accept(
    listener: &TcpListener,
    vendor: SocketAddr,
    poll: &Poll,
    pairs: &mut Slab<Pair>,
) -> io::Result<()> {
    loop {
        let caller = match listener.accept() {
            Ok((caller, _)) => caller,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        let vendor = TcpStream::connect(vendor)?;
        caller.set_nodelay(true)?;
        vendor.set_nodelay(true)?;
        let (up, down) = (Way::default(), Way::default());
        let key = pairs.insert(Pair {
            caller,
            vendor,
            up,
            down,
        });
        if let Some(pair) = pairs.get_mut(key) {
            poll.registry()
                .register(&mut pair.caller, Token(key * 2), BOTH)?;
            poll.registry()
                .register(&mut pair.vendor, Token(key * 2 + 1), BOTH)?;
        }
    }
}

/// A caller's connection, and its connection to the vendor.
struct Pair {
    caller: TcpStream,
    vendor: TcpStream,
    up: Way,
    down: Way,
}

impl Pair {
    /// Does the work for which a side is ready. Returns `false` if that side has closed its connection.
    fn advance(&mut self, is_vendor: bool, writable: bool, buffer: &mut [u8]) -> io::Result<bool> {
        let Self {
            caller,
            vendor,
            up,
            down,
        } = self;
        let (this, that, from_this, to_this) = match is_vendor {
            true => (vendor, caller, down, up),
            false => (caller, vendor, up, down),
        };
        // Bytes that waited for this side are sent first; then the unread bytes behind them are
        // forwarded.
        if writable && !to_this.unsent.is_empty() {
            to_this.flush(this)?;
            if to_this.unsent.is_empty() && !to_this.forward(that, this, buffer)? {
                return Ok(false);
            }
        }
        from_this.forward(this, that, buffer)
    }
}

/// A direction of a pair.
#[derive(Default)]
struct Way {
    /// The start of a head that isn't complete.
    head: Vec<u8>,
    /// The number of bytes that still follow the last head.
    left: u64,
    /// The bytes that the other side didn't accept. Nothing is read until the other side has
    /// accepted all of these bytes.
    unsent: Vec<u8>,
}

impl Way {
    fn forward(
        &mut self,
        from: &mut TcpStream,
        to: &mut TcpStream,
        buffer: &mut [u8],
    ) -> io::Result<bool> {
        while self.unsent.is_empty() {
            let read = match from.read(buffer) {
                Ok(0) => return Ok(false),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
                Err(error) => return Err(error),
            };
            let bytes = &buffer[..read];
            if self.head.is_empty() && self.judge(bytes)? {
                self.send(bytes, to)?;
            } else {
                self.head.extend_from_slice(bytes);
                let head = std::mem::take(&mut self.head);
                if self.judge(&head)? {
                    self.send(&head, to)?;
                } else {
                    self.head = head;
                }
            }
            // Events are edge-triggered. A read that doesn't fill the buffer has emptied the socket.
            if read < buffer.len() {
                return Ok(true);
            }
        }
        Ok(true)
    }

    /// Returns `true` if these bytes may be forwarded: they belong to a body, or begin with a
    /// complete head.
    fn judge(&mut self, bytes: &[u8]) -> io::Result<bool> {
        let length = bytes.len() as u64;
        if self.left > 0 {
            self.left = self.left.saturating_sub(length);
            return Ok(true);
        }
        let mut fields = [httparse::EMPTY_HEADER; 48];
        let (parsed, fields) = if bytes.starts_with(b"HTTP/") {
            let mut response = httparse::Response::new(&mut fields);
            (response.parse(bytes), &*response.headers)
        } else {
            let mut request = httparse::Request::new(&mut fields);
            (request.parse(bytes), &*request.headers)
        };
        let head = match parsed.map_err(io::Error::other)? {
            httparse::Status::Complete(head) => head as u64,
            httparse::Status::Partial => return Ok(false),
        };
        let body = fields.iter().find_map(|field| match field.name.len() {
            14 if field.name.eq_ignore_ascii_case("content-length") => {
                str::from_utf8(field.value).ok()?.parse().ok()
            }
            17 if field.name.eq_ignore_ascii_case("transfer-encoding") => Some(u64::MAX),
            _ => None,
        });
        self.left = body.unwrap_or(0).saturating_sub(length - head);
        Ok(true)
    }

    fn send(&mut self, bytes: &[u8], to: &mut TcpStream) -> io::Result<()> {
        let written = match to.write(bytes) {
            Ok(written) => written,
            // A socket that isn't connected yet is handled like a full socket.
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            Err(error) if error.kind() == ErrorKind::NotConnected => 0,
            Err(error) => return Err(error),
        };
        self.unsent.extend_from_slice(&bytes[written..]);
        Ok(())
    }

    fn flush(&mut self, to: &mut TcpStream) -> io::Result<()> {
        match to.write(&self.unsent) {
            Ok(written) => drop(self.unsent.drain(..written)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
