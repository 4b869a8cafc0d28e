//! Plain hyper: HTTP/1.1 and HTTP/2 on one port, with a prefix that the service sets itself.
//!
//! ```text
//! cargo run --example hyper
//! curl http://127.0.0.1:8080/passthrough/acme/v2/customers
//! curl --http2-prior-knowledge http://127.0.0.1:8080/passthrough/acme/v2/customers
//! ```
//!
//! With `-- --once` the example makes the first call itself, prints the answer and stops.

mod support;

use std::error::Error;

use http::HeaderName;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tower_passthrough::auth::Bearer;
use tower_passthrough::{
    BoxError, Connection, Integrations, MemoryStore, PassthroughService, Upstream,
};

use crate::support::Local;

/// The field by which callers authenticate to this app. The field never reaches a vendor.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The state that the app shares among its callers. A service has no type parameters, so a service fits into any field.
#[derive(Clone)]
struct App {
    passthrough: PassthroughService,
}

impl App {
    async fn serve(self, socket: TcpStream) -> Result<(), BoxError> {
        let mut server = auto::Builder::new(TokioExecutor::new());
        // WebSockets: over HTTP/1.1 by an upgrade, over HTTP/2 by an extended CONNECT.
        server.http2().enable_connect_protocol();
        let service = TowerToHyperService::new(self.passthrough);
        let serving = server.serve_connection_with_upgrades(TokioIo::new(socket), service);
        serving.await
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let local = Local::start().await?;
    let store = MemoryStore::from_iter([(
        "acme",
        Connection::new("crm").with_secret("token", "anns-token"),
    )]);
    let integrations = Integrations::new().with("crm", Upstream::new(&local.vendor)?.auth(Bearer));
    let passthrough = PassthroughService::builder(store, integrations)
        .authorize_fn(|id, _| id.as_str() == "acme")
        .caller_credentials([API_KEY])
        .prefix("/passthrough")?
        .transport(local.transport)
        .build();
    let app = App { passthrough };

    let server = async move {
        loop {
            let (socket, _) = local.listener.accept().await?;
            let serving = app.clone().serve(socket);
            tokio::spawn(async {
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
