//! A call through the whole service, over a transport that keeps the request.

use std::sync::{Arc, Mutex};

use http::{HeaderMap, Request, Response, Uri};
use tower_passthrough::body::{RequestBody, UpstreamBody};
use tower_passthrough::client::Dispatch;
use tower_passthrough::client::TransportError;
use tower_passthrough::policy::Scheme;
use tower_passthrough::{
    Connection, Integrations, MemoryStore, PassthroughService, Transport, Upstream,
};
use tower_service::Service as _;

/// The request that would have been sent.
#[derive(Debug)]
pub struct Sent {
    pub uri: Uri,
    pub headers: HeaderMap,
    pub scheme: Scheme,
    pub host: String,
    pub port: u16,
    pub authority: String,
}

#[derive(Clone, Default)]
struct Keeping(Arc<Mutex<Option<Sent>>>);

impl Transport for Keeping {
    async fn send(
        &self,
        request: Request<RequestBody>,
        to: &Dispatch,
    ) -> Result<Response<UpstreamBody>, TransportError> {
        let (head, body) = request.into_parts();
        *self.0.lock().unwrap() = Some(Sent {
            uri: head.uri,
            headers: head.headers,
            scheme: to.destination().scheme(),
            host: to.destination().host().to_string(),
            port: to.destination().port(),
            authority: to.destination().authority().to_string(),
        });
        Ok(Response::new(UpstreamBody::new(body)))
    }
}

/// Returns the request that a GET of `target` would send to that vendor, or the code of the gateway's error.
pub fn call(upstream: Upstream, target: &str) -> Option<Result<Sent, String>> {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    }
    let uri: Uri = target.parse().ok()?;
    let transport = Keeping::default();
    let store =
        MemoryStore::from_iter([("c", Connection::new("x").with_secret("token", "s3cr3t"))]);
    let mut service = PassthroughService::builder(store, Integrations::new().with("x", upstream))
        .transport(transport.clone())
        .dangerous()
        .allow_all()
        .build();
    let request = Request::get(uri).body(String::new()).ok()?;
    let response = RUNTIME.with(|runtime| runtime.block_on(service.call(request)));
    let Ok(response) = response;
    let sent = transport.0.lock().unwrap().take();
    let code = response
        .headers()
        .get("passthrough-error")
        .map(|code| code.to_str().unwrap().to_owned());
    match (sent, code) {
        (Some(sent), None) => Some(Ok(sent)),
        (None, Some(code)) => Some(Err(code)),
        (sent, code) => panic!("{target}: {sent:?} {code:?}"),
    }
}
