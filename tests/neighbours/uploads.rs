//! Uploads in pieces of a few bytes, which an upstream may not read.

use bytes::Bytes;
use h2::server::SendResponse;
use http::{Request, Response};
use testkit::caller::{Caller, get};
use testkit::gateway::{Origin, bind};
use testkit::h2_caller::{self, H2Caller};
use testkit::h2_script::FrameVendor;
use testkit::wait::within;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::{assert_ok, setup, setup_h2};

/// The number of tiny pieces: more than twice as many as h2 tolerates with its default windows.
const PIECES: usize = 300;

type Exchange = (Request<h2::RecvStream>, SendResponse<Bytes>);

/// An upstream built on h2 with its default settings. It answers each GET, and hands out all other requests without reading them.
struct Server {
    listener: TcpListener,
}

impl Origin for Server {
    fn origin(&self) -> String {
        format!("http://{}", self.listener.local_addr().unwrap())
    }
}

impl Server {
    /// Serves until all connections have ended. Sends a message for each connection to `opened`.
    async fn serve(
        self,
        uploads: mpsc::UnboundedSender<Exchange>,
        opened: mpsc::UnboundedSender<()>,
    ) {
        let mut connections = JoinSet::new();
        while let Ok((socket, _)) = self.listener.accept().await {
            opened.send(()).unwrap();
            let uploads = uploads.clone();
            connections.spawn(async move {
                let mut connection = h2::server::handshake(socket).await.unwrap();
                while let Some(Ok((request, mut respond))) = connection.accept().await {
                    if request.method() != "GET" {
                        uploads.send((request, respond)).unwrap();
                        continue;
                    }
                    let mut body = respond.send_response(Response::new(()), false).unwrap();
                    body.send_data(Bytes::from_static(b"own"), true).unwrap();
                }
            });
        }
    }
}

#[tokio::test]
async fn x16_tiny_pieces_that_the_upstream_does_not_read_end_no_connection() {
    let server = Server {
        listener: bind().await,
    };
    let setup = setup(&server).transport(|transport| transport.http2_prior_knowledge(true));
    let (uploads, mut received) = mpsc::unbounded_channel();
    let (opened, mut connections) = mpsc::unbounded_channel();
    let _server = JoinSet::from_iter([server.serve(uploads, opened)]);
    let gateway = setup.start().await;
    let mut attacker = Caller::connect(gateway.address).await;
    attacker
        .write("POST /p/a0/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    let (request, mut respond) = within("the upload", received.recv()).await.unwrap();
    let mut victim = Caller::connect(gateway.address).await;
    for _ in 0..PIECES {
        attacker.write("1\r\nx\r\n").await;
        // The gateway reads the piece before it has answered the victim, because its tasks run one after the other.
        victim.write(get("/p/v/x")).await;
        assert_ok(&victim.response("GET").await, "own");
    }
    attacker.write("0\r\n\r\n").await;
    // Nothing is lost.
    let mut body = request.into_body();
    let mut length = 0;
    while let Some(data) = within("the body", body.data()).await {
        let data = data.unwrap();
        body.flow_control().release_capacity(data.len()).unwrap();
        length += data.len();
    }
    assert_eq!(length, PIECES);
    let mut own = respond.send_response(Response::new(()), false).unwrap();
    own.send_data(Bytes::from_static(b"done"), true).unwrap();
    assert_ok(&attacker.response("POST").await, "done");
    let count = std::iter::from_fn(|| connections.try_recv().ok()).count();
    assert_eq!(count, 1, "the upstream has ended a connection");
}

#[tokio::test]
async fn x16_tiny_pieces_are_joined_in_their_order() {
    let vendor = FrameVendor::bind().await;
    let gateway = setup_h2(&vendor).start().await;
    let mut caller = Caller::connect(gateway.address).await;
    let head = "POST /p/a0/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    let large = "y".repeat(5000);
    let pieces = "1\r\nx\r\n".repeat(PIECES);
    caller
        .write(format!(
            "{head}{pieces}1388\r\n{large}\r\n{pieces}0\r\n\r\n"
        ))
        .await;
    let mut connection = vendor.accept(&[]).await;
    let stream = connection.request().await;
    let (mut body, mut frames) = (Vec::new(), 0);
    while body.len() < 2 * PIECES + large.len() {
        let frame = connection.next().await.unwrap();
        assert_eq!(frame.stream, stream, "{frame:?}");
        frames += 1;
        body.extend_from_slice(&frame.payload);
    }
    let expected = format!("{0}{large}{0}", "x".repeat(PIECES));
    assert!(body == expected.as_bytes(), "the bytes have changed");
    // 64 small frames are sent without a pause, and a few while this test runs.
    assert!(frames <= 100, "{frames} frames");
    connection.answer(stream, "own").await;
    assert_ok(&caller.response("POST").await, "own");
}

/// The last piece contains more than the frame to which its start is joined.
#[tokio::test]
async fn x16_a_large_piece_after_a_small_piece_is_sent_completely() {
    let vendor = FrameVendor::bind().await;
    let gateway = setup_h2(&vendor).start().await;
    let mut caller = H2Caller::connect(gateway.address).await;
    let request = h2_caller::request("POST", "/p/a0/x").body(()).unwrap();
    let (_response, mut upload) = caller.open(request, false).await;
    let large = Bytes::from(vec![b'y'; 5000]);
    upload.send_data(Bytes::from_static(b"x"), false).unwrap();
    upload.send_data(large.clone(), true).unwrap();
    let mut connection = vendor.accept(&[]).await;
    let stream = connection.request().await;
    let body = within("the body", connection.body(stream)).await;
    assert!(body == [b"x", &*large].concat(), "{} bytes", body.len());
}

/// If they were held back like other small frames, this would take minutes.
#[tokio::test]
async fn x16_small_messages_of_grpc_are_not_held_back() {
    let vendor = FrameVendor::bind().await;
    let gateway = setup_h2(&vendor).start().await;
    let mut caller = Caller::connect(gateway.address).await;
    let head = "POST /p/a0/x HTTP/1.1\r\nHost: h\r\nContent-Type: application/grpc\r\nTE: trailers\r\nConnection: te\r\nTransfer-Encoding: chunked\r\n\r\n";
    caller.write(head).await;
    let mut connection = vendor.accept(&[]).await;
    connection.request().await;
    let exchange = async {
        for _ in 0..PIECES {
            caller.write("6\r\n\0\0\0\0\x01x\r\n").await;
            let frame = connection.next().await.unwrap();
            assert_eq!(frame.payload, b"\0\0\0\0\x01x");
        }
    };
    within("the messages", exchange).await;
}
