//! The causes of errors, as the host application sees them: each observer sees each call, and each error that isn't the
//! caller's fault leaves an event.

use std::fmt;
use std::io::{self, Write};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;
use tower_passthrough::observe::{CallReport, CallStart, Outcome};
use tower_passthrough::store::{BoxCredentialStore, ConnectionKey};
use tower_passthrough::test_util::FakeUpstream;
use tower_passthrough::{
    CallContext, Connection, CredentialStore, ErrorCode, HttpTransport, Integrations, MemoryStore,
    Observe, PassthroughService, StoreError, Transport, Upstream, auth,
};
use tracing_subscriber::fmt::MakeWriter;

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Returns the lines so far.
    fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// Writes all events of this thread to the log while the guard lives.
    fn begin(&self) -> tracing::subscriber::DefaultGuard {
        let subscriber = tracing_subscriber::fmt()
            .with_writer(self.clone())
            .with_ansi(false)
            .without_time()
            .finish();
        tracing::subscriber::set_default(subscriber)
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// An error with a source.
#[derive(Debug)]
struct Pool(io::Error);

impl fmt::Display for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no connection in the pool")
    }
}

impl std::error::Error for Pool {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// A store whose database can't be reached.
struct Failing;

impl CredentialStore for Failing {
    async fn connection(
        &self,
        _: &ConnectionKey,
        _: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        let cause = io::Error::other("db.internal refused the connection");
        Err(StoreError::unavailable(Pool(cause)))
    }
}

/// The outcome of a call.
#[derive(Debug)]
struct Seen {
    status: StatusCode,
    code: Option<ErrorCode>,
    /// The chain of the causes, and the last cause.
    chain: String,
    root: String,
    events: Vec<String>,
    body: String,
}

/// Calls `/c/x` of a service with these parts.
async fn call(store: impl CredentialStore, base_url: &str, transport: impl Transport) -> Seen {
    let upstream = Upstream::new(base_url).unwrap().auth(auth::Bearer);
    let causes = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&causes);
    let service = PassthroughService::builder(store, Integrations::new().with("crm", upstream))
        .authorize_fn(|_, _| true)
        .caller_credentials([])
        .transport(transport)
        .observe_fn(move |call: &CallReport<'_>| {
            let Some(cause) = call.cause() else { return };
            let root = cause.root_cause().to_string();
            let facts = (call.error(), cause.chain().to_string(), root);
            told.lock().unwrap().push(facts);
        })
        .build();
    let log = Log::default();
    let guard = log.begin();
    let request = Request::get("/c/x").body(String::new()).unwrap();
    let Ok(response) = service.oneshot(request).await;
    drop(guard);
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let (code, chain, root) = causes.lock().unwrap().pop().unwrap_or_default();
    Seen {
        status,
        code,
        chain,
        root,
        events: log.lines(),
        body,
    }
}

fn store(connection: Connection) -> BoxCredentialStore {
    BoxCredentialStore::new(MemoryStore::from_iter([("c", connection)]))
}

fn with_token() -> BoxCredentialStore {
    store(Connection::new("crm").with_secret("token", "s3cr3t"))
}

const BASE: &str = "https://api.crm.test";

/// Fails unless there is exactly one event, with that level and with all of these texts.
fn one_event(seen: &Seen, level: &str, parts: &[&str]) {
    let [event] = &seen.events[..] else {
        panic!("one event was expected: {seen:?}");
    };
    assert!(event.trim_start().starts_with(level), "{event}");
    assert!(event.contains("tower_passthrough"), "{event}");
    for part in parts {
        assert!(event.contains(part), "{part} is missing: {event}");
    }
}

#[tokio::test]
async fn a_store_that_fails_leaves_an_event_with_all_causes() {
    let seen = call(Failing, BASE, FakeUpstream::silent()).await;
    assert_eq!(seen.status, 503);
    assert_eq!(seen.code, Some(ErrorCode::StoreUnavailable));
    assert_eq!(seen.root, "db.internal refused the connection");
    let chain = "store-unavailable: the credential store failed; try again later: \
                 no connection in the pool: db.internal refused the connection";
    assert_eq!(seen.chain, chain);
    one_event(&seen, "ERROR", &[chain, "connection=\"c\""]);
}

#[tokio::test]
async fn an_unknown_integration_is_named_in_the_log() {
    let connection = Connection::new("crmm").with_secret("token", "s3cr3t");
    let seen = call(store(connection), BASE, FakeUpstream::silent()).await;
    assert_eq!(
        (seen.status.as_u16(), seen.code),
        (503, Some(ErrorCode::StoreUnavailable))
    );
    one_event(
        &seen,
        "ERROR",
        &["`crmm`", "there is no integration of that name"],
    );
}

