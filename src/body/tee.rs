//! Keeps a copy of what passes of a body, so that it can be sent once more after a vendor's 401
//! (FORWARDING R6).
//!
//! It's a copy, and not another handle to the frames: a frame of a few bytes may hold a whole read
//! buffer of hyper's, and then nobody could say how much memory it is.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body as _, Frame};

use super::RequestBody;
use crate::limits::{BufferBudget, BufferPermit};

/// What is kept of a body while it streams, up to a limit.
pub(crate) struct Tee(Mutex<State>);

enum State {
    Keeping(Keeping),
    Whole(RequestBody),
    /// It was too large, or is gone already.
    Nothing,
}

struct Keeping {
    data: BytesMut,
    trailers: Option<HeaderMap>,
    is_chunked: bool,
    /// In bytes.
    limit: usize,
    taken: BufferPermit,
}

impl Tee {
    /// For that body, up to `limit` bytes of it. `None` if it's known to be larger.
    pub(crate) fn new(
        body: &RequestBody,
        limit: usize,
        room: &Arc<BufferBudget>,
    ) -> Option<Arc<Self>> {
        let size = body.size_hint();
        if limit == 0 || size.lower() > limit as u64 {
            return None;
        }
        let keeping = Keeping {
            data: BytesMut::new(),
            trailers: None,
            is_chunked: size.exact().is_none(),
            limit,
            taken: BufferPermit::empty(room),
        };
        Some(Arc::new(Self(Mutex::new(State::Keeping(keeping)))))
    }

    /// Keeps what is handed on. `ended`: nothing comes after it, as after trailers.
    pub(super) fn keep(&self, frame: Option<&Frame<Bytes>>, ended: bool) {
        let ended = ended || frame.is_some_and(Frame::is_trailers);
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let State::Keeping(keeping) = &mut *state else {
            return;
        };
        if !frame.is_none_or(|frame| keeping.has_kept(frame)) {
            *state = State::Nothing;
        } else if ended {
            let keeping = std::mem::replace(&mut *state, State::Nothing);
            if let State::Keeping(keeping) = keeping {
                *state = State::Whole(keeping.into_body());
            }
        }
    }

    /// Whether the body may still come to be there as a whole.
    pub(crate) fn is_keeping(&self) -> bool {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        !matches!(*state, State::Nothing)
    }

    /// Keeps nothing any more. Who follows the body's progress holds this until the call ends.
    pub(crate) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = State::Nothing;
    }

    /// The body once more, if it has passed as a whole.
    pub(crate) fn take_body(&self) -> Option<RequestBody> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *state, State::Nothing) {
            State::Whole(body) => Some(body),
            State::Keeping(_) | State::Nothing => None,
        }
    }
}

impl Keeping {
    fn has_kept(&mut self, frame: &Frame<Bytes>) -> bool {
        if let Some(data) = frame.data_ref() {
            let fits =
                self.data.len() + data.len() <= self.limit && self.taken.try_grow(data.len());
            if fits {
                self.data.extend_from_slice(data);
            }
            return fits;
        }
        self.trailers = frame.trailers_ref().cloned();
        true
    }

    fn into_body(self) -> RequestBody {
        let body = RequestBody::buffered(self.data.freeze(), self.trailers, Some(self.taken));
        match self.is_chunked {
            true => body.chunked(),
            false => body,
        }
    }
}
