//! Token endpoints that don't answer, don't end, or can't be reached.

use std::time::Duration;

use http::{Request, Response};
use tokio::time::Instant;
use tower_passthrough::body::{RequestBody, UpstreamBody};
use tower_passthrough::client::{Dispatch, TransportError};
use tower_passthrough::oauth2::{ClientAuth, OAuth2TokenSource};
use tower_passthrough::policy::NetworkPolicy;
use tower_passthrough::refresh::TokenSource;
use tower_passthrough::{HttpTransport, Transport};

use super::kit::{connection, endpoint, failure, id, obtain, reply, source, transport};
use testkit::reply::Reply;
use testkit::vendor::Vendor;
use testkit::wait::within;

#[tokio::test]
async fn an_endless_answer_times_out() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";
    for half in ["", head, &format!("{head}{{\"access_token\":\"new\"")] {
        let mut reply = Reply::bytes(half);
        reply.0.extend(Reply::silence().0);
        let vendor = Vendor::answering(reply).await;
        let endpoint = endpoint(&vendor).client_auth(ClientAuth::None);
        let source = source(&vendor, endpoint).timeout(Duration::from_millis(300));
        let outcome = within("a timeout", source.fetch(&id(), &connection())).await;
        let (cause, retry_after) = failure(outcome);
        assert_eq!(
            cause.to_string(),
            "the token endpoint of `vendor` didn't respond in time"
        );
        assert_eq!((cause.status(), retry_after), (None, None));
        vendor.closed(0).await;
    }
}

#[tokio::test]
async fn l8_a_body_over_the_limit_is_an_error() {
    let said = "HTTP/1.1 200 OK\r\nContent-Length: 262145\r\n\r\n{";
    let mut chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..300 {
        chunked.extend_from_slice(b"400\r\n");
        chunked.extend_from_slice(&[b' '; 1024]);
        chunked.extend_from_slice(b"\r\n");
    }
    for bytes in [said.as_bytes().to_vec(), chunked] {
        let mut reply = Reply::bytes(bytes);
        reply.0.extend(Reply::silence().0);
        let vendor = Vendor::answering(reply).await;
        let endpoint = endpoint(&vendor).client_auth(ClientAuth::None);
        let outcome = within("an end", obtain(&vendor, endpoint, &connection())).await;
        assert_eq!(
            failure(outcome).0.to_string(),
            "the token endpoint of `vendor` responded with 200 with more than 256 KiB"
        );
        vendor.closed(0).await;
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_gives_no_token() {
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"access_token\":\"new\"";
    let vendor = Vendor::answering(Reply::bytes(half).close()).await;
    let endpoint = endpoint(&vendor).client_auth(ClientAuth::None);
    let (cause, _) = failure(obtain(&vendor, endpoint, &connection()).await);
    assert_eq!(
        cause.to_string(),
        "the token endpoint of `vendor` responded with 200, and broke off"
    );
}

/// The answer may have the only copy of a rotated token.
#[tokio::test]
async fn a_whole_answer_counts_even_if_its_connection_breaks() {
    let whole = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"access_token\":\"new\"}";
    let vendor = Vendor::answering(Reply::bytes(whole).close()).await;
    let endpoint = endpoint(&vendor).client_auth(ClientAuth::None);
    assert!(obtain(&vendor, endpoint, &connection()).await.is_ok());
}

#[tokio::test]
async fn no_request_is_repeated() {
    for reply in [
        reply(500, "{}"),
        reply(401, "{}"),
        reply(307, ""),
        Reply::bytes("").reset(),
        Reply::bytes("HTTP/1.1 200").close(),
    ] {
        let vendor = Vendor::answering(reply).await;
        let endpoint = endpoint(&vendor).client_auth(ClientAuth::None);
        failure(obtain(&vendor, endpoint, &connection()).await);
        vendor.next().await;
        assert_eq!(vendor.connections().await, 1);
        assert!(vendor.try_next().await.is_none());
    }
}

#[tokio::test]
async fn an_endpoint_that_cannot_be_reached_is_a_failure() {
    let gone = "http://vendor.test:1";
    let endpoint = endpoint(gone).client_auth(ClientAuth::None);
    let (cause, _) = failure(obtain(gone, endpoint, &connection()).await);
    let shown = cause.to_string();
    assert!(
        shown.starts_with("the token endpoint of `vendor` can't be reached: "),
        "{shown}"
    );

    let other = OAuth2TokenSource::new(transport(gone));
    assert!(!other.supports(&connection()));
    let (cause, _) = failure(other.fetch(&id(), &connection()).await);
    assert!(cause.to_string().contains("has no token endpoint"));
    assert_eq!(cause.integration(), "vendor");
}

#[tokio::test]
async fn o5_plaintext_needs_permission() {
    let vendor = Vendor::ok().await;
    let network = NetworkPolicy::new().allow("127.0.0.0/8".parse().unwrap());
    let transport = HttpTransport::builder()
        .network(network)
        .resolve("vendor.test", [127, 0, 0, 1].into())
        .build()
        .unwrap();
    let endpoint = endpoint(&vendor).client_auth(ClientAuth::None);
    let source = OAuth2TokenSource::new(transport).with("vendor", endpoint);
    let (cause, _) = failure(source.fetch(&id(), &connection()).await);
    assert!(cause.to_string().contains("without TLS"), "{cause}");
    vendor.untouched().await;
}

/// Answers no request, and may not even send it.
struct Silent {
    sends: bool,
}

impl Transport for Silent {
    async fn send(
        &self,
        _: Request<RequestBody>,
        to: &Dispatch,
    ) -> Result<Response<UpstreamBody>, TransportError> {
        to.begin_wait();
        if self.sends {
            to.end_wait();
        }
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn o2_only_a_request_that_was_sent_is_waited_for_for_minutes() {
    for (sends, seconds) in [(false, 15), (true, 300)] {
        let endpoint = endpoint("https://vendor.test").client_auth(ClientAuth::None);
        let source = OAuth2TokenSource::new(Silent { sends }).with("vendor", endpoint);
        let began = Instant::now();
        let (cause, _) = failure(source.fetch(&id(), &connection()).await);
        assert_eq!(
            cause.to_string(),
            "the token endpoint of `vendor` didn't respond in time"
        );
        assert_eq!(began.elapsed().as_secs(), seconds);
    }
}
