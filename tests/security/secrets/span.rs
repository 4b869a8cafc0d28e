//! The `tracing` span of a call: the fields that it has, and the data that it doesn't contain.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, LazyLock, Mutex};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tower_passthrough::Connection;
use tower_passthrough::observe::{CallReport, TraceContext};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Dispatch, Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

use testkit::caller::{post, raw_call, request};
use testkit::gateway::{Gateway, Setup};
use testkit::reply::Reply;
use testkit::vendor::Vendor;
use testkit::wait::within;

const TARGET: &str = "tower_passthrough";

/// All fields that a span may have, as the guide lists them.
const FIELDS: [&str; 16] = [
    "error.type",
    "http.request.body.size",
    "http.request.method",
    "http.request.resend_count",
    "http.response.body.size",
    "http.response.status_code",
    "network.protocol.version",
    "otel.kind",
    "otel.name",
    "otel.status_code",
    "passthrough.integration",
    "passthrough.outcome",
    "server.address",
    "server.port",
    "trace_id",
    "url.scheme",
];

/// The text of the library's spans and events, for the level TRACE and above.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Said>>);

#[derive(Default)]
struct Said {
    /// The fields of the span of each call.
    calls: BTreeMap<u64, BTreeMap<&'static str, String>>,
    /// The name of the span around each call's span.
    parents: Vec<Option<&'static str>>,
    events: usize,
    closed: usize,
}

struct Fields<'a>(&'a mut BTreeMap<&'static str, String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if attributes.metadata().target() == TARGET {
            let mut said = self.0.lock().unwrap();
            attributes.record(&mut Fields(said.calls.entry(id.into_u64()).or_default()));
            let parent = context.span(id).and_then(|span| span.parent());
            said.parents.push(parent.map(|parent| parent.name()));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut said = self.0.lock().unwrap();
        if let Some(fields) = said.calls.get_mut(&id.into_u64()) {
            values.record(&mut Fields(fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target().starts_with(TARGET) {
            self.0.lock().unwrap().events += 1;
        }
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        let mut said = self.0.lock().unwrap();
        said.closed += usize::from(said.calls.contains_key(&id.into_u64()));
    }
}

/// Records the spans and events of this thread.
///
/// Other tests run without a subscriber. If there is only one subscriber, tracing asks the first thread that meets a
/// span whether the span is needed, and caches the answer. With two more subscribers, tracing asks all of them.
fn tell(spans: &Spans) -> DefaultGuard {
    static OTHERS: LazyLock<[Dispatch; 2]> =
        LazyLock::new(|| [(); 2].map(|()| Dispatch::new(tracing_subscriber::registry())));
    LazyLock::force(&OTHERS);
    tracing::subscriber::set_default(tracing_subscriber::registry().with(spans.clone()))
}

/// A gateway, and the spans of its calls, all on one thread.
struct Traced {
    gateway: Gateway,
    spans: Spans,
    told: UnboundedReceiver<()>,
    _subscriber: DefaultGuard,
}

impl Traced {
    async fn start(setup: Setup) -> Self {
        let spans = Spans::default();
        let subscriber = tell(&spans);
        let (sender, told) = unbounded_channel();
        let gateway = setup
            .also(
                "c0nnection",
                Connection::new("vendor").with_secret("token", "s3cr3t"),
            )
            .options(move |options| {
                options
                    .trace_context(TraceContext::Start)
                    .observe_fn(move |_: &CallReport<'_>| {
                        let _ = sender.send(());
                    })
            })
            .start()
            .await;
        Self {
            gateway,
            spans,
            told,
            _subscriber: subscriber,
        }
    }

    /// Returns the fields of the span of that call at its end.
    async fn of(&mut self, request: &str) -> BTreeMap<&'static str, String> {
        raw_call(self.gateway.address, request).await;
        within("a report", self.told.recv()).await.unwrap();
        let mut said = self.spans.0.lock().unwrap();
        let (_, fields) = said.calls.pop_last().unwrap();
        said.calls.clear();
        for name in fields.keys() {
            assert!(FIELDS.contains(name), "{name}");
        }
        fields
    }
}

fn own(fields: &BTreeMap<&'static str, String>, names: &[&str]) -> Vec<Option<String>> {
    let value = |name: &&str| fields.get(*name).cloned();
    names.iter().map(value).collect()
}

