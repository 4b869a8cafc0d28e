//! The command line. Secrets are never taken from it: other users of the machine can read it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use tower_passthrough::ConnectionId;
use tower_passthrough::store::ConnectionKey;

use crate::listen::Listen;

/// The part of the help after the options.
const MANUAL: &str = "\
Signals:
  SIGTERM, SIGINT  Stop: accept no new callers, and wait for calls under way and refreshes of tokens for up to
                   `shutdown`. A second signal ends the calls at once, a third signal the refreshes
  SIGHUP           Read the config file again, and the files that it names, such as those of its `catalog`. A file with
                   a mistake changes nothing

Integrations:
  A connection may name an integration of the config file or of the bundled catalog. `passthrough-gateway catalog list`
  prints them, and `catalog show NAME` prints the secrets that a connection needs

Environment:
  RUST_LOG         The levels of the log on stderr, such as `debug` or `info,hyper=debug`; default: `info`. Lines about
                   calls are always logged
  The variables that the config file names with { env = \"NAME\" }. The environment sets no proxy and no other option

Endpoints:
  {mount}/{connection}/{path}  Calls; `mount` is /passthrough by default
  GET /healthz                 200 while the process runs
  GET /readyz                  200 while the store can be reached and the process isn't stopping, otherwise 503
  GET /metrics                 Metrics in the text format of Prometheus, for callers with a key
  With [operator] listen, these three are served there, without a key, and nowhere else
  With `page = true`, without a key:
  GET /                        A page with the integrations, and a form that tries a call. Its files are /page.js,
                               /page.css and /catalog.json
  GET /openapi.json            The calls as a description for OpenAPI 3.1
  GET /postman.json            The integrations as a collection for Postman";

/// A server for a Passthrough API: forwards any call of any vendor's API, and adds the connection's
/// stored credentials as the last step.
///
/// Without --config, it runs a demo with a built-in vendor, and prints curl commands to try.
#[derive(Debug, Parser)]
#[command(name = "passthrough-gateway", version, after_help = MANUAL)]
pub(crate) struct Cli {
    /// The config file, in TOML.
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,

    /// The place to listen at, instead of the file's `listen`: `127.0.0.1:8080`, `:8080` for all
    /// addresses of the machine, `localhost:8080`, or `unix:/run/passthrough.sock`.
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<Listen>,

    /// Check the config file, print its mistakes, and exit with 0, or with 2 if there is a mistake.
    ///
    /// If the file of the store exists, it's read, to find a wrong key. A database is asked for its
    /// settings, its tables, the privileges of the role, and its keys. The exit code is 1 if the
    /// store can't be used. Programs that print secrets are run. Nothing is written.
    #[arg(long, requires = "config")]
    pub(crate) check: bool,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Change or verify the connections in the store of the config file.
    ///
    /// Running gateways need no signal, and use the change within seconds. Secrets are read from
    /// stdin or from a file, and aren't printed. The exit code is 0 if everything was done, 2 if
    /// the command line or a file has a mistake, and 1 otherwise.
    #[command(subcommand)]
    Connections(Connections),
    /// Show the integrations that connections can name.
    ///
    /// Without --config, these are the entries of the bundled catalog. With --config, the integrations of that file and of its
    /// `catalog` are shown as well, and replace entries of the same name.
    #[command(subcommand)]
    Catalog(Catalog),
    /// Change the tables of the store of the config file.
    #[command(subcommand)]
    Store(Store),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Catalog {
    /// Print a line for each integration: name, title, category, kinds of authentication, and the confidence in these facts,
    /// separated by tabs.
    ///
    /// The kinds of authentication are separated by commas, in the order of preference; the secrets of a connection choose among
    /// them. The confidence is `checked` if the vendor's own page was seen, `documented` if another source says so, or `unverified`.
    List,
    /// Print all facts about an integration, and an example of a connection. Exits 2 if there is no such integration.
    Show {
        /// The name of the integration, such as `hubspot`.
        #[arg(value_name = "NAME")]
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Store {
    /// Create the tables of the store, or migrate tables of an older version.
    ///
    /// A gateway does that itself when it starts, unless the config file has `migrations = "check"`,
    /// for a role that may not create tables. Run this command with a role that may. An older
    /// gateway can't open the store after a migration, and goes on if it's running.
    Migrate,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Connections {
    /// Import the [connection.*] tables of a file, and replace connections of the same id.
    ///
    /// The file may be a whole config; its other tables are ignored. Each connection is checked
    /// against the integrations of --config and its catalog. If a connection is wrong, nothing is imported. Nothing
    /// is imported either if a token was refreshed since it was stored, and the file has another
    /// token: a vendor that rotates refresh tokens accepts only the newest. See --replace-tokens. All
    /// connections are written in one transaction: if the store fails, none of them is imported. If
    /// it fails while it confirms the transaction, all of them may be imported; the command can be run
    /// again. Connections that are already the same aren't written. Those that are replaced can't be refreshed during the import; if the
    /// command is killed, for up to 5 minutes.
    Import(Import),
    /// Copy all connections of another config's store into the store of --config, for example from a file to a database.
    ///
    /// States (`live` or `reauthorize`) and times of refreshes go along, and secrets are encrypted with the key of the new store. Versions
    /// are new. Connections that are already the same are skipped. A connection of the same id with other contents or another state
    /// stays as it is, unless --replace names it. If a store fails in the middle, the connections that were copied until then stay, and
    /// the command can be run again. The old store isn't changed, except that tables of an older version of a SQLite file are migrated.
    ///
    /// Stop the gateways on the old store before, and start them on the new store afterwards. If a gateway refreshes a token in the
    /// old store after it was copied, a vendor that rotates refresh tokens refuses the copy, and may revoke the grant.
    ///
    /// The exit code is 0 if the new store has all connections of the old store, and none of them was changed while the command ran. If
    /// not, the exit code is 1, and the connections are named. The command doesn't see a refresh that is under way in the old store,
    /// whose result is stored later: exit code 0 says nothing about it. So the gateways must be stopped before.
    Copy(Copy),
    /// Print a line for each connection: id, integration, and `live` or `reauthorize`, separated by
    /// tabs.
    ///
    /// `reauthorize`: the token endpoint has refused the grant, and the connection's owner must
    /// authorize the connection again.
    List,
    /// Make a call that shows whether a connection's credential is valid, and explain the result.
    ///
    /// The call is a GET of the path `verify` of the integration. It takes the same way as the calls of a running gateway; tokens
    /// that are refreshed are stored. Connections in the config file can be verified as well, but a refresh token that the vendor may
    /// replace isn't used then, because the file can't keep a new token. Neither secrets nor the response's body are printed. Exits 0
    /// if the credential works, 1 if it doesn't or if that isn't known, and 2 if there is no such connection or no such call.
    Verify {
        /// The id of the connection.
        #[arg(value_name = "ID", value_parser = id)]
        id: ConnectionId,
    },
    /// Add a connection.
    ///
    /// Its secrets are read from stdin, or from --secrets: lines of TOML such as `token = "..."`, or
    /// `token = { env = "NAME" }`.
    Add(Add),
    /// Remove connections. The exit code is 1 if one of them didn't exist.
    Remove {
        /// The ids of the connections, or keys such as `TENANT/ID` that another application has
        /// stored.
        #[arg(value_name = "ID", required = true, value_parser = key)]
        ids: Vec<ConnectionKey>,
    },
    /// Mark connections that `list` shows as `reauthorize` as live again. Their secrets don't
    /// change.
    ///
    /// Use it after a token endpoint has refused grants by mistake. If the token endpoint still
    /// refuses a grant, the connection is `reauthorize` again after its next call. Tokens that a
    /// gateway refreshes at the same time aren't lost. Exits 1 if an ID has no connection.
    Revive(Revive),
    /// Encrypt with `key` all secrets that are encrypted with one of `keys`.
    ///
    /// `key` encrypts new secrets, and the keys in `keys` only decrypt. A key is replaced in four
    /// steps, while gateways run. With several gateways on one store, finish each step on all
    /// gateways before the next. Use `{ file = "..." }` for both keys: a reload doesn't see changes
    /// of the environment.
    ///
    /// 1. Add the new key to `keys`, and reload (SIGHUP).
    ///
    /// 2. Make the new key `key`, put the old key into `keys`, and reload.
    ///
    /// 3. Run this command once.
    ///
    /// 4. Remove the old key from `keys`, and reload.
    ///
    /// Backups of the store that were made before step 3 need the old key.
    RotateKey,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// A file in TOML with [connection.*] tables; `-` reads standard input.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Replace tokens that were refreshed since they were stored, also tokens that a gateway
    /// refreshes during the import. These tokens are lost.
    #[arg(long)]
    pub(crate) replace_tokens: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Copy {
    /// The config file of the store that is copied. If connections are stored in the file itself, these
    /// are copied.
    #[arg(long, value_name = "FILE")]
    pub(crate) from: PathBuf,

    /// Replace the connections with these ids, if they have other contents or another state. Their tokens in the new store are
    /// lost. A token that was refreshed later than the token of the old store is never replaced.
    #[arg(long, value_name = "ID", num_args = 1.., value_parser = key)]
    pub(crate) replace: Vec<ConnectionKey>,
}

#[derive(Debug, Args)]
pub(crate) struct Revive {
    /// The connections' ids; or keys, such as `TENANT/ID`, that another application has stored.
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all", value_parser = key)]
    pub(crate) ids: Vec<ConnectionKey>,

    /// Revive all connections.
    #[arg(long)]
    pub(crate) all: bool,

    /// With --all: only the connections of this integration.
    #[arg(long, value_name = "NAME", requires = "all", conflicts_with = "ids")]
    pub(crate) integration: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The id of the connection, by which callers name it.
    #[arg(value_name = "ID", value_parser = id)]
    pub(crate) id: ConnectionId,

    /// The integration, from the config file or its catalog.
    #[arg(long, value_name = "NAME")]
    pub(crate) integration: String,

    /// A variable of the integration's base URL. Can be repeated.
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = variable)]
    pub(crate) variables: Vec<(String, String)>,

    /// The file with the secrets, instead of stdin; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) secrets: Option<PathBuf>,

    /// Replace the connection with that id, if it exists. The connection is `live` afterwards.
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
