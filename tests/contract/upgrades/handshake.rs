//! The requests that ask for an upgrade, the requests that the vendor sees, and the answers that open a tunnel.

use tokio::sync::mpsc;
use tower_passthrough::authorize::AuthorizeFn;
use tower_passthrough::policy::DomainPolicy;
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::{CallContext, Connection, CredentialStore, StoreError, auth};

use super::{ACCEPT, Ends, KEY, agreement, handshake};
use testkit::caller::{Caller, get, raw_call, request};
use testkit::gateway::{Gateway, Mount, Setup, TOKEN};
use testkit::manual::ManualVendor;
use testkit::reply::Reply;
use testkit::vendor::Vendor;

#[tokio::test]
async fn u1_other_protocols_are_removed_and_the_request_is_sent_as_ordinary() {
    let vendor = Vendor::ok().await;
    let gateway = Gateway::to(&vendor).await;
    for token in ["h2c", "TLS/1.0", "websocketx", "x-websocket"] {
        let lines = [
            "Connection: Upgrade, HTTP2-Settings",
            "HTTP2-Settings: AAMAAABkAAQAAP__",
            &format!("Upgrade: {token}"),
        ];
        let answer = raw_call(gateway.address, request("GET", "/p/c/x", &lines, "")).await;
        assert_eq!(answer.status(), 200, "{token}");
        let seen = vendor.next().await;
        assert!(seen.head.value("upgrade").is_none(), "{token}");
        assert!(seen.head.value("connection").is_none(), "{token}");
    }
}

#[tokio::test]
async fn u1_an_upgrade_that_connection_does_not_name_is_removed() {
    let vendor = Vendor::ok().await;
    let gateway = Gateway::to(&vendor).await;
    let lines = ["Upgrade: websocket"];
    let answer = raw_call(gateway.address, request("GET", "/p/c/x", &lines, "")).await;
    assert_eq!(answer.status(), 200);
    assert!(vendor.next().await.head.value("upgrade").is_none());
}

#[tokio::test]
async fn u1_only_a_get_can_upgrade() {
    let vendor = Vendor::ok().await;
    let gateway = Gateway::to(&vendor).await;
    let lines = ["Connection: Upgrade", "Upgrade: websocket"];
    let answer = raw_call(gateway.address, request("DELETE", "/p/c/x", &lines, "")).await;
    assert_eq!(answer.status(), 200);
    assert!(vendor.next().await.head.value("upgrade").is_none());
}

#[tokio::test]
async fn u2_the_handshake_is_made_again_and_its_fields_are_forwarded() {
    for mount in [Mount::Hyper, Mount::Nest, Mount::Layer] {
        let vendor = ManualVendor::bind().await;
        let gateway = Setup::new(&vendor).mount(mount).start().await;
        let mut caller = Caller::connect(gateway.address).await;
        let lines = "Connection: x-nominated\r\nX-Nominated: 1\r\nAuthorization: Bearer mine\r\n\
                     Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\
                     Sec-WebSocket-Protocol: chat, v2\r\nOrigin: https://app.test\r\n";
        caller.write(handshake("/p/c/live?a=1", lines)).await;
        let mut vendor = vendor.accept().await;
        let head = vendor.head().await;
        assert_eq!(head.start, "GET /live?a=1 HTTP/1.1", "{mount:?}");
        for (name, value) in [
            ("connection", "upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-key", KEY),
            ("sec-websocket-version", "13"),
            (
                "sec-websocket-extensions",
                "permessage-deflate; client_max_window_bits",
            ),
            ("sec-websocket-protocol", "chat, v2"),
            ("origin", "https://app.test"),
            ("authorization", &format!("Bearer {TOKEN}")),
        ] {
            assert_eq!(head.values(name), [value], "{name} {mount:?}");
        }
        assert!(head.value("x-nominated").is_none());
        assert!(
            head.value("content-length").is_none() && head.value("transfer-encoding").is_none()
        );

        let lines = "Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Protocol: v2\r\n\
                     Keep-Alive: timeout=5\r\nSet-Cookie: a=1\r\nPassthrough-Error: x\r\n";
        vendor.write(agreement(lines)).await;
        let answer = caller.head().await;
        assert_eq!(answer.start, "HTTP/1.1 101 Switching Protocols");
        for (name, value) in [
            ("connection", "upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-accept", ACCEPT),
            ("sec-websocket-extensions", "permessage-deflate"),
            ("sec-websocket-protocol", "v2"),
            ("set-cookie", "a=1"),
        ] {
            assert_eq!(answer.values(name), [value], "{name} {mount:?}");
        }
        for name in ["keep-alive", "passthrough-error", "content-length"] {
            assert!(answer.value(name).is_none(), "{name}");
        }
    }
}

