//! `catalog`: the integrations that the config file doesn't contain, and `extends`, which takes over the settings of another
//! integration.
//!
//! A catalog is a list of layers: the bundled entries, and then files with `[integration.*]` tables. The config file is the last
//! layer. An integration of a later layer replaces the integration of the same name in earlier layers.
//!
//! A table with `extends` is merged with its base before it's read, so that each key can be taken over. All values that are taken
//! over get the position of the value of `extends`, which is the position in the file that an error then names.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, ValueDeserializer};
use tower_passthrough::catalog::{Catalog, Entry, TokenEndpointAuth};
use zeroize::Zeroizing;

use super::file::{CatalogFile, Integration};
use super::listed::confidence;
use super::problem::{ConfigError, Problem, Problems};
use super::{Folder, shape};
use crate::nearest;

/// The name of the bundled catalog.
const BUNDLED: &str = "bundled";

/// The keys whose tables are merged name by name.
const MERGED: [&str; 4] = ["headers", "query", "timeouts", VARIABLES];

/// The keys that aren't taken over if `base_url` has another host: they name hosts of the base's vendor.
const OF_HOST: [&str; 2] = ["domains", "routes"];

const AUTH: &str = "auth";
const BASE_URL: &str = "base_url";
const EXTENDS: &str = "extends";
const TOKEN_URL: &str = "token_url";
const PARAMETERS: &str = "parameters";
const PATTERN: &str = "pattern";
const VARIABLES: &str = "variables";

/// The layers of the catalog, as texts.
#[derive(Default)]
pub(super) struct Sources {
    pub(super) bundled: Option<Catalog>,
    files: Vec<Source>,
}

struct Source {
    path: PathBuf,
    // The text may contain a client secret.
    text: Zeroizing<String>,
}

impl Sources {
    /// Reads the files of `catalog`. Default: only the bundled catalog.
    pub(super) fn read(
        catalog: Option<&Spanned<Vec<Spanned<PathBuf>>>>,
        folder: Folder<'_>,
        problems: &mut Problems,
    ) -> Self {
        let Some(catalog) = catalog else {
            return Self {
                bundled: Some(Catalog::bundled()),
                files: Vec::new(),
            };
        };
        let mut sources = Self::default();
        for (index, place) in catalog.get_ref().iter().enumerate() {
            if place.get_ref() == Path::new(BUNDLED) {
                if index > 0 {
                    let what =
                        "\"bundled\" must be the first, because later files replace its entries";
                    problems.push(Problem::at(place, what));
                }
                sources.bundled = Some(Catalog::bundled());
                continue;
            }
            let path = folder.file(place.get_ref());
            let text = fs::read(&path).map_err(|error| {
                let what = format!("the file can't be read: {}", error.kind());
                Problem::at(place, what)
            });
            let text = text.and_then(|bytes| {
                String::from_utf8(bytes)
                    .map_err(|_| Problem::at(place, "the file isn't UTF-8; expected TOML"))
            });
            if let Some(text) = problems.ok(text) {
                let text = Zeroizing::new(text);
                sources.files.push(Source { path, text });
            }
        }
        sources
    }

    /// Returns the integrations of all layers, merged with their bases. `tree` is the config file.
    pub(super) fn resolve<'i>(
        &'i self,
        tree: &DeTable<'i>,
        problems: &mut Problems,
    ) -> Resolved<'i> {
        let mut resolved = Resolved {
            bundled: self.bundled,
            ..Resolved::default()
        };
        for source in &self.files {
            if let Err(error) = source.add_to(&mut resolved) {
                problems.push(Problem::elsewhere(error));
            }
        }
        let config = Layer {
            tables: tables(tree),
            path: None,
        };
        resolved.add(&config, problems);
        resolved
    }
}

