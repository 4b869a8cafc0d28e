//! The content of errors, reports and logs.

use std::sync::{Mutex, mpsc};

use tower_passthrough::observe::CallReport;
use tower_passthrough::store::ConnectionKey;
use tower_passthrough::{
    CallContext, Connection, CredentialStore, Error, Integrations, PassthroughService, Secret,
    StoreError, Upstream, auth,
};

use testkit::caller::{get, post, raw_call, request};
use testkit::gateway::{Gateway, Setup, bind};
use testkit::names::Names;
use testkit::pair::Pair;
use testkit::reply::Reply;
use testkit::vendor::Vendor;
use testkit::wait::PATIENCE;

/// The texts in which the outcome of a call is shown: the bytes of the answer, the report, and the cause as an error
/// type prints it.
struct Shown {
    gateway: Gateway,
    reports: mpsc::Receiver<String>,
}

impl Shown {
    async fn start(setup: Setup) -> Self {
        let (sender, reports) = mpsc::channel();
        let sender = Mutex::new(sender);
        let gateway = setup
            .options(move |options| {
                options
                    .request_body_limit(1000)
                    .observe_fn(move |call: &CallReport<'_>| {
                        let cause = call.cause().map(Error::to_string);
                        let shown = format!(
                            "{call:?} {:?} {cause:?} {:?}",
                            call.cause(),
                            call.connection_key()
                        );
                        let _ = sender.lock().unwrap().send(shown);
                    })
            })
            .start()
            .await;
        Self { gateway, reports }
    }

    async fn of(&self, request: &str) -> String {
        let response = raw_call(self.gateway.address, request).await;
        let report = self.reports.recv_timeout(PATIENCE).unwrap();
        format!(
            "{} {} {report}",
            String::from_utf8_lossy(&response.head.raw),
            response.text()
        )
    }
}

#[tokio::test]
async fn l2_errors_and_reports_contain_no_part_of_the_call() {
    let closing = Vendor::answering(Reply::bytes("vend0rb0dy").close()).await;
    let setups = [
        Setup::new("http://127.0.0.1:1"),
        Setup::new("http://unresolved.test")
            .transport(|transport| transport.resolver(Names::new())),
        Setup::new("http://10.9.8.7"),
        Setup::new(&closing),
        Setup::new(&closing)
            .connection(Connection::new("vendor").with_secret("token", "s3cr3t\nx")),
        Setup::new(&closing).connection(Connection::new("vendor")),
        Setup::new(&closing).connection(Connection::new("nowhere").with_secret("token", "s3cr3t")),
    ];
    for setup in setups {
        let shown = Shown::start(setup).await;
        let body = "b0dyb0dy";
        let length = format!("Content-Length: {}", body.len());
        let lines = [
            "X-Own: f13ldvalue",
            "Authorization: Bearer h0stkey",
            "Cookie: c00kie=1",
            &length,
        ];
        for target in [
            "/p/c/p4th/x?q=qu3ry",
            "/p/c/p4th/../../..?q=qu3ry",
            "/p/c/p4th?__domain=other.test&q=qu3ry",
            "/p/c/p4th?__domain=us3r@x&q=qu3ry",
            "/p/c/p4th%5C?q=qu3ry",
        ] {
            let text = shown.of(&request("POST", target, &lines, body)).await;
            for word in [
                "p4th",
                "qu3ry",
                "b0dyb0dy",
                "f13ldvalue",
                "h0stkey",
                "c00kie",
                "s3cr3t",
                "us3r",
                "vend0rb0dy",
            ] {
                assert!(!text.contains(word), "`{word}` in {text}");
            }
        }
        let large = shown.of(&post("/p/c/x", &"l4rge".repeat(500))).await;
        assert!(!large.contains("l4rge"), "{large}");
    }
}

/// A store that fails with an error that contains confidential data.
struct Failing;

impl CredentialStore for Failing {
    async fn connection(
        &self,
        id: &ConnectionKey,
        _: CallContext<'_>,
    ) -> Result<Connection, StoreError> {
        Err(StoreError::unavailable(format!(
            "postgres://user:p4ssw0rd@10.1.2.3/db: no row {}",
            id.as_str()
        )))
    }
}

