//! `connections list`.

use std::io::Write;

use tower_passthrough::store::{ConnectionStore, GrantState};

use super::Failure;

/// The number of connections that are read at once.
pub(super) const PAGE: usize = 1000;

pub(super) async fn list(
    store: &impl ConnectionStore,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let mut after = None;
    loop {
        let page = store.list(after.as_ref(), PAGE).await?;
        for listed in &page {
            let standing = match listed.state {
                GrantState::Active => "live",
                GrantState::Revoked => "reauthorize",
            };
            let (id, integration) = (listed.key.as_str(), &*listed.integration);
            writeln!(out, "{}\t{}\t{standing}", escaped(id), escaped(integration))?;
        }
        // A page may be short although more connections follow.
        let Some(last) = page.into_iter().next_back() else {
            return Ok(());
        };
        after = Some(last.key);
    }
}

/// Escapes characters that aren't printable, and the backslash, in forms such as `\u{..}`. So an id
/// can't add a line or a column to the list, or move a terminal's cursor.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '"' | '\'' => escaped.push(char),
            _ => escaped.extend(char.escape_debug()),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_cannot_be_forged() {
        for (text, printed) in [
            ("acme", "acme"),
            ("it's \"é\"", "it's \"é\""),
            ("a\tb\nc", "a\\tb\\nc"),
            ("a\\tb", "a\\\\tb"),
            ("\u{1b}[2J\u{202e}\u{2028}", "\\u{1b}[2J\\u{202e}\\u{2028}"),
        ] {
            assert_eq!(escaped(text), printed);
        }
    }
}
