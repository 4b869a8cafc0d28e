//! The recipes of SDKs: `src/catalog/sdks.rs` and `docs/sdks.md` are generated from `catalog/sdks.toml`, and are kept up to date by
//! tests.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use serde::Deserialize;
use tower_passthrough::catalog::{Catalog, SdkAddressing, SnippetError};

use crate::generate::{formatted, list, option, pairs, structure};
use crate::source::{Entry, root, source};

/// The entries of the catalog.
static ENTRIES: LazyLock<BTreeMap<String, Entry>> = LazyLock::new(|| source().entry);

const MOUNT_URL: &str = "https://gw.example.com/passthrough/CONN";
const HOST: &str = "CONN.gw.example.com";
const PLACEHOLDERS: [&str; 4] = ["{gateway}", "{mount_url}", "{host}", "{key}"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SdkSource {
    sdk: BTreeMap<String, Sdk>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sdk {
    title: String,
    vendor: Option<String>,
    language: String,
    package: String,
    integrations: Vec<String>,
    #[serde(default)]
    base_urls: BTreeMap<String, String>,
    version_seen: String,
    tested: String,
    by: By,
    line: String,
    line_by_path: Option<String>,
    line_by_host: Option<String>,
    key: String,
    pitfalls: Vec<String>,
    source: String,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum By {
    BaseUrl,
    Host,
    None,
}

fn sdks() -> BTreeMap<String, Sdk> {
    let text = std::fs::read_to_string(root().join("catalog/sdks.toml")).unwrap();
    toml::from_str::<SdkSource>(&text).unwrap().sdk
}

impl Sdk {
    /// Returns the name of the vendor: the title of the first entry, or the vendor of the source.
    fn vendor(&self) -> String {
        let first = self.integrations.first();
        first.map_or_else(
            || self.vendor.clone().unwrap(),
            |name| ENTRIES[name].title.clone(),
        )
    }

    fn by_path(&self) -> Option<&str> {
        match self.by {
            By::BaseUrl => Some(self.line.trim()),
            By::Host => self.line_by_path.as_deref().map(str::trim),
            By::None => None,
        }
    }

    fn by_host(&self) -> Option<String> {
        match (self.by, &self.line_by_host) {
            (By::None, _) => None,
            (By::Host, _) => Some(self.line.trim().to_owned()),
            (By::BaseUrl, Some(line)) => Some(line.trim().to_owned()),
            (By::BaseUrl, None) => {
                let url = "https://{host}";
                let line = self.line.trim().replace("{mount_url}", url);
                Some(line.replace("{gateway}", url))
            }
        }
    }
}

#[test]
fn the_generated_sdks_are_up_to_date() {
    up_to_date("src/catalog/sdks.rs", &formatted(&generate(&sdks())));
}

#[test]
fn the_guide_to_sdks_is_up_to_date() {
    up_to_date("docs/sdks.md", &guide(&sdks()));
}

fn up_to_date(name: &str, generated: &str) {
    let file = root().join(name);
    if std::env::var_os("UPDATE_CATALOG").is_some() {
        std::fs::write(&file, generated).unwrap();
        return;
    }
    assert!(
        std::fs::read_to_string(&file).unwrap() == generated,
        "{name} isn't up to date; run `UPDATE_CATALOG=1 cargo test --test catalog --features catalog`"
    );
}

fn generate(sdks: &BTreeMap<String, Sdk>) -> String {
    let mut code = format!(
        "//! The facts of SDKs, generated from `catalog/sdks.toml` by `tests/catalog`. Don't edit this file.\n\n\
         use super::sdk::{{Language, SdkAddressing, SdkFacts}};\n\n\
         /// The SDKs, sorted by name.\npub(super) static SDKS: [SdkFacts; {}] = [",
        sdks.len()
    );
    for (name, sdk) in sdks {
        code.push_str(&facts(name, sdk));
        code.push_str(",\n");
    }
    code.push_str("];\n");
    code
}

fn facts(name: &str, sdk: &Sdk) -> String {
    let text = |text: &str| Some(format!("{text:?}"));
    let texts = |texts: &[String]| {
        list(texts.iter().map(|text| format!("{text:?}"))).or(Some("&[]".to_owned()))
    };
    let optional = |text: Option<&str>| option(text).or(Some("None".to_owned()));
    let addressing = match sdk.by {
        By::BaseUrl => "BaseUrl",
        By::Host => "Host",
        By::None => "Unsupported",
    };
    let tested = Some(&*sdk.tested).filter(|version| !version.is_empty());
    let members = [
        ("name", text(name)),
        ("title", text(&sdk.title)),
        ("vendor", text(&sdk.vendor())),
        ("language", Some(format!("Language::{}", sdk.language))),
        ("package", text(&sdk.package)),
        ("integrations", texts(&sdk.integrations)),
        (
            "base_urls",
            pairs(&sdk.base_urls).or(Some("&[]".to_owned())),
        ),
        ("version_seen", text(&sdk.version_seen)),
        ("tested", optional(tested)),
        ("by_path", optional(sdk.by_path())),
        ("by_host", optional(sdk.by_host().as_deref())),
        ("addressing", Some(format!("SdkAddressing::{addressing}"))),
        ("key", text(&sdk.key)),
        ("pitfalls", texts(&sdk.pitfalls)),
        ("source", text(&sdk.source)),
    ];
    structure("SdkFacts", &members, "")
}

/// The beginning of the guide.
const HEAD: &str = include_str!("../../catalog/sdks_head.md");

fn guide(sdks: &BTreeMap<String, Sdk>) -> String {
    let mut vendors = BTreeMap::<String, Vec<(&String, &Sdk)>>::new();
    for (name, sdk) in sdks {
        vendors.entry(sdk.vendor()).or_default().push((name, sdk));
    }
    let tested = sdks.values().filter(|sdk| !sdk.tested.is_empty()).count();
    let mut text = HEAD
        .replace("SDKS", &sdks.len().to_string())
        .replace("TESTED", &tested.to_string())
        .replace("VENDORS", &vendors.len().to_string());
    let mut vendors: Vec<_> = vendors.into_iter().collect();
    vendors.sort_by_key(|(vendor, _)| vendor.to_lowercase());
    for (vendor, sdks) in vendors {
        write!(text, "\n## {vendor}\n").unwrap();
        for (_, sdk) in sdks {
            section(&mut text, sdk);
        }
    }
    text
}

fn section(text: &mut String, sdk: &Sdk) {
    write!(
        text,
        "\n### {}\n\nPackage `{}`, read in version {}",
        sdk.title, sdk.package, sdk.version_seen
    )
    .unwrap();
    match &*sdk.tested {
        "" => text.push_str(". The recipe wasn't run.\n"),
        tested => writeln!(text, ". **The recipe is tested** with version {tested}.").unwrap(),
    }
    let language = sdk.language.to_lowercase();
    let mut code = |label: &str, line: &str| {
        let line = line
            .replace("{gateway}", "https://gw.example.com")
            .replace("{mount_url}", MOUNT_URL)
            .replace("{host}", HOST)
            .replace("{key}", "KEY");
        write!(text, "\n{label}\n\n```{language}\n{line}\n```\n").unwrap();
    };
    if let Some(line) = sdk.by_path() {
        code("By path:", line);
    }
    if sdk.by == By::Host || sdk.line_by_host.is_some() {
        code("By host:", &sdk.by_host().unwrap());
    }
    text.push('\n');
    if !sdk.integrations.is_empty() {
        let names: Vec<_> = sdk
            .integrations
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        writeln!(text, "- Integrations: {}.", names.join(", ")).unwrap();
    }
    for (name, base_url) in &sdk.base_urls {
        writeln!(
            text,
            "- **Base URL**: `{name}` needs `{base_url}` for this SDK. The entry of the catalog has `{}`.",
            ENTRIES[name].base_url
        )
        .unwrap();
    }
    writeln!(text, "- Key: {}", sdk.key).unwrap();
    for pitfall in &sdk.pitfalls {
        writeln!(text, "- {pitfall}").unwrap();
    }
}

#[test]
fn recipes_have_the_form_that_their_addressing_says() {
    for (name, sdk) in sdks() {
        let contains = |line: Option<&str>, text: &str| line.is_none_or(|line| line.contains(text));
        let (by_path, by_host) = (sdk.by_path(), sdk.by_host());
        let by_host = by_host.as_deref();
        assert!(contains(by_path, "{mount_url}"), "{name} by path");
        assert!(contains(by_host, "{host}"), "{name} by host");
        for line in [by_path, by_host] {
            // Rivet has no option for a key.
            assert!(
                contains(line, "{key}") || name == "zoom-rivet",
                "{name}: no key"
            );
        }
        for other in ["{mount_url}", "{gateway}"] {
            let has = by_host.is_some_and(|line| line.contains(other));
            assert!(!has, "{name} by host contains {other}");
        }
        assert!(
            !by_path.is_some_and(|line| line.contains("{host}")),
            "{name} by path contains a host"
        );
        assert_eq!(
            sdk.by == By::None,
            sdk.line.is_empty(),
            "{name}: by and line"
        );
        assert!(
            sdk.by != By::BaseUrl || sdk.line_by_path.is_none(),
            "{name}: line is by path"
        );
        assert!(
            sdk.by != By::Host || sdk.line_by_host.is_none(),
            "{name}: line is by host"
        );
    }
}

#[test]
fn sdks_belong_to_entries_of_the_catalog() {
    for (name, sdk) in sdks() {
        let slug = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        assert!(name.bytes().all(slug), "{name} isn't a slug");
        assert_ne!(
            sdk.integrations.is_empty(),
            sdk.vendor.is_none(),
            "{name}: either an integration or a vendor"
        );
        for integration in &sdk.integrations {
            assert!(ENTRIES.contains_key(integration), "{name}: {integration}");
        }
        for (integration, base_url) in &sdk.base_urls {
            assert!(
                sdk.integrations.contains(integration),
                "{name}: {integration}"
            );
            let entry = &ENTRIES[integration];
            assert_ne!(
                *base_url, entry.base_url,
                "{name}: the entry {integration} has this base URL, so remove it"
            );
            assert!(
                base_url.starts_with("https://") && !base_url.ends_with('/'),
                "{name}: {base_url}"
            );
            let variables = base_url.split('{').skip(1);
            for variable in variables.map(|part| part.split('}').next().unwrap()) {
                assert!(
                    entry.variables.contains_key(variable),
                    "{name}: {variable} isn't a variable of {integration}"
                );
            }
        }
    }
}

#[test]
fn pitfalls_are_sentences() {
    for (name, sdk) in sdks() {
        for text in sdk.pitfalls.iter().chain([&sdk.key]) {
            let begins = text.starts_with(|first: char| first.is_uppercase() || first == '`');
            assert!(begins && text.ends_with('.'), "{name}: {text:?}");
            assert_eq!(text.matches('`').count() % 2, 0, "{name}: {text:?}");
            assert!(!text.contains("(inf.)"), "{name}: {text:?}");
        }
        assert!(!sdk.version_seen.is_empty() && !sdk.source.is_empty());
    }
}

#[test]
fn the_catalog_has_the_sdks_of_the_source() {
    let sdks = sdks();
    let catalog = Catalog::bundled();
    assert_eq!(catalog.sdks().len(), sdks.len());
    for (name, sdk) in &sdks {
        let found = catalog.sdk(name).unwrap();
        assert_eq!(found.name(), name);
        assert_eq!(found.title(), sdk.title);
        assert_eq!(found.vendor(), sdk.vendor());
        assert_eq!(found.language().name(), sdk.language);
        assert_eq!(found.package(), sdk.package);
        assert_eq!(found.is_tested(), !sdk.tested.is_empty());
        assert_eq!(found.tested_version().unwrap_or_default(), sdk.tested);
        assert_eq!(found.version_seen(), sdk.version_seen);
        assert_eq!(found.source(), sdk.source);
        assert_eq!(found.key(), sdk.key);
        assert_eq!(found.pitfalls(), sdk.pitfalls);
        assert_eq!(found.integrations(), sdk.integrations);
        assert_eq!(
            found.addressing() == SdkAddressing::Unsupported,
            sdk.line.is_empty()
        );
        for integration in &sdk.integrations {
            let entry = catalog.get(integration).unwrap();
            assert!(entry.sdks().any(|sdk| sdk.name() == name), "{name}");
            let base_url = sdk.base_urls.get(integration).map(String::as_str);
            assert_eq!(found.base_url(integration), base_url, "{name}");
        }
        for (snippet, form) in [
            (found.snippet_by_path(MOUNT_URL, "KEY"), sdk.by_path()),
            (found.snippet_by_host(HOST, "KEY"), sdk.by_host().as_deref()),
        ] {
            match form {
                None => assert_eq!(snippet, Err(SnippetError::Unsupported), "{name}"),
                Some(_) => {
                    let snippet = snippet.unwrap();
                    for placeholder in PLACEHOLDERS {
                        assert!(!snippet.contains(placeholder), "{name}: {placeholder}");
                    }
                }
            }
        }
    }
    assert!(catalog.sdk("nothing").is_none());
    let unused = catalog.get("activecampaign").unwrap();
    assert_eq!(unused.sdks().count(), 0);
}

#[test]
fn snippets_contain_the_address_and_the_key() {
    let graph = Catalog::bundled().sdk("msgraph-js").unwrap();
    let snippet = graph
        .snippet_by_path("http://[::1]:8080/p/a%27b", "<your key>")
        .unwrap();
    for text in [
        "baseUrl: 'http://[::1]:8080/p/a%27b/'",
        "new URL('http://[::1]:8080').hostname",
        "done(null, '<your key>')",
    ] {
        assert!(snippet.contains(text), "{snippet}");
    }
    let stripe = Catalog::bundled().sdk("stripe-node").unwrap();
    let snippet = stripe.snippet_by_host("a.gw.test:8443", "k").unwrap();
    assert!(
        snippet.contains("new Stripe('k', { host: 'a.gw.test:8443' })"),
        "{snippet}"
    );
}

/// A person copies the snippet into a program, so a value can't become code.
#[test]
fn snippets_refuse_values_that_could_become_code() {
    let sdk = Catalog::bundled().sdk("openai-node").unwrap();
    for tail in [
        "'", "\"", "`", "\\", "\n", "#{x}", "{key}", "{", "é", "\u{2028}", " ", "\0",
    ] {
        let url = format!("{MOUNT_URL}{tail}");
        assert_eq!(
            sdk.snippet_by_path(&url, "k"),
            Err(SnippetError::MountUrl),
            "{url:?}"
        );
        let host = format!("{HOST}{tail}");
        assert_eq!(
            sdk.snippet_by_host(&host, "k"),
            Err(SnippetError::Host),
            "{host:?}"
        );
        if tail != " " {
            let key = format!("k{tail}");
            assert_eq!(
                sdk.snippet_by_path(MOUNT_URL, &key),
                Err(SnippetError::Key),
                "{key:?}"
            );
            assert_eq!(
                sdk.snippet_by_host(HOST, &key),
                Err(SnippetError::Key),
                "{key:?}"
            );
        }
    }
    for url in [
        "",
        "gw.example.com/p/c",
        "javascript://x",
        "https:///p",
        "https://a@b/p",
        "https://",
    ] {
        assert_eq!(
            sdk.snippet_by_path(url, "k"),
            Err(SnippetError::MountUrl),
            "{url:?}"
        );
    }
    for host in ["", "a/b", "a@b", "a?b"] {
        assert_eq!(
            sdk.snippet_by_host(host, "k"),
            Err(SnippetError::Host),
            "{host:?}"
        );
    }
}
