//! Real WebSocket peers on both sides.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use testkit::gateway::{Gateway, Mount, Setup, bind};
use testkit::wait::within;

/// Starts a vendor that sends each message back, and closes when the caller closes.
async fn echo() -> (String, JoinSet<()>) {
    let listener = bind().await;
    let port = listener.local_addr().unwrap().port();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((socket, _)) = listener.accept().await {
            connections.spawn(async move {
                let Ok(mut socket) = tokio_tungstenite::accept_async(socket).await else {
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
    (format!("http://vendor.test:{port}"), tasks)
}

async fn client(gateway: SocketAddr) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
    let request = format!("ws://{gateway}/p/c/live").into_client_request();
    let connected = tokio_tungstenite::connect_async(request.unwrap());
    let (socket, response) = within("a WebSocket", connected).await.unwrap();
    assert_eq!(response.status(), 101);
    socket
}

#[tokio::test]
async fn u2_tungstenite_works_on_both_sides() {
    let (vendor, _tasks) = echo().await;
    for mount in [Mount::Hyper, Mount::Nest, Mount::Layer] {
        let gateway = Setup::new(vendor.as_str()).mount(mount).start().await;
        let mut socket = client(gateway.address).await;
        for message in [
            Message::text("hello"),
            Message::binary(vec![7_u8; 200_000]),
            Message::text(""),
        ] {
            socket.send(message.clone()).await.unwrap();
            let back = within("a message", socket.next()).await.unwrap().unwrap();
            assert_eq!(back, message);
        }
        socket.send(Message::Ping("p".into())).await.unwrap();
        let pong = within("a pong", socket.next()).await.unwrap().unwrap();
        assert_eq!(pong, Message::Pong("p".into()));
        let goodbye = CloseFrame {
            code: CloseCode::Normal,
            reason: "done".into(),
        };
        socket
            .send(Message::Close(Some(goodbye.clone())))
            .await
            .unwrap();
        let back = within("a close", socket.next()).await.unwrap().unwrap();
        assert_eq!(back, Message::Close(Some(goodbye)));
        assert!(within("the end", socket.next()).await.is_none());
    }
}

#[tokio::test]
async fn u7_fifty_clients_at_once_get_their_own_messages() {
    let (vendor, _tasks) = echo().await;
    let gateway = Gateway::to(vendor.as_str()).await;
    let address = gateway.address;
    let mut clients = JoinSet::new();
    for number in 0..50 {
        clients.spawn(async move {
            let mut socket = client(address).await;
            for round in 0..20 {
                let message = Message::text(format!("{number}/{round}"));
                socket.send(message.clone()).await.unwrap();
                let back = within("a message", socket.next()).await.unwrap().unwrap();
                assert_eq!(back, message);
            }
        });
    }
    while let Some(ended) = clients.join_next().await {
        ended.unwrap();
    }
}
