//! The rules about keys, which are exact bytes: any text, also with `/` in it, and up to 512 bytes
//! long.

use super::bench::{
    Bench, LONG, Verdict, called, commit, done, ensure, has_token, id, is_missing, lease, put, read,
};
use crate::store::{ConnectionStore, RefreshLease, TokenStore};

/// Returns keys that some databases, caches or patterns confuse with that word.
fn near_misses(word: &str) -> Vec<String> {
    let (first, rest) = word.split_at(1);
    let (most, last) = word.split_at(word.len() - 1);
    let wide = first.bytes().map(|byte| 0xff00 + u32::from(byte) - 0x20);
    let wide: String = wide.filter_map(char::from_u32).collect();
    vec![
        word.to_uppercase(),
        format!("{}{rest}", first.to_uppercase()),
        // Spaces and padding, visible or not.
        format!("{word} "),
        format!("{word}  "),
        format!(" {word}"),
        format!("{word}\u{a0}"),
        format!("{word}\u{3000}"),
        format!("{word}\u{200b}"),
        format!("{word}\u{feff}"),
        format!("{word}\u{85}"),
        format!("{word}."),
        format!("{word}+"),
        // Patterns.
        format!("{most}*"),
        format!("{most}?"),
        format!("{most}_"),
        format!("{most}%"),
        format!("{most}."),
        format!("[{first}]{rest}"),
        format!("^{word}$"),
        format!("{word}|x"),
        format!("%{last}"),
        // Encodings.
        format!("{word}%00"),
        format!("{word}%20"),
        format!("{word}%2520"),
        format!("{word}\\0"),
        format!("%{:02x}{rest}", first.as_bytes().first().unwrap_or(&0)),
        // Unicode variants: full width, a combining mark, and a letter that looks the same.
        format!("{wide}{rest}"),
        format!("{word}\u{301}"),
        format!("\u{430}{rest}"),
        // Text with a meaning in a query language, a path or the format of a key.
        format!("{word}'"),
        format!("{word}''"),
        format!("{word}\""),
        format!("{word}`"),
        format!("{word};"),
        format!("{word}--"),
        format!("{word}\\"),
        format!("{word}:lease"),
        format!("{word}:*"),
        format!("{word},{word}"),
        format!("{word}#"),
        format!("{word}?"),
        format!("{word}&a=b"),
        format!("{{{word}}}"),
        format!("${{{word}}}"),
        most.to_owned(),
        format!("{word}{last}"),
    ]
}

/// Returns keys that some databases confuse with each other, with a number, or with nothing.
fn odd_ones() -> Vec<String> {
    let texts = [
        "\u{df}",
        "ss",
        "SS",
        "\u{131}",
        "i",
        "I",
        "\u{e9}",
        "\u{c9}",
        "e\u{301}",
        "\u{fb00}",
        "ff",
        "\u{212b}",
        "\u{c5}",
        "\u{10ffff}",
        "\u{1f511}",
        " ",
        "  ",
        "%",
        "%%",
        "_",
        "*",
        "?",
        ".",
        "..",
        "~",
        "@",
        "'",
        "\"",
        "\\",
        "' OR '1'='1",
        "'; DROP TABLE connections; --",
        "0",
        "00",
        "0x0",
        "0.0",
        "1",
        "1.0",
        "1e0",
        "+1",
        "-0",
        "null",
        "NULL",
        "true",
        "undefined",
        "NaN",
        "con",
    ];
    let mut ids: Vec<String> = texts.map(str::to_owned).into();
    for length in [46, 47, 63, 64, 65, 127, 128, 254, 255, 256] {
        ids.push("a".repeat(length));
    }
    ids.push("\u{e9}".repeat(128));
    ids.push(format!("{}b", "a".repeat(255)));
    ids
}

pub(super) async fn are_exact<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    let mut ids = near_misses("acme");
    ids.push("acme".to_owned());
    ids.extend(odd_ones());
    for text in &ids {
        put(&*bench.one, &id(text)?, text).await?;
    }
    for text in &ids {
        let id = id(text)?;
        for store in [&bench.one, &bench.other] {
            let record = done(store.read(&id).await, &format!("read of {text:?}"))?;
            let found = done(called(&**store, &id).await, &format!("connection {text:?}"))?;
            for connection in [&record.connection, &found] {
                ensure!(
                    has_token(connection, text),
                    "{text:?} is another's connection"
                );
            }
        }
    }
    let listed = done(bench.one.list(None, ids.len() + 1).await, "list")?;
    ensure!(
        listed.len() == ids.len(),
        "{} ids were put, and {} are listed",
        ids.len(),
        listed.len()
    );
    for (index, text) in ids.iter().enumerate() {
        let removed = done(bench.one.remove(&id(text)?).await, "remove")?;
        ensure!(removed, "{text:?} was there, and couldn't be removed");
        for (other_index, other) in ids.iter().enumerate() {
            // All keys are read at the beginning and at the end. In between, only the neighbours
            // are read.
            let is_near = other_index.abs_diff(index) < 3 || index == 0;
            if is_near {
                let gone = is_missing(&bench.one.read(&id(other)?).await);
                ensure!(
                    gone == (other_index <= index),
                    "removing {text:?} removed {other:?}, or didn't"
                );
            }
        }
    }
    Ok(())
}

