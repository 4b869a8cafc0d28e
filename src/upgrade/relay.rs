//! Forwards the bytes of a tunnel in both directions, without parsing or changing them, so that the
//! extensions and subprotocols on which caller and upstream have agreed stay valid.
//!
//! Each direction ends separately: an end of file is forwarded to the other side, and the bytes of the
//! other direction are still forwarded. An error ends both directions. Bytes that hyper has read after
//! a head are forwarded first.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional_with_sizes};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::handshake::{Claim, Sides};
use crate::body::{Progress, Upload, poll_still, poll_unbudgeted};
use crate::observe::{CallGuard, Outcome};

/// The size of the buffer for each direction of a tunnel, in bytes.
const BUFFER_SIZE: usize = 16 * 1024;

/// The interval between two checks that the caller may still use the connection.
const CHECK_INTERVAL: Duration = Duration::from_secs(30);

/// Checks that a tunnel may stay open.
pub(crate) trait Check: Send + Sync + 'static {
    /// Returns `true` if the connection still exists, and the caller may still use this connection.
    fn may_go_on(&self, guard: &CallGuard, claim: &Claim) -> impl Future<Output = bool> + Send;
}

/// A tunnel that is about to open.
pub(crate) struct Tunnel {
    pub(crate) sides: Sides,
    pub(crate) guard: CallGuard,
    /// The maximum time without a byte in any direction.
    pub(crate) idle: Duration,
    /// The time at which the tunnel must have ended.
    pub(crate) end: Option<Instant>,
}

impl Tunnel {
    /// Forwards bytes until both sides have ended, until the host application aborts the tunnel, or
    /// until a check or a time limit ends the tunnel. Then the call is reported.
    pub(crate) async fn run(self, mut cut: watch::Receiver<bool>, check: impl Check) {
        let Self {
            sides,
            mut guard,
            idle,
            end,
        } = self;
        let Sides {
            caller,
            vendor,
            claim,
        } = sides;
        let moved = Arc::new(Moved {
            caller: Upload::new(guard.started()),
            vendor: AtomicU64::new(0),
        });
        guard.set_upload(Some(Arc::clone(&moved) as Arc<dyn Progress>));
        moved.caller.touch();
        let outcome = {
            let mut cut = pin!(cut.wait_for(|&is_cut| is_cut));
            let mut moving = pin!(relay(caller, vendor, &moved));
            let mut checking = pin!(until_revoked(&check, &guard, &claim));
            let mut timer = pin!(sleep_until(Instant::now() + idle));
            poll_fn(|cx| {
                if let Poll::Ready(outcome) = moving.as_mut().poll(cx) {
                    return Poll::Ready(outcome);
                }
                let is_over = poll_unbudgeted(cx, |cx| {
                    let is_over = cut.as_mut().poll(cx).is_ready()
                        || checking.as_mut().poll(cx).is_ready()
                        || poll_still(timer.as_mut(), cx, moved.caller.moved(), idle, end)
                            .is_ready();
                    if is_over {
                        Poll::Ready(())
                    } else {
                        Poll::Pending
                    }
                });
                is_over.map(|()| Outcome::Aborted)
            })
            .await
        };
        let received = moved.vendor.load(Ordering::Relaxed);
        guard.add_response_bytes(usize::try_from(received).unwrap_or(usize::MAX));
        guard.finish(outcome);
    }
}

async fn relay(caller: OnUpgrade, vendor: OnUpgrade, moved: &Arc<Moved>) -> Outcome {
    // The server hands the caller's connection over when the head of the response has been written. If
    // the caller has disconnected before that, no connection is handed over, and this is an error.
    let Ok(caller) = caller.await else {
        return Outcome::Cancelled;
    };
    let Ok(vendor) = vendor.await else {
        return Outcome::Aborted;
    };
    let mut caller = Counted::new(caller, moved, Side::Caller);
    let mut vendor = Counted::new(vendor, moved, Side::Vendor);
    match copy_bidirectional_with_sizes(&mut caller, &mut vendor, BUFFER_SIZE, BUFFER_SIZE).await {
        Ok(_) => Outcome::Complete,
        Err(_) => Outcome::Aborted,
    }
}

async fn until_revoked(check: &impl Check, guard: &CallGuard, claim: &Claim) {
    loop {
        sleep(CHECK_INTERVAL).await;
        // If the store doesn't answer, the permission isn't withdrawn, and the check is repeated.
        let checked = timeout(CHECK_INTERVAL, check.may_go_on(guard, claim)).await;
        if matches!(checked, Ok(false)) {
            return;
        }
    }
}

/// The number of forwarded bytes in each direction, and the time of the last byte.
struct Moved {
    caller: Upload,
    /// The number of bytes that the upstream sent.
    vendor: AtomicU64,
}

impl Progress for Moved {
    fn progress(&self) -> &Upload {
        &self.caller
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Caller,
    Vendor,
}

/// A side of a tunnel, with a count of its bytes.
struct Counted {
    io: TokioIo<Upgraded>,
    moved: Arc<Moved>,
    side: Side,
}

impl Counted {
    fn new(io: Upgraded, moved: &Arc<Moved>, side: Side) -> Self {
        Self {
            io: TokioIo::new(io),
            moved: Arc::clone(moved),
            side,
        }
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buffer))?;
        let read = buffer.filled().len() - before;
        match self.side {
            Side::Caller => {
                self.moved.caller.add(read);
            }
            Side::Vendor => {
                self.moved.vendor.fetch_add(read as u64, Ordering::Relaxed);
                self.moved.caller.touch();
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write(cx, bytes))?;
        self.moved.caller.touch();
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
