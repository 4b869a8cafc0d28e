//! The gateway's errors: their form and their codes.

mod ends;
mod failures;
mod form;
mod grpc;
mod limited;
mod meanings;
mod uploads;

use serde_json::Value;

use testkit::caller::RawResponse;

/// Returns the problem of an error of the gateway, after a check of its form.
fn problem(response: &RawResponse) -> Value {
    let head = &response.head;
    let code = response.error().expect("an error of the gateway's own");
    assert_eq!(
        head.value("content-type"),
        Some("application/problem+json"),
        "{code}"
    );
    assert_eq!(head.value("cache-control"), Some("no-store"), "{code}");
    assert!(
        head.value("proxy-status")
            .unwrap()
            .starts_with("passthrough; error="),
        "{code}"
    );
    let problem: Value = serde_json::from_slice(&response.body.data).expect("JSON");
    assert_eq!(problem["code"], code);
    assert_eq!(problem["status"], response.status());
    for member in ["type", "title", "detail"] {
        assert!(
            problem[member]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{code}: {member}"
        );
    }
    assert!(problem["sent"].is_boolean(), "{code}");
    problem
}
