//! HTTP/1.1 over plain sockets: one thread, one epoll.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::thread;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

use super::answer::{self, Answer, FILLER};
use crate::slab::Slab;

const LISTENER: Token = Token(usize::MAX);

/// Answers on a thread of its own, until the program ends.
pub fn start() -> io::Result<SocketAddr> {
    let mut listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0).into())?;
    let address = listener.local_addr()?;
    let poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    thread::spawn(move || {
        if let Err(error) = serve(poll, listener) {
            eprintln!("the vendor stopped: {error}");
        }
    });
    Ok(address)
}

fn serve(mut poll: Poll, listener: TcpListener) -> io::Result<()> {
    let mut events = Events::with_capacity(256);
    let mut connections = Slab::default();
    let mut buffer = vec![0; FILLER.len()];
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            if event.token() == LISTENER {
                while let Some(stream) = accepted(&listener)? {
                    let key = connections.insert(Connection::new(stream));
                    let stream = &mut connections.get_mut(key).stream;
                    let interest = Interest::READABLE | Interest::WRITABLE;
                    poll.registry().register(stream, Token(key), interest)?;
                }
                continue;
            }
            let key = event.token().0;
            let connection = connections.get_mut(key);
            match connection.advance(&mut buffer, event.is_writable()) {
                Ok(true) => {}
                Ok(false) => drop(connections.remove(key)),
                Err(error) if is_gone(&error) => drop(connections.remove(key)),
                Err(error) => {
                    eprintln!("{error}");
                    drop(connections.remove(key));
                }
            }
        }
    }
}

/// The proxy closed it, which is no fault when it's stopped.
fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
}

fn accepted(listener: &TcpListener) -> io::Result<Option<TcpStream>> {
    match listener.accept() {
        Ok((stream, _)) => {
            stream.set_nodelay(true)?;
            Ok(Some(stream))
        }
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

struct Connection {
    stream: TcpStream,
    /// A head that isn't whole.
    head: Vec<u8>,
    /// Bytes of the request's body that are still to come, and the answer to give then.
    upload: Option<(u64, Answer)>,
    /// What of an answer is still to be written.
    unsent: Option<Answer>,
}

impl Connection {
    fn new(stream: TcpStream) -> Self {
        Self { stream, head: Vec::new(), upload: None, unsent: None }
    }

    /// Does what can be done now; `false`: the proxy has closed it.
    fn advance(&mut self, buffer: &mut [u8], writable: bool) -> io::Result<bool> {
        if writable {
            self.send()?;
        }
        loop {
            let read = match self.stream.read(buffer) {
                Ok(0) => return Ok(false),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
                Err(error) => return Err(error),
            };
            self.take(&buffer[..read])?;
            // Edge-triggered: less than was asked for is all that there was.
            if read < buffer.len() {
                return Ok(true);
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some((left, answer)) = &mut self.upload {
            let answer = *answer;
            *left = left.checked_sub(bytes.len() as u64).ok_or_else(surplus)?;
            if *left == 0 {
                self.upload = None;
                self.answer(answer)?;
            }
            return Ok(());
        }
        let gathered = !self.head.is_empty();
        if gathered {
            self.head.extend_from_slice(bytes);
        }
        let bytes = if gathered { &self.head } else { bytes };
        let Some(asked) = answer::read(bytes).map_err(io::Error::other)? else {
            if !gathered {
                self.head.extend_from_slice(bytes);
            }
            return Ok(());
        };
        let body = (bytes.len() - asked.head) as u64;
        let left = asked.body.checked_sub(body).ok_or_else(surplus)?;
        let echoed = asked.echoes.then(|| answer::echo(&bytes[..asked.head]));
        self.head.clear();
        match (echoed, left) {
            (Some(echoed), _) => self.stream.write_all(&echoed),
            (None, 0) => self.answer(asked.answer),
            (None, left) => {
                self.upload = Some((left, asked.answer));
                Ok(())
            }
        }
    }

    fn answer(&mut self, answer: Answer) -> io::Result<()> {
        self.unsent = Some(answer);
        self.send()
    }

    fn send(&mut self) -> io::Result<()> {
        while let Some(answer) = &mut self.unsent {
            if answer.bytes.is_empty() {
                let some = usize::try_from(answer.filler).unwrap_or(usize::MAX);
                answer.bytes = &FILLER[..some.min(FILLER.len())];
                answer.filler -= answer.bytes.len() as u64;
            }
            match self.stream.write(answer.bytes) {
                Ok(written) => answer.bytes = &answer.bytes[written..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
            if answer.bytes.is_empty() && answer.filler == 0 {
                self.unsent = None;
            }
        }
        Ok(())
    }
}

fn surplus() -> io::Error {
    io::Error::other("the vendor got more bytes than a request announced")
}
