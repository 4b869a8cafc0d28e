//! The data about calls that the host application gets.

use std::net::SocketAddr;
use std::time::Duration;

use http::{Method, Version};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tower_passthrough::observe::{CallReport, CallStart, Outcome, RateLimit};
use tower_passthrough::{Observe, PassthroughService};

use testkit::caller::{Caller, get, post, raw_call};
use testkit::gateway::{Gateway, Setup, bind};
use testkit::h2_vendor::H2Vendor;
use testkit::reply::Reply;
use testkit::vendor::Vendor;
use testkit::wait::{Signal, within};

#[derive(Debug, PartialEq, Eq)]
enum Event {
    Started(Method),
    Finished(Outcome),
}

struct Both(UnboundedSender<Event>);

impl Observe for Both {
    fn started(&self, call: &CallStart<'_>) {
        let _ = self.0.send(Event::Started(call.method().clone()));
    }

    fn finished(&self, call: &CallReport<'_>) {
        let _ = self.0.send(Event::Finished(call.outcome()));
    }
}

async fn next<T>(told: &mut UnboundedReceiver<T>) -> T {
    within("a report", told.recv()).await.unwrap()
}

#[tokio::test]
async fn each_call_that_was_started_is_finished_once() {
    let release = Signal::new();
    let until = release.clone();
    let vendor = Vendor::replying(move |received| match received.target() {
        "/later" => Reply::default()
            .until(&until)
            .then("HTTP/1.1 204 No\r\n\r\n"),
        "/silence" => Reply::silence(),
        _ => Reply::ok("ok"),
    })
    .await;
    let (sender, mut told) = unbounded_channel();
    let setup = Setup::new(&vendor).options(|options| options.observe(Both(sender)));
    let gateway = setup.start().await;
    let started = || Event::Started(Method::GET);

    raw_call(gateway.address, post("/p/c/x", "body")).await;
    assert_eq!(next(&mut told).await, Event::Started(Method::POST));
    assert_eq!(next(&mut told).await, Event::Finished(Outcome::Complete));

    raw_call(gateway.address, get("/p/nobody/x")).await;
    assert_eq!(next(&mut told).await, started());
    assert_eq!(next(&mut told).await, Event::Finished(Outcome::Refused));

    // The observer is called when the call begins, and not when the call ends.
    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/later")).await;
    assert_eq!(next(&mut told).await, started());
    vendor.next().await;
    assert!(told.try_recv().is_err());
    release.give();
    assert_eq!(next(&mut told).await, Event::Finished(Outcome::Complete));

    let mut caller = Caller::connect(gateway.address).await;
    caller.write(get("/p/c/silence")).await;
    assert_eq!(next(&mut told).await, started());
    drop(caller);
    assert_eq!(next(&mut told).await, Event::Finished(Outcome::Cancelled));
    assert!(told.try_recv().is_err());
}

type Facts = (Option<RateLimit>, Option<Version>);

async fn facts(setup: Setup) -> (Gateway, UnboundedReceiver<Facts>) {
    let (sender, told) = unbounded_channel();
    let observer = move |call: &CallReport<'_>| {
        let _ = sender.send((call.rate_limit(), call.version()));
    };
    let setup = setup.options(|options| options.observe_fn(observer));
    (setup.start().await, told)
}

#[tokio::test]
async fn a_vendors_rate_limits_are_reported_and_returned() {
    let lines = "RateLimit-Policy: \"d\";q=100;w=60\r\nRateLimit: \"d\";r=0;t=30\r\n\
                 X-RateLimit-Remaining: 7\r\nRetry-After: 12\r\n";
    let vendor = Vendor::answering(format!(
        "HTTP/1.1 429 Slow down\r\n{lines}Content-Length: 0\r\n\r\n"
    ))
    .await;
    let (gateway, mut told) = facts(Setup::new(&vendor)).await;
    let response = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!(response.status(), 429);
    for line in lines.trim_end().split("\r\n") {
        let (name, value) = line.split_once(": ").unwrap();
        assert_eq!(response.head.values(name), [value]);
    }
    let (limit, version) = next(&mut told).await;
    let limit = limit.unwrap();
    assert_eq!(
        (limit.limit(), limit.remaining(), limit.reset()),
        (Some(100), Some(0), Some(30))
    );
    assert_eq!(limit.retry_after(), Some(Duration::from_secs(12)));
    assert_eq!(version, Some(Version::HTTP_11));
}

