//! Addresses that aren't in the public internet, from IANA's special-purpose registries, in the state of 2024-07-23,
//! when 3fff::/20 was entered: <https://www.iana.org/assignments/iana-ipv4-special-registry>,
//! <https://www.iana.org/assignments/iana-ipv6-special-registry>.
//!
//! Every line of the registries is included, even if it's globally reachable, because no upstream's API has such an
//! address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Network and prefix length.
const IPV4: [(Ipv4Addr, u32); 20] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),          // this network, RFC 791
    (Ipv4Addr::new(10, 0, 0, 0), 8),         // private, RFC 1918
    (Ipv4Addr::new(100, 64, 0, 0), 10),      // shared address space, RFC 6598
    (Ipv4Addr::new(127, 0, 0, 0), 8),        // loopback, RFC 1122
    (Ipv4Addr::new(169, 254, 0, 0), 16),     // link-local and metadata services, RFC 3927
    (Ipv4Addr::new(172, 16, 0, 0), 12),      // private, RFC 1918
    (Ipv4Addr::new(192, 0, 0, 0), 24),       // IETF protocol assignments, RFC 6890
    (Ipv4Addr::new(192, 0, 2, 0), 24),       // TEST-NET-1, RFC 5737
    (Ipv4Addr::new(192, 31, 196, 0), 24),    // AS112, RFC 7535
    (Ipv4Addr::new(192, 52, 193, 0), 24),    // AMT, RFC 7450
    (Ipv4Addr::new(192, 88, 99, 0), 24),     // 6to4 relays, RFC 7526
    (Ipv4Addr::new(192, 168, 0, 0), 16),     // private, RFC 1918
    (Ipv4Addr::new(192, 175, 48, 0), 24),    // AS112, RFC 7534
    (Ipv4Addr::new(198, 18, 0, 0), 15),      // benchmarking, RFC 2544
    (Ipv4Addr::new(198, 51, 100, 0), 24),    // TEST-NET-2, RFC 5737
    (Ipv4Addr::new(203, 0, 113, 0), 24),     // TEST-NET-3, RFC 5737
    (Ipv4Addr::new(224, 0, 0, 0), 4),        // multicast, RFC 5771
    (Ipv4Addr::new(240, 0, 0, 0), 4),        // reserved, RFC 1112
    (Ipv4Addr::new(255, 255, 255, 255), 32), // limited broadcast, RFC 8190
    (Ipv4Addr::new(168, 63, 129, 16), 32), // a cloud's metadata and DNS, reachable from its guests alone
];

/// Blocks inside 2000::/3. Addresses outside of 2000::/3 aren't public at all (RFC 4291 §2.4).
const IPV6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // IETF protocol assignments, Teredo, ORCHID: RFC 2928
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation, RFC 3849
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48), // AS112, RFC 7534
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation, RFC 9637
];

/// Blocks outside of 2000::/3 that an operator may know.
const IPV6_LOCAL: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::LOCALHOST, 128),
    (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96), // NAT64, RFC 6052
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7),     // unique local, RFC 4193
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),    // link-local, RFC 4291
];

/// Returns the block of an address that isn't public, or the address alone if its block has no name.
pub(super) fn block(address: IpAddr) -> IpNet {
    let found = match address {
        IpAddr::V4(address) => {
            let mut blocks = IPV4.iter();
            let found = blocks.find(|&&(network, length)| same_prefix_v4(address, network, length));
            found.and_then(|&(network, length)| net(network.into(), length))
        }
        IpAddr::V6(address) => {
            let mut blocks = IPV6.iter().chain(&IPV6_LOCAL);
            let found = blocks.find(|&&(network, length)| same_prefix_v6(address, network, length));
            found.and_then(|&(network, length)| net(network.into(), length))
        }
    };
    found.unwrap_or(IpNet::from(address))
}

fn net(network: IpAddr, length: u32) -> Option<IpNet> {
    let length = u8::try_from(length).ok()?;
    Some(match network {
        IpAddr::V4(network) => Ipv4Net::new(network, length).ok()?.into(),
        IpAddr::V6(network) => Ipv6Net::new(network, length).ok()?.into(),
    })
}

/// Returns `true` if the address itself is in the public internet. Embedded addresses aren't checked.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !IPV4
            .iter()
            .any(|&(network, length)| same_prefix_v4(address, network, length)),
        IpAddr::V6(address) => {
            same_prefix_v6(address, Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3)
                && !IPV6
                    .iter()
                    .any(|&(network, length)| same_prefix_v6(address, network, length))
        }
    }
}

/// Returns the IPv4 addresses that an IPv6 address embeds in a known form, because a translator in the network may dial
/// them.
pub(super) fn carried(address: Ipv6Addr) -> impl Iterator<Item = Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let low = ipv4(g, h);
    let found = match (a, b, c, d, e, f) {
        // `::1` and `::` embed no address: a host application that allows them means only these addresses.
        _ if address.is_loopback() || address.is_unspecified() => [None, None],
        // Mapped (RFC 4291 §2.5.5.2), compatible (§2.5.5.1), translated (RFC 2765).
        (0, 0, 0, 0, 0, 0xffff | 0) | (0, 0, 0, 0, 0xffff, 0) => [Some(low), None],
        // NAT64, well-known prefix (RFC 6052).
        (0x64, 0xff9b, 0, 0, 0, 0) => [Some(low), None],
        // NAT64, local-use prefix (RFC 8215). The IPv4 address is at the end, or directly after the /48 around the `u`
        // octet (RFC 6052 §2.2).
        (0x64, 0xff9b, 1, _, _, _) => {
            let behind = ipv4(d, (e << 8) | (f >> 8));
            [Some(low), Some(behind)].map(|found| found.filter(|address| !address.is_unspecified()))
        }
        // 6to4 (RFC 3056).
        (0x2002, _, _, _, _, _) => [Some(ipv4(b, c)), None],
        // Teredo (RFC 4380): the server's address, and the client's address with its bits flipped.
        (0x2001, 0, _, _, _, _) => [Some(ipv4(c, d)), Some(ipv4(!g, !h))],
        // ISATAP (RFC 5214 §6.1), in any prefix.
        (_, _, _, _, 0 | 0x200, 0x5efe) => [Some(low), None],
        _ => [None, None],
    };
    found.into_iter().flatten()
}

fn ipv4(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))
}

fn same_prefix_v4(address: Ipv4Addr, network: Ipv4Addr, length: u32) -> bool {
    (address.to_bits() ^ network.to_bits()).leading_zeros() >= length
}

fn same_prefix_v6(address: Ipv6Addr, network: Ipv6Addr, length: u32) -> bool {
    (address.to_bits() ^ network.to_bits()).leading_zeros() >= length
}
