//! The demo: a small upstream inside this process, and a connection to it.
//!
//! The upstream is an example of an API that needs a bearer token. Its response shows the request that
//! it received, so that the user can see the result of forwarding.

use std::future::pending;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{StatusCode, Uri};
use http_body_util::channel::Channel;
use ipnet::IpNet;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower_passthrough::address::PathEncoding;
use tower_passthrough::observe::TraceContext;
use tower_passthrough::policy::NetworkPolicy;
use tower_passthrough::resilience::RetryPolicy;
use tower_passthrough::service::{ForeignLocations, ResponseHeaderPolicy};
use tower_passthrough::upstream::BaseUrlError;
use tower_passthrough::{Connection, HttpTransport, Integrations, Upstream, auth};

use crate::addressing::Ways;
use crate::callers::Callers;
use crate::config::{Config, Declared, Limits, RefreshTimes, Store, TransportKey};
use crate::listen::{Listen, Mode};
use crate::log::LogFormat;

use crate::page::Settings;
use crate::peers::{PeerLimits, Peers};
use crate::server::Server;

/// The token that the upstream needs. Callers never see it, and need no key in the
/// demo.
const TOKEN: &str = "demo-token";

/// The limits of the connections to the demo, and to its upstream.
const PEERS: PeerLimits = PeerLimits {
    total: Some(256),
    per_address: None,
    idle: Config::CALLER_IDLE,
    stalled: Config::IDLE_TIMEOUT,
};

/// Starts the upstream, and returns a config with a connection to it.
pub(crate) async fn start(listen: Option<Listen>) -> io::Result<Config> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let vendor = listener.local_addr()?;
    tokio::spawn(async move {
        Server::new(self::vendor().into(), None, Peers::new(PEERS))
            .accept(listener, pending())
            .await
    });
    config(listen, vendor).map_err(io::Error::other)
}

/// Returns curl commands to try, and the purpose of each command.
pub(crate) fn curl_lines(address: SocketAddr) -> String {
    let mount = format!("http://{address}{}/demo", Config::MOUNT);
    format!(
        "\nTry, in another terminal:\n\
         \n  # A path as generated SDKs send it: the vendor sees /v2/customers?page=2\
         \n  curl {mount}/%2Fv2%2Fcustomers%3Fpage%3D2\n\
         \n  # A path with a literal slash goes as it is: the vendor sees /v2/projects/group%2Frepo\
         \n  curl {mount}/v2/projects/group%2Frepo\n\
         \n  # Everything streams: three events, one after the other\
         \n  curl -N {mount}/v2/events\n"
    )
}

fn config(listen: Option<Listen>, vendor: SocketAddr) -> Result<Config, BaseUrlError> {
    let upstream = Upstream::new(&format!("http://{vendor}"))?.auth(auth::Bearer);
    Ok(Config {
        listen: listen.unwrap_or(Config::LISTEN),
        socket_mode: Mode::default(),
        log: LogFormat::Text,
        access_log: true,
        log_paths: false,
        tls: None,
        peers: PEERS,
        operator: None,
        page: false,
        mount: Config::MOUNT.to_owned(),
        ways: Ways::default(),
        host_pattern: None,
        entries: Vec::new(),
        page_settings: Settings::new(Config::MOUNT, &Ways::default(), None, false),
        shutdown: Config::SHUTDOWN,
        callers: Callers::anyone(),
        store: Store::File(vec![(
            "demo".to_owned(),
            Connection::new("demo").with_secret("token", TOKEN),
        )]),
        declared: Declared::of(Integrations::new().with("demo", upstream)),
        network: NetworkPolicy::new()
            .allow(IpNet::from(IpAddr::from(Ipv4Addr::LOCALHOST)))
            .dangerous()
            .plaintext(),
        transport: HttpTransport::builder().connect_timeout(Config::CONNECT_TIMEOUT),
        transport_key: TransportKey::default(),
        path_encoding: PathEncoding::Auto,
        response_headers: ResponseHeaderPolicy::All,
        rewrite_links: false,
        public_url: None,
        foreign_locations: ForeignLocations::Pass,
        reauthorize_url: None,
        may_rewrite_links: false,
        strip_headers: Vec::new(),
        pass_headers: Vec::new(),
        pass_server_instructions: false,
        websocket_origins: Vec::new(),
        total_timeout: None,
        upgrade_grace: None,
        response_head_timeout: Config::RESPONSE_HEAD_TIMEOUT,
        idle_timeout: None,
        stream_idle_timeout: None,
        via: None,
        pass_forwarded: false,
        reject_double_encoded_dots: false,
        refresh: RefreshTimes::default(),
        request_body_limit: None,
        trace_context: TraceContext::Pass,
        limits: Limits::default(),
        retry: RetryPolicy::new(1),
        circuit: None,
    })
}

fn vendor() -> Router {
    Router::new()
        .route("/v2/customers", get(customers))
        .route(
            "/v2/projects/{*project}",
            any(async |target: Uri| json_line(&json!({ "received": received(&target) }))),
        )
        .route("/v2/events", get(events))
        .layer(from_fn(bearer_only))
}

async fn bearer_only(request: Request, next: Next) -> Response {
    let expected = format!("Bearer {TOKEN}");
    if request
        .headers()
        .get(AUTHORIZATION)
        .is_some_and(|value| *value == *expected)
    {
        return next.run(request).await;
    }
    let problem = json_line(&json!({ "error": "this vendor requires a bearer token" }));
    (
        StatusCode::UNAUTHORIZED,
        [(WWW_AUTHENTICATE, "Bearer")],
        problem,
    )
        .into_response()
}

async fn customers(target: Uri) -> Response {
    const ALL: [&str; 6] = ["Ada", "Ben", "Cleo", "Dana", "Eli", "Fay"];
    const PER_PAGE: usize = 2;
    let pairs = target.query().unwrap_or_default().split('&');
    let page = pairs
        .filter_map(|pair| pair.strip_prefix("page="))
        .next_back();
    let page = page
        .and_then(|page| page.parse().ok())
        .filter(|&page| page > 0)
        .unwrap_or(1);
    let customers: Vec<_> = ALL
        .chunks(PER_PAGE)
        .nth(page - 1)
        .unwrap_or_default()
        .to_vec();
    json_line(&json!({ "received": received(&target), "page": page, "customers": customers }))
}

async fn events() -> Response {
    let (mut sender, body) = Channel::<Bytes>::new(1);
    tokio::spawn(async move {
        for number in 1..=3 {
            let event = format!("event: tick\ndata: {number} of 3\n\n");
            // The caller has disconnected, so the rest isn't sent.
            if sender.send_data(event.into()).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    });
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-store"),
    ];
    (headers, Body::new(body)).into_response()
}

/// Returns the path and query as they were received: not decoded, and not normalised.
fn received(target: &Uri) -> &str {
    target.path_and_query().map_or("", |target| target.as_str())
}

fn json_line(value: &Value) -> Response {
    ([(CONTENT_TYPE, "application/json")], format!("{value}\n")).into_response()
}
