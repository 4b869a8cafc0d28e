//! A closed loop: each caller sends its next request when the response to the previous request is
//! complete.

use std::net::SocketAddr;
use std::time::Duration;

use mio::{Events, Poll};

use super::Progress;
use super::caller::Caller;
use super::exchange::Call;
use crate::BoxError;

/// Runs the loop until `progress` is stopped.
pub fn run(
    proxy: SocketAddr,
    call: &Call,
    connections: usize,
    progress: &Progress,
) -> Result<(), BoxError> {
    let mut poll = Poll::new()?;
    let mut callers = Caller::connect(proxy, connections, &poll)?;
    for caller in &mut callers {
        caller.begin(call, progress)?;
    }
    let mut events = Events::with_capacity(connections);
    let mut buffer = vec![0; 256 * 1024];
    while !progress.is_stopped() {
        poll.poll(&mut events, Some(Duration::from_millis(50)))?;
        for event in &events {
            let caller = &mut callers[event.token().0];
            if event.is_writable() {
                caller.send(call, progress)?;
            }
            if event.is_readable() && caller.receive(call, progress, &mut buffer)? {
                caller.begin(call, progress)?;
            }
        }
    }
    Ok(())
}