#[tokio::test]
async fn u2_over_tls_only_http1_is_offered() {
    let vendor = ManualVendor::bind_tls(&["h2", "http/1.1"]).await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(handshake("/p/c/live", "")).await;
    let mut vendor = vendor.accept().await;
    assert_eq!(vendor.head().await.value("upgrade"), Some("websocket"));
    vendor.write(agreement("")).await;
    assert_eq!(caller.head().await.status(), 101);
    caller.write("ping").await;
    assert_eq!(vendor.wire.exactly(4).await.0, b"ping");
}

#[tokio::test]
async fn u2_a_tunnel_has_its_own_connection() {
    let vendor = Vendor::replying(|received| match received.head.value("upgrade") {
        Some(_) => Reply::bytes(agreement("")),
        None => Reply::ok("ok"),
    })
    .await;
    let gateway = Gateway::to(&vendor).await;
    assert_eq!(raw_call(gateway.address, get("/p/c/x")).await.status(), 200);
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(handshake("/p/c/live", "")).await;
    assert_eq!(caller.head().await.status(), 101);
    // The idle connection still serves other calls.
    assert_eq!(raw_call(gateway.address, get("/p/c/y")).await.status(), 200);
    let seen = [
        vendor.next().await,
        vendor.next().await,
        vendor.next().await,
    ];
    assert_eq!(seen.map(|seen| seen.connection), [0, 1, 0]);
}

#[tokio::test]
async fn u3_a_switch_to_another_protocol_is_502_and_nothing_is_tunnelled() {
    for answer in [
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nsmuggled",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket, h2c\r\n\r\nsmuggled",
        "HTTP/1.1 101 Switching Protocols\r\n\r\nsmuggled",
    ] {
        let vendor = Vendor::answering(answer).await;
        let gateway = Gateway::to(&vendor).await;
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(handshake("/p/c/live", "")).await;
        let refused = caller.response("GET").await;
        assert_eq!(refused.status(), 502);
        assert_eq!(refused.error(), Some("upstream-protocol"));
        let status = refused.head.value("proxy-status").unwrap();
        assert!(status.contains("http_upgrade_failed"), "{status}");
        assert!(!refused.text().contains("smuggled"));
        vendor.closed(0).await;
    }
}

#[tokio::test]
async fn u3_a_switch_without_a_request_for_it_is_502() {
    let vendor = Vendor::answering(agreement("")).await;
    let gateway = Gateway::to(&vendor).await;
    let answer = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!(answer.status(), 502);
    assert_eq!(answer.error(), Some("upstream-protocol"));
    vendor.closed(0).await;
}

#[tokio::test]
async fn u3_nothing_is_tunnelled_before_the_vendor_has_agreed() {
    let vendor = ManualVendor::bind().await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    caller
        .write(handshake("/p/c/live", "") + "early bytes of the caller")
        .await;
    let mut vendor = vendor.accept().await;
    vendor.head().await;
    assert!(vendor.wire.buffered().is_empty());
    vendor.write(agreement("")).await;
    assert_eq!(caller.head().await.status(), 101);
    let (early, _) = vendor.wire.exactly(25).await;
    assert_eq!(early, b"early bytes of the caller");
}

#[tokio::test]
async fn u4_a_refusal_is_an_ordinary_answer_before_the_next_request() {
    let vendor = Vendor::replying(|received| match received.target() {
        "/live" => Reply::from(
            "HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\nContent-Length: 3\r\n\r\nno!",
        ),
        _ => Reply::ok("second"),
    })
    .await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    let both = handshake("/p/c/live", "") + &get("/p/c/next");
    caller.write(both).await;
    let refused = caller.response("GET").await;
    assert_eq!((refused.status(), refused.text().as_str()), (426, "no!"));
    assert_eq!(refused.head.value("sec-websocket-version"), Some("13"));
    let next = caller.response("GET").await;
    assert_eq!((next.status(), next.text().as_str()), (200, "second"));
    assert_eq!(vendor.next().await.target(), "/live");
    assert_eq!(vendor.next().await.target(), "/next");
    vendor.closed(0).await;
}

#[tokio::test]
async fn u4_an_unread_refusal_closes_the_vendors_connection() {
    let body = vec![b'x'; 4 << 20];
    let mut refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 4194304\r\n\r\n".to_vec();
    refusal.extend(body);
    let vendor = Vendor::answering(refusal).await;
    let gateway = Gateway::to(&vendor).await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(handshake("/p/c/live", "")).await;
    assert_eq!(caller.head().await.status(), 403);
    drop(caller);
    vendor.all_closed().await;
}

#[tokio::test]
async fn u5_an_upgrade_with_a_body_is_sent_as_ordinary() {
    let vendor = Vendor::ok().await;
    let gateway = Gateway::to(&vendor).await;
    let asks = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
    let version = format!("Sec-WebSocket-Key: {KEY}");
    for (framing, body) in [
        ("Content-Length: 4", "body"),
        ("Transfer-Encoding: chunked", "4\r\nbody\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked", "0\r\n\r\n"),
    ] {
        let lines = [asks.trim_end(), &version, framing];
        let answer = raw_call(gateway.address, request("GET", "/p/c/x", &lines, body)).await;
        assert_eq!(answer.status(), 200, "{framing}");
        let seen = vendor.next().await;
        assert!(seen.head.value("upgrade").is_none(), "{framing}");
        assert!(seen.head.value("connection").is_none(), "{framing}");
    }
}

