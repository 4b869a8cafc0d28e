//! Plain hyper: HTTP/1.1 and HTTP/2 on one port, with a prefix of the service's own.
//!
//! ```text
//! cargo run --example hyper
//! curl http://127.0.0.1:8080/passthrough/acme/v2/customers
//! curl --http2-prior-knowledge http://127.0.0.1:8080/passthrough/acme/v2/customers
//! ```
//!
//! With `-- --once` it makes the first call itself, prints the answer and stops.

mod support;

use std::error::Error;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tower_passthrough::auth::Bearer;
use tower_passthrough::{
    CallContext, Connection, ConnectionId, Integrations, MemoryStore, PassthroughService, Upstream,
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
        .prefix("/passthrough")?
        .transport(local.transport)
        .build();

    let server = async move {
        loop {
            let (socket, _) = local.listener.accept().await?;
            let service = TowerToHyperService::new(service.clone());
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
