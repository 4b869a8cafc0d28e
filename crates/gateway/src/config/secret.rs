//! Reads a secret from the place that the file names.
//!
//! Errors contain neither the name of a variable nor a path, because the user may have entered the
//! secret itself in their place. The position in the file is enough to find the problem. Of a
//! command, they contain the name of the program.

use std::env;
use std::fs;

use toml::Spanned;
use tower_passthrough::Secret;

use super::Folder;
use super::problem::Problem;
use super::value::SecretSource;

pub(super) fn read(source: &Spanned<SecretSource>, folder: Folder<'_>) -> Result<Secret, Problem> {
    read_at(source, source.get_ref(), folder)
}

/// Reads a secret that is a part of the value at `source`, which is the position in errors.
pub(super) fn read_at<T>(
    source: &Spanned<T>,
    secret: &SecretSource,
    folder: Folder<'_>,
) -> Result<Secret, Problem> {
    match secret {
        SecretSource::Literal(secret) => Ok(secret.clone()),
        SecretSource::Environment(name) => {
            let value = env::var_os(name)
                .ok_or_else(|| Problem::at(source, "the environment variable isn't set"))?;
            Ok(Secret::from(value.into_encoded_bytes()))
        }
        SecretSource::File(path) => {
            let bytes = fs::read(folder.file(path));
            let mut bytes = bytes.map_err(|error| {
                Problem::at(source, format!("the file can't be read: {}", error.kind()))
            })?;
            let line = bytes
                .strip_suffix(b"\n")
                .map(|line| line.strip_suffix(b"\r").unwrap_or(line).len());
            bytes.truncate(line.unwrap_or(bytes.len()));
            Ok(Secret::from(bytes))
        }
        SecretSource::Command(command) => folder
            .printed(command)
            .map_err(|what| Problem::at(source, what)),
    }
}
