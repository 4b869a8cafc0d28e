//! A key in the query, which a vendor returns in its links.

use tower_passthrough::{Connection, auth};

use super::answering_with;
use testkit::caller::get;
use testkit::pair::Pair;

async fn scrubbing(fields: &str, body: &str) -> Pair {
    let length = body.len();
    let reply = format!("HTTP/1.1 302 Found\r\n{fields}\r\nContent-Length: {length}\r\n\r\n{body}");
    answering_with(reply, |setup| {
        setup
            .upstream(|u| u.auth(auth::Query::new("api_key").unwrap()))
            .connection(Connection::new("vendor").with_secret("api_key", "S+"))
    })
    .await
}

#[tokio::test]
async fn q11_the_key_is_removed_from_location_and_link() {
    for (sent, back) in [
        (
            "https://vendor.test/y?api_key=S%2B",
            "https://vendor.test/y",
        ),
        (
            "https://vendor.test/y?a=1+2&api_key=S%2B&b=%20#f",
            "https://vendor.test/y?a=1+2&b=%20#f",
        ),
        ("/y?api_key=S%2B&page=2", "/y?page=2"),
        ("?api%5Fkey=S+", ""),
        ("/y?api_key=S&x&api_key=S%2B", "/y?x"),
        (
            "/y?api_key[]=1&my_api_key=2&Api_Key=3",
            "/y?api_key[]=1&my_api_key=2&Api_Key=3",
        ),
        ("/api_key=x?page=2", "/api_key=x?page=2"),
        (
            "/login?next=/p/c/x?api_key=S%2B&page=2",
            "/login?next=/p/c/x?page=2",
        ),
        (
            "/login?next=%2Fx%3Fapi_key=S%2B%26page=2",
            "/login?next=%2Fx%3Fpage=2",
        ),
        ("/login?a=1&amp;api_key=S%2B", "/login?a=1"),
    ] {
        let pair = scrubbing(&format!("Location: {sent}"), "").await;
        let response = pair.call(get("/p/c/x")).await;
        assert_eq!(response.head.values("location"), [back], "{sent}");
    }
    for (sent, back) in [
        (
            "<https://vendor.test/x?api_key=S%2B&page=2>; rel=next",
            "<https://vendor.test/x?page=2>; rel=next",
        ),
        (
            "</x?page=2&api_key=S%2B>; rel=\"next\", </x?api_key=S%2B>; rel=first",
            "</x?page=2>; rel=\"next\", </x>; rel=first",
        ),
        ("</x?a=1,2&b=;>; rel=next", "</x?a=1,2&b=;>; rel=next"),
    ] {
        let pair = scrubbing(&format!("Link: {sent}"), "").await;
        let response = pair.call(get("/p/c/x")).await;
        assert_eq!(response.head.values("link"), [back], "{sent}");
    }
}

#[tokio::test]
async fn q11_the_key_is_removed_from_refresh() {
    for (sent, back) in [
        (
            "0; url=https://vendor.test/x?api_key=S%2B&page=2",
            "0; url=https://vendor.test/x?page=2",
        ),
        ("5;URL=\"/x?api_key=S%2B\"", "5;URL=\"/x\""),
        ("5;URL='/x?a=1&api_key=S%2B'", "5;URL='/x?a=1"),
        ("30", "30"),
    ] {
        let pair = scrubbing(&format!("Refresh: {sent}"), "").await;
        let response = pair.call(get("/p/c/x")).await;
        assert_eq!(response.head.values("refresh"), [back], "{sent}");
    }
}

#[tokio::test]
async fn q11_each_line_is_scrubbed_and_bodies_never_are() {
    let body = "{\"next\":\"https://vendor.test/x?api_key=S%2B\"}";
    let fields =
        "Link: </x?api_key=S%2B&page=2>; rel=next\r\nLink: </x?api_key=S%2B&page=9>; rel=last";
    let pair = scrubbing(fields, body).await;
    let response = pair.call(get("/p/c/x")).await;
    let links = ["</x?page=2>; rel=next", "</x?page=9>; rel=last"];
    assert_eq!(response.head.values("link"), links);
    assert_eq!(response.text(), body);
}
