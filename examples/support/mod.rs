//! The parts that the small examples share, and that an app of yours doesn't need: a vendor on this machine, the address to listen on, and
//! `--once`, with which an example makes its call and stops.

mod vendor;

use std::error::Error;

use tokio::net::TcpListener;
use tokio::process::Command;
use tower_passthrough::HttpTransport;
use tower_passthrough::policy::NetworkPolicy;

/// The parts that an example starts with.
pub(crate) struct Local {
    pub(crate) listener: TcpListener,
    /// `HOST:PORT` of the listener.
    pub(crate) address: String,
    /// The vendor's base URL.
    pub(crate) vendor: String,
    /// The transport that calls this vendor, which the default transport would refuse to call.
    pub(crate) transport: HttpTransport,
}

impl Local {
    pub(crate) async fn start() -> Result<Self, Box<dyn Error>> {
        let listener = TcpListener::bind(listen()?).await?;
        let address = listener.local_addr()?;
        // Private addresses and plaintext are refused, unless the policy allows them.
        let network = NetworkPolicy::new().listener(address);
        let network = network.dangerous().loopback();
        Ok(Self {
            listener,
            address: address.to_string(),
            vendor: vendor::start().await?,
            transport: HttpTransport::builder().network(network).build()?,
        })
    }
}

/// Serves, and prints a command to try. With `--once`, runs the command and ends.
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

/// Returns the address of `--listen ADDRESS`, such as `127.0.0.1:0` for a free port.
fn listen() -> Result<String, Box<dyn Error>> {
    let mut arguments = std::env::args();
    if arguments.any(|argument| argument == "--listen") {
        let address = arguments.next();
        return address.ok_or_else(|| "`--listen` needs an address".into());
    }
    let port = if once() { 0 } else { 8080 };
    Ok(format!("127.0.0.1:{port}"))
}