#[tokio::test]
async fn l2_an_inner_error_is_not_shown_to_the_caller() {
    let listener = bind().await;
    let service = PassthroughService::builder(Failing, Integrations::new())
        .dangerous()
        .allow_all()
        .build();
    let gateway = Gateway::serve(listener, service);
    for lines in [&[][..], &["Content-Type: application/grpc"]] {
        let response = raw_call(gateway.address, request("GET", "/id-1/x", lines, "")).await;
        assert_eq!(response.error(), Some("store-unavailable"));
        let text = format!(
            "{} {}",
            String::from_utf8_lossy(&response.head.raw),
            response.text()
        );
        for word in ["p4ssw0rd", "postgres", "10.1.2.3", "id-1"] {
            assert!(!text.contains(word), "{text}");
        }
    }
    let error = Error::from(StoreError::unavailable("p4ssw0rd"));
    let texts = format!("{error} {error:?} {error:#?}");
    assert!(!texts.contains("p4ssw0rd"), "{texts}");
    let connection = Upstream::template("https://{v}.vendor.test").unwrap();
    let bad = Connection::new("x").with_variable("v", "v4lue!");
    let error = connection.expand(bad.variables()).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("v4lue"));
}

#[tokio::test]
async fn l3_ids_cannot_forge_a_line_of_a_log() {
    let (sender, ids) = mpsc::channel();
    let sender = Mutex::new(sender);
    let pair = Pair::with(move |setup| {
        setup.options(move |options| {
            options.observe_fn(move |call: &CallReport<'_>| {
                let shown = call
                    .connection_key()
                    .map(|id| format!("{id}|{id:?}|{call:?}"));
                sender.lock().unwrap().send(shown).unwrap();
            })
        })
    })
    .await;
    for id in [
        "%0a",
        "a%0d%0aINFO:%20forged",
        "%1b%5B31m",
        "%00",
        "%7f",
        "%08",
    ] {
        let response = pair
            .refused(get(&format!("/p/{id}/x")), 400, "bad-address")
            .await;
        assert!(!response.text().contains("forged"));
        assert_eq!(ids.recv_timeout(PATIENCE).unwrap(), None, "{id}");
    }
    // Control characters outside of ASCII, line and paragraph separators, and marks that change the direction of text.
    for id in [
        "%C2%9B31m",
        "%C2%85x",
        "%E2%80%A8forged",
        "%E2%80%A9x",
        "%E2%80%AEx",
        "%E2%81%A6x",
        "%EF%BB%BFx",
    ] {
        pair.refused(get(&format!("/p/{id}/x")), 404, "unknown-connection")
            .await;
        let shown = ids.recv_timeout(PATIENCE).unwrap().unwrap();
        for char in shown.chars() {
            // The report contains microseconds.
            let is_harmless = char.is_ascii_graphic() || matches!(char, ' ' | '\u{b5}');
            assert!(is_harmless, "{char:?} in {shown:?}");
        }
    }
}

#[tokio::test]
async fn l3_methods_cannot_forge_a_line_of_a_log() {
    // hyper accepts only tokens, so a method with other characters never becomes a call.
    let (sender, methods) = mpsc::channel();
    let sender = Mutex::new(sender);
    let pair = Pair::with(move |setup| {
        setup.options(move |options| {
            options.observe_fn(move |call: &CallReport<'_>| {
                sender
                    .lock()
                    .unwrap()
                    .send(call.method().to_string())
                    .unwrap()
            })
        })
    })
    .await;
    let response = raw_call(
        pair.gateway.address,
        "GE\x1bT /p/c/x HTTP/1.1\r\nHost: a\r\n\r\n",
    )
    .await;
    assert_eq!(response.status(), 400);
    pair.seen(request("X!#$%&'*+-.^_`|~", "/p/c/x", &[], ""))
        .await;
    assert_eq!(methods.recv_timeout(PATIENCE).unwrap(), "X!#$%&'*+-.^_`|~");
}

#[test]
fn l4_errors_of_the_configuration_contain_no_value() {
    let value = "v4lue\n{";
    let base = Upstream::new(&format!("https://user:{value}@vendor.test")).unwrap_err();
    let template = Upstream::template("https://{v}.vendor.test")
        .unwrap()
        .variable_default("v", "v4lue!")
        .map(|upstream| upstream.variable("v", "[a-z]+"));
    let template = template.unwrap().unwrap_err();
    let scheme = auth::Header::new("x-key", "v4lue {").unwrap_err();
    let secret = Secret::from("v4lue\n").to_header_value("").unwrap_err();
    for text in [
        format!("{base} {base:?}"),
        format!("{template} {template:?}"),
        format!("{scheme} {scheme:?}"),
        format!("{secret} {secret:?}"),
    ] {
        assert!(!text.contains("v4lue"), "{text}");
    }
}
