//! A client certificate per connection, with vendors that ask for certificates.

mod failures;
mod keys;
mod python;
mod ways;

use futures_util::future::join_all;
use tower_passthrough::authorize::AuthorizeFn;
use tower_passthrough::{CallContext, Connection, ConnectionId, MemoryStore, auth};

use testkit::caller::{Caller, get, post};
use testkit::gateway::{Gateway, Origin, Setup};
use testkit::h2_caller::{self, H2Caller};
use testkit::identities::{Authority, Identity};
use testkit::mtls_vendor::{MtlsVendor, Terms};

const HTTP1: &[&str] = &["http/1.1"];
const HTTP2: &[&str] = &["h2"];

fn everyone(_: &ConnectionId, _: CallContext<'_>) -> bool {
    true
}

/// Returns a gateway in front of that vendor, whose connections have client certificates.
fn setup(vendor: &(impl Origin + ?Sized)) -> Setup {
    Setup::new(vendor).upstream(|upstream| upstream.auth(auth::Mtls))
}

async fn gateway(vendor: &(impl Origin + ?Sized), connection: Connection) -> Gateway {
    setup(vendor).connection(connection).start().await
}

/// Returns connections `c0` and so on, whose identities have those names.
fn tenants(authority: &Authority, count: usize) -> MemoryStore {
    let names = (0..count).map(|nth| format!("c{nth}"));
    names
        .map(|name| {
            let connection = authority.certify(&name).connection();
            (name, connection)
        })
        .collect()
}

/// Makes a hundred calls at once, over both protocols and with ten identities, twice.
async fn mixed_calls(gateway: &Gateway) {
    for round in 0..2 {
        let calls = (0..100).map(|nth| async move {
            let (name, body) = (format!("c{}", nth % 10), format!("body {round} {nth}"));
            let target = format!("/p/{name}/x{nth}");
            let answer = if nth % 3 == 0 {
                let mut caller = H2Caller::connect(gateway.address).await;
                let request = h2_caller::request("POST", &target);
                let request = request.header("content-length", body.len());
                let request = request.body(()).unwrap();
                let (response, mut upload) = caller.open(request, false).await;
                upload.send_data(body.clone().into(), true).unwrap();
                let answer = h2_caller::whole(response).await;
                String::from_utf8(answer.body).unwrap()
            } else {
                let mut caller = Caller::connect(gateway.address).await;
                caller.call(post(&target, &body)).await.text()
            };
            assert_eq!(answer, format!("{name} /x{nth} : {body}"));
        });
        join_all(calls).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t7_each_connection_presents_its_own_certificate_in_mixed_calls() {
    for alpn in [HTTP1, HTTP2, &["h2", "http/1.1"]] {
        let authority = Authority::new();
        let vendor = MtlsVendor::start(&Terms::new(authority.verifier(true), alpn)).await;
        let gateway = setup(&vendor)
            .start_with(tenants(&authority, 10), AuthorizeFn::new(everyone))
            .await;
        mixed_calls(&gateway).await;
        for nth in 0..10 {
            let shaken = vendor.shaken();
            let own = shaken.iter().filter(|own| own.subject == format!("c{nth}"));
            assert!(own.count() > 0, "{shaken:?}");
        }
    }
}

#[tokio::test]
async fn t13_a_changed_certificate_is_used_from_the_next_call_on() {
    for alpn in [HTTP1, HTTP2] {
        let authority = Authority::new();
        let vendor = MtlsVendor::start(&Terms::new(authority.verifier(true), alpn)).await;
        let store = MemoryStore::from_iter([("c", authority.certify("first").connection())]);
        let gateway = setup(&vendor)
            .start_with(store.clone(), AuthorizeFn::new(everyone))
            .await;
        let mut caller = Caller::connect(gateway.address).await;
        for name in ["first", "second", "third", "second"] {
            let id = ConnectionId::try_from("c").unwrap();
            // Each certificate is a new one, even if it has an earlier name.
            store.insert_now(id, authority.certify(name).connection());
            for _ in 0..2 {
                let answer = caller.call(get("/p/c/x")).await;
                assert_eq!(answer.text(), format!("{name} /x : "));
            }
        }
        assert_eq!(vendor.connections().await, 4);
    }
}

#[tokio::test]
async fn connections_with_one_certificate_share_a_pool() {
    let authority = Authority::new();
    let vendor = MtlsVendor::start(&Terms::new(authority.verifier(true), HTTP1)).await;
    let Identity { certificate, key } = authority.certify("both");
    let own = || {
        let connection = Connection::new("vendor").with_secret("certificate", &*certificate);
        connection.with_secret("private_key", &*key)
    };
    let gateway = setup(&vendor).connection(own()).also("d", own()).start();
    let gateway = gateway.await;
    let mut caller = Caller::connect(gateway.address).await;
    for id in ["c", "d", "c"] {
        // A connection rests before another key uses it.
        tokio::time::sleep(std::time::Duration::from_millis(40)).await;
        let answer = caller.call(get(&format!("/p/{id}/x"))).await;
        assert_eq!(answer.text(), "both /x : ");
    }
    assert_eq!(vendor.connections().await, 1);
}
