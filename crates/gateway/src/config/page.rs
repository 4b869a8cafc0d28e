//! `page`: the integrations of the file, as the gateway's page shows them.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::DeTable;
use tower_passthrough::catalog::Catalog;
use tower_passthrough::service::ResponseHeaderPolicy;

use super::file::{File, Integration};
use super::integration::Declared;
use super::problem::{Problem, Problems};
use super::warnings::{auth_of, strings};
use crate::addressing::{Way, Ways};
use crate::page::{self, Alternative, Entry, Variable};

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
pub(super) fn warnings(file: &File, ways: &Ways) -> Vec<String> {
    let mut warnings = Vec::new();
    if !file.page.as_ref().is_some_and(|page| *page.get_ref()) {
        return warnings;
    }
    let policy = file.response_headers.as_ref().map(|policy| policy.0);
    if policy != Some(ResponseHeaderPolicy::BrowserSafe) {
        warnings.push(
            "page = true brings browsers to the gateway, and header fields of upstreams such as Set-Cookie act on its address: set \
             response_headers = \"browser-safe\""
                .to_owned(),
        );
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

/// Returns the integrations of the file, and then the integrations of the catalog that the file doesn't replace.
pub(super) fn entries(
    integrations: &BTreeMap<String, Spanned<Integration>>,
    tree: &DeTable<'_>,
    declared: &Declared,
) -> Vec<Entry> {
    let catalog = Catalog::bundled();
    let entry = |(name, integration): (&String, &Spanned<Integration>)| {
        let integration = integration.get_ref();
        let variables = integration.variables.iter().map(|(name, variable)| {
            let table = &variable.get_ref().0;
            Variable {
                name: name.clone(),
                pattern: table.pattern.clone().unwrap_or_default(),
                default: table.default.clone().unwrap_or_default(),
                ..Variable::default()
            }
        });
        let mut kinds = Vec::new();
        if let Some(auth) = auth_of(tree, name) {
            strings(auth, Some("kind"), &mut kinds);
        }
        let needs = declared.get(name).map(|(_, needs)| needs.names());
        let auth = Alternative {
            kind: match kinds.is_empty() {
                true => "none".to_owned(),
                false => kinds.join(" + "),
            },
            secrets: needs.unwrap_or_default(),
        };
        let base_url = integration.base_url.get_ref();
        let entry = Entry::configured(name, base_url, variables.collect(), auth);
        match catalog.get(name) {
            Some(facts) => entry.with_facts_of(facts),
            None => entry,
        }
    };
    let own = integrations.iter().map(entry);
    let others = catalog
        .iter()
        .filter(|entry| !integrations.contains_key(entry.name()));
    let mut others: Vec<_> = others.map(Entry::of_catalog).collect();
    others.sort_by_cached_key(Entry::sort_key);
    own.chain(others).collect()
}