impl Source {
    fn add_to<'i>(&'i self, resolved: &mut Resolved<'i>) -> Result<(), ConfigError> {
        let path = &self.path;
        let (tree, errors) = DeTable::parse_recoverable(&self.text);
        let first = errors
            .iter()
            .map(Problem::of_syntax)
            .min_by_key(Problem::start);
        if let Some(problem) = first {
            return Err(ConfigError::broken(path, &self.text, &problem));
        }
        let mut problems = Problems::default();
        match shape::<CatalogFile>(&tree) {
            Ok(_) => {
                let layer = Layer {
                    tables: tables(tree.get_ref()),
                    path: Some(path),
                };
                resolved.add(&layer, &mut problems);
            }
            Err(wrong) => wrong.into_iter().for_each(|problem| problems.push(problem)),
        }
        let end = problems.none();
        end.map_err(|problems| self.error(problems))
    }

    fn error(&self, problems: Vec<Problem>) -> ConfigError {
        let (tree, _) = DeTable::parse_recoverable(&self.text);
        ConfigError::new(&self.path, &self.text, tree.get_ref(), problems)
    }
}

/// The problems of a layer's integrations, by the layer's file.
pub(super) struct ByFile<'a> {
    sources: &'a Sources,
    problems: BTreeMap<&'a Path, Problems>,
}

impl<'a> ByFile<'a> {
    pub(super) fn new(sources: &'a Sources) -> Self {
        Self {
            sources,
            problems: BTreeMap::new(),
        }
    }

    pub(super) fn of(&mut self, file: &'a Path) -> &mut Problems {
        self.problems.entry(file).or_default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.problems.values().all(Problems::is_empty)
    }

    /// Adds all problems, with their positions in their files.
    pub(super) fn add_to(mut self, problems: &mut Problems) {
        for source in &self.sources.files {
            let own = self.problems.remove(source.path.as_path());
            if let Some(Err(own)) = own.map(Problems::none) {
                problems.push(Problem::elsewhere(source.error(own)));
            }
        }
    }
}

struct Layer<'a, 'i> {
    tables: BTreeMap<&'a str, &'a Spanned<DeValue<'i>>>,
    /// `None` for the config file.
    path: Option<&'i Path>,
}

/// Returns the `[integration.*]` tables.
fn tables<'a, 'i>(tree: &'a DeTable<'i>) -> BTreeMap<&'a str, &'a Spanned<DeValue<'i>>> {
    let tables = tree
        .get("integration")
        .and_then(|tables| tables.get_ref().as_table());
    let tables = tables.into_iter().flatten();
    tables
        .map(|(name, table)| (&**name.get_ref(), table))
        .collect()
}

/// The integrations of all layers, without those of the bundled catalog.
#[derive(Default)]
pub(super) struct Resolved<'i> {
    pub(super) bundled: Option<Catalog>,
    integrations: BTreeMap<String, Merged<'i>>,
    /// The integrations of files that a later layer replaces. They are only checked.
    replaced: Vec<(String, Merged<'i>)>,
    /// The names of tables that couldn't be merged with their bases.
    failed: BTreeSet<String>,
}

/// An integration whose keys have been read.
pub(super) struct Table<'i> {
    pub(super) name: String,
    pub(super) merged: Merged<'i>,
    pub(super) integration: Spanned<Integration>,
    /// `true` if a later layer replaces it.
    pub(super) is_replaced: bool,
}

impl Table<'_> {
    pub(super) fn is_of_config(&self) -> bool {
        self.merged.file.is_none()
    }
}

/// An integration, merged with its base.
#[derive(Clone)]
pub(super) struct Merged<'i> {
    /// The file of the catalog. `None` for the config file.
    pub(super) file: Option<&'i Path>,
    /// The table without `auth`.
    table: Spanned<DeTable<'i>>,
    pub(super) auth: Auth<'i>,
    /// The position of the value of `extends`.
    pub(super) extends: Option<Range<usize>>,
    /// The bundled entry that the table, or its base, extends.
    pub(super) entry: Option<Entry>,
    /// `true` if the host of `base_url` isn't the host of an integration that the table extends. Hosts and token endpoints of such an
    /// integration aren't taken over, because credentials would be sent to them.
    pub(super) has_other_host: bool,
}

