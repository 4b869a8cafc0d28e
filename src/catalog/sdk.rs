//! Vendors' SDKs, and the code that points an SDK at a mount.

use std::fmt;

use super::sdks::SDKS;
use super::{Catalog, Entry};

/// The facts of an SDK.
#[derive(Debug)]
pub(super) struct SdkFacts {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) vendor: &'static str,
    pub(super) language: Language,
    pub(super) package: &'static str,
    pub(super) integrations: &'static [&'static str],
    /// The integrations that need another base URL than their entry has, with this base URL.
    pub(super) base_urls: &'static [(&'static str, &'static str)],
    pub(super) version_seen: &'static str,
    pub(super) tested: Option<&'static str>,
    pub(super) by_path: Option<&'static str>,
    pub(super) by_host: Option<&'static str>,
    pub(super) addressing: SdkAddressing,
    pub(super) key: &'static str,
    pub(super) pitfalls: &'static [&'static str],
    pub(super) source: &'static str,
}

/// A vendor's SDK, and the code that points it at a mount. It is a reference to static data.
///
/// ```
/// use tower_passthrough::catalog::Catalog;
///
/// let openai = Catalog::bundled().sdk("openai-python").ok_or("no such SDK")?;
/// assert_eq!(
///     openai.snippet_by_path("https://gw.example.com/passthrough/acme", "YOUR_KEY")?,
///     "from openai import OpenAI\n\
///      client = OpenAI(api_key=\"YOUR_KEY\", base_url=\"https://gw.example.com/passthrough/acme\")",
/// );
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct Sdk(&'static SdkFacts);

impl Sdk {
    /// Returns the name: lowercase letters, digits and hyphens.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// Returns the title for people, such as `Stripe for Node`.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.0.title
    }

    /// Returns the vendor's name. It's the title of an entry of the catalog, if the catalog has an entry for the SDK.
    #[must_use]
    pub fn vendor(self) -> &'static str {
        self.0.vendor
    }

    /// Returns the programming language.
    #[must_use]
    pub fn language(self) -> Language {
        self.0.language
    }

    /// Returns the name of the package in the registry of the language.
    #[must_use]
    pub fn package(self) -> &'static str {
        self.0.package
    }

    /// Returns the names of the entries of the catalog that the SDK calls. It may be empty. The snippet is made for the first name.
    #[must_use]
    pub fn integrations(self) -> &'static [&'static str] {
        self.0.integrations
    }

    /// Returns the base URL that the integration needs for this SDK, if the base URL of its [`Entry`] doesn't fit, because the SDK sends
    /// the version of the API as part of the path. It may contain `{variables}` of the connection.
    #[must_use]
    pub fn base_url(self, integration: &str) -> Option<&'static str> {
        let mut base_urls = self.0.base_urls.iter();
        let (_, base_url) = base_urls.find(|(name, _)| *name == integration)?;
        Some(base_url)
    }

    /// Returns the version of the SDK in whose source these facts were read.
    #[must_use]
    pub fn version_seen(self) -> &'static str {
        self.0.version_seen
    }

    /// Returns the version of the SDK with which the tests of this project run the snippet, or `None` if the snippet wasn't run.
    #[must_use]
    pub fn tested_version(self) -> Option<&'static str> {
        self.0.tested
    }

    /// Returns `true` if the tests of this project run the snippet.
    #[must_use]
    pub fn is_tested(self) -> bool {
        self.0.tested.is_some()
    }

    /// Returns the ways in which a call of the SDK can name the connection.
    #[must_use]
    pub fn addressing(self) -> SdkAddressing {
        self.0.addressing
    }

    /// Returns a sentence about the form in which the SDK sends the caller's key.
    #[must_use]
    pub fn key(self) -> &'static str {
        self.0.key
    }

    /// Returns sentences about options to set, keys that leak and calls that are repeated. Their text is Markdown.
    #[must_use]
    pub fn pitfalls(self) -> &'static [&'static str] {
        self.0.pitfalls
    }

    /// Returns the repositories and files in which the facts were read.
    #[must_use]
    pub fn source(self) -> &'static str {
        self.0.source
    }

    /// Returns the code that points the SDK at a connection below the mount. `mount_url` is the connection's address, such as
    /// `https://gw.example.com/passthrough/acme`. `key` is the caller's key, or a text in its place.
    ///
    /// # Errors
    ///
    /// If the SDK can't be given a URL with a path, or a value can't be part of a string literal of each language. Bytes of `mount_url`
    /// such as `'` must be percent-encoded.
    pub fn snippet_by_path(self, mount_url: &str, key: &str) -> Result<String, SnippetError> {
        let template = self.0.by_path.ok_or(SnippetError::Unsupported)?;
        let gateway = origin(mount_url).ok_or(SnippetError::MountUrl)?;
        let filled = template.replace("{mount_url}", mount_url);
        with_key(filled.replace("{gateway}", gateway), key)
    }

    /// Returns the code that points the SDK at a connection whose name is in the host of the gateway. `host` is this host, such as
    /// `acme.gw.example.com`; it may have a port. `key` is the caller's key, or a text in its place.
    ///
    /// # Errors
    ///
    /// If the SDK can't be pointed at another host, or a value can't be part of a string literal of each language.
    pub fn snippet_by_host(self, host: &str, key: &str) -> Result<String, SnippetError> {
        let template = self.0.by_host.ok_or(SnippetError::Unsupported)?;
        if host.is_empty() || !host.bytes().all(is_of_host) {
            return Err(SnippetError::Host);
        }
        with_key(template.replace("{host}", host), key)
    }
}

