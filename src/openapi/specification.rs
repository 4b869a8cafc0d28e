//! The OpenAPI 3.1 document (<https://spec.openapis.org/oas/v3.1.1.html>).

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::document::{CONNECTION, DOMAIN, Document, PATH, Place, QUERY, set};
use super::integration::Integration;
use crate::address::PathEncoding;
use crate::error::ErrorCode;

/// The methods that OpenAPI 3.1 can describe and that the gateway forwards. TRACE is refused.
const METHODS: [&str; 7] = ["get", "head", "post", "put", "patch", "delete", "options"];

const ABOUT: &str = "Each call is forwarded to the API of a vendor, with the stored credentials of a connection. The response is the \
vendor's response, with its status, its header fields and its body, unless it has the header field `passthrough-error`: then the gateway \
answers itself, and the field is the code of the error.\n\n\
Any method can be used, also those that OpenAPI 3.1 can't describe (QUERY, extension methods), except TRACE and TRACK. Calls with the \
content type `application/grpc` get errors of the gateway as `grpc-status`, with status 200.";

pub(super) fn specification(document: &Document) -> Value {
    let mount = document.mount.template();
    let mut paths = Map::new();
    let base = match document.place {
        Place::Path => format!("{mount}/{{{CONNECTION}}}"),
        Place::Header(_) | Place::Elsewhere => mount,
    };
    let below = format!("{base}/{{{PATH}}}");
    let base = if base.is_empty() {
        "/".to_owned()
    } else {
        base
    };
    paths.insert(base, path_item(document, false));
    paths.insert(below, path_item(document, true));
    let mut specification = json!({
        "openapi": "3.1.1",
        "info": { "title": document.title, "version": document.version, "description": ABOUT },
        "paths": paths,
        "components": {
            "schemas": { "ErrorCode": error_code(document), "GatewayError": gateway_error() },
            "headers": headers(),
            "responses": responses(document),
            "parameters": parameters(document),
            "securitySchemes": security_schemes(document),
        },
        "x-integrations": document.integrations.iter().map(integration).collect::<Vec<_>>(),
    });
    if !document.servers.is_empty() {
        set(&mut specification, "servers", servers(document));
    }
    let security: Vec<_> = security_schemes(document)
        .keys()
        .map(|name| json!({ name: [] }))
        .collect();
    if !security.is_empty() {
        set(&mut specification, "security", security);
    }
    specification
}

fn servers(document: &Document) -> Value {
    let servers = document.servers.iter().map(|server| {
        let mut value = json!({ "url": server.url });
        if !server.variables.is_empty() {
            let variable = |name: &str| (name.to_owned(), json!({ "default": name }));
            set(
                &mut value,
                "variables",
                server
                    .variables
                    .iter()
                    .map(|name| variable(name))
                    .collect::<Map<_, _>>(),
            );
        }
        value
    });
    servers.collect()
}

/// Returns the operations of the paths below a base URL, or of the base URL itself.
fn path_item(document: &Document, has_path: bool) -> Value {
    let mut item = Map::new();
    let mut names: Vec<&str> = document.mount.parameters().collect();
    if !matches!(document.place, Place::Elsewhere) {
        names.push(CONNECTION);
    }
    if has_path {
        names.push(PATH);
    }
    names.extend([QUERY, DOMAIN]);
    let parameter = |name: &str| reference("parameters", name);
    let parameters = names.into_iter().map(parameter).collect::<Vec<_>>();
    item.insert("parameters".to_owned(), parameters.into());
    for method in METHODS {
        item.insert(method.to_owned(), operation(document, method, has_path));
    }
    item.into()
}

fn operation(document: &Document, method: &str, has_path: bool) -> Value {
    let (place, object) = match has_path {
        true => ("Path", "a path of the vendor's API"),
        false => ("Base", "the base URL of the vendor's API"),
    };
    let mut operation = json!({
        "operationId": format!("{method}{place}"),
        "summary": format!("Calls {object} with {}", method.to_ascii_uppercase()),
        "tags": ["passthrough"],
    });
    if matches!(method, "post" | "put" | "patch" | "delete") {
        set(
            &mut operation,
            "requestBody",
            json!({
                "description": "The content that the vendor expects, of any media type. It's forwarded unchanged.",
                "content": { "application/json": { "schema": {} }, "*/*": {} },
            }),
        );
    }
    let is_head = method == "head";
    let suffix = if is_head { "Head" } else { "" };
    let mut responses = Map::new();
    let upstream = reference("responses", &format!("Upstream{suffix}"));
    responses.insert("2XX".to_owned(), upstream.clone());
    responses.insert("default".to_owned(), upstream);
    for status in codes(document).keys() {
        let response = reference("responses", &format!("Error{status}{suffix}"));
        responses.insert(status.to_string(), response);
    }
    set(&mut operation, "responses", responses);
    operation
}

fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

/// Returns the codes of each status, with their titles.
fn codes(document: &Document) -> BTreeMap<u16, Vec<(&str, &str)>> {
    let mut codes: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for code in ErrorCode::ALL {
        for status in code.statuses() {
            let of_status = codes.entry(status.as_u16()).or_default();
            of_status.push((code.as_str(), code.title()));
        }
    }
    for error in &document.errors {
        let of_status = codes.entry(error.status.as_u16()).or_default();
        of_status.push((&error.code, &error.title));
    }
    codes
}

fn responses(document: &Document) -> Value {
    let mut responses = Map::new();
    let is_redirect = "Redirects aren't followed.";
    let upstream =
        format!("The vendor's response, of any status and any media type. {is_redirect}");
    responses.insert(
        "Upstream".to_owned(),
        json!({ "description": upstream, "content": { "*/*": {} } }),
    );
    responses.insert(
        "UpstreamHead".to_owned(),
        json!({ "description": format!("The head of the vendor's response. {is_redirect}") }),
    );
    for (status, codes) in codes(document) {
        let mut description = String::from(
            "The vendor's response, or, with the header field `passthrough-error`, an error of the gateway:\n",
        );
        for (code, title) in codes {
            description.extend(["\n- `", code, "`: ", title]);
        }
        let mut headers = json!({
            "passthrough-error": reference("headers", "passthrough-error"),
            "Proxy-Status": reference("headers", "Proxy-Status"),
        });
        let is_passing = [
            StatusCode::TOO_MANY_REQUESTS,
            StatusCode::SERVICE_UNAVAILABLE,
        ];
        if is_passing.iter().any(|passing| *passing == status) {
            set(
                &mut headers,
                "Retry-After",
                reference("headers", "Retry-After"),
            );
        }
        let head = json!({ "description": description, "headers": headers });
        let mut response = head.clone();
        let schema = json!({ "schema": { "anyOf": [
            reference("schemas", "GatewayError"),
            { "description": "The vendor's content, in a response without `passthrough-error`." },
        ]}});
        set(
            &mut response,
            "content",
            json!({
                "application/json": schema,
                "application/problem+json": schema,
                "*/*": {},
            }),
        );
        responses.insert(format!("Error{status}"), response);
        responses.insert(format!("Error{status}Head"), head);
    }
    responses.into()
}

fn headers() -> Value {
    json!({
        "passthrough-error": {
            "description": "The code of the gateway's error. Responses of vendors never have this field.",
            "schema": reference("schemas", "ErrorCode"),
        },
        "Proxy-Status": {
            "description": "The error type of RFC 9209, such as `passthrough; error=connection_refused`.",
            "schema": { "type": "string" },
        },
        "Retry-After": {
            "description": "In errors of the gateway, the number of seconds after which the same call may succeed. It's missing if \
                            trying again doesn't help. A vendor may send a date.",
            "schema": { "anyOf": [{ "type": "integer", "minimum": 1 }, { "type": "string" }] },
        },
    })
}

fn error_code(document: &Document) -> Value {
    let own = ErrorCode::ALL.iter().map(|code| code.as_str());
    let mut codes: Vec<&str> = own.collect();
    for error in &document.errors {
        if !codes.contains(&&*error.code) {
            codes.push(&error.code);
        }
    }
    json!({ "type": "string", "description": "The kind of an error of the gateway.", "enum": codes })
}

