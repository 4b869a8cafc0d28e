//! The APIs of fake vendors, as far as the clients use them.

use serde_json::{Value, json};

use crate::fake::{Answer, Api, Request};

/// Returns an API that belongs to no vendor, for HTTP libraries and tools.
pub(crate) fn things() -> Api {
    Api::new(|request| {
        Some(match request.call() {
            ("GET", "/v1/things") if request.asks("page=2") => {
                Answer::json(&json!({ "things": ["c", "caf\u{e9}"] }))
            }
            ("GET", "/v1/stream") => Answer::chunks("text/plain", &["one ", "two ", "three"]),
            ("PUT", "/v1/upload") => {
                let whole = request.body().iter().all(|&byte| byte == b'x');
                let framing = request.field("transfer-encoding");
                Answer::json(
                    &json!({ "bytes": request.body().len(), "whole": whole, "framing": framing }),
                )
            }
            ("POST", "/v1/things") if request.json() == json!({ "name": "d" }) => {
                Answer::created(&json!({ "id": 7 })).field("location", "/v1/things/7")
            }
            _ => return None,
        })
    })
}

/// Returns the result of the clients of `things`, of which some send a body without a length.
pub(crate) fn of_things(framing: &str) -> Value {
    json!({
        "things": ["c", "caf\u{e9}"],
        "stream": "one two three",
        "upload": { "bytes": 300_000, "whole": true, "framing": framing },
        "created": [201, 7],
    })
}

fn sse(events: &[Value]) -> Vec<String> {
    let event = |event: &Value| {
        let name = event["type"].as_str();
        let name = name.map_or(String::new(), |name| format!("event: {name}\n"));
        format!("{name}data: {event}\n\n")
    };
    events.iter().map(event).collect()
}

fn stream(pieces: &[String]) -> Answer {
    let pieces: Vec<_> = pieces.iter().map(String::as_str).collect();
    Answer::chunks("text/event-stream; charset=utf-8", &pieces)
}

pub(crate) fn openai() -> Api {
    let api = Api::new(|request| {
        let chunk = |text: &str| {
            json!({
                "id": "chat", "object": "chat.completion.chunk", "created": 1, "model": "m",
                "choices": [{ "index": 0, "delta": { "content": text }, "finish_reason": null }],
            })
        };
        let model =
            |id: &str| json!({ "id": id, "object": "model", "created": 1, "owned_by": "o" });
        Some(match request.call() {
            ("GET", "/v1/models") => {
                Answer::json(&json!({ "object": "list", "data": [model("m1"), model("m2")] }))
            }
            ("POST", "/v1/chat/completions") if request.json()["stream"] == true => {
                let mut pieces = sse(&["Good ", "morning"].map(chunk));
                pieces.push("data: [DONE]\n\n".to_owned());
                stream(&pieces)
            }
            ("POST", "/v1/files") if request.text().contains("{\"line\":1}") => {
                Answer::json(&json!({
                    "id": "file1", "object": "file", "bytes": 10, "created_at": 1,
                    "filename": "f.jsonl", "purpose": "batch", "status": "processed",
                }))
            }
            _ => return None,
        })
    });
    Api { path: "/v1", ..api }
}

pub(crate) fn of_openai() -> Value {
    json!({ "models": ["m1", "m2"], "stream": "Good morning", "file": "file1" })
}

pub(crate) fn anthropic() -> Api {
    let api = Api::new(|request| {
        let message = |content: Value| {
            json!({
                "id": "msg", "type": "message", "role": "assistant", "model": "m", "content": content,
                "stop_reason": null, "stop_sequence": null, "usage": { "input_tokens": 1, "output_tokens": 1 },
            })
        };
        let delta = |text: &str| json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": text } });
        Some(match request.call() {
            ("POST", "/v1/messages") if request.json()["stream"] == true => stream(&sse(&[
                json!({ "type": "message_start", "message": message(json!([])) }),
                json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }),
                delta("Good "),
                delta("morning"),
                json!({ "type": "content_block_stop", "index": 0 }),
                json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn", "stop_sequence": null },
                        "usage": { "output_tokens": 2 } }),
                json!({ "type": "message_stop" }),
            ])),
            ("POST", "/v1/messages") => {
                Answer::json(&message(json!([{ "type": "text", "text": "Hello" }])))
            }
            _ => return None,
        })
    });
    Api {
        auth: "{ kind = \"header\", name = \"x-api-key\", value = \"{api_key}\" }",
        secret: "{ api_key = \"5toredKey\" }",
        integration: "headers = { \"anthropic-version\" = \"2023-06-01\" }",
        credential: ("x-api-key", "5toredKey"),
        ..api
    }
}

