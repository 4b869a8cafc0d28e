//! `[connection.*]`: the customers' accounts. Each is checked against its integration.
//!
//! Problems that would make calls fail are reported when the file is read. For example, a missing
//! variable or secret is a mistake in the file.

use std::collections::BTreeMap;

use toml::Spanned;
use tower_passthrough::auth::ClientIdentity;
use tower_passthrough::{Connection, ConnectionId};

use super::Folder;
use super::file;
use super::integration::Declared;
use super::problem::{Problem, Problems};
use super::secret;

/// Returns the connections of these tables. If an integration is `at_fault`, its connections aren't
/// checked.
pub(super) fn all(
    tables: BTreeMap<Spanned<String>, Spanned<file::Connection>>,
    declared: &Declared,
    at_fault: impl Fn(&str) -> bool,
    folder: Folder<'_>,
    problems: &mut Problems,
) -> Vec<(String, Connection)> {
    let mut built = Vec::new();
    for (id, table) in tables {
        if let Err(error) = ConnectionId::try_from(id.get_ref().as_str()) {
            problems.push(Problem::at(&id, error.to_string()));
        }
        let place = Spanned::new(table.span(), ());
        let integration = Spanned::new(table.get_ref().integration.span(), ());
        let (connection, is_whole) = one(table.into_inner(), folder, problems);
        if at_fault(connection.integration()) {
            continue;
        }
        match declared.lacks(&connection) {
            Ok(mut faults) => {
                if is_whole && faults.is_empty() {
                    faults = unfit(&connection, declared);
                }
                for fault in faults {
                    problems.push(Problem::at(&place, fault));
                }
            }
            Err(unknown) => problems.push(Problem::at(&integration, unknown)),
        }
        built.push((id.into_inner(), connection));
    }
    built
}

/// Returns the connection, and `true` if all its secrets could be read.
fn one(table: file::Connection, folder: Folder<'_>, problems: &mut Problems) -> (Connection, bool) {
    let mut is_whole = true;
    let mut connection = Connection::new(table.integration.into_inner());
    for (name, value) in table.variables {
        connection = connection.with_variable(name, value);
    }
    for (name, source) in table.secret {
        // A secret that can't be read isn't also reported as missing.
        let secret = problems.ok(secret::read(&source, folder));
        is_whole &= secret.is_some();
        connection = connection.with_secret(name, secret.unwrap_or_else(|| "".into()));
    }
    (connection, is_whole)
}

/// Returns the variables and secrets that are missing from the connection. If none are missing,
/// returns the secrets that can't be used.
///
/// # Errors
///
/// If the integration doesn't exist.
pub(crate) fn faults(connection: &Connection, declared: &Declared) -> Result<Vec<String>, String> {
    let lacks = declared.lacks(connection)?;
    match lacks.is_empty() {
        true => Ok(unfit(connection, declared)),
        false => Ok(lacks),
    }
}

/// Returns the secrets that would fail at the first call or the first refresh. The messages don't
/// contain the values of the secrets.
fn unfit(connection: &Connection, declared: &Declared) -> Vec<String> {
    let mut faults = Vec::new();
    if declared.has_tokens(connection.integration()) {
        let end = connection.credential().get("expires_at");
        if end.is_some_and(|end| !is_time(end.expose())) {
            faults.push(
                "`secret.expires_at`: expected Unix seconds, or a date and time with its offset, \
                 such as \"2026-01-01T00:00:00Z\""
                    .to_owned(),
            );
        }
    }
    let integration = connection.integration();
    let secrets = declared.required_secrets(integration);
    let reads_certificate = declared.has_client_certificate(integration);
    let secret = |name: &str| {
        let is_read = reads_certificate || secrets.iter().any(|secret| &**secret == name);
        connection.credential().get(name).filter(|_| is_read)
    };
    if let (Some(certificate), Some(key)) = (secret("certificate"), secret("private_key")) {
        if ClientIdentity::from_pem(certificate, key).is_err() {
            faults.push(
                "the certificate and the private key aren't PEM, or don't belong together"
                    .to_owned(),
            );
        }
    }
    faults
}

/// Returns `true` if the library can read the text as the end of a token: Unix seconds, or RFC
/// 3339.
fn is_time(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text.trim_ascii()) else {
        return false;
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if digits(whole) && digits(fraction) {
        return whole.parse::<u64>().is_ok();
    }
    let date = text.parse::<toml::value::Datetime>();
    date.is_ok_and(|date| date.date.is_some() && date.time.is_some() && date.offset.is_some())
}
