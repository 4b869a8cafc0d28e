//! pingora as a reverse proxy, which removes the mount's prefix and the caller's key, and adds the
//! credential.
//!
//! ```text
//! pingora-peer LISTEN VENDOR WORKERS plain|tls|http2 AUTHORITY
//! ```
#![forbid(unsafe_code)]

use std::net::SocketAddr;

use async_trait::async_trait;
use http::Uri;
use pingora::apps::HttpServerOptions;
use pingora::http::RequestHeader;
use pingora::prelude::{Error, ErrorType, HttpPeer, ProxyHttp, Result, Server, Session};
use pingora::proxy::http_proxy_service;
use pingora::server::RunArgs;
use pingora::server::configuration::ServerConf;

const MOUNT: &str = "/passthrough/acme";
const CREDENTIAL: &str = "Bearer s3cr3t";

struct Gateway {
    vendor: HttpPeer,
}

#[async_trait]
impl ProxyHttp for Gateway {
    type CTX = ();

    fn new_ctx(&self) -> Self::CTX {}

    async fn upstream_peer(&self, _: &mut Session, (): &mut ()) -> Result<Box<HttpPeer>> {
        Ok(Box::new(self.vendor.clone()))
    }

    async fn upstream_request_filter(
        &self,
        _: &mut Session,
        request: &mut RequestHeader,
        (): &mut (),
    ) -> Result<()> {
        let mut parts = request.uri.clone().into_parts();
        let target = request
            .uri
            .path_and_query()
            .map_or("/", |target| target.as_str());
        let rest = target.strip_prefix(MOUNT).unwrap_or(target);
        parts.path_and_query = Some(rest.parse().map_err(|_| malformed())?);
        request.set_uri(Uri::from_parts(parts).map_err(|_| malformed())?);
        request.remove_header("x-api-key");
        request.insert_header("authorization", CREDENTIAL)
    }
}

fn malformed() -> Box<Error> {
    Error::new(ErrorType::InvalidHTTPHeader)
}

fn main() {
    // The default level of the logger prints errors only.
    env_logger::init();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [listen, vendor, workers, wire, authority] = arguments.as_slice() else {
        panic!("usage: pingora-peer LISTEN VENDOR WORKERS plain|tls|http2 AUTHORITY");
    };
    let vendor: SocketAddr = vendor.parse().expect("an address of the vendor");
    let (tls, http2) = (wire == "tls", wire == "http2");

    let conf = ServerConf {
        threads: workers.parse().expect("a number of workers"),
        // The pool keeps a connection for each caller; the default of pingora is 128.
        upstream_keepalive_pool_size: 64,
        grace_period_seconds: Some(0),
        graceful_shutdown_timeout_seconds: Some(0),
        ca_file: tls.then(|| authority.clone()),
        ..ServerConf::default()
    };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();

    let mut peer = HttpPeer::new(vendor, tls, "vendor.test".to_owned());
    if http2 {
        peer.options.set_http_version(2, 2);
        // The default of pingora is one stream for each connection.
        peer.options.max_h2_streams = 100;
    }
    let mut service = http_proxy_service(&server.configuration, Gateway { vendor: peer });
    let mut options = HttpServerOptions::default();
    options.h2c = http2;
    if let Some(proxy) = service.app_logic_mut() {
        proxy.server_options = Some(options);
    }
    service.add_tcp(listen);
    server.add_service(service);
    server.run(RunArgs::default());
}
