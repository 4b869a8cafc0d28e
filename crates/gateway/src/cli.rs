//! The command line. Secrets are never taken from it: other users of the machine can read it.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use tower_passthrough::ConnectionId;
use tower_passthrough::store::ConnectionKey;

/// A Passthrough API: any call of any vendor's API, with the connection's stored credentials put on
/// last.
///
/// Without --config it runs a demo: a built-in vendor, and curl lines to try.
#[derive(Debug, Parser)]
#[command(name = "passthrough-gateway", version)]
pub(crate) struct Cli {
    /// The config file, in TOML.
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,

    /// Where to listen, in place of the file's `listen`.
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,

    /// Read the config file, say what's wrong with it, and exit: 0 if nothing is, else 2. A store
    /// that is there already is opened, so that a wrong key is found.
    #[arg(long, requires = "config")]
    pub(crate) check: bool,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Change the connections of the config file's store.
    ///
    /// A gateway that runs needs no signal: it sees what has changed within seconds. Secrets are
    /// read from stdin or from a file, and never printed. Exits 0 if all was done, 2 if the command
    /// line or a file is at fault, and 1 otherwise.
    #[command(subcommand)]
    Connections(Connections),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Connections {
    /// Take the [connection.*] tables of a file, in place of those of the same id.
    ///
    /// What is replaced is gone, with the tokens that were refreshed since it was put there, also
    /// those that a gateway refreshes meanwhile: the file's are in their place. The file may be a
    /// whole config, whose other tables count for nothing. Each connection is checked against the
    /// integrations of --config; if one is at fault, nothing is taken. If the store fails in the
    /// middle, what has been taken until then stays, and the command may be run again.
    Import {
        /// A file in TOML with [connection.*] tables; `-` reads standard input.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Print a line for each connection: id, integration, and `live` or `reauthorize`, with tabs
    /// between.
    ///
    /// `reauthorize`: its credential is dead, and its owner must authorize it anew.
    List,
    /// Add one connection.
    ///
    /// Its secrets are read from stdin, or from --secrets: lines of TOML such as `token = "..."`, or
    /// `token = { env = "NAME" }`.
    Add(Add),
    /// Remove connections. Exits 1 if one of them wasn't there.
    Remove {
        /// The connections' ids; or keys, such as `TENANT/ID`, that another application has stored.
        #[arg(value_name = "ID", required = true, value_parser = key)]
        ids: Vec<ConnectionKey>,
    },
    /// Encrypt all secrets with `key`, also those that one of `old_keys` encrypted.
    ///
    /// Gateways that run must have both keys by then: reload them with the new `key`, and the one
    /// before among `old_keys`. Afterwards `old_keys` can go.
    RotateKey,
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The connection's id: what callers name it by.
    #[arg(value_name = "ID", value_parser = id)]
    pub(crate) id: ConnectionId,

    /// The integration, one of the config file's.
    #[arg(long, value_name = "NAME")]
    pub(crate) integration: String,

    /// A variable of the integration's base URL. May be given for each.
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = variable)]
    pub(crate) variables: Vec<(String, String)>,

    /// Read the secrets from this file, not from stdin; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) secrets: Option<PathBuf>,

    /// Replace the connection of that id, if there is one.
    #[arg(long)]
    pub(crate) replace: bool,
}

fn key(text: &str) -> Result<ConnectionKey, String> {
    ConnectionKey::new(text).map_err(|error| error.to_string())
}

fn id(text: &str) -> Result<ConnectionId, String> {
    ConnectionId::try_from(text).map_err(|error| error.to_string())
}

fn variable(text: &str) -> Result<(String, String), &'static str> {
    let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
    let (name, value) = pair.ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
