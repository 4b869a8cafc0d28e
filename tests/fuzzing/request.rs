//! Requests of the attacker, with the answers that they must get.

use super::honest::SMUGGLED;
use super::oracle::{self, ATTACKER};
use super::random::{Random, Shown};
use super::stage::Answer;

/// The right answer to a request.
#[derive(Clone, Debug)]
pub(crate) enum Expected {
    /// The text of the request, as the upstream received it.
    Echo,
    Error(u16, &'static str),
}

/// A request that is valid, with or without a fault that the contract describes.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    /// The target as it's sent.
    pub(crate) target: String,
    /// The target that the upstream sees.
    pub(crate) forwarded: String,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Shown,
    /// The sizes of the chunks; `None` means a length.
    pub(crate) chunks: Option<Vec<usize>>,
    pub(crate) trailers: Vec<(String, String)>,
    pub(crate) expected: Expected,
}

const SEGMENTS: [&str; 16] = [
    "a",
    "b%2Fc",
    "%2e%2e%2e",
    "...",
    "x;v=1",
    "%E2%82%AC",
    "%FF%FE",
    "100%",
    "%zz",
    "a:b@c",
    "",
    "%252e%252e",
    "~",
    "v1",
    "!$&'()*+,=",
    "%7euser",
];
const QUERIES: [&str; 10] = [
    "a=1+2&b=%20&c[]=1&&d=&e",
    "",
    "x__domain=1",
    "__Domain=v",
    "%255F%255Fdomain=1",
    "q=a%0Ab",
    "=&=",
    "a=b=c?d/e",
    "__domain[]=x",
    "%zz",
];
/// Names and values of `x-q` fields, which arrive unchanged.
const VALUES: [&str; 8] = [
    "v", "", "a, b", "\"q\"", "a\tb", "=?utf-8?", "\u{e9}", "x: y; z",
];

impl Request {
    pub(crate) fn any(random: &mut Random, is_http2: bool) -> Self {
        let method = random.pick(&[
            "GET", "GET", "POST", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "QUERY",
            "PROPFIND", "get", "X-Y_Z",
        ]);
        let mut path = String::from("/r");
        for _ in 0..random.within(0..4) {
            path.push('/');
            path.push_str(random.pick(&SEGMENTS));
        }
        if random.percent(5) {
            path.push_str(&"/long".repeat(random.within(1..2000)));
        }
        let query = random.percent(40).then(|| random.pick(&QUERIES));
        let (sent, mut forwarded) = match query {
            Some(query) => (format!("{path}?{query}"), format!("{path}?{query}")),
            None => (path.clone(), path.clone()),
        };
        let id = random.pick(&[ATTACKER.id, "%61ttacker-one", "attacker%2Done"]);
        let mut target = format!("/p/{id}{sent}");
        let mut expected = Expected::Echo;
        let mut request = Self {
            method,
            target: String::new(),
            forwarded: String::new(),
            fields: Vec::new(),
            body: Shown(Vec::new()),
            chunks: None,
            trailers: Vec::new(),
            expected: Expected::Echo,
        };
        if random.percent(20) {
            let error;
            (target, error) = refused(random, id, &path);
            expected = Expected::Error(error.0, error.1);
        } else if random.percent(5) {
            target = format!("/p/{id}{path}?a=1&__domain=vendor.test:PORT&b");
            forwarded = format!("{path}?a=1&b");
        }
        if matches!(expected, Expected::Echo) {
            request.add_fields(random, is_http2);
            request.add_body(random, is_http2);
        } else if random.percent(15) {
            request.method = random.pick(&["TRACE", "TRACK", "trace"]);
            expected = Expected::Error(405, "method-refused");
        }
        request.target = target;
        request.forwarded = forwarded;
        request.expected = expected;
        request
    }

    fn add_fields(&mut self, random: &mut Random, is_http2: bool) {
        for _ in 0..random.within(0..6) {
            let name = format!("X-Q{}", random.within(0..4));
            let value = random.pick(&VALUES);
            self.fields.push((name, value.to_owned()));
        }
        // None of these reaches an upstream.
        let dropped = [
            ("Authorization", "Basic eg=="),
            ("Proxy-Authorization", "x"),
            ("Cookie", "a=b"),
            ("X-Forwarded-For", "1.2.3.4"),
            ("Passthrough_Error", "x"),
            ("authorization", "Bearer x"),
            ("X_Forwarded_Host", "evil.test"),
        ];
        for _ in 0..random.within(0..3) {
            let (name, value) = random.pick(&dropped);
            self.fields.push((name.to_owned(), value.to_owned()));
        }
        if !is_http2 && random.percent(20) {
            self.fields
                .push(("Connection".to_owned(), "x-hop, , authorization".to_owned()));
            self.fields.push(("X-Hop".to_owned(), "x".to_owned()));
        }
        if random.percent(20) {
            self.fields.push(("TE".to_owned(), "trailers".to_owned()));
        }
        if is_http2 {
            for (name, _) in &mut self.fields {
                name.make_ascii_lowercase();
            }
        }
    }

