//! The hosts that `__domain` may name.

use tower_passthrough::policy::DomainPolicy;

use super::{Site, none};

#[tokio::test]
async fn d2_no_domain_is_allowed_unless_listed() {
    let site = Site::with(none).await;
    let port = site.port();
    for domain in [
        "evil.test",
        "https://evil.test/",
        "localhost",
        "vendor.test",
        "eu.api.vendor.test",
    ] {
        site.refuses(domain, 403, "domain-refused").await;
        let with_port = format!("{}:{port}", domain.trim_end_matches('/'));
        site.refuses(&with_port, 403, "domain-refused").await;
    }
    site.permits(&format!("api.vendor.test:{port}"), "api.vendor.test")
        .await;
}

#[tokio::test]
async fn d2_a_refused_domain_is_refused_without_a_look_up() {
    let site = Site::with(|port| {
        DomainPolicy::none()
            .allow(&format!("de.vendor.test:{port}"))
            .unwrap()
    })
    .await;
    let port = site.port();
    site.refuses(&format!("us.vendor.test:{port}"), 403, "domain-refused")
        .await;
    site.permits(&format!("de.vendor.test:{port}"), "de.vendor.test")
        .await;
    assert_eq!(site.names.asked(), ["de.vendor.test"]);
}

#[tokio::test]
async fn d3_patterns_match_whole_labels_below_their_suffix() {
    let allow = |port: u16| {
        DomainPolicy::none()
            .allow(&format!("*.regions.vendor.test:{port}"))
            .unwrap()
    };
    let site = Site::with(allow).await;
    let port = site.port();
    for host in [
        "regions.vendor.test",
        "evilregions.vendor.test",
        "xregions.vendor.test",
        "regions.vendor.test.evil.test",
        "eu.regions.vendor.test.evil.test",
        "eu.regions.vendor.testx",
        "evil.test",
        "vendor.test",
    ] {
        site.refuses(&format!("{host}:{port}"), 403, "domain-refused")
            .await;
    }
    for host in ["eu.regions.vendor.test", "a.b.regions.vendor.test"] {
        site.permits(&format!("{host}:{port}"), host).await;
    }
}

#[tokio::test]
async fn d3_a_pattern_without_a_port_means_the_default_port() {
    let allow = |_| {
        DomainPolicy::none()
            .allow("eu.vendor.test")
            .unwrap()
            .allow("*.vendor.test")
            .unwrap()
    };
    let site = Site::with(allow).await;
    let port = site.port();
    site.refuses(&format!("eu.vendor.test:{port}"), 403, "domain-refused")
        .await;
    site.refuses("eu.vendor.test:81", 403, "domain-refused")
        .await;
}

#[test]
fn d3_too_wide_patterns_cannot_be_built() {
    for pattern in [
        "*",
        "*.",
        "*.*",
        "*.com",
        "*.test",
        "*.co.uk",
        "*.github.io",
        "*.amazonaws.com",
        "*.s3.amazonaws.com",
        "*.herokuapp.com",
        "*.azurewebsites.net",
        "*.CO.UK",
        "*.com.",
        "a.*.vendor.test",
        "*vendor.test",
        "*.*.vendor.test",
        "127.0.0.1",
        "[::1]",
        "127.1",
        "*.127.0.0.1",
        "0x7f.1",
        "2130706433:80",
        "",
        " ",
        "vendor.test:0",
        "vendor.test:65536",
        "vendor.test:",
        "vendor.test:+80",
        // A stranger registers a host below a public suffix that is below the pattern's.
        "*.us-east-1.on.aws",
        "*.on.aws",
        "*.eu-west-1.amazonaws.com",
        "*.dev.adobeaemcloud.com",
        "*.azurestaticapps.net",
        "*.AWS",
        // A public suffix by itself.
        "github.io",
        "GitHub.io.",
        "co.uk:8443",
        "com",
        "lambda-url.us-east-1.on.aws",
        "https://vendor.test",
        "user@vendor.test",
        "vendor.test/x",
    ] {
        assert!(DomainPolicy::none().allow(pattern).is_err(), "{pattern:?}");
    }
    for pattern in [
        "vendor.test",
        "*.vendor.test",
        "*.vendor.co.uk:8443",
        "me.github.io",
        "*.me.github.io",
        "*.acme.lambda-url.us-east-1.on.aws",
        "*.vendor.com",
        "localhost:80",
        // Valid in DNS, although not in a URL that a caller names.
        "_x.vendor.test",
        "api",
    ] {
        assert!(DomainPolicy::none().allow(pattern).is_ok(), "{pattern:?}");
    }
}

#[test]
fn d10_a_wildcard_over_tenants_of_a_vendor_cannot_be_built() {
    for suffix in [
        "force.com",
        "okta.com",
        "oktapreview.com",
        "sharepoint.com",
        "auth0.com",
        "my.site.com",
        "onmicrosoft.com",
        "b2clogin.com",
        "dynamics.com",
        "snowflakecomputing.com",
        "cloud.databricks.com",
        "freshdesk.com",
        "netsuite.com",
        "pagerduty.com",
        "mktorest.com",
        "webex.com",
        "zendesk.com",
        "myshopify.com",
        "my.salesforce.com",
        "salesforce.com",
        "atlassian.net",
        "service-now.com",
        "amazonaws.com",
        "googleapis.com",
    ] {
        assert!(
            DomainPolicy::none().allow(&format!("*.{suffix}")).is_err(),
            "*.{suffix}"
        );
        assert!(
            DomainPolicy::none()
                .allow(&format!("*.{suffix}:443"))
                .is_err(),
            "*.{suffix}:443"
        );
        assert!(
            DomainPolicy::none()
                .allow(&format!("acme.{suffix}"))
                .is_ok(),
            "acme.{suffix}"
        );
    }
}
