//! What drives the binary and looks at it.

pub(crate) mod binary;
pub(crate) mod canary;
pub(crate) mod config;
pub(crate) mod curl;
pub(crate) mod folder;
pub(crate) mod gateway;
pub(crate) mod output;
