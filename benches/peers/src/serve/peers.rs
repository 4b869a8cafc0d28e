//! Other ways to forward requests in a Rust server. Each proxy only forwards: the proxy removes the
//! mount's prefix and the caller's key, and adds the credential.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum_reverse_proxy::ReverseProxy;
use http::uri::PathAndQuery;
use http::{Request, Uri, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::connect::Connect;
use tower::{Service, ServiceExt};
use tower_proxy::{ReusedService, TrimPrefix};

use super::client::{client, plain, tls};
use super::{Served, server, with_credential};
use crate::BoxError;
use crate::load::exchange::MOUNT;

/// Serves with hyper's server and hyper-util's legacy client, with as little code between them as
/// possible.
pub async fn legacy(told: &Served) -> Result<(), BoxError> {
    match &told.authority {
        Some(authority) => legacy_over(told, tls(told, authority)?).await,
        None => legacy_over(told, plain()).await,
    }
}

async fn legacy_over<C>(told: &Served, connector: C) -> Result<(), BoxError>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    let client = client::<_, Incoming>(told, connector);
    let vendor: Uri = told.base_url().parse()?;
    let version = if told.http2 {
        Version::HTTP_2
    } else {
        Version::HTTP_11
    };
    let service = service_fn(move |request: Request<Incoming>| {
        let (client, uri) = (client.clone(), rewritten(request.uri(), &vendor));
        async move {
            let mut request = with_credential(request);
            *request.uri_mut() = uri?;
            *request.version_mut() = version;
            request.headers_mut().remove(http::header::HOST);
            Ok::<_, BoxError>(client.request(request).await?)
        }
    });
    server(told.listen, service).await
}

/// Returns the URI at the vendor, without the mount's prefix.
fn rewritten(uri: &Uri, vendor: &Uri) -> Result<Uri, BoxError> {
    let target = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let rest = target.strip_prefix(MOUNT).unwrap_or(target);
    let mut parts = vendor.clone().into_parts();
    parts.path_and_query = Some(rest.parse()?);
    Ok(Uri::from_parts(parts)?)
}

/// Serves tower-proxy directly on hyper's server, because tower-proxy needs no router.
pub async fn tower_proxy(told: &Served) -> Result<(), BoxError> {
    match &told.authority {
        Some(authority) => tower_proxy_over(told, tls(told, authority)?).await,
        None => tower_proxy_over(told, plain()).await,
    }
}

async fn tower_proxy_over<C>(told: &Served, connector: C) -> Result<(), BoxError>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    let vendor: Uri = told.base_url().parse()?;
    let scheme = vendor.scheme_str().unwrap_or("http");
    let authority = vendor
        .authority()
        .ok_or("the vendor has no address")?
        .as_str();
    let client = Arc::new(client::<_, Incoming>(told, connector));
    let proxy = ReusedService::from(client, scheme, authority, TrimPrefix(MOUNT))?;
    let service = service_fn(move |request: Request<Incoming>| {
        let forwarded = proxy.clone().call(with_credential(request));
        async move { Ok::<_, BoxError>(forwarded.await??) }
    });
    server(told.listen, service).await
}

/// Serves axum-reverse-proxy in the router that the crate itself builds.
pub async fn axum_reverse_proxy(told: &Served) -> Result<(), BoxError> {
    match &told.authority {
        Some(authority) => axum_reverse_proxy_over(told, tls(told, authority)?).await,
        None => axum_reverse_proxy_over(told, plain()).await,
    }
}

async fn axum_reverse_proxy_over<C>(told: &Served, connector: C) -> Result<(), BoxError>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    let client = client::<_, Body>(told, connector);
    let router: Router = ReverseProxy::new_with_client(MOUNT, told.base_url(), client).into();
    let service = service_fn(move |request: Request<Incoming>| {
        router.clone().oneshot(with_credential(request))
    });
    server(told.listen, service).await
}
