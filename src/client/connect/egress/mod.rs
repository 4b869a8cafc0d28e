//! Tunnels to upstreams through an egress proxy: by CONNECT over HTTP/1.1 (RFC 9110 §9.3.6), with or
//! without TLS, or by SOCKS5 (RFC 1928).
//!
//! The network policy applies here as well. By default names are resolved locally, each address is
//! checked, and the tunnel is requested for the checked address, so DNS rebinding can't
//! bypass the check. Upstreams without TLS are also reached through a tunnel, so that the proxy
//! isn't asked to forward a request. The proxy can read the bytes in such a tunnel.
//!
//! hyper-util's `Tunnel` and `SocksV5` aren't used, because they:
//!
//! - lose bytes that an upstream sends immediately after the proxy's answer, which can happen
//!   because an upstream that uses HTTP/2 may send first;
//! - keep credentials in buffers that grow and aren't wiped;
//! - resolve names on the reactor;
//! - don't distinguish the refusal of a single address from the refusal of all addresses.

mod http;
mod socks;

use std::fmt;
use std::io;
use std::net::SocketAddr;

use super::dial::{ATTEMPT_DELAY, Addresses, Failure, interleaved, race, tcp};
use super::names::LookUps;
use super::stream::RawStream;
use crate::client::error::{HttpTransportError, TransportError, TransportErrorKind};
use crate::encoding::percent;
use crate::error::BoxError;
use crate::policy::{Host, Location, Scheme};
use crate::secret::Secret;

/// A proxy through which all upstreams are reached. It's never read from the environment.
///
/// The proxy is only asked for tunnels. In a tunnel to an upstream with TLS, the proxy can't read the
/// request. **In a tunnel to an upstream without TLS, the proxy can read and change the request and the
/// response, including the credential.**
///
/// The [`NetworkPolicy`](crate::policy::NetworkPolicy) applies to the addresses that tunnels lead to,
/// unless the proxy [resolves names](Self::remote_dns). It doesn't apply to the proxy's own address,
/// which the host application chooses.
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
    /// The credentials in the form in which they're sent.
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
    /// Parses `scheme://user:password@host:port`, where the scheme is `http`, `https`, `socks5` or
    /// `socks5h`. User and password are optional, and percent-decoded. The default port is 80, 443
    /// or 1080. `socks5h` turns [`remote_dns`](Self::remote_dns) on.
    ///
    /// # Errors
    ///
    /// [`HttpTransportError`] if the address isn't valid, if user or password can't be sent, or if the
    /// scheme is `https` and the crate is built without `rustls`. The error contains no part of the
    /// text.
    pub fn parse(url: &str) -> Result<Self, HttpTransportError> {
        let refused = || {
            HttpTransportError::new(
                "the text isn't the address of an egress proxy, such as `http://proxy.example:3128`",
            )
        };
        let (scheme, rest) = url.split_once("://").ok_or_else(refused)?;
        let (protocol, default_port) = protocol(scheme)?;
        let (user_info, authority) = match rest.rsplit_once('@') {
            Some((user_info, authority)) => (Some(user_info), authority),
            None => (None, rest),
        };
        // An `@` after any of these characters doesn't end the user info.
        if user_info.is_some_and(|user_info| user_info.contains(['/', '?', '#', '\\'])) {
            return Err(refused());
        }
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        let location = Location::parse(authority, Some(Scheme::Http)).map_err(|_| refused())?;
        if !location.path.is_empty() || authority.contains("://") {
            return Err(refused());
        }
        // The colons inside the brackets of an IPv6 address don't precede a port.
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

    /// Sets the credentials: `Basic` (RFC 7617) for an HTTP proxy, user and password (RFC 1929) for SOCKS5. They're
    /// sent only to the proxy, and over TLS only if the proxy's scheme is `https`. Default: the user info of the URL,
    /// or none.
    ///
    /// # Errors
    ///
    /// [`HttpTransportError`] if the credentials can't be sent. HTTP: the user contains a colon, or
    /// either contains a control character. SOCKS5: either is longer than 255 bytes.
    pub fn basic(self, user: &str, password: Secret) -> Result<Self, HttpTransportError> {
        self.with_credentials(&Secret::from(user), &password)
    }

    /// Sets whether the proxy resolves names.
    ///
    /// If it's on, the network policy applies only to literal addresses and to names that
    /// [`resolve`](crate::client::HttpTransportBuilder::resolve) answers. **The addresses of all other
    /// names are checked by the proxy or not at all**: the proxy must refuse private addresses.
    ///
    /// Default: off, but on for `socks5h`.
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
        let refused = HttpTransportError::new(
            "the egress proxy's credential contains bytes that can't be sent",
        );
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
            "an https proxy needs TLS; enable the Cargo feature `rustls`, or use an http proxy",
        ));
    } else {
        Err(HttpTransportError::new(
            "the scheme of an egress proxy must be http, https, socks5 or socks5h",
        ))
    }
}

