//! Protocols above HTTP that proxies break: the Model Context Protocol, git, container registries, resumable uploads.

use testkit::caller::{Caller, request};
use testkit::gateway::Setup;
use testkit::h2_caller::{self, H2Caller};
use testkit::manual::ManualVendor;
use testkit::pair::Pair;
use testkit::reply::Reply;
use testkit::vendor::Vendor;
use testkit::wire::Framing;
use tower_passthrough::address::Addressing;
use tower_passthrough::service::ResponseHeaderPolicy;

const SESSION: [&str; 3] = [
    "Mcp-Session-Id: 1868a90c",
    "MCP-Protocol-Version: 2025-06-18",
    "Accept: application/json, text/event-stream",
];

/// The streamable HTTP of the Model Context Protocol: a session in a field, notifications that are accepted without a body, an
/// event stream that is resumed, and the end of the session.
#[tokio::test]
async fn h11_a_session_of_mcp_passes() {
    let vendor = Vendor::replying(|received| {
        let is_notification = received.body.data.starts_with(b"{\"method\"");
        Reply::from(match (received.head.method(), is_notification) {
            ("POST", false) => {
                "HTTP/1.1 200 OK\r\nMcp-Session-Id: 1868a90c\r\nContent-Length: 2\r\n\r\n{}"
            }
            ("POST", true) => "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
            _ => "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, POST\r\nContent-Length: 0\r\n\r\n",
        })
    });
    let pair = Pair::before(vendor.await, |setup| setup).await;
    let mut caller = Caller::connect(pair.gateway.address).await;

    let begin = request("POST", "/p/c/mcp", &["Content-Length: 2"], "{}");
    let answer = caller.call(begin).await;
    assert_eq!(answer.head.value("mcp-session-id"), Some("1868a90c"));

    let told = "{\"method\":\"notifications/initialized\"}";
    let length = format!("Content-Length: {}", told.len());
    let lines = [&SESSION[..], &[&length]].concat();
    let answer = caller.call(request("POST", "/p/c/mcp", &lines, told)).await;
    assert_eq!((answer.status(), &*answer.text()), (202, ""));
    assert_eq!(answer.head.value("content-length"), Some("0"));

    let answer = caller
        .call(request("DELETE", "/p/c/mcp", &SESSION, ""))
        .await;
    assert_eq!(answer.status(), 405);
    assert_eq!(answer.head.value("allow"), Some("GET, POST"));
    assert_eq!(answer.error(), None);

    pair.vendor.next().await;
    for method in ["POST", "DELETE"] {
        let received = pair.vendor.next().await;
        assert_eq!(received.head.method(), method);
        assert_eq!(received.head.value("mcp-session-id"), Some("1868a90c"));
        assert_eq!(
            received.head.value("mcp-protocol-version"),
            Some("2025-06-18")
        );
    }
    assert_eq!(pair.vendor.connections().await, 1);
}

#[tokio::test]
async fn b14_an_event_stream_of_mcp_is_resumed_and_ends_with_its_caller() {
    let vendor = ManualVendor::bind().await;
    let gateway = Setup::new(&vendor).start().await;
    let mut caller = Caller::connect(gateway.address).await;
    let lines = [&SESSION[..], &["Last-Event-ID: 41"]].concat();
    caller.write(request("GET", "/p/c/mcp", &lines, "")).await;
    let mut connection = vendor.accept().await;
    let asked = connection.head().await;
    assert_eq!(asked.value("last-event-id"), Some("41"));
    // No byte of the body is there yet, and the caller gets the head.
    connection
        .write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    assert_eq!(caller.head().await.status(), 200);
    for event in [": ping\n\n", "\r\n", "id: 42\ndata: {}\n\n"] {
        let chunk = format!("{:x}\r\n{event}\r\n", event.len());
        connection.write(&chunk).await;
        let (arrived, _) = caller.wire.exactly(chunk.len()).await;
        assert_eq!(String::from_utf8_lossy(&arrived), chunk);
    }
    // A vendor that counts a session's streams must learn that the caller left.
    drop(caller);
    connection.closed().await;
}

#[tokio::test]
async fn r3_where_a_client_of_mcp_can_authorize_is_returned_unchanged() {
    const CHALLENGE: &str =
        "Bearer resource_metadata=\"https://mcp.vendor.test/.well-known/oauth-protected-resource\"";
    for (policy, expected) in [
        (ResponseHeaderPolicy::All, Some(CHALLENGE)),
        (ResponseHeaderPolicy::BrowserSafe, None),
    ] {
        let answer = format!(
            "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: {CHALLENGE}\r\nContent-Length: 0\r\n\r\n"
        );
        let pair = Pair::before(Vendor::answering(answer).await, move |setup| {
            setup.options(move |options| options.response_headers(policy))
        })
        .await;
        let answer = pair
            .call(request("POST", "/p/c/mcp", &["Content-Length: 0"], ""))
            .await;
        assert_eq!(answer.status(), 401);
        assert_eq!(answer.head.value("www-authenticate"), expected);
    }
}

