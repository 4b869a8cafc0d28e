//! WebSockets.

use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use testkit::gateway::Origin;
use testkit::process::canary;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

use crate::fake::Api;
use crate::program::Program::{self, Node, Python};
use crate::scene::Scene;

/// A vendor that returns each message.
struct Echo {
    address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Origin for Echo {
    fn origin(&self) -> String {
        format!("http://vendor.test:{}", self.address.port())
    }
}

#[expect(clippy::result_large_err, reason = "the type is tungstenite's")]
fn judge(request: &Request, response: Response) -> Result<Response, ErrorResponse> {
    let authorization = request.headers().get("authorization");
    let is_stored = authorization.is_some_and(|value| value == "Bearer 5toredToken");
    let has_key = canary::find(&format!("{request:?}")).is_some();
    if is_stored && !has_key && request.uri().path() == "/v1/realtime" {
        return Ok(response);
    }
    Err(ErrorResponse::new(Some(
        "the fake didn't expect this handshake".to_owned(),
    )))
}

impl Echo {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                connections.spawn(async move {
                    let Ok(mut socket) = accept_hdr_async(socket, judge).await else {
                        return;
                    };
                    while let Some(Ok(message)) = socket.next().await {
                        if (message.is_text() || message.is_binary())
                            && socket.send(message).await.is_err()
                        {
                            return;
                        }
                    }
                });
            }
        });
        Self {
            address,
            _tasks: tasks,
        }
    }
}

async fn check(program: Program) {
    let echo = Echo::start().await;
    let scene = Scene::start(&echo, Api::new(|_| None)).await;
    let result = json!({ "text": "caf\u{e9}", "bytes": 200_000, "close": 1000 });
    if let Some(said) = scene.run(program, &result).await {
        scene.assert_errors(&said, ["404", "502"], 0).await;
    }
}

#[tokio::test]
async fn python_websockets() {
    check(Python("websockets")).await;
}

#[tokio::test]
async fn node_ws() {
    check(Node("ws")).await;
}