/// Returns the schema of the members that `pipeline/problem.rs` writes.
fn gateway_error() -> Value {
    let text = json!({ "type": "string" });
    let code = reference("schemas", "ErrorCode");
    json!({
        "type": "object",
        "description": "An error of the gateway: the members of RFC 9457, and members in which SDKs look for the text of an error.",
        "required": [
            "type", "title", "status", "detail", "code", "sent", "message", "error", "errors", "ok",
        ],
        "properties": {
            "type": { "type": "string", "format": "uri-reference" },
            "title": text,
            "status": { "type": "integer", "minimum": 400, "maximum": 599 },
            "detail": {
                "type": "string",
                "description": "The text for people, which says what is wrong and what to do.",
            },
            "code": code,
            "sent": {
                "type": "boolean",
                "description": "`false`: the vendor can't have acted on the request. `true`: the vendor may have acted on the request.",
            },
            "reauthorize_url": {
                "type": "string",
                "format": "uri",
                "description": "With the code `reauthorize`: the page where the owner of the connection authorizes it again.",
            },
            "message": text,
            "error": {
                "type": "object",
                "required": ["message", "type", "code"],
                "properties": { "message": text, "type": code, "code": code },
            },
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["message", "detail"],
                    "properties": { "message": text, "detail": text },
                },
            },
            "ok": { "const": false },
        },
    })
}

fn parameters(document: &Document) -> Value {
    let mut parameters = Map::new();
    for name in document.mount.parameters() {
        let parameter = json!({
            "name": name,
            "in": "path",
            "required": true,
            "description": "A segment of the mount.",
            "schema": { "type": "string", "minLength": 1 },
        });
        parameters.insert(name.to_owned(), parameter);
    }
    let connection = match &document.place {
        Place::Path => Some((CONNECTION, "path")),
        Place::Header(field) => Some((field.as_str(), "header")),
        Place::Elsewhere => None,
    };
    if let Some((name, place)) = connection {
        let parameter = json!({
            "name": name,
            "in": place,
            "required": true,
            "description": "The id of the connection: 1 to 256 bytes of UTF-8, without `/` and without control characters.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 256, "pattern": r"^[^/\u0000-\u001F\u007F]+$" },
            "example": "acme",
        });
        parameters.insert(CONNECTION.to_owned(), parameter);
    }
    parameters.insert(
        PATH.to_owned(),
        json!({
            "name": PATH,
            "in": "path",
            "required": true,
            "description": about_path(document.path_encoding),
            "schema": { "type": "string", "minLength": 1, "pattern": r"^[^\\\u0000-\u001F\u007F]+$" },
            "example": "/v2/customers?page=2",
        }),
    );
    parameters.insert(
        QUERY.to_owned(),
        json!({
            "name": QUERY,
            "in": "query",
            "required": false,
            "description": "The parameters that the vendor expects, as an object: each member is one parameter. They're forwarded unchanged.",
            "style": "form",
            "explode": true,
            "schema": { "type": "object", "additionalProperties": { "type": "string" } },
        }),
    );
    parameters.insert(
        DOMAIN.to_owned(),
        json!({
            "name": DOMAIN,
            "in": "query",
            "required": false,
            "description": "A host, a host and port, or a URL, which replaces the base URL for this call. It must be allowed for the \
                            integration, otherwise the answer is `domain-refused`. It isn't forwarded.",
            "schema": { "type": "string", "minLength": 1 },
        }),
    );
    parameters.into()
}

fn about_path(encoding: PathEncoding) -> &'static str {
    match encoding {
        PathEncoding::Never => {
            "A path of the vendor's API, relative to the base URL, such as `/v2/customers`. It's forwarded byte for byte. Generated \
             clients write `/` as `%2F`, which the gateway doesn't decode: they can only call paths of one segment. Other clients write \
             the path into the URL as it is."
        }
        PathEncoding::Always => {
            "A path of the vendor's API, relative to the base URL, written as in a URL, with its query: `/v2/customers?page=2`. \
             Generated clients encode it into one segment (`%2Fv2%2Fcustomers%3Fpage%3D2`), and the gateway decodes each path once, \
             so write a `%` of the path as it is (`a%2Fb`), and a `?` that doesn't start the query as `%3F`. Dot segments that leave \
             the base path are refused."
        }
        PathEncoding::Auto => {
            "A path of the vendor's API, relative to the base URL, written as in a URL, with a `/` at its beginning and with its \
             query: `/v2/customers?page=2`.\n\n\
             Generated clients encode it into one segment, with `%2F` for each `/` and `%3F` for the `?` \
             (`%2Fv2%2Fcustomers%3Fpage%3D2`). The gateway decodes such a segment once, and the first decoded `?` starts the query. \
             Begin the path with `/`, because a segment without any `%2F` isn't decoded. Write a `%` of the path as it is (`a%2Fb`), \
             and a `?` that doesn't start the query as `%3F`.\n\n\
             Clients that write the path into the URL themselves send it as it is (`v2/customers?page=2`): a path with a literal `/` \
             is forwarded byte for byte. Backslashes, control characters and dot segments that leave the base path are refused."
        }
    }
}

