//! Values of the file that are one of a few words.

use tower_passthrough::{PathEncoding, ResponseHeaderPolicy, TraceContext};

use super::value::Form;

impl Form for PathEncoding {
    const EXPECTED: &'static str = "\"auto\", \"never\" or \"always\"";

    fn read(text: &str) -> Option<Self> {
        match text {
            "auto" => Some(Self::Auto),
            "never" => Some(Self::Never),
            "always" => Some(Self::Always),
            _ => None,
        }
    }
}

impl Form for ResponseHeaderPolicy {
    const EXPECTED: &'static str = "\"all\" or \"browser-safe\"";

    fn read(text: &str) -> Option<Self> {
        match text {
            "all" => Some(Self::All),
            "browser-safe" => Some(Self::BrowserSafe),
            _ => None,
        }
    }
}

impl Form for TraceContext {
    const EXPECTED: &'static str = "\"pass\" or \"start\"";

    fn read(text: &str) -> Option<Self> {
        match text {
            "pass" => Some(Self::Pass),
            "start" => Some(Self::Start),
            _ => None,
        }
    }
}

/// How a credential is put on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AuthKind {
    None,
    Bearer,
    Basic,
    Header,
    Query,
    /// One that a later version will have.
    Later(&'static str),
}

impl AuthKind {
    const LATER: [&str; 5] = ["oauth2", "sigv4", "oauth1", "hmac", "mtls"];
}

impl Form for AuthKind {
    const EXPECTED: &'static str = "\"none\", \"bearer\", \"basic\", \"header\" or \"query\"";

    fn read(text: &str) -> Option<Self> {
        let later = Self::LATER.into_iter().find(|later| *later == text);
        match text {
            "none" => Some(Self::None),
            "bearer" => Some(Self::Bearer),
            "basic" => Some(Self::Basic),
            "header" => Some(Self::Header),
            "query" => Some(Self::Query),
            _ => later.map(Self::Later),
        }
    }
}

/// Where connections live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StoreKind {
    /// In the config file.
    File,
    /// One that a later version will have.
    Later(&'static str),
}

impl StoreKind {
    const LATER: [&str; 3] = ["sqlite", "postgres", "redis"];
}

impl Form for StoreKind {
    const EXPECTED: &'static str = "\"file\"";

    fn read(text: &str) -> Option<Self> {
        let later = Self::LATER.into_iter().find(|later| *later == text);
        match text {
            "file" => Some(Self::File),
            _ => later.map(Self::Later),
        }
    }
}
