//! The descriptions of the mount, with `page = true`: `/openapi.json` and `/postman.json`.
//!
//! Like the page, they show the names and the base URLs of the integrations to everybody who reaches the listener, and need no key. They
//! contain no connection, no caller and no secret.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_TYPE, ETAG, HOST, IF_NONE_MATCH, X_CONTENT_TYPE_OPTIONS,
};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use sha2::{Digest, Sha256};
use tower_passthrough::openapi::{Document, Integration};

use crate::addressing::{CONNECTION, Way};
use crate::callers::{API_KEY, Callers};
use crate::config::{Config, Listed, Origin, Store};
use crate::peers::NotACall;

/// The paths of the descriptions.
pub(crate) const PATHS: [&str; 2] = [OPENAPI, POSTMAN];

const OPENAPI: &str = "/openapi.json";
const POSTMAN: &str = "/postman.json";

/// The maximum length of a `Host` that is written into a description, in bytes.
const MAX_AUTHORITY: usize = 255 + 6;

/// Writes a document in one format.
type Write = fn(&Document) -> String;

/// The description of the mount of a config.
#[derive(Clone, Debug)]
pub(crate) struct Descriptions {
    /// The server isn't set yet.
    document: Document,
    public_url: Option<String>,
    /// The host of the server, if only the host names connections.
    host_pattern: Option<String>,
    scheme: &'static str,
}

impl Descriptions {
    /// Returns the descriptions of the config. `None` if the config doesn't ask for them.
    pub(crate) fn of(config: &Config) -> Option<Self> {
        if !config.page {
            return None;
        }
        let ways = &config.ways;
        // If only the host names connections, the whole path is the upstream's.
        let by_host = config.host_pattern.clone().filter(|_| !ways.has_mount());
        let mount = match &by_host {
            Some(_) => "/",
            None => &config.mount,
        };
        // The mount of a config is valid, so this can't fail.
        let mut document = Document::new(mount)
            .ok()?
            .path_encoding(config.path_encoding);
        if !ways.has(Way::Path) {
            document = match ways.has(Way::Header) {
                true => document.connection_header(CONNECTION),
                false => document.without_connection(),
            };
        }
        if let Callers::Keys(_) = config.callers {
            document = document.api_key(API_KEY).bearer(true).host_error(
                StatusCode::UNAUTHORIZED,
                "unauthenticated",
                "The caller's key is missing or isn't valid",
            );
        }
        let integrations = integrations(config);
        Some(Self {
            document: integrations.fold(document, Document::integration),
            public_url: config.public_url.clone(),
            host_pattern: by_host,
            scheme: match config.tls {
                Some(_) => "https",
                None => "http",
            },
        })
    }

    /// Returns the routes of the descriptions.
    pub(crate) fn router(self) -> Router {
        let descriptions = Arc::new(self);
        let writers: [(&str, Write); 2] = [
            (OPENAPI, Document::to_openapi),
            (POSTMAN, Document::to_postman),
        ];
        writers
            .into_iter()
            .fold(Router::new(), |router, (path, write)| {
                let texts = Arc::new(Texts::new(Arc::clone(&descriptions), write));
                let answer = async move |request: Request| {
                    let server = texts.descriptions.server(&request);
                    texts.text(server).response(request.headers())
                };
                router.route(path, get(answer))
            })
    }

    /// Returns the URL of the server that the caller of this request reaches. `None` if the request has no valid host: clients then use
    /// the address from which they have got the document.
    fn server(&self, request: &Request) -> Option<String> {
        let host = requested_host(request.uri(), request.headers());
        match (&self.host_pattern, &self.public_url) {
            (None, Some(url)) => Some(url.clone()),
            (None, None) => host.map(|host| format!("{}://{host}", self.scheme)),
            (Some(pattern), url) => {
                let public: Option<Uri> = url.as_deref().and_then(|url| url.parse().ok());
                let scheme = public.as_ref().and_then(Uri::scheme_str);
                let scheme = scheme.unwrap_or(self.scheme);
                let port = match &public {
                    Some(url) => url.port_u16(),
                    None => host.and_then(|host| host.port_u16()),
                };
                let port = port.map(|port| format!(":{port}")).unwrap_or_default();
                Some(format!("{scheme}://{pattern}{port}"))
            }
        }
    }

    /// Returns the document with this server, if it's valid.
    fn at(&self, server: Option<&str>) -> Document {
        let document = self.document.clone();
        let server = server.and_then(|url| document.clone().server(url).ok());
        server.unwrap_or(document)
    }
}

/// A description in one format. The last text is kept, because most callers use the same address of the gateway.
struct Texts {
    descriptions: Arc<Descriptions>,
    write: Write,
    last: Mutex<Option<(Option<String>, Arc<Text>)>>,
}

impl Texts {
    fn new(descriptions: Arc<Descriptions>, write: Write) -> Self {
        Self {
            descriptions,
            write,
            last: Mutex::new(None),
        }
    }

    /// Returns the text for this server.
    fn text(&self, server: Option<String>) -> Arc<Text> {
        let last = || self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, text)) = &*last() {
            if *of == server {
                return Arc::clone(text);
            }
        }
        let document = self.descriptions.at(server.as_deref());
        let text = Arc::new(Text::new((self.write)(&document)));
        *last() = Some((server, Arc::clone(&text)));
        text
    }
}

/// A written description, and its tag.
struct Text {
    bytes: Bytes,
    tag: String,
}

