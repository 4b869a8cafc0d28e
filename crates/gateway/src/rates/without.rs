//! A program without Redis can't count such rates.

use std::num::NonZeroU32;

use tower_passthrough::BoxError;
use tower_passthrough::limits::{Drawn, Rate, SharedRate};
use tower_passthrough::store::ConnectionKey;

use crate::config::{RatesSource, Store};
use crate::store::{Connections, OpenError};

#[derive(Clone, Debug)]
pub(crate) enum Rates {}

impl Rates {
    pub(crate) fn open(
        _: &RatesSource,
        _: &Connections,
        _: Option<&Self>,
    ) -> Result<Self, OpenError> {
        Err(missing())
    }
}

pub(crate) async fn check(_: &RatesSource, _: &Store) -> Result<(), OpenError> {
    Err(missing())
}

fn missing() -> OpenError {
    let what = "limits.rate_per_connection: this program was compiled without the feature `redis`";
    OpenError::new(what.to_owned(), true)
}

impl SharedRate for Rates {
    async fn draw(&self, _: &ConnectionKey, _: Rate, _: NonZeroU32) -> Result<Drawn, BoxError> {
        match *self {}
    }
}
