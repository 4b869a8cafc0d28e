//! The idle timeout of event streams, on a clock that the tests turn.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use http_body_util::channel::Channel;
use tower::ServiceExt as _;
use tower_passthrough::body::UpstreamBody;
use tower_passthrough::test_util::FakeUpstream;
use tower_passthrough::{Connection, Integrations, MemoryStore, PassthroughService, Upstream};

/// The idle timeouts of a service, and those of its upstream, in seconds.
#[derive(Clone, Copy, Debug, Default)]
struct Timeouts {
    idle: Option<u64>,
    stream_idle: Option<u64>,
    upstream_idle: Option<u64>,
}

/// Returns the bytes that arrive of a response with that content type, which is silent for that time before its second part. `None` if the
/// response breaks off.
async fn received(content_type: &'static str, silence: u64, timeouts: Timeouts) -> Option<Bytes> {
    let upstream = FakeUpstream::new(move |_| {
        let (mut sender, body) = Channel::<Bytes>::new(1);
        tokio::spawn(async move {
            let _ = sender.send_data(Bytes::from("a")).await;
            tokio::time::sleep(Duration::from_secs(silence)).await;
            let _ = sender.send_data(Bytes::from("b")).await;
        });
        let response = Response::builder().header("content-type", content_type);
        response.body(UpstreamBody::new(body)).unwrap()
    });
    let mut integration = Upstream::new("https://api.crm.test").unwrap();
    if let Some(idle) = timeouts.upstream_idle {
        integration = integration.idle_timeout(Duration::from_secs(idle));
    }
    let store = MemoryStore::from_iter([("c", Connection::new("crm"))]);
    let integrations = Integrations::new().with("crm", integration);
    let mut builder = PassthroughService::builder(store, integrations)
        .dangerous()
        .allow_all()
        .transport(upstream);
    if let Some(idle) = timeouts.idle {
        builder = builder.idle_timeout(Duration::from_secs(idle));
    }
    if let Some(idle) = timeouts.stream_idle {
        builder = builder.stream_idle_timeout(Duration::from_secs(idle));
    }
    let request = Request::get("/c/x").body(String::new()).unwrap();
    let Ok(response) = builder.build().oneshot(request).await;
    let collected = response.into_body().collect().await;
    collected.ok().map(|collected| collected.to_bytes())
}

/// A model thinks, or no event happens.
#[tokio::test(start_paused = true)]
async fn b16_an_event_stream_may_be_silent_for_minutes() {
    for content_type in [
        "text/event-stream",
        "text/event-stream; charset=utf-8",
        "Text/Event-Stream",
    ] {
        let whole = received(content_type, 9 * 60, Timeouts::default()).await;
        assert_eq!(whole.as_deref(), Some(&b"ab"[..]), "{content_type}");
        let broken = received(content_type, 11 * 60, Timeouts::default()).await;
        assert_eq!(broken, None, "{content_type}");
    }
    for content_type in ["application/json", "text/event-streams", "text/plain"] {
        let broken = received(content_type, 70, Timeouts::default()).await;
        assert_eq!(broken, None, "{content_type}");
    }
}

#[tokio::test(start_paused = true)]
async fn b16_the_most_specific_idle_timeout_applies_to_event_streams() {
    let none = Timeouts::default();
    for (timeouts, whole, broken) in [
        (
            Timeouts {
                idle: Some(5),
                ..none
            },
            4,
            6,
        ),
        (
            Timeouts {
                stream_idle: Some(1200),
                ..none
            },
            1100,
            1300,
        ),
        (
            Timeouts {
                idle: Some(5),
                stream_idle: Some(20),
                ..none
            },
            19,
            21,
        ),
        (
            Timeouts {
                stream_idle: Some(20),
                upstream_idle: Some(5),
                ..none
            },
            4,
            6,
        ),
    ] {
        let passed = received("text/event-stream", whole, timeouts).await;
        assert_eq!(passed.as_deref(), Some(&b"ab"[..]), "{timeouts:?}");
        let cut = received("text/event-stream", broken, timeouts).await;
        assert_eq!(cut, None, "{timeouts:?}");
    }
}
