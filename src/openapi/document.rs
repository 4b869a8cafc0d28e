//! The mount that both forms describe.

use std::collections::HashSet;

use http::StatusCode;
use http::header::HeaderName;
use serde_json::Value;

use super::integration::Integration;
use super::{postman, specification};
use crate::address::{PathEncoding, Prefix, PrefixError};
use crate::rewrite::{PublicUrl, PublicUrlError};
use crate::upstream::integrations::Integrations;

/// The description of a mount. [`to_openapi`](Self::to_openapi) and [`to_postman`](Self::to_postman) write it.
///
/// The documents of equal descriptions have the same bytes, so a hash of the text can be an `ETag`.
#[derive(Clone, Debug)]
pub struct Document {
    pub(super) mount: Mount,
    pub(super) place: Place,
    pub(super) title: Box<str>,
    pub(super) version: Box<str>,
    pub(super) servers: Vec<Server>,
    pub(super) api_keys: Vec<HeaderName>,
    pub(super) bearer: bool,
    pub(super) path_encoding: PathEncoding,
    pub(super) errors: Vec<HostError>,
    pub(super) integrations: Vec<Integration>,
}

/// The path of the mount, in segments.
#[derive(Clone, Debug)]
pub(super) struct Mount(pub(super) Vec<Segment>);

#[derive(Clone, Debug)]
pub(super) enum Segment {
    Text(Box<str>),
    /// A segment that stands for any segment, with a name that no other parameter of the document has.
    Parameter(Box<str>),
}

/// The place in a call that names the connection.
#[derive(Clone, Debug)]
pub(super) enum Place {
    Path,
    Header(HeaderName),
    /// The host of the server, or the key of the caller.
    Elsewhere,
}

/// The address of a server, which may contain `{variables}`.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) url: Box<str>,
    pub(super) variables: Vec<Box<str>>,
}

/// An error of the host application itself.
#[derive(Clone, Debug)]
pub(super) struct HostError {
    pub(super) status: StatusCode,
    pub(super) code: Box<str>,
    pub(super) title: Box<str>,
}

/// The names of the document's own parameters.
pub(super) const CONNECTION: &str = "connection_id";
pub(super) const PATH: &str = "path";
pub(super) const QUERY: &str = "query";
pub(super) const DOMAIN: &str = "__domain";

impl Document {
    /// Returns the description of a mount at that path, which may contain parameters such as `/t/{tenant}/passthrough`.
    ///
    /// # Errors
    ///
    /// [`PrefixError`] if it isn't valid as [`PassthroughBuilder::prefix`](crate::PassthroughBuilder::prefix).
    pub fn new(mount: &str) -> Result<Self, PrefixError> {
        Prefix::new(mount)?;
        Ok(Self {
            mount: Mount::parse(mount),
            place: Place::Path,
            title: "Passthrough API".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            servers: Vec::new(),
            api_keys: Vec::new(),
            bearer: false,
            path_encoding: PathEncoding::default(),
            errors: Vec::new(),
            integrations: Vec::new(),
        })
    }

    /// Sets the title. Default: `Passthrough API`.
    #[must_use]
    pub fn title(mut self, title: impl Into<Box<str>>) -> Self {
        self.title = title.into();
        self
    }

    /// Sets the version of the described API, which OpenAPI requires. Default: the version of this crate.
    #[must_use]
    pub fn version(mut self, version: impl Into<Box<str>>) -> Self {
        self.version = version.into();
        self
    }

    /// Adds the address of a server, without the mount: `https://gw.example.com`. The address may contain variables, such as
    /// `https://{connection}.gw.example.com`.
    ///
    /// Default: none. Clients of the OpenAPI document then use the address from which they have got it, and users of the Postman collection
    /// set the variable `baseUrl`.
    ///
    /// # Errors
    ///
    /// [`PublicUrlError`] if it isn't an `http` or `https` URL with a host, or has user info, a query, a fragment, dot segments or an
    /// unpaired brace.
    pub fn server(mut self, url: &str) -> Result<Self, PublicUrlError> {
        self.servers.push(Server::parse(url)?);
        Ok(self)
    }

    /// Adds a header field in which callers may send their key. Default: none.
    #[must_use]
    pub fn api_key(mut self, field: HeaderName) -> Self {
        if !self.api_keys.contains(&field) {
            self.api_keys.push(field);
        }
        self
    }

    /// Sets whether callers may send their key as `Authorization: Bearer ..` (RFC 6750). Default: `false`.
    #[must_use]
    pub fn bearer(mut self, bearer: bool) -> Self {
        self.bearer = bearer;
        self
    }

    /// Sets the header field that names the connection in place of the path, as
    /// [`Addressing::header`](crate::address::Addressing::header) reads it. Default: the first segment below the mount names the
    /// connection.
    #[must_use]
    pub fn connection_header(mut self, field: HeaderName) -> Self {
        self.place = Place::Header(field);
        self
    }

    /// Describes calls that name no connection, because the host of the server or the key of the caller does. Default: the first segment
    /// below the mount names the connection.
    #[must_use]
    pub fn without_connection(mut self) -> Self {
        self.place = Place::Elsewhere;
        self
    }

