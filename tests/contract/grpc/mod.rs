//! gRPC through a mount next to native services. Both ends are made with tonic: a hand-written service, whose messages
//! are plain bytes.

mod by_http2;
mod calls;
mod in_step;
mod python;

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf as _, BufMut as _, Bytes};
use http::uri::PathAndQuery;
use http::{Request, Response};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::tokio_stream::Stream;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::server::NamedService;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Server};
use tonic::{Code, Status, Streaming};
use tower_passthrough::PassthroughLayer;

use testkit::gateway::{Builder, Mount, Setup, bind};
use testkit::wait::{Signal, within};

/// A codec whose messages are plain bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(message);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}

/// The messages of a channel, as a stream.
pub(crate) struct Messages<T>(mpsc::Receiver<T>);

impl<T> Stream for Messages<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.0.poll_recv(cx)
    }
}

pub(crate) fn messages<T>() -> (mpsc::Sender<T>, Messages<T>) {
    let (sender, receiver) = mpsc::channel(1);
    (sender, Messages(receiver))
}

type Answers = Messages<Result<Bytes, Status>>;

/// The vendor's service.
#[derive(Clone)]
struct Echo {
    /// The signal that a call of `Never` was dropped.
    dropped: Signal,
}

impl NamedService for Echo {
    const NAME: &'static str = "test.Echo";
}

impl tower_service::Service<Request<Body>> for Echo {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let dropped = self.dropped.clone();
        Box::pin(async move {
            let mut grpc = tonic::server::Grpc::new(Raw);
            let method = request.uri().path().rsplit('/').next().unwrap().to_owned();
            let answer = match method.as_str() {
                "Unary" => grpc.unary(tower::service_fn(unary), request).await,
                "Never" => {
                    let never = move |_: tonic::Request<Bytes>| never(dropped.clone());
                    grpc.unary(tower::service_fn(never), request).await
                }
                "Repeat" => {
                    let repeat = tower::service_fn(repeat);
                    grpc.server_streaming(repeat, request).await
                }
                "Join" => {
                    let join = tower::service_fn(join);
                    grpc.client_streaming(join, request).await
                }
                "Reply" => grpc.streaming(tower::service_fn(reply), request).await,
                _ => Status::unimplemented(method).into_http(),
            };
            Ok(answer)
        })
    }
}

/// Returns the caller's credential; `fail` is answered with an error.
async fn unary(request: tonic::Request<Bytes>) -> Result<tonic::Response<Bytes>, Status> {
    let token = request.metadata().get("authorization").cloned();
    let message = request.into_inner();
    if message == "fail" {
        return Err(failure());
    }
    let mut response = tonic::Response::new(message);
    let token = token.unwrap_or(MetadataValue::from_static("none"));
    response.metadata_mut().insert("x-token", token);
    Ok(response)
}

/// Returns a status with all the data that a status can have.
fn failure() -> Status {
    let mut metadata = MetadataMap::new();
    metadata.insert("x-why", MetadataValue::from_static("because"));
    metadata.insert_bin("x-why-bin", MetadataValue::from_bytes(&[0, 255, 10, 13]));
    let details = Bytes::from_static(&[1, 0, 254]);
    Status::with_details_and_metadata(Code::Aborted, "50 % caf\u{e9}\n", details, metadata)
}

pub(crate) fn assert_failure(status: &Status) {
    assert_eq!(status.code(), Code::Aborted, "{status:?}");
    assert_eq!(status.message(), "50 % caf\u{e9}\n");
    assert_eq!(status.details(), [1, 0, 254]);
    assert_eq!(status.metadata().get("x-why").unwrap(), "because");
    let binary = status.metadata().get_bin("x-why-bin").unwrap();
    assert_eq!(&binary.to_bytes().unwrap()[..], [0, 255, 10, 13]);
}

async fn never(dropped: Signal) -> Result<tonic::Response<Bytes>, Status> {
    struct Tells(Signal);
    impl Drop for Tells {
        fn drop(&mut self) {
            self.0.give();
        }
    }
    let _tells = Tells(dropped);
    std::future::pending().await
}

/// Returns the message a hundred times, and then a status with details.
async fn repeat(request: tonic::Request<Bytes>) -> Result<tonic::Response<Answers>, Status> {
    let message = request.into_inner();
    let (sender, answers) = messages();
    tokio::spawn(async move {
        for _ in 0..100 {
            let _ = sender.send(Ok(message.clone())).await;
        }
        if message == "fail" {
            let _ = sender.send(Err(failure())).await;
        }
    });
    Ok(tonic::Response::new(answers))
}

