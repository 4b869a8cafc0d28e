//! Client certificates: the connections and sessions that are kept for them.

use tower_passthrough::{
    CallContext, ConnectionId, Integrations, MemoryStore, PassthroughService, Upstream, auth,
};

use testkit::caller::{Caller, get};
use testkit::gateway::{Gateway, Origin as _, Setup, bind};
use testkit::identities::Authority;
use testkit::mtls_vendor::{MtlsVendor, Terms};
use testkit::wait::within;

fn everyone(_: &ConnectionId, _: CallContext<'_>) -> bool {
    true
}

#[tokio::test]
async fn x2_sessions_and_connections_of_identities_are_limited() {
    const MOST: usize = 4;
    for target in ["x", "close"] {
        let authority = Authority::new();
        let vendor = MtlsVendor::start(&Terms::new(authority.verifier(true), &["http/1.1"])).await;
        let listener = bind().await;
        let transport = Setup::new(&vendor)
            .transport(|transport| transport.pool_max_idle(MOST))
            .build_transport(listener.local_addr().unwrap());
        let upstream = Upstream::new(&vendor.origin()).unwrap().auth(auth::Mtls);
        let store = (0..40).map(|nth| {
            let name = format!("c{nth}");
            let connection = authority.certify(&name).connection();
            (name, connection)
        });
        let store = MemoryStore::from_iter(store);
        let service =
            PassthroughService::builder(store, Integrations::new().with("vendor", upstream))
                .authorize_fn(everyone)
                .caller_credentials([])
                .transport(transport.clone())
                .prefix("/p")
                .unwrap()
                .build();
        let gateway = Gateway::serve(listener, service);
        let mut caller = Caller::connect(gateway.address).await;
        for nth in 0..40 {
            let answer = caller.call(get(&format!("/p/c{nth}/{target}"))).await;
            assert_eq!(answer.text(), format!("c{nth} /{target} : "));
        }
        // Long before the idle timeout.
        let few = async {
            while transport.pool_status().hosts > 2 * MOST {
                tokio::task::yield_now().await;
            }
        };
        within("identities to be forgotten", few).await;
    }
}
