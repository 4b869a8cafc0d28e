//! `[limits]`: the maximum number of calls under way, and the rate of the calls of a connection.

use std::num::NonZeroU32;
use std::time::Duration;

use toml::Spanned;
use tower_passthrough::PassthroughBuilder;

use super::file;
use super::problem::{Problem, Problems};
use super::value::{Count, Size};
use crate::descriptors;
use crate::peers::PeerLimits;

/// The limits of a service. A field is `None` if that limit isn't set.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    in_flight: Option<usize>,
    in_flight_per_connection: Option<usize>,
    rate_per_connection: Option<Rate>,
    /// In bytes.
    replay: Option<usize>,
    buffered_bodies: Option<usize>,
}

/// The rate of calls, and the number of calls that may begin at once after a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rate {
    calls: NonZeroU32,
    per: Per,
    burst: Option<NonZeroU32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Per {
    Second,
    Minute,
}

impl Limits {
    pub(super) fn read(file: &file::Limits, problems: &mut Problems) -> Self {
        Self {
            in_flight: above_nought(file.in_flight),
            in_flight_per_connection: above_nought(file.in_flight_per_connection),
            rate_per_connection: file
                .rate_per_connection
                .as_ref()
                .and_then(|given| problems.ok(rate(given)).flatten()),
            replay: file.replay.map(bytes),
            buffered_bodies: file.buffered_bodies.map(bytes),
        }
    }

    /// Sets the limits on the builder.
    pub(crate) fn set<S, R, T, A>(
        &self,
        mut builder: PassthroughBuilder<S, R, T, A>,
    ) -> PassthroughBuilder<S, R, T, A> {
        if let Some(calls) = self.in_flight {
            builder = builder.in_flight_limit(calls);
        }
        if let Some(calls) = self.in_flight_per_connection {
            builder = builder.in_flight_per_connection_key(calls);
        }
        if let Some(bytes) = self.replay {
            builder = builder.replay_limit(bytes);
        }
        if let Some(bytes) = self.buffered_bodies {
            builder = builder.buffered_bodies_limit(bytes);
        }
        if let Some(rate) = self.rate_per_connection {
            builder = builder.rate_per_connection_key(rate.into());
        }
        builder
    }
}

/// The part of all file descriptors that callers' connections may take by default. Calls need
/// connections to upstreams, and the store needs files.
const SHARE: usize = 3;

/// Returns the limits of callers' connections.
pub(super) fn peers(
    file: &file::Limits,
    idle: Duration,
    stalled: Duration,
    warnings: &mut Vec<String>,
) -> PeerLimits {
    let descriptors = descriptors::limit();
    let total = match file.connections {
        Some(_) => above_nought(file.connections),
        None => descriptors.map(|descriptors| (descriptors / SHARE).max(1)),
    };
    if let (Some(total), Some(descriptors)) = (total, descriptors) {
        if file.connections.is_some() && total >= descriptors {
            warnings.push(format!(
                "limits.connections is {total}, but the process can only open {descriptors} files, and needs some for connections to upstreams"
            ));
        }
    }
    PeerLimits {
        total,
        per_address: above_nought(file.connections_per_address),
        idle,
        stalled,
    }
}

impl From<Rate> for tower_passthrough::limits::Rate {
    fn from(Rate { calls, per, burst }: Rate) -> Self {
        let rate = match per {
            Per::Second => Self::per_second(calls),
            Per::Minute => Self::per_minute(calls),
        };
        burst.map_or(rate, |burst| rate.burst(burst))
    }
}

/// Returns the count, or `None` for 0, which means no limit.
fn above_nought(count: Option<Count>) -> Option<usize> {
    let count = count.map(|count| usize::try_from(count.0).unwrap_or(usize::MAX));
    count.filter(|&count| count > 0)
}

fn bytes(size: Size) -> usize {
    usize::try_from(size.0).unwrap_or(usize::MAX)
}

/// Returns the rate, or `None` for 0, which means no limit.
fn rate(given: &Spanned<file::Rate>) -> Result<Option<Rate>, Problem> {
    let file::Rate {
        per_second,
        per_minute,
        burst,
    } = given.get_ref();
    let (calls, per) = match (per_second, per_minute) {
        (Some(calls), None) => (calls, Per::Second),
        (None, Some(calls)) => (calls, Per::Minute),
        _ => {
            return Err(Problem::at(
                given,
                "expected either `per_second` or `per_minute`",
            ));
        }
    };
    let calls = number(calls)?;
    let burst = match burst {
        None => None,
        Some(burst) => match number(burst)? {
            None => return Err(Problem::at(burst, "expected 1 or more")),
            some => some,
        },
    };
    Ok(calls.map(|calls| Rate { calls, per, burst }))
}

fn number(count: &Spanned<Count>) -> Result<Option<NonZeroU32>, Problem> {
    match u32::try_from(count.get_ref().0) {
        Ok(count) => Ok(NonZeroU32::new(count)),
        Err(_) => Err(Problem::at(count, "expected a number below 4294967296")),
    }
}