#[tokio::test]
async fn l2_a_span_has_only_known_fields_and_no_part_of_the_call() {
    let vendor = Vendor::replying(|_| {
        Reply::bytes("HTTP/1.1 200 r3ason\r\nX-Answer: f1eld\r\nContent-Length: 6\r\n\r\nansw3r")
    })
    .await;
    let port = vendor.address().port().to_string();
    let mut traced = Traced::start(Setup::new(&vendor)).await;
    let lines = ["Cookie: c00kie", "X-Field: f1eld", "Content-Length: 4"];
    let sent = request("POST", "/p/c0nnection/p4th?q=q4ery", &lines, "b0dy");
    let mut fields = traced.of(&sent).await;
    let text = format!("{fields:?}");
    for unsaid in [
        "s3cr3t",
        "c0nnection",
        "p4th",
        "q4ery",
        "c00kie",
        "f1eld",
        "b0dy",
        "answ3r",
        "r3ason",
    ] {
        assert!(!text.contains(unsaid), "{unsaid} in {text}");
    }
    let trace = fields.remove("trace_id").unwrap();
    let received = vendor.next().await;
    assert!(received.head.value("traceparent").unwrap().contains(&trace));
    let expected = [
        ("http.request.body.size", "4"),
        ("http.request.method", "POST"),
        ("http.response.body.size", "6"),
        ("http.response.status_code", "200"),
        ("network.protocol.version", "1.1"),
        ("otel.kind", "client"),
        ("otel.name", "POST"),
        ("passthrough.integration", "vendor"),
        ("passthrough.outcome", "complete"),
        ("server.address", "vendor.test"),
        ("server.port", &*port),
        ("url.scheme", "http"),
    ];
    let expected = expected.map(|(name, value)| (name, value.to_owned()));
    assert_eq!(fields, BTreeMap::from(expected));
    assert_eq!(traced.spans.0.lock().unwrap().events, 0);
}

#[tokio::test]
async fn l2_a_span_shows_only_the_code_of_an_error() {
    let vendor = Vendor::replying(|received| match received.target() {
        "/broken" => Reply::bytes("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123").close(),
        "/garbage" => Reply::bytes("g4rbage\r\n\r\n").close(),
        _ => Reply::bytes("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"),
    })
    .await;
    let mut traced = Traced::start(Setup::new(&vendor)).await;
    let names = [
        "error.type",
        "http.response.status_code",
        "passthrough.outcome",
        "otel.status_code",
    ];
    for (target, error, status, outcome) in [
        ("/p/c/x", "404", "404", "complete"),
        ("/p/c/broken", "aborted", "200", "aborted"),
        ("/p/c/garbage", "upstream-protocol", "502", "refused"),
        ("/p/nobody/x", "unknown-connection", "404", "refused"),
        (
            "/p/c/x?__domain=evil.test",
            "domain-refused",
            "403",
            "refused",
        ),
    ] {
        let fields = traced.of(&post(target, "")).await;
        let expected = [error, status, outcome, "ERROR"].map(|text| Some(text.to_owned()));
        assert_eq!(own(&fields, &names), expected, "{target}");
        let text = format!("{fields:?}");
        assert!(
            !text.contains("nobody") && !text.contains("g4rbage"),
            "{text}"
        );
    }
}

/// A caller that invents methods doesn't make an unlimited number of span names.
#[tokio::test]
async fn l5_a_span_has_one_name_for_all_unusual_methods() {
    let vendor = Vendor::ok().await;
    let mut traced = Traced::start(Setup::new(&vendor)).await;
    let fields = traced.of(&request("BR3W", "/p/c/x", &[], "")).await;
    assert!(!format!("{fields:?}").contains("BR3W"), "{fields:?}");
    let expected = ["HTTP", "_OTHER"].map(|text| Some(text.to_owned()));
    assert_eq!(
        own(&fields, &["otel.name", "http.request.method"]),
        expected
    );
}

/// A caller that invents hosts doesn't fill traces with them.
#[tokio::test]
async fn l5_a_span_has_no_host_that_the_integration_refuses() {
    let vendor = Vendor::ok().await;
    let mut traced = Traced::start(Setup::new(&vendor)).await;
    let fields = traced.of(&post("/p/c/x?__domain=evil.test", "")).await;
    assert!(!format!("{fields:?}").contains("evil"), "{fields:?}");
    assert_eq!(own(&fields, &["server.address"]), [None]);
    let fields = traced.of(&post("/p/c/x", "")).await;
    assert!(own(&fields, &["server.address"])[0].is_some(), "{fields:?}");
}

/// The span is inside of the span of the host application's layers, is entered while the call is polled, and ends with
/// the call.
#[tokio::test]
async fn a_span_is_a_child_of_the_host_applications_span() {
    use http::Request;
    use tower::ServiceExt as _;
    use tower_passthrough::{Integrations, MemoryStore, PassthroughService, Upstream};
    use tracing::Instrument as _;

    let spans = Spans::default();
    let _subscriber = tell(&spans);
    let integrations = Integrations::new().with("x", Upstream::new("https://vendor.test").unwrap());
    let service = PassthroughService::builder(MemoryStore::new(), integrations)
        .authorize_fn(|_, _| {
            let current = tracing::Span::current();
            assert_eq!(current.metadata().map(|of| of.target()), Some(TARGET));
            false
        })
        .caller_credentials([])
        .build();
    let request = Request::get("/c/x").body(String::new()).unwrap();
    let call = async { service.oneshot(request).await };
    let response = call.instrument(tracing::info_span!("host")).await.unwrap();
    assert_eq!(response.status(), 404);
    let said = || {
        let said = spans.0.lock().unwrap();
        (said.parents.clone(), said.closed)
    };
    assert_eq!(said(), (vec![Some("host")], 0));
    drop(response);
    assert_eq!(said(), (vec![Some("host")], 1));
}
