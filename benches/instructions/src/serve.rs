//! The proxies that this program serves itself, each in a separate process with one thread.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use axum::Router;
use axum_reverse_proxy::ReverseProxy;
use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Request, Response, Uri, Version, header};
use http_body::Body;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tower::ServiceExt as _;
use tower_passthrough::auth::{AccessToken, Bearer};
use tower_passthrough::oauth2::{OAuth2TokenSource, TokenEndpoint};
use tower_passthrough::policy::NetworkPolicy;
use tower_passthrough::refresh::RefreshingStore;
use tower_passthrough::{
    Connection, CredentialStore, HttpTransport, Integrations, MemoryStore, PassthroughService,
    Upstream,
};

use crate::BoxError;
use crate::cases::{Proxy, Wire};

/// The argument that starts this program as a proxy.
pub const VERB: &str = "serve";

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const MOUNT: &str = "/passthrough";
const KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Serves until the process is ended.
pub fn run(arguments: &[String]) -> Result<(), BoxError> {
    let [proxy, wire, vendor, authority] = arguments else {
        return Err("a proxy needs four arguments".into());
    };
    let proxy = Proxy::parse(proxy).ok_or("there is no such proxy")?;
    let wire = Wire::parse(wire).ok_or("there is no such wire")?;
    let (vendor, authority) = (vendor.parse()?, Path::new(authority));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match proxy {
            Proxy::Legacy => legacy(wire, vendor).await,
            Proxy::AxumReverseProxy => axum_reverse_proxy(vendor).await,
            Proxy::Axum => {
                let service = passthrough(proxy, wire, vendor, authority)?;
                let router = Router::new().nest_service(MOUNT, service);
                server(TowerToHyperService::new(router)).await
            }
            _ => {
                let service = passthrough(proxy, wire, vendor, authority)?;
                server(TowerToHyperService::new(service)).await
            }
        }
    })
}

/// Runs hyper's server, with HTTP/1.1 and HTTP/2 on the same port.
async fn server<S, B>(service: S) -> Result<(), BoxError>
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let listener = TcpListener::bind((LOOPBACK, 0)).await?;
    println!("listening on {}", listener.local_addr()?);
    let server = auto::Builder::new(TokioExecutor::new());
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (server, service) = (server.clone(), service.clone());
        tokio::spawn(async move { server.serve_connection(TokioIo::new(stream), service).await });
    }
}

fn passthrough(
    proxy: Proxy,
    wire: Wire,
    vendor: SocketAddr,
    authority: &Path,
) -> Result<PassthroughService, BoxError> {
    let network = NetworkPolicy::new()
        .allow(LOOPBACK.into())
        .dangerous()
        .plaintext();
    let mut transport = HttpTransport::builder()
        .network(network)
        .resolve("vendor.test", LOOPBACK)
        .http2_prior_knowledge(wire == Wire::Http2);
    let base_url = match wire {
        Wire::Tls => {
            transport = transport.root_pem(&fs::read(authority)?)?;
            format!("https://vendor.test:{}/v2", vendor.port())
        }
        _ => format!("http://{vendor}/v2"),
    };
    let transport = transport.build()?;
    let upstream = Upstream::new(&base_url)?;
    let connection = Connection::new("crm");
    match proxy {
        Proxy::Plain => service(memory(connection), upstream, transport, MOUNT),
        Proxy::OAuth2 => {
            let connection = connection
                .with_secret("access_token", "s3cr3t")
                .with_secret("refresh_token", "r")
                .with_secret("expires_at", "4102444800");
            let endpoint = TokenEndpoint::new("https://login.vendor.test/token")?.client_id("app");
            let source = OAuth2TokenSource::new(transport.clone()).with("crm", endpoint);
            let store = RefreshingStore::new(memory(connection), source);
            service(store, upstream.auth(AccessToken), transport, MOUNT)
        }
        _ => {
            let connection = connection.with_secret("token", "s3cr3t");
            let mount = if proxy == Proxy::Axum { "" } else { MOUNT };
            service(memory(connection), upstream.auth(Bearer), transport, mount)
        }
    }
}

fn memory(connection: Connection) -> MemoryStore {
    MemoryStore::from_iter([("acme", connection)])
}

fn service<S: CredentialStore>(
    store: S,
    upstream: Upstream,
    transport: HttpTransport,
    mount: &str,
) -> Result<PassthroughService, BoxError> {
    let mut service = PassthroughService::builder(store, Integrations::new().with("crm", upstream))
        .authorize_fn(|id, _| id.as_str() == "acme")
        .caller_credentials([KEY])
        .transport(transport);
    if !mount.is_empty() {
        service = service.prefix(mount)?;
    }
    Ok(service.build())
}

/// Serves with hyper's server and hyper-util's legacy client, with as little code between them as possible.
async fn legacy(wire: Wire, vendor: SocketAddr) -> Result<(), BoxError> {
    let client = client::<Incoming>(wire);
    // The client refuses a request of HTTP/2 on a connection of HTTP/1.1, and changes none.
    let version = match wire {
        Wire::Http2 => Version::HTTP_2,
        Wire::Http1 | Wire::Tls => Version::HTTP_11,
    };
    let vendor: Uri = format!("http://{vendor}/v2").parse()?;
    server(service_fn(move |request: Request<Incoming>| {
        let (client, uri) = (client.clone(), rewritten(request.uri(), &vendor));
        async move {
            let mut request = with_credential(request);
            *request.uri_mut() = uri?;
            *request.version_mut() = version;
            request.headers_mut().remove(header::HOST);
            Ok::<_, BoxError>(client.request(request).await?)
        }
    }))
    .await
}

async fn axum_reverse_proxy(vendor: SocketAddr) -> Result<(), BoxError> {
    let vendor = format!("http://{vendor}/v2");
    let proxy = ReverseProxy::new_with_client(format!("{MOUNT}/acme"), vendor, client(Wire::Http1));
    let router: Router = proxy.into();
    server(service_fn(move |request: Request<Incoming>| {
        router.clone().oneshot(with_credential(request))
    }))
    .await
}

fn client<B: Body<Data: Send> + Send>(wire: Wire) -> Client<HttpConnector, B> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new())
        .http2_only(wire == Wire::Http2)
        .build(connector)
}

/// Removes the caller's key and adds the credential, which this crate does and a plain proxy doesn't.
fn with_credential<B>(mut request: Request<B>) -> Request<B> {
    let fields = request.headers_mut();
    fields.remove(KEY);
    let credential = HeaderValue::from_static("Bearer s3cr3t");
    fields.insert(header::AUTHORIZATION, credential);
    request
}

/// Returns the URI at the vendor, without the mount and the connection id.
fn rewritten(uri: &Uri, vendor: &Uri) -> Result<Uri, BoxError> {
    let target = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let rest = target
        .strip_prefix(MOUNT)
        .and_then(|rest| rest.strip_prefix("/acme"));
    let mut parts = vendor.clone().into_parts();
    let target = format!("{}{}", vendor.path(), rest.unwrap_or(target));
    parts.path_and_query = Some(target.parse()?);
    Ok(Uri::from_parts(parts)?)
}
