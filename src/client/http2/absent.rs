//! Without the feature `http2` there are no such connections: types without a value.

use std::convert::Infallible;
use std::sync::Arc;

use http::{Request, Response};

use super::connect::Stream;
use super::error::TransportError;
use crate::body::{RequestBody, UpstreamBody};

pub(super) struct Settings;

impl Settings {
    pub(super) fn new() -> Self {
        Self
    }
}

#[derive(Clone)]
pub(super) struct Http2(Infallible);

#[derive(PartialEq, Eq)]
pub(super) struct Closed {
    pub(super) is_busy: bool,
}

pub(super) enum Failure {
    Stale(Box<Request<RequestBody>>),
    Refused {
        error: TransportError,
        is_busy: bool,
    },
    Failed(TransportError),
}

impl Http2 {
    pub(super) async fn over(
        _: Stream,
        _: &Settings,
        _: impl FnOnce(bool) + Send + 'static,
        _: impl Fn(bool) + Send + Sync + 'static,
    ) -> Result<Self, TransportError> {
        std::future::pending().await
    }

    pub(super) fn max_streams(&self) -> usize {
        match self.0 {}
    }

    pub(super) fn look(&mut self) -> Result<(), Closed> {
        match self.0 {}
    }

    pub(super) fn count(&self, _: bool) {
        match self.0 {}
    }

    pub(super) fn streams(&self) -> usize {
        match self.0 {}
    }

    pub(super) async fn exchange(
        self,
        _: Request<RequestBody>,
        _: Arc<dyn Send + Sync>,
    ) -> Result<Response<UpstreamBody>, Failure> {
        match self.0 {}
    }
}
