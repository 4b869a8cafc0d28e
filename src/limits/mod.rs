//! How many calls may be under way at once, in all and per connection, and how many may begin.
//!
//! A limit that isn't set is an `Option` to look at. What counts calls per connection is asked only
//! once the store knows the id: unknown ids are answered alike however busy the known ones are, and
//! none of them takes memory.

mod in_flight;
#[cfg(feature = "rate-limit")]
mod rate;
mod room;

use std::sync::Arc;

pub(crate) use self::in_flight::Permit;
use self::in_flight::{InAll, PerConnection};
#[cfg(feature = "rate-limit")]
pub use self::rate::Rate;
#[cfg(feature = "rate-limit")]
use self::rate::Rates;
pub(crate) use self::room::{Room, Taken};
use crate::address::ConnectionId;
use crate::error::Error;

/// The limits of a service, shared by its clones.
#[derive(Clone)]
pub(crate) struct Limits {
    in_all: Option<Arc<InAll>>,
    per_connection: Option<Arc<PerConnection>>,
    #[cfg(feature = "rate-limit")]
    rates: Option<Arc<Rates>>,
    room: Arc<Room>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            in_all: None,
            per_connection: None,
            #[cfg(feature = "rate-limit")]
            rates: None,
            room: Arc::new(Room::new(Room::DEFAULT)),
        }
    }
}

impl Limits {
    pub(crate) fn set_in_all(&mut self, limit: usize) {
        self.in_all = Some(Arc::new(InAll::new(limit)));
    }

    pub(crate) fn set_per_connection(&mut self, limit: usize) {
        self.per_connection = Some(Arc::new(PerConnection::new(limit)));
    }

    #[cfg(feature = "rate-limit")]
    pub(crate) fn set_rate(&mut self, rate: Rate) {
        self.rates = Some(Arc::new(Rates::new(rate)));
    }

    pub(crate) fn set_room(&mut self, bytes: usize) {
        self.room = Arc::new(Room::new(bytes));
    }

    /// For bodies that are kept.
    pub(crate) fn room(&self) -> &Arc<Room> {
        &self.room
    }

    /// Goes on counting where another service does, as far as the limits are the same.
    pub(crate) fn continue_from(&mut self, other: &Self) {
        share(&mut self.in_all, other.in_all.as_ref(), |a, b| {
            a.limit() == b.limit()
        });
        share(
            &mut self.per_connection,
            other.per_connection.as_ref(),
            |a, b| a.limit() == b.limit(),
        );
        if self.room.most() == other.room.most() {
            self.room = Arc::clone(&other.room);
        }
        #[cfg(feature = "rate-limit")]
        share(&mut self.rates, other.rates.as_ref(), |a, b| {
            a.rate() == b.rate()
        });
    }

    /// Counts a call of whatever connection, or refuses it.
    pub(crate) fn of_all(&self, permit: &mut Permit) -> Result<(), Error> {
        match &self.in_all {
            None => Ok(()),
            Some(in_all) => permit.take_of_all(in_all),
        }
    }

    /// Counts a call of this connection, which the store knows, or refuses it.
    pub(crate) fn of_connection(
        &self,
        id: &ConnectionId,
        permit: &mut Permit,
    ) -> Result<(), Error> {
        if let Some(per_connection) = &self.per_connection {
            permit.take_of_connection(per_connection, id)?;
        }
        // Last, as a call that is refused for another reason hasn't begun.
        #[cfg(feature = "rate-limit")]
        if let Some(rates) = &self.rates {
            rates.check(id)?;
        }
        Ok(())
    }
}

/// Takes the other's, if there is one of each and they're alike.
pub(crate) fn share<T>(
    own: &mut Option<Arc<T>>,
    other: Option<&Arc<T>>,
    alike: impl FnOnce(&T, &T) -> bool,
) {
    if let (Some(own), Some(other)) = (own, other) {
        if alike(own, other) {
            *own = Arc::clone(other);
        }
    }
}
