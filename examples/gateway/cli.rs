//! The command line. Secrets are never taken from it: other users of the machine can read it.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// A Passthrough API: any call of any vendor's API, with the connection's stored credentials put on
/// last.
///
/// Without --config it runs a demo: a built-in vendor, and curl lines to try.
#[derive(Debug, Parser)]
#[command(name = "gateway", version)]
pub(crate) struct Cli {
    /// The config file, in TOML.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Where to listen, in place of the file's `listen`.
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,

    /// Read the config file, say what's wrong with it, and exit: 0 if nothing is, else 2.
    #[arg(long, requires = "config")]
    pub(crate) check: bool,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Change the connections of a persistent store. Not yet supported.
    Connections {
        // Taken as they are, so that what isn't supported is said first, whatever comes after it.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
        arguments: Vec<OsString>,
    },
}