impl Text {
    fn new(text: String) -> Self {
        let digest = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&text));
        Self {
            bytes: text.into(),
            tag: format!("\"{digest}\""),
        }
    }

    /// Returns the text, or 304 if the caller has it.
    fn response(&self, headers: &HeaderMap) -> Response {
        let mut response = match is_known(headers, &self.tag) {
            true => StatusCode::NOT_MODIFIED.into_response(),
            false => {
                let mut response = Response::new(Body::from(self.bytes.clone()));
                let json = HeaderValue::from_static("application/json");
                response.headers_mut().insert(CONTENT_TYPE, json);
                response
            }
        };
        response.extensions_mut().insert(NotACall);
        let fields = response.headers_mut();
        fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        fields.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        // A digest in base64 is always a valid value.
        if let Ok(tag) = HeaderValue::from_str(&self.tag) {
            fields.insert(ETAG, tag);
        }
        response
    }
}

/// Returns the integrations of the config file, and the integrations that its connections name.
fn integrations(config: &Config) -> impl Iterator<Item = Integration> {
    let connections = match &config.store {
        Store::File(connections) => &connections[..],
        Store::Sqlite(_) | Store::Postgres(_) | Store::Redis(_) => &[],
    };
    let names = connections
        .iter()
        .map(|(_, connection)| connection.integration());
    let named: HashSet<&str> = names.collect();
    let mut listed = config.declared.listed();
    listed.retain(|listed| listed.origin == Origin::Config || named.contains(&*listed.name));
    listed.into_iter().map(describe)
}

fn describe(listed: Listed) -> Integration {
    let mut integration = Integration::new(listed.name, listed.base_url).title(listed.title);
    if let Some(docs) = listed.docs {
        integration = integration.docs(docs);
    }
    match listed.verify.map(|path| integration.clone().verify(&path)) {
        // The config was checked, and so was the catalog.
        Some(Ok(verified)) => verified,
        _ => integration,
    }
}

/// Returns the host that the caller has named, if it's a plain host, with or without a port.
fn requested_host(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    let authority = match uri.authority() {
        Some(authority) => authority.clone(),
        None => {
            let mut hosts = headers.get_all(HOST).iter();
            let host = hosts.next().filter(|_| hosts.next().is_none())?;
            Authority::try_from(host.as_bytes()).ok()?
        }
    };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    let is_plain = !authority.host().is_empty() && authority.as_str().bytes().all(fits);
    (is_plain && authority.as_str().len() <= MAX_AUTHORITY).then_some(authority)
}

/// Returns `true` if `If-None-Match` names the tag, or is `*` (RFC 9110 §13.1.2). Tags are compared weakly.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let lines = headers.get_all(IF_NONE_MATCH).iter();
    let mut members = lines.flat_map(|line| line.as_bytes().split(|&byte| byte == b','));
    members.any(|member| {
        let member = member.trim_ascii();
        let member = member.strip_prefix(b"W/").unwrap_or(member);
        member == b"*" || member == tag.as_bytes()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(value: &'static [u8]) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_bytes(value).ok()?);
        let host = requested_host(&Uri::from_static("/openapi.json"), &headers);
        host.map(|host| host.to_string())
    }

    #[test]
    fn only_a_plain_host_is_a_server() {
        for plain in ["gw.test", "gw.test:8080", "[::1]:8080", "127.0.0.1"] {
            assert_eq!(host(plain.as_bytes()).as_deref(), Some(plain));
        }
        for hostile in [
            "",
            "a@b",
            "gw.test/x",
            "gw.test\"",
            "gw.test'",
            "<script>",
            "{connection}.test",
            "gw test",
            "gw.test?x",
            ":80",
        ] {
            assert_eq!(host(hostile.as_bytes()), None, "{hostile}");
        }
        let mut headers = HeaderMap::new();
        headers.append(HOST, HeaderValue::from_static("a.test"));
        headers.append(HOST, HeaderValue::from_static("b.test"));
        let uri = Uri::from_static("/openapi.json");
        assert!(requested_host(&uri, &headers).is_none());
    }

    #[test]
    fn a_description_is_written_once_for_a_server() -> Result<(), Box<dyn std::error::Error>> {
        let descriptions = Arc::new(Descriptions {
            document: Document::new("/passthrough")?,
            public_url: None,
            host_pattern: None,
            scheme: "http",
        });
        for write in [Document::to_openapi, Document::to_postman] {
            let texts = Texts::new(Arc::clone(&descriptions), write);
            let at = |server: Option<&str>| texts.text(server.map(str::to_owned));
            let first = at(Some("http://a.test"));
            assert!(Arc::ptr_eq(&first, &at(Some("http://a.test"))));
            for other in [Some("http://b.test"), None] {
                let other = at(other);
                assert!(first.bytes != other.bytes && first.tag != other.tag);
            }
            let again = at(Some("http://a.test"));
            assert!(first.bytes == again.bytes && first.tag == again.tag);
        }
        Ok(())
    }

    #[test]
    fn tags_are_compared_weakly() {
        let known = |value| {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, HeaderValue::from_static(value));
            is_known(&headers, "\"a\"")
        };
        for value in ["\"a\"", "*", "\"b\", W/\"a\""] {
            assert!(known(value), "{value}");
        }
        for value in ["\"b\"", "a", "\"a"] {
            assert!(!known(value), "{value}");
        }
    }
}
