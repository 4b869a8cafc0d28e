//! Without the feature `websocket` no request is a handshake: a type without a value.

use http::HeaderMap;
use http::request::Parts;
use http::{StatusCode, response};

use super::Unasked;
use crate::body::RequestBody;
use crate::connection::Connection;
use crate::upstream::Upstream;

pub(crate) enum Handshake {}

impl Handshake {
    pub(crate) fn of(_: &mut Parts, _: &RequestBody) -> Option<Box<Self>> {
        None
    }

    pub(crate) fn claims(&mut self, _: &Connection, _: &Upstream, _: &str) {
        match *self {}
    }

    pub(super) fn is_agreed_to(&mut self, _: &mut response::Parts) -> Result<bool, Unasked> {
        match *self {}
    }

    pub(crate) fn agree(&self, _: &mut StatusCode, _: &mut HeaderMap) {
        match *self {}
    }

    pub(crate) fn ask(&self, _: &mut HeaderMap) {
        match *self {}
    }
}
