//! Tests of an application without a network: a fake upstream, and a function that applies a scheme.
//!
//! [`FakeUpstream`] is a [`Transport`]: pass it to the builder, call the service, and check the requests that the upstream would have
//! received. The service has no type parameters, so the type of the application under test doesn't change.
//!
//! ```
//! use http::{Request, Response};
//! use http_body_util::BodyExt;
//! use tower::ServiceExt;
//! use tower_passthrough::auth::Bearer;
//! use tower_passthrough::test_util::FakeUpstream;
//! use tower_passthrough::{BoxError, Connection, Integrations, MemoryStore, PassthroughService, Transport, Upstream};
//!
//! /// The app's own function, which sets the service up.
//! fn passthrough(transport: impl Transport) -> Result<PassthroughService, BoxError> {
//!     let store = MemoryStore::from_iter([("acme", Connection::new("crm").with_secret("token", "s3cr3t"))]);
//!     let integrations = Integrations::new().with("crm", Upstream::new("https://api.crm.test/v2")?.auth(Bearer));
//!     Ok(PassthroughService::builder(store, integrations)
//!         .authorize_fn(|id, _| id.as_str() == "acme")
//!         .caller_credentials([])
//!         .transport(transport)
//!         .build())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! let upstream = FakeUpstream::new(|request| Response::new(format!("{} contacts", request.uri().query().unwrap_or("no"))));
//! let service = passthrough(upstream.clone())?;
//!
//! let request = Request::post("/acme/contacts?limit=2").body("{}".to_owned())?;
//! let response = service.oneshot(request).await?;
//! assert_eq!(response.into_body().collect().await?.to_bytes(), "limit=2 contacts");
//!
//! let received = upstream.received();
//! assert_eq!(received[0].uri(), "https://api.crm.test/v2/contacts?limit=2");
//! assert_eq!(received[0].header("authorization"), Some("Bearer s3cr3t"));
//! assert_eq!(received[0].body(), "{}");
//! # Ok(())
//! # }
//! ```
//!
//! With tokio's paused clock (`#[tokio::test(start_paused = true)]`), tests of timeouts don't have to wait:
//!
//! ```
//! use std::time::Duration;
//! use http::Request;
//! use tower::ServiceExt;
//! use tower_passthrough::test_util::FakeUpstream;
//! use tower_passthrough::{Connection, Integrations, MemoryStore, PassthroughService, Upstream};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), tower_passthrough::BoxError> {
//! let service = PassthroughService::builder(
//!     MemoryStore::from_iter([("acme", Connection::new("crm"))]),
//!     Integrations::new().with("crm", Upstream::new("https://api.crm.test")?),
//! )
//! .authorize_fn(|_, _| true)
//! .caller_credentials([])
//! .response_head_timeout(Duration::from_secs(300))
//! .transport(FakeUpstream::silent())
//! .build();
//!
//! let response = service.oneshot(Request::get("/acme/report").body(String::new())?).await?;
//! assert_eq!(response.status(), 504);
//! assert_eq!(response.headers()["passthrough-error"], "upstream-timeout");
//! # Ok(())
//! # }
//! ```

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, pending, ready};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::uri::Authority;
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body_util::BodyExt as _;
use tokio::time::sleep;

use crate::auth::{AuthContext, AuthError, AuthRequest, AuthScheme, BodyEncoder, PayloadUse};
use crate::body::{RequestBody, UpstreamBody};
use crate::client::{Dispatch, Transport, TransportError, TransportErrorKind};
use crate::connection::ConnectionKey;
use crate::identity::IsolationKey;
use crate::policy::Destination;

type Answering =
    Pin<Box<dyn Future<Output = Result<Response<UpstreamBody>, TransportError>> + Send>>;

/// A transport that returns prepared responses, and records the requests that it received. Clones share the record.
///
/// A request is recorded when its body has been read to the end, and is answered after that. Protocols can't be switched: a WebSocket
/// handshake gets the same response as any other request.
#[derive(Clone)]
pub struct FakeUpstream(Arc<Inner>);

struct Inner {
    answer: Box<dyn Fn(Request<Bytes>) -> Answering + Send + Sync>,
    received: Mutex<Vec<ReceivedRequest>>,
}

impl FakeUpstream {
    /// Returns an upstream that answers each request with the response that `answer` returns.
    ///
    /// The body is a string, bytes or an [`UpstreamBody`], which may stream.
    pub fn new<F, B>(answer: F) -> Self
    where
        F: Fn(Request<Bytes>) -> Response<B> + Send + Sync + 'static,
        B: Into<UpstreamBody>,
    {
        Self::with(move |request| {
            let response = answer(request).map(Into::into);
            Box::pin(ready(Ok(response)))
        })
    }

