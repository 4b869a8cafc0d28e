//! The rules about contents: a connection is read exactly as it was written.

use super::bench::{Bench, LONG, Verdict, called, done, ensure, id, is_same, lease, read};
use crate::connection::Connection;
use crate::store::{ConnectionStore, GrantUpdate, TokenStore};

/// Returns connections that some encodings would change.
fn odd_ones() -> Vec<(&'static str, Connection)> {
    let all_bytes: Vec<u8> = (0..=u8::MAX).collect();
    let mut many = Connection::new("many");
    for number in 0..100 {
        many = many
            .with_variable(format!("variable {number}"), number.to_string())
            .with_secret(
                format!("secret {number}"),
                vec![number; usize::from(number)],
            );
    }
    vec![
        ("bare", Connection::new("bare")),
        (
            "no integration",
            Connection::new("").with_secret("token", "t"),
        ),
        (
            "empty values",
            Connection::new("crm")
                .with_variable("", "")
                .with_secret("", ""),
        ),
        (
            "all bytes",
            Connection::new("crm").with_secret("token", all_bytes.clone()),
        ),
        (
            "not UTF-8",
            Connection::new("crm").with_secret("token", vec![255, 254, 0]),
        ),
        (
            "NUL bytes",
            Connection::new("crm").with_secret("token", "a\0b\0"),
        ),
        (
            "line breaks",
            Connection::new("crm").with_secret("key", "-----BEGIN-----\r\nabc\n"),
        ),
        (
            "names in common",
            Connection::new("crm")
                .with_variable("token", "variable")
                .with_secret("token", "secret")
                .with_secret("Token", "other"),
        ),
        (
            "odd names",
            Connection::new("a'b\"c\\d\u{e9}\u{1f511} ")
                .with_variable("a'b\"c=\u{e9}\n", "v'\"\\\u{10ffff}\0")
                .with_secret("s'\"\\\u{1f511}\0", " leading and trailing "),
        ),
        (
            "large",
            Connection::new("crm").with_secret("key", all_bytes.repeat(256)),
        ),
        (
            "numbers",
            Connection::new("1")
                .with_variable("1", "1e3")
                .with_secret("0", "007"),
        ),
        ("many", many),
    ]
}

pub(super) async fn come_back<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    for (name, connection) in odd_ones() {
        let id = id(name)?;
        done(bench.one.put(&id, &connection).await, name)?;
        comes_back(bench, name, &connection).await?;
    }
    Ok(())
}

async fn comes_back<S: ConnectionStore>(
    bench: &Bench<S>,
    name: &str,
    connection: &Connection,
) -> Verdict {
    let id = id(name)?;
    for store in [&bench.one, &bench.other] {
        let record = read(&**store, &id).await?;
        ensure!(
            is_same(&record.connection, connection),
            "{name}: `read` gives {:?} for {connection:?}, or other values",
            record.connection
        );
        let found = done(called(&**store, &id).await, name)?;
        ensure!(
            is_same(&found, connection),
            "{name}: `connection` gives {found:?} for {connection:?}, or other values"
        );
    }
    Ok(())
}

pub(super) async fn renewed_come_back<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    for (name, connection) in odd_ones() {
        let name = &format!("{name}, renewed");
        let id = id(name)?;
        let version = done(bench.one.put(&id, &Connection::new("old")).await, name)?;
        let held = lease(&*bench.one, &id, LONG).await?;
        let renewal = GrantUpdate::Refreshed(connection.clone());
        let committed = bench.one.commit(&id, version, held, &renewal).await;
        ensure!(
            done(committed, name)?.is_some(),
            "{name}: the commit was refused"
        );
        // The other handle hasn't cached the connection before, so its answer can't be stale.
        comes_back(bench, name, &connection).await?;
    }
    Ok(())
}

pub(super) async fn are_replaced_whole<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    let acme = id("are-replaced-whole")?;
    let rich = Connection::new("rich")
        .with_variable("subdomain", "acme")
        .with_secret("token", "a")
        .with_secret("refresh_token", "b");
    let poor = Connection::new("poor").with_secret("token", "c");
    done(bench.one.put(&acme, &rich).await, "put")?;
    done(bench.one.put(&acme, &poor).await, "put")?;
    let record = read(&*bench.other, &acme).await?;
    ensure!(
        is_same(&record.connection, &poor),
        "{:?} is left by `put`",
        record.connection
    );
    done(bench.one.put(&acme, &rich).await, "put")?;
    let version = read(&*bench.one, &acme).await?.version;
    let held = lease(&*bench.one, &acme, LONG).await?;
    let renewal = GrantUpdate::Refreshed(poor.clone());
    done(
        bench.one.commit(&acme, version, held, &renewal).await,
        "commit",
    )?;
    let record = read(&*bench.other, &acme).await?;
    ensure!(
        is_same(&record.connection, &poor),
        "{:?} is left by `commit`",
        record.connection
    );
    Ok(())
}
