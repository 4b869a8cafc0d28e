//! The gateway's page, with `page = true`: the list of integrations, and a form that tries a call.
//!
//! The list is part of the HTML, so that it can be read without JavaScript. The script gets the details from
//! `/catalog.json`. All responses are made once, when the config is read.

mod entry;
mod file;
mod render;

use axum::Router;
use axum::extract::Request;
use axum::routing::get;
use serde::Serialize;
use sha2::{Digest, Sha256};

pub(crate) use self::entry::Entry;
use self::file::File;
use crate::addressing::{Way, Ways};

/// The paths of the page and of its files.
pub(crate) const PATHS: [&str; 4] = [ROOT, SCRIPT, STYLE, CATALOG];

/// The paths of the descriptions that the page links to.
pub(crate) use crate::descriptions::PATHS as DESCRIPTIONS;

const ROOT: &str = "/";
const SCRIPT: &str = "/page.js";
const STYLE: &str = "/page.css";
const CATALOG: &str = "/catalog.json";

/// The settings of the gateway that the form needs.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Settings {
    mount: String,
    /// The way in which the form names a connection.
    by: &'static str,
    /// `host_pattern` of the config.
    host: Option<String>,
    /// `true` if callers need a key.
    key: bool,
}

impl Settings {
    pub(crate) fn new(mount: &str, ways: &Ways, host_pattern: Option<&str>, key: bool) -> Self {
        let by = match () {
            () if ways.has(Way::Path) => "path",
            () if ways.has(Way::Header) => "header",
            () if ways.has(Way::Key) => "key",
            () => "host",
        };
        Self {
            mount: mount.to_owned(),
            by,
            host: host_pattern.map(str::to_owned),
            key,
        }
    }
}

/// The content of `/catalog.json`.
#[derive(Serialize)]
struct Catalog<'a> {
    version: &'a str,
    gateway: &'a Settings,
    entries: &'a [Entry],
}

/// The responses of the page.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    root: File,
    script: File,
    style: File,
    catalog: File,
}

impl Page {
    /// Returns the page with these integrations, in this order: first the integrations of the config file, then those of the
    /// catalog.
    ///
    /// # Errors
    ///
    /// If the integrations can't be written as JSON.
    pub(crate) fn new(settings: &Settings, entries: &[Entry]) -> Result<Self, serde_json::Error> {
        // The script recognises by the version that the list and the details belong together.
        let version = short_hash(&serde_json::to_vec(&(settings, entries))?);
        let catalog = serde_json::to_vec(&Catalog {
            version: &version,
            gateway: settings,
            entries,
        })?;
        let html = render::page(include_str!("page.html"), &version, entries);
        let script = include_str!("page.js").as_bytes().to_vec();
        let style = include_str!("page.css").as_bytes().to_vec();
        Ok(Self {
            root: File::new("text/html; charset=utf-8", html.into_bytes()),
            script: File::new("text/javascript; charset=utf-8", script),
            style: File::new("text/css; charset=utf-8", style),
            catalog: File::new("application/json", catalog),
        })
    }

    /// Returns the routes of the page.
    pub(crate) fn router(self) -> Router {
        let Self {
            root,
            script,
            style,
            catalog,
        } = self;
        let routes = [root, script, style, catalog];
        let files = PATHS.into_iter().zip(routes);
        files.fold(Router::new(), |router, (path, file)| {
            let answer = async move |request: Request| file.response(request.headers());
            router.route(path, get(answer))
        })
    }
}

/// Returns the first 128 bits of the SHA-256 of the bytes, in hexadecimal digits.
fn short_hash(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    hash.iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    /// The files of the page, without the list, fit into 40 KB.
    #[test]
    fn the_files_are_small() {
        let files = [
            include_str!("page.html"),
            include_str!("page.css"),
            include_str!("page.js"),
        ];
        let bytes: usize = files.iter().map(|file| file.len()).sum();
        assert!(bytes <= 40_000, "{bytes} bytes");
    }

    /// The content security policy refuses scripts and styles in the HTML.
    #[test]
    fn nothing_is_inline() {
        let html = include_str!("page.html");
        for refused in [
            " style=",
            "<style",
            " onclick",
            "javascript:",
            "//cdn",
            "http:",
        ] {
            assert!(!html.contains(refused), "{refused}");
        }
        assert_eq!(html.matches("<script").count(), 1);
        let script = include_str!("page.js");
        for refused in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "localStorage",
            "sessionStorage",
            ".cookie",
        ] {
            assert!(!script.contains(refused), "{refused}");
        }
    }
}
