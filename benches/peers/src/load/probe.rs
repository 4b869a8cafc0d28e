//! A call before the load, which shows that the proxy runs and does its work.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::exchange;
use crate::BoxError;

/// Waits until the proxy listens.
pub fn listens(proxy: SocketAddr, mut alive: impl FnMut() -> bool) -> Result<(), BoxError> {
    let start = Instant::now();
    loop {
        match TcpStream::connect(proxy) {
            Ok(_) => return Ok(()),
            Err(error) if start.elapsed() > Duration::from_secs(10) => return Err(error.into()),
            Err(_) if !alive() => return Err("it ended at once".into()),
            Err(_) => thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// Returns the request as the vendor received the request.
pub fn forwarded(proxy: SocketAddr) -> Result<String, BoxError> {
    let mut stream = TcpStream::connect(proxy)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let request = exchange::head("GET", "echo", 0);
    stream.write_all(&request)?;
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&answer);
        if let Some((_, body)) = text.split_once("\r\n\r\n")
            && body.ends_with("\r\n\r\n")
        {
            return Ok(body.to_owned());
        }
        match stream.read(&mut buffer)? {
            0 => return Err(format!("the proxy answered: {text}").into()),
            read => answer.extend_from_slice(&buffer[..read]),
        }
    }
}