#[tokio::test]
async fn a_missing_secret_is_named_to_observers() {
    let connection = Connection::new("crm").with_secret("tokn", "s3cr3t");
    let seen = call(store(connection), BASE, FakeUpstream::silent()).await;
    assert_eq!(
        (seen.status.as_u16(), seen.code),
        (424, Some(ErrorCode::Reauthorize))
    );
    assert!(seen.root.contains("`token`"), "{}", seen.root);
    assert!(!seen.chain.contains("s3cr3t"), "{}", seen.chain);
    one_event(
        &seen,
        "WARN",
        &["reauthorize", "`token`", "connection=\"c\""],
    );
}

#[tokio::test]
async fn a_missing_variable_is_named_in_the_log() {
    let base_url = "https://{region}.crm.test";
    let upstream = Upstream::template(base_url).unwrap().auth(auth::Bearer);
    let connection = Connection::new("crm").with_secret("token", "s3cr3t");
    let service =
        PassthroughService::builder(store(connection), Integrations::new().with("crm", upstream))
            .authorize_fn(|_, _| true)
            .caller_credentials([])
            .transport(FakeUpstream::silent())
            .build();
    let log = Log::default();
    let guard = log.begin();
    let request = Request::get("/c/x").body(String::new()).unwrap();
    let Ok(response) = service.oneshot(request).await;
    assert_eq!(response.status(), 424);
    drop((guard, response));
    let events = log.lines();
    assert!(
        matches!(&events[..], [event] if event.contains("region") && !event.contains("s3cr3t")),
        "{events:?}"
    );
}

/// The connection has a value, and only the host application's operator can set the pattern.
#[tokio::test]
async fn d9_a_variable_that_lacks_its_pattern_is_an_error_of_the_operator() {
    let upstream = Upstream::template("https://crm.{region}").unwrap();
    let connection = Connection::new("crm").with_secret("token", "s3cr3t");
    let connection = connection.with_variable("region", "evil");
    let integrations = Integrations::new().with("crm", upstream.auth(auth::Bearer));
    let service = PassthroughService::builder(store(connection), integrations)
        .authorize_fn(|_, _| true)
        .caller_credentials([])
        .transport(FakeUpstream::silent())
        .build();
    let log = Log::default();
    let guard = log.begin();
    let request = Request::get("/c/x").body(String::new()).unwrap();
    let Ok(response) = service.oneshot(request).await;
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["passthrough-error"], "store-unavailable");
    assert!(!response.headers().contains_key("retry-after"));
    drop((guard, response));
    let events = log.lines();
    assert!(
        matches!(&events[..], [event] if event.contains("`region` needs a pattern") && !event.contains("s3cr3t")),
        "{events:?}"
    );
}

/// `.auth(..)` was forgotten. The warning is logged once, as it concerns each call.
#[tokio::test]
async fn an_upstream_without_a_scheme_is_a_warning_if_its_connections_have_secrets() {
    let call = async |upstream: Upstream, connection: Connection| {
        let service = PassthroughService::builder(
            store(connection),
            Integrations::new().with("crm", upstream),
        )
        .authorize_fn(|_, _| true)
        .caller_credentials([])
        .transport(FakeUpstream::new(|_| http::Response::new("")))
        .build();
        let log = Log::default();
        let guard = log.begin();
        for _ in 0..2 {
            let request = Request::get("/c/x").body(String::new()).unwrap();
            let Ok(response) = service.clone().oneshot(request).await;
            assert_eq!(response.status(), 200);
        }
        drop(guard);
        log.lines()
    };
    let with_secret = || Connection::new("crm").with_secret("token", "s3cr3t");
    let forgotten = call(Upstream::new(BASE).unwrap(), with_secret()).await;
    let [event] = &forgotten[..] else {
        panic!("one event was expected: {forgotten:?}");
    };
    assert!(
        event.contains("no credential") && event.contains("crm"),
        "{event}"
    );
    assert!(!event.contains("s3cr3t"), "{event}");
    let intended = Upstream::new(BASE).unwrap().auth(auth::NoAuth);
    assert!(call(intended, with_secret()).await.is_empty());
    let without = call(Upstream::new(BASE).unwrap(), Connection::new("crm")).await;
    assert!(without.is_empty(), "{without:?}");
}

/// The grant is dead until its owner authorizes again, and each call would fill the log.
#[tokio::test]
async fn a_revoked_grant_leaves_no_event() {
    struct Revoked;

    impl CredentialStore for Revoked {
        async fn connection(
            &self,
            _: &ConnectionKey,
            _: CallContext<'_>,
        ) -> Result<Connection, StoreError> {
            Err(StoreError::Reauthorize)
        }
    }

    let seen = call(Revoked, BASE, FakeUpstream::silent()).await;
    assert_eq!(seen.status, 424);
    assert!(seen.events.is_empty(), "{seen:?}");
}