pub(super) async fn find_no_other<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    let beta = id("beta")?;
    put(&*bench.one, &beta, "beta").await?;
    for text in &near_misses("beta") {
        let near = id(text)?;
        for store in [&bench.one, &bench.other] {
            ensure!(
                is_missing(&store.read(&near).await),
                "`read` of {text:?} finds `beta`"
            );
            ensure!(
                is_missing(&called(&**store, &near).await),
                "`connection` of {text:?} finds `beta`"
            );
        }
        let lease = bench.one.lease(&near, LONG).await;
        ensure!(is_missing(&lease), "`lease` of {text:?} finds `beta`");
        let removed = done(bench.one.remove(&near).await, "remove")?;
        ensure!(
            !removed,
            "`remove` of {text:?} says that it removed something"
        );
    }
    let found = done(called(&*bench.one, &beta).await, "connection")?;
    ensure!(
        has_token(&found, "beta"),
        "`beta` is another connection now"
    );
    Ok(())
}

pub(super) async fn missing_is_not_found<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    let store = &*bench.one;
    let nobody = id("nobody")?;
    ensure!(
        is_missing(&store.read(&nobody).await),
        "`read` isn't NotFound"
    );
    ensure!(
        is_missing(&called(store, &nobody).await),
        "`connection` isn't NotFound"
    );
    ensure!(
        is_missing(&store.lease(&nobody, LONG).await),
        "`lease` isn't NotFound"
    );
    done(
        store.release(&nobody, RefreshLease::new(1)).await,
        "release",
    )?;
    let removed = done(store.remove(&nobody).await, "remove")?;
    ensure!(!removed, "`remove` says that there was something");
    Ok(())
}

/// Checks on both handles that each key has its own connection.
async fn have_their_own<S: ConnectionStore>(bench: &Bench<S>, texts: &[String]) -> Verdict {
    for text in texts {
        let key = id(text)?;
        for store in [&bench.one, &bench.other] {
            let record = read(&**store, &key).await?;
            let found = done(called(&**store, &key).await, "connection")?;
            for connection in [&record.connection, &found] {
                ensure!(
                    has_token(connection, text),
                    "{text:?} is another's connection"
                );
            }
        }
    }
    Ok(())
}

/// Checks that an operation on a key doesn't change the other keys. Removes all connections at the
/// end.
async fn are_whole<S: ConnectionStore>(bench: &Bench<S>, mut texts: Vec<String>) -> Verdict {
    for text in &texts {
        put(&*bench.one, &id(text)?, text).await?;
    }
    have_their_own(bench, &texts).await?;
    texts.sort_unstable();
    let mut after = None;
    for text in &texts {
        let page = done(bench.other.list(after.as_ref(), 1).await, "list")?;
        ensure!(
            page.iter().map(|listed| listed.key.as_str()).eq([&**text]),
            "after {after:?} comes {page:?}, and not {text:?}"
        );
        after = Some(id(text)?);
    }
    // All keys have a lease at the same time, and then each lease commits.
    for text in &texts {
        let key = id(text)?;
        let held = lease(&*bench.one, &key, LONG).await?;
        let version = read(&*bench.other, &key).await?.version;
        let committed = commit(&*bench.one, &key, version, held, text).await?;
        ensure!(committed.is_some(), "{text:?} has another's version");
    }
    have_their_own(bench, &texts).await?;
    while let Some(text) = texts.pop() {
        let removed = done(bench.one.remove(&id(&text)?).await, "remove")?;
        ensure!(removed, "{text:?} was there, and couldn't be removed");
        ensure!(
            is_missing(&bench.other.read(&id(&text)?).await),
            "{text:?} was removed, and is there"
        );
        for other in &texts {
            let left = bench.other.read(&id(other)?).await;
            ensure!(left.is_ok(), "removing {text:?} removed {other:?}");
        }
    }
    Ok(())
}

pub(super) async fn are_exact_with_slashes<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    let texts = [
        // The same id in three tenants and without a tenant, and a tenant whose name is another
        // tenant and an id.
        "crm",
        "globex/crm",
        "beta/crm",
        "beta/globex/crm",
        "globex",
        "globex/crm/crm",
        // Paths that some file systems or URLs confuse with the keys above.
        "/crm",
        "/globex/crm",
        "globex/",
        "globex/crm/",
        "globex//crm",
        "globex/./crm",
        "globex/../crm",
        "../globex/crm",
        "/",
        "//",
        // Characters that mean a slash elsewhere.
        "globex\\crm",
        "globex:crm",
        "globex.crm",
        "globex%2Fcrm",
        "globex%2fcrm",
        "globex\u{ff0f}crm",
        "globex\u{2215}crm",
    ];
    are_whole(bench, texts.map(str::to_owned).into()).await
}

pub(super) async fn are_exact_at_512_bytes<S: ConnectionStore>(bench: &Bench<S>) -> Verdict {
    let mut texts: Vec<String> = [255, 256, 257, 300, 500, 510, 511, 512]
        .map(|length| "k".repeat(length))
        .into();
    // Keys that differ only in their last byte, and characters of several bytes.
    texts.push(format!("{}l", "k".repeat(511)));
    texts.push(format!("{}/k", "k".repeat(510)));
    texts.push("\u{e9}".repeat(256));
    texts.push("\u{1f511}".repeat(128));
    texts.push(format!("{}key!", "\u{1f511}".repeat(127)));
    are_whole(bench, texts).await
}