pub(crate) fn of_anthropic() -> Value {
    json!({ "message": "Hello", "stream": "Good morning" })
}

/// Returns the address of the vendor as the vendor sees it, which is what a vendor writes into its links.
fn origin(request: &Request<'_>) -> String {
    format!("http://{}", request.field("host"))
}

fn issue(request: &Request<'_>, number: u32) -> Value {
    let url = format!("{}/api/v3/repos/o/r/issues/{number}", origin(request));
    json!({ "id": number, "number": number, "title": format!("issue {number}"), "url": url, "state": "open" })
}

/// Returns GitHub, with pages that are named by `Link`.
pub(crate) fn github() -> Api {
    let api = Api::new(|request| {
        Some(match request.call() {
            ("GET", "/api/v3/repos/o/r") => Answer::json(&json!({
                "id": 1, "name": "r", "full_name": "o/r", "url": format!("{}/api/v3/repos/o/r", origin(request)),
            })),
            ("GET", "/api/v3/repos/o/r/issues" | "/api/v3/repositories/1/issues") => {
                let page = match request.query() {
                    query if query.contains("page=3") && !query.contains("per_page=3") => 3,
                    query if query.contains("&page=2") || query.starts_with("page=2") => 2,
                    _ => 1,
                };
                let answer = Answer::json(&json!([
                    issue(request, 2 * page - 1),
                    issue(request, 2 * page)
                ]));
                if page == 3 {
                    return Some(answer);
                }
                // GitHub names the repository by its number in links.
                let link = format!(
                    "{}/api/v3/repositories/1/issues?per_page=2&page=",
                    origin(request)
                );
                let link = format!(
                    "<{link}{}>; rel=\"next\", <{link}3>; rel=\"last\"",
                    page + 1
                );
                answer.field("link", &link)
            }
            ("POST", "/api/v3/repos/o/r/issues") if request.json()["title"] == "new" => {
                Answer::created(&issue(request, 7))
            }
            _ => return None,
        })
    });
    Api {
        path: "/api/v3",
        top: "rewrite_links = true",
        ..api
    }
}

pub(crate) fn of_github() -> Value {
    json!({ "issues": [1, 2, 3, 4, 5, 6], "created": 7 })
}

/// Returns GitLab, whose pages are named by `Link`, and whose projects can be named by an encoded path.
pub(crate) fn gitlab() -> Api {
    let api = Api::new(|request| {
        let item =
            |number: u32| json!({ "id": number, "iid": number, "project_id": 1, "title": "t" });
        Some(match request.call() {
            ("GET", "/api/v4/projects/group%2Fproject") => {
                Answer::json(&json!({ "id": 1, "name": "project" }))
            }
            ("GET", "/api/v4/projects/1/issues" | "/api/v4/projects/group%2Fproject/issues") => {
                let page = if request.asks("page=2") { 2 } else { 1 };
                let answer = Answer::json(&json!([item(2 * page - 1), item(2 * page)]));
                let answer = answer
                    .field("x-page", &page.to_string())
                    .field("x-per-page", "2")
                    .field("x-total", "4")
                    .field("x-total-pages", "2");
                if page == 2 {
                    return Some(answer.field("x-next-page", ""));
                }
                let link = format!(
                    "{}/api/v4/projects/1/issues?id=1&page=2&per_page=2",
                    origin(request)
                );
                answer.field("x-next-page", "2").field(
                    "link",
                    &format!("<{link}>; rel=\"next\", <{link}>; rel=\"last\""),
                )
            }
            ("POST", "/api/v4/projects/1/issues" | "/api/v4/projects/group%2Fproject/issues")
                if request.text().contains("new") =>
            {
                Answer::created(&item(7))
            }
            _ => return None,
        })
    });
    Api {
        auth: "{ kind = \"header\", name = \"private-token\", value = \"{token}\" }",
        top: "rewrite_links = true",
        credential: ("private-token", "5toredToken"),
        ..api
    }
}

