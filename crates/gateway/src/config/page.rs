//! `page`: the integrations of the file, as the gateway's page shows them.

use tower_passthrough::service::ResponseHeaderPolicy;

use super::catalog::Table;
use super::file::File;
use super::integration::Declared;
use super::problem::{Problem, Problems};
use super::value::Text;
use crate::addressing::{Way, Ways};
use crate::page::{self, Entry};

/// The reason for `browser-safe`.
const ACTS: &str = "without \"browser-safe\", content of upstreams acts on its address: header fields such as Set-Cookie, and the scripts \
                    and service workers of HTML, which may read a key that is typed into the page";

/// Returns `true` if the page is on.
pub(super) fn page(file: &File, mount: &str, ways: &Ways, problems: &mut Problems) -> bool {
    let Some(place) = file.page.as_ref().filter(|page| *page.get_ref()) else {
        return false;
    };
    let mut own = page::PATHS.iter().chain(&page::DESCRIPTIONS);
    let is_taken =
        mount == "/" || own.any(|own| mount == *own || mount.starts_with(&format!("{own}/")));
    if ways.has_mount() && is_taken {
        problems.push(Problem::at(
            place,
            "the page and the mount are at the same path; set another `mount`, such as \"/passthrough\", or remove `page`",
        ));
    }
    true
}

/// Returns the warnings about the page.
pub(super) fn warnings(file: &File, tables: &[Table<'_>], ways: &Ways) -> Vec<String> {
    let mut warnings = Vec::new();
    if !file.page.as_ref().is_some_and(|page| *page.get_ref()) {
        return warnings;
    }
    let is_safe = |policy: &Option<Text<ResponseHeaderPolicy>>| {
        let policy = policy.as_ref().map(|policy| policy.0);
        policy.map(|policy| policy == ResponseHeaderPolicy::BrowserSafe)
    };
    if is_safe(&file.response_headers) != Some(true) {
        warnings.push(format!(
            "page = true brings browsers to the gateway, and {ACTS}: set response_headers = \"browser-safe\""
        ));
    }
    for table in tables.iter().filter(|table| !table.is_replaced) {
        let policy = &table.integration.get_ref().response_headers;
        if is_safe(policy) == Some(false) {
            warnings.push(format!(
                "integration {:?}: it has response_headers = \"all\", but page = true brings browsers to the gateway, and {ACTS}: set \
                 \"browser-safe\" there",
                table.name
            ));
        }
    }
    let in_page = [Way::Path, Way::Header, Way::Key];
    if !in_page.into_iter().any(|way| ways.has(way)) {
        warnings.push(
            "the form of the page can't make calls, because `address_by` has only \"host\", and browsers don't let the page call \
             other hosts; it shows the curl command"
                .to_owned(),
        );
    }
    warnings
}

/// Returns the integrations of the files, and then the integrations of the bundled catalog that the files don't replace.
pub(super) fn entries(declared: &Declared) -> Vec<Entry> {
    let (others, own): (Vec<_>, Vec<_>) = declared
        .listed()
        .iter()
        .map(Entry::of)
        .partition(|entry| !entry.is_own());
    let mut others = others;
    others.sort_by_cached_key(Entry::sort_key);
    own.into_iter().chain(others).collect()
}
