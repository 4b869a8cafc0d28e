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
