//! Beside a gRPC service on the same port, which HTTP/1.1 callers reach as well.
//!
//! ```text
//! cargo run --example tonic
//! curl http://127.0.0.1:8080/passthrough/acme/v2/customers
//! curl --http2-prior-knowledge http://127.0.0.1:8080/passthrough/acme/v2/customers
//! grpcurl -plaintext 127.0.0.1:8080 grpc.health.v1.Health/Check
//! ```
//!
//! With `-- --once` it makes the first call itself, prints the answer and stops.

mod support;

use std::error::Error;

use tonic::transport::{Server, server::TcpIncoming};
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

    let (_reporter, health) = tonic_health::server::health_reporter();
    let server = Server::builder()
        .accept_http1(true)
        .layer(PassthroughLayer::new("/passthrough", service)?)
        .add_service(health)
        .serve_with_incoming(TcpIncoming::from(local.listener).with_nodelay(Some(true)));

    let curl = format!(
        "curl http://{}/passthrough/acme/v2/customers",
        local.address
    );
    support::serve(server, curl).await
}
