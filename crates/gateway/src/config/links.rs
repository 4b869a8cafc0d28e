//! The addresses that answers contain.

use std::fmt;

use http::Uri;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;
use tower_passthrough::{Integrations, MemoryStore, PassthroughService, service};

use super::integration;
use super::problem::{Problem, Problems};

/// The address at which the owner of a connection authorizes the connection again, with `{connection}` in place of the id.
#[derive(Clone, Debug)]
pub(crate) struct ReauthorizeUrl(String);

impl ReauthorizeUrl {
    const CONNECTION: &str = "{connection}";

    /// Returns `None` if the text isn't the address of a page, or if the id would be a part of its host.
    fn parse(text: &str) -> Option<Self> {
        let url = Self(text.to_owned());
        let (one, other) = (url.of("a")?, url.of("b")?);
        let is_page = matches!(one.scheme_str(), Some("https" | "http"));
        (is_page && one.authority() == other.authority()).then_some(url)
    }

    /// Returns the address for a connection. The id is percent-encoded, except for unreserved characters (RFC 3986 §2.3).
    pub(crate) fn of(&self, id: &str) -> Option<Uri> {
        let mut encoded = String::with_capacity(id.len());
        for byte in id.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                encoded.push(char::from(byte));
            } else {
                encoded.push_str(&format!("%{byte:02X}"));
            }
        }
        self.0.replace(Self::CONNECTION, &encoded).parse().ok()
    }
}

/// Returns the address for `reauthorize`.
pub(super) fn reauthorize_url(
    url: Option<&Spanned<String>>,
    problems: &mut Problems,
) -> Option<ReauthorizeUrl> {
    let url = url?;
    let parsed = ReauthorizeUrl::parse(url.get_ref());
    problems.ok(parsed.ok_or_else(|| {
        let expected =
            "expected a URL such as \"https://app.example/connect/{connection}\", with {connection} after the host";
        Problem::at(url, expected)
    }))
}

/// Returns the URL at which callers reach the gateway, after a check.
pub(super) fn public_url(url: Option<&Spanned<String>>, problems: &mut Problems) -> Option<String> {
    let url = url?;
    // The builder is only used for its check.
    let builder = PassthroughService::builder(MemoryStore::new(), Integrations::new());
    let checked = builder.public_url(url.get_ref());
    let checked = checked.map_err(|error| Problem::at(url, error.to_string()));
    problems.ok(checked).map(|_| url.get_ref().clone())
}

/// The locations that callers get: a word, or the hosts of which callers get locations.
#[derive(Debug)]
pub(super) enum ForeignLocations {
    Pass,
    Hide,
    Only(Vec<Spanned<String>>),
}

impl ForeignLocations {
    const EXPECTED: &'static str = "\"pass\", \"hide\", or a list of hosts";
}

struct ForeignVisitor;

impl<'de> Visitor<'de> for ForeignVisitor {
    type Value = ForeignLocations;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(ForeignLocations::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<ForeignLocations, E> {
        match text {
            "pass" => Ok(ForeignLocations::Pass),
            "hide" => Ok(ForeignLocations::Hide),
            _ => Err(E::custom(format_args!(
                "expected {}",
                ForeignLocations::EXPECTED
            ))),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut hosts: A) -> Result<ForeignLocations, A::Error> {
        let mut listed = Vec::new();
        while let Some(host) = hosts.next_element()? {
            listed.push(host);
        }
        Ok(ForeignLocations::Only(listed))
    }
}

impl<'de> Deserialize<'de> for ForeignLocations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ForeignVisitor)
    }
}

/// Returns the locations that callers get. Default: all.
pub(super) fn foreign_locations(
    locations: Option<ForeignLocations>,
    problems: &mut Problems,
) -> service::ForeignLocations {
    match locations {
        None | Some(ForeignLocations::Pass) => service::ForeignLocations::Pass,
        Some(ForeignLocations::Hide) => service::ForeignLocations::Hide,
        Some(ForeignLocations::Only(hosts)) => {
            service::ForeignLocations::Only(integration::domains(&hosts, problems))
        }
    }
}
