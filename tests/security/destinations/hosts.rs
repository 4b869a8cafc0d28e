//! One parser of hosts, and one normal form for comparisons.

use tokio::net::TcpListener;
use tower_passthrough::policy::DomainPolicy;

use super::{Site, none};
use testkit::caller::{get, raw_call};
use testkit::certificates;
use testkit::gateway::Setup;
use testkit::names::Names;
use testkit::vendor::Vendor;
use testkit::wait::within;

/// Spellings that two parsers would read as different hosts.
#[tokio::test]
async fn d4_ambiguous_hosts_are_refused() {
    let site = Site::with(|port| {
        DomainPolicy::none()
            .allow(&format!("good.test:{port}"))
            .unwrap()
    })
    .await;
    let port = site.port();
    for trick in [
        "http://good.test:P\\@evil.test:P",
        "http://good.test\\@evil.test:P",
        "good.test:P#@evil.test:P",
        "good.test#@evil.test:P",
        "good.test?@evil.test:P",
        "good.test:80@evil.test:P",
        "good.test@evil.test:P",
        "good.test%2eevil.test:P",
        "good.test%00.evil.test:P",
        "good.test\t:P",
        " good.test:P",
        "good.test :P",
        "good\n.test:P",
        "good.test\0.evil.test:P",
        "good.test\r\nhost: evil.test:P",
        "http:good.test:P",
        "http:/good.test:P",
        "http:///good.test:P",
        "http:\\\\good.test:P",
        "//good.test:P",
        "good.test:P:P",
        "[good.test]:P",
        "evil.test:P,good.test:P",
        "good.test;evil.test:P",
    ] {
        let domain = trick.replace(":P", &format!(":{port}"));
        site.refuses(&domain, 400, "bad-domain").await;
    }
    for foreign in [
        "good.test\u{3002}evil.test:P",
        "good.test.evil.test:P",
        "g\u{43e}\u{43e}d.test:P",
        "gooß.test:P",
    ] {
        let domain = foreign.replace(":P", &format!(":{port}"));
        site.refuses(&domain, 403, "domain-refused").await;
    }
}

/// The checked host is looked up, dialled and sent, however it was written.
#[tokio::test]
async fn d4_spellings_of_one_host_lead_to_that_host() {
    let allow = |port: u16| {
        let good = DomainPolicy::none()
            .allow(&format!("good.test:{port}"))
            .unwrap();
        good.allow(&format!("xn--fa-hia.test:{port}")).unwrap()
    };
    let site = Site::with(allow).await;
    let port = site.port();
    for (written, host) in [
        ("GOOD.test", "good.test"),
        ("good\u{3002}test", "good.test"),
        ("go\u{ad}od.test", "good.test"),
        ("ｇｏｏｄ.test", "good.test"),
        ("faß.test", "xn--fa-hia.test"),
        ("XN--FA-HIA.test", "xn--fa-hia.test"),
    ] {
        site.permits(&format!("{written}:{port}"), host).await;
    }
}

#[tokio::test]
async fn d4_the_checked_name_is_sent_in_sni() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let domains = DomainPolicy::none()
        .allow(&format!("eu.vendor.test:{port}"))
        .unwrap();
    let gateway = Setup::new(&*format!("https://vendor.test:{port}"))
        .upstream(|upstream| upstream.domains(domains))
        .start()
        .await;
    let tls = certificates::acceptor("eu.vendor.test", &["http/1.1"]);
    let serve = async {
        let (socket, _) = listener.accept().await.unwrap();
        let stream = tls.accept(socket).await.unwrap();
        stream.get_ref().1.server_name().map(str::to_owned)
    };
    let call = raw_call(
        gateway.address,
        get(&format!("/p/c/x?__domain=EU.vendor.test.:{port}")),
    );
    let (name, response) = within("a handshake", async { tokio::join!(serve, call) }).await;
    assert_eq!(name.as_deref(), Some("eu.vendor.test"));
    // The scripted server closed the connection.
    assert_eq!(response.status(), 502);
}

