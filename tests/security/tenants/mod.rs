//! The caller of a call.

mod credentials;
mod crossing;
mod identified;
mod identities;
mod ids;
mod keys;
mod scopes;
mod signed;
mod tunnels;
mod unannounced;

use tower_passthrough::{
    Authorize, Connection, CredentialStore, Integrations, PassthroughService, Upstream,
};

use testkit::caller::request;
use testkit::gateway::{Gateway, Setup, TOKEN, bind};
use testkit::reply::Reply;
use testkit::vendor::Vendor;

/// Starts a gateway at `/p` in front of that vendor, with the authorization that `finish` sets.
async fn gateway<S, A>(
    vendor: &Vendor,
    store: S,
    authorizer: A,
    upstream: impl FnOnce(Upstream) -> Upstream + Send + 'static,
) -> Gateway
where
    S: CredentialStore,
    A: Authorize,
{
    let listener = bind().await;
    let mut setup = Setup::new(vendor).path("/v2").upstream(upstream);
    let transport = setup.build_transport(listener.local_addr().unwrap());
    let integrations = Integrations::new().with("vendor", setup.build_upstream());
    let service = PassthroughService::builder(store, integrations)
        .authorize(authorizer)
        .caller_credentials([])
        .transport(transport)
        .prefix("/p")
        .unwrap()
        .build();
    Gateway::serve(listener, service)
}

fn connection() -> Connection {
    Connection::new("vendor").with_secret("token", TOKEN)
}

/// Returns a chunked request with trailers.
fn with_trailers(target: &str, lines: &[&str], trailers: &[&str]) -> String {
    let lines: Vec<_> = lines
        .iter()
        .copied()
        .chain(["Transfer-Encoding: chunked"])
        .collect();
    let trailers: String = trailers.iter().map(|line| format!("{line}\r\n")).collect();
    request(
        "POST",
        target,
        &lines,
        &format!("2\r\nab\r\n0\r\n{trailers}\r\n"),
    )
}

/// Starts a vendor that answers each call with the tenant that it sees, and with parts of the request.
async fn echoing_vendor() -> Vendor {
    Vendor::replying(|received| {
        let token = received.head.value("authorization").unwrap_or_default();
        let body = format!(
            "{token} {} {}",
            received.target(),
            String::from_utf8_lossy(&received.body.data)
        );
        Reply::ok(&body)
    })
    .await
}
