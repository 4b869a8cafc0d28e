//! The addresses that answers contain.

use http::Uri;
use toml::Spanned;

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
