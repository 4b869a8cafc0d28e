//! The rules that a store breaks, and the evidence.

use std::fmt;

/// The error of a store that breaks rules. Its `Display` output contains each broken rule, and the
/// store's behavior.
#[derive(Default)]
pub struct Violations(Vec<(&'static str, String)>);

impl Violations {
    pub(super) fn add(&mut self, rule: &'static str, why: String) {
        self.0.push((rule, why));
    }

    pub(super) fn into_result(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }

    /// Returns the names of the broken rules.
    pub fn rules(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(rule, _)| *rule)
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the store breaks these rules:")?;
        for (rule, why) in &self.0 {
            write!(f, "\n- {rule}: {why}")?;
        }
        Ok(())
    }
}

// `Debug` prints the same text, because a test that returns the error prints it by `Debug`.
impl fmt::Debug for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Violations {}
