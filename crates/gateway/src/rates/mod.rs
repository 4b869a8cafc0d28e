//! The rate that all replicas share, counted in Redis or Valkey.

#[cfg(feature = "redis")]
mod redis;
#[cfg(not(feature = "redis"))]
mod without;

#[cfg(feature = "redis")]
pub(crate) use self::redis::{Rates, check};
#[cfg(not(feature = "redis"))]
pub(crate) use self::without::{Rates, check};
