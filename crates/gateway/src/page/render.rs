//! The HTML of the page.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::entry::Entry;

/// Returns the page with the list of these integrations. The tags that HTML allows to omit are omitted, because the list is long.
pub(super) fn page(shell: &str, version: &str, entries: &[Entry]) -> String {
    let mut rows = String::new();
    for (is_own, title) in [(true, "Configured in this gateway"), (false, "Catalog")] {
        let mut group = entries
            .iter()
            .filter(|entry| entry.is_own() == is_own)
            .peekable();
        if group.peek().is_none() {
            continue;
        }
        let _ = writeln!(
            rows,
            "<tbody><tr class=group><th colspan=5 scope=rowgroup>{title}</tr>"
        );
        for entry in group {
            row(&mut rows, entry);
        }
        rows.push_str("</tbody>\n");
    }
    let count = format!("{} integrations", entries.len());
    shell
        .replace("<table>", &format!("<table data-version=\"{version}\">"))
        .replace("<!--count-->", &count)
        .replace("<!--rows-->", &rows)
}

fn row(rows: &mut String, entry: &Entry) {
    let title = escape(&entry.title);
    let title = match entry.docs.starts_with("https://") {
        true => format!(
            "<a rel=noreferrer href=\"{}\">{title}</a>",
            escape(&entry.docs)
        ),
        false => title.into_owned(),
    };
    let mut kinds: Vec<_> = entry.auth.iter().map(|way| &*way.kind).collect();
    kinds.dedup();
    let _ = writeln!(
        rows,
        "<tr><th scope=row>{title}<td>{}<td>{}<td>{}<td>{}",
        escape(&entry.category),
        escape(&entry.base_url),
        escape(&kinds.join(", ")),
        escape(entry.facts()),
    );
}

/// Returns the text as content of an element, or of an attribute in quotes.
fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    Cow::Owned(escaped)
}
