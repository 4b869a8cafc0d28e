//! Keeps a copy of a body while it's sent, so that it can be sent again after the upstream's 401.
//!
//! The frames are copied, because sharing them would keep more memory in use than can be counted: a frame of a few
//! bytes may share hyper's whole read buffer.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body as _, Frame};

use super::RequestBody;
use crate::limits::BufferPermit;

/// A copy of a body that grows while the body streams, up to a limit.
pub(crate) struct Tee(Mutex<State>);

enum State {
    Keeping(Keeping),
    Whole(RequestBody),
    /// The body was too large, or has been taken.
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
    /// Returns a tee for `body`, up to `limit` bytes, or `None` if the body is known to be larger.
    pub(crate) fn new(body: &RequestBody, limit: usize, taken: BufferPermit) -> Option<Arc<Self>> {
        let size = body.size_hint();
        if limit == 0 || size.lower() > limit as u64 {
            return None;
        }
        let keeping = Keeping {
            data: BytesMut::new(),
            trailers: None,
            is_chunked: size.exact().is_none(),
            limit,
            taken,
        };
        Some(Arc::new(Self(Mutex::new(State::Keeping(keeping)))))
    }

    /// Copies a frame that is handed on. Nothing follows it if it `ended` the body or holds trailers.
    pub(super) fn keep(&self, frame: Option<&Frame<Bytes>>, ended: bool) {
        let ended = ended || frame.is_some_and(Frame::is_trailers);
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let State::Keeping(keeping) = &mut *state else {
            return;
        };
        if !frame.is_none_or(|frame| keeping.try_keep(frame)) {
            *state = State::Nothing;
        } else if ended {
            let keeping = std::mem::replace(&mut *state, State::Nothing);
            if let State::Keeping(keeping) = keeping {
                *state = State::Whole(keeping.into_body());
            }
        }
    }

    /// Returns `true` if the whole body is or may still become available.
    pub(crate) fn is_keeping(&self) -> bool {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        !matches!(*state, State::Nothing)
    }

    /// Frees the copy. The tee itself lives as long as the progress of the body is watched, until the call ends.
    pub(crate) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = State::Nothing;
    }

    /// Takes the copy of the body, if the whole of it has passed.
    pub(crate) fn take_body(&self) -> Option<RequestBody> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *state, State::Nothing) {
            State::Whole(body) => Some(body),
            State::Keeping(_) | State::Nothing => None,
        }
    }
}

impl Keeping {
    /// Returns `false` if the frame doesn't fit.
    fn try_keep(&mut self, frame: &Frame<Bytes>) -> bool {
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
