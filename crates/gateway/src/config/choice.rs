//! Values of the file that must be a word from a fixed list.

use tower_passthrough::address::PathEncoding;
use tower_passthrough::observe::TraceContext;
use tower_passthrough::service::ResponseHeaderPolicy;
use tower_passthrough::upstream::{DomainOverride, HttpProtocol};

use super::value::Form;
use crate::log::LogFormat;

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

impl Form for DomainOverride {
    const EXPECTED: &'static str = "\"replace-base\" or \"replace-authority\"";

    fn read(text: &str) -> Option<Self> {
        match text {
            "replace-base" => Some(Self::ReplaceBase),
            "replace-authority" => Some(Self::ReplaceAuthority),
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

impl Form for HttpProtocol {
    const EXPECTED: &'static str = "\"auto\", \"http1\" or \"http2\"";

    fn read(text: &str) -> Option<Self> {
        match text {
            "auto" => Some(Self::Auto),
            "http1" => Some(Self::Http1),
            "http2" => Some(Self::Http2),
            _ => None,
        }
    }
}

impl Form for LogFormat {
    const EXPECTED: &'static str = "\"text\" or \"json\"";

    fn read(text: &str) -> Option<Self> {
        match text {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// The evidence for the facts of an integration, for display.
#[derive(Clone, Debug)]
pub(super) struct Confidence(pub(super) String);

impl Form for Confidence {
    const EXPECTED: &'static str = "\"checked\", \"documented\" or \"unverified\"";

    fn read(text: &str) -> Option<Self> {
        let is_known = matches!(text, "checked" | "documented" | "unverified");
        is_known.then(|| Self(text.to_owned()))
    }
}

/// A date, for display.
#[derive(Clone, Debug)]
pub(super) struct Date(pub(super) String);

impl Form for Date {
    const EXPECTED: &'static str = "a date in quotes, such as \"2026-11-29\"";

    fn read(text: &str) -> Option<Self> {
        let date = text.parse::<toml::value::Datetime>().ok()?;
        let is_date = date.date.is_some() && date.time.is_none();
        is_date.then(|| Self(text.to_owned()))
    }
}
