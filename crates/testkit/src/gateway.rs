//! A passthrough on its own port, in front of one vendor.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tower_passthrough::authorize::AllowAll;
use tower_passthrough::client::HttpTransportBuilder;
use tower_passthrough::policy::NetworkPolicy;
use tower_passthrough::{
    Authorize, Connection, CredentialStore, HttpTransport, Integrations, MemoryStore,
    PassthroughBuilder, PassthroughLayer, PassthroughService, Upstream, auth,
};

use super::certificates;

/// The origin of a vendor: scheme, name and port.
pub trait Origin {
    fn origin(&self) -> String;
}

impl Origin for str {
    fn origin(&self) -> String {
        self.to_owned()
    }
}

/// The manner in which the passthrough is mounted at `/p`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mount {
    /// The service alone under hyper-util's auto builder, with its own prefix.
    Hyper,
    /// `Router::nest_service` of axum.
    Nest,
    /// `PassthroughLayer` around an axum router.
    Layer,
}

pub type Builder = PassthroughBuilder<MemoryStore, Integrations, HttpTransport, AllowAll>;

type Change<T> = Box<dyn FnOnce(T) -> T + Send>;

/// The parts of a gateway that a test sets. The default is connection `c` at a vendor with bearer
/// authentication.
pub struct Setup {
    origin: String,
    path: String,
    connections: Vec<(String, Connection)>,
    upstream: Change<Upstream>,
    options: Change<Builder>,
    network: Change<NetworkPolicy>,
    transport: Change<HttpTransportBuilder>,
    names: Vec<(String, IpAddr)>,
    mount: Mount,
    listener: Option<TcpListener>,
}

/// The stored secret of the usual connection.
pub const TOKEN: &str = "s3cr3t";

impl Setup {
    pub fn new(vendor: &(impl Origin + ?Sized)) -> Self {
        let loopback = IpAddr::from([127, 0, 0, 1]);
        Self {
            origin: vendor.origin(),
            path: String::new(),
            connections: vec![(
                "c".to_owned(),
                Connection::new("vendor").with_secret("token", TOKEN),
            )],
            upstream: Box::new(|upstream| upstream),
            options: Box::new(|builder| builder),
            network: Box::new(|network| network),
            transport: Box::new(|transport| transport),
            names: ["vendor.test", "eu.vendor.test"]
                .map(|name| (name.to_owned(), loopback))
                .to_vec(),
            mount: Mount::Hyper,
            listener: None,
        }
    }

    /// The base URL's path.
    pub fn path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// Replaces the connection `c`.
    pub fn connection(self, connection: Connection) -> Self {
        self.also("c", connection)
    }

    /// Adds a connection; the last connection with an id counts.
    pub fn also(mut self, id: &str, connection: Connection) -> Self {
        self.connections.push((id.to_owned(), connection));
        self
    }

    /// Changes the integration, which starts with bearer authentication.
    pub fn upstream(mut self, change: impl FnOnce(Upstream) -> Upstream + Send + 'static) -> Self {
        self.upstream = Box::new(change);
        self
    }

    /// Changes the service's options.
    pub fn options(mut self, change: impl FnOnce(Builder) -> Builder + Send + 'static) -> Self {
        self.options = Box::new(change);
        self
    }

    /// Changes the guard, which lets loopback and plaintext through and knows the gateway's own
    /// listener.
    pub fn network(
        mut self,
        change: impl FnOnce(NetworkPolicy) -> NetworkPolicy + Send + 'static,
    ) -> Self {
        self.network = Box::new(change);
        self
    }

    pub fn transport(
        mut self,
        change: impl FnOnce(HttpTransportBuilder) -> HttpTransportBuilder + Send + 'static,
    ) -> Self {
        self.transport = Box::new(change);
        self
    }

    /// Adds another name that is answered without DNS.
    pub fn name(mut self, name: &str, address: [u8; 4]) -> Self {
        self.names.push((name.to_owned(), address.into()));
        self
    }

    pub fn mount(mut self, mount: Mount) -> Self {
        self.mount = mount;
        self
    }

    /// Serves on this socket.
    pub fn listener(mut self, listener: TcpListener) -> Self {
        self.listener = Some(listener);
        self
    }

