//! Vendors reached through a proxy: by CONNECT over HTTP/1.1 (RFC 9110 §9.3.6), in clear or over
//! TLS, or by SOCKS5 (RFC 1928).
//!
//! The guard keeps its say. By default names are resolved here, each address is judged, and the
//! tunnel is asked for the judged address: a name that is bound anew can't win (SECURITY N9).
//! Vendors without TLS go through a tunnel as well, so that the proxy is never sent a request
//! (SECURITY D13).
//!
//! Written by hand, as hyper-util's `Tunnel` and `SocksV5` lose what a vendor sent right behind the
//! proxy's answer (a vendor on HTTP/2 may speak first), keep credentials in buffers that grow and
//! aren't wiped (SECURITY L9), resolve names on the reactor, and don't tell a refusal that is the
//! address's from one that is everybody's.

mod http;
mod socks;

use std::fmt;
use std::io;
use std::net::SocketAddr;

use super::dial::{ATTEMPT_DELAY, Addresses, Failure, interleaved, race, tcp};
use super::line::Line;
use super::names::LookUps;
use crate::address::decode_once;
use crate::client::error::{HttpTransportError, TransportError, TransportErrorKind};
use crate::error::BoxError;
use crate::policy::{Host, Location, Scheme};
use crate::secret::Secret;

/// A proxy that all vendors are reached through. It's never read from the environment.
///
/// The proxy is asked for tunnels alone, also to vendors without TLS, and sees no credential of a
/// connection's. Its own address is the host's choice, and isn't judged by the
/// [`NetworkPolicy`](crate::policy::NetworkPolicy); what it's asked for is.
///
/// ```
/// use tower_passthrough::{HttpTransport, Secret};
/// use tower_passthrough::client::EgressProxy;
///
/// let proxy = EgressProxy::parse("http://proxy.internal:3128")?
///     .basic("gateway", Secret::from("s3cr3t"))?;
/// let transport = HttpTransport::builder().egress_proxy(proxy).build()?;
/// # Ok::<_, tower_passthrough::client::HttpTransportError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct EgressProxy {
    protocol: Protocol,
    host: Host,
    port: u16,
    /// As they're sent.
    credentials: Option<Secret>,
    remote_dns: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Http,
    #[cfg(feature = "rustls")]
    Https,
    Socks5,
}

impl EgressProxy {
    /// A proxy at `scheme://user:password@host:port`, where the scheme is `http`, `https`, `socks5`
    /// or `socks5h`. User and password are optional, and percent-decoded. Without a port it's 80,
    /// 443 or 1080. `socks5h` means [`remote_dns`](Self::remote_dns).
    ///
    /// # Errors
    ///
    /// If it's no such address, if user or password can't be sent, or if it's `https` and the crate
    /// is built without `rustls`. Nothing of the text is told.
    pub fn parse(url: &str) -> Result<Self, HttpTransportError> {
        let refused = || HttpTransportError::new("it's no address of an egress proxy");
        let (scheme, rest) = url.split_once("://").ok_or_else(refused)?;
        let (protocol, default_port) = protocol(scheme)?;
        let (user_info, authority) = match rest.rsplit_once('@') {
            Some((user_info, authority)) => (Some(user_info), authority),
            None => (None, rest),
        };
        // Behind one of these, an `@` is no border of the user's.
        if user_info.is_some_and(|user_info| user_info.contains(['/', '?', '#', '\\'])) {
            return Err(refused());
        }
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        let location = Location::parse(authority, Some(Scheme::Http)).map_err(|_| refused())?;
        if !location.path.is_empty() || authority.contains("://") {
            return Err(refused());
        }
        // Behind the bracket of an IPv6 address.
        let has_port = authority
            .rsplit(']')
            .next()
            .unwrap_or_default()
            .contains(':');
        let proxy = Self {
            protocol,
            host: location.origin.host().clone(),
            port: match has_port {
                true => location.origin.port(),
                false => default_port,
            },
            credentials: None,
            remote_dns: scheme.eq_ignore_ascii_case("socks5h"),
        };
        match user_info {
            None => Ok(proxy),
            Some(user_info) => {
                let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
                proxy.with_credentials(&decoded(user), &decoded(password))
            }
        }
    }

    /// Authenticates: `Basic` (RFC 7617) to an HTTP proxy, user and password (RFC 1929) to a SOCKS5
    /// one. They're sent to the proxy alone, over TLS only if it's `https`.
    ///
    /// # Errors
    ///
    /// If they can't be sent: the user holds a colon, or either a control character (HTTP); either
    /// is longer than 255 bytes (SOCKS5).
    pub fn basic(self, user: &str, password: Secret) -> Result<Self, HttpTransportError> {
        self.with_credentials(&Secret::from(user), &password)
    }