    /// Sets the rule by which the gateway decodes paths, for the text that describes the parameter `path`. Default:
    /// [`PathEncoding::Auto`].
    #[must_use]
    pub fn path_encoding(mut self, encoding: PathEncoding) -> Self {
        self.path_encoding = encoding;
        self
    }

    /// Adds an error of the host application itself, such as a [`ProblemDetails`](crate::ProblemDetails) of status 401. The title describes
    /// the code. Default: none.
    #[must_use]
    pub fn host_error(
        mut self,
        status: StatusCode,
        code: impl Into<Box<str>>,
        title: impl Into<Box<str>>,
    ) -> Self {
        self.errors.push(HostError {
            status,
            code: code.into(),
            title: title.into(),
        });
        self
    }

    /// Adds an integration, or replaces the integration of that name. The documents list integrations in the order of their names.
    ///
    /// With the feature `catalog`, an `Entry` of the catalog is an integration as well.
    #[must_use]
    pub fn integration(mut self, integration: impl Into<Integration>) -> Self {
        let integration = integration.into();
        let name = integration.name();
        let place = self
            .integrations
            .binary_search_by(|other| other.name().cmp(name));
        match place {
            Ok(at) => {
                if let Some(old) = self.integrations.get_mut(at) {
                    *old = integration;
                }
            }
            Err(at) => self.integrations.insert(at, integration),
        }
        self
    }

    /// Adds the integrations of a table, with their base URLs, but not the integrations of its catalog. An integration that was added before is kept.
    #[must_use]
    pub fn integrations(mut self, integrations: &Integrations) -> Self {
        for (name, upstream) in integrations.iter() {
            if !self.integrations.iter().any(|known| known.name() == name) {
                let base_url = upstream.base_url().to_string();
                self = self.integration(Integration::new(name, base_url));
            }
        }
        self
    }

    /// Returns the OpenAPI 3.1 document, as JSON.
    #[must_use]
    pub fn to_openapi(&self) -> String {
        specification::specification(self).to_string()
    }

    /// Returns the Postman collection in the format 2.1, as JSON. It has a folder for each integration.
    ///
    /// Its variables are `baseUrl`, `apiKey` (empty), `connection`, one for each integration, such as `connection_hubspot`, which is the
    /// connection of `connection` unless the user changes it, and one for each variable of an integration in the path of its `verify`, such
    /// as `variable_NAME_V` for the variable `V` of the integration `NAME`.
    #[must_use]
    pub fn to_postman(&self) -> String {
        postman::collection(self).to_string()
    }
}

impl Mount {
    fn parse(mount: &str) -> Self {
        let mut taken = HashSet::from([CONNECTION, PATH, QUERY, DOMAIN].map(str::to_owned));
        let mut segments = Vec::new();
        let path = mount.strip_suffix('/').unwrap_or(mount);
        for segment in path.split('/').skip(1) {
            let inside = segment
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'));
            segments.push(match inside {
                None => Segment::Text(segment.into()),
                Some(name) => {
                    let name = unique(name.to_owned(), &mut taken);
                    Segment::Parameter(name.into())
                }
            });
        }
        Self(segments)
    }

    /// Returns the path of the mount, which is empty or begins with `/`, with its parameters in braces.
    pub(super) fn template(&self) -> String {
        let mut path = String::new();
        for segment in &self.0 {
            path.push('/');
            match segment {
                Segment::Text(text) => path.push_str(text),
                Segment::Parameter(name) => path.extend(["{", name, "}"]),
            }
        }
        path
    }

    pub(super) fn parameters(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|segment| match segment {
            Segment::Text(_) => None,
            Segment::Parameter(name) => Some(&**name),
        })
    }
}

impl Server {
    fn parse(url: &str) -> Result<Self, PublicUrlError> {
        let mut variables: Vec<Box<str>> = Vec::new();
        let mut filled = String::with_capacity(url.len());
        let mut rest = url;
        while let Some((before, opened)) = rest.split_once('{') {
            let name_and_rest = opened.split_once('}');
            let (name, after) = name_and_rest.ok_or(PublicUrlError)?;
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
            if name.is_empty() || !name.bytes().all(is_plain) {
                return Err(PublicUrlError);
            }
            filled.extend([before, "x"]);
            if variables.iter().all(|known| **known != *name) {
                variables.push(name.into());
            }
            rest = after;
        }
        filled.push_str(rest);
        if filled.contains('}') {
            return Err(PublicUrlError);
        }
        PublicUrl::parse(&filled)?;
        Ok(Self {
            url: url.trim_end_matches('/').into(),
            variables,
        })
    }
}

/// Adds a member to an object.
pub(super) fn set(object: &mut Value, name: &str, value: impl Into<Value>) {
    if let Value::Object(members) = object {
        members.insert(name.to_owned(), value.into());
    }
}

/// Returns the name, with a number after it if the name is taken, and takes it.
pub(super) fn unique(name: String, taken: &mut HashSet<String>) -> String {
    let mut chosen = name.clone();
    let mut number = 2_usize;
    while taken.contains(&chosen) {
        chosen = format!("{name}_{number}");
        number += 1;
    }
    taken.insert(chosen.clone());
    chosen
}
