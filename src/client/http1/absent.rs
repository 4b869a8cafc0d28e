//! Without the feature `http1` there are no such connections: types without a value.

use std::convert::Infallible;
use std::sync::Arc;

use http::{Request, Response};

use super::connect::Stream;
use super::error::TransportError;
use crate::body::{RequestBody, UpstreamBody};

pub(super) trait Home: Send + Sync {
    fn keep(self: Arc<Self>, connection: Box<Http1>);

    fn stirred(&self, id: u64);
}

pub(super) struct Settings;

impl Settings {
    pub(super) fn new(_: bool) -> Self {
        Self
    }
}

pub(super) struct Http1(Infallible);

pub(super) enum Failure {
    Stale(Box<Request<RequestBody>>),
    Failed(TransportError),
}

impl Http1 {
    pub(super) async fn over<H: Home + 'static>(
        _: Stream,
        _: &Settings,
        _: &Arc<H>,
        _: u64,
    ) -> Result<Option<Box<Self>>, TransportError> {
        std::future::pending().await
    }

    pub(super) fn has_rested(&mut self) {
        match self.0 {}
    }

    pub(super) fn is_stirred(&self) -> bool {
        match self.0 {}
    }

    pub(super) fn id(&self) -> u64 {
        match self.0 {}
    }

    pub(super) fn lend(self: Box<Self>, _: Arc<dyn Home>) -> Option<Box<Self>> {
        match self.0 {}
    }

    pub(super) fn look(self: Box<Self>) -> Option<Box<Self>> {
        match self.0 {}
    }

    pub(super) async fn exchange(
        self: Box<Self>,
        _: Request<RequestBody>,
    ) -> Result<Response<UpstreamBody>, Failure> {
        match self.0 {}
    }
}
