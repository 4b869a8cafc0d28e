//! gRPC: clients with a channel to a host, which can't have a base path.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response};
use serde_json::json;
use testkit::h2_vendor::{H2Call, H2Vendor};
use testkit::process::canary;

use crate::by_host::by_host;
use crate::fake::Api;
use crate::program::Program::{self, Node, Python};
use crate::scene::Scene;

/// Returns each message of a call, and notes the faults of the call.
async fn echo(mut call: H2Call, faults: &Mutex<Vec<String>>) {
    let head = format!("{:?}", call.request);
    let authorization = call.request.headers().get("authorization");
    let is_stored = authorization.is_some_and(|value| value == "Bearer 5toredToken");
    let path = call.request.uri().path();
    if !is_stored || canary::find(&head).is_some() || !path.starts_with("/test.Echo/") {
        faults.lock().unwrap().push(head);
    }
    let (body, _) = call.read().await;
    let response = Response::builder().header("content-type", "application/grpc");
    let mut stream = call.answer(response.body(()).unwrap());
    stream.send_data(Bytes::from(body), false).unwrap();
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    stream.send_trailers(trailers).unwrap();
}

async fn check(program: Program) {
    let vendor = Arc::new(H2Vendor::start().await);
    let faults = Arc::new(Mutex::new(Vec::new()));
    let (answering, noted) = (Arc::clone(&vendor), Arc::clone(&faults));
    let task = tokio::spawn(async move {
        loop {
            echo(answering.wait().await, &noted).await;
        }
    });
    let api = Api {
        is_public: false,
        ..by_host(Api::new(|_| None))
    };
    let scene = Scene::start(&*vendor, api).await;
    let result = json!({ "one": "hello", "many": ["a", "b", "c"] });
    let said = scene.run(program, &result).await;
    task.abort();
    assert_eq!(*faults.lock().unwrap(), [""; 0]);
    if let Some(said) = said {
        let texts = ["no connection has this id", "upstream"];
        scene.assert_errors(&said, texts, 0).await;
    }
}

#[tokio::test]
async fn python_grpcio() {
    check(Python("grpcio")).await;
}

#[tokio::test]
async fn node_grpc_js() {
    check(Node("grpc")).await;
}