pub(crate) fn of_gitlab() -> Value {
    json!({ "project": "project", "issues": [1, 2, 3, 4], "created": 7 })
}

/// Returns Slack, whose answers have the status 200 even if a call fails.
pub(crate) fn slack() -> Api {
    let api = Api::new(|request| {
        let text = request.text();
        Some(match request.call() {
            ("GET" | "POST", "/api/conversations.list") => {
                let second = text.contains("second") || request.query().contains("second");
                let (name, next) = if second { ("b", "") } else { ("a", "second") };
                Answer::json(&json!({
                    "ok": true, "channels": [{ "id": name, "name": name }],
                    "response_metadata": { "next_cursor": next },
                }))
            }
            ("POST", "/api/chat.postMessage") if text.contains("Good") => {
                Answer::json(&json!({ "ok": true, "ts": "1.5", "channel": "C1" }))
            }
            ("POST", "/api/chat.delete") => {
                Answer::json(&json!({ "ok": false, "error": "message_not_found" }))
            }
            _ => return None,
        })
    });
    Api {
        path: "/api",
        ..api
    }
}

pub(crate) fn of_slack() -> Value {
    json!({ "channels": ["a", "b"], "posted": "1.5", "refused": "message_not_found" })
}

/// Returns Stripe, which receives files at another host.
pub(crate) fn stripe() -> Api {
    let api = Api::new(|request| {
        let customer = |id: &str| json!({ "id": id, "object": "customer", "name": id });
        let list = |ids: &[&str], more: bool| {
            let data: Vec<_> = ids.iter().map(|id| customer(id)).collect();
            json!({ "object": "list", "url": "/v1/customers", "has_more": more, "data": data })
        };
        Some(match request.call() {
            ("GET", "/v1/customers") if request.asks("starting_after=cus_2") => {
                Answer::json(&list(&["cus_3"], false))
            }
            ("GET", "/v1/customers") => Answer::json(&list(&["cus_1", "cus_2"], true)),
            ("POST", "/v1/customers")
                if request.text() == "name=New+one" || request.text() == "name=New%20one" =>
            {
                Answer::json(&customer("cus_7"))
            }
            ("POST", "/v1/files")
                if request.field("host").starts_with("files.vendor.test:")
                    && request.text().contains("a picture") =>
            {
                Answer::json(&json!({ "id": "file_7", "object": "file" }))
            }
            _ => return None,
        })
    });
    Api {
        integration: "routes = [{ path = \"/v1/files\", base_url = \"http://files.vendor.test:PORT\" }]",
        ..api
    }
}

pub(crate) fn of_stripe() -> Value {
    json!({ "customers": ["cus_1", "cus_2", "cus_3"], "created": "cus_7", "file": "file_7" })
}

pub(crate) fn hubspot() -> Api {
    Api::new(|request| {
        let contact = |id: &str| {
            json!({ "id": id, "properties": { "email": "a@b.test" }, "archived": false,
                    "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z" })
        };
        Some(match request.call() {
            ("GET", "/crm/v3/objects/contacts") if request.asks("after=2") => {
                Answer::json(&json!({ "results": [contact("3")] }))
            }
            ("GET", "/crm/v3/objects/contacts") => Answer::json(&json!({
                "results": [contact("1"), contact("2")],
                "paging": { "next": { "after": "2", "link": format!("{}/crm/v3/objects/contacts?after=2", origin(request)) } },
            })),
            ("POST", "/crm/v3/objects/contacts")
                if request.json()["properties"]["email"] == "new@b.test" =>
            {
                Answer::created(&contact("7"))
            }
            _ => return None,
        })
    })
}

pub(crate) fn of_hubspot() -> Value {
    json!({ "contacts": ["1", "2", "3"], "created": "7" })
}

pub(crate) fn notion() -> Api {
    let api = Api::new(|request| {
        let user = |id: &str| json!({ "object": "user", "id": id, "type": "person", "name": id });
        if request.field("notion-version").is_empty() {
            return None;
        }
        Some(match request.call() {
            ("GET", "/v1/users") if request.asks("start_cursor=two") => Answer::json(
                &json!({ "object": "list", "results": [user("c")], "has_more": false, "next_cursor": null }),
            ),
            ("GET", "/v1/users") => Answer::json(&json!({
                "object": "list", "results": [user("a"), user("b")], "has_more": true, "next_cursor": "two",
            })),
            ("POST", "/v1/pages") if request.json()["parent"]["page_id"] == "p" => {
                Answer::json(&json!({ "object": "page", "id": "new" }))
            }
            _ => return None,
        })
    });
    Api {
        integration: "headers = { \"notion-version\" = \"2022-06-28\" }",
        ..api
    }
}