#[tokio::test]
async fn d5_hosts_are_compared_in_one_normal_form() {
    let site = Site::with(|port| {
        DomainPolicy::none()
            .allow(&format!("EU.Vendor.test.:{port}"))
            .unwrap()
    })
    .await;
    let port = site.port();
    for broken in [
        "eu..vendor.test",
        "_x.vendor.test",
        ".eu.vendor.test",
        "eu.vendor.test..",
        "-eu.vendor.test",
        "eu-.vendor.test",
        "eu_.vendor.test",
        "xn--a.vendor.test",
    ] {
        site.refuses(&format!("{broken}:{port}"), 400, "bad-domain")
            .await;
    }
    let long = format!("{}vendor.test", "a.".repeat(122));
    assert!(long.len() > 253);
    site.refuses(&long, 400, "bad-domain").await;
    site.refuses(&format!("{}.test", "a".repeat(64)), 400, "bad-domain")
        .await;
    // Cyrillic letters that look like Latin letters.
    site.refuses(
        &format!("\u{435}u.vendor.test:{port}"),
        403,
        "domain-refused",
    )
    .await;
    for written in ["EU.VENDOR.TEST.", "eu.vendor.test", "Eu.Vendor.Test"] {
        site.permits(&format!("{written}:{port}"), "eu.vendor.test")
            .await;
    }
}

#[tokio::test]
async fn d5_a_default_port_is_the_same_as_no_port() {
    // Base URL and `__domain` both mean port 80, on which a test can't listen, so the test looks only at the verdict.
    let names = Names::new();
    let resolver = names.clone();
    let gateway = Setup::new("http://api.vendor.test")
        .transport(|transport| transport.resolver(resolver))
        .start()
        .await;
    for domain in [
        "api.vendor.test",
        "api.vendor.test:80",
        "http://api.vendor.test:80",
    ] {
        let response = raw_call(gateway.address, get(&format!("/p/c/x?__domain={domain}"))).await;
        assert_eq!(response.error(), Some("upstream-unreachable"), "{domain}");
    }
    assert_eq!(names.asked(), ["api.vendor.test"; 3]);
}

#[tokio::test]
async fn d6_addresses_are_refused_unless_listed() {
    let site = Site::with(none).await;
    let port = site.port();
    for address in [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "0x7f.1",
        "0x7f000001",
        "2130706433",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "1.2.3",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "0",
        "0x0",
        "１２７.0.0.1",
        "127。0。0。1",
    ] {
        site.refuses(&format!("{address}:{port}"), 403, "domain-refused")
            .await;
    }
    for broken in [
        "::1",
        "127.0.0.1.1.1",
        "256.0.0.1",
        "[::1",
        "[fe80::1%25eth0]",
        "[fe80::1%eth0]",
        "0x7g.1",
        "1.2.3.08",
    ] {
        site.refuses(&format!("{broken}:{port}"), 400, "bad-domain")
            .await;
    }
}

#[tokio::test]
async fn d6_a_listed_address_is_allowed_in_each_form() {
    let site =
        Site::with(|port| DomainPolicy::none().allow_address([127, 0, 0, 1].into(), Some(port)))
            .await;
    let port = site.port();
    for address in ["127.0.0.1", "127.1", "0x7f000001", "2130706433"] {
        site.permits(&format!("{address}:{port}"), "127.0.0.1")
            .await;
    }
    assert_eq!(site.names.asked(), [""; 0]);
    let other = site.call(&format!("127.0.0.2:{port}")).await;
    assert_eq!(other.error(), Some("domain-refused"));
}

/// Underscores are valid in DNS, and names of services in a cluster have them. What callers name stays strict.
#[tokio::test]
async fn d4_a_host_of_the_configuration_may_contain_underscores() {
    let vendor = Vendor::ok().await;
    let port = vendor.address().port();
    let domains = DomainPolicy::none()
        .allow(&format!("other_service.test:{port}"))
        .unwrap();
    let gateway = Setup::new(&*format!("http://my_service:{port}"))
        .name("my_service", [127, 0, 0, 1])
        .upstream(|upstream| upstream.domains(domains))
        .start()
        .await;
    let answer = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!(answer.status(), 200, "{}", answer.text());
    let host = format!("my_service:{port}");
    assert_eq!(vendor.next().await.head.value("host"), Some(host.as_str()));
    for domain in ["my_service", "other_service.test"] {
        let call = get(&format!("/p/c/x?__domain={domain}:{port}"));
        let answer = raw_call(gateway.address, call).await;
        assert_eq!((answer.status(), answer.error()), (400, Some("bad-domain")));
    }
    assert!(vendor.try_next().await.is_none());
}
