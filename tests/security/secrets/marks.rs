//! Header values that are made from secrets are marked as sensitive, also on the wire.

use std::sync::{Arc, mpsc};

use http::{HeaderName, Request, Response};
use tower::ServiceExt as _;
use tower_passthrough::auth::AuthScheme;
use tower_passthrough::body::{RequestBody, UpstreamBody};
use tower_passthrough::client::Dispatch;
use tower_passthrough::client::TransportError;
use tower_passthrough::{
    Connection, Integrations, MemoryStore, PassthroughService, Transport, Upstream, auth,
};

use testkit::caller::{get, raw_call};
use testkit::gateway::Gateway;
use testkit::h2_frames::{HEADERS, SETTINGS};
use testkit::manual::ManualVendor;
use testkit::wait::within;

/// Reports for each field of a request whether it's marked as sensitive.
#[derive(Clone)]
struct Marks(mpsc::Sender<Vec<(HeaderName, bool)>>);

impl Transport for Marks {
    async fn send(
        &self,
        request: Request<RequestBody>,
        _: &Dispatch,
    ) -> Result<Response<UpstreamBody>, TransportError> {
        let marks = request
            .headers()
            .iter()
            .map(|(name, value)| (name.clone(), value.is_sensitive()));
        self.0.send(marks.collect()).unwrap();
        Ok(Response::new(UpstreamBody::new(request.into_body())))
    }
}

#[tokio::test]
async fn l1_header_values_made_from_secrets_are_marked_sensitive() {
    let several = || -> Vec<Box<dyn AuthScheme>> {
        vec![
            Box::new(auth::Header::new("x-a", "{token}").unwrap()),
            Box::new(auth::Bearer),
        ]
    };
    let schemes: Vec<(Arc<dyn AuthScheme>, &[&str])> = vec![
        (Arc::new(auth::Bearer), &["authorization"]),
        (Arc::new(auth::Basic), &["authorization"]),
        (
            Arc::new(auth::Header::new("x-key", "Key k=\"{token}\"").unwrap()),
            &["x-key"],
        ),
        (Arc::new(several()), &["x-a", "authorization"]),
    ];
    for (scheme, fields) in schemes {
        let (sender, marks) = mpsc::channel();
        let connection = Connection::new("x")
            .with_secret("token", "t")
            .with_secret("username", "u")
            .with_secret("password", "p");
        let upstream = Upstream::new("https://vendor.test").unwrap().auth(scheme);
        let service = PassthroughService::builder(
            MemoryStore::from_iter([("c", connection)]),
            Integrations::new().with("x", upstream),
        )
        .dangerous()
        .allow_all()
        .transport(Marks(sender))
        .build();
        let request = Request::get("/c/x")
            .header("x-own", "v")
            .body(String::new())
            .unwrap();
        service.oneshot(request).await.unwrap();
        let marks = marks.recv().unwrap();
        for field in fields {
            assert!(
                marks.contains(&(field.parse().unwrap(), true)),
                "{field}: {marks:?}"
            );
        }
        assert!(
            marks.contains(&("x-own".parse().unwrap(), false)),
            "{marks:?}"
        );
    }
}

/// RFC 7541 §6.2.3: `0001`, and then the index of the name, which is 23 in the static table for `authorization`.
const NEVER_INDEXED_AUTHORIZATION: [u8; 2] = [0x1f, 23 - 15];

#[tokio::test]
async fn l1_hpack_never_indexes_a_credential() {
    let vendor = ManualVendor::bind_tls(&["h2"]).await;
    let gateway = Gateway::to(&vendor).await;
    let serve = async {
        let mut connection = vendor.accept().await;
        let wire = &mut connection.wire;
        wire.until(b"SM\r\n\r\n").await.unwrap();
        let settings = [0, 0, 0, SETTINGS, 0, 0, 0, 0, 0];
        wire.write(&settings).await;
        let mut blocks = Vec::new();
        while blocks.len() < 3 {
            let (head, _) = wire.exactly(9).await;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            let (payload, _) = wire.exactly(length).await;
            if head[3] == HEADERS {
                blocks.push(payload);
                // `:status: 204`, and the end of the stream.
                let mut answer = vec![0, 0, 1, HEADERS, 5];
                answer.extend_from_slice(&head[5..9]);
                answer.push(0x89);
                wire.write(&answer).await;
            }
        }
        (connection, blocks)
    };
    let calls = async {
        for _ in 0..3 {
            assert_eq!(raw_call(gateway.address, get("/p/c/x")).await.status(), 204);
        }
    };
    let both = Box::pin(async { tokio::join!(serve, calls) });
    let ((_connection, blocks), ()) = within("three calls over HTTP/2", both).await;
    for block in blocks {
        let marked = block
            .windows(2)
            .any(|pair| pair == NEVER_INDEXED_AUTHORIZATION);
        assert!(marked, "{block:?}");
    }
}