/// The older transport of the Model Context Protocol names the address for messages in the event stream.
#[tokio::test]
async fn r4_an_address_in_an_event_is_not_changed() {
    let event = "event: endpoint\ndata: /messages?sessionId=1\n\n";
    let length = event.len();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {length}\r\n\r\n{event}"
    );
    let pair = Pair::before(Vendor::answering(answer).await, |setup| {
        setup.options(|options| options.rewrite_links(true))
    })
    .await;
    let answer = pair.call(request("GET", "/p/c/sse", &[], "")).await;
    assert_eq!(answer.text(), event);
}

/// By host, the path in the event is the upstream's path.
#[tokio::test]
async fn p23_an_address_in_an_event_leads_to_the_upstream_by_host() {
    const EVENT: &str = "event: endpoint\ndata: /messages?sessionId=1\n\n";
    let vendor = Vendor::replying(|received| match received.target() {
        "/sse" => Reply::ok(EVENT),
        _ => Reply::from("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"),
    });
    let pair = Pair::before(vendor.await, |setup| {
        let addressing = Addressing::path().host("{connection}.gw.test").unwrap();
        setup.options(|options| options.address_by(addressing))
    })
    .await;
    let at =
        |line: &str| format!("{line} HTTP/1.1\r\nHost: c.gw.test\r\nContent-Length: 0\r\n\r\n");
    let answer = pair.call(at("GET /sse")).await.text();
    let address = answer.lines().find_map(|line| line.strip_prefix("data: "));
    let answer = pair.call(at(&format!("POST {}", address.unwrap()))).await;
    assert_eq!(answer.status(), 202);
    pair.vendor.next().await;
    assert_eq!(pair.vendor.next().await.target(), "/messages?sessionId=1");
}

/// git compresses a request that names many references, and sends a large pack in chunks.
#[tokio::test]
async fn b6_a_compressed_request_of_git_keeps_its_coding_and_its_protocol() {
    const GZIP: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x01";
    let pair = Pair::new().await;
    let kind = "Content-Type: application/x-git-upload-pack-request";
    for (framing, is_chunked) in [
        (format!("Content-Length: {}", GZIP.len()), false),
        ("Transfer-Encoding: chunked".to_owned(), true),
    ] {
        let lines = [
            "Git-Protocol: version=2",
            "Content-Encoding: gzip",
            kind,
            &*framing,
        ];
        let mut call = request("POST", "/p/c/o/r.git/git-upload-pack", &lines, "").into_bytes();
        match is_chunked {
            true => {
                call.extend(format!("{:x}\r\n", GZIP.len()).bytes());
                call.extend(GZIP);
                call.extend(b"\r\n0\r\n\r\n");
            }
            false => call.extend(GZIP),
        }
        let received = pair.seen(call).await;
        assert_eq!(received.head.value("content-encoding"), Some("gzip"));
        assert_eq!(received.head.value("git-protocol"), Some("version=2"));
        assert_eq!(received.body.data, GZIP);
        assert_eq!(received.body.framing == Framing::Chunked, is_chunked);
    }
}

/// docker and containerd refuse a manifest whose HEAD has no length.
#[tokio::test]
async fn b5_the_length_and_digest_of_a_registrys_manifest_are_returned() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 7023\r\nDocker-Content-Digest: sha256:a3ed\r\n\
                  Docker-Distribution-Api-Version: registry/2.0\r\nContent-Type: application/vnd.oci.image.index.v1+json\r\n\r\n";
    let pair = Pair::before(Vendor::answering(answer).await, |setup| setup).await;
    let head = request("HEAD", "/p/c/v2/library/app/manifests/latest", &[], "");
    let got = pair.call(head).await;
    assert_eq!(got.head.value("content-length"), Some("7023"));
    assert_eq!(got.head.value("docker-content-digest"), Some("sha256:a3ed"));

    let mut caller = H2Caller::connect(pair.gateway.address).await;
    let head = h2_caller::request("HEAD", "/p/c/v2/library/app/manifests/latest");
    let got = caller.call(head.body(()).unwrap()).await;
    assert_eq!(got.headers["content-length"], "7023");
}

/// A server of resumable uploads refuses a wrong offset at once, and closes without reading the upload.
#[tokio::test]
async fn b9_a_refused_offset_of_a_resumable_upload_is_returned() {
    let vendor = ManualVendor::bind().await;
    let gateway = Setup::new(&vendor).start().await;
    let mut caller = Caller::connect(gateway.address).await;
    let lines = [
        "Tus-Resumable: 1.0.0",
        "Upload-Offset: 70",
        "Content-Type: application/offset+octet-stream",
        "Content-Length: 8388608",
    ];
    caller
        .write(request("PATCH", "/p/c/files/1", &lines, "first bytes"))
        .await;
    let mut connection = vendor.accept().await;
    let asked = connection.head().await;
    assert_eq!(asked.value("upload-offset"), Some("70"));
    connection
        .write("HTTP/1.1 409 Conflict\r\nUpload-Offset: 35\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        .await;
    drop(connection);
    let answer = caller.response("PATCH").await;
    assert_eq!((answer.status(), answer.error()), (409, None));
    assert_eq!(answer.head.value("upload-offset"), Some("35"));
}