pub(crate) fn of_notion() -> Value {
    json!({ "users": ["a", "b", "c"], "created": "new" })
}

/// Returns Google Drive.
pub(crate) fn drive() -> Api {
    Api::new(|request| {
        let file = |id: &str| json!({ "kind": "drive#file", "id": id, "name": id });
        Some(match request.call() {
            ("GET", "/drive/v3/files") if request.asks("pageToken=two") => {
                Answer::json(&json!({ "files": [file("c")] }))
            }
            ("GET", "/drive/v3/files") => {
                Answer::json(&json!({ "files": [file("a"), file("b")], "nextPageToken": "two" }))
            }
            ("POST", "/drive/v3/files") if request.json()["name"] == "new" => {
                Answer::json(&file("new"))
            }
            _ => return None,
        })
    })
}

pub(crate) fn of_drive() -> Value {
    json!({ "files": ["a", "b", "c"], "created": "new" })
}

/// Returns Jira, with basic authentication.
pub(crate) fn jira() -> Api {
    let api = Api::new(|request| {
        Some(match request.call() {
            ("GET", "/rest/api/2/issue/P-1") => {
                Answer::json(&json!({ "id": "1", "key": "P-1", "fields": { "summary": "first" } }))
            }
            ("POST", "/rest/api/2/issue") if request.json()["fields"]["summary"] == "new" => {
                Answer::created(&json!({ "id": "7", "key": "P-7" }))
            }
            _ => return None,
        })
    });
    Api {
        auth: "{ kind = \"basic\" }",
        secret: "{ username = \"u\", password = \"5toredPassword\" }",
        credential: ("authorization", "Basic dTo1dG9yZWRQYXNzd29yZA=="),
        ..api
    }
}

pub(crate) fn of_jira() -> Value {
    json!({ "summary": "first", "created": "P-7" })
}

/// Returns an MCP server with one tool, over streamable HTTP.
pub(crate) fn mcp() -> Api {
    Api::new(|request| {
        let message = request.json();
        let answer =
            |result: Value| json!({ "jsonrpc": "2.0", "id": message["id"], "result": result });
        let (method, path) = request.call();
        let has_session = request.field("mcp-session-id") == "session1";
        if path != "/mcp" {
            return None;
        }
        Some(match (method, message["method"].as_str().unwrap_or_default()) {
            ("POST", "initialize") => Answer::json(&answer(json!({
                "protocolVersion": message["params"]["protocolVersion"], "capabilities": { "tools": {} },
                "serverInfo": { "name": "fake", "version": "1" },
            })))
            .field("mcp-session-id", "session1"),
            ("POST", "notifications/initialized") if has_session => Answer::new(202, "text/plain", ""),
            ("POST", "tools/list") if has_session => Answer::json(&answer(json!({
                "tools": [{ "name": "add", "inputSchema": { "type": "object" } }],
            }))),
            ("POST", "tools/call") if has_session => {
                let event = answer(json!({ "content": [{ "type": "text", "text": "5" }], "isError": false }));
                let progress = json!({ "jsonrpc": "2.0", "method": "notifications/message",
                                       "params": { "level": "info", "data": "half" } });
                let pieces = [progress, event].map(|event| format!("event: message\ndata: {event}\n\n"));
                stream(&pieces)
            }
            // The server sends no messages of its own.
            ("GET", _) if has_session => Answer::new(405, "text/plain", ""),
            ("DELETE", _) if has_session => Answer::new(200, "text/plain", ""),
            _ => return None,
        })
    })
}

pub(crate) fn of_mcp() -> Value {
    json!({ "server": "fake", "tools": ["add"], "sum": "5" })
}

