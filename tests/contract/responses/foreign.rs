//! Locations that lead away from the gateway, where a client would send the key for the host application.

use tower_passthrough::policy::DomainPolicy;
use tower_passthrough::service::ForeignLocations;

use super::answering_with;
use testkit::caller::{RawResponse, get};
use testkit::gateway::Builder;

const FIELDS: &str = "Location: https://evil.test/x\r\nContent-Location: /v2/y\r\n\
    Refresh: 0; url=//evil.test/\r\nX-Goog-Upload-URL: https://login.vendor.test/u\r\n\
    Link: <https://evil.test/a>; rel=help, </b?c=1,2>; rel=\"next\"; title=\"x, <y>\" , <https://login.vendor.test/d>\r\n\
    Link: <https://evil.test/e>; rel=last\r\nLink: <broken\r\n\
    Link: x=<https://evil.test/f>; rel=next\r\nLink: </g>; title=\"<https://evil.test/h>; rel=next\"\r\nX-Other: https://evil.test/";

async fn answer(change: impl FnOnce(Builder) -> Builder + Send + 'static) -> RawResponse {
    let reply = format!("HTTP/1.1 307 Moved\r\n{FIELDS}\r\nContent-Length: 2\r\n\r\nok");
    let pair = answering_with(reply, |setup| setup.options(change)).await;
    pair.call(get("/p/c/x")).await
}

#[tokio::test]
async fn r13_foreign_locations_pass_by_default() {
    let response = answer(|options| options).await;
    for line in FIELDS.split("\r\n") {
        let (name, value) = line.split_once(": ").unwrap();
        assert!(response.head.values(name).contains(&value), "{line}");
    }
}

#[tokio::test]
async fn r13_hidden_locations_leave_the_response_otherwise_as_it_is() {
    let response = answer(|options| options.foreign_locations(ForeignLocations::Hide)).await;
    assert_eq!((response.status(), &*response.text()), (307, "ok"));
    for name in ["location", "refresh", "x-goog-upload-url"] {
        assert!(!response.head.has(name), "{name}");
    }
    assert_eq!(response.head.values("content-location"), ["/v2/y"]);
    let next = "</b?c=1,2>; rel=\"next\"; title=\"x, <y>\"";
    assert_eq!(response.head.values("link"), [next]);
    assert_eq!(response.head.values("x-other"), ["https://evil.test/"]);
}

#[tokio::test]
async fn r13_only_listed_hosts_pass() {
    let listed = DomainPolicy::none().allow("login.vendor.test").unwrap();
    let only = ForeignLocations::Only(listed);
    let response = answer(|options| options.foreign_locations(only)).await;
    assert!(!response.head.has("location") && !response.head.has("refresh"));
    let upload = response.head.values("x-goog-upload-url");
    assert_eq!(upload, ["https://login.vendor.test/u"]);
    let links = "</b?c=1,2>; rel=\"next\"; title=\"x, <y>\" , <https://login.vendor.test/d>";
    assert_eq!(response.head.values("link"), [links]);
}

/// An upstream must not lead a client to another connection of the gateway either.
#[tokio::test]
async fn r13_rewritten_links_stay_and_an_upstreams_own_address_of_the_gateway_goes() {
    let hiding = |options: Builder| {
        let options = options.rewrite_links(true);
        options.foreign_locations(ForeignLocations::Hide)
    };
    for (sent, expected) in [
        ("/y?page=2", Some("http://app.test/p/c/y?page=2")),
        ("y", Some("y")),
        ("http://app.test/p/other/delete", None),
        ("http://vendor.test/y", None),
        ("/\\evil.test", None),
        ("/%2e%2e/y", Some("/%2e%2e/y")),
    ] {
        let reply = format!("HTTP/1.1 302 Found\r\nLocation: {sent}\r\nContent-Length: 0\r\n\r\n");
        let pair = answering_with(reply, |setup| setup.options(hiding)).await;
        let response = pair.call(get("/p/c/x")).await;
        assert_eq!(response.status(), 302);
        assert_eq!(response.head.value("location"), expected, "{sent}");
    }
}