/// Joins all messages.
async fn join(request: tonic::Request<Streaming<Bytes>>) -> Result<tonic::Response<Bytes>, Status> {
    let mut messages = request.into_inner();
    let mut joined = Vec::new();
    while let Some(message) = messages.message().await? {
        joined.extend_from_slice(&message);
    }
    Ok(tonic::Response::new(Bytes::from(joined)))
}

/// Sends the first message, answers each message, and sends the last message.
async fn reply(
    request: tonic::Request<Streaming<Bytes>>,
) -> Result<tonic::Response<Answers>, Status> {
    let mut messages = request.into_inner();
    let (sender, answers) = self::messages();
    tokio::spawn(async move {
        let _ = sender.send(Ok(Bytes::from_static(b"first"))).await;
        while let Ok(Some(message)) = messages.message().await {
            let is_last = message == "stop";
            let _ = sender.send(Ok(message)).await;
            if is_last {
                // The status comes before the caller's last message.
                let _ = sender.send(Err(failure())).await;
                return;
            }
        }
        for last in ["after", "all"] {
            let _ = sender.send(Ok(Bytes::from_static(last.as_bytes()))).await;
        }
    });
    Ok(tonic::Response::new(answers))
}

/// The vendor, a tonic application with a passthrough at `/p`, and a caller's channel to the application.
pub(crate) struct Place {
    pub(crate) address: SocketAddr,
    pub(crate) channel: Channel,
    pub(crate) dropped: Signal,
    _tasks: JoinSet<()>,
}

impl Place {
    pub(crate) async fn new() -> Self {
        Self::with(|options| options).await
    }

    pub(crate) async fn with(options: impl FnOnce(Builder) -> Builder + Send + 'static) -> Self {
        let mut tasks = JoinSet::new();
        let dropped = Signal::new();
        let listener = bind().await;
        let vendor = format!("http://{}", listener.local_addr().unwrap());
        let echo = Echo {
            dropped: dropped.clone(),
        };
        tasks.spawn(async move {
            let server = Server::builder().add_service(echo);
            let _ = server
                .serve_with_incoming(TcpIncoming::from(listener))
                .await;
        });
        let (address, host) = Self::host(Setup::new(&*vendor).options(options)).await;
        tasks.spawn(host);
        Self {
            address,
            channel: channel(address).await,
            dropped,
            _tasks: tasks,
        }
    }

    /// Starts a tonic application with its own service.
    async fn host(setup: Setup) -> (SocketAddr, impl Future<Output = ()> + Send + 'static) {
        let listener = bind().await;
        let address = listener.local_addr().unwrap();
        let service = setup.mount(Mount::Layer).build(address);
        let host = async move {
            let (_reporter, health) = tonic_health::server::health_reporter();
            let server = Server::builder()
                .accept_http1(true)
                .layer(PassthroughLayer::new("/p", service).expect("a prefix"))
                .add_service(health);
            let _ = server
                .serve_with_incoming(TcpIncoming::from(listener))
                .await;
        };
        (address, host)
    }

    /// Returns a client of connection `id`; the mount is a part of the client's origin.
    pub(crate) async fn client(&self, id: &str) -> Client {
        let origin = format!("http://{}/p/{id}", self.address);
        let channel = self.channel.clone();
        let mut client = tonic::client::Grpc::with_origin(channel, origin.parse().unwrap());
        within("a channel", client.ready()).await.unwrap();
        client
    }
}

pub(crate) type Client = tonic::client::Grpc<Channel>;

pub(crate) async fn channel(address: SocketAddr) -> Channel {
    let endpoint = Channel::from_shared(format!("http://{address}")).unwrap();
    within("a gRPC connection", endpoint.connect())
        .await
        .unwrap()
}

/// Returns the path of a method of the vendor.
pub(crate) fn method(name: &str) -> PathAndQuery {
    format!("/test.Echo/{name}").parse().unwrap()
}

/// Returns the vendor's answer to one message.
pub(crate) async fn ask(
    client: &mut Client,
    name: &str,
    message: &'static str,
) -> Result<tonic::Response<Bytes>, Status> {
    let request = tonic::Request::new(Bytes::from_static(message.as_bytes()));
    within("a gRPC answer", client.unary(request, method(name), Raw)).await
}