    /// Returns an upstream that answers each request by the future that `answer` returns, for slow responses and for failures.
    ///
    /// ```
    /// use std::time::Duration;
    /// use http::Response;
    /// use tower_passthrough::client::TransportErrorKind;
    /// use tower_passthrough::test_util::FakeUpstream;
    ///
    /// let upstream = FakeUpstream::from_async_fn(|request| async move {
    ///     tokio::time::sleep(Duration::from_secs(10)).await;
    ///     match request.uri().path() {
    ///         "/down" => Err(TransportErrorKind::ConnectionRefused.into()),
    ///         _ => Ok(Response::new("late".into())),
    ///     }
    /// });
    /// ```
    pub fn from_async_fn<F, Fut>(answer: F) -> Self
    where
        F: Fn(Request<Bytes>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Response<UpstreamBody>, TransportError>> + Send + 'static,
    {
        Self::with(move |request| Box::pin(answer(request)))
    }

    /// Returns an upstream that answers each request with the next of these responses. After the last response, the transport fails.
    pub fn from_responses<B>(responses: impl IntoIterator<Item = Response<B>>) -> Self
    where
        B: Into<UpstreamBody>,
    {
        let responses = responses.into_iter();
        let responses: VecDeque<_> = responses.map(|response| response.map(Into::into)).collect();
        let responses = Mutex::new(responses);
        Self::with(move |_| {
            let next = lock(&responses).pop_front();
            Box::pin(ready(next.ok_or_else(|| {
                TransportError::unsent(
                    "the fake upstream has no response left; prepare one for each request",
                )
            })))
        })
    }

    /// Returns an upstream that fails each request with that kind of error. The request is recorded as well.
    #[must_use]
    pub fn failing(kind: TransportErrorKind) -> Self {
        Self::with(move |_| Box::pin(ready(Err(kind.into()))))
    }

    /// Returns an upstream that never answers, to test timeouts.
    #[must_use]
    pub fn silent() -> Self {
        Self::with(|_| Box::pin(pending()))
    }

    fn with(answer: impl Fn(Request<Bytes>) -> Answering + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner {
            answer: Box::new(answer),
            received: Mutex::default(),
        }))
    }

    /// Returns an upstream that waits for that time before each response, and has its own record. Default: no delay.
    #[must_use]
    pub fn delayed_by(self, time: Duration) -> Self {
        let inner = self.0;
        Self::with(move |request| {
            let answer = (inner.answer)(request);
            Box::pin(async move {
                sleep(time).await;
                answer.await
            })
        })
    }

    /// Returns the requests so far, in the order in which their last bytes arrived.
    #[must_use]
    pub fn received(&self) -> Vec<ReceivedRequest> {
        lock(&self.0.received).clone()
    }

    /// Returns the requests so far, and empties the record.
    #[must_use]
    pub fn take_received(&self) -> Vec<ReceivedRequest> {
        std::mem::take(&mut *lock(&self.0.received))
    }
}

impl Transport for FakeUpstream {
    async fn send(
        &self,
        request: Request<RequestBody>,
        to: &Dispatch,
    ) -> Result<Response<UpstreamBody>, TransportError> {
        let (head, body) = request.into_parts();
        // The service knows by the body's progress that it is the caller's fault.
        let body = body.collect().await;
        let body = body
            .map_err(|error| TransportError::new(TransportErrorKind::ResponseIncomplete, error))?;
        let trailers = body.trailers().cloned();
        let request = Request::from_parts(head, body.to_bytes());
        lock(&self.0.received).push(ReceivedRequest {
            request: request.clone(),
            trailers: trailers.unwrap_or_default(),
            destination: to.destination().clone(),
            connection_key: to.connection_key().cloned(),
            isolation_key: to.isolation_key(),
            has_client_certificate: to.has_client_identity(),
        });
        (self.0.answer)(request).await
    }

    /// Returns `true`, so that calls with client certificates can be tested as well.
    fn presents_client_certificates(&self) -> bool {
        true
    }
}

impl fmt::Debug for FakeUpstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeUpstream")
            .field("received", &self.received())
            .finish_non_exhaustive()
    }
}

/// A request that a [`FakeUpstream`] received, with its credential.
#[derive(Clone)]
pub struct ReceivedRequest {
    request: Request<Bytes>,
    trailers: HeaderMap,
    destination: Destination,
    connection_key: Option<ConnectionKey>,
    isolation_key: Option<IsolationKey>,
    has_client_certificate: bool,
}

impl ReceivedRequest {
    /// Returns the request with its whole body.
    #[must_use]
    pub fn request(&self) -> &Request<Bytes> {
        &self.request
    }

    /// Returns the method.
    #[must_use]
    pub fn method(&self) -> &Method {
        self.request.method()
    }

