//! Errors of the catalog.

use std::fmt;

use crate::error::BoxError;

/// The error of an entry that can't be used as an upstream. The bundled entries are tested, so it's a mistake in this crate.
#[derive(Debug)]
pub struct CatalogError {
    entry: &'static str,
    source: BoxError,
}

impl CatalogError {
    pub(super) fn new(entry: &'static str, source: impl Into<BoxError>) -> Self {
        Self {
            entry,
            source: source.into(),
        }
    }
}

impl fmt::Display for CatalogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the catalog's entry `{}` isn't valid", self.entry)
    }
}

impl std::error::Error for CatalogError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.source)
    }
}

/// The data that a connection lacks for its entry in the catalog. `Display` names secrets and variables, and contains no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    pub(super) variables: Vec<&'static str>,
    pub(super) invalid_variables: Vec<&'static str>,
    pub(super) alternatives: Vec<Vec<&'static str>>,
}

impl Missing {
    /// Returns the names of the variables that the connection lacks.
    #[must_use]
    pub fn variables(&self) -> &[&'static str] {
        &self.variables
    }

    /// Returns the names of the variables with a value that doesn't match the variable's pattern.
    #[must_use]
    pub fn invalid_variables(&self) -> &[&'static str] {
        &self.invalid_variables
    }

    /// Returns the names of the secrets of each [`Alternative`](super::Alternative), in the order of preference, if the connection has the
    /// secrets of none of them. Otherwise it's empty.
    #[must_use]
    pub fn alternatives(&self) -> &[Vec<&'static str>] {
        &self.alternatives
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        if !self.alternatives.is_empty() {
            f.write_str("the connection lacks the secrets ")?;
            for (nth, names) in self.alternatives.iter().enumerate() {
                f.write_str(if nth == 0 { "" } else { ", or " })?;
                list(f, names)?;
            }
            separator = "; ";
        }
        if !self.variables.is_empty() {
            write!(f, "{separator}the connection lacks the variables ")?;
            list(f, &self.variables)?;
            separator = "; ";
        }
        if !self.invalid_variables.is_empty() {
            f.write_str(separator)?;
            f.write_str("values don't match the patterns of the variables ")?;
            list(f, &self.invalid_variables)?;
        }
        Ok(())
    }
}

/// Writes names as `a`, `b` and `c`.
fn list(f: &mut fmt::Formatter<'_>, names: &[&str]) -> fmt::Result {
    for (nth, name) in names.iter().enumerate() {
        let separator = match nth {
            0 => "",
            _ if nth + 1 == names.len() => " and ",
            _ => ", ",
        };
        write!(f, "{separator}`{name}`")?;
    }
    Ok(())
}