    fn add_body(&mut self, random: &mut Random, is_http2: bool) {
        if !random.percent(60) {
            return;
        }
        let size = random.size(40_000);
        self.body.0 = match random.percent(20) {
            true => format!("GET {SMUGGLED} HTTP/1.1\r\nHost: h\r\n\r\n").into_bytes(),
            false => random.bytes(size),
        };
        if is_http2 || !random.percent(60) {
            return;
        }
        self.chunks = Some(
            (0..random.within(1..6))
                .map(|_| random.size(20_000).max(1))
                .collect(),
        );
        if random.percent(30) {
            self.fields.push(("Trailer".to_owned(), "x-qt".to_owned()));
            self.trailers
                .push(("X-Qt".to_owned(), random.pick(&VALUES).to_owned()));
        }
        if random.percent(10) {
            self.fields
                .push(("Expect".to_owned(), "100-continue".to_owned()));
        }
    }

    /// Returns the request's bytes over HTTP/1.1. `port` is the upstream's.
    pub(crate) fn render(&self, port: u16) -> Vec<u8> {
        let mut bytes = format!(
            "{} {} HTTP/1.1\r\nHost: app.test\r\n",
            self.method,
            self.sent_target(port)
        )
        .into_bytes();
        for (name, value) in &self.fields {
            bytes.extend(format!("{name}: ").bytes());
            bytes.extend(latin1(value));
            bytes.extend(b"\r\n");
        }
        match &self.chunks {
            None if self.body.0.is_empty() => bytes.extend(b"\r\n"),
            None => {
                bytes.extend(format!("Content-Length: {}\r\n\r\n", self.body.0.len()).bytes());
                bytes.extend(&self.body.0);
            }
            Some(sizes) => {
                bytes.extend(b"Transfer-Encoding: chunked\r\n\r\n");
                chunked(&mut bytes, &self.body.0, sizes, &self.trailers);
            }
        }
        bytes
    }

    pub(crate) fn sent_target(&self, port: u16) -> String {
        self.target.replace("PORT", &port.to_string())
    }

    /// Checks the answer to this request.
    pub(crate) fn check(&self, answer: &Answer) -> Result<(), String> {
        answer.is_allowed(ATTACKER)?;
        match self.expected {
            Expected::Error(status, code) => {
                if (answer.status, answer.error()) != (status, Some(code)) {
                    return Err(format!("{status} {code} was expected: {}", answer.shown()));
                }
            }
            Expected::Echo => {
                let trailers: &[_] = &self.trailers;
                let text = oracle::echo(
                    ATTACKER,
                    self.method,
                    &self.forwarded,
                    &self.fields,
                    &self.body.0,
                    trailers,
                );
                let is_right = match self.method {
                    "HEAD" => answer.value("content-length") == Some(&text.len().to_string()),
                    _ => answer.body == text.as_bytes(),
                };
                if !is_right || answer.status != 200 || answer.end != testkit::wire::End::Complete {
                    return Err(format!("{text:?} was expected: {}", answer.shown()));
                }
            }
        }
        Ok(())
    }
}

/// A target that the gateway refuses.
fn refused(random: &mut Random, id: &str, path: &str) -> (String, (u16, &'static str)) {
    let address = (400, "bad-address");
    let domain = (400, "bad-domain");
    let refused = (403, "domain-refused");
    let unknown = (404, "unknown-connection");
    random.pick(&[
        (format!("/p/{id}/.."), address),
        (format!("/p/{id}/a/%2e%2E/..;x/b"), address),
        (format!("/p/{id}/a%2f..%2f..%2fx"), address),
        (format!("/p/{id}/a%5Cb"), address),
        (format!("/p/{id}/a%00b"), address),
        (format!("/p/{id}/a%0d%0aX:1"), address),
        (format!("/p/nobody{path}"), unknown),
        (format!("/p/%FF{path}"), unknown),
        (format!("/p/{id}%00{path}"), address),
        (format!("/p//{id}{path}"), address),
        (format!("/p/{}{path}", "i".repeat(257)), address),
        (format!("/p/{id}{path}?__domain=evil.test"), refused),
        (format!("/p/{id}{path}?%5F%5Fdomain=127.1"), refused),
        (format!("/p/{id}{path}?__domain="), domain),
        (format!("/p/{id}{path}?__domain"), domain),
        (format!("/p/{id}{path}?__domain=a&__domain=a"), domain),
        (format!("/p/{id}{path}?__domain=a@vendor.test"), domain),
        (
            format!("/p/{id}{path}?__domain=http://vendor.test:PORT/../x"),
            domain,
        ),
        (SMUGGLED.to_owned(), address),
    ])
}

/// Returns the bytes of a text whose characters are bytes.
pub(crate) fn latin1(text: &str) -> Vec<u8> {
    text.chars()
        .map(|character| u8::try_from(u32::from(character)).unwrap_or(b'?'))
        .collect()
}

/// Appends a chunked body.
pub(crate) fn chunked(
    bytes: &mut Vec<u8>,
    body: &[u8],
    sizes: &[usize],
    trailers: &[(String, String)],
) {
    let (mut rest, mut nth) = (body, 0);
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(sizes[nth % sizes.len()].min(rest.len()));
        let extension = if nth % 3 == 1 && nth < 1000 {
            ";a=b;c"
        } else {
            ""
        };
        bytes.extend(format!("{:x}{extension}\r\n", chunk.len()).bytes());
        bytes.extend(chunk);
        bytes.extend(b"\r\n");
        (rest, nth) = (after, nth + 1);
    }
    bytes.extend(b"0\r\n");
    for (name, value) in trailers {
        bytes.extend(format!("{name}: ").bytes());
        bytes.extend(latin1(value));
        bytes.extend(b"\r\n");
    }
    bytes.extend(b"\r\n");
}

