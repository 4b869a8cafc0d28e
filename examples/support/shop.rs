//! A shop's login call, on this machine.

use std::error::Error;

use axum::{Router, http::StatusCode, routing::post};

const PATH: &str = "/rest/V1/integration/admin/token";

/// Starts the login call, and returns its address.
pub(crate) async fn start() -> Result<String, Box<dyn Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}{PATH}", listener.local_addr()?);
    let login = async |login: String| match login.contains(r#""password":"s3cr3t""#) {
        true => Ok("\"anns-token\""),
        false => Err(StatusCode::UNAUTHORIZED),
    };
    let app = Router::new().route(PATH, post(login));
    tokio::spawn(axum::serve(listener, app).into_future());
    Ok(address)
}