/// The gateway's own `Retry-After` isn't the vendor's.
#[tokio::test]
async fn an_answer_without_rate_limits_reports_none() {
    let vendor = Vendor::ok().await;
    let (gateway, mut told) = facts(Setup::new(&vendor)).await;
    raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!(next(&mut told).await, (None, Some(Version::HTTP_11)));
    raw_call(gateway.address, get("/p/nobody/x")).await;
    assert_eq!(next(&mut told).await, (None, None));
}

#[tokio::test]
async fn the_version_of_the_vendors_answer_is_reported() {
    let vendor = H2Vendor::start().await;
    let (gateway, mut told) = facts(Setup::new(&vendor)).await;
    let answer = async { vendor.next().await.ok("ok") };
    tokio::join!(raw_call(gateway.address, get("/p/c/x")), answer);
    assert_eq!(next(&mut told).await.1, Some(Version::HTTP_2));
}

/// Returns the transport of a gateway in front of that vendor.
async fn transport(setup: &mut Setup) -> (Gateway, tower_passthrough::HttpTransport) {
    let listener = bind().await;
    let address: SocketAddr = listener.local_addr().unwrap();
    let transport = setup.build_transport(address);
    let integrations =
        tower_passthrough::Integrations::new().with("vendor", setup.build_upstream());
    let connection = tower_passthrough::Connection::new("vendor").with_secret("token", "t");
    let store = tower_passthrough::MemoryStore::from_iter([("c", connection)]);
    let service = PassthroughService::builder(store, integrations)
        .dangerous()
        .allow_all()
        .transport(transport.clone())
        .prefix("/p")
        .unwrap()
        .build();
    (Gateway::serve(listener, service), transport)
}

#[tokio::test]
async fn the_pool_reports_its_connections() {
    let vendor = Vendor::ok().await;
    let (gateway, transport) = transport(&mut Setup::new(&vendor)).await;
    assert_eq!(
        transport.pool_status(),
        tower_passthrough::client::PoolStatus::default()
    );
    raw_call(gateway.address, get("/p/c/x")).await;
    // The connection becomes idle after the call, which may be after the caller got the answer.
    within("an idle connection", async {
        while transport.pool_status().idle == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let status = transport.pool_status();
    assert_eq!((status.hosts, status.idle, status.http2), (1, 1, 0));
    assert_eq!(
        (status.opening, status.waiting, status.http2_streams),
        (0, 0, 0)
    );
}

#[tokio::test]
async fn the_pool_reports_streams_and_waiting_calls() {
    let vendor = H2Vendor::start().await;
    let mut setup = Setup::new(&vendor).transport(|t| {
        t.http2_max_connections_per_host(1)
            .http2_max_streams_per_connection_key(2)
    });
    let (gateway, transport) = transport(&mut setup).await;
    let mut callers = Vec::new();
    for _ in 0..3 {
        let mut caller = Caller::connect(gateway.address).await;
        caller.write(get("/p/c/x")).await;
        callers.push(caller);
    }
    let (mut first, mut second) = (vendor.next().await, vendor.next().await);
    within("a waiting call", async {
        while transport.pool_status().waiting == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let status = transport.pool_status();
    assert_eq!(
        (status.http2, status.http2_streams, status.waiting),
        (1, 2, 1)
    );
    first.ok("ok");
    second.ok("ok");
    vendor.next().await.ok("ok");
    for caller in &mut callers {
        assert_eq!(caller.response("GET").await.status(), 200);
    }
    within("the streams' ends", async {
        while transport.pool_status().http2_streams > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
