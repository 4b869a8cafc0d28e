//! The proxies that this program serves itself, each in a separate process.

mod client;
mod floor;
mod ours;
mod peers;

use std::net::SocketAddr;
use std::path::PathBuf;

use bytes::Bytes;
use clap::Args;
use http::{HeaderValue, Request, Response, header};
use http_body::Body;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use crate::BoxError;
use crate::vendor::answer::CREDENTIAL;

/// The arguments of a served proxy.
#[derive(Args, Debug)]
pub struct Served {
    id: String,
    #[arg(long)]
    listen: SocketAddr,
    #[arg(long)]
    vendor: SocketAddr,
    #[arg(long, default_value_t = 1)]
    workers: usize,
    /// Uses HTTP/2 to the vendor, with prior knowledge.
    #[arg(long)]
    http2: bool,
    /// Uses TLS to the vendor, and trusts this authority.
    #[arg(long)]
    authority: Option<PathBuf>,
}

impl Served {
    /// Returns the vendor's base URL, with the vendor's name if its certificate is verified.
    fn base_url(&self) -> String {
        match self.authority {
            Some(_) => format!("https://vendor.test:{}", self.vendor.port()),
            None => format!("http://{}", self.vendor),
        }
    }
}

/// Serves until the process is ended.
pub fn run(told: &Served) -> Result<(), BoxError> {
    if told.id == "floor" {
        return floor::run(told);
    }
    runtime(told.workers)?.block_on(async {
        match told.id.as_str() {
            "hyper" => ours::on_hyper(told).await,
            "axum" => ours::in_axum(told).await,
            "legacy" => peers::legacy(told).await,
            "tower-proxy" => peers::tower_proxy(told).await,
            "axum-reverse-proxy" => peers::axum_reverse_proxy(told).await,
            other => Err(format!("there is no proxy {other}").into()),
        }
    })
}

/// Returns a runtime with this number of workers. A single worker needs no other thread.
fn runtime(workers: usize) -> std::io::Result<Runtime> {
    match workers {
        0 | 1 => Builder::new_current_thread().enable_all().build(),
        workers => Builder::new_multi_thread()
            .worker_threads(workers)
            .enable_all()
            .build(),
    }
}

/// Runs hyper's server in front of a proxy, with HTTP/1.1 and HTTP/2 on the same port.
async fn server<S, B>(listen: SocketAddr, service: S) -> Result<(), BoxError>
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let listener = TcpListener::bind(listen).await?;
    let server = auto::Builder::new(TokioExecutor::new());
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (server, service) = (server.clone(), service.clone());
        tokio::spawn(async move { server.serve_connection(TokioIo::new(stream), service).await });
    }
}

/// Removes the caller's key and adds the credential, which this crate does and a plain proxy doesn't.
fn with_credential<B>(mut request: Request<B>) -> Request<B> {
    let fields = request.headers_mut();
    fields.remove("x-api-key");
    fields.insert(header::AUTHORIZATION, HeaderValue::from_static(CREDENTIAL));
    request
}
