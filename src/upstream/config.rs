//! The configuration of an upstream.

use std::fmt;
use std::sync::Arc;

use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::{BaseUrl, BaseUrlError, BaseUrlTemplate};
use crate::address::PathEncoding;
use crate::auth::{AuthScheme, NoAuth, Requirements};
use crate::connection::Variables;
use crate::error::Error;
use crate::policy::{Destination, DomainPolicy, Location, Origin};

/// The part of the base URL that `__domain` replaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DomainOverride {
    /// The base URL, path included.
    #[default]
    ReplaceBase,
    /// Scheme, host and port; the base path stays, and a path of `__domain`'s own is refused.
    ReplaceAuthority,
}

/// The configuration of an upstream. Cloning is two increments.
///
/// `B` is the base URL: a [`BaseUrl`], or a [`BaseUrlTemplate`] that a connection's variables
/// complete.
#[derive(Clone)]
pub struct Upstream<B = BaseUrl> {
    base: B,
    settings: Arc<Settings>,
}

#[derive(Clone)]
struct Settings {
    auth: Arc<dyn AuthScheme>,
    requirements: Arc<Requirements>,
    headers: HeaderMap,
    query: Option<Box<str>>,
    domains: DomainPolicy,
    domain_override: DomainOverride,
    path_encoding: Option<PathEncoding>,
    scrub_links: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            auth: Arc::new(NoAuth),
            requirements: Arc::default(),
            headers: HeaderMap::new(),
            query: None,
            domains: DomainPolicy::none(),
            domain_override: DomainOverride::default(),
            path_encoding: None,
            scrub_links: false,
        }
    }
}

impl Upstream {
    /// Returns an upstream at that base URL, which is called without a credential unless a scheme is set.
    ///
    /// # Errors
    ///
    /// If it's no absolute http or https URL, or holds user info, a query, a fragment or dot
    /// segments.
    pub fn new(base_url: &str) -> Result<Self, BaseUrlError> {
        Ok(Self::at(BaseUrl::new(base_url)?))
    }

    /// The base URL.
    #[must_use]
    pub fn base_url(&self) -> &BaseUrl {
        &self.base
    }

    /// Returns the judged destination of the base URL, for a call of your own over a [`Transport`](crate::Transport).
    #[must_use]
    pub fn destination(&self) -> Destination {
        self.settings.domains.base(&self.base.location().origin)
    }

    /// Returns the place that a call names: the base URL, or the host or URL in `__domain`. It isn't checked yet.
    pub(crate) fn place(&self, domain: Option<&str>) -> Result<Place<'_>, Error> {
        let base = self.base.location();
        let Some(domain) = domain else {
            return Ok(Place::Base(base));
        };
        let named = Location::parse(domain, Some(base.origin.scheme())).map_err(|error| {
            Error::bad_domain("`__domain` is no host or URL").with_source(error)
        })?;
        let takes_paths = self.settings.domain_override == DomainOverride::ReplaceBase;
        if !takes_paths && !named.path.is_empty() {
            return Err(Error::bad_domain(
                "`__domain` has a path, and this integration takes hosts alone",
            ));
        }
        Ok(Place::Named(named))
    }

    /// Returns the destination of a call and its base path, if the policy permits it.
    pub(crate) fn permit<'a>(&'a self, place: Place<'a>) -> Result<Route<'a>, Error> {
        let base = self.base.location();
        let domains = &self.settings.domains;
        match place {
            Place::Base(base) => Ok(Route {
                destination: domains.base(&base.origin),
                is_hosts_choice: !self.base.has_variables(),
                path: RoutePath::Base(&base.path),
            }),
            Place::Named(Location { origin, path }) => {
                let keeps_path = self.settings.domain_override == DomainOverride::ReplaceAuthority;
                Ok(Route {
                    destination: domains.permit(&base.origin, origin)?,
                    is_hosts_choice: false,
                    path: if keeps_path || path == base.path {
                        RoutePath::Base(&base.path)
                    } else {
                        RoutePath::Named(path)
                    },
                })
            }
        }
    }
}

impl Upstream<BaseUrlTemplate> {
    /// Returns an upstream whose base URL holds `{variables}` of the connection, in host and path.
    ///
    /// # Errors
    ///
    /// As [`Upstream::new`]; and if a brace is unpaired, or a variable stands in the scheme or the
    /// port.
    pub fn template(base_url: &str) -> Result<Self, BaseUrlError> {
        Ok(Self::at(BaseUrlTemplate::new(base_url)?))
    }

    /// Sets the pattern that the whole value of a variable must match. Without one it's letters,
    /// digits and hyphens.
    ///
    /// # Errors
    ///
    /// If the pattern is no regular expression, or the template has no such variable.
    pub fn variable(mut self, name: &str, pattern: &str) -> Result<Self, BaseUrlError> {
        self.base.set_pattern(name, pattern)?;
        Ok(self)
    }

    /// Sets the value of a variable that a connection leaves out.
    ///
    /// # Errors
    ///
    /// If the value doesn't match the pattern, or the template has no such variable.
    pub fn variable_default(mut self, name: &str, value: &str) -> Result<Self, BaseUrlError> {
        self.base.set_default(name, value)?;
        Ok(self)
    }

    /// Completes the base URL.
    ///
    /// # Errors
    ///
    /// If a variable is missing, or doesn't match its pattern.
    pub fn expand(&self, variables: &Variables) -> Result<Upstream, BaseUrlError> {
        Ok(Upstream {
            base: self.base.expand(variables)?,
            settings: Arc::clone(&self.settings),
        })
    }
}

