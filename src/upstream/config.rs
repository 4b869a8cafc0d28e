//! The configuration of an upstream.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::StatusCode;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;

use super::{BaseUrl, BaseUrlError, BaseUrlTemplate, HttpProtocol, ResponseHeaderPolicy};
use crate::address::{PathEncoding, Target};
use crate::auth::{
    Applied, AuthContext, AuthError, AuthRequest, AuthScheme, NoAuth, PayloadUse, Requirements,
};
use crate::connection::{Credential, Variables};
use crate::encoding::dot_segments::has_dot_segments;
use crate::error::Error;
use crate::policy::{Destination, DomainPolicy, Location, Origin};
use crate::timeouts::{MAX_TIMEOUT, TimeoutSettings};

/// The part of the base URL that `__domain` replaces.
///
/// With the default, the base path isn't a boundary: a caller may name the host of the base URL with another path, also if the
/// [`DomainPolicy`] lists no hosts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DomainOverride {
    /// The whole base URL, including its path.
    ///
    /// **The base path isn't a boundary then:** a caller may name the host of the base URL with another path. Choose
    /// [`ReplaceAuthority`](Self::ReplaceAuthority) if the base path separates accounts, or grant a [`Scope`](crate::Scope) with paths.
    #[default]
    ReplaceBase,
    /// Scheme, host and port. The base path is retained, and a `__domain` with a path is refused.
    ///
    /// The base path is then a boundary: a path that leaves the base path is refused in every way in which the servers on the way may
    /// read the path, also if they decode twice.
    ReplaceAuthority,
}

/// The configuration of an upstream. Cloning increments two reference counts, or three with routes.
///
/// `B` is the base URL: a [`BaseUrl`], or a [`BaseUrlTemplate`], which is completed with a connection's variables.
#[derive(Clone)]
pub struct Upstream<B = BaseUrl> {
    base: B,
    /// `None` without routes.
    routes: Option<Arc<[PathRoute<B>]>>,
    /// Hosts with variables that `__domain` may name, as base URLs without a path. `None` without such hosts.
    domains: Option<Arc<[B]>>,
    settings: Arc<Settings>,
}

/// The base URL of the paths below a path.
#[derive(Clone)]
struct PathRoute<B> {
    /// Begins with `/`, and doesn't end with `/`.
    path: Arc<str>,
    base: B,
}

#[derive(Clone)]
struct Settings {
    auth: Arc<dyn AuthScheme>,
    /// `None` if the host application has set a scheme. Otherwise `true` once a warning about unused secrets was logged.
    lacks_auth: Option<Arc<AtomicBool>>,
    requirements: Arc<Requirements>,
    headers: HeaderMap,
    query: Option<Box<str>>,
    domains: DomainPolicy,
    domain_override: DomainOverride,
    path_encoding: Option<PathEncoding>,
    /// `None` for the default.
    scrub_links: Option<bool>,
    isolates_keys: bool,
    has_subdomains: bool,
    /// The caller's fields and query parameters that aren't forwarded. The fields are in the requirements as well.
    stripped_fields: Vec<HeaderName>,
    stripped_parameters: Vec<Box<str>>,
    refresh_on: Box<[StatusCode]>,
    protocol: HttpProtocol,
    /// `None` for the transport's setting.
    title_case: Option<bool>,
    /// `None` for the service's setting.
    response_headers: Option<ResponseHeaderPolicy>,
    rewrite_links: Option<bool>,
    timeouts: Option<TimeoutSettings>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            auth: Arc::new(NoAuth),
            lacks_auth: Some(Arc::default()),
            requirements: Arc::default(),
            headers: HeaderMap::new(),
            query: None,
            domains: DomainPolicy::none(),
            domain_override: DomainOverride::default(),
            path_encoding: None,
            scrub_links: None,
            isolates_keys: false,
            has_subdomains: false,
            stripped_fields: Vec::new(),
            stripped_parameters: Vec::new(),
            refresh_on: Box::new([StatusCode::UNAUTHORIZED]),
            protocol: HttpProtocol::Auto,
            title_case: None,
            response_headers: None,
            rewrite_links: None,
            timeouts: None,
        }
    }
}

