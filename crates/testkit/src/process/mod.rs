//! What drives the binary and looks at it.

pub mod binary;
pub mod canary;
pub mod config;
pub mod curl;
pub mod folder;
pub mod gateway;
pub mod output;
