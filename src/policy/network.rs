//! The addresses that may be dialled, checked after resolution on each new connection.
//!
//! ```
//! use tower_passthrough::policy::NetworkPolicy;
//!
//! let policy = NetworkPolicy::new().allow("10.1.0.0/16".parse()?);
//! assert!(policy.check("10.1.2.3:443".parse()?).is_ok());
//! assert!(policy.check("169.254.169.254:80".parse()?).is_err());
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! Rules: `docs/rules/security.md#2-addresses-that-may-be-dialled`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use smallvec::SmallVec;

use super::Host;
use super::special_purpose::{block, carried, is_public};

/// The addresses of this machine.
const LOOPBACK: [IpNet; 2] = [
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8)),
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128)),
];

/// The addresses that may be dialled: those of the public internet, and the blocks that the host application allows.
///
/// An IPv6 address that contains an IPv4 address (mapped, NAT64, 6to4, ...) must be permitted in both forms, so a network that reaches
/// IPv4 through NAT64 must allow `64:ff9b::/96`. Behind an egress proxy, names are resolved and checked as well, unless the proxy is
/// configured to resolve them.
#[derive(Clone, Debug, Default)]
pub struct NetworkPolicy {
    allowed: Vec<IpNet>,
    listeners: Vec<SocketAddr>,
    plaintext: Plaintext,
    everything: bool,
}

/// The hosts that may be called without TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Plaintext {
    #[default]
    Never,
    Loopback,
    Always,
}

impl Plaintext {
    /// Checks only the name, because the check is before the name is resolved.
    pub(crate) fn permits(self, host: &Host) -> bool {
        match self {
            Self::Never => false,
            Self::Loopback => match host {
                Host::Ip(address) => address.is_loopback(),
                Host::Name(name) => &**name == "localhost",
            },
            Self::Always => true,
        }
    }
}

/// The reason why an address must not be dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NetworkRefusal {
    /// The address isn't in the public internet, and isn't in an allowed block. If the upstream is in a private network, allow its block by
    /// [`NetworkPolicy::allow`].
    Prohibited,
    /// The address belongs to a listener of the gateway, so a call would come back to the gateway. Correct the base URL.
    Loop,
}

impl NetworkPolicy {
    /// Returns a policy that allows only the public internet, and only TLS.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Allows all addresses of a block. Blocks of any size are accepted: `0.0.0.0/0` and `::/0` together allow all addresses except the
    /// listeners.
    ///
    /// Default: no block beyond the public internet.
    #[must_use]
    pub fn allow(mut self, block: IpNet) -> Self {
        self.allowed.push(block);
        self
    }

    /// Adds a listener of the gateway, which is never dialled, because a base URL that names it would loop.
    ///
    /// An unspecified address (`0.0.0.0`, `[::]`) means each address of this machine.
    ///
    /// Default: none.
    #[must_use]
    pub fn listener(mut self, address: SocketAddr) -> Self {
        self.listeners.push(address);
        self
    }

    /// Returns the settings that weaken the policy.
    pub fn dangerous(self) -> DangerousNetworkPolicy {
        DangerousNetworkPolicy(self)
    }

    /// Checks a resolved address.
    ///
    /// # Errors
    ///
    /// [`NetworkRefusal`], which is the reason why the address must not be dialled.
    pub fn check(&self, address: SocketAddr) -> Result<(), NetworkRefusal> {
        if self
            .listeners
            .iter()
            .any(|listener| is_own(*listener, address))
        {
            return Err(NetworkRefusal::Loop);
        }
        let ip = address.ip();
        let carried_pass = match ip {
            IpAddr::V4(_) => true,
            IpAddr::V6(ip) => carried(ip).all(|inner| self.passes(inner.into())),
        };
        if self.everything || (self.passes(ip) && carried_pass) {
            Ok(())
        } else {
            Err(NetworkRefusal::Prohibited)
        }
    }

    fn passes(&self, ip: IpAddr) -> bool {
        is_public(ip) || self.allowed.iter().any(|block| block.contains(&ip))
    }

    /// Returns the blocks that must be allowed so that a refused address is permitted: the block of the address, and the blocks of the
    /// addresses that it contains.
    pub(crate) fn refused_blocks(&self, ip: IpAddr) -> SmallVec<[IpNet; 2]> {
        let inner = match ip {
            IpAddr::V4(_) => None,
            IpAddr::V6(ip) => Some(carried(ip).map(IpAddr::from)),
        };
        let all = std::iter::once(ip).chain(inner.into_iter().flatten());
        all.filter(|ip| !self.passes(*ip)).map(block).collect()
    }