/// Returns Salesforce, whose next page is a path that begins at the root.
pub(crate) fn salesforce() -> Api {
    Api::new(|request| {
        let account = |id: &str| json!({ "attributes": { "type": "Account" }, "Id": id });
        Some(match request.call() {
            ("GET", "/services/data/v62.0/query") => Answer::json(&json!({
                "totalSize": 2, "done": false, "records": [account("1")],
                "nextRecordsUrl": "/services/data/v62.0/query/01g-2",
            })),
            ("GET", "/services/data/v62.0/query/01g-2") => {
                Answer::json(&json!({ "totalSize": 2, "done": true, "records": [account("2")] }))
            }
            ("POST", "/services/data/v62.0/sobjects/Account")
                if request.json()["Name"] == "new" =>
            {
                Answer::created(&json!({ "id": "7", "success": true, "errors": [] }))
            }
            _ => return None,
        })
    })
}

pub(crate) fn of_salesforce() -> Value {
    json!({ "records": ["1", "2"], "created": "7" })
}

/// Returns Twilio, whose callers use basic authentication, and whose next page is a path that begins at the root.
pub(crate) fn twilio() -> Api {
    let api = Api::new(|request| {
        let message = |id: &str| json!({ "sid": id, "body": "b", "status": "sent" });
        let (method, path) = request.call();
        let account = format!("/2010-04-01/Accounts/AC{}", "0".repeat(32));
        let path = path.strip_prefix(&account)?;
        let next = format!("{account}/Messages.json?PageSize=1&Page=1&PageToken=two");
        Some(match (method, path) {
            ("GET", "/Messages.json") if request.asks("PageToken=two") => {
                Answer::json(&json!({ "messages": [message("SM2")], "next_page_uri": null }))
            }
            ("GET", "/Messages.json") => {
                Answer::json(&json!({ "messages": [message("SM1")], "next_page_uri": next }))
            }
            ("POST", "/Messages.json") if request.text().contains("Good") => {
                Answer::created(&message("SM7"))
            }
            _ => return None,
        })
    });
    Api {
        auth: "{ kind = \"basic\" }",
        secret: "{ username = \"u\", password = \"5toredPassword\" }",
        credential: ("authorization", "Basic dTo1dG9yZWRQYXNzd29yZA=="),
        ..api
    }
}

pub(crate) fn of_twilio() -> Value {
    json!({ "messages": ["SM1", "SM2"], "created": "SM7" })
}

/// Returns Gemini, whose SDKs send the caller's key in the same field as the vendor's.
pub(crate) fn gemini() -> Api {
    let api = Api::new(|request| {
        let part = |text: &str| json!({ "candidates": [{ "content": { "role": "model", "parts": [{ "text": text }] } }] });
        let (method, path) = request.call();
        let path = path
            .strip_prefix("/v1beta")
            .or_else(|| path.strip_prefix("/v1"))?;
        Some(match (method, path) {
            ("POST", "/models/m:generateContent") => Answer::json(&part("Good morning")),
            ("POST", "/models/m:streamGenerateContent") if request.asks("alt=sse") => {
                stream(&sse(&["Good ", "morning"].map(part)))
            }
            _ => return None,
        })
    });
    Api {
        auth: "{ kind = \"header\", name = \"x-goog-api-key\", value = \"{api_key}\" }",
        secret: "{ api_key = \"5toredKey\" }",
        integration: "caller_key = { header = \"x-goog-api-key\" }",
        credential: ("x-goog-api-key", "5toredKey"),
        ..api
    }
}

pub(crate) fn of_gemini() -> Value {
    json!({ "text": "Good morning", "stream": "Good morning" })
}

/// Returns Microsoft Graph, whose next page is an absolute URL in the body.
pub(crate) fn graph() -> Api {
    Api::new(|request| {
        let user = |id: &str| json!({ "id": id, "displayName": id });
        Some(match request.call() {
            ("GET", "/v1.0/users") if request.query().contains("skiptoken=two") => {
                Answer::json(&json!({ "value": [user("c")] }))
            }
            ("GET", "/v1.0/users") => Answer::json(&json!({
                "@odata.nextLink": "https://graph.microsoft.com/v1.0/users?$top=2&$skiptoken=two",
                "value": [user("a"), user("b")],
            })),
            ("POST", "/v1.0/users") if request.json()["displayName"] == "new" => {
                Answer::created(&user("7"))
            }
            _ => return None,
        })
    })
}

pub(crate) fn of_graph() -> Value {
    json!({ "users": ["a", "b", "c"], "created": "7" })
}
