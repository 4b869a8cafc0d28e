//! Bodies: framing, streaming, trailers, and what happens when one side breaks off.

mod aborts;
mod bodiless;
mod codings;
mod crossing;
mod early_answers;
mod empty_frames;
mod event_streams;
mod framing;
mod idle;
mod live;
mod sides;
mod signed;
mod streaming;
mod total;
mod trailers;
