//! The connection pool: what is resent, what is thrown away, and what one tenant can do to another.

mod isolation;
mod lifetime;
mod resending;
