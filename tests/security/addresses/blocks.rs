//! Blocks of addresses that don't belong to the public internet.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use tower_passthrough::policy::{DomainPolicy, NetworkPolicy, NetworkRefusal};

use super::{allowing, answer, gateway, prohibited, prohibited_literal};
use testkit::caller::{get, raw_call};
use testkit::gateway::Setup;
use testkit::names::Names;
use testkit::vendor::Vendor;

fn judged(policy: &NetworkPolicy, ip: IpAddr) -> Result<(), NetworkRefusal> {
    policy.check(SocketAddr::new(ip, 443))
}

/// Each block that isn't public, from the registries, written a second time: the first address, the last address, and
/// an address inside.
const BLOCKS: [(&str, &str, &str); 38] = [
    ("0.0.0.0", "0.255.255.255", "0.1.2.3"),
    ("10.0.0.0", "10.255.255.255", "10.1.2.3"),
    ("100.64.0.0", "100.127.255.255", "100.100.100.200"),
    ("127.0.0.0", "127.255.255.255", "127.0.0.1"),
    ("169.254.0.0", "169.254.255.255", "169.254.169.254"),
    ("172.16.0.0", "172.31.255.255", "172.17.0.1"),
    ("192.0.0.0", "192.0.0.255", "192.0.0.192"),
    ("192.0.2.0", "192.0.2.255", "192.0.2.1"),
    ("192.31.196.0", "192.31.196.255", "192.31.196.1"),
    ("192.52.193.0", "192.52.193.255", "192.52.193.1"),
    ("192.88.99.0", "192.88.99.255", "192.88.99.2"),
    ("192.168.0.0", "192.168.255.255", "192.168.1.1"),
    ("192.175.48.0", "192.175.48.255", "192.175.48.1"),
    ("198.18.0.0", "198.19.255.255", "198.19.0.1"),
    ("198.51.100.0", "198.51.100.255", "198.51.100.7"),
    ("203.0.113.0", "203.0.113.255", "203.0.113.7"),
    ("224.0.0.0", "239.255.255.255", "224.0.0.251"),
    ("240.0.0.0", "255.255.255.254", "250.1.2.3"),
    ("255.255.255.255", "255.255.255.255", "255.255.255.255"),
    ("::", "::", "::"),
    ("::1", "::1", "::1"),
    ("::ffff:0:0", "::ffff:ffff:ffff", "::ffff:8.8.8.8"),
    ("::2", "::ffff:ffff", "::8.8.8.8"),
    ("64:ff9b::", "64:ff9b::ffff:ffff", "64:ff9b::808:808"),
    (
        "64:ff9b:1::",
        "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
        "64:ff9b:1::1",
    ),
    ("100::", "100::ffff:ffff:ffff:ffff", "100::1"),
    (
        "100:0:0:1::",
        "100:0:0:1:ffff:ffff:ffff:ffff",
        "100:0:0:1::1",
    ),
    (
        "2001::",
        "2001:0:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:0:808:808:0:1234:f7f7:f7f7",
    ),
    ("2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff", "2001:2::1"),
    (
        "2001:20::",
        "2001:2f:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:20::1",
    ),
    (
        "2001:db8::",
        "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:db8::1",
    ),
    (
        "2620:4f:8000::",
        "2620:4f:8000:ffff:ffff:ffff:ffff:ffff",
        "2620:4f:8000::1",
    ),
    (
        "3fff::",
        "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
        "3fff:1::1",
    ),
    (
        "5f00::",
        "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "5f00::1",
    ),
    (
        "fc00::",
        "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "fd00::1",
    ),
    (
        "fe80::",
        "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "fe80::1",
    ),
    (
        "fec0::",
        "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "fec0::1",
    ),
    (
        "ff00::",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "ff02::1",
    ),
];

/// The neighbours of those blocks, and some hosts of the public internet.
const PUBLIC: [&str; 24] = [
    "1.0.0.0",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.0.3.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "203.0.112.255",
    "203.0.114.0",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001:82a::200e",
    "2001:4860:4860::8888",
    "2002:808:808::1",
];

#[tokio::test]
async fn n2_no_address_of_a_special_block_is_dialled() {
    let vendor = Vendor::ok().await;
    let port = vendor.address().port();
    let mut names = Names::new();
    let mut hosts = Vec::new();
    for (nth, (first, last, inside)) in BLOCKS.iter().enumerate() {
        for (which, ip) in ["first", "last", "inside"]
            .iter()
            .zip([first, last, inside])
        {
            let host = format!("{which}-{nth}.hosts.vendor.test");
            names = names.answer(&host, [&[*ip]]);
            hosts.push((host, *ip));
        }
    }
    let domains = DomainPolicy::none()
        .allow(&format!("*.hosts.vendor.test:{port}"))
        .unwrap();
    let gateway = Setup::new(&vendor)
        .upstream(|upstream| upstream.domains(domains))
        .network(|_| NetworkPolicy::new().dangerous().plaintext())
        .transport(|transport| transport.resolver(names))
        .start()
        .await;
    for (host, ip) in hosts {
        let target = format!("/p/c/x?__domain={host}:{port}");
        let response = raw_call(gateway.address, get(&target)).await;
        assert_eq!(response.error(), Some("destination-refused"), "{ip}");
        assert!(
            response
                .head
                .value("proxy-status")
                .unwrap()
                .contains("destination_ip_prohibited"),
            "{ip}"
        );
    }
    vendor.untouched().await;
}

