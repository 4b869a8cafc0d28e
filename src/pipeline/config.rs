//! The settings that the host application makes once for all calls.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::{HeaderMap, HeaderName, HeaderValue, VIA};
use http::{Extensions, Uri};

use crate::address::{Addressing, ConnectionId, PathEncoding};
use crate::authorize::CallContext;
use crate::limits::Limits;
use crate::observe::{Observe, TraceContext};
use crate::resilience::Resilience;
use crate::rewrite::{CallerFields, ForeignLocations, PublicUrl, members};
use crate::timeouts::TimeoutSettings;
use crate::upgrade::{Origins, UpgradeTracker};
use crate::upstream::ResponseHeaderPolicy;

/// Returns the original URI, from which no router has removed the mount.
pub(crate) type OriginalUri = fn(&Extensions) -> Option<&Uri>;

/// Returns the address at which the owner of a connection authorizes the connection again.
pub(crate) type ReauthorizeLink =
    dyn Fn(&ConnectionId, CallContext<'_>) -> Option<Uri> + Send + Sync;

#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) original_uri: Option<OriginalUri>,
    /// `None` if the path alone names the connection.
    pub(crate) addressing: Option<Box<Addressing>>,
    pub(crate) path_encoding: PathEncoding,
    pub(crate) reject_double_encoded_dots: bool,
    pub(crate) response_headers: ResponseHeaderPolicy,
    /// `true` if instructions to a server in front are returned.
    pub(crate) pass_server_instructions: bool,
    pub(crate) host_credentials: Arc<CallerFields>,
    pub(crate) rewrite_links: bool,
    /// The URL at which callers reach the host application. `None` if the URL is taken from each request.
    pub(crate) public_url: Option<PublicUrl>,
    pub(crate) foreign_locations: ForeignLocations,
    pub(crate) pass_forwarded: bool,
    pub(crate) via: Option<Via>,
    pub(crate) timeouts: TimeoutSettings,
    /// In bytes.
    pub(crate) request_body_limit: Option<u64>,
    /// The maximum size of the copy of a body that is kept while the body streams, in bytes. The
    /// copy is sent if the request is sent again.
    pub(crate) replay_limit: usize,
    pub(crate) limits: Limits,
    pub(crate) observers: Arc<[Arc<dyn Observe>]>,
    pub(crate) upgrades: UpgradeTracker,
    /// The origins of web pages that may open WebSockets in addition to the request's own.
    pub(crate) websocket_origins: Origins,
    /// The maximum time for which a WebSocket stays open while the authorizer or the store fails.
    pub(crate) upgrade_grace: Duration,
    pub(crate) trace_context: TraceContext,
    pub(crate) resilience: Resilience,
    pub(crate) reauthorize_link: Option<Arc<ReauthorizeLink>>,
}

impl Config {
    /// Removes these fields from each caller's request.
    pub(crate) fn strip(&mut self, fields: impl IntoIterator<Item = HeaderName>) {
        Arc::make_mut(&mut self.host_credentials).strip(fields);
    }

    /// Forwards this field of each caller's request, although it names the caller.
    pub(crate) fn pass(&mut self, field: HeaderName) {
        Arc::make_mut(&mut self.host_credentials).pass(field);
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            original_uri: None,
            addressing: None,
            path_encoding: PathEncoding::Auto,
            reject_double_encoded_dots: false,
            response_headers: ResponseHeaderPolicy::All,
            pass_server_instructions: false,
            host_credentials: Arc::default(),
            rewrite_links: false,
            public_url: None,
            foreign_locations: ForeignLocations::Pass,
            pass_forwarded: false,
            via: None,
            timeouts: TimeoutSettings::default(),
            request_body_limit: None,
            replay_limit: 64 << 10,
            limits: Limits::default(),
            observers: Arc::new([]),
            upgrades: UpgradeTracker::new(),
            websocket_origins: Origins::default(),
            upgrade_grace: Duration::from_secs(60),
            trace_context: TraceContext::Pass,
            resilience: Resilience::default(),
            reauthorize_link: None,
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("path_encoding", &self.path_encoding)
            .field("response_headers", &self.response_headers)
            .field("host_credentials", &self.host_credentials)
            .field("request_body_limit", &self.request_body_limit)
            .finish_non_exhaustive()
    }
}

/// The gateway's own name in `Via` (RFC 9110 §7.6.3).
#[derive(Clone, Debug)]
pub(crate) struct Via {
    pseudonym: Box<str>,
    value: HeaderValue,
}

impl Via {
    /// Returns `None` if the pseudonym isn't a valid token.
    pub(crate) fn new(pseudonym: &str) -> Option<Self> {
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if pseudonym.is_empty() || !pseudonym.bytes().all(is_token) {
            return None;
        }
        let value = HeaderValue::try_from(format!("1.1 {pseudonym}")).ok()?;
        Some(Self {
            pseudonym: pseudonym.into(),
            value,
        })
    }

    pub(crate) fn value(&self) -> &HeaderValue {
        &self.value
    }

    /// Returns `true` if the request has passed through this gateway before.
    pub(crate) fn is_in(&self, headers: &HeaderMap) -> bool {
        members(headers, VIA).any(|member| {
            let words = member.split(u8::is_ascii_whitespace);
            let mut words = words.filter(|word| !word.is_empty());
            words.nth(1) == Some(self.pseudonym.as_bytes())
        })
    }
}
