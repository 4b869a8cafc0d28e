//! Upstreams that answer each request with its text, and check that the gateway's requests can be read in one way only.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use testkit::head::{self, Head};
use testkit::reply::Reply;
use testkit::vendor::{Received, Vendor};
use tokio::task::JoinSet;

use super::oracle::{self, ATTACKER, Tenant, VICTIM};
use super::stage;

/// A target that occurs only in bodies and behind requests, and that no upstream may see.
pub(crate) const SMUGGLED: &str = "/smuggled-q7";

/// Returns the tenant whose credential the request has.
fn tenant_of(credential: Option<&str>) -> Option<Tenant> {
    [ATTACKER, VICTIM]
        .into_iter()
        .find(|tenant| credential == Some(&format!("Bearer {}", tenant.secret)))
}

/// Checks a request's head at an HTTP/1.1 upstream, and returns its tenant.
pub(crate) fn tenant(head: &Head) -> Tenant {
    let shown = head::latin1(&head.raw);
    let lengths = head.values("content-length");
    let codings = head.values("transfer-encoding");
    let is_length = |length: &&str| length.bytes().all(|byte| byte.is_ascii_digit());
    let is_clear = lengths.len() + codings.len() <= 1
        && codings.iter().all(|coding| *coding == "chunked")
        && lengths.iter().all(is_length)
        && !shown.replace("\r\n", "").contains(['\r', '\n', '\0'])
        && head.start.split(' ').count() == 3
        && head
            .fields
            .iter()
            .all(|(name, _)| !name.is_empty() && !name.contains([' ', '\t']))
        && head.values("host").len() == 1
        && head.values("authorization").len() == 1
        && !head.target().starts_with(SMUGGLED);
    assert!(
        is_clear,
        "the gateway sent a head that isn't clear: {shown:?}"
    );
    tenant_of(head.value("authorization"))
        .unwrap_or_else(|| panic!("a request without a tenant: {shown:?}"))
}

/// An upstream.
pub(crate) enum Honest {
    Http1(Vendor),
    Http2 {
        address: SocketAddr,
        _tasks: JoinSet<()>,
    },
}

impl Honest {
    pub(crate) async fn start(is_http2: bool) -> Self {
        let listener = stage::listener().await;
        if !is_http2 {
            return Self::Http1(Vendor::replying_on(listener, reply));
        }
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let service = hyper::service::service_fn(answer);
                let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                connections.spawn(async move {
                    let _ = server.serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        Self::Http2 {
            address,
            _tasks: tasks,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        match self {
            Self::Http1(vendor) => vendor.address(),
            Self::Http2 { address, .. } => *address,
        }
    }
}

impl testkit::gateway::Origin for Honest {
    fn origin(&self) -> String {
        match self {
            Self::Http1(vendor) => vendor.origin(),
            Self::Http2 { address, .. } => format!("http://vendor.test:{}", address.port()),
        }
    }
}

fn reply(received: &Received) -> Reply {
    let head = &received.head;
    // A gRPC call is sent over HTTP/2 only.
    if head.start == "PRI * HTTP/2.0" {
        return Reply::default().close();
    }
    let tenant = tenant(head);
    let text = text_of(tenant, received);
    match head.method() {
        "HEAD" => Reply::bytes(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
            text.len()
        )),
        _ => Reply::ok(&text),
    }
}

/// Returns the text of a request.
pub(crate) fn text_of(tenant: Tenant, received: &Received) -> String {
    let (head, body) = (&received.head, &received.body);
    oracle::echo(
        tenant,
        head.method(),
        head.target(),
        &head.fields,
        &body.data,
        &body.trailers,
    )
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let pairs = |map: &HeaderMap| -> Vec<(String, String)> {
        let pair = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            (name.to_string(), head::latin1(value.as_bytes()))
        };
        map.iter().map(pair).collect()
    };
    let fields = pairs(&parts.headers);
    let credential = head::values(&fields, "authorization");
    assert_eq!(credential.len(), 1, "{fields:?}");
    let tenant = tenant_of(credential.first().copied()).expect("a tenant");
    let target = parts
        .uri
        .path_and_query()
        .map_or("", |target| target.as_str());
    assert!(!target.starts_with(SMUGGLED), "a smuggled request");
    let Ok(body) = body.collect().await else {
        // The caller's request broke off.
        return Ok(Response::new(Full::default()));
    };
    let trailers = body.trailers().map(pairs).unwrap_or_default();
    let method = parts.method.as_str();
    let text = oracle::echo(tenant, method, target, &fields, &body.to_bytes(), &trailers);
    let length = text.len();
    let mut response = Response::new(Full::from(if method == "HEAD" {
        String::new()
    } else {
        text
    }));
    if method == "HEAD" {
        response
            .headers_mut()
            .insert("content-length", length.into());
    }
    Ok(response)
}