/// The authentication of an integration.
#[derive(Clone)]
pub(super) enum Auth<'i> {
    None,
    /// The value of `auth`.
    Table(Spanned<DeValue<'i>>),
    /// The alternatives of the entry.
    Entry(Entry),
    /// The alternatives of the entry, with a client of OAuth 2.0 of the host.
    Client(Entry, Spanned<DeValue<'i>>),
}

impl<'i> Auth<'i> {
    pub(super) fn table(&self) -> Option<&Spanned<DeValue<'i>>> {
        match self {
            Self::Table(table) | Self::Client(_, table) => Some(table),
            Self::None | Self::Entry(_) => None,
        }
    }
}

impl Merged<'_> {
    /// Checks that the table sets the token endpoint if the endpoint of the base isn't taken over.
    pub(super) fn has_endpoint(&self) -> Result<(), Problem> {
        let Auth::Table(auth) = &self.auth else {
            return Ok(());
        };
        let lacks = match auth.get_ref() {
            DeValue::Array(tables) => tables.iter().any(is_client),
            _ => is_client(auth),
        };
        if !self.has_other_host || !lacks {
            return Ok(());
        }
        let what = "`base_url` has another host than the extended integration, whose token endpoint isn't taken over, because it \
                    would get these credentials; set `auth` with the `token_url` of this host";
        Err(Problem::at(auth, what))
    }

    /// Reads the keys. Only the merge of an invalid base can cause a problem.
    fn read(&self) -> Result<Spanned<Integration>, Problem> {
        let table = Spanned::new(
            self.table.span(),
            DeValue::Table(self.table.get_ref().clone()),
        );
        let read = serde::Deserialize::deserialize(ValueDeserializer::from(table));
        read.map_err(|error: toml::de::Error| Problem::of_shape(&error))
    }
}

impl<'i> Resolved<'i> {
    /// Returns `true` if the table of that name couldn't be merged with its base.
    pub(super) fn is_at_fault(&self, name: &str) -> bool {
        self.failed.contains(name)
    }