impl<B> Upstream<B> {
    fn at(base: B) -> Self {
        Self {
            base,
            settings: Arc::default(),
        }
    }

    fn set(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }

    /// Sets the authentication scheme. A tuple of schemes applies each in turn. Default: [`NoAuth`](crate::auth::NoAuth).
    #[must_use]
    pub fn auth(self, scheme: impl AuthScheme) -> Self {
        self.set(|settings| {
            settings.requirements = Arc::new(scheme.requirements());
            settings.auth = Arc::new(scheme);
        })
    }

    /// Sets the hosts that `__domain` may name, beside the base URL's own. By default none.
    #[must_use]
    pub fn domains(self, domains: DomainPolicy) -> Self {
        self.set(|settings| settings.domains = domains)
    }

    /// Sets what `__domain` replaces.
    #[must_use]
    pub fn domain_override(self, domain_override: DomainOverride) -> Self {
        self.set(|settings| settings.domain_override = domain_override)
    }

    /// Adds a default header, such as `Notion-Version`. The caller's own of that name wins.
    ///
    /// One that frames or routes a message (`Host`, `Content-Length`, `Connection`, ...) is the
    /// client's to set, and isn't sent.
    #[must_use]
    pub fn header(self, name: HeaderName, value: HeaderValue) -> Self {
        // A map of too many fields drops the rest: there are 32,768 of them by then.
        self.set(|settings| {
            let _ = settings.headers.try_append(name, value);
        })
    }

    /// Sets a query that precedes each caller's: `api-version=2024-06-01`, raw as it's to be sent.
    ///
    /// # Errors
    ///
    /// If it holds what no query may.
    pub fn query(self, query: &str) -> Result<Self, BaseUrlError> {
        let legal = |byte: u8| byte.is_ascii_graphic() && !b"\"<>#".contains(&byte);
        if query.is_empty() || !query.bytes().all(legal) {
            return Err(BaseUrlError::new(
                "the default query is empty, or holds what no query may",
            ));
        }
        Ok(self.set(|settings| settings.query = Some(query.into())))
    }

    /// Sets how paths are read, in place of the service's own setting.
    #[must_use]
    pub fn path_encoding(self, encoding: PathEncoding) -> Self {
        self.set(|settings| settings.path_encoding = Some(encoding))
    }

    /// Removes the parameters of a query scheme from the upstream's `Location` and `Link` fields. Bodies are never
    /// changed. Default: off, as it changes what the upstream sent.
    #[must_use]
    pub fn scrub_links(self, scrub: bool) -> Self {
        self.set(|settings| settings.scrub_links = scrub)
    }

    /// Returns the authentication scheme.
    #[must_use]
    pub fn scheme(&self) -> &dyn AuthScheme {
        &*self.settings.auth
    }

    /// Returns what the authentication scheme sets and reads.
    #[must_use]
    pub fn requirements(&self) -> &Requirements {
        &self.settings.requirements
    }

    pub(crate) fn shared_requirements(&self) -> Arc<Requirements> {
        Arc::clone(&self.settings.requirements)
    }

    pub(crate) fn default_query(&self) -> Option<&str> {
        self.settings.query.as_deref()
    }

    pub(crate) fn encoding(&self) -> Option<PathEncoding> {
        self.settings.path_encoding
    }

    pub(crate) fn scrubs_links(&self) -> bool {
        self.settings.scrub_links
    }

    pub(crate) fn default_headers(&self) -> &HeaderMap {
        &self.settings.headers
    }
}

impl From<Upstream> for Upstream<BaseUrlTemplate> {
    fn from(upstream: Upstream) -> Self {
        Self {
            base: BaseUrlTemplate::fixed(upstream.base),
            settings: upstream.settings,
        }
    }
}

impl<B: fmt::Debug> fmt::Debug for Upstream<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream")
            .field("base", &self.base)
            .field("auth", &self.settings.auth)
            .field("domains", &self.settings.domains)
            .finish_non_exhaustive()
    }
}

/// The place that a call names, before it's checked.
#[derive(Debug)]
pub(crate) enum Place<'a> {
    Base(&'a Location),
    Named(Location),
}

impl Place<'_> {
    pub(crate) fn origin(&self) -> &Origin {
        match self {
            Self::Base(base) => &base.origin,
            Self::Named(named) => &named.origin,
        }
    }
}

/// A judged destination and the path below which a call goes.
#[derive(Debug)]
pub(crate) struct Route<'a> {
    pub(crate) destination: Destination,
    /// `true` if the host application alone has chosen the destination: no caller by `__domain`, and no customer by a variable.
    pub(crate) is_hosts_choice: bool,
    path: RoutePath<'a>,
}

#[derive(Debug)]
enum RoutePath<'a> {
    Base(&'a str),
    Named(Box<str>),
}

impl Route<'_> {
    /// Empty, or beginning with `/`.
    pub(crate) fn base_path(&self) -> &str {
        match &self.path {
            RoutePath::Base(path) => path,
            RoutePath::Named(path) => path,
        }
    }

    /// Returns `true` if the caller chose another base path, to which the path scopes don't apply.
    pub(crate) fn leaves_base_path(&self) -> bool {
        matches!(self.path, RoutePath::Named(_))
    }
}
