//! Connections and secrets from other files than the config file: the input of `connections import`
//! and `connections add`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;
use toml::de::DeTable;
use tower_passthrough::{Connection, ConnectionId, Secret};

use super::connection;
use super::file;
use super::integration::Declared;
use super::problem::{ConfigError, Problem, Problems};
use super::secret;
use super::value::SecretSource;
use super::{Folder, read, shape};

/// The keys that a whole config file contains in addition to its connections.
const OTHERS: [&str; 38] = [
    "address_by",
    "anyone",
    "caller",
    "catalog",
    "circuit",
    "foreign_locations",
    "host_pattern",
    "integration",
    "isolate",
    "limits",
    "listen",
    "log",
    "mount",
    "network",
    "observe",
    "operator",
    "page",
    "pass_forwarded",
    "pass_headers",
    "pass_server_instructions",
    "path_encoding",
    "pool",
    "public_url",
    "reauthorize_url",
    "refresh",
    "reject_double_encoded_dots",
    "response_headers",
    "retry",
    "rewrite_links",
    "shutdown",
    "socket_mode",
    "store",
    "strip_headers",
    "timeouts",
    "title_case",
    "tls",
    "via",
    "websocket_origins",
];

#[derive(Deserialize)]
#[serde(expecting = "a table")]
struct Tables {
    #[serde(default)]
    connection: BTreeMap<Spanned<String>, Spanned<file::Connection>>,
}

/// Reads the `[connection.*]` tables of a text, which may be a whole config file. Each connection
/// is checked against the integrations in `declared`. `path` is the name of the text in errors.
pub(crate) fn connections(
    path: &Path,
    text: Vec<u8>,
    declared: &Declared,
) -> Result<Vec<(ConnectionId, Connection)>, ConfigError> {
    read(path, text, |tree| {
        let mut problems = Problems::default();
        unknown(tree.get_ref(), &mut problems);
        let Tables { connection } = shape(tree)?;
        if connection.is_empty() {
            problems.push(Problem::of_file(
                "the file contains no [connection.*] tables",
            ));
        }
        let folder = Folder::of(path);
        let read = connection::all(connection, declared, |_| false, folder, &mut problems);
        problems.none()?;
        let ids = read.into_iter().map(|(id, connection)| {
            let id = ConnectionId::try_from(id.as_str());
            id.map(|id| (id, connection))
        });
        // The conversion can't fail here, because an invalid id was already reported as a problem.
        ids.collect::<Result<_, _>>()
            .map_err(|error| vec![Problem::of_file(error.to_string())])
    })
}

/// Reports unknown tables, which are probably misspelled.
fn unknown(tree: &DeTable<'_>, problems: &mut Problems) {
    for (key, _) in tree {
        let name: &str = key.get_ref();
        if name != "connection" && !OTHERS.contains(&name) {
            let what = "unknown key, expected [connection.*] tables, or a whole config";
            problems.push(Problem::at(key, what));
        }
    }
}

/// Reads secrets in the form `token = "..."`. `path` is the name of the text in errors.
pub(crate) fn secrets(path: &Path, text: Vec<u8>) -> Result<Vec<(String, Secret)>, ConfigError> {
    read(path, text, |tree| {
        let sources: BTreeMap<String, Spanned<SecretSource>> = shape(tree)?;
        let mut problems = Problems::default();
        let mut secrets = Vec::new();
        for (name, source) in sources {
            let secret = problems.ok(secret::read(&source, Folder::of(path)));
            secrets.extend(secret.map(|secret| (name, secret)));
        }
        problems.none()?;
        Ok(secrets)
    })
}