fn security_schemes(document: &Document) -> Map<String, Value> {
    let mut schemes = Map::new();
    for field in &document.api_keys {
        let scheme = json!({ "type": "apiKey", "in": "header", "name": field.as_str() });
        schemes.insert(field.as_str().to_owned(), scheme);
    }
    if document.bearer {
        schemes.insert(
            "bearer".to_owned(),
            json!({ "type": "http", "scheme": "bearer" }),
        );
    }
    schemes
}

fn integration(integration: &Integration) -> Value {
    let mut value = json!({
        "name": integration.name(),
        "title": integration.title_or_name(),
        "baseUrl": integration.base_url(),
    });
    if let Some(docs) = integration.docs_url() {
        set(&mut value, "docs", docs);
    }
    if let Some((path, query)) = integration.verify_target() {
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        set(
            &mut value,
            "verify",
            json!({ "method": "GET", "path": format!("/{path}{query}") }),
        );
    }
    value
}

#[cfg(test)]
mod tests {
    #![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

    use std::collections::BTreeSet;

    use http::header::HeaderName;

    use super::super::{Document, Integration};
    use super::*;

    fn specification_of(document: Option<Document>) -> Value {
        let text = document.map(|document| document.to_openapi());
        serde_json::from_str(&text.unwrap_or_default()).unwrap_or_default()
    }

    fn gateway() -> Option<Document> {
        let document = Document::new("/passthrough").ok()?;
        let document = document.server("https://gw.example.com/").ok()?;
        let document = document
            .api_key(HeaderName::from_static("x-api-key"))
            .bearer(true)
            .host_error(
                StatusCode::UNAUTHORIZED,
                "unauthenticated",
                "The key isn't valid",
            );
        Some(document)
    }

    fn members(value: &Value, pointer: &str) -> Vec<String> {
        let object = value.pointer(pointer).and_then(Value::as_object);
        object.map_or_else(Vec::new, |object| object.keys().cloned().collect())
    }

    /// Follows references, and fails if one leads nowhere.
    fn references_lead_somewhere(root: &Value, value: &Value) {
        match value {
            Value::Object(object) => {
                if let Some(Value::String(reference)) = object.get("$ref") {
                    let pointer = reference.trim_start_matches('#');
                    assert!(root.pointer(pointer).is_some(), "{reference}");
                }
                for value in object.values() {
                    references_lead_somewhere(root, value);
                }
            }
            Value::Array(values) => {
                for value in values {
                    references_lead_somewhere(root, value);
                }
            }
            _ => {}
        }
    }

    #[test]
    fn each_code_is_described_under_its_status() {
        let specification = specification_of(gateway());
        let codes = &specification["components"]["schemas"]["ErrorCode"]["enum"];
        let codes: Vec<_> = codes.as_array().into_iter().flatten().collect();
        assert_eq!(codes.len(), ErrorCode::ALL.len() + 1);
        for code in ErrorCode::ALL {
            assert!(codes.contains(&&Value::from(code.as_str())), "{code}");
            for status in code.statuses() {
                let response =
                    &specification["components"]["responses"][format!("Error{}", status.as_u16())];
                let description = response["description"].as_str().unwrap_or_default();
                let line = format!("\n- `{code}`: {}", code.title());
                assert!(description.contains(&line), "{code} {description}");
            }
        }
        let refused = &specification["components"]["responses"]["Error502"]["description"];
        let refused = refused.as_str().unwrap_or_default();
        assert!(refused.contains("`destination-refused`"), "{refused}");
        let own = &specification["components"]["responses"]["Error401"]["description"];
        let own = own.as_str().unwrap_or_default();
        assert!(own.contains("- `unauthenticated`: The key"), "{own}");
    }