fn with_key(snippet: String, key: &str) -> Result<String, SnippetError> {
    match key.bytes().all(|byte| byte == b' ' || is_of_literal(byte)) {
        true => Ok(snippet.replace("{key}", key)),
        false => Err(SnippetError::Key),
    }
}

/// Returns the scheme and the authority of a URL that can be part of a string literal.
fn origin(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split('/').next().unwrap_or_default();
    let is_http = matches!(scheme, "http" | "https");
    let is_usable = is_http && !authority.is_empty() && authority.bytes().all(is_of_host);
    (is_usable && rest.bytes().all(is_of_literal))
        .then(|| url.get(..scheme.len() + "://".len() + authority.len()))?
}

/// Returns `true` for bytes that mean themselves in a string literal of each language, also if the literal is a part of a longer text.
/// Braces aren't among them, so that a value can't contain a placeholder.
fn is_of_literal(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'`' | b'\\' | b'#' | b'{' | b'}')
}

fn is_of_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']')
}

impl fmt::Debug for Sdk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sdk").field(&self.0.name).finish()
    }
}

/// A programming language of SDKs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Language {
    /// Go.
    Go,
    /// JavaScript and TypeScript.
    JavaScript,
    /// Python.
    Python,
    /// Ruby.
    Ruby,
}

impl Language {
    /// Returns the name of the language, such as `JavaScript`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Go => "Go",
            Self::JavaScript => "JavaScript",
            Self::Python => "Python",
            Self::Ruby => "Ruby",
        }
    }
}

/// The part of a gateway's address that an SDK accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SdkAddressing {
    /// A URL with a path, so that the path or the host can name the connection.
    BaseUrl,
    /// A host, so that the host must name the connection. A few of these SDKs accept a path in a special form.
    Host,
    /// None. The SDK calls its vendor's host only.
    Unsupported,
}

/// The error of a snippet that can't be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SnippetError {
    /// The SDK can't be addressed in this way.
    Unsupported,
    /// The URL isn't an `http` or `https` URL, or has a byte that must be percent-encoded.
    MountUrl,
    /// The host has a byte that isn't valid in a host.
    Host,
    /// The key has a byte that ends a string literal.
    Key,
}

impl fmt::Display for SnippetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unsupported => "the SDK has no option for an address of this kind",
            Self::MountUrl => {
                "the mount's URL must be an http or https URL; percent-encode quotes, `\\`, `#`, braces and bytes that aren't ASCII"
            }
            Self::Host => "the host must consist of letters, digits, `.`, `-`, `_`, and a port",
            Self::Key => "the key may not contain quotes, `\\`, `#`, braces, or bytes that aren't ASCII",
        })
    }
}

impl std::error::Error for SnippetError {}

impl Catalog {
    /// Returns an iterator over all SDKs, sorted by name. They include SDKs of vendors that have no entry.
    pub fn sdks(&self) -> impl ExactSizeIterator<Item = Sdk> + use<> {
        SDKS.iter().map(Sdk)
    }

    /// Returns the SDK with that name, such as `openai-python`.
    #[must_use]
    pub fn sdk(&self, name: &str) -> Option<Sdk> {
        let index = SDKS.binary_search_by(|sdk| sdk.name.cmp(name)).ok()?;
        SDKS.get(index).map(Sdk)
    }
}

impl Entry {
    /// Returns an iterator over the SDKs that call the entry, sorted by name.
    pub fn sdks(self) -> impl Iterator<Item = Sdk> + use<> {
        let name = self.name();
        let sdks = SDKS.iter().map(Sdk);
        sdks.filter(move |sdk| sdk.integrations().contains(&name))
    }
}
