//! The two proxies. Each proxy is a separate process: this program, started with another argument.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::str::FromStr;

use bytes::Bytes;
use http::uri::{Authority, Scheme};
use http::{HeaderValue, Request, Response, Uri, Version, header};
use http_body::Body;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tower_passthrough::policy::NetworkPolicy;
use tower_passthrough::{
    BoxError, Connection, HttpTransport, Integrations, MemoryStore, PassthroughService, Upstream,
    auth,
};

/// The argument that starts this program as a proxy.
pub(crate) const VERB: &str = "proxy";

/// The value of the `authorization` field that both proxies send.
pub(crate) const AUTHORIZATION: &str = "Bearer s3cr3t";

const TOKEN: &str = "s3cr3t";

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Bare,
    Passthrough,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Passthrough => "passthrough",
        }
    }
}

impl FromStr for Kind {
    type Err = BoxError;

    fn from_str(name: &str) -> Result<Self, BoxError> {
        [Self::Bare, Self::Passthrough]
            .into_iter()
            .find(|kind| kind.as_str() == name)
            .ok_or_else(|| "there is no such proxy".into())
    }
}

/// A proxy that runs until the value is dropped.
pub(crate) struct Proxy {
    child: Child,
    address: SocketAddr,
}

impl Proxy {
    pub(crate) async fn start(kind: Kind, vendor: SocketAddr) -> Result<Self, BoxError> {
        let mut child = Command::new(std::env::current_exe()?)
            .args([VERB, kind.as_str(), &vendor.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().ok_or("the proxy has no stdout")?;
        let mut address = String::new();
        BufReader::new(stdout).read_line(&mut address).await?;
        let address = address.trim().parse()?;
        Ok(Self { child, address })
    }

    /// Returns the id of the proxy's process.
    pub(crate) fn process(&self) -> Option<u32> {
        self.child.id()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Runs a proxy until its stdin ends. The stdin ends together with the process that started the proxy.
pub(crate) fn run(kind: Kind, vendor: SocketAddr) -> Result<(), BoxError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let serving = async {
            match kind {
                Kind::Bare => serve(bare(vendor)?).await,
                Kind::Passthrough => serve(TowerToHyperService::new(passthrough(vendor)?)).await,
            }
        };
        let mut nothing = Vec::new();
        let mut stdin = tokio::io::stdin();
        tokio::select! {
            ended = serving => ended,
            _ = stdin.read_to_end(&mut nothing) => Ok(()),
        }
    })
}

/// Runs the server that both proxies use.
async fn serve<S, B>(service: S) -> Result<(), BoxError>
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let listener = TcpListener::bind((LOOPBACK, 0)).await?;
    println!("{}", listener.local_addr()?);
    let server = auto::Builder::new(TokioExecutor::new());
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (server, service) = (server.clone(), service.clone());
        tokio::spawn(async move { server.serve_connection(TokioIo::new(stream), service).await });
    }
}

fn passthrough(vendor: SocketAddr) -> Result<PassthroughService, BoxError> {
    let network = NetworkPolicy::new()
        .allow(LOOPBACK.into())
        .dangerous()
        .plaintext();
    let store = MemoryStore::from_iter([(
        "acme",
        Connection::new("vendor").with_secret("token", TOKEN),
    )]);
    let upstream = Upstream::new(&format!("http://{vendor}/v2"))?.auth(auth::Bearer);
    let service = PassthroughService::builder(store, Integrations::new().with("vendor", upstream))
        .authorize_fn(|_, _| true)
        .caller_credentials([])
        .transport(HttpTransport::builder().network(network).build()?)
        .prefix("/passthrough")?
        .build();
    Ok(service)
}

/// Returns a proxy that does the least possible work: the proxy changes the authority and the path,
/// adds one header, and passes on the body unchanged.
fn bare(
    vendor: SocketAddr,
) -> Result<
    impl Service<Request<Incoming>, Response = Response<Incoming>, Error = BoxError, Future: Send>
    + Clone,
    BoxError,
> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Client<_, Incoming> = Client::builder(TokioExecutor::new()).build(connector);
    let vendor: Authority = vendor.to_string().parse()?;
    Ok(service_fn(move |mut request: Request<Incoming>| {
        let client = client.clone();
        let vendor = vendor.clone();
        async move {
            *request.uri_mut() = rewritten(request.uri(), vendor)?;
            *request.version_mut() = Version::HTTP_11;
            request.headers_mut().remove(header::HOST);
            request.headers_mut().insert(
                header::AUTHORIZATION,
                HeaderValue::from_static(AUTHORIZATION),
            );
            Ok::<_, BoxError>(client.request(request).await?)
        }
    }))
}

fn rewritten(uri: &Uri, vendor: Authority) -> Result<Uri, http::Error> {
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let rest = target.strip_prefix("/passthrough/acme").unwrap_or(target);
    Uri::builder()
        .scheme(Scheme::HTTP)
        .authority(vendor)
        .path_and_query(format!("/v2{rest}"))
        .build()
}
