//! HTTP/1.1 over plain sockets, with a single thread and a single epoll instance.

use std::io::{self, ErrorKind, Read, Write};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

use super::answer::{self, Answer, Asked, FILLER};
use crate::slab::Slab;

const LISTENER: Token = Token(usize::MAX);

/// Serves until the program ends.
pub fn serve(listener: std::net::TcpListener) -> io::Result<()> {
    let mut listener = TcpListener::from_std(listener);
    let mut poll = Poll::new()?;
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(256);
    let mut connections = Slab::default();
    let mut buffer = vec![0; FILLER.len()];
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            if event.token() == LISTENER {
                while let Some(stream) = accepted(&listener)? {
                    let key = connections.insert(Connection::new(stream));
                    if let Some(connection) = connections.get_mut(key) {
                        let interest = Interest::READABLE | Interest::WRITABLE;
                        let stream = &mut connection.stream;
                        poll.registry().register(stream, Token(key), interest)?;
                    }
                }
                continue;
            }
            let key = event.token().0;
            let Some(connection) = connections.get_mut(key) else {
                continue;
            };
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

/// Returns `true` if the proxy closed the connection. This isn't a failure when the proxy is stopped.
fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
    )
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
    /// The start of a head that isn't complete.
    head: Vec<u8>,
    /// The number of bytes of the request's body that haven't arrived yet, and the response to send
    /// after the body.
    upload: Option<(u64, Answer)>,
    /// The unsent rest of a response.
    unsent: Option<Answer>,
}

impl Connection {
    fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            head: Vec::new(),
            upload: None,
            unsent: None,
        }
    }

    /// Does the work that is possible now. Returns `false` if the proxy has closed the connection.
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
            // Events are edge-triggered. A read that doesn't fill the buffer has emptied the socket.
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
        if self.head.is_empty() {
            return match answer::read(bytes).map_err(io::Error::other)? {
                Some(asked) => self.begin(&asked, bytes),
                None => {
                    self.head.extend_from_slice(bytes);
                    Ok(())
                }
            };
        }
        self.head.extend_from_slice(bytes);
        match answer::read(&self.head).map_err(io::Error::other)? {
            Some(asked) => {
                let bytes = std::mem::take(&mut self.head);
                self.begin(&asked, &bytes)
            }
            None => Ok(()),
        }
    }

    /// Handles a complete head, with which `bytes` begins.
    fn begin(&mut self, asked: &Asked, bytes: &[u8]) -> io::Result<()> {
        let body = (bytes.len() - asked.head) as u64;
        let left = asked.body.checked_sub(body).ok_or_else(surplus)?;
        let echoed = asked.echoes.then(|| answer::echo(&bytes[..asked.head]));
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
