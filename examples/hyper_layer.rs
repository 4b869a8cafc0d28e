//! `PassthroughLayer` around a hyper service that is there already.
//!
//! ```text
//! cargo run --example hyper_layer
//! curl http://127.0.0.1:8080/passthrough/acme/v2/customers
//! curl http://127.0.0.1:8080/anything-else
//! ```
//!
//! With `-- --once` it makes the first call itself, prints the answer and stops.

mod support;

use std::error::Error;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tower_layer::Layer;
use tower_passthrough::auth::Bearer;
use tower_passthrough::{
    CallContext, Connection, ConnectionId, Integrations, MemoryStore, PassthroughLayer,
    PassthroughService, Upstream,
};

use crate::support::Local;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let local = Local::start().await?;
    let store =
        MemoryStore::from_iter([("acme", Connection::new("crm").with("token", "anns-token"))]);
    let integrations = Integrations::new().with("crm", Upstream::new(&local.vendor)?.auth(Bearer));
    let service = PassthroughService::builder(store, integrations)
        .authorize(|id: &ConnectionId, _: CallContext<'_>| id.as_str() == "acme")
        .transport(local.transport)
        .build();
    let layer = PassthroughLayer::new("/passthrough", service)?;

    // What is there: hyper's services take `&self`, tower's `&mut self`.
    let existing = hyper::service::service_fn(async |request: Request<Incoming>| {
        let body = format!("no call: {}\n", request.uri().path());
        Ok::<_, hyper::Error>(Response::new(Full::new(Bytes::from(body))))
    });
    let existing = tower::service_fn(move |request| existing.call(request));
    let service = TowerToHyperService::new(layer.layer(existing));

    let server = async move {
        loop {
            let (socket, _) = local.listener.accept().await?;
            let service = service.clone();
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                let served = server.serve_connection(TokioIo::new(socket), service).await;
                served.inspect_err(|error| eprintln!("a caller's connection: {error}"))
            });
        }
    };
    let curl = format!(
        "curl http://{}/passthrough/acme/v2/customers",
        local.address
    );
    support::serve::<std::io::Error>(server, curl).await
}