#[test]
fn n2_the_public_internet_passes_and_blocks_can_be_allowed() {
    for ip in PUBLIC {
        assert_eq!(
            judged(&NetworkPolicy::new(), ip.parse().unwrap()),
            Ok(()),
            "{ip}"
        );
    }
    let policy = allowing(&["10.1.0.0/16", "fd00:1::/32"]);
    for (ip, passes) in [
        ("10.1.2.3", true),
        ("10.2.0.1", false),
        ("fd00:1::1", true),
        ("fd00:2::1", false),
        ("127.0.0.1", false),
    ] {
        assert_eq!(judged(&policy, ip.parse().unwrap()).is_ok(), passes, "{ip}");
    }
}

/// Returns IPv6 addresses that contain the given address.
fn carriers(inner: Ipv4Addr) -> Vec<Ipv6Addr> {
    let [a, b, c, d] = inner.octets();
    let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    vec![
        Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, high, low),
        Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
        Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
        Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
        Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low),
        Ipv6Addr::new(0x64, 0xff9b, 1, high, low >> 8, low << 8, 0, 0),
        Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
        // Teredo: a server, and a client with inverted bits.
        Ipv6Addr::new(0x2001, 0, high, low, 0, 0, !0x0808, !0x0808),
        Ipv6Addr::new(0x2001, 0, 0x0808, 0x0808, 0, 0, !high, !low),
        // ISATAP, with and without the universal bit.
        Ipv6Addr::new(0x2606, 0x4700, 0, 0, 0, 0x5efe, high, low),
        Ipv6Addr::new(0x2606, 0x4700, 0, 0, 0x200, 0x5efe, high, low),
    ]
}

#[test]
fn n3_an_address_is_checked_by_the_address_inside() {
    // All outer forms are allowed, so only the address inside decides.
    let wide = allowing(&["::/3", "2001::/16", "2002::/16"]);
    for inner in ["169.254.169.254", "127.0.0.1", "10.0.0.1", "192.168.1.1"] {
        for carrier in carriers(inner.parse().unwrap()) {
            assert_eq!(
                judged(&wide, carrier.into()),
                Err(NetworkRefusal::Prohibited),
                "{carrier} carries {inner}"
            );
        }
    }
    for carrier in carriers(Ipv4Addr::new(8, 8, 8, 8)) {
        assert_eq!(judged(&wide, carrier.into()), Ok(()), "{carrier}");
    }
}

#[tokio::test]
async fn n3_addresses_inside_are_refused_as_literals_and_as_answers_of_dns() {
    let vendor = Vendor::ok().await;
    for ip in [
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "::ffff:127.0.0.1",
        "::7f00:1",
        "2002:7f00:1::1",
        "2001:0:7f00:1::1",
    ] {
        let literal = gateway(&vendor, &format!("[{ip}]"), &Names::new(), &["::/0"]).await;
        assert_eq!(answer(&literal).await, prohibited_literal(), "{ip}");
        let names = Names::new().answer("carrier.test", [&[ip]]);
        let named = gateway(&vendor, "carrier.test", &names, &["::/0"]).await;
        assert_eq!(answer(&named).await, prohibited(), "{ip}");
    }
    vendor.untouched().await;
}

#[test]
fn n5_the_guard_is_widened_only_by_blocks_or_any_address() {
    let everything = allowing(&["0.0.0.0/0", "::/0"]);
    assert_eq!(judged(&everything, [127, 0, 0, 1].into()), Ok(()));
    let only_v6 = allowing(&["::/0"]);
    let mapped = Ipv4Addr::LOCALHOST.to_ipv6_mapped();
    assert_eq!(
        judged(&only_v6, mapped.into()),
        Err(NetworkRefusal::Prohibited)
    );
    assert_eq!(
        judged(
            &NetworkPolicy::new().dangerous().plaintext(),
            [127, 0, 0, 1].into()
        ),
        Err(NetworkRefusal::Prohibited)
    );
    assert_eq!(
        judged(&NetworkPolicy::default(), [127, 0, 0, 1].into()),
        Err(NetworkRefusal::Prohibited)
    );
    assert_eq!(
        judged(
            &NetworkPolicy::new().dangerous().any_address(),
            [127, 0, 0, 1].into()
        ),
        Ok(())
    );
}

#[test]
fn n8_the_table_is_the_crates_own_and_names_its_date() {
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/policy");
    let table = fs::read_to_string(policy.join("special_purpose.rs")).unwrap();
    for registry in [
        "iana-ipv4-special-registry",
        "iana-ipv6-special-registry",
        "of 20",
    ] {
        assert!(table.contains(registry), "{registry}");
    }
    for file in fs::read_dir(policy).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        for foreign in [
            "is_global",
            "is_private",
            "is_link_local",
            "is_unique_local",
            "is_documentation",
        ] {
            assert!(!text.contains(foreign), "{foreign}");
        }
    }
}