    /// Builds the transport alone, for a gateway whose listener exists already.
    pub fn build_transport(&mut self, listener: SocketAddr) -> HttpTransport {
        let network = NetworkPolicy::new()
            .allow("127.0.0.0/8".parse().expect("a block"))
            .listener(listener)
            .dangerous()
            .plaintext();
        let network = std::mem::replace(&mut self.network, Box::new(|network| network))(network);
        let mut transport = HttpTransport::builder()
            .network(network)
            .root_pem(certificates::root_pem().as_bytes())
            .expect("a root");
        for (name, address) in &self.names {
            transport = transport.resolve(name, *address);
        }
        let change = std::mem::replace(&mut self.transport, Box::new(|transport| transport));
        change(transport).build().expect("a transport")
    }

    /// Builds the integration.
    pub fn build_upstream(&mut self) -> Upstream {
        let base = format!("{}{}", self.origin, self.path);
        let upstream = Upstream::new(&base).expect("a base URL").auth(auth::Bearer);
        std::mem::replace(&mut self.upstream, Box::new(|upstream| upstream))(upstream)
    }

    /// Builds the service, for a gateway with that listener.
    pub fn build(&mut self, listener: SocketAddr) -> PassthroughService {
        let integrations = Integrations::new().with("vendor", self.build_upstream());
        let store = MemoryStore::from_iter(std::mem::take(&mut self.connections));
        let transport = self.build_transport(listener);
        let mut builder = PassthroughService::builder(store, integrations)
            .dangerous()
            .allow_all()
            .transport(transport);
        if self.mount == Mount::Hyper {
            builder = builder.prefix("/p").expect("a prefix");
        }
        let options = std::mem::replace(&mut self.options, Box::new(|builder| builder));
        options(builder).build()
    }

    /// Serves with that store and that authorizer, in place of the usual connections and of access
    /// for everyone. Options have no effect.
    pub async fn start_with(
        mut self,
        store: impl CredentialStore,
        authorizer: impl Authorize,
    ) -> Gateway {
        let listener = bind().await;
        let transport = self.build_transport(listener.local_addr().expect("a bound socket"));
        let integrations = Integrations::new().with("vendor", self.build_upstream());
        let service = PassthroughService::builder(store, integrations)
            .authorize(authorizer)
            .caller_credentials([])
            .transport(transport)
            .prefix("/p")
            .expect("a prefix")
            .build();
        Gateway::serve(listener, service)
    }

    pub async fn start(mut self) -> Gateway {
        let listener = match self.listener.take() {
            Some(listener) => listener,
            None => bind().await,
        };
        let address = listener.local_addr().expect("a bound socket");
        let service = self.build(address);
        match self.mount {
            Mount::Hyper => Gateway::serve(listener, service),
            Mount::Nest => {
                Gateway::serve(listener, axum::Router::new().nest_service("/p", service))
            }
            Mount::Layer => {
                let layer = PassthroughLayer::new("/p", service).expect("a prefix");
                let inner = axum::Router::new()
                    .fallback(|| async { "inner" })
                    .layer(layer);
                Gateway::serve(listener, inner)
            }
        }
    }
}

/// Serves until the gateway is dropped.
pub struct Gateway {
    pub address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Gateway {
    /// Starts the usual gateway in front of that vendor.
    pub async fn to(vendor: &(impl Origin + ?Sized)) -> Self {
        Setup::new(vendor).start().await
    }

    /// Serves any service under hyper-util's auto builder.
    pub fn serve<S, B>(listener: TcpListener, service: S) -> Self
    where
        S: tower_service::Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
            + Clone
            + Send
            + 'static,
        S::Future: Send,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let address = listener.local_addr().expect("a bound socket");
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let _ = socket.set_nodelay(true);
                let service = TowerToHyperService::new(service.clone());
                connections.spawn(async move {
                    let mut server = auto::Builder::new(TokioExecutor::new());
                    server.http2().enable_connect_protocol();
                    let _ = server
                        .serve_connection_with_upgrades(TokioIo::new(socket), service)
                        .await;
                });
            }
        });
        Self {
            address,
            _tasks: tasks,
        }
    }
}

/// Returns a listener on a free port of loopback.
pub async fn bind() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a free port")
}
