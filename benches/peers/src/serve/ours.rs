//! The mounts of this crate.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};

use axum::Router;
use hyper_util::service::TowerToHyperService;
use tower_passthrough::auth::Bearer;
use tower_passthrough::policy::{DomainPolicy, NetworkPolicy};
use tower_passthrough::{
    Connection, HttpTransport, Integrations, MemoryStore, PassthroughService, Upstream,
};

use super::{Served, server};
use crate::BoxError;

/// Serves the crate directly on hyper's server.
pub async fn on_hyper(told: &Served) -> Result<(), BoxError> {
    let service = service(told, "/passthrough")?;
    server(told.listen, TowerToHyperService::new(service)).await
}

/// Serves the crate nested in a router, which removes the prefix.
pub async fn in_axum(told: &Served) -> Result<(), BoxError> {
    let router = Router::new().nest_service("/passthrough", service(told, "")?);
    server(told.listen, TowerToHyperService::new(router)).await
}

/// Returns the service with all of its checks switched on: authorization, domain policy and network
/// policy.
fn service(told: &Served, prefix: &str) -> Result<PassthroughService, BoxError> {
    const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let network = NetworkPolicy::new()
        .allow(LOOPBACK.into())
        .listener(told.listen)
        .dangerous()
        .plaintext();
    let mut transport = HttpTransport::builder()
        .network(network)
        .resolve("vendor.test", LOOPBACK)
        .pool_max_idle_per_host(64)
        .http2_prior_knowledge(told.http2);
    if let Some(authority) = &told.authority {
        transport = transport.root_pem(&fs::read(authority)?)?;
    }
    let upstream = Upstream::new(&told.base_url())?
        .auth(Bearer)
        .domains(DomainPolicy::none().allow("*.vendor.test")?);
    let store = MemoryStore::from_iter([(
        "acme",
        Connection::new("crm").with_secret("token", "s3cr3t"),
    )]);
    let mut service = PassthroughService::builder(store, Integrations::new().with("crm", upstream))
        .authorize_fn(|id, _| id.as_str() == "acme")
        .caller_credentials([http::HeaderName::from_static("x-api-key")])
        .transport(transport.build()?);
    if !prefix.is_empty() {
        service = service.prefix(prefix)?;
    }
    Ok(service.build())
}
