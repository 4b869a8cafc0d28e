//! Failures with a client certificate, and the errors that callers get.

use std::time::Duration;

use tower_passthrough::Connection;
use tower_passthrough::resilience::CircuitPolicy;

use super::{HTTP1, HTTP2, gateway, setup};
use testkit::caller::{RawResponse, get, post, raw_call};
use testkit::identities::Authority;
use testkit::mtls_vendor::{MtlsVendor, Terms};
use testkit::vendor::Vendor;

fn told(answer: &RawResponse) -> (u16, &str, &str, bool) {
    let status = answer.head.value("proxy-status").unwrap_or_default();
    (
        answer.status(),
        answer.error().unwrap_or_default(),
        status.split("error=").nth(1).unwrap_or_default(),
        answer.text().contains("\"sent\":true"),
    )
}

#[tokio::test]
async fn v1_a_client_certificate_does_not_weaken_verification() {
    let authority = Authority::new();
    let own = || authority.certify("own").connection();
    let bad = (502, "upstream-unreachable", "tls_certificate_error", false);
    for alpn in [HTTP1, HTTP2] {
        let mut terms = Terms::new(authority.verifier(false), alpn);
        terms.name = "another.test";
        let vendor = MtlsVendor::start(&terms).await;
        let elsewhere = gateway(&vendor, own()).await;
        let answer = raw_call(elsewhere.address, get("/p/c/x")).await;
        assert_eq!(told(&answer), bad);
        assert!(vendor.shaken().is_empty());

        // The same vendor, with a transport that trusts other roots.
        terms.name = "vendor.test";
        let vendor = MtlsVendor::start(&terms).await;
        let strange = setup(&vendor).connection(own());
        let strange = strange.transport(|_| {
            let loopback = "127.0.0.0/8".parse().unwrap();
            tower_passthrough::HttpTransport::builder()
                .network(tower_passthrough::policy::NetworkPolicy::new().allow(loopback))
                .resolve("vendor.test", [127, 0, 0, 1].into())
        });
        let strange = strange.start().await;
        let answer = raw_call(strange.address, get("/p/c/x")).await;
        assert_eq!(told(&answer), bad);
        assert!(vendor.shaken().is_empty());
        // Only the trusted roots differ.
        let trusting = gateway(&vendor, own()).await;
        let answer = raw_call(trusting.address, get("/p/c/x")).await;
        assert_eq!(answer.text(), "own /x : ");
    }
}

#[tokio::test]
async fn d7_a_client_certificate_needs_tls() {
    let vendor = Vendor::ok().await;
    let authority = Authority::new();
    let gateway = gateway(&vendor, authority.certify("own").connection()).await;
    let answer = raw_call(gateway.address, get("/p/c/x")).await;
    let expected = (502, "destination-refused", "http_request_denied", false);
    assert_eq!(told(&answer).1, expected.1);
    assert_eq!((told(&answer).2, told(&answer).3), (expected.2, expected.3));
    vendor.untouched().await;
}

/// Checks the error for a certificate that the vendor doesn't know.
async fn refused(alpn: &[&'static str], version: &'static rustls::SupportedProtocolVersion) {
    let authority = Authority::new();
    let mut terms = Terms::new(authority.verifier(true), alpn);
    terms.versions = vec![version];
    let vendor = MtlsVendor::start(&terms).await;
    let stranger = Authority::new().certify("stranger").connection();
    let gateway = setup(&vendor)
        .connection(stranger)
        .also("own", authority.certify("own").connection());
    let gateway = gateway.start().await;
    for _ in 0..5 {
        let answer = raw_call(gateway.address, post("/p/c/x", "body")).await;
        let told = told(&answer);
        assert_eq!((told.0, told.1), (502, "upstream-unreachable"), "{told:?}");
        let expected: &[_] = if *version == rustls::version::TLS12 {
            // The handshake itself fails.
            &[("tls_protocol_error", false)]
        } else {
            // The gateway notices the refusal when the request is on its way, or just before.
            &[
                ("tls_alert_received", true),
                ("connection_terminated", false),
            ]
        };
        assert!(expected.contains(&(told.2, told.3)), "{told:?}");
    }
    let answer = raw_call(gateway.address, get("/p/own/x")).await;
    assert_eq!(answer.text(), "own /x : ");
    let shaken = vendor.shaken();
    assert!(
        shaken.iter().all(|shaken| shaken.subject == "own"),
        "{shaken:?}"
    );
}

#[tokio::test]
async fn a_refused_certificate_is_an_error_over_tls_1_2_and_1_3() {
    for alpn in [HTTP1, HTTP2] {
        refused(alpn, &rustls::version::TLS12).await;
        refused(alpn, &rustls::version::TLS13).await;
    }
}

#[tokio::test]
async fn e10_a_refused_identity_opens_no_circuit_for_others() {
    for versions in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let authority = Authority::new();
        let mut terms = Terms::new(authority.verifier(true), HTTP1);
        terms.versions = vec![versions];
        let vendor = MtlsVendor::start(&terms).await;
        let policy = CircuitPolicy::new()
            .failures(2)
            .open_for(Duration::from_secs(600));
        let gateway = setup(&vendor)
            .connection(Authority::new().certify("stranger").connection())
            .also("own", authority.certify("own").connection())
            .options(move |options| options.circuit(policy));
        let gateway = gateway.start().await;
        for _ in 0..5 {
            let answer = raw_call(gateway.address, get("/p/c/x")).await;
            assert_eq!(answer.error(), Some("upstream-unreachable"));
        }
        let answer = raw_call(gateway.address, get("/p/own/x")).await;
        assert_eq!(answer.text(), "own /x : ");
    }
}

#[tokio::test]
async fn a_certificate_is_presented_only_if_the_vendor_asks() {
    let vendor = Vendor::replying_over_tls(HTTP1, |_| testkit::reply::Reply::ok("ok")).await;
    let own = Authority::new().certify("own");
    let gateway = gateway(&vendor, own.connection()).await;
    let answer = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!(answer.text(), "ok");
    // A vendor that demands a certificate doesn't get a call without a certificate.
    let authority = Authority::new();
    let vendor = MtlsVendor::start(&Terms::new(authority.verifier(true), HTTP1)).await;
    let bearer = Connection::new("vendor").with_secret("token", "t");
    let gateway = testkit::gateway::Setup::new(&vendor).connection(bearer);
    let answer = raw_call(gateway.start().await.address, get("/p/c/x")).await;
    assert_eq!(answer.error(), Some("upstream-unreachable"));
    assert!(vendor.shaken().is_empty());
}