    /// Reads the keys of all integrations. Those of the config file are last.
    pub(super) fn read(&self, problems: &mut Problems) -> Vec<Table<'i>> {
        let replaced = self
            .replaced
            .iter()
            .map(|(name, merged)| (name, merged, true));
        let current = self
            .integrations
            .iter()
            .map(|(name, merged)| (name, merged, false));
        let (config, files): (Vec<_>, Vec<_>) =
            current.partition(|(_, merged, _)| merged.file.is_none());
        let mut tables = Vec::new();
        for (name, merged, is_replaced) in replaced.chain(files).chain(config) {
            if let Some(integration) = problems.ok(merged.read()) {
                tables.push(Table {
                    name: name.clone(),
                    merged: merged.clone(),
                    integration,
                    is_replaced,
                });
            }
        }
        tables
    }

    fn add(&mut self, layer: &Layer<'_, 'i>, problems: &mut Problems) {
        let mut done = BTreeMap::new();
        for name in layer.tables.keys() {
            let mut open = Vec::new();
            self.merge(layer, name, &mut open, &mut done, problems);
        }
        for (name, merged) in done {
            match merged {
                Some(merged) => {
                    self.failed.remove(name);
                    let replaced = self.integrations.insert(name.to_owned(), merged);
                    self.replaced
                        .extend(replaced.map(|replaced| (name.to_owned(), replaced)));
                }
                None => {
                    self.failed.insert(name.to_owned());
                }
            }
        }
    }

    /// Merges the table with its base, which is merged first. `open` are the tables that extend this table.
    fn merge<'a>(
        &self,
        layer: &Layer<'a, 'i>,
        name: &'a str,
        open: &mut Vec<&'a str>,
        done: &mut BTreeMap<&'a str, Option<Merged<'i>>>,
        problems: &mut Problems,
    ) -> Option<Merged<'i>> {
        if let Some(done) = done.get(name) {
            return done.clone();
        }
        let (place, table) = layer
            .tables
            .get(name)
            .and_then(|value| Some((*value, value.get_ref().as_table()?)))?;
        let extends = table.get(EXTENDS);
        let merged = match extends.and_then(|extends| extends.get_ref().as_str()) {
            None => Some(Merged {
                file: layer.path,
                ..Merged::new(place.span(), table)
            }),
            Some(base_name) => {
                let extends = extends.map_or(place.span(), Spanned::span);
                let at = Spanned::new(extends.clone(), ());
                let own = layer.tables.get_key_value(base_name);
                let own = own.map(|(name, _)| *name).filter(|base| *base != name);
                let base = match own {
                    Some(base) if open.contains(&base) => {
                        let what = "the tables extend each other in a circle";
                        problems.push(Problem::at(&at, what));
                        None
                    }
                    Some(base) => {
                        open.push(name);
                        let base = self.merge(layer, base, open, done, problems);
                        open.pop();
                        base
                    }
                    None => {
                        let base = self.base(base_name);
                        if base.is_none() && !self.is_at_fault(base_name) {
                            problems.push(Problem::at(&at, self.unknown(layer, name, base_name)));
                        }
                        base
                    }
                };
                base.map(|base| Merged {
                    file: layer.path,
                    ..Merged::new(place.span(), table).extend(base, extends, layer.path)
                })
            }
        };
        done.insert(name, merged.clone());
        merged
    }

    /// Returns the integration of the earlier layers.
    fn base(&self, name: &str) -> Option<Merged<'i>> {
        let known = self.integrations.get(name).cloned();
        known.or_else(|| Some(Merged::of_entry(self.bundled?.get(name)?)))
    }

    fn unknown(&self, layer: &Layer<'_, 'i>, name: &str, base: &str) -> String {
        if name == base {
            return "no earlier catalog has an integration of this name; `extends` can't name its own table".to_owned();
        }
        let names = layer.tables.keys().copied();
        let names = names.filter(|known| *known != name);
        let names = names.chain(self.integrations.keys().map(String::as_str));
        let names = names.chain(names_of(self.bundled));
        let hint = nearest::hint(base, names);
        format!("neither this file nor an earlier catalog has an integration with this name{hint}")
    }
}

impl<'i> Merged<'i> {
    fn new(span: Range<usize>, table: &DeTable<'i>) -> Self {
        let mut table = table.clone();
        let auth = table.remove(AUTH);
        Self {
            file: None,
            table: Spanned::new(span, table),
            auth: auth.map_or(Auth::None, Auth::Table),
            extends: None,
            entry: None,
            has_other_host: false,
        }
    }

