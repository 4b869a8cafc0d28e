//! The connections that a caller may use.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tower_passthrough::authorize::AuthorizeFn;
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::{
    CallContext, Connection, ConnectionId, CredentialStore, MemoryStore, StoreError,
};

use super::{connection, echoing_vendor, gateway};
use testkit::caller::{Caller, RawResponse, get, raw_call, request};
use testkit::gateway::TOKEN;
use testkit::vendor::Vendor;

#[test]
fn t1_the_docs_have_a_failing_example_without_an_authorizer() {
    // A test can't run the compiler. The doc test fails if such a service compiles.
    fn collect(folder: &Path, text: &mut String) {
        let mut entries: Vec<PathBuf> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        entries.sort();
        for path in entries {
            *text += &fs::read_to_string(path).unwrap();
        }
    }
    let mut text = String::new();
    collect(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src/authorize"),
        &mut text,
    );
    let block = text
        .split("```compile_fail")
        .nth(1)
        .and_then(|after| after.split("```").next())
        .expect("a doc test that must not compile");
    // The compiler's message is a comment next to the block.
    let is_code = |line: &&str| !line.trim_start_matches("/// ").starts_with("//");
    let block: String = block.lines().filter(is_code).collect();
    assert!(block.contains(".build()"), "{block}");
    assert!(
        !block.contains(".authorize(") && !block.contains("allow_all"),
        "{block}"
    );
}

/// Returns an answer's bytes without the date.
fn bytes_of(response: &RawResponse) -> String {
    let head = String::from_utf8_lossy(&response.head.raw).into_owned();
    let lines = head
        .lines()
        .filter(|line| !line.to_ascii_lowercase().starts_with("date:"));
    let head: Vec<_> = lines.collect();
    format!("{}\n{}", head.join("\n"), response.text())
}

