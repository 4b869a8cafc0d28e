//! Credentials that refresh at a real OpenID provider, which rotates refresh tokens, and which revokes a grant as soon
//! as an old refresh token is used again.
//!
//! The provider is a package of npm. `OPENID_PROVIDER` names a folder with `provider.mjs` and its packages (`npm ci`).
//! Without the variable, the tests are skipped, and print that they are skipped.

mod killed;
mod provider;
mod shared;

use futures_util::future::join_all;

use self::provider::{Grant, Provider};
use testkit::caller::{RawResponse, raw_call};
use testkit::process::config::Config;
use testkit::process::gateway::Gateway;
use testkit::wait::within;

/// Returns the config of a connection whose access token has ended long ago.
fn stale(provider: &Provider, grant: &Grant) -> Config {
    let secret = format!(
        "{{ access_token = \"{}\", refresh_token = \"{}\", expires_at = \"1000000000\" }}",
        grant.access_token, grant.refresh_token
    );
    provider.config(&secret)
}

/// Returns the config of a connection whose access token has no known end.
fn unknown(provider: &Provider, grant: &Grant) -> Config {
    let secret = format!(
        "{{ access_token = \"{}\", refresh_token = \"{}\" }}",
        grant.access_token, grant.refresh_token
    );
    provider.config(&secret)
}

fn get() -> String {
    let key = testkit::process::canary::KEY;
    format!(
        "GET /passthrough/c/x HTTP/1.1\r\nHost: a\r\nx-api-key: {key}\r\nConnection: close\r\n\r\n"
    )
}

async fn call(gateway: &Gateway) -> RawResponse {
    within("an answer", gateway.raw(get())).await
}

/// Makes fifty calls at once at each gateway; all calls succeed.
async fn fifty_each(gateways: &[&Gateway]) {
    let calls = gateways
        .iter()
        .flat_map(|gateway| (0..50).map(|_| raw_call(gateway.address, get())));
    for response in within("all answers", join_all(calls)).await {
        assert_eq!(response.status(), 200, "{}", response.text());
    }
}

#[tokio::test]
async fn an_ended_token_is_refreshed_before_it_is_used() {
    let Some(provider) = Provider::start().await else {
        return;
    };
    let grant = provider.grant().await;
    let gateway = Gateway::start(&stale(&provider, &grant)).await;
    for _ in 0..3 {
        assert_eq!(call(&gateway).await.status(), 200);
    }
    let facts = provider.facts(&grant).await;
    assert_eq!((facts.refreshed, facts.refused), (1, 0));
    assert!(facts.is_used);
}

#[tokio::test]
async fn r6_a_token_that_the_vendor_rejects_is_refreshed_and_the_call_sent_again() {
    let Some(provider) = Provider::start().await else {
        return;
    };
    let grant = provider.grant().await;
    let gateway = Gateway::start(&unknown(&provider, &grant)).await;
    assert_eq!(call(&gateway).await.status(), 200);
    assert_eq!(provider.facts(&grant).await.refreshed, 0);
    provider.expire(&grant).await;
    assert_eq!(call(&gateway).await.status(), 200);
    assert_eq!(call(&gateway).await.status(), 200);
    let facts = provider.facts(&grant).await;
    assert_eq!((facts.refreshed, facts.refused), (1, 0));
}

#[tokio::test]
async fn o1_fifty_callers_at_once_refresh_once() {
    let Some(provider) = Provider::start().await else {
        return;
    };
    for is_over in [true, false] {
        let grant = provider.grant().await;
        let before = provider.facts(&grant).await.refreshed;
        let config = match is_over {
            true => stale(&provider, &grant),
            false => {
                provider.expire(&grant).await;
                unknown(&provider, &grant)
            }
        };
        let gateway = Gateway::start(&config).await;
        fifty_each(&[&gateway]).await;
        let facts = provider.facts(&grant).await;
        assert_eq!((facts.refreshed - before, facts.refused), (1, 0));
    }
}

#[tokio::test]
async fn o4_a_revoked_grant_needs_its_owner() {
    let Some(provider) = Provider::start().await else {
        return;
    };
    let grant = provider.grant().await;
    let gateway = Gateway::start(&unknown(&provider, &grant)).await;
    assert_eq!(call(&gateway).await.status(), 200);
    provider.revoke(&grant).await;
    for _ in 0..3 {
        let response = call(&gateway).await;
        assert_eq!(
            (response.status(), response.error()),
            (424, Some("reauthorize"))
        );
    }
    let facts = provider.facts(&grant).await;
    assert_eq!((facts.refreshed, facts.refused), (0, 1));

    // The owner has authorized the connection again.
    let grant = provider.grant().await;
    gateway.reload(&unknown(&provider, &grant)).await;
    assert_eq!(call(&gateway).await.status(), 200);
}

#[tokio::test]
async fn calls_work_again_when_the_provider_is_back() {
    let Some(provider) = Provider::start().await else {
        return;
    };
    let grant = provider.grant().await;
    provider.set("{\"down\":true}").await;
    let gateway = Gateway::start(&stale(&provider, &grant)).await;
    for _ in 0..3 {
        let response = call(&gateway).await;
        assert_eq!(
            (response.status(), response.error()),
            (503, Some("refresh-failed"))
        );
        let wait: u64 = response.head.value("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
    }
    provider.set("{\"down\":false}").await;
    within("recovery", async {
        while call(&gateway).await.status() != 200 {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    })
    .await;
    let facts = provider.facts(&grant).await;
    assert_eq!((facts.refreshed, facts.refused), (1, 0));
}

/// A reload must not bring back the refresh token that the file had at first.
#[tokio::test]
async fn o2_a_reload_keeps_refreshed_tokens() {
    let Some(provider) = Provider::start().await else {
        return;
    };
    let grant = provider.grant().await;
    let config = stale(&provider, &grant);
    let gateway = Gateway::start(&config).await;
    assert_eq!(call(&gateway).await.status(), 200);
    gateway.reload(&config).await;
    assert_eq!(call(&gateway).await.status(), 200);
    let facts = provider.facts(&grant).await;
    assert_eq!((facts.refreshed, facts.refused), (1, 0));
}
