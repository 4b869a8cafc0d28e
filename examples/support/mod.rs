//! What the small examples share, and an app of yours doesn't need: a vendor on this machine, the
//! leave to call it, and `--once`, which makes the example's call and stops.

use std::error::Error;

use axum::Router;
use http::{HeaderMap, Method, StatusCode, Uri};
use tokio::net::TcpListener;
use tokio::process::Command;
use tower_passthrough::HttpTransport;
use tower_passthrough::policy::NetworkPolicy;

/// What an example starts with.
pub(crate) struct Local {
    pub(crate) listener: TcpListener,
    /// `HOST:PORT` of the listener.
    pub(crate) address: String,
    /// The vendor's base URL.
    pub(crate) vendor: String,
    /// Calls that vendor, which the default one wouldn't.
    pub(crate) transport: HttpTransport,
}

impl Local {
    pub(crate) async fn start() -> Result<Self, Box<dyn Error>> {
        let port = if once() { 0 } else { 8080 };
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let address = listener.local_addr()?;
        // Unless they're allowed, private addresses and plaintext are refused.
        let network = NetworkPolicy::new().allow("127.0.0.0/8".parse()?);
        let network = network.listener(address).dangerous().plaintext();
        Ok(Self {
            listener,
            address: address.to_string(),
            vendor: vendor().await?,
            transport: HttpTransport::builder().network(network).build()?,
        })
    }
}

/// Serves, and says what to try. With `--once`: tries it, and ends.
pub(crate) async fn serve<E>(
    server: impl IntoFuture<Output = Result<(), E>>,
    line: String,
) -> Result<(), Box<dyn Error>>
where
    Box<dyn Error>: From<E>,
{
    println!("{line}");
    let server = server.into_future();
    if !once() {
        return Ok(server.await?);
    }
    let mut words = line.split(' ');
    let mut command = Command::new(words.next().unwrap_or_default());
    tokio::select! {
        served = server => Ok(served?),
        status = command.args(words).arg("-sSf").status() => match status?.success() {
            true => Ok(()),
            false => Err("the call failed".into()),
        },
    }
}

fn once() -> bool {
    std::env::args().any(|argument| argument == "--once")
}

/// A vendor that wants a token, and tells whose it was and what was asked for.
async fn vendor() -> Result<String, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base_url = format!("http://{}", listener.local_addr()?);
    let app = Router::new().fallback(async |method: Method, target: Uri, headers: HeaderMap| {
        let token = headers.get("authorization").map(|value| value.as_bytes());
        match token {
            Some(b"Bearer anns-token") => Ok(format!("Ann: {method} {target}\n")),
            Some(b"Bearer bens-token") => Ok(format!("Ben: {method} {target}\n")),
            _ => Err((StatusCode::UNAUTHORIZED, "this vendor wants a token\n")),
        }
    });
    tokio::spawn(axum::serve(listener, app).into_future());
    Ok(base_url)
}
