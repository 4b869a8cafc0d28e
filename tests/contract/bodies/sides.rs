//! A call between all versions of HTTP, of which the test controls both sides.

use bytes::Bytes;
use h2::client::ResponseFuture;
use h2::{RecvStream, SendStream};
use http::Response;

use testkit::caller::{Caller, request};
use testkit::gateway::Gateway;
use testkit::h2_caller::{self, H2Caller};
use testkit::h2_vendor::{H2Call, H2Vendor};
use testkit::manual::{ManualVendor, VendorConnection};
use testkit::wait::within;

/// The versions of HTTP of the caller and of the vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Versions {
    pub(super) caller: u8,
    pub(super) vendor: u8,
}

pub(super) const ALL: [Versions; 4] = [
    Versions {
        caller: 1,
        vendor: 1,
    },
    Versions {
        caller: 1,
        vendor: 2,
    },
    Versions {
        caller: 2,
        vendor: 1,
    },
    Versions {
        caller: 2,
        vendor: 2,
    },
];

/// A gateway in front of a vendor of that version.
pub(super) struct Stage {
    versions: Versions,
    vendor: Listening,
    gateway: Gateway,
}

enum Listening {
    Plain(ManualVendor),
    Streams(H2Vendor),
}

impl Stage {
    pub(super) async fn of(versions: Versions) -> Self {
        let (vendor, gateway) = if versions.vendor == 1 {
            let vendor = ManualVendor::bind().await;
            let gateway = Gateway::to(&vendor).await;
            (Listening::Plain(vendor), gateway)
        } else {
            let vendor = H2Vendor::start().await;
            let gateway = Gateway::to(&vendor).await;
            (Listening::Streams(vendor), gateway)
        };
        Self {
            versions,
            vendor,
            gateway,
        }
    }

    /// Returns both sides of a call with that method, after the call has come to the vendor. The body, if any, follows
    /// in pieces.
    pub(super) async fn call(&self, method: &str, has_body: bool) -> (Calling, Called) {
        let calling = if self.versions.caller == 1 {
            let mut caller = Caller::connect(self.gateway.address).await;
            let lines = ["Transfer-Encoding: chunked"];
            let lines = if has_body { &lines[..] } else { &[] };
            caller.write(request(method, "/p/c/x", lines, "")).await;
            Calling::Plain(caller)
        } else {
            let mut caller = H2Caller::connect(self.gateway.address).await;
            let call = h2_caller::request(method, "/p/c/x").body(()).unwrap();
            let (response, upload) = caller.open(call, !has_body).await;
            Calling::Stream {
                head: Some(response),
                body: None,
                upload,
                _caller: caller,
            }
        };
        let called = match &self.vendor {
            Listening::Plain(vendor) => {
                let mut connection = vendor.accept().await;
                let head = connection.head().await;
                assert_eq!(head.start, format!("{method} /x HTTP/1.1"));
                Called::Plain(connection)
            }
            Listening::Streams(vendor) => {
                let call = vendor.next().await;
                assert_eq!(call.request.method(), method);
                Called::Stream {
                    call: Box::new(call),
                    answer: None,
                }
            }
        };
        (calling, called)
    }
}

/// The caller's side of a call.
pub(super) enum Calling {
    Plain(Caller),
    Stream {
        head: Option<ResponseFuture>,
        body: Option<RecvStream>,
        upload: SendStream<Bytes>,
        _caller: H2Caller,
    },
}

fn chunk(piece: &str) -> String {
    format!("{:x}\r\n{piece}\r\n", piece.len())
}

impl Calling {
    pub(super) async fn send(&mut self, piece: &str) {
        match self {
            Self::Plain(caller) => caller.write(chunk(piece)).await,
            Self::Stream { upload, .. } => {
                upload.send_data(piece.to_owned().into(), false).unwrap()
            }
        }
    }

    pub(super) async fn end_upload(&mut self) {
        match self {
            Self::Plain(caller) => caller.write("0\r\n\r\n").await,
            Self::Stream { upload, .. } => upload.send_data(Bytes::new(), true).unwrap(),
        }
    }

    /// Returns the status of the answer.
    pub(super) async fn head(&mut self) -> u16 {
        match self {
            Self::Plain(caller) => caller.head().await.status(),
            Self::Stream { head, body, .. } => {
                let answer = h2_caller::answer(head.take().unwrap()).await;
                let status = answer.status().as_u16();
                *body = Some(answer.into_body());
                status
            }
        }
    }

    /// Waits for exactly this piece, with no byte after it.
    pub(super) async fn expect(&mut self, piece: &str) {
        match self {
            Self::Plain(caller) => {
                let chunk = chunk(piece);
                let arrived = within("a piece", caller.wire.exactly(chunk.len())).await.0;
                assert_eq!(arrived, chunk.as_bytes());
            }
            Self::Stream { body, .. } => {
                let body = body.as_mut().expect("a head");
                let arrived = within("a piece", body.data()).await.unwrap().unwrap();
                assert_eq!(arrived, piece);
                body.flow_control().release_capacity(arrived.len()).unwrap();
            }
        }
    }
}

/// The vendor's side of a call.
pub(super) enum Called {
    Plain(VendorConnection),
    Stream {
        call: Box<H2Call>,
        answer: Option<SendStream<Bytes>>,
    },
}

impl Called {
    /// Sends an interim answer with a field.
    pub(super) async fn hint(&mut self, status: u16) {
        match self {
            Self::Plain(connection) => {
                let head = format!("HTTP/1.1 {status} Interim\r\nLink: </a.css>\r\n\r\n");
                connection.write(head).await;
            }
            Self::Stream { call, .. } => {
                let head = Response::builder().status(status);
                let head = head.header("link", "</a.css>").body(()).unwrap();
                call.respond.send_informational(head).unwrap();
            }
        }
    }

    /// Sends the answer's head: a 200 with a body of unknown length.
    pub(super) async fn begin(&mut self) {
        match self {
            Self::Plain(connection) => {
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\
                    Transfer-Encoding: chunked\r\n\r\n";
                connection.write(head).await;
            }
            Self::Stream { call, answer } => *answer = Some(call.answer(Response::new(()))),
        }
    }

    pub(super) async fn send(&mut self, piece: &str) {
        match self {
            Self::Plain(connection) => connection.write(chunk(piece)).await,
            Self::Stream { answer, .. } => {
                let answer = answer.as_mut().expect("a head");
                answer.send_data(piece.to_owned().into(), false).unwrap();
            }
        }
    }

    /// Waits for exactly this piece of the request.
    pub(super) async fn expect(&mut self, piece: &str) {
        match self {
            Self::Plain(connection) => {
                let chunk = chunk(piece);
                let read = connection.wire.exactly(chunk.len());
                assert_eq!(within("a piece", read).await.0, chunk.as_bytes());
            }
            Self::Stream { call, .. } => {
                let arrived = within("a piece", call.body.data()).await.unwrap().unwrap();
                assert_eq!(arrived, piece);
            }
        }
    }

    /// Waits for the request's end.
    pub(super) async fn expect_end(&mut self) {
        match self {
            Self::Plain(connection) => {
                let read = connection.wire.exactly(5);
                assert_eq!(within("the last chunk", read).await.0, b"0\r\n\r\n");
            }
            Self::Stream { call, .. } => assert_eq!(call.read().await.0, b""),
        }
    }
}
