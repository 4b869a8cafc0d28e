//! Tokens that refresh themselves: when, for whom, and what a call sees of it.
//!
//! What must never happen is in `tests/security`: two refreshes at once, tokens lost, stale writers,
//! and callers who drive refreshes.

mod dead;
mod due;
mod failing;
mod rejected;
mod stored;
