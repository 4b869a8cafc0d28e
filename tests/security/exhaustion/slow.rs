//! Peers and resolvers that are slow.

use std::future::pending;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tower_passthrough::client::Resolve;
use tower_passthrough::{Connection, Integrations, MemoryStore, PassthroughService, Upstream};

use testkit::caller::{Caller, get, raw_call, request};
use testkit::gateway::{Gateway, Setup, bind};
use testkit::names::Names;
use testkit::reply::Reply;
use testkit::vendor::Vendor;
use testkit::wait::within;

#[tokio::test]
async fn x4_a_vendor_without_a_tls_handshake_times_out() {
    let silent = bind().await;
    let port = silent.local_addr().unwrap().port();
    let gateway = Setup::new(&*format!("https://vendor.test:{port}"))
        .transport(|transport| transport.connect_timeout(Duration::from_millis(200)))
        .start()
        .await;
    let response = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!(
        (response.status(), response.error()),
        (504, Some("upstream-timeout"))
    );
    assert!(response.text().contains("\"sent\":false"));
}

#[tokio::test]
async fn x4_a_body_without_progress_ends() {
    let stalling = Reply::bytes("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    let vendor = Vendor::answering(Reply(
        stalling.0.into_iter().chain(Reply::silence().0).collect(),
    ))
    .await;
    let gateway = Setup::new(&vendor)
        .options(|options| options.idle_timeout(Duration::from_millis(300)))
        .start()
        .await;
    let response = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!(
        (
            response.status(),
            response.text().as_str(),
            response.complete()
        ),
        (200, "half", false)
    );
    vendor.closed(0).await;
}

#[tokio::test]
async fn x4_an_upload_without_progress_ends() {
    let vendor = Vendor::ok().await;
    let gateway = Setup::new(&vendor)
        .options(|options| {
            options
                .idle_timeout(Duration::from_millis(300))
                .response_head_timeout(Duration::from_secs(60))
        })
        .start()
        .await;
    let response = raw_call(
        gateway.address,
        request("POST", "/p/c/x", &["Content-Length: 10"], "half"),
    )
    .await;
    assert_eq!(
        (response.status(), response.error()),
        (504, Some("upstream-timeout"))
    );
    vendor.closed(0).await;
}

#[tokio::test]
async fn x4_half_open_calls_stop_no_other() {
    const STALLED: usize = 200;
    let vendor = Vendor::replying(|received| match received.target() {
        "/stall" => Reply::silence(),
        _ => Reply::ok("good"),
    })
    .await;
    let gateway = Gateway::to(&vendor).await;
    let mut stalled = Vec::new();
    for nth in 0..STALLED {
        let mut caller = Caller::connect(gateway.address).await;
        let sent = match nth % 3 {
            0 => get("/p/c/stall"),
            1 => request("POST", "/p/c/stall", &["Content-Length: 100"], "half"),
            // The host application's server limits the time for a head. An incomplete head holds no call.
            _ => "GET /p/c/stall HTTP/1.1\r\nHost: a\r\n".to_owned(),
        };
        caller.write(sent).await;
        stalled.push(caller);
    }
    for _ in 0..20 {
        assert_eq!(
            raw_call(gateway.address, get("/p/c/good")).await.text(),
            "good"
        );
    }
    drop(stalled);
}

/// A name with a thousand addresses: the first addresses can't be reached, and the last addresses could be reached.
#[tokio::test]
async fn x7_few_addresses_of_a_name_are_tried() {
    let vendor = Vendor::ok().await;
    let port = vendor.address().port();
    let dead: Vec<String> = (0..1000_u32)
        .map(|nth| format!("127.77.{}.{}", nth / 250, nth % 250 + 1))
        .collect();
    let mut answer: Vec<&str> = dead.iter().map(String::as_str).collect();
    answer.push("127.0.0.1");
    let names = Names::new()
        .answer("many.test", [&answer])
        .answer("few.test", [&["127.77.0.1", "127.77.0.2", "127.0.0.1"]]);
    for (host, status) in [("many.test", 502), ("few.test", 200)] {
        let names = names.clone();
        let gateway = Setup::new(&*format!("http://{host}:{port}"))
            .transport(|transport| transport.resolver(names))
            .start()
            .await;
        let response = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!(response.status(), status, "{host}");
    }
}

/// A resolver that never answers for one name.
struct Stalling {
    names: Names,
    /// The number of look-ups that stall.
    begun: watch::Sender<usize>,
}

impl Resolve for Stalling {
    fn resolve<'a>(
        &'a self,
        name: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>> {
        match name {
            name if name.ends_with("stalled.test") => {
                self.begun.send_modify(|begun| *begun += 1);
                Box::pin(pending())
            }
            _ => self.names.resolve(name),
        }
    }
}

#[tokio::test]
async fn x7_an_endless_look_up_stalls_only_its_own_call() {
    const STALLED: usize = 20;
    let vendor = Vendor::ok().await;
    let port = vendor.address().port();
    let listener = bind().await;
    let begun = watch::Sender::new(0);
    let mut stalled_look_ups = begun.subscribe();
    let names = Names::all_to_loopback();
    let stalling = Stalling { names, begun };
    let transport = Setup::new(&vendor)
        .transport(|transport| {
            transport
                .resolver(stalling)
                .connect_timeout(Duration::from_secs(60))
        })
        .build_transport(listener.local_addr().unwrap());
    let at = |host: &str| Upstream::new(&format!("http://{host}:{port}")).unwrap();
    let mut integrations = Integrations::new().with("good", at("good.test"));
    let mut ids = vec!["good".to_owned()];
    // One look-up serves all calls that need the name, so each call needs another name.
    for number in 0..STALLED {
        let id = format!("stalled{number}");
        integrations = integrations.with(&*id, at(&format!("{number}.stalled.test")));
        ids.push(id);
    }
    let store: MemoryStore = ids
        .iter()
        .map(|id| (id.as_str(), Connection::new(id.as_str())))
        .collect();
    let service = PassthroughService::builder(store, integrations)
        .dangerous()
        .allow_all()
        .transport(transport)
        .build();
    let gateway = Gateway::serve(listener, service);
    let mut stalled = JoinSet::new();
    for number in 0..STALLED {
        let request = get(&format!("/stalled{number}/x"));
        stalled.spawn(raw_call(gateway.address, request));
    }
    let all = stalled_look_ups.wait_for(|&begun| begun == STALLED);
    within("all look-ups to stall", all).await.unwrap();
    assert_eq!(
        raw_call(gateway.address, get("/good/x")).await.status(),
        200
    );
}

#[tokio::test]
async fn x7_an_endless_look_up_times_out() {
    let stalling = Stalling {
        names: Names::new(),
        begun: watch::Sender::new(0),
    };
    let gateway = Setup::new("http://stalled.test")
        .transport(|transport| {
            transport
                .resolver(stalling)
                .connect_timeout(Duration::from_millis(200))
        })
        .start()
        .await;
    let response = raw_call(gateway.address, get("/p/c/x")).await;
    assert_eq!(
        (response.status(), response.error()),
        (504, Some("upstream-timeout"))
    );
}