    /// Returns the absolute URI.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        self.request.uri()
    }

    /// Returns the header fields, without `Host`.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.request.headers()
    }

    /// Returns the first value of that header field, if the value is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().get(name)?.to_str().ok()
    }

    /// Returns the whole body.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        self.request.body()
    }

    /// Returns the whole body as text, with U+FFFD in place of bytes that aren't UTF-8.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.body())
    }

    /// Returns the trailers, which are empty if there were none.
    #[must_use]
    pub fn trailers(&self) -> &HeaderMap {
        &self.trailers
    }

    /// Returns the destination of the request, which has been checked. The URI doesn't affect it.
    #[must_use]
    pub fn destination(&self) -> &Destination {
        &self.destination
    }

    /// Returns host and port of the destination.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        self.destination.authority()
    }

    /// Returns the key of the connection for which the request was sent.
    #[must_use]
    pub fn connection_key(&self) -> Option<&ConnectionKey> {
        self.connection_key.as_ref()
    }

    /// Returns the key for which network connections would have been reserved.
    #[must_use]
    pub fn isolation_key(&self) -> Option<IsolationKey> {
        self.isolation_key
    }

    /// Returns `true` if a client certificate would have been presented.
    #[must_use]
    pub fn has_client_certificate(&self) -> bool {
        self.has_client_certificate
    }
}

impl fmt::Debug for ReceivedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedRequest")
            .field("method", self.method())
            .field("uri", self.uri())
            .field("headers", self.headers())
            .field("length", &self.body().len())
            .field("connection_key", &self.connection_key)
            .finish_non_exhaustive()
    }
}

/// Adds a credential to a request, like a call does.
///
/// The function removes the fields that the scheme names in its [requirements](AuthScheme::requirements), checks that the connection has
/// the secrets and variables, passes the payload to the scheme if the scheme needs it, and encodes the body if the scheme returns an
/// encoder. It sets the payload and its length itself. The URI must be absolute.
///
/// ```
/// use std::time::SystemTime;
/// use bytes::Bytes;
/// use http::Request;
/// use tower_passthrough::auth::{AuthContext, AuthError, Basic};
/// use tower_passthrough::test_util::authenticate;
/// use tower_passthrough::{Connection, Upstream};
///
/// let destination = Upstream::new("https://api.crm.test")?.destination();
/// let request = || Request::get("https://api.crm.test/users").header("authorization", "forged").body(Bytes::new());
///
/// let ann = Connection::new("crm").with_secret("username", "ann").with_secret("password", "s3cr3t");
/// let cx = AuthContext::new(&ann, &destination, SystemTime::UNIX_EPOCH);
/// let signed = authenticate(&Basic, &cx, request()?)?;
/// assert_eq!(signed.headers()["authorization"], "Basic YW5uOnMzY3IzdA==");
///
/// let nobody = Connection::new("crm");
/// let cx = AuthContext::new(&nobody, &destination, SystemTime::UNIX_EPOCH);
/// let error = authenticate(&Basic, &cx, request()?).unwrap_err();
/// assert_eq!(error, AuthError::MissingSecret("username".into()));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// The errors of the scheme; [`AuthError::CannotSign`] if the payload is larger than the scheme's limit, or can't be encoded.
pub fn authenticate(
    scheme: &dyn AuthScheme,
    cx: &AuthContext<'_>,
    request: Request<Bytes>,
) -> Result<Request<Bytes>, AuthError> {
    let (mut head, body) = request.into_parts();
    let requirements = scheme.requirements();
    requirements.check(cx)?;
    let cx = cx.with_payload_length(Some(body.len() as u64));
    let cx = match scheme.payload(&head, &cx)? {
        PayloadUse::Ignored => cx,
        PayloadUse::Bytes { limit } if limit < body.len() => {
            return Err(AuthError::CannotSign("the payload is too large"));
        }
        PayloadUse::Bytes { .. } => cx.with_payload(&body),
    };
    let mut request = AuthRequest::new(&mut head);
    for name in requirements.fields() {
        request.remove_header(name);
    }
    let mut applied = scheme.apply(&mut request, &cx)?;
    let body = match applied.take_encoder() {
        Some(encoder) => encode(encoder, body)?,
        None => body,
    };
    Ok(Request::from_parts(head, body))
}

fn encode(mut encoder: Box<dyn BodyEncoder>, mut plain: Bytes) -> Result<Bytes, AuthError> {
    let failed = |_| AuthError::CannotSign("the payload can't be encoded");
    let mut encoded = BytesMut::new();
    while let Some(piece) = encoder.encode(&mut plain).map_err(failed)? {
        encoded.extend_from_slice(&piece);
    }
    encoded.extend_from_slice(&encoder.finish().map_err(failed)?);
    Ok(encoded.freeze())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
