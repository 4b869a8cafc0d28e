//! The example of each mount as a process, which serves a WebSocket, an event stream, an upload and a GET.

use std::path::Path;
use std::process::Stdio;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use testkit::caller::{Caller, raw_call, request};
use testkit::h2_caller::{self, H2Caller};
use testkit::wait::within;

/// A running example, which ends when the value is dropped.
struct Example {
    /// `HOST:PORT`.
    address: String,
    /// The path of the connection.
    mount: String,
    /// The field by which a caller authenticates, if the example needs a field.
    key: Option<(String, String)>,
    _process: Child,
}

impl Example {
    /// Starts the binary that cargo has built next to the test, on a free port.
    async fn start(name: &str) -> Self {
        let own = std::env::current_exe().unwrap();
        let profile = own.parent().and_then(Path::parent).unwrap();
        let binary = profile.join("examples").join(name);
        assert!(
            binary.exists(),
            "run `cargo build --examples` with this profile first"
        );
        let mut process = Command::new(binary)
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut printed = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = within("the line with the commands to try", printed.next_line()).await;
        let line = line.unwrap().expect("a line");
        let mut words = line.split(' ');
        let url = words.by_ref().nth(1).expect("`curl URL`");
        let url = url.strip_prefix("http://").expect("a URL");
        let (address, path) = url.split_at(url.find('/').expect("a path"));
        let (mount, _) = path.split_once("/v2/").expect("a path of the vendor's");
        let key = words.nth(1).and_then(|field| field.split_once(':'));
        Self {
            address: address.to_owned(),
            mount: mount.to_owned(),
            key: key.map(|(name, value)| (name.to_owned(), value.to_owned())),
            _process: process,
        }
    }

    fn request(&self, method: &str, path: &str, lines: &[&str], body: &str) -> String {
        let key = self.key.as_ref();
        let key = key.map(|(name, value)| format!("{name}: {value}"));
        let lines: Vec<_> = lines.iter().copied().chain(key.as_deref()).collect();
        request(method, &format!("{}{path}", self.mount), &lines, body)
    }

    async fn gets(&self) {
        let get = self.request("GET", "/v2/customers?page=2", &[], "");
        let answer = raw_call(self.address.parse().unwrap(), get).await;
        assert_eq!(answer.text(), "Ann: GET /v2/customers?page=2\n");

        let mut caller = H2Caller::connect(self.address.parse().unwrap()).await;
        let get = h2_caller::request("GET", &format!("{}/v2/customers", self.mount));
        let get = self
            .key
            .iter()
            .fold(get, |get, (name, value)| get.header(name, value));
        let answer = caller.call(get.body(()).unwrap()).await;
        assert_eq!(answer.body, b"Ann: GET /v2/customers\n");
    }

    async fn echoes(&self) {
        let url = format!("ws://{}{}/v2/echo", self.address, self.mount);
        let mut handshake = url.into_client_request().unwrap();
        if let Some((name, value)) = &self.key {
            let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
            let value = HeaderValue::from_str(value).unwrap();
            handshake.headers_mut().insert(name, value);
        }
        let stream = TcpStream::connect(&self.address).await.unwrap();
        let shaken = within("a handshake", client_async(handshake, stream)).await;
        let (mut socket, _) = shaken.unwrap();
        for text in ["one", "two"] {
            socket.send(Message::text(text)).await.unwrap();
            let message = within("an echo", socket.next()).await.unwrap().unwrap();
            assert_eq!(message, Message::text(text));
        }
        socket.close(None).await.unwrap();
        while let Some(message) = within("the end", socket.next()).await {
            assert!(message.unwrap().is_close());
        }
    }

    async fn ticks(&self) {
        let mut caller = Caller::connect(self.address.parse().unwrap()).await;
        caller
            .write(self.request("GET", "/v2/events", &[], ""))
            .await;
        let head = caller.head().await;
        assert_eq!(head.value("content-type"), Some("text/event-stream"));
        // The stream has no end, so each event came while the stream was open.
        for tick in 0..3 {
            let event = format!("data: tick {tick}\n\n");
            let until = caller.wire.until(event.as_bytes());
            let seen = within("a tick", until).await;
            assert!(seen.is_some(), "the stream ended before tick {tick}");
        }
    }

    async fn uploads(&self) {
        let body = "b".repeat(1 << 20);
        let length = format!("Content-Length: {}", body.len());
        let post = self.request("POST", "/v2/upload", &[&length], &body);
        let answer = raw_call(self.address.parse().unwrap(), post).await;
        assert_eq!(answer.text(), "1048576 bytes\n");

        let framed = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
        let chunked = ["Transfer-Encoding: chunked"];
        let post = self.request("POST", "/v2/upload", &chunked, &framed);
        let answer = raw_call(self.address.parse().unwrap(), post).await;
        assert_eq!(answer.text(), "1048576 bytes\n");
    }

    async fn works(&self) {
        self.gets().await;
        self.uploads().await;
        self.ticks().await;
        self.echoes().await;
    }
}

macro_rules! works {
    ($($name:ident)+) => {$(
        #[tokio::test]
        async fn $name() {
            Example::start(stringify!($name)).await.works().await;
        }
    )+};
}

works!(five_lines axum_nest axum_layer hyper hyper_layer);

#[tokio::test]
async fn tonic() {
    let example = Example::start("tonic").await;
    example.works().await;
    // Over HTTP/2 with prior knowledge, on the same port.
    let channel = Channel::from_shared(format!("http://{}", example.address)).unwrap();
    let channel = within("a gRPC connection", channel.connect()).await;
    let mut client = HealthClient::new(channel.unwrap());
    let check = client.check(HealthCheckRequest::default());
    let answer = within("a gRPC answer", check).await.unwrap().into_inner();
    assert_eq!(answer.status(), ServingStatus::Serving);
}

/// Each tenant calls the connection `crm`, and no tenant reaches the connection of another tenant.
#[tokio::test]
async fn axum_nest_separates_tenants() {
    let example = Example::start("axum_nest").await;
    let address = example.address.parse().unwrap();
    for (tenant, key, expected) in [
        ("ann", "anns-key", (200, "Ann: GET /v2/me\n")),
        ("ben", "bens-key", (200, "Ben: GET /v2/me\n")),
        ("ann", "bens-key", (404, "")),
        ("ben", "anns-key", (404, "")),
        ("ann", "no-key", (401, "")),
    ] {
        let target = format!("/t/{tenant}/passthrough/crm/v2/me");
        let key = format!("X-Api-Key: {key}");
        let answer = raw_call(address, request("GET", &target, &[&key], "")).await;
        let seen = (answer.status(), &*answer.text());
        assert_eq!(seen, expected, "{tenant} {key}");
    }
}