    /// Lets the proxy resolve names, rather than this side. By default off, save for `socks5h`.
    ///
    /// Then the guard sees literal addresses, and names that
    /// [`resolve`](crate::client::HttpTransportBuilder::resolve) answers, alone. **Where other names lead is
    /// judged by the proxy or by nobody**: it must be one that refuses private addresses.
    pub fn remote_dns(mut self, remote: bool) -> Self {
        self.remote_dns = remote;
        self
    }

    fn with_credentials(
        mut self,
        user: &Secret,
        password: &Secret,
    ) -> Result<Self, HttpTransportError> {
        let credentials = match self.protocol {
            Protocol::Socks5 => socks::credentials(user, password),
            _ => http::credentials(user, password),
        };
        let refused = HttpTransportError::new("the egress proxy can't be sent that credential");
        self.credentials = Some(credentials.ok_or(refused)?);
        Ok(self)
    }
}

fn protocol(scheme: &str) -> Result<(Protocol, u16), HttpTransportError> {
    let is = |name| scheme.eq_ignore_ascii_case(name);
    if is("http") {
        Ok((Protocol::Http, 80))
    } else if is("socks5") || is("socks5h") {
        Ok((Protocol::Socks5, 1080))
    } else if is("https") {
        #[cfg(feature = "rustls")]
        return Ok((Protocol::Https, 443));
        #[cfg(not(feature = "rustls"))]
        return Err(HttpTransportError::new(
            "an https proxy needs the feature `rustls`",
        ));
    } else {
        Err(HttpTransportError::new(
            "an egress proxy is http, https, socks5 or socks5h",
        ))
    }
}

fn decoded(text: &str) -> Secret {
    Secret::from(decode_once(text.as_bytes()).into_owned())
}

impl fmt::Debug for EgressProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EgressProxy")
            .field("protocol", &self.protocol)
            .field("host", &self.host)
            .field("port", &self.port)
            .field("credentials", &self.credentials)
            .field("remote_dns", &self.remote_dns)
            .finish()
    }
}

/// What a tunnel leads to.
#[derive(Clone, Copy)]
pub(super) enum Goal<'a> {
    /// An address that was judged.
    Judged(SocketAddr),
    /// A name that is the proxy's to resolve.
    Name(&'a str, u16),
}

/// An egress proxy in use.
pub(in crate::client) struct Egress {
    proxy: EgressProxy,
    #[cfg(feature = "rustls")]
    tls: Option<tokio_rustls::TlsConnector>,
}

impl Egress {
    /// TLS to the proxy itself is a matter of its own: its sessions are no vendor's.
    #[cfg(feature = "rustls")]
    pub(in crate::client) fn new(
        proxy: EgressProxy,
        roots: &rustls::RootCertStore,
    ) -> Result<Self, HttpTransportError> {
        let tls = match proxy.protocol {
            Protocol::Https => {
                let protocols = vec![b"http/1.1".to_vec()];
                Some(super::tls::connector(
                    super::tls::config(roots.clone())?,
                    protocols,
                ))
            }
            Protocol::Http | Protocol::Socks5 => None,
        };
        Ok(Self { proxy, tls })
    }

    #[cfg(not(feature = "rustls"))]
    #[expect(clippy::unnecessary_wraps, reason = "it can fail where there is TLS")]
    pub(in crate::client) fn new(proxy: EgressProxy) -> Result<Self, HttpTransportError> {
        Ok(Self { proxy })
    }

    pub(super) fn resolves_names(&self) -> bool {
        self.proxy.remote_dns
    }

    /// A connection to `goal`, through the proxy.
    pub(super) async fn tunnel(&self, names: &LookUps, goal: Goal<'_>) -> Result<Line, Failure> {
        let mut line = self.reach(names).await.map_err(of_proxy)?;
        let credentials = self.proxy.credentials.as_ref();
        match self.proxy.protocol {
            Protocol::Socks5 => socks::connect(&mut line, goal, credentials).await?,
            _ => http::connect(&mut line, goal, credentials).await?,
        }
        Ok(line)
    }