    /// Returns the keys of a bundled entry.
    fn of_entry(entry: Entry) -> Self {
        let mut table = DeTable::new();
        let mut add = |key: &'static str, value| {
            table.insert(text(key), here(value));
        };
        let confidence = confidence(entry.confidence());
        let texts = [
            (BASE_URL, Some(entry.base_url())),
            ("verify", entry.verify()),
            ("verify_ok", entry.verify_ok()),
            ("title", Some(entry.title())),
            ("category", Some(entry.category())),
            ("docs", Some(entry.docs())),
            ("note", entry.note()),
            ("confidence", Some(confidence)),
            ("checked", Some(entry.checked())),
        ];
        for (key, value) in texts {
            if let Some(value) = value {
                add(key, DeValue::String(Cow::Borrowed(value)));
            }
        }
        let mut variables = DeTable::new();
        for variable in entry.variables() {
            let mut facts = DeTable::new();
            facts.insert(text(PATTERN), string(variable.pattern()));
            if let Some(default) = variable.default() {
                facts.insert(text("default"), string(default));
            }
            variables.insert(text(variable.name()), here(DeValue::Table(facts)));
        }
        add(VARIABLES, DeValue::Table(variables));
        let domains = entry.domains().iter().map(|domain| string(domain));
        add("domains", DeValue::Array(domains.collect::<DeArray<'_>>()));
        let headers = entry.headers().iter();
        let headers = headers.map(|(name, value)| (text(name), string(value)));
        add("headers", DeValue::Table(headers.collect()));
        Self {
            auth: Auth::Entry(entry),
            entry: Some(entry),
            ..Self::new(0..0, &table)
        }
    }

    /// Takes over what the table doesn't contain. `extends` is the position of the name of the base.
    fn extend(mut self, base: Self, extends: Range<usize>, file: Option<&Path>) -> Self {
        let mut theirs = base.table.into_inner();
        theirs.remove(EXTENDS);
        move_table(&mut theirs, &extends);
        let table = self.table.get_mut();
        let has_other_host = match (host(table), host(&theirs)) {
            (Some(own), Some(theirs)) => own != theirs,
            _ => false,
        };
        if has_other_host {
            for key in OF_HOST {
                theirs.remove(key);
            }
        }
        self.has_other_host = has_other_host || base.has_other_host;
        for (key, value) in theirs {
            let name: &str = key.get_ref();
            let own = table.get_mut(name);
            match (own, value.into_inner()) {
                (None, value) => {
                    table.insert(key, Spanned::new(extends.clone(), value));
                }
                (Some(own), DeValue::Table(theirs)) if MERGED.contains(&name) => {
                    if let DeValue::Table(own) = own.get_mut() {
                        match name {
                            VARIABLES => fill_variables(own, theirs),
                            _ => fill(own, theirs, name == "headers"),
                        }
                    }
                }
                (Some(_), _) => {}
            }
        }
        let theirs = base
            .auth
            .moved(&extends, base.file.filter(|_| base.file != file));
        let theirs = match has_other_host {
            true => theirs.without_endpoint(),
            false => theirs,
        };
        self.auth = match (self.auth, theirs) {
            (Auth::None, theirs) => theirs,
            (Auth::Table(own), theirs) if is_client(&own) => match theirs {
                Auth::Entry(entry) => match client_of(entry, &extends) {
                    Some(facts) if !self.has_other_host => Auth::Client(entry, filled(own, facts)),
                    _ => Auth::Table(own),
                },
                Auth::Client(entry, base) => Auth::Client(entry, filled(own, base)),
                Auth::Table(base) if is_oauth2(&base) => Auth::Table(filled(own, base)),
                Auth::Table(_) | Auth::None => Auth::Table(own),
            },
            (own, _) => own,
        };
        self.entry = base.entry;
        self.extends = Some(extends);
        self
    }
}

/// Returns the host and the port of `base_url`, which may contain variables.
fn host(table: &DeTable<'_>) -> Option<String> {
    let (_, rest) = table.get(BASE_URL)?.get_ref().as_str()?.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    Some(host.to_ascii_lowercase())
}

/// Returns the names of the bundled entries.
pub(super) fn names_of<'a>(catalog: Option<Catalog>) -> impl Iterator<Item = &'a str> {
    let entries = catalog.into_iter().flat_map(|catalog| catalog.iter());
    entries.map(|entry| -> &'a str { entry.name() })
}

/// Returns the entry's facts about OAuth 2.0 as the keys of `auth`.
fn client_of(entry: Entry, at: &Range<usize>) -> Option<Spanned<DeValue<'static>>> {
    let oauth2 = entry.oauth2()?;
    let mut facts = DeTable::new();
    facts.insert(text(TOKEN_URL), string(oauth2.refresh_url()?));
    let client_auth = match oauth2.client_auth() {
        TokenEndpointAuth::Body => "body",
        _ => "basic",
    };
    facts.insert(text("client_auth"), string(client_auth));
    if oauth2.is_client_credentials() {
        facts.insert(text("grant"), string("client_credentials"));
        if !oauth2.scopes().is_empty() {
            let scopes = oauth2.scopes().join(oauth2.scope_separator());
            let scopes = here(DeValue::String(Cow::Owned(scopes)));
            let parameters = DeTable::from_iter([(text("scope"), scopes)]);
            facts.insert(text(PARAMETERS), here(DeValue::Table(parameters)));
        }
    }
    let params = oauth2.token_params();
    if !params.is_empty() {
        let params = params
            .iter()
            .map(|(name, value)| (text(name), string(value)));
        let mut params: DeTable<'_> = params.collect();
        if let Some(DeValue::Table(more)) = facts.remove(PARAMETERS).map(Spanned::into_inner) {
            fill(&mut params, more, false);
        }
        facts.insert(text(PARAMETERS), here(DeValue::Table(params)));
    }
    move_table(&mut facts, at);
    Some(Spanned::new(at.clone(), DeValue::Table(facts)))
}

/// Returns `true` if it's a table of kind `oauth2`.
fn is_oauth2(auth: &Spanned<DeValue<'_>>) -> bool {
    let kind = auth.get_ref().as_table().and_then(|auth| auth.get("kind"));
    kind.is_some_and(|kind| kind.get_ref().as_str() == Some("oauth2"))
}

/// Returns `true` if it's a table of kind `oauth2` that only describes the client.
fn is_client(auth: &Spanned<DeValue<'_>>) -> bool {
    let table = auth.get_ref().as_table();
    is_oauth2(auth) && table.is_some_and(|table| !table.contains_key(TOKEN_URL))
}

/// Returns the `auth` with the keys that it lacks.
fn filled<'i>(mut own: Spanned<DeValue<'i>>, base: Spanned<DeValue<'i>>) -> Spanned<DeValue<'i>> {
    if let (DeValue::Table(own), DeValue::Table(mut base)) = (own.get_mut(), base.into_inner()) {
        if let Some(DeValue::Table(parameters)) = own.get_mut(PARAMETERS).map(Spanned::get_mut) {
            if let Some(DeValue::Table(more)) = base.remove(PARAMETERS).map(Spanned::into_inner) {
                fill(parameters, more, false);
            }
        }
        fill(own, base, false);
    }
    own
}

/// Adds what the table lacks.
fn fill<'i>(own: &mut DeTable<'i>, theirs: DeTable<'i>, ignores_case: bool) {
    for (key, value) in theirs {
        let is_same = |own: &str| match ignores_case {
            true => own.eq_ignore_ascii_case(key.get_ref()),
            false => own == key.get_ref(),
        };
        if !own.keys().any(|own| is_same(own.get_ref())) {
            own.insert(key, value);
        }
    }
}

