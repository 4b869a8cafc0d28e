//! Helpers that drive the binary and check its behaviour.

pub mod binary;
pub mod canary;
pub mod config;
pub mod curl;
pub mod folder;
pub mod foreign;
pub mod gateway;
pub mod output;