    /// Returns `true` if that host may be called without TLS.
    #[must_use]
    pub fn permits_plaintext(&self, host: &Host) -> bool {
        self.plaintext.permits(host)
    }

    pub(crate) fn plaintext(&self) -> Plaintext {
        self.plaintext
    }
}

/// The settings that weaken a [`NetworkPolicy`]; made by [`NetworkPolicy::dangerous`].
#[derive(Clone, Debug)]
#[must_use]
pub struct DangerousNetworkPolicy(NetworkPolicy);

impl DangerousNetworkPolicy {
    /// Allows integrations with a base URL of `http://`. Their credentials are sent without encryption. Default: off, so only `https://` is
    /// called.
    #[must_use]
    pub fn plaintext(mut self) -> NetworkPolicy {
        self.0.plaintext = Plaintext::Always;
        self.0
    }

    /// Allows upstreams on this machine, for tests and first steps: the addresses of `127.0.0.0/8` and `::1`, also without TLS.
    ///
    /// Other hosts can't be called without TLS. This is decided before a name is resolved, so the host of the base URL must be such an
    /// address or `localhost` (RFC 6761 §6.3). Another name that resolves to a loopback address is only called over TLS.
    ///
    /// Default: off.
    ///
    /// ```
    /// use tower_passthrough::HttpTransport;
    /// use tower_passthrough::policy::NetworkPolicy;
    ///
    /// # #[cfg(feature = "rustls-ring")] {
    /// // Base URLs such as `http://127.0.0.1:9001` work with this transport.
    /// let transport = HttpTransport::builder().network(NetworkPolicy::new().dangerous().loopback()).build()?;
    /// # }
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn loopback(mut self) -> NetworkPolicy {
        self.0.allowed.extend(LOOPBACK);
        if self.0.plaintext == Plaintext::Never {
            self.0.plaintext = Plaintext::Loopback;
        }
        self.0
    }

    /// Allows every address, including metadata services. The gateway's own listeners are still refused. Default: off.
    #[must_use]
    pub fn any_address(mut self) -> NetworkPolicy {
        self.0.everything = true;
        self.0
    }
}

fn is_own(listener: SocketAddr, address: SocketAddr) -> bool {
    if listener.port() != address.port() {
        return false;
    }
    let (listener, address) = (listener.ip().to_canonical(), address.ip().to_canonical());
    // A connection to the unspecified address reaches this machine, and so may reach any listener.
    listener == address
        || address.is_unspecified()
        || (listener.is_unspecified() && is_this_machine(address))
}

/// Returns `true` if the address can be bound, which means that it's an address of this machine. Called only if the port is the port of a
/// listener.
fn is_this_machine(address: IpAddr) -> bool {
    address.is_loopback() || UdpSocket::bind((address, 0)).is_ok()
}

impl fmt::Display for NetworkRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prohibited => {
                "the address may not be called: it's private, loopback, link-local or reserved"
            }
            Self::Loop => "the address is an address of the gateway itself",
        })
    }
}

