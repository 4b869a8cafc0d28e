//! The opening of connections: a limited number at once, for the first waiting call, and without endless repetition.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tower_passthrough::client::Resolve;
use tower_passthrough::observe::{CallReport, Outcome};

use super::{assert_ok, at_once, begun, next, refusal, telling};
use testkit::caller::{Caller, get, post, raw_call};
use testkit::counts::Counts;
use testkit::gateway::{Gateway, Setup};
use testkit::manual::{ManualVendor, Unshaken, VendorConnection};
use testkit::vendor::Vendor;
use testkit::wait::{Signal, within};

const OWN: &str = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nown";
const LAST: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nlast";

const BEGUN: &str = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";

/// A listener that does the same with each socket.
struct Doorman {
    address: SocketAddr,
    counts: Counts,
    _tasks: JoinSet<()>,
}

impl Doorman {
    async fn start<F: Future<Output = ()> + Send>(
        receives: impl Fn(TcpStream) -> F + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let counts = Counts::default();
        let mut tasks = JoinSet::new();
        let accepted = counts.clone();
        tasks.spawn(async move {
            while let Ok((socket, peer)) = listener.accept().await {
                accepted.accepted(peer);
                receives(socket).await;
            }
        });
        Self {
            address,
            counts,
            _tasks: tasks,
        }
    }

    fn origin(&self, scheme: &str) -> String {
        format!("{scheme}://vendor.test:{}", self.address.port())
    }
}

#[tokio::test]
async fn k3_a_failed_handshake_is_not_repeated() {
    let hangs_up = Doorman::start(|socket| async move { drop(socket) }).await;
    let breaks_off = Doorman::start(|mut socket| async move {
        let _ = socket.read(&mut [0; 64]).await;
    })
    .await;
    let speaks_no_tls = Doorman::start(|mut socket| async move {
        use tokio::io::AsyncWriteExt;
        let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    })
    .await;
    for vendor in [hangs_up, breaks_off, speaks_no_tls] {
        let gateway = Gateway::to(vendor.origin("https").as_str()).await;
        for (number, call) in [get("/p/c/x"), post("/p/c/x", "hello")].iter().enumerate() {
            let answer = raw_call(gateway.address, call).await;
            assert_eq!(refusal(&answer), (502, "upstream-unreachable", false));
            assert_eq!(vendor.counts.connections(vendor.address).await, number + 1);
        }
    }
}

#[tokio::test]
async fn k3_calls_that_wait_for_one_connection_fail_with_it() {
    let all_wait = Signal::new();
    let vendor = Doorman::start({
        let all_wait = all_wait.clone();
        move |socket| {
            let all_wait = all_wait.clone();
            async move {
                all_wait.given().await;
                drop(socket);
            }
        }
    })
    .await;
    let (setup, mut told) = telling(Setup::new(vendor.origin("https").as_str()));
    let gateway = setup.start().await;
    let mut callers = at_once(gateway.address, vec![get("/p/c/x"); 20]);
    begun(&mut told, 20).await;
    all_wait.give();
    while !callers.is_empty() {
        let answer = next(&mut callers).await;
        assert_eq!(refusal(&answer), (502, "upstream-unreachable", false));
    }
    assert_eq!(vendor.counts.connections(vendor.address).await, 1);
}

#[tokio::test]
async fn k3_there_are_at_most_as_many_connections_as_calls() {
    let vendor = Doorman::start(|socket| async move { drop(socket) }).await;
    let gateway = Gateway::to(vendor.origin("http").as_str()).await;
    let mut callers = at_once(gateway.address, vec![get("/p/c/x"); 20]);
    while !callers.is_empty() {
        assert_eq!(next(&mut callers).await.status(), 502);
    }
    let made = vendor.counts.connections(vendor.address).await;
    assert!((1..=20).contains(&made), "{made} connections");
}

#[tokio::test]
async fn connecting_is_limited_to_a_number_of_handshakes() {
    let vendor = ManualVendor::bind_tls(&["http/1.1"]).await;
    let (setup, mut told) = telling(Setup::new(&vendor));
    let gateway = setup
        .transport(|transport| transport.max_handshakes_per_host(1))
        .start()
        .await;
    let callers = at_once(gateway.address, vec![get("/p/c/x"); 20]);
    begun(&mut told, 20).await;
    let mut used = Vec::new();
    for _ in 0..5 {
        let unshaken = vendor.accept_unshaken().await;
        vendor.no_other().await;
        let mut connection = unshaken.shake().await;
        connection.request().await;
        // The call isn't answered, so its connection serves no other call.
        used.push(connection);
    }
    drop(callers);
}

/// A gateway with two connections to its vendor: a call to `/first` uses one connection, and the other connection is
/// before its handshake, for a call to `/second`.
struct Pending {
    vendor: ManualVendor,
    _gateway: Gateway,
    callers: [Caller; 2],
    first: VendorConnection,
    second: Unshaken,
}

impl Pending {
    async fn new() -> Self {
        let vendor = ManualVendor::bind_tls(&["http/1.1"]).await;
        let gateway = Gateway::to(&vendor).await;
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(get("/p/c/first")).await;
        let mut first = vendor.accept().await;
        assert_eq!(first.request().await.target(), "/first");
        let mut other = Caller::connect(gateway.address).await;
        other.write(get("/p/c/second")).await;
        let second = vendor.accept_unshaken().await;
        Self {
            vendor,
            _gateway: gateway,
            callers: [caller, other],
            first,
            second,
        }
    }
}

