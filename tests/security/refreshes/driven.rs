//! Callers who provoke 401s.

use tokio::task::JoinSet;
use tower_passthrough::MemoryStore;
use tower_passthrough::refresh::RefreshingStore;

use testkit::caller::{Caller, get, raw_call};
use testkit::provider::{Provider, connection, endless};

#[tokio::test]
async fn x5_a_vendor_that_always_answers_401_makes_one_refresh() {
    for stored in [endless("c"), connection("c", 3_600)] {
        let provider = Provider::start().await;
        provider.change("c", |account| account.good_from = usize::MAX);
        let store = MemoryStore::from_iter([("c", stored)]);
        let process = || RefreshingStore::new(store.clone(), provider.source());
        let gateways = [
            provider.gateway(process()).await,
            provider.gateway(process()).await,
        ];
        let mut callers = JoinSet::new();
        for nth in 0..20 {
            let address = gateways[nth % 2].address;
            callers.spawn(async move {
                let mut caller = Caller::connect(address).await;
                for _ in 0..50 {
                    let response = caller.call(get("/p/c/x")).await;
                    assert_eq!((response.status(), response.error()), (401, None));
                }
            });
        }
        while let Some(caller) = callers.join_next().await {
            caller.unwrap();
        }
        assert_eq!(provider.asked(), 1);
    }
}

#[tokio::test]
async fn x5_a_restart_does_not_allow_another_refresh() {
    let provider = Provider::start().await;
    provider.change("c", |account| account.good_from = usize::MAX);
    let store = MemoryStore::from_iter([("c", endless("c"))]);
    for _ in 0..5 {
        let restarted = RefreshingStore::new(store.clone(), provider.source());
        let gateway = provider.gateway(restarted).await;
        let response = raw_call(gateway.address, get("/p/c/x")).await;
        assert_eq!((response.status(), response.error()), (401, None));
    }
    assert_eq!(provider.asked(), 1);
}
