//! `PassthroughLayer` around an existing hyper service.
//!
//! ```text
//! cargo run --example hyper_layer
//! curl http://127.0.0.1:8080/passthrough/acme/v2/customers
//! curl http://127.0.0.1:8080/anything-else
//! ```
//!
//! With `-- --once` the example makes the first call itself, prints the answer and stops.

mod support;

use std::error::Error;

use bytes::Bytes;
use http::HeaderName;
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
    Connection, Integrations, MemoryStore, PassthroughLayer, PassthroughService, Upstream,
};

use crate::support::Local;

/// The field by which callers authenticate to this app. The field never reaches a vendor.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let local = Local::start().await?;
    let store = MemoryStore::from_iter([(
        "acme",
        Connection::new("crm").with_secret("token", "anns-token"),
    )]);
    let integrations = Integrations::new().with("crm", Upstream::new(&local.vendor)?.auth(Bearer));
    let service = PassthroughService::builder(store, integrations)
        .authorize_fn(|id, _| id.as_str() == "acme")
        .caller_credentials([API_KEY])
        .transport(local.transport)
        .build();
    let layer = PassthroughLayer::new("/passthrough", service)?;

    // The existing service: hyper's services take `&self`, tower's services take `&mut self`.
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
                let mut server = auto::Builder::new(TokioExecutor::new());
                // WebSockets: over HTTP/1.1 by an upgrade, over HTTP/2 by an extended CONNECT.
                server.http2().enable_connect_protocol();
                let serving = server.serve_connection_with_upgrades(TokioIo::new(socket), service);
                let served = serving.await;
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
