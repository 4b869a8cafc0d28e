//! A HEAD request: axum completes a response that looks empty.

use axum::Router;
use axum::routing::any_service;

use crate::place::Place;
use testkit::caller::{RawResponse, raw_call, request};
use testkit::vendor::Vendor;
use tower_passthrough::PassthroughService;

/// Returns the answer to a HEAD of a vendor with that answer.
async fn head(vendor: &str, mount: impl FnOnce(PassthroughService) -> Router) -> RawResponse {
    let vendor = Vendor::answering(vendor).await;
    let prefixed = |service| Router::new().nest("/p", mount(service));
    let place = Place::before(vendor, |setup| setup, prefixed).await;
    raw_call(place.gateway.address, request("HEAD", "/p/c/x", &[], "")).await
}

fn any(service: PassthroughService) -> Router {
    Router::new().route_service("/{id}/{*path}", any_service(service))
}

fn nested(service: PassthroughService) -> Router {
    Router::new().fallback_service(service)
}

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const LENGTH: &str = "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n";
const EMPTY: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

#[tokio::test]
async fn b5_a_head_without_a_length_gets_no_length() {
    for mount in [any, nested] {
        let response = head(CHUNKED, mount).await;
        assert_eq!(response.status(), 200, "{}", response.text());
        assert!(!response.head.has("content-length"), "{:?}", response.head);
    }
}

#[tokio::test]
async fn b5_the_length_of_the_vendor_is_returned() {
    for mount in [any, nested] {
        for (vendor, length) in [(LENGTH, "1234"), (EMPTY, "0")] {
            let response = head(vendor, mount).await;
            assert_eq!(response.head.value("content-length"), Some(length));
        }
    }
}
