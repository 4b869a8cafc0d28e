//! The rules about lists: pages are in the order of the keys' bytes.

use super::bench::{Bench, LONG, Verdict, connection, done, ensure, id, lease, put};
use crate::connection::Connection;
use crate::store::{ConnectionStore, ConnectionSummary, GrantState, GrantUpdate, TokenStore};

pub(super) async fn are_paged_in_order<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    let mut ids: Vec<String> = (0..20).map(|number| format!("acme-{number}")).collect();
    let odd = [
        "Zeta",
        "_",
        "a",
        "a b",
        "a-b",
        "aB",
        "ab",
        "\u{e9}",
        "z",
        "\u{ff41}",
        "\u{1f511}",
    ];
    ids.extend(odd.map(str::to_owned));
    for text in &ids {
        put(&*bench.one, &id(text)?, text).await?;
    }
    // Rust compares text by its bytes.
    ids.sort_unstable();
    for limit in [1, 2, 7, ids.len(), ids.len() + 1, usize::MAX] {
        let mut paged: Vec<ConnectionSummary> = Vec::new();
        loop {
            let after = paged.last().map(|listed| listed.key.clone());
            let page = done(bench.other.list(after.as_ref(), limit).await, "list")?;
            ensure!(
                page.len() <= limit,
                "a page with the limit {limit} has {} keys; return no more than the limit",
                page.len()
            );
            if page.is_empty() {
                break;
            }
            paged.extend(page);
            ensure!(
                paged.len() <= ids.len(),
                "pages of {limit} show an id twice"
            );
        }
        let paged: Vec<_> = paged.iter().map(|listed| listed.key.as_str()).collect();
        ensure!(
            paged == ids,
            "pages of {limit} are {paged:?}, and should be {ids:?}"
        );
    }
    ensure!(
        done(bench.one.list(None, 0).await, "list")?.is_empty(),
        "a page of 0 isn't empty"
    );
    let absent = id("acme-1x")?;
    let next = done(bench.one.list(Some(&absent), 1).await, "list")?;
    ensure!(
        next.iter().map(|listed| listed.key.as_str()).eq(["acme-2"]),
        "the page after an id that isn't there begins with {next:?}"
    );
    Ok(())
}

pub(super) async fn tell_standing<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    let [dead, gone, live] = [id("dead")?, id("gone")?, id("live")?];
    for id in [&dead, &gone] {
        put(&*bench.one, id, "token").await?;
    }
    let slack = Connection::new("sl\u{e4}ck");
    done(bench.one.put(&live, &slack).await, "put")?;
    let version = done(bench.one.put(&dead, &connection("token")).await, "put")?;
    let held = lease(&*bench.one, &dead, LONG).await?;
    let died = bench
        .one
        .commit(&dead, version, held, &GrantUpdate::Revoked)
        .await;
    done(died, "commit")?;
    done(bench.one.remove(&gone).await, "remove")?;
    let listed = done(bench.other.list(None, 10).await, "list")?;
    let expected = [
        ConnectionSummary::new(dead, "crm", GrantState::Revoked),
        ConnectionSummary::new(live, "sl\u{e4}ck", GrantState::Active),
    ];
    ensure!(listed == expected, "{listed:?} is listed for {expected:?}");
    Ok(())
}