#[tokio::test]
async fn u8_all_checks_apply_to_the_handshake() {
    let vendor = Vendor::answering(agreement("")).await;
    let gateway = Gateway::to(&vendor).await;
    for (target, status, code) in [
        ("/p/nobody/live", 404, "unknown-connection"),
        ("/p/c/../live", 400, "bad-address"),
        ("/p/c/live?__domain=evil.test", 403, "domain-refused"),
        ("/p/c/live?__domain=", 400, "bad-domain"),
    ] {
        let answer = raw_call(gateway.address, handshake(target, "")).await;
        assert_eq!(answer.status(), status, "{target}");
        assert_eq!(answer.error(), Some(code), "{target}");
    }
    vendor.untouched().await;
}

#[tokio::test]
async fn u8_the_address_of_a_tunnel_is_checked() {
    let vendor = Vendor::answering(agreement("")).await;
    let gateway = Setup::new(&vendor)
        .name("vendor.test", [10, 0, 0, 1])
        .start()
        .await;
    let answer = raw_call(gateway.address, handshake("/p/c/live", "")).await;
    assert_eq!(answer.error(), Some("destination-refused"));
    assert!(answer.text().contains("\"sent\":false"));
}

#[tokio::test]
async fn u8_domain_and_query_keys_apply() {
    let vendor = ManualVendor::bind().await;
    let port = vendor.address().port();
    let gateway = Setup::new(&vendor)
        .upstream(move |upstream| {
            let pattern = format!("eu.vendor.test:{port}");
            let domains = DomainPolicy::none().allow(&pattern).unwrap();
            upstream
                .domains(domains)
                .auth(auth::Query::new("token").unwrap())
        })
        .start()
        .await;
    let mut caller = Caller::connect(gateway.address).await;
    let target = format!("/p/c/live?a=1&__domain=eu.vendor.test:{port}");
    caller.write(handshake(&target, "")).await;
    let mut vendor = vendor.accept().await;
    let head = vendor.head().await;
    assert_eq!(head.target(), format!("/live?a=1&token={TOKEN}"));
    assert_eq!(
        head.value("host"),
        Some(format!("eu.vendor.test:{port}").as_str())
    );
}

struct Renewing(mpsc::UnboundedSender<()>);

impl CredentialStore for Renewing {
    async fn connection(
        &self,
        _: &ConnectionKey,
        _: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        Ok(Connection::new("vendor").with_secret("token", "stale"))
    }

    async fn refresh(
        &self,
        _: &ConnectionKey,
        _: &Connection,
        _: CallContext<'_>,
    ) -> Result<Option<Connection>, StoreError> {
        let _ = self.0.send(());
        Ok(Some(
            Connection::new("vendor").with_secret("token", "fresh"),
        ))
    }

    fn can_refresh(&self, _: &Connection) -> bool {
        true
    }
}

#[tokio::test]
async fn u8_after_a_401_the_handshake_is_sent_with_a_new_credential() {
    let vendor = Vendor::replying(|received| match received.head.value("authorization") {
        Some("Bearer fresh") => Reply::bytes(agreement("")),
        _ => Reply::from("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"),
    })
    .await;
    let (sender, mut renewals) = mpsc::unbounded_channel();
    let gateway = Setup::new(&vendor)
        .start_with(Renewing(sender), AuthorizeFn::new(|_, _| true))
        .await;
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(handshake("/p/c/live", "")).await;
    assert_eq!(caller.head().await.status(), 101);
    renewals.recv().await.unwrap();
    assert!(renewals.try_recv().is_err());
    let replayed = [vendor.next().await, vendor.next().await];
    assert!(
        replayed
            .iter()
            .all(|seen| seen.head.value("sec-websocket-key") == Some(KEY))
    );
}

#[tokio::test]
async fn u8_a_vendor_that_never_answers_is_a_timeout() {
    let vendor = Vendor::answering(Reply::silence()).await;
    let gateway = Setup::new(&vendor)
        .options(|options| options.response_head_timeout(std::time::Duration::from_millis(200)))
        .start()
        .await;
    let answer = raw_call(gateway.address, handshake("/p/c/live", "")).await;
    assert_eq!(answer.error(), Some("upstream-timeout"));
    vendor.all_closed().await;
}

#[tokio::test]
async fn u2_the_vendor_sees_the_base_path() {
    let ends = Ends::of(|setup| setup.path("/v2")).await;
    assert_eq!(ends.asked.target(), "/v2/live");
}