impl std::error::Error for NetworkRefusal {}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(policy: &NetworkPolicy, ip: &str) -> Option<Result<(), NetworkRefusal>> {
        let ip: IpAddr = ip.parse().ok()?;
        Some(policy.check((ip, 443).into()))
    }

    #[test]
    fn the_blocks_of_a_refused_address_are_those_to_allow() {
        for (ip, blocks) in [
            ("198.18.0.7", "198.18.0.0/15"),
            ("10.1.2.3", "10.0.0.0/8"),
            ("fd00::1", "fc00::/7"),
            ("::1", "::1/128"),
            ("64:ff9b::a01:203", "64:ff9b::/96 10.0.0.0/8"),
            ("4000::1", "4000::1/128"),
            ("1.1.1.1", ""),
        ] {
            let Ok(address) = ip.parse::<IpAddr>() else {
                continue;
            };
            let mut policy = NetworkPolicy::new();
            let found = policy.refused_blocks(address);
            let written: Vec<_> = found.iter().map(ToString::to_string).collect();
            assert_eq!(written.join(" "), blocks, "{ip}");
            for block in found {
                policy = policy.allow(block);
            }
            assert_eq!(judged(&policy, ip), Some(Ok(())), "{ip}");
        }
    }

    #[test]
    fn the_public_internet_alone_passes() {
        let policy = NetworkPolicy::new();
        for ip in [
            "1.1.1.1",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2002:101:101::1",
        ] {
            assert_eq!(judged(&policy, ip), Some(Ok(())), "{ip}");
        }
        for ip in [
            "0.0.0.0",
            "0.255.255.255",
            "10.0.0.0",
            "10.255.255.255",
            "100.64.0.0",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.0",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.0",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.9",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fdff::1",
            "fec0::1",
            "ff02::1",
            "100::1",
            "2001:db8::1",
            "3fff::1",
            "3fff:fff::1",
            "5f00::1",
            "4000::1",
            "2001::1",
            "2001:20::1",
        ] {
            assert_eq!(
                judged(&policy, ip),
                Some(Err(NetworkRefusal::Prohibited)),
                "{ip}"
            );
        }
    }

    #[test]
    fn loopback_allows_this_machine_and_plaintext_to_it_alone() {
        let policy = NetworkPolicy::new().dangerous().loopback();
        for ip in ["127.0.0.1", "127.255.255.255", "::1", "1.1.1.1"] {
            assert_eq!(judged(&policy, ip), Some(Ok(())), "{ip}");
        }
        for ip in ["10.0.0.1", "169.254.169.254", "::ffff:10.0.0.1", "::2"] {
            let refused = Some(Err(NetworkRefusal::Prohibited));
            assert_eq!(judged(&policy, ip), refused, "{ip}");
        }
        let permits = |policy: &NetworkPolicy, host: &str| {
            Host::parse(host).map(|host| policy.permits_plaintext(&host))
        };
        for host in [
            "127.0.0.1",
            "127.9.9.9",
            "127.1",
            "[::1]",
            "localhost",
            "LOCALHOST.",
        ] {
            assert_eq!(permits(&policy, host), Some(true), "{host}");
            assert_eq!(permits(&NetworkPolicy::new(), host), Some(false), "{host}");
        }
        for host in [
            "1.1.1.1",
            "10.0.0.1",
            "[::ffff:127.0.0.1]",
            "localhost.test",
            "vendor.test",
        ] {
            assert_eq!(permits(&policy, host), Some(false), "{host}");
            let both = policy.clone().dangerous().plaintext();
            assert_eq!(permits(&both, host), Some(true), "{host}");
            let both = NetworkPolicy::new()
                .dangerous()
                .plaintext()
                .dangerous()
                .loopback();
            assert_eq!(permits(&both, host), Some(true), "{host}");
        }
    }

    #[test]
    fn carried_addresses_are_judged_as_well() {
        let wide = [
            "::/3",
            "64:ff9b::/96",
            "64:ff9b:1::/48",
            "2001::/32",
            "::ffff:0:0/96",
        ]
        .iter()
        .filter_map(|block| block.parse().ok())
        .fold(NetworkPolicy::new(), NetworkPolicy::allow);
        for ip in [
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b:1::a00:1",
            "64:ff9b:1:7f00:0:100::",
            "2002:7f00:1::1",
            "2001:0:0a00:1::1",
            "2001:0:101:101:0:0:80ff:fffe",
            "2606:4700::5efe:127.0.0.1",
            "2606:4700::200:5efe:10.0.0.1",
            "::127.0.0.2",
        ] {
            assert_eq!(
                judged(&wide, ip),
                Some(Err(NetworkRefusal::Prohibited)),
                "{ip}"
            );
        }
        assert_eq!(judged(&wide, "64:ff9b::101:101"), Some(Ok(())));
        assert_eq!(judged(&wide, "::ffff:1.1.1.1"), Some(Ok(())));
    }

    #[test]
    fn own_listeners_are_never_dialled() {
        let listener = SocketAddr::from(([0, 0, 0, 0], 8080));
        let policy = NetworkPolicy::new()
            .listener(listener)
            .dangerous()
            .any_address();
        for address in [
            "127.0.0.1:8080",
            "[::1]:8080",
            "[::ffff:127.0.0.1]:8080",
            "0.0.0.0:8080",
        ] {
            assert_eq!(
                address.parse().ok().map(|address| policy.check(address)),
                Some(Err(NetworkRefusal::Loop)),
                "{address}"
            );
        }
        assert_eq!(judged(&policy, "127.0.0.1"), Some(Ok(())));
    }
}
