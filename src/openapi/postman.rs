//! The Postman collection (<https://schema.postman.com/collection/json/v2.1.0/draft-07/docs/index.html>).

use std::collections::HashSet;

use serde_json::{Value, json};

use super::document::{Document, Place, Segment, set, unique};
use super::integration::Integration;

const SCHEMA: &str = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";

const ABOUT: &str = "Calls of vendors' APIs with stored credentials.\n\n\
Set the variable `apiKey` to your key, and `connection` to the id of your connection. If you use several integrations, set the variable \
of each integration (`connection_...`) instead.";

/// The names of the variables that each collection has.
const BASE_URL: &str = "baseUrl";
const API_KEY: &str = "apiKey";
const CONNECTION: &str = "connection";

pub(super) fn collection(document: &Document) -> Value {
    let names_connection = !matches!(document.place, Place::Elsewhere);
    let mut taken = HashSet::from([BASE_URL, API_KEY].map(str::to_owned));
    let mut variables = vec![
        json!({ "key": BASE_URL, "value": base_url(document), "type": "string" }),
        json!({ "key": API_KEY, "value": "", "type": "secret" }),
    ];
    if names_connection {
        taken.insert(CONNECTION.to_owned());
        variables.push(json!({ "key": CONNECTION, "value": "", "type": "string" }));
    }
    let of_server = document.servers.first().into_iter();
    let of_server = of_server.flat_map(|server| server.variables.iter().map(|name| &**name));
    for name in of_server.chain(document.mount.parameters()) {
        if taken.insert(name.to_owned()) {
            variables.push(json!({ "key": name, "value": "", "type": "string" }));
        }
    }
    let mut folders = Vec::new();
    for integration in &document.integrations {
        let variable = format!("{CONNECTION}_{}", plain(integration.name()));
        let variable = unique(variable, &mut taken);
        let mut of_path = Vec::new();
        folders.push(folder(document, integration, &variable, &mut of_path));
        for name in of_path {
            if taken.insert(name.clone()) {
                variables.push(json!({ "key": name, "value": "", "type": "string" }));
            }
        }
        if names_connection {
            let value = format!("{{{{{CONNECTION}}}}}");
            variables.push(json!({ "key": variable, "value": value, "type": "string" }));
        }
    }
    json!({
        "info": { "name": document.title, "description": ABOUT, "schema": SCHEMA },
        "auth": auth(document),
        "variable": variables,
        "item": folders,
    })
}

/// Returns the address of the first server, with its variables as variables of the collection.
fn base_url(document: &Document) -> String {
    let url = document.servers.first().map_or("", |server| &server.url);
    url.replace('{', "{{").replace('}', "}}")
}

/// Returns the text as a part of a variable's name. Other characters than letters, digits, `-` and `_` could end a
/// variable's name, so they become `_`.
fn plain(text: &str) -> String {
    let plain = |char: char| match char {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' => char,
        _ => '_',
    };
    text.chars().map(plain).collect()
}

/// Returns the text with each `{variable}` of the connection as a variable of the collection, and adds their names to `names`.
fn with_variables(integration: &Integration, text: &str, names: &mut Vec<String>) -> String {
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, opened)) = rest.split_once('{') {
        let Some((name, after)) = opened.split_once('}') else {
            break;
        };
        let name = format!("variable_{}_{}", plain(integration.name()), plain(name));
        written.extend([before, "{{", &name, "}}"]);
        names.push(name);
        rest = after;
    }
    written.push_str(rest);
    written
}

fn auth(document: &Document) -> Value {
    let key = format!("{{{{{API_KEY}}}}}");
    match document.api_keys.first() {
        Some(field) => json!({
            "type": "apikey",
            "apikey": [
                { "key": "key", "value": field.as_str(), "type": "string" },
                { "key": "value", "value": key, "type": "string" },
                { "key": "in", "value": "header", "type": "string" },
            ],
        }),
        None if document.bearer => json!({
            "type": "bearer",
            "bearer": [{ "key": "token", "value": key, "type": "string" }],
        }),
        None => json!({ "type": "noauth" }),
    }
}

fn folder(
    document: &Document,
    integration: &Integration,
    variable: &str,
    names: &mut Vec<String>,
) -> Value {
    let mut description = format!("Base URL: `{}`", integration.base_url());
    if let Some(docs) = integration.docs_url() {
        description.extend(["\n\nDocumentation: <", docs, ">"]);
    }
    json!({
        "name": integration.title_or_name(),
        "description": description,
        "item": [request(document, integration, variable, names)],
    })
}

fn request(
    document: &Document,
    integration: &Integration,
    variable: &str,
    names: &mut Vec<String>,
) -> Value {
    let braces = |name: &str| format!("{{{{{name}}}}}");
    let mut segments: Vec<String> = Vec::new();
    for segment in &document.mount.0 {
        segments.push(match segment {
            Segment::Text(text) => text.to_string(),
            Segment::Parameter(name) => braces(name),
        });
    }
    let mut headers = Vec::new();
    match &document.place {
        Place::Path => segments.push(braces(variable)),
        Place::Header(field) => {
            headers.push(json!({ "key": field.as_str(), "value": braces(variable) }));
        }
        Place::Elsewhere => {}
    }
    let (name, query) = match integration.verify_target() {
        Some((path, query)) => {
            let path = with_variables(integration, path, names);
            segments.extend(path.split('/').map(str::to_owned));
            let query = query.map(|query| with_variables(integration, query, names));
            ("Verify the connection", query)
        }
        None => ("Call the base URL", None),
    };
    let mut raw = format!("{{{{{BASE_URL}}}}}/{}", segments.join("/"));
    let mut url = json!({ "host": [braces(BASE_URL)], "path": segments });
    if let Some(query) = query {
        raw.extend(["?", &query]);
        set(
            &mut url,
            "query",
            query.split('&').map(parameter).collect::<Vec<_>>(),
        );
    }
    set(&mut url, "raw", raw);
    json!({
        "name": name,
        "request": { "method": "GET", "header": headers, "url": url },
    })
}