    /// A connection to the proxy itself, whose addresses aren't judged.
    async fn reach(&self, names: &LookUps) -> Result<Line, TransportError> {
        let addresses = match &self.proxy.host {
            Host::Ip(ip) => Addresses::from_iter([SocketAddr::new(*ip, self.proxy.port)]),
            Host::Name(name) => {
                let found = names.addresses(name).await;
                let found =
                    found.map_err(|error| TransportError::new(TransportErrorKind::Dns, error))?;
                let at_port = |ip: &_| SocketAddr::new(*ip, self.proxy.port);
                interleaved(&found.iter().map(at_port).collect::<Addresses>())
            }
        };
        let socket = race(&addresses, ATTEMPT_DELAY, tcp).await?;
        #[cfg(feature = "rustls")]
        if let Some(tls) = &self.tls {
            let stream = super::tls::handshake(tls, &self.proxy.host, socket).await?;
            return Ok(Line::Tls(Box::new(stream)));
        }
        Ok(Line::Plain(socket))
    }
}

/// The caller is told of a vendor that can't be reached, and the host why: kinds such as a bad
/// certificate would be told of the vendor.
fn of_proxy(error: TransportError) -> Failure {
    failure("the egress proxy can't be reached", Some(error.into()))
}

fn failure(why: &'static str, cause: Option<BoxError>) -> Failure {
    let kind = TransportErrorKind::ConnectionFailed;
    Failure::OfAll(TransportError::new(kind, EgressError { why, cause }))
}

fn of_exchange(error: io::Error) -> Failure {
    failure("the egress proxy broke off", Some(error.into()))
}

/// What the host may read of a proxy's failure: nothing that the proxy said in words.
#[derive(Debug)]
struct EgressError {
    why: &'static str,
    cause: Option<BoxError>,
}

impl fmt::Display for EgressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.why)
    }
}

impl std::error::Error for EgressError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            Some(cause) => Some(&**cause),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> Option<String> {
        let proxy = EgressProxy::parse(url).ok()?;
        let EgressProxy {
            protocol,
            host,
            port,
            credentials,
            remote_dns,
        } = proxy;
        let credentials =
            credentials.map(|secret| String::from_utf8_lossy(secret.expose()).into_owned());
        Some(format!(
            "{protocol:?} {host}:{port} {credentials:?} {remote_dns}"
        ))
    }

    #[test]
    fn addresses_of_proxies_are_read() {
        for (url, proxy) in [
            ("http://proxy", "Http proxy:80 None false"),
            ("HTTP://Proxy.:80/", "Http proxy:80 None false"),
            ("http://proxy:3128", "Http proxy:3128 None false"),
            ("http://[::1]", "Http [::1]:80 None false"),
            ("socks5://10.0.0.1", "Socks5 10.0.0.1:1080 None false"),
            ("socks5://10.0.0.1:80", "Socks5 10.0.0.1:80 None false"),
            ("SOCKS5H://[::1]:9050/", "Socks5 [::1]:9050 None true"),
            (
                "http://us%65r:p%40ss:%2Fw@proxy:1",
                r#"Http proxy:1 Some("Proxy-Authorization: Basic dXNlcjpwQHNzOi93\r\n") false"#,
            ),
            (
                "socks5://a@proxy:1",
                r#"Socks5 proxy:1 Some("\u{1}\u{1}a\0") false"#,
            ),
        ] {
            assert_eq!(parsed(url).as_deref(), Some(proxy), "{url}");
        }
        #[cfg(feature = "rustls")]
        assert_eq!(
            parsed("https://proxy").as_deref(),
            Some("Https proxy:443 None false")
        );
        #[cfg(not(feature = "rustls"))]
        assert_eq!(parsed("https://proxy"), None);
    }

    #[test]
    fn what_is_no_address_of_a_proxy_is_refused() {
        for url in [
            "",
            "proxy:3128",
            "ftp://proxy",
            "socks4://proxy",
            "http://",
            "http://@",
            "http://proxy:0",
            "http://proxy:65536",
            "http://proxy:",
            "http://proxy/path",
            "http://proxy?x",
            "http://proxy/x@evil.test",
            "http://a?b@proxy",
            "http://http://proxy",
            "http:///proxy",
            "http://pro xy",
            "http://us%3Aer:pass@proxy",
            "http://user:pa%0Ass@proxy",
        ] {
            assert_eq!(parsed(url), None, "{url}");
        }
    }

    #[test]
    fn nothing_of_a_credential_is_shown() -> Result<(), HttpTransportError> {
        let proxy = EgressProxy::parse("http://canary-user:canary-pass@proxy:3128")?;
        let shown = format!("{proxy:?}");
        assert!(shown.contains("proxy") && shown.contains("3128"), "{shown}");
        for secret in ["canary", "Y2FuYXJ5", "Basic"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        let error = EgressProxy::parse("http://canary-user:canary%0A@proxy:3128").err();
        let told = error.map(|error| format!("{error} {error:?}"));
        assert!(told.is_some_and(|told| !told.contains("canary")));
        Ok(())
    }
}