#[tokio::test]
async fn connecting_does_not_delay_a_call_that_gets_a_returned_connection() {
    let mut pending = Pending::new().await;
    let (first, callers) = (&mut pending.first, &mut pending.callers);
    first.write(OWN).await;
    assert_ok(&callers[0].response("GET").await, "own");
    assert_eq!(first.request().await.target(), "/second");
    first.write(LAST).await;
    assert_ok(&callers[1].response("GET").await, "last");

    // The other connection serves the next call.
    let mut second = pending.second.shake().await;
    callers[0].write(get("/p/c/third")).await;
    assert_eq!(second.request().await.target(), "/third");
    second.write(OWN).await;
    assert_ok(&callers[0].response("GET").await, "own");
    pending.vendor.no_other().await;
}

#[tokio::test]
async fn connecting_continues_if_the_busy_connection_ends() {
    let mut pending = Pending::new().await;
    pending.first.write(LAST).await;
    assert_ok(&pending.callers[0].response("GET").await, "last");
    pending.first.closed().await;
    let mut second = pending.second.shake().await;
    assert_eq!(second.request().await.target(), "/second");
    second.write(OWN).await;
    assert_ok(&pending.callers[1].response("GET").await, "own");
}

#[tokio::test]
async fn connecting_and_the_wait_for_it_have_one_time_limit() {
    let vendor = ManualVendor::bind_tls(&["http/1.1"]).await;
    let gateway = Setup::new(&vendor)
        .transport(|transport| {
            transport
                .connect_timeout(Duration::from_millis(500))
                .max_handshakes_per_host(1)
        })
        .start()
        .await;
    // After this call, the gateway knows the vendor's protocol, and each further call needs its own connection.
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/x")).await;
    let mut connection = vendor.accept().await;
    connection.request().await;
    connection.write(BEGUN).await;
    assert_eq!(caller.head().await.status(), 200);

    // No server does the handshakes. One after another, the connections would take 20 s.
    let mut callers = at_once(gateway.address, vec![get("/p/c/x"); 40]);
    let all = async {
        while !callers.is_empty() {
            let answer = next(&mut callers).await;
            assert_eq!(refusal(&answer), (504, "upstream-timeout", false));
        }
    };
    within("all calls to time out", all).await;
}

#[tokio::test]
async fn connecting_for_a_caller_that_left_leaves_no_connection() {
    for alpn in ["http/1.1", "h2"] {
        let vendor = ManualVendor::bind_tls(&[alpn]).await;
        let (tell, mut told) = mpsc::unbounded_channel();
        let gateway = Setup::new(&vendor)
            .options(|options| {
                options.observe_fn(move |call: &CallReport<'_>| {
                    let _ = tell.send(call.outcome());
                })
            })
            .start()
            .await;
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(get("/p/c/x")).await;
        let unshaken = vendor.accept_unshaken().await;
        drop(caller);
        let outcome = within("a report", told.recv()).await;
        assert_eq!(outcome, Some(Outcome::Cancelled));
        let mut connection = unshaken.shake().await;
        connection.closed().await;

        // The next caller doesn't exceed the limit.
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(get("/p/c/x")).await;
        vendor.accept().await;
        vendor.no_other().await;
    }
}

#[tokio::test]
async fn connecting_has_a_queue_of_limited_length() {
    let vendor = ManualVendor::bind_tls(&["http/1.1"]).await;
    let gateway = Setup::new(&vendor)
        .transport(|transport| transport.max_waiting_per_host(2))
        .start()
        .await;
    let mut callers = at_once(gateway.address, vec![get("/p/c/x"); 3]);
    let answer = next(&mut callers).await;
    assert_eq!(refusal(&answer), (503, "overloaded", false));
    let mut connection = vendor.accept().await;
    for _ in 0..2 {
        connection.request().await;
        connection.write(OWN).await;
        assert_ok(&next(&mut callers).await, "own");
    }
}

/// A resolver that fails the first look-up, when all look-ups have begun.
struct FirstFails {
    begun: watch::Sender<usize>,
    all: usize,
}

impl Resolve for FirstFails {
    fn resolve<'a>(
        &'a self,
        _: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>> {
        let mut number = 0;
        self.begun.send_modify(|begun| {
            *begun += 1;
            number = *begun;
        });
        let mut begun = self.begun.subscribe();
        Box::pin(async move {
            begun.wait_for(|&begun| begun >= self.all).await.unwrap();
            match number {
                1 => Err(io::ErrorKind::NotFound.into()),
                _ => Ok(vec![IpAddr::from([127, 0, 0, 1])]),
            }
        })
    }
}

#[tokio::test]
async fn k3_a_failed_look_up_fails_only_one_waiting_call() {
    const CALLS: usize = 5;
    let vendor = Vendor::answering(OWN).await;
    let port = vendor.address().port();
    let resolver = FirstFails {
        begun: watch::Sender::new(0),
        all: CALLS,
    };
    let gateway = Setup::new(format!("http://other.test:{port}").as_str())
        .transport(|transport| transport.resolver(resolver))
        .start()
        .await;
    let mut callers = at_once(gateway.address, vec![get("/p/c/x"); CALLS]);
    let mut statuses = Vec::new();
    for _ in 0..CALLS {
        statuses.push(next(&mut callers).await.status());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 200, 502]);
}
