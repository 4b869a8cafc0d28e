//! The gateway's errors: their form and their codes.

mod ends;
mod failures;
mod form;
mod grpc;
mod limited;
mod meanings;
mod reauthorize;
mod uploads;

use serde_json::{Value, json};

use testkit::caller::RawResponse;

/// Returns the problem of an error of the gateway, after a check of its form.
fn problem(response: &RawResponse) -> Value {
    let head = &response.head;
    let code = response.error().expect("an error of the gateway's own");
    let content_type = head.value("content-type");
    assert_eq!(content_type, Some("application/json"), "{code}");
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
    for_sdks(&problem);
    problem
}

/// Checks the members in which SDKs look for the text and for the code.
fn for_sdks(problem: &Value) {
    let (code, detail) = (&problem["code"], &problem["detail"]);
    assert_eq!(&problem["message"], detail);
    let error = json!({ "message": detail, "type": code, "code": code });
    assert_eq!(problem["error"], error);
    let errors = json!([{ "message": detail, "detail": detail }]);
    assert_eq!(problem["errors"], errors);
    assert_eq!(problem["ok"], false);
}