/// Adds the variables that the table lacks, and to its own variables the pattern or the default that they lack.
fn fill_variables<'i>(own: &mut DeTable<'i>, theirs: DeTable<'i>) {
    for (name, value) in theirs {
        match own.get_mut::<str>(name.get_ref()) {
            None => {
                own.insert(name, value);
            }
            Some(own) => {
                as_variable_table(own);
                let mut base = value;
                as_variable_table(&mut base);
                if let (DeValue::Table(own), DeValue::Table(base)) =
                    (own.get_mut(), base.into_inner())
                {
                    fill(own, base, false);
                }
            }
        }
    }
}

/// Converts the short form of a variable, a pattern, to a table.
fn as_variable_table(variable: &mut Spanned<DeValue<'_>>) {
    let span = variable.span();
    if let DeValue::String(pattern) = variable.get_mut() {
        let pattern = DeValue::String(std::mem::take(pattern));
        let table = [(
            Spanned::new(span.clone(), Cow::Borrowed(PATTERN)),
            Spanned::new(span, pattern),
        )];
        *variable.get_mut() = DeValue::Table(table.into_iter().collect());
    }
}

impl Auth<'_> {
    /// Returns the authentication with another position. Relative paths of secrets begin in the folder of `file`.
    fn moved(mut self, at: &Range<usize>, file: Option<&Path>) -> Self {
        if let Self::Table(auth) | Self::Client(_, auth) = &mut self {
            if let Some(folder) = file.and_then(Path::parent) {
                match auth.get_mut() {
                    DeValue::Table(table) => resolve_paths(table, folder),
                    DeValue::Array(tables) => {
                        for table in tables.iter_mut() {
                            if let DeValue::Table(table) = table.get_mut() {
                                resolve_paths(table, folder);
                            }
                        }
                    }
                    _ => {}
                }
            }
            move_value(auth, at);
        }
        self
    }
}

