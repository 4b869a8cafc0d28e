//! The passthrough and a gRPC service on one port.

use tokio::task::JoinSet;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Server};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tower_passthrough::PassthroughLayer;

use std::net::SocketAddr;

use testkit::caller::{get, post, raw_call};
use testkit::gateway::{Mount, Setup, bind};
use testkit::h2_caller::{H2Caller, request};
use testkit::vendor::Vendor;
use testkit::wait::within;

/// Checks that the gRPC service and the vendor answer, over HTTP/1.1 and HTTP/2.
async fn both_answer(address: SocketAddr, vendor: &Vendor) {
    let response = raw_call(address, post("/p/c/a//b?c", "1234")).await;
    assert_eq!((response.status(), response.text()), (200, "ok".to_owned()));
    let received = vendor.next().await;
    assert_eq!(received.head.start, "POST /a//b?c HTTP/1.1");
    assert_eq!(received.body.data, b"1234");

    let mut caller = H2Caller::connect(address).await;
    let response = caller
        .call(request("GET", "/p/c/x/").body(()).unwrap())
        .await;
    assert_eq!(
        (response.status.as_u16(), response.body),
        (200, b"ok".to_vec())
    );
    assert_eq!(vendor.next().await.target(), "/x/");

    let channel = Channel::from_shared(format!("http://{address}")).unwrap();
    let channel = within("a gRPC connection", channel.connect())
        .await
        .unwrap();
    let mut client = HealthClient::new(channel);
    let whole_server = HealthCheckRequest::default();
    let answer = within("a gRPC answer", client.check(whole_server)).await;
    let status = answer.unwrap().into_inner().status();
    assert_eq!(status, ServingStatus::Serving);

    // A path that belongs neither to the mount nor to tonic.
    let elsewhere = raw_call(address, get("/px/c")).await;
    assert_eq!(elsewhere.error(), None);
    assert!(vendor.try_next().await.is_none());
}

#[tokio::test]
async fn as_the_layer_of_the_server() {
    let vendor = Vendor::ok().await;
    let listener = bind().await;
    let address = listener.local_addr().unwrap();
    let service = Setup::new(&vendor).mount(Mount::Layer).build(address);
    let (_reporter, health) = tonic_health::server::health_reporter();

    let server = Server::builder()
        .accept_http1(true)
        .layer(PassthroughLayer::new("/p", service).expect("a prefix"))
        .add_service(health)
        .serve_with_incoming(TcpIncoming::from(listener));
    let mut tasks = JoinSet::new();
    tasks.spawn(server);
    both_answer(address, &vendor).await;
}

#[tokio::test]
async fn nested_in_the_router_of_tonic() {
    let vendor = Vendor::ok().await;
    let listener = bind().await;
    let address = listener.local_addr().unwrap();
    let service = Setup::new(&vendor).mount(Mount::Nest).build(address);
    let (_reporter, health) = tonic_health::server::health_reporter();

    let router = Routes::new(health).into_axum_router();
    let routes = Routes::from(router.nest_service("/p", service));
    let server = Server::builder()
        .accept_http1(true)
        .add_routes(routes)
        .serve_with_incoming(TcpIncoming::from(listener));
    let mut tasks = JoinSet::new();
    tasks.spawn(server);
    both_answer(address, &vendor).await;
}

/// A gRPC client understands the gateway's errors.
#[tokio::test]
async fn a_refused_call_is_a_grpc_status() {
    let vendor = Vendor::ok().await;
    let listener = bind().await;
    let address = listener.local_addr().unwrap();
    let service = Setup::new(&vendor).mount(Mount::Layer).build(address);
    let (_reporter, health) = tonic_health::server::health_reporter();
    let server = Server::builder()
        .layer(PassthroughLayer::new("/p", service).expect("a prefix"))
        .add_service(health)
        .serve_with_incoming(TcpIncoming::from(listener));
    let mut tasks = JoinSet::new();
    tasks.spawn(server);

    let origin = format!("http://{address}/p/nobody").parse().unwrap();
    let channel = Channel::from_shared(format!("http://{address}")).unwrap();
    let channel = within("a gRPC connection", channel.connect())
        .await
        .unwrap();
    let mut client = HealthClient::with_origin(channel, origin);
    let answer = within("a gRPC answer", client.check(HealthCheckRequest::default())).await;
    assert_eq!(answer.unwrap_err().code(), tonic::Code::NotFound);
    vendor.untouched().await;
}