    #[test]
    fn operations_have_names_of_their_own() {
        let specification = specification_of(gateway());
        references_lead_somewhere(&specification, &specification);
        let paths = members(&specification, "/paths");
        assert_eq!(
            paths,
            [
                "/passthrough/{connection_id}",
                "/passthrough/{connection_id}/{path}"
            ]
        );
        let mut names = BTreeSet::new();
        for path in &paths {
            for method in METHODS {
                let name = &specification["paths"][path][method]["operationId"];
                assert!(names.insert(name.to_string()), "{name}");
            }
        }
        assert_eq!(names.len(), 14);
        assert_eq!(specification["servers"][0]["url"], "https://gw.example.com");
        assert_eq!(
            specification["security"],
            json!([{ "bearer": [] }, { "x-api-key": [] }])
        );
    }

    #[test]
    fn retry_after_is_described_where_the_gateway_sends_it() {
        let specification = specification_of(gateway());
        for (status, sent) in [(429, true), (503, true), (502, false), (424, false)] {
            let response = &specification["components"]["responses"][format!("Error{status}")];
            assert_eq!(
                response["headers"].get("Retry-After").is_some(),
                sent,
                "{status}"
            );
            assert!(
                response["headers"].get("Proxy-Status").is_some(),
                "{status}"
            );
        }
    }

    #[test]
    fn the_place_of_the_connection_decides_about_the_paths() {
        let by_header = gateway()
            .map(|document| document.connection_header(HeaderName::from_static("x-connection")));
        let by_header = specification_of(by_header);
        let paths = members(&by_header, "/paths");
        assert_eq!(paths, ["/passthrough", "/passthrough/{path}"]);
        let parameter = &by_header["components"]["parameters"]["connection_id"];
        assert_eq!(
            (&parameter["in"], &parameter["name"]),
            (&"header".into(), &"x-connection".into())
        );
        references_lead_somewhere(&by_header, &by_header);

        let by_host = Document::new("/").ok().and_then(|document| {
            let document = document
                .server("https://{connection}.gw.example.com")
                .ok()?;
            Some(document.without_connection())
        });
        let by_host = specification_of(by_host);
        assert_eq!(members(&by_host, "/paths"), ["/", "/{path}"]);
        let variable = &by_host["servers"][0]["variables"]["connection"];
        assert_eq!(variable["default"], "connection");
        references_lead_somewhere(&by_host, &by_host);
        assert_eq!(by_host.get("security"), None);
    }

    #[test]
    fn parameters_of_the_mount_keep_apart_from_others() {
        let mount = "/t/{tenant}/{path}/p/";
        let specification = specification_of(Document::new(mount).ok());
        assert_eq!(
            members(&specification, "/paths"),
            [
                "/t/{tenant}/{path_2}/p/{connection_id}",
                "/t/{tenant}/{path_2}/p/{connection_id}/{path}"
            ]
        );
        references_lead_somewhere(&specification, &specification);
    }

    #[test]
    fn names_are_escaped_and_servers_are_checked() {
        let name = "a\"b\\</script>\n{{x}}";
        let document =
            gateway().map(|document| document.integration(Integration::new(name, "https://h")));
        let specification = specification_of(document);
        let listed = &specification["x-integrations"];
        assert_eq!(
            *listed,
            json!([{ "name": name, "title": name, "baseUrl": "https://h" }])
        );
        for server in [
            "gw.example.com",
            "ftp://gw",
            "https://u@gw",
            "https://gw?x",
            "https://gw/a b",
            "https://{a",
            "https://a}",
            "https://{a/b}.gw",
            "https://{}.gw",
        ] {
            let refused = gateway().map(|document| document.server(server).is_err());
            assert_eq!(refused, Some(true), "{server}");
        }
    }

    #[test]
    fn a_table_lists_its_integrations_once_and_in_order() {
        use crate::{Integrations, Upstream};
        let table = || {
            let b = Upstream::template("https://{region}.b.test/v2").ok()?;
            let a = Upstream::template("https://a.test").ok()?;
            Some(Integrations::new().with("b", b).with("a", a))
        };
        let known = Integration::new("a", "https://a.test").title("A");
        let document = gateway()
            .zip(table())
            .map(|(document, table)| document.integration(known).integrations(&table));
        let listed = &specification_of(document)["x-integrations"];
        assert_eq!(
            *listed,
            json!([
                { "name": "a", "title": "A", "baseUrl": "https://a.test" },
                { "name": "b", "title": "b", "baseUrl": "https://{region}.b.test/v2" },
            ])
        );
    }
}
