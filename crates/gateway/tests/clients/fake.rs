//! A fake vendor, which checks what it receives.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use testkit::gateway::Origin;
use testkit::head::latin1;
use testkit::process::canary;
use testkit::reply::Reply;
use testkit::vendor::{Received, Vendor};

/// The part of each stored secret by which a test finds the secret again.
pub(crate) const STORED: &str = "5tored";

/// Returns the answer to a request, or `None` for a request that no client should send.
type Answering = dyn Fn(&Request<'_>) -> Option<Answer> + Send + Sync;

/// One kind of vendor: its place, its scheme, and its answers.
#[derive(Clone)]
pub(crate) struct Api {
    /// The path of the base URL.
    pub(crate) path: &'static str,
    /// The integration's `auth`, in TOML.
    pub(crate) auth: &'static str,
    /// The connection's `secret`, in TOML.
    pub(crate) secret: &'static str,
    /// A line of the integration, in TOML. `PORT` stands for the port of the fake.
    pub(crate) integration: &'static str,
    /// A line at the top of the config, in TOML.
    pub(crate) top: &'static str,
    /// The field with the credential that each request must have, and the beginning of its value.
    pub(crate) credential: (&'static str, &'static str),
    /// The host of a call names the connection, and so do recipes.
    pub(crate) is_by_host: bool,
    /// Callers use https, the port 443 and the names of the gateway, and not its address.
    pub(crate) is_public: bool,
    /// The connection `broken` never gets an answer. Otherwise its vendor closes the connection after each request.
    pub(crate) is_silent: bool,
    pub(crate) answer: Arc<Answering>,
}

impl Api {
    /// Returns a vendor with bearer authentication.
    pub(crate) fn new(
        answer: impl Fn(&Request<'_>) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        Self {
            path: "",
            auth: "{ kind = \"bearer\" }",
            secret: "{ token = \"5toredToken\" }",
            integration: "",
            top: "",
            credential: ("authorization", "Bearer 5toredToken"),
            is_by_host: false,
            is_public: false,
            is_silent: false,
            answer: Arc::new(answer),
        }
    }
}

/// A request at a fake vendor.
pub(crate) struct Request<'a> {
    received: &'a Received,
}

impl Request<'_> {
    /// Returns the method and the path, without the query.
    pub(crate) fn call(&self) -> (&str, &str) {
        let target = self.received.target();
        let path = target.split('?').next().unwrap_or_default();
        (self.received.head.method(), path)
    }

    pub(crate) fn query(&self) -> &str {
        let target = self.received.target();
        target.split_once('?').map_or("", |(_, query)| query)
    }

    /// Returns `true` if the query has this part, such as `page=2`.
    pub(crate) fn asks(&self, part: &str) -> bool {
        self.query().split('&').any(|given| given == part)
    }

    pub(crate) fn field(&self, name: &str) -> &str {
        self.received.head.value(name).unwrap_or_default()
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.received.body.data
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(self.body()).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(self.body()).unwrap_or_default()
    }
}

/// The answer of a fake vendor.
#[derive(Clone)]
pub(crate) struct Answer {
    status: u16,
    fields: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// The pieces of a body without a length.
    pieces: Vec<String>,
}

impl Answer {
    pub(crate) fn new(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            fields: vec![("content-type", kind.to_owned())],
            body: body.into(),
            pieces: Vec::new(),
        }
    }

    pub(crate) fn json(value: &Value) -> Self {
        Self::new(200, "application/json", value.to_string())
    }

    pub(crate) fn created(value: &Value) -> Self {
        Self::new(201, "application/json", value.to_string())
    }

    /// Returns a body in chunks, one for each piece.
    pub(crate) fn chunks(kind: &str, pieces: &[&str]) -> Self {
        let mut answer = Self::new(200, kind, "");
        answer.pieces = pieces.iter().map(|&piece| piece.to_owned()).collect();
        answer
    }

    pub(crate) fn field(mut self, name: &'static str, value: &str) -> Self {
        self.fields.push((name, value.to_owned()));
        self
    }

    fn reply(self, method: &str) -> Reply {
        let mut head = format!("HTTP/1.1 {} Answer\r\n", self.status);
        for (name, value) in self.fields {
            head += &format!("{name}: {value}\r\n");
        }
        if !self.pieces.is_empty() {
            let mut reply = Reply::bytes(head + "transfer-encoding: chunked\r\n\r\n");
            for piece in self.pieces {
                reply = reply.then(format!("{:x}\r\n{piece}\r\n", piece.len()));
            }
            return reply.then("0\r\n\r\n");
        }
        if self.status != 204 {
            head += &format!("content-length: {}\r\n", self.body.len());
        }
        let mut bytes = (head + "\r\n").into_bytes();
        if method != "HEAD" {
            bytes.extend(self.body);
        }
        Reply::bytes(bytes)
    }
}

/// A running fake.
pub(crate) struct Fake {
    vendor: Vendor,
    faults: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    pub(crate) async fn start(api: &Api) -> Self {
        let faults = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&faults);
        let api = api.clone();
        let vendor = Vendor::replying(move |received| {
            let request = Request { received };
            let mut faults = faults_of(received, api.credential);
            let answer = (api.answer)(&request).unwrap_or_else(|| {
                let fault = format!("unexpected: {} {}", received.head.start, request.text());
                faults.push(fault.clone());
                Answer::new(418, "text/plain", fault)
            });
            noted.lock().unwrap().append(&mut faults);
            answer.reply(received.head.method())
        });
        Self {
            vendor: vendor.await,
            faults,
        }
    }

    /// Fails if the vendor received a request that no client should send.
    pub(crate) fn assert_faultless(&self) {
        let faults = self.faults.lock().unwrap();
        assert!(faults.is_empty(), "{faults:#?}");
    }
}

impl Origin for Fake {
    fn origin(&self) -> String {
        self.vendor.origin()
    }
}

/// Returns the faults that a request of any client may not have.
pub(crate) fn faults_of(received: &Received, (name, value): (&str, &str)) -> Vec<String> {
    let mut faults = Vec::new();
    let start = &received.head.start;
    let credentials = received.head.values(name);
    if credentials.len() != 1 || !credentials[0].starts_with(value) {
        faults.push(format!("{start}: {name} is {credentials:?}"));
    }
    let host = received.head.values("host");
    if host.len() != 1 || !host[0].contains("vendor.test:") {
        faults.push(format!("{start}: host is {host:?}"));
    }
    let body = String::from_utf8_lossy(&received.body.data);
    for (place, text) in [
        ("head", &latin1(&received.head.raw)),
        ("body", &body.into()),
    ] {
        if let Some(found) = canary::find(text) {
            faults.push(format!(
                "{start}: the caller's key is in the {place}: {found}"
            ));
        }
    }
    faults
}