/// Changes some bytes, as a peer with faults would.
pub(crate) fn broken(random: &mut Random, mut bytes: Vec<u8>) -> Vec<u8> {
    let lines: &[&[u8]] = &[
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Transfer-Encoding: identity\r\n",
        b"Content-Length: 0\r\n",
        b"Content-Length: 5\r\n",
        b"Content-Length: 05\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: 5, 5\r\n",
        b"Content-Length: 18446744073709551616\r\n",
        b"Content-Length:\r\n",
        b" folded\r\n",
        b"X: a\rb\r\n",
        b"X: a\nb\r\n",
        b"X: a\0b\r\n",
        b"X Y: z\r\n",
        b": z\r\n",
        b"no colon\r\n",
        b"Host: other\r\n",
        b"Connection: close\r\n",
        b"Connection: upgrade\r\nUpgrade: websocket\r\n",
        b"Upgrade: h2c\r\nHTTP2-Settings: AAA\r\n",
        b"Expect: 100-continue\r\n",
        b"Expect: x\r\n",
        b"Connection: content-length, transfer-encoding, host\r\n",
        b"Content-Type: application/grpc\r\n",
        b"X-Q0: \xff\xfe\r\n",
        b"\r\n",
        b"\n",
        b"Max-Forwards: 0\r\n",
    ];
    for _ in 0..random.within(1..4) {
        let at = random.within(0..bytes.len().max(1)).min(bytes.len());
        match random.within(0..12) {
            0 if at < bytes.len() => bytes[at] = random.byte(),
            1 if at < bytes.len() => bytes[at] ^= 1 << random.within(0..8),
            2 => bytes.insert(at, random.pick(b"\r\n\0 :;%\x7f\xff/")),
            3 => {
                let end = (at + random.within(1..8)).min(bytes.len());
                bytes.drain(at..end);
            }
            4 => bytes.truncate(at),
            5 => bytes = random.bytes(40),
            6 => {
                // An earlier version, or a strange version.
                let version =
                    random.pick(&[&b"HTTP/1.0"[..], b"HTTP/2.0", b"HTTP/0.9", b"http/1.1"]);
                if let Some(start) = find(&bytes, b"HTTP/1.1") {
                    bytes.splice(start..start + 8, version.iter().copied());
                }
            }
            7 => {
                let many: Vec<u8> = (0..random.within(1..400))
                    .flat_map(|nth| format!("x-n{nth}: y\r\n").into_bytes())
                    .collect();
                insert_line(&mut bytes, random, &many);
            }
            8 => {
                let long = [
                    &b"X-Q9: "[..],
                    &vec![b'l'; random.within(1..200_000)],
                    b"\r\n",
                ]
                .concat();
                insert_line(&mut bytes, random, &long);
            }
            _ => {
                let line = random.pick(lines);
                insert_line(&mut bytes, random, line);
            }
        }
    }
    bytes
}

pub(crate) fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes
        .windows(needle.len())
        .position(|window| window == needle)
}

/// Inserts a line after one of the lines.
fn insert_line(bytes: &mut Vec<u8>, random: &mut Random, line: &[u8]) {
    let ends: Vec<_> = (0..bytes.len())
        .filter(|at| bytes[*at..].starts_with(b"\r\n"))
        .take(12)
        .collect();
    if !ends.is_empty() {
        let at = random.pick(&ends) + 2;
        bytes.splice(at..at, line.iter().copied());
    }
}