/// Returns a parameter of a query. Its name and value stay encoded.
fn parameter(pair: &str) -> Value {
    match pair.split_once('=') {
        Some((name, value)) => json!({ "key": name, "value": value }),
        None => json!({ "key": pair, "value": null }),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

    use http::header::HeaderName;

    use super::super::{Document, Integration};
    use super::*;

    fn collection_of(document: Option<Document>) -> Value {
        let text = document.map(|document| document.to_postman());
        serde_json::from_str(&text.unwrap_or_default()).unwrap_or_default()
    }

    fn document() -> Option<Document> {
        let document = Document::new("/passthrough").ok()?;
        let document = document.server("https://gw.example.com").ok()?;
        Some(document.api_key(HeaderName::from_static("x-api-key")))
    }

    fn with_verify(name: &str, path: &str) -> Option<Document> {
        let integration = Integration::new(name, "https://api.test").verify(path);
        Some(document()?.integration(integration.ok()?))
    }

    #[test]
    fn a_verify_request_has_the_raw_path() {
        let collection = collection_of(with_verify("hubspot", "/a//b%2Fc/?limit=1&all"));
        let url = &collection["item"][0]["item"][0]["request"]["url"];
        assert_eq!(
            url["raw"],
            "{{baseUrl}}/passthrough/{{connection_hubspot}}/a//b%2Fc/?limit=1&all"
        );
        assert_eq!(
            url["path"],
            json!([
                "passthrough",
                "{{connection_hubspot}}",
                "a",
                "",
                "b%2Fc",
                ""
            ])
        );
        assert_eq!(
            url["query"],
            json!([{ "key": "limit", "value": "1" }, { "key": "all", "value": null }])
        );
    }

    #[test]
    fn variables_of_a_verify_request_are_variables() {
        let collection = collection_of(with_verify("a.b", "/x/{id}/{id}/?r={region}"));
        let request = &collection["item"][0]["item"][0]["request"];
        assert_eq!(
            request["url"]["raw"],
            "{{baseUrl}}/passthrough/{{connection_a_b}}/x/{{variable_a_b_id}}/{{variable_a_b_id}}/?r={{variable_a_b_region}}"
        );
        let variables = collection["variable"].as_array();
        let names = variables.into_iter().flatten().skip(3);
        let names: Vec<_> = names.map(|variable| variable["key"].as_str()).collect();
        let own = ["variable_a_b_id", "variable_a_b_region", "connection_a_b"];
        assert_eq!(names, own.map(Some));
    }

    #[test]
    fn the_key_is_a_secret_without_a_value() {
        let collection = collection_of(document());
        let key = json!({ "key": "apiKey", "value": "", "type": "secret" });
        let variables = collection["variable"].as_array();
        assert!(variables.is_some_and(|variables| variables.contains(&key)));
        assert_eq!(collection["auth"]["apikey"][0]["value"], "x-api-key");
        assert_eq!(collection["auth"]["apikey"][1]["value"], "{{apiKey}}");
    }

    #[test]
    fn names_of_variables_are_plain_and_differ() {
        let document = with_verify("a}}b", "/").map(|document| {
            let other = Integration::new("a((b", "https://other.test");
            document.integration(other)
        });
        let collection = collection_of(document);
        let variables = collection["variable"].as_array();
        let names: Vec<_> = variables
            .into_iter()
            .flatten()
            .map(|variable| variable["key"].as_str().unwrap_or_default())
            .collect();
        let own = ["connection_a__b", "connection_a__b_2"];
        assert_eq!(names[3..], own);
        assert_eq!(collection["item"][1]["name"], "a}}b");
    }

    #[test]
    fn a_host_names_the_connection() {
        let document = Document::new("/").ok().and_then(|document| {
            let document = document
                .server("https://{connection}.gw.example.com")
                .ok()?;
            let integration = Integration::new("a", "https://a.test").verify("me").ok()?;
            Some(
                document
                    .without_connection()
                    .bearer(true)
                    .integration(integration),
            )
        });
        let collection = collection_of(document);
        let request = &collection["item"][0]["item"][0]["request"];
        assert_eq!(request["url"]["raw"], "{{baseUrl}}/me");
        assert_eq!(
            collection["variable"][0]["value"],
            "https://{{connection}}.gw.example.com"
        );
        assert_eq!(collection["variable"][2]["key"], "connection");
        assert_eq!(collection["auth"]["type"], "bearer");
    }

    #[test]
    fn a_header_names_the_connection() {
        let document = with_verify("a", "/me")
            .map(|document| document.connection_header(HeaderName::from_static("x-connection")));
        let collection = collection_of(document);
        let request = &collection["item"][0]["item"][0]["request"];
        assert_eq!(request["url"]["raw"], "{{baseUrl}}/passthrough/me");
        assert_eq!(
            request["header"],
            json!([{ "key": "x-connection", "value": "{{connection_a}}" }])
        );
    }

    #[test]
    fn what_isnt_a_path_is_refused() {
        for path in [
            "a b",
            "https://evil.test/x",
            "/a#b",
            "/\\a",
            "/\u{e9}",
            "/a\n",
        ] {
            let refused = Integration::new("a", "https://a.test")
                .verify(path)
                .is_err();
            assert!(refused, "{path}");
        }
        let url_in_query = "/x?next=https://a.test";
        let integration = Integration::new("a", "https://a.test").verify(url_in_query);
        assert!(integration.is_ok());
    }
}
