//! Access tokens that are refreshed: the time of a refresh, its sharing, and the answers to calls.
//!
//! `tests/security` tests what must never happen: two refreshes at once, lost tokens, stale writers, and callers who
//! drive refreshes.

mod dead;
mod due;
mod failing;
mod rejected;
mod stored;