#[tokio::test]
async fn d7_a_base_url_without_tls_is_502_and_the_log_names_the_setting() {
    for base_url in [
        "http://127.0.0.1:9001",
        "http://localhost:9001",
        "http://api.crm.test",
    ] {
        let seen = call(with_token(), base_url, HttpTransport::default()).await;
        let expected = (502, Some(ErrorCode::DestinationRefused));
        assert_eq!((seen.status.as_u16(), seen.code), expected, "{base_url}");
        one_event(
            &seen,
            "ERROR",
            &[
                "destination-refused",
                "without TLS",
                "dangerous().loopback()",
            ],
        );
    }
}

#[tokio::test]
async fn n4_a_refused_literal_address_in_the_base_url_is_502() {
    for base_url in ["https://127.0.0.1:9001", "https://10.0.0.1"] {
        let seen = call(with_token(), base_url, HttpTransport::default()).await;
        let expected = (502, Some(ErrorCode::DestinationRefused));
        assert_eq!((seen.status.as_u16(), seen.code), expected, "{base_url}");
        one_event(
            &seen,
            "ERROR",
            &["destination-refused", "NetworkPolicy::allow"],
        );
    }
}

#[tokio::test]
async fn n4_the_log_names_the_block_of_a_refused_address_and_the_caller_learns_no_address() {
    for (address, block) in [
        ("198.18.0.77", "the block 198.18.0.0/15"),
        ("192.168.3.77", "the block 192.168.0.0/16"),
        ("fd00::77", "the block fc00::/7"),
        (
            "64:ff9b::a00:77",
            "the block 64:ff9b::/96 and the block 10.0.0.0/8",
        ),
    ] {
        let transport = HttpTransport::builder().resolve("api.crm.test", address.parse().unwrap());
        let seen = call(with_token(), BASE, transport.build().unwrap()).await;
        assert_eq!(seen.status.as_u16(), 403);
        one_event(&seen, "WARN", &[address, block, "[network] allow"]);
        assert!(!seen.body.contains("77"), "{}", seen.body);
    }
}

/// Other people may control the addresses of a name, so the status stays 403.
#[tokio::test]
async fn n4_a_name_that_resolves_to_a_private_address_is_403() {
    let transport = HttpTransport::builder().resolve("api.crm.test", IpAddr::from([10, 0, 0, 1]));
    let seen = call(with_token(), BASE, transport.build().unwrap()).await;
    assert_eq!(
        (seen.status.as_u16(), seen.code),
        (403, Some(ErrorCode::DestinationRefused))
    );
    one_event(
        &seen,
        "WARN",
        &["destination-refused", "NetworkPolicy::allow"],
    );
}

#[tokio::test]
async fn errors_of_callers_leave_no_event() {
    let nobody = MemoryStore::from_iter([("other", Connection::new("crm"))]);
    let seen = call(nobody, BASE, FakeUpstream::silent()).await;
    assert_eq!(
        (seen.status.as_u16(), seen.code),
        (404, Some(ErrorCode::UnknownConnection))
    );
    assert!(seen.events.is_empty(), "{seen:?}");
}

type Reports = Arc<Mutex<Vec<(&'static str, Option<Outcome>)>>>;

struct Named(&'static str, Reports);

impl Observe for Named {
    fn started(&self, _: &CallStart<'_>) {
        self.1.lock().unwrap().push((self.0, None));
    }

    fn finished(&self, call: &CallReport<'_>) {
        let report = (self.0, Some(call.outcome()));
        self.1.lock().unwrap().push(report);
    }
}

#[tokio::test]
async fn each_observer_sees_each_call() {
    let reports = Reports::default();
    let named = |name| Named(name, Arc::clone(&reports));
    let integrations = Integrations::new().with("crm", Upstream::new(BASE).unwrap());
    let service = PassthroughService::builder(store(Connection::new("crm")), integrations)
        .authorize_fn(|_, _| true)
        .caller_credentials([])
        .transport(FakeUpstream::new(|_| http::Response::new("ok")))
        .observe(named("audit"))
        .observe(named("metrics"))
        .observe(named("log"))
        .build();
    for (path, outcome) in [("/c/x", Outcome::Complete), ("/nobody/x", Outcome::Refused)] {
        let request = Request::get(path).body(String::new()).unwrap();
        let Ok(response) = service.clone().oneshot(request).await;
        let body = http_body_util::BodyExt::collect(response.into_body()).await;
        assert!(body.is_ok());
        let seen = std::mem::take(&mut *reports.lock().unwrap());
        let names = ["audit", "metrics", "log"];
        let expected: Vec<_> = names
            .map(|name| (name, None))
            .into_iter()
            .chain(names.map(|name| (name, Some(outcome))))
            .collect();
        assert_eq!(seen, expected, "{path}");
    }
}
