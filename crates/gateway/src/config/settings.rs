//! The settings of the server and of each call.

use std::time::Duration;

use http::HeaderName;
use toml::Spanned;
use tower_passthrough::{Integrations, MemoryStore, PassthroughService};

use super::Config;
use super::problem::{Problem, Problems};
use super::value::Text;
use crate::routes;

/// Returns the mount, which must be a path of plain segments, because axum treats some characters
/// as patterns.
pub(super) fn mount(mount: Option<&Spanned<String>>, problems: &mut Problems) -> String {
    let Some(mount) = mount else {
        return Config::MOUNT.to_owned();
    };
    let text = mount.get_ref();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let segment = |segment: &str| {
        !segment.is_empty() && !matches!(segment, "." | "..") && segment.bytes().all(plain)
    };
    let fits = text == "/"
        || text
            .strip_prefix('/')
            .is_some_and(|path| path.split('/').all(segment));
    if !fits {
        problems.push(Problem::at(
            mount,
            "expected a path such as \"/passthrough\": letters, digits and `-._~`, without a slash at the end",
        ));
    } else if routes::OWN
        .iter()
        .any(|own| text == own || text.starts_with(&format!("{own}/")))
    {
        problems.push(Problem::at(
            mount,
            "the gateway uses this path itself; choose another path",
        ));
    }
    text.clone()
}

/// Returns the names of header fields.
pub(super) fn headers(names: &[Spanned<String>], problems: &mut Problems) -> Vec<HeaderName> {
    let parse = |name: &Spanned<String>| {
        let parsed = HeaderName::from_bytes(name.get_ref().as_bytes());
        problems.ok(parsed.map_err(|_| Problem::at(name, "expected the name of a header field")))
    };
    names.iter().filter_map(parse).collect()
}

/// Returns the origins, after a check.
pub(super) fn origins(origins: &[Spanned<String>], problems: &mut Problems) -> Vec<String> {
    let mut checked = Vec::new();
    for origin in origins {
        // The builder is only used for its check.
        let builder = PassthroughService::builder(MemoryStore::new(), Integrations::new());
        match builder.websocket_origin(origin.get_ref()) {
            Ok(_) => checked.push(origin.get_ref().clone()),
            Err(error) => problems.push(Problem::at(origin, error.to_string())),
        }
    }
    checked
}

/// Returns the pseudonym, after a check.
pub(super) fn via(via: Option<&Spanned<String>>, problems: &mut Problems) -> Option<String> {
    let via = via?;
    // The builder is only used for its check.
    let builder = PassthroughService::builder(MemoryStore::new(), Integrations::new());
    let checked = builder.via(via.get_ref()).map(drop);
    problems.ok(checked.map_err(|error| Problem::at(via, error.to_string())))?;
    Some(via.get_ref().clone())
}

/// Returns the timeout, or `None` if it isn't set.
pub(super) fn set_timeout(
    given: Option<&Spanned<Text<Duration>>>,
    problems: &mut Problems,
) -> Option<Duration> {
    given.map(|given| timeout(Some(given), Duration::ZERO, problems))
}

pub(super) fn timeout(
    given: Option<&Spanned<Text<Duration>>>,
    default: Duration,
    problems: &mut Problems,
) -> Duration {
    let Some(given) = given else { return default };
    let duration = given.get_ref().0;
    if duration.is_zero() {
        problems.push(Problem::at(
            given,
            "expected a duration above zero, such as \"10s\"",
        ));
    }
    duration
}