#[tokio::test]
async fn t2_refused_and_unknown_ids_get_the_same_answer() {
    let vendor = Vendor::ok().await;
    let store = MemoryStore::from_iter([("theirs", connection()), ("mine", connection())]);
    let authorizer =
        AuthorizeFn::new(|id: &ConnectionId, _: CallContext<'_>| id.as_str() != "theirs");
    let gateway = gateway(&vendor, store, authorizer, |upstream| upstream).await;
    for rest in [
        "",
        "/",
        "/x",
        "/x?__domain=evil.test",
        "/../x",
        "/x?__domain=",
    ] {
        let unknown = raw_call(gateway.address, get(&format!("/p/nobodys{rest}"))).await;
        assert_eq!(
            (unknown.status(), unknown.error()),
            (404, Some("unknown-connection")),
            "{rest}"
        );
        for id in ["theirs", "%FF", "%74heirs", "a%C3", "th%C3%A9irs"] {
            let refused = raw_call(gateway.address, get(&format!("/p/{id}{rest}"))).await;
            assert_eq!(bytes_of(&refused), bytes_of(&unknown), "{id}{rest}");
        }
    }
    for (method, lines) in [
        ("HEAD", &[][..]),
        ("POST", &["Content-Length: 2"]),
        (
            "POST",
            &["Content-Type: application/grpc", "Content-Length: 2"],
        ),
    ] {
        let body = if method == "HEAD" { "" } else { "ab" };
        let call = |id: &str| {
            raw_call(
                gateway.address,
                request(method, &format!("/p/{id}/x"), lines, body),
            )
        };
        let (refused, unknown) = (call("theirs").await, call("nobodys").await);
        assert_eq!(bytes_of(&refused), bytes_of(&unknown), "{method}");
    }
    vendor.untouched().await;
    assert_eq!(
        raw_call(gateway.address, get("/p/mine/x")).await.status(),
        200
    );
}

/// Records the ids for which it was called.
#[derive(Clone, Default)]
struct Asked(Arc<Mutex<Vec<String>>>);

impl Asked {
    fn note(&self, id: &str) {
        self.0.lock().unwrap().push(id.to_owned());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl CredentialStore for Asked {
    async fn connection(
        &self,
        id: &ConnectionKey,
        _: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        self.note(id.as_str());
        Ok(connection())
    }
}

#[tokio::test]
async fn t2_the_store_is_not_called_before_the_authorizer_agreed() {
    let vendor = Vendor::ok().await;
    let store = Asked::default();
    let authorizer =
        AuthorizeFn::new(|id: &ConnectionId, _: CallContext<'_>| id.as_str() == "mine");
    let gateway = gateway(&vendor, store.clone(), authorizer, |upstream| upstream).await;
    assert_eq!(
        raw_call(gateway.address, get("/p/theirs/x")).await.status(),
        404
    );
    assert_eq!(store.take(), [""; 0]);
    assert_eq!(
        raw_call(gateway.address, get("/p/mine/x")).await.status(),
        200
    );
    assert_eq!(store.take(), ["mine"]);
}

#[tokio::test]
async fn t13_a_removal_takes_effect_for_the_next_call() {
    let vendor = echoing_vendor().await;
    let store = MemoryStore::from_iter([("c", connection())]);
    let revoked = Arc::new(AtomicBool::new(false));
    let authorizer = {
        let revoked = Arc::clone(&revoked);
        AuthorizeFn::new(move |_, _| !revoked.load(Ordering::SeqCst))
    };
    let gateway = gateway(&vendor, store.clone(), authorizer, |upstream| upstream).await;
    let mut caller = Caller::connect(gateway.address).await;
    let unknown = raw_call(gateway.address, get("/p/nobodys/x")).await;
    assert_eq!(
        caller.call(get("/p/c/x")).await.text(),
        format!("Bearer {TOKEN} /v2/x ")
    );

    let id = || ConnectionId::try_from("c").unwrap();
    store.insert_now(
        id(),
        Connection::new("vendor").with_secret("token", "changed"),
    );
    assert_eq!(
        caller.call(get("/p/c/x")).await.text(),
        "Bearer changed /v2/x "
    );

    revoked.store(true, Ordering::SeqCst);
    assert_eq!(
        bytes_of(&caller.call(get("/p/c/x")).await),
        bytes_of(&unknown)
    );
    revoked.store(false, Ordering::SeqCst);
    assert_eq!(caller.call(get("/p/c/x")).await.status(), 200);

    assert!(store.remove_now("c"));
    assert_eq!(
        bytes_of(&caller.call(get("/p/c/x")).await),
        bytes_of(&unknown)
    );
    assert!(!store.remove_now("c"));
}

#[tokio::test]
async fn t14_ids_are_exact_bytes() {
    let vendor = Vendor::ok().await;
    let store = MemoryStore::from_iter([
        ("acme", connection()),
        ("a b", connection()),
        ("\u{e9}", connection()),
    ]);
    let everyone = AuthorizeFn::new(|_: &ConnectionId, _: CallContext<'_>| true);
    let gateway = gateway(&vendor, store, everyone, |upstream| upstream).await;
    for id in [
        "ACME",
        "Acme",
        "acme%20",
        "%20acme",
        "ac*",
        "*",
        "acm_",
        "acme%25",
        "a+b",
        "a%2520b",
        "e%CC%81",
        "%EF%BD%81cme",
        "acme.",
        "acme%C2%A0",
        ".",
        "%2e",
        "acme%E2%80%8B",
    ] {
        let response = raw_call(gateway.address, get(&format!("/p/{id}/x"))).await;
        assert_eq!(
            (response.status(), response.error()),
            (404, Some("unknown-connection")),
            "{id}"
        );
    }
    for id in [
        "acme%00", "%00acme", "acme%0A", "acme%2F", "acme%7F", "acme%09",
    ] {
        let response = raw_call(gateway.address, get(&format!("/p/{id}/x"))).await;
        assert_eq!(
            (response.status(), response.error()),
            (400, Some("bad-address")),
            "{id}"
        );
    }
    vendor.untouched().await;
    for id in ["acme", "%61cm%65", "a%20b", "%C3%A9"] {
        assert_eq!(
            raw_call(gateway.address, get(&format!("/p/{id}/x")))
                .await
                .status(),
            200,
            "{id}"
        );
    }
}

#[tokio::test]
async fn t14_authorizer_and_store_get_the_same_id() {
    let vendor = Vendor::ok().await;
    let store = Asked::default();
    let authorized = Asked::default();
    let authorizer = {
        let authorized = authorized.clone();
        AuthorizeFn::new(move |id, _| {
            authorized.note(id.as_str());
            true
        })
    };
    let gateway = gateway(&vendor, store.clone(), authorizer, |upstream| upstream).await;
    let mut asked = Vec::new();
    for (id, decoded) in [
        ("ACME", "ACME"),
        ("acme%20", "acme "),
        ("ac*", "ac*"),
        ("%2541", "%41"),
        ("%EF%BD%81", "\u{ff41}"),
        ("..", ".."),
        ("a;b", "a;b"),
        ("a%3Fb", "a?b"),
    ] {
        raw_call(gateway.address, get(&format!("/p/{id}/x"))).await;
        asked.push(decoded);
    }
    assert_eq!(store.take(), asked);
    assert_eq!(authorized.take(), asked);
}

/// A store is called once for each call, so no two calls share its answer.
#[tokio::test]
async fn t13_no_answer_of_the_store_is_kept() {
    struct Counter(Arc<AtomicUsize>);
    impl CredentialStore for Counter {
        async fn connection(
            &self,
            _: &ConnectionKey,
            _: CallContext<'_>,
        ) -> Result<Connection, StoreError> {
            let nth = self.0.fetch_add(1, Ordering::SeqCst);
            Ok(Connection::new("vendor").with_secret("token", format!("token-{nth}")))
        }
    }
    let vendor = Vendor::ok().await;
    let everyone = AuthorizeFn::new(|_: &ConnectionId, _: CallContext<'_>| true);
    let gateway = gateway(&vendor, Counter(Arc::default()), everyone, |upstream| {
        upstream
    })
    .await;
    for nth in 0..3 {
        raw_call(gateway.address, get("/p/c/x")).await;
        let received = vendor.next().await;
        assert_eq!(
            received.head.value("authorization"),
            Some(&*format!("Bearer token-{nth}"))
        );
    }
}