impl Upstream {
    /// Returns an upstream with that base URL. It is called without a credential unless a scheme is set.
    ///
    /// # Errors
    ///
    /// [`BaseUrlError`] if it isn't an absolute http or https URL, or if it contains user info, a query, a fragment or dot
    /// segments.
    pub fn new(base_url: &str) -> Result<Self, BaseUrlError> {
        Ok(Self::at(BaseUrl::new(base_url)?))
    }

    /// Returns the base URL.
    #[must_use]
    pub fn base_url(&self) -> &BaseUrl {
        &self.base
    }

    /// Returns the checked destination of the base URL, for calls that you make directly with a
    /// [`Transport`](crate::Transport).
    #[must_use]
    pub fn destination(&self) -> Destination {
        self.settings.domains.base(&self.base.location().origin)
    }

    /// Sends the calls of the paths at and below `path` to another base URL, for a vendor that serves some paths from another host.
    ///
    /// `path` is relative to the base URL, and is compared by whole segments, byte for byte, with the path of a call. The longest such path
    /// counts. The whole path of the call is appended to the other base URL: with the route `/v1/files` to `https://files.vendor.test`, the
    /// call `/v1/files/7` is sent to `https://files.vendor.test/v1/files/7`. A call with `__domain`, or with dot segments
    /// in its path, isn't routed.
    ///
    /// The credential, the default fields and the default query are the same as for other calls, so the other host must belong to the vendor.
    /// Scopes are checked on the path of the call.
    ///
    /// Default: none.
    ///
    /// # Errors
    ///
    /// [`BaseUrlError`] if the path doesn't begin with `/`, ends with `/`, isn't valid or has a route already, or for the base URL as in
    /// [`Upstream::new`].
    pub fn route(self, path: &str, base_url: &str) -> Result<Self, BaseUrlError> {
        let base = BaseUrl::new(base_url)?;
        self.with_route(path, base)
    }

    /// Returns the base URL for a path.
    fn base_for(&self, path: &str) -> &BaseUrl {
        let Some(routes) = &self.routes else {
            return &self.base;
        };
        let matching = routes.iter().filter(|route| route.leads(path));
        let longest = matching.max_by_key(|route| route.path.len());
        longest.map_or(&self.base, |route| &route.base)
    }

