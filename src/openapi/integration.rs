//! An integration in a description.

use std::fmt;

/// An integration of a [`Document`](super::Document): its name, its base URL, and a call that verifies a connection.
#[derive(Clone, Debug)]
pub struct Integration {
    name: Box<str>,
    base_url: Box<str>,
    title: Option<Box<str>>,
    docs: Option<Box<str>>,
    verify: Option<Box<str>>,
}

/// The error of a text that isn't valid as the path of a call: it contains a blank, a control character, a character outside of ASCII, a
/// backslash or a `#`, or it is a whole URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidVerifyPath;

impl Integration {
    /// Returns the integration with that name and that base URL, which may contain `{variables}`.
    ///
    /// [`Document::integrations`](super::Document::integrations) adds all integrations of a table.
    #[must_use]
    pub fn new(name: impl Into<Box<str>>, base_url: impl Into<Box<str>>) -> Self {
        Self {
            name: name.into(),
            base_url: base_url.into(),
            title: None,
            docs: None,
            verify: None,
        }
    }

    /// Sets the name for people, such as `HubSpot`. Default: the name of the integration.
    #[must_use]
    pub fn title(mut self, title: impl Into<Box<str>>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Sets the address of the vendor's documentation. Default: none.
    #[must_use]
    pub fn docs(mut self, url: impl Into<Box<str>>) -> Self {
        self.docs = Some(url.into());
        self
    }

    /// Sets the path of a GET that succeeds if the credential of a connection is valid, relative to the base URL, with its query:
    /// `/v3/details?brief=1`. The path is written as in a URL, so other characters are percent-encoded. It may contain `{variables}` of the
    /// connection.
    ///
    /// Default: none, so the Postman collection contains a call of the base URL.
    ///
    /// # Errors
    ///
    /// [`InvalidVerifyPath`] if the text isn't a path with a query: it contains a blank, a control character, a character outside of ASCII,
    /// a backslash or a `#`, or it is a whole URL.
    pub fn verify(mut self, path: &str) -> Result<Self, InvalidVerifyPath> {
        self.verify = Some(Self::checked(path)?.into());
        Ok(self)
    }

    /// Returns the text of a path, or the reason why it isn't valid.
    fn checked(path: &str) -> Result<&str, InvalidVerifyPath> {
        let is_unfit = |byte: u8| !byte.is_ascii_graphic() || matches!(byte, b'\\' | b'#');
        let (before_query, _) = path.split_once('?').unwrap_or((path, ""));
        if path.bytes().any(is_unfit) || before_query.contains("://") {
            return Err(InvalidVerifyPath);
        }
        Ok(path)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn base_url(&self) -> &str {
        &self.base_url
    }

    pub(super) fn title_or_name(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.name)
    }

    pub(super) fn docs_url(&self) -> Option<&str> {
        self.docs.as_deref()
    }

    /// Returns the path without the `/` at its beginning, and the query.
    pub(super) fn verify_target(&self) -> Option<(&str, Option<&str>)> {
        let path = self.verify.as_deref()?;
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path, None),
        };
        Some((path.strip_prefix('/').unwrap_or(path), query))
    }
}

/// The integration of an entry of the catalog, with its title, its documentation and the call that verifies a connection.
#[cfg(feature = "catalog")]
impl From<crate::catalog::Entry> for Integration {
    fn from(entry: crate::catalog::Entry) -> Self {
        let mut integration = Self::new(entry.name(), entry.base_url())
            .title(entry.title())
            .docs(entry.docs());
        let verify = entry.verify().and_then(|path| Self::checked(path).ok());
        integration.verify = verify.map(Into::into);
        integration
    }
}

impl fmt::Display for InvalidVerifyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "expected a path relative to the base URL, such as `/v3/details?brief=1`, with other characters than those of URLs percent-encoded",
        )
    }
}

impl std::error::Error for InvalidVerifyPath {}

#[cfg(all(test, feature = "catalog"))]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn each_entry_of_the_catalog_keeps_its_call() {
        let mut calls = 0;
        for entry in Catalog::bundled().iter() {
            let integration = Integration::from(entry);
            assert_eq!(integration.verify.as_deref(), entry.verify());
            assert_eq!(integration.title_or_name(), entry.title());
            calls += usize::from(entry.verify().is_some());
        }
        assert!(calls > 10, "only {calls} entries have a call");
    }
}