impl<'i> Auth<'i> {
    /// Returns the authentication for another host, without the token endpoint of the base.
    fn without_endpoint(self) -> Self {
        match self {
            Self::Client(entry, _) => Self::Entry(entry),
            Self::Table(mut auth) => {
                match auth.get_mut() {
                    DeValue::Table(table) => {
                        table.remove(TOKEN_URL);
                    }
                    DeValue::Array(tables) => {
                        for table in tables.iter_mut() {
                            if let DeValue::Table(table) = table.get_mut() {
                                table.remove(TOKEN_URL);
                            }
                        }
                    }
                    _ => {}
                }
                Self::Table(auth)
            }
            other => other,
        }
    }
}

/// Resolves the relative paths in the values that can be `{ file = "PATH" }`.
fn resolve_paths(auth: &mut DeTable<'_>, folder: &Path) {
    let resolve = |value: &mut Spanned<DeValue<'_>>| {
        let DeValue::Table(table) = value.get_mut() else {
            return;
        };
        if let Some(DeValue::String(path)) = table.get_mut("file").map(Spanned::get_mut) {
            let whole = folder.join(&**path);
            // The path is resolved again in the folder of the file that extends this file, so it must not stay relative. `absolute` only
            // fails for an empty path, or without a current directory.
            let whole = std::path::absolute(&whole).unwrap_or(whole);
            // The folder's name is a part of a path in a config file, or of the command line, in UTF-8.
            *path = Cow::Owned(whole.to_string_lossy().into_owned());
        }
    };
    for key in ["client_secret", "private_key"] {
        if let Some(value) = auth.get_mut(key) {
            resolve(value);
        }
    }
    if let Some(DeValue::Table(parameters)) = auth.get_mut(PARAMETERS).map(Spanned::get_mut) {
        parameters.iter_mut().for_each(|(_, value)| resolve(value));
    }
}

fn move_value(value: &mut Spanned<DeValue<'_>>, at: &Range<usize>) {
    match value.get_mut() {
        DeValue::Table(table) => move_table(table, at),
        DeValue::Array(values) => values.iter_mut().for_each(|value| move_value(value, at)),
        _ => {}
    }
    let moved = std::mem::replace(value.get_mut(), DeValue::Boolean(false));
    *value = Spanned::new(at.clone(), moved);
}

fn move_table(table: &mut DeTable<'_>, at: &Range<usize>) {
    let all = std::mem::take(table);
    for (key, mut value) in all {
        move_value(&mut value, at);
        table.insert(Spanned::new(at.clone(), key.into_inner()), value);
    }
}

/// Returns a value of a bundled entry, which gets the position of `extends` later.
fn here<'i>(value: DeValue<'i>) -> Spanned<DeValue<'i>> {
    Spanned::new(0..0, value)
}

fn text(text: &'static str) -> Spanned<Cow<'static, str>> {
    Spanned::new(0..0, Cow::Borrowed(text))
}

fn string(text: &'static str) -> Spanned<DeValue<'static>> {
    here(DeValue::String(Cow::Borrowed(text)))
}