    /// Returns the places of calls without `__domain`: the base URL, and those of the routes. They aren't checked yet.
    pub(crate) fn places(&self, subdomain: Option<&str>) -> impl Iterator<Item = Place<'_>> {
        let routes = self.routes.as_deref().unwrap_or_default();
        let bases = std::iter::once(&self.base).chain(routes.iter().map(|route| &route.base));
        bases.filter_map(move |base| match subdomain {
            None => Some(Place::Base(base)),
            Some(labels) => Some(Place::Below(base, base.origin().below(labels)?)),
        })
    }

    /// Returns the place of a call: the base URL for its path, a host below the base URL's host, or the host or URL in `__domain`. It isn't
    /// checked yet.
    pub(crate) fn place_of(
        &self,
        target: &Target<'_>,
        subdomain: Option<&str>,
    ) -> Result<Place<'_>, Error> {
        match (subdomain, target.domain()) {
            (None, None) => Ok(Place::Base(self.base_for(target.path()))),
            (None, domain) => self.place(domain),
            (Some(labels), None) => {
                let base = self.base_for(target.path());
                let below = base.origin().below(labels).ok_or_else(|| {
                    Error::bad_address(
                        "the labels of the host in front of the connection id aren't a valid host",
                    )
                })?;
                Ok(Place::Below(base, below))
            }
            (Some(_), Some(_)) => Err(Error::bad_domain(
                "`__domain` can't be combined with a host that has labels in front of the connection id; remove one of them",
            )),
        }
    }

    /// Returns the main base URL, or the host or URL in `__domain`. It isn't checked yet.
    pub(crate) fn place(&self, domain: Option<&str>) -> Result<Place<'_>, Error> {
        let Some(domain) = domain else {
            return Ok(Place::Base(&self.base));
        };
        let base = self.base.location();
        let named = Location::parse(domain, Some(base.origin.scheme())).map_err(|error| {
            Error::bad_domain("`__domain` isn't a host, `host:port` or URL").with_source(error)
        })?;
        if self.is_base_path_boundary() && !named.path.is_empty() {
            return Err(Error::bad_domain(
                "`__domain` has a path, and this integration accepts only a host; remove the path",
            ));
        }
        Ok(Place::Named(named))
    }

    /// Returns the completed hosts of [`domain_template`](Self::domain_template).
    fn own_domains(&self) -> impl Iterator<Item = &Origin> {
        let domains = self.domains.as_deref().unwrap_or_default();
        domains.iter().map(BaseUrl::origin)
    }

    /// Returns the destination of a call and its base path, if the policy permits it.
    pub(crate) fn permit<'a>(&'a self, place: Place<'a>) -> Result<Route<'a>, Error> {
        let base = self.base.location();
        let domains = &self.settings.domains;
        match place {
            Place::Base(base) => Ok(Route {
                destination: domains.base(base.origin()),
                is_hosts_choice: !base.has_variables(),
                path: RoutePath::Base(base.path()),
            }),
            Place::Below(base, origin) => Ok(Route {
                destination: domains.below(self.settings.has_subdomains, origin)?,
                is_hosts_choice: false,
                path: RoutePath::Below(base.path()),
            }),
            Place::Named(Location { origin, path }) => {
                let keeps_path = self.is_base_path_boundary();
                Ok(Route {
                    destination: domains.permit(&base.origin, origin, self.own_domains())?,
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
    /// Returns an upstream with a base URL that contains `{variables}` of the connection, in host and path.
    ///
    /// # Errors
    ///
    /// The same errors as [`Upstream::new`]; also [`BaseUrlError`] if a brace is unpaired, or if a variable is in the scheme or the port.
    pub fn template(base_url: &str) -> Result<Self, BaseUrlError> {
        Ok(Self::at(BaseUrlTemplate::new(base_url)?))
    }

    /// Returns the base URL with its variables. Its `Display` text is the URL, with the variables in braces.
    #[must_use]
    pub fn base_url(&self) -> &BaseUrlTemplate {
        &self.base
    }

    /// Sets the pattern that the whole value of a variable must match. Default: letters, digits and hyphens.
    ///
    /// A variable in the part of a host that anybody can register has no default, and needs a pattern: `region` in
    /// `https://api.vendor.{region}` needs a pattern such as `com|eu`, and `https://{region}.vendor.com` needs none. See
    /// [`check_patterns`](Self::check_patterns).
    ///
    /// # Errors
    ///
    /// [`BaseUrlError`] if the pattern isn't a regular expression, or the template has no such variable.
    pub fn variable(self, name: &str, pattern: &str) -> Result<Self, BaseUrlError> {
        self.change_variable(name, |base| base.set_pattern(name, pattern))
    }

    /// Sets the value of a variable for connections that don't have the variable. Default: none, so a call of such a connection is answered
    /// with `reauthorize`.
    ///
    /// # Errors
    ///
    /// [`BaseUrlError`] if the value doesn't match the pattern, or the template has no such variable.
    pub fn variable_default(self, name: &str, value: &str) -> Result<Self, BaseUrlError> {
        self.change_variable(name, |base| base.set_default(name, value))
    }

    /// Sends the calls of the paths at and below `path` to another base URL, which may contain `{variables}` as well: see
    /// [`Upstream::route`]. A variable has the same pattern and default in all base URLs.
    ///
    /// Default: none.
    ///
    /// # Errors
    ///
    /// The same errors as [`Upstream::route`] and [`Upstream::template`].
    pub fn route(self, path: &str, base_url: &str) -> Result<Self, BaseUrlError> {
        let mut base = BaseUrlTemplate::new(base_url)?;
        base.adopt(&self.base);
        for route in self.routes.as_deref().unwrap_or_default() {
            base.adopt(&route.base);
        }
        self.with_route(path, base)
    }

    /// Allows `__domain` to name a host that contains `{variables}` of the connection, such as `{account}.files.vendor.test`, with or
    /// without `:port`. A variable has the same pattern and default in the base URL and in all hosts. Without a port, only the default port
    /// of the base URL's scheme is allowed.
    ///
    /// For a connection that lacks a variable of the host, the host isn't allowed. The completed host must be a name, and not a public suffix,
    /// as with [`DomainPolicy::allow`]. Hosts without variables, and wildcards, belong in [`domains`](Self::domains).
    ///
    /// Default: none.
    ///
    /// # Errors
    ///
    /// [`BaseUrlError`] if it isn't a host, contains a wildcard, or if a brace is unpaired or a variable is in the port. When the template is
    /// [completed](Self::expand), also if a variable doesn't match its pattern, or the completed host isn't allowed.
    pub fn domain_template(mut self, host: &str) -> Result<Self, BaseUrlError> {
        if host.contains(['/', '?', '#', '@', '*', '\\']) {
            return Err(BaseUrlError::new("it isn't a host"));
        }
        let mut domain = BaseUrlTemplate::new(&format!("{}://{host}", self.base.scheme()))?;
        domain.adopt(&self.base);
        let mut domains = self.domains.as_deref().unwrap_or_default().to_vec();
        for known in self.routes.as_deref().unwrap_or_default() {
            domain.adopt(&known.base);
        }
        for known in &domains {
            domain.adopt(known);
        }
        domains.push(domain);
        self.domains = Some(domains.into());
        Ok(self)
    }

    /// Returns `Ok` if each variable that needs a pattern has a pattern.
    ///
    /// With a value of a connection, `https://api.vendor.{region}` and `https://{name}.com` could become a domain of somebody else, who
    /// would receive the credentials. So these variables need a [pattern](Self::variable), and no call is sent without the pattern: the
    /// response is `store-unavailable`. The domain is fixed if the text after the last variable of the host contains a domain below a
    /// suffix of a registry, as `.vendor.com` and `.vendor.co.uk` do. If it doesn't, each variable of the host needs a pattern. Call this
    /// method at start to find the mistake before the first call.
    ///
    /// # Errors
    ///
    /// [`BaseUrlError`] with the name of the first variable that needs a pattern, in the base URL, the routes and the
    /// [hosts](Self::domain_template).
    pub fn check_patterns(&self) -> Result<(), BaseUrlError> {
        let routes = self.routes.as_deref().unwrap_or_default().iter();
        let domains = self.domains.as_deref().unwrap_or_default();
        [&self.base]
            .into_iter()
            .chain(routes.map(|route| &route.base))
            .chain(domains)
            .try_for_each(BaseUrlTemplate::check_patterns)
    }

    /// Changes a variable in each base URL that contains it.
    fn change_variable(
        mut self,
        name: &str,
        change: impl Fn(&mut BaseUrlTemplate) -> Result<(), BaseUrlError>,
    ) -> Result<Self, BaseUrlError> {
        let mut routes = self.routes.as_deref().unwrap_or_default().to_vec();
        let mut domains = self.domains.as_deref().unwrap_or_default().to_vec();
        let in_routes = routes.iter_mut().map(|route| &mut route.base);
        let in_routes = in_routes.chain(&mut domains);
        let in_routes: Vec<_> = in_routes.filter(|base| base.has_variable(name)).collect();
        // Without any base URL that contains the variable, the error is that of the main base URL.
        if in_routes.is_empty() || self.base.has_variable(name) {
            change(&mut self.base)?;
        }
        for base in in_routes {
            change(base)?;
        }
        self.routes = self.routes.is_some().then(|| routes.into());
        self.domains = self.domains.is_some().then(|| domains.into());
        Ok(self)
    }

    /// Returns the upstream with the base URL that these variables complete.
    ///
    /// # Errors
    ///
    /// [`BaseUrlError`] if a variable of a base URL is missing, a variable doesn't match its pattern, or a variable
    /// [needs a pattern](Self::check_patterns).
    pub fn expand(&self, variables: &Variables) -> Result<Upstream, BaseUrlError> {
        let routes = match &self.routes {
            None => None,
            Some(routes) => {
                let expand = |route: &PathRoute<BaseUrlTemplate>| route.expand(variables);
                Some(routes.iter().map(expand).collect::<Result<_, _>>()?)
            }
        };
        let domains = match &self.domains {
            None => None,
            Some(domains) => {
                let complete = domains.iter().filter(|domain| domain.has_values(variables));
                let expand = |domain: &BaseUrlTemplate| domain.expand_domain(variables);
                Some(complete.map(expand).collect::<Result<_, _>>()?)
            }
        };
        Ok(Upstream {
            base: self.base.expand(variables)?,
            routes,
            domains,
            settings: Arc::clone(&self.settings),
        })
    }
}

impl PathRoute<BaseUrlTemplate> {
    fn expand(&self, variables: &Variables) -> Result<PathRoute<BaseUrl>, BaseUrlError> {
        Ok(PathRoute {
            path: Arc::clone(&self.path),
            base: self.base.expand(variables)?,
        })
    }
}

impl<B> PathRoute<B> {
    /// Returns `true` if the route leads the calls of that path, which is empty or begins with `/`. A path with dot segments isn't led,
    /// because the other host could read it as a path outside of the route.
    fn leads(&self, path: &str) -> bool {
        path.strip_prefix(&*self.path).is_some_and(|rest| {
            (rest.is_empty() || rest.starts_with('/')) && !has_dot_segments(path)
        })
    }
}

impl<B> Upstream<B> {
    fn at(base: B) -> Self {
        Self {
            base,
            routes: None,
            domains: None,
            settings: Arc::default(),
        }
    }

    fn with_route(mut self, path: &str, base: B) -> Result<Self, BaseUrlError>
    where
        B: Clone,
    {
        let is_valid = path.starts_with('/')
            && !path.ends_with('/')
            && !path.contains(['?', '#'])
            && Location::fits_path(path);
        if !is_valid {
            return Err(BaseUrlError::new(
                "the path of a route must begin with `/`, must not end with `/`, and must not contain dot segments or characters that a path can't contain",
            ));
        }
        let mut routes = self.routes.as_deref().unwrap_or_default().to_vec();
        if routes.iter().any(|route| *route.path == *path) {
            return Err(BaseUrlError::new("another route has the same path"));
        }
        routes.push(PathRoute {
            path: path.into(),
            base,
        });
        self.routes = Some(routes.into());
        Ok(self)
    }

    fn set(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }

    /// Sets the authentication scheme. A tuple of schemes applies each of them in order. Default:
    /// [`NoAuth`](crate::auth::NoAuth).
    #[must_use]
    pub fn auth(self, scheme: impl AuthScheme) -> Self {
        self.set(|settings| {
            let requirements = scheme.requirements();
            settings.auth = match requirements.is_binding() {
                true => Arc::new(scheme),
                false => Arc::new(SharedConnection(scheme)),
            };
            let stripped = settings.stripped_fields.iter().cloned();
            settings.requirements = Arc::new(stripped.fold(requirements, Requirements::field));
            settings.lacks_auth = None;
        })
    }

    /// Removes a field from each caller's request, in every spelling of its name and as a trailer, such as the field in which the vendor's
    /// SDK sends its own key. A default field of that name ([`header`](Self::header)) and a field that the scheme sets are sent.
    ///
    /// Default: only the fields that the scheme sets, and those that the service removes.
    #[must_use]
    pub fn strip_request_header(self, name: HeaderName) -> Self {
        self.set(|settings| {
            let requirements = Arc::unwrap_or_clone(std::mem::take(&mut settings.requirements));
            settings.requirements = Arc::new(requirements.field(name.clone()));
            settings.stripped_fields.push(name);
        })
    }

    /// Removes a parameter from each caller's query, such as the parameter in which the vendor's SDK sends its own key. `name` is the
    /// decoded name. A parameter of that name in the default query ([`query`](Self::query)) and a parameter that the scheme adds are sent.
    ///
    /// Default: none.
    #[must_use]
    pub fn strip_query_parameter(self, name: impl Into<Box<str>>) -> Self {
        self.set(|settings| settings.stripped_parameters.push(name.into()))
    }

    /// Sets the hosts that `__domain` may name, in addition to the base URL's own. Default: none.
    ///
    /// Without an entry, a caller may still name the base URL's own host, with any path: see
    /// [`domain_override`](Self::domain_override).
    #[must_use]
    pub fn domains(self, domains: DomainPolicy) -> Self {
        self.set(|settings| settings.domains = domains)
    }

    /// Sets the part of the base URL that `__domain` replaces. Default: [`DomainOverride::ReplaceBase`].
    ///
    /// If the base path separates accounts that share a credential, set [`DomainOverride::ReplaceAuthority`].
    #[must_use]
    pub fn domain_override(self, domain_override: DomainOverride) -> Self {
        self.set(|settings| settings.domain_override = domain_override)
    }

    /// Adds a default header field, such as `Notion-Version`. If the caller sends a field of that name, the caller's field is
    /// used instead.
    ///
    /// A field that frames or routes a message (`Host`, `Content-Length`, `Connection`, ...) isn't sent, because only the HTTP
    /// client sets such fields.
    ///
    /// Default: none.
    #[must_use]
    pub fn header(self, name: HeaderName, value: HeaderValue) -> Self {
        // A map of too many fields drops the rest: there are 32,768 of them by then.
        self.set(|settings| {
            let _ = settings.headers.try_append(name, value);
        })
    }

    /// Sets the default query, such as `api-version=2024-06-01`. It's sent before each caller's query, exactly as given.
    ///
    /// If the caller sends a parameter of the same name, only the caller's parameter is sent. Names are compared after percent-decoding.
    ///
    /// Default: none.
    ///
    /// # Errors
    ///
    /// [`BaseUrlError`] if it is empty, or contains a character that isn't allowed in a query.
    pub fn query(self, query: &str) -> Result<Self, BaseUrlError> {
        let legal = |byte: u8| byte.is_ascii_graphic() && !b"\"<>#".contains(&byte);
        if query.is_empty() || !query.bytes().all(legal) {
            return Err(BaseUrlError::new(
                "the default query is empty, or contains characters that a query can't contain",
            ));
        }
        Ok(self.set(|settings| settings.query = Some(query.into())))
    }

    /// Sets the way in which the paths of calls are decoded. Default: the service's setting.
    #[must_use]
    pub fn path_encoding(self, encoding: PathEncoding) -> Self {
        self.set(|settings| settings.path_encoding = Some(encoding))
    }

    /// Sets whether each connection key has network connections of its own to this upstream.
    ///
    /// Set `true` for an upstream whose responses can't be trusted to belong to their requests, such as an upstream behind a load balancer
    /// that has mixed up responses before, and for an upstream that limits each network connection rather than each account. It costs a
    /// TCP connection and a TLS handshake for each connection key. Default: `false`.
    #[must_use]
    pub fn isolate_connection_keys(self, isolate: bool) -> Self {
        self.set(|settings| settings.isolates_keys = isolate)
    }

    /// Sets whether callers that name the connection by the host may put labels in front of the upstream's host: with the pattern
    /// `{connection}.gw.example.com` of [`Addressing::host`](crate::address::Addressing::host) and the base URL
    /// `https://s3.eu-west-1.amazonaws.com`, the host `bucket.acme.gw.example.com` leads to `bucket.s3.eu-west-1.amazonaws.com`.
    ///
    /// **Set `true` only if all hosts below the base URL's host may receive the connection's credential.** This is true for S3, whose
    /// buckets belong to many customers, but whose servers all belong to Amazon. A caller whose scope limits paths can't use such hosts,
    /// because a name that is in the path otherwise may be in the host.
    ///
    /// Default: `false`.
    #[must_use]
    pub fn subdomains(self, allow: bool) -> Self {
        self.set(|settings| settings.has_subdomains = allow)
    }

    /// Sets the statuses by which the upstream says that the credential isn't valid any more. Default: 401.
    ///
    /// If the store [can refresh](crate::CredentialStore::can_refresh) the connection, a response with such a status causes a refresh, and the
    /// call is sent again. Add a status only if the upstream requires it: a 403 that is about permissions also causes a refresh, although at
    /// most one per minute and connection key. Statuses below 400 have no effect, because the upstream may have acted on the request.
    ///
    /// Regardless of this setting, an error with `error="invalid_token"` in `WWW-Authenticate` (RFC 6750 §3.1), and the status 16
    /// (UNAUTHENTICATED) in the head of a gRPC response, cause a refresh, and an error with `error="insufficient_scope"` causes none.
    #[must_use]
    pub fn refresh_on(self, statuses: impl IntoIterator<Item = StatusCode>) -> Self {
        self.set(|settings| settings.refresh_on = statuses.into_iter().collect())
    }

    /// Sets whether the query parameters that the scheme sets are removed from the upstream's `Location`, `Content-Location`, `Link`,
    /// the other fields of [`rewrite_links`](crate::PassthroughBuilder::rewrite_links), and `Refresh`, in which an upstream may repeat its
    /// request URL.
    ///
    /// The parameters are those that the scheme [announces](crate::auth::Requirements::parameter). Other fields and bodies are never changed.
    ///
    /// Default: `true`, because a caller could otherwise read the key there.
    #[must_use]
    pub fn scrub_links(self, scrub: bool) -> Self {
        self.set(|settings| settings.scrub_links = Some(scrub))
    }

    /// Sets the versions of HTTP that are used to this upstream. Default: [`HttpProtocol::Auto`], the transport's setting.
    #[must_use]
    pub fn http_protocol(self, protocol: HttpProtocol) -> Self {
        self.set(|settings| settings.protocol = protocol)
    }

    /// Sets whether field names over HTTP/1.1 are written as `Title-Case`, for an upstream that requires it. Default: the transport's
    /// setting.
    #[must_use]
    pub fn title_case_headers(self, title_case: bool) -> Self {
        self.set(|settings| settings.title_case = Some(title_case))
    }

    /// Sets the fields of this upstream's responses that are returned to callers. Default: the service's setting.
    ///
    /// If the policy of the service or of the upstream is [`ResponseHeaderPolicy::BrowserSafe`], the origins of WebSockets are checked.
    #[must_use]
    pub fn response_headers(self, policy: ResponseHeaderPolicy) -> Self {
        self.set(|settings| settings.response_headers = Some(policy))
    }

    /// Sets whether links to this upstream in responses are rewritten to addresses under the mount; see
    /// [`PassthroughBuilder::rewrite_links`](crate::PassthroughBuilder::rewrite_links). Default: the service's setting.
    #[must_use]
    pub fn rewrite_links(self, rewrite: bool) -> Self {
        self.set(|settings| settings.rewrite_links = Some(rewrite))
    }

    /// Sets the maximum time between the last byte of a request and the head of its response. Default: the service's setting.
    ///
    /// An upstream that answers with a head only when a model has thought needs some minutes.
    #[must_use]
    pub fn response_head_timeout(self, timeout: Duration) -> Self {
        self.set_timeouts(|timeouts| timeouts.response_head = Some(timeout.min(MAX_TIMEOUT)))
    }

    /// Sets the maximum time in which no byte moves in either direction. Default: the service's setting.
    ///
    /// It also applies to event streams and WebSockets, unless [`stream_idle_timeout`](Self::stream_idle_timeout) is set as well.
    #[must_use]
    pub fn idle_timeout(self, timeout: Duration) -> Self {
        self.set_timeouts(|timeouts| timeouts.idle = Some(timeout.min(MAX_TIMEOUT)))
    }

    /// Sets the idle timeout of event streams and WebSockets. Default: the [`idle_timeout`](Self::idle_timeout) of this upstream, and
    /// otherwise the service's setting.
    #[must_use]
    pub fn stream_idle_timeout(self, timeout: Duration) -> Self {
        self.set_timeouts(|timeouts| timeouts.stream_idle = Some(timeout.min(MAX_TIMEOUT)))
    }

    /// Sets the maximum time between the beginning of a call and the last byte of its response. Default: the service's setting.
    #[must_use]
    pub fn total_timeout(self, timeout: Duration) -> Self {
        self.set_timeouts(|timeouts| timeouts.total = Some(timeout.min(MAX_TIMEOUT)))
    }

    fn set_timeouts(self, change: impl FnOnce(&mut TimeoutSettings)) -> Self {
        self.set(|settings| change(settings.timeouts.get_or_insert_default()))
    }

    /// Returns the authentication scheme.
    #[must_use]
    pub fn scheme(&self) -> &dyn AuthScheme {
        &*self.settings.auth
    }

    /// Returns the fields, parameters, secrets and variables that the authentication scheme sets and reads, and the fields of
    /// [`strip_request_header`](Self::strip_request_header).
    #[must_use]
    pub fn requirements(&self) -> &Requirements {
        &self.settings.requirements
    }

    pub(crate) fn shared_requirements(&self) -> Arc<Requirements> {
        Arc::clone(&self.settings.requirements)
    }

    /// Returns `true` if no caller can leave the base path.
    pub(crate) fn is_base_path_boundary(&self) -> bool {
        self.settings.domain_override == DomainOverride::ReplaceAuthority
    }

    pub(crate) fn default_query(&self) -> Option<&str> {
        self.settings.query.as_deref()
    }

    pub(crate) fn stripped_parameters(&self) -> &[Box<str>] {
        &self.settings.stripped_parameters
    }

    pub(crate) fn isolates_keys(&self) -> bool {
        self.settings.isolates_keys
    }

    pub(crate) fn refresh_statuses(&self) -> &[StatusCode] {
        &self.settings.refresh_on
    }

    /// Returns `true` for the first connection with secrets if the host application hasn't set a scheme.
    pub(crate) fn leaves_secrets_unused(&self, credential: &Credential) -> bool {
        self.settings
            .lacks_auth
            .as_ref()
            .is_some_and(|told| !credential.is_empty() && !told.swap(true, Ordering::Relaxed))
    }

    pub(crate) fn protocol(&self) -> HttpProtocol {
        self.settings.protocol
    }

    pub(crate) fn writes_title_case(&self) -> Option<bool> {
        self.settings.title_case
    }

    pub(crate) fn response_header_policy(&self) -> Option<ResponseHeaderPolicy> {
        self.settings.response_headers
    }

    pub(crate) fn rewrites_links(&self) -> Option<bool> {
        self.settings.rewrite_links
    }

    pub(crate) fn timeouts(&self) -> Option<&TimeoutSettings> {
        self.settings.timeouts.as_ref()
    }

    pub(crate) fn encoding(&self) -> Option<PathEncoding> {
        self.settings.path_encoding
    }

    pub(crate) fn scrubs_links(&self) -> bool {
        self.settings.scrub_links.unwrap_or(true)
    }

    pub(crate) fn default_headers(&self) -> &HeaderMap {
        &self.settings.headers
    }
}

impl From<Upstream> for Upstream<BaseUrlTemplate> {
    fn from(upstream: Upstream) -> Self {
        let fixed = |route: &PathRoute<BaseUrl>| PathRoute {
            path: Arc::clone(&route.path),
            base: BaseUrlTemplate::fixed(route.base.clone()),
        };
        let routes = upstream.routes.as_deref();
        Self {
            base: BaseUrlTemplate::fixed(upstream.base),
            routes: routes.map(|routes| routes.iter().map(fixed).collect()),
            domains: upstream.domains.map(|domains| {
                let domains = domains.iter().cloned();
                domains.map(BaseUrlTemplate::fixed).collect()
            }),
            settings: upstream.settings,
        }
    }
}

/// A scheme whose network connections are shared, so it must not authenticate them.
struct SharedConnection<S>(S);

impl<S: AuthScheme> AuthScheme for SharedConnection<S> {
    fn requirements(&self) -> Requirements {
        self.0.requirements()
    }

    fn payload(&self, request: &Parts, cx: &AuthContext<'_>) -> Result<PayloadUse, AuthError> {
        self.0.payload(request, cx)
    }

    fn apply(
        &self,
        request: &mut AuthRequest<'_>,
        cx: &AuthContext<'_>,
    ) -> Result<Applied, AuthError> {
        let applied = self.0.apply(request, cx)?;
        if request.authenticates_connection() {
            return Err(AuthError::UnboundConnection);
        }
        Ok(applied)
    }
}

impl<S: fmt::Debug> fmt::Debug for SharedConnection<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
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
    Base(&'a BaseUrl),
    Below(&'a BaseUrl, Origin),
    Named(Location),
}

impl Place<'_> {
    pub(crate) fn origin(&self) -> &Origin {
        match self {
            Self::Base(base) => base.origin(),
            Self::Below(_, below) => below,
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
    /// On a host that the caller has chosen below the base URL's host.
    Below(&'a str),
    Named(Box<str>),
}

impl Route<'_> {
    /// Returns the base path, which is empty or begins with `/`.
    pub(crate) fn base_path(&self) -> &str {
        match &self.path {
            RoutePath::Base(path) | RoutePath::Below(path) => path,
            RoutePath::Named(path) => path,
        }
    }

    /// Returns `true` if the caller chose another base path, or a host below the base URL's host, to which the path scopes don't apply.
    pub(crate) fn leaves_base_path(&self) -> bool {
        matches!(self.path, RoutePath::Below(_) | RoutePath::Named(_))
    }
}