fn decoded(text: &str) -> Secret {
    Secret::from(percent::decode(text.as_bytes()).into_owned())
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

/// The destination of a tunnel.
#[derive(Clone, Copy)]
pub(super) enum Target<'a> {
    /// An address that the network policy permits.
    Address(SocketAddr),
    /// A name that the proxy resolves.
    Name(&'a str, u16),
}

/// An egress proxy, with the TLS configuration for connections to the proxy.
pub(crate) struct Egress {
    proxy: EgressProxy,
    #[cfg(feature = "rustls")]
    tls: Option<tokio_rustls::TlsConnector>,
}

impl Egress {
    /// Returns the egress through that proxy. TLS to the proxy has its own configuration, so that
    /// sessions aren't shared with upstreams.
    #[cfg(feature = "rustls")]
    pub(crate) fn new(
        proxy: EgressProxy,
        roots: &super::tls::Roots,
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
    #[expect(clippy::unnecessary_wraps, reason = "the version with TLS can fail")]
    pub(crate) fn new(proxy: EgressProxy) -> Result<Self, HttpTransportError> {
        Ok(Self { proxy })
    }

    pub(super) fn resolves_names(&self) -> bool {
        self.proxy.remote_dns
    }

    /// Connects to `target` through the proxy.
    pub(super) async fn tunnel(
        &self,
        names: &LookUps,
        target: Target<'_>,
    ) -> Result<RawStream, Failure> {
        let mut raw = self.reach(names).await.map_err(proxy_failure)?;
        let credentials = self.proxy.credentials.as_ref();
        match self.proxy.protocol {
            Protocol::Socks5 => socks::connect(&mut raw, target, credentials).await?,
            _ => http::connect(&mut raw, target, credentials).await?,
        }
        Ok(raw)
    }

    /// Connects to the proxy itself. The network policy doesn't apply to the address of the proxy.
    async fn reach(&self, names: &LookUps) -> Result<RawStream, TransportError> {
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
            return Ok(RawStream::Tls(Box::new(stream)));
        }
        Ok(RawStream::Plain(socket))
    }
}

/// Hides the kind of a failure to reach the proxy, because a caller would think that the failure,
/// for example an invalid certificate, is the upstream's. The host application finds the cause in
/// the source.
fn proxy_failure(error: TransportError) -> Failure {
    failure("the egress proxy can't be reached", Some(error.into()))
}

fn failure(why: &'static str, cause: Option<BoxError>) -> Failure {
    let kind = TransportErrorKind::ConnectionFailed;
    Failure::Fatal(TransportError::new(kind, EgressError { why, cause }))
}

fn exchange_failure(error: io::Error) -> Failure {
    failure(
        "the egress proxy closed the connection too early",
        Some(error.into()),
    )
}

/// The source of a proxy's failure. It never contains text from the proxy.
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
