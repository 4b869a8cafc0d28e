//! `connections verify ID`: a call that shows whether the connection's credential is valid.
//!
//! The call takes the same way as the calls of a running gateway: the same settings, network policy and store, and tokens that are
//! refreshed on the way are stored. The response's body is only read to find the value `verify_ok`, and nothing of it is shown, because an
//! upstream may repeat the credential there.

use std::io::{self, Write};
use std::process::ExitCode;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use serde_json::Value;
use tower::ServiceExt;
use tower_passthrough::store::{ConnectionKey, TokenStore};
use tower_passthrough::{ConnectionId, StoreError};

use super::list::escaped;
use super::{Failure, ended};
use crate::Host;
use crate::addressing::Ways;
use crate::callers::Callers;
use crate::config::{Config, Store};

/// The maximum size of a body that is read, in bytes: an error of the gateway, or the answer that contains `verify_ok`.
const BODY: usize = 64 << 10;

const AGENT: HeaderValue = HeaderValue::from_static("passthrough-gateway");

/// Runs the command. The exit code is 0 if the credential works.
pub(crate) fn main(id: &ConnectionId, config: Config) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return ended(Err(error.into())),
    };
    let done = runtime.block_on(verify(id, config));
    // A DNS look-up that is under way blocks a thread, and must not delay the exit.
    runtime.shutdown_background();
    ended(done)
}

async fn verify(id: &ConnectionId, mut config: Config) -> Result<(), Failure> {
    let is_file = matches!(config.store, Store::File(_));
    // A file can't keep new tokens: a refresh token that is replaced here would be lost, also for the running gateway.
    config.refresh.spares_rotating = is_file;
    config.callers = Callers::anyone();
    config.ways = Ways::default();
    config.rewrite_links = false;
    config.may_rewrite_links = false;
    let Callers::Anyone(caller) = &config.callers else {
        return Err(Failure::Other("the callers aren't set".to_owned()));
    };
    let caller = caller.clone();
    let declared = config.declared.clone();
    let mut host = Host::of(&config).map_err(|error| Failure::Other(error.to_string()))?;
    host.routes(config).await.map_err(|error| {
        match error.downcast::<crate::store::OpenError>() {
            Ok(error) => Failure::from(*error),
            Err(error) => Failure::Other(error.to_string()),
        }
    })?;
    let (Some(service), Some(served)) = (host.previous.clone(), host.served.clone()) else {
        return Err(Failure::Other("the service isn't set up".to_owned()));
    };
    let shown = escaped(id.as_str());
    let stored = match served.store().read(&ConnectionKey::from(id)).await {
        Ok(stored) => stored.connection,
        Err(StoreError::NotFound) => {
            let what = format!("there is no connection with the id {shown}");
            return Err(Failure::Usage(what));
        }
        Err(error) => return Err(error.into()),
    };
    let integration = stored.integration();
    let Some(facts) = declared.facts(integration) else {
        let what = declared.unknown(integration);
        return Err(Failure::Usage(format!("the connection {shown}: {what}")));
    };
    let name = escaped(&facts.name);
    let Some(path) = facts.verify_path(&stored) else {
        return Err(Failure::Usage(format!(
            "no call is known that verifies a connection of {name}: set `verify`, such as verify = \"/users/me\", in \
             [integration.{name}]{}",
            match facts.entry {
                Some(entry) => format!(" with extends = {:?}", entry.name()),
                None => String::new(),
            }
        )));
    };
    let path = path.map_err(|variable| {
        Failure::Other(format!(
            "the connection {shown} lacks the variable `{variable}`"
        ))
    })?;
    let refreshes = declared.refreshes();
    let is_spared = is_file && refreshes.may_rotate(&stored) && refreshes.allow(&stored);

    let uri = format!("/{}{path}", encoded(id.as_str()));
    let request = Request::get(uri)
        .header(USER_AGENT, AGENT)
        .header(http::header::ACCEPT, "application/json, */*;q=0.5")
        .extension(caller)
        .body(Empty::<Bytes>::new())
        .map_err(|error| Failure::Other(format!("the call can't be made: {error}")))?;
    let Ok(response) = service.oneshot(request).await;
    let (head, body) = response.into_parts();
    let own = own_code(&head.headers);
    let verdict = match own {
        Some(code) => {
            let detail = Limited::new(body, BODY).collect().await.ok();
            let detail = detail.and_then(|detail| detail_of(&detail.to_bytes()));
            let mut text = format!("{code}: {}", advice(&code));
            if let Some(detail) = detail {
                text = format!("{text}\n{}", escaped(&detail));
            }
            Verdict { works: false, text }
        }
        None => {
            let verdict = Verdict::of(head.status, &head.headers);
            match (&facts.verify_ok, verdict.works) {
                (Some(path), true) => {
                    let body = Limited::new(body, BODY).collect().await.ok();
                    let body = body.map(|body| body.to_bytes());
                    Verdict::of_answer(body.as_deref(), path)
                }
                _ => verdict,
            }
        }
    };
    host.refreshed().await;

    let mut out = io::stdout().lock();
    let template = escaped(facts.verify.as_deref().unwrap_or_default());
    let answer = match own_code(&head.headers) {
        Some(_) => "no response of the vendor".to_owned(),
        None => format!("{}, {}", head.status.as_u16(), content(&head.headers)),
    };
    writeln!(out, "{shown} ({name}): GET {template}: {answer}")?;
    writeln!(out, "{}", verdict.text)?;
    if verdict.works {
        if facts.note.is_some() {
            writeln!(out, "`catalog show {name}` has notes about this vendor")?;
        }
        return Ok(out.flush()?);
    }
    if is_spared {
        writeln!(
            out,
            "tokens weren't refreshed, because the vendor may replace the refresh token, and the config file can't keep a new one: \
             a running gateway refreshes them; use [store] to verify with a refresh"
        )?;
    }
    out.flush()?;
    Err(Failure::Told)
}

struct Verdict {
    works: bool,
    text: String,
}

impl Verdict {
    /// Returns the meaning of the vendor's response.
    fn of(status: StatusCode, headers: &HeaderMap) -> Self {
        let is_page = content(headers) == HTML;
        let text = match status.as_u16() {
            200..=299 if is_page => {
                "the vendor answered with a web page, so it isn't known whether the credential works: check the base URL and `verify`"
            }
            200..=299 => "the credential works",
            300..=399 => {
                "the vendor redirects the call, so it isn't known whether the credential works: check the base URL and its variables"
            }
            401 => {
                "the vendor refused the credential (401): it's wrong, it has expired, or it was revoked; the connection's owner must \
                 enter or authorize it again"
            }
            403 => {
                "the vendor refused the call (403): the credential may lack a permission, or it isn't valid; check its scopes"
            }
            404 | 410 => {
                "the vendor has nothing at this path, so it isn't known whether the credential works: check the base URL, its variables \
                 and `verify`"
            }
            429 => "the vendor limits the number of calls (429): try again later",
            500..=599 => {
                "the vendor failed, so it isn't known whether the credential works: try again later"
            }
            _ => {
                "the vendor refused the call, so it isn't known whether the credential works: see the vendor's documentation"
            }
        };
        Self {
            works: status.is_success() && !is_page,
            text: text.to_owned(),
        }
    }

    /// Returns the meaning of the content of a response with success. `body` is `None` if the body is too large or ended early.
    fn of_answer(body: Option<&[u8]>, path: &str) -> Self {
        let answer = body.and_then(|body| serde_json::from_slice::<Value>(body).ok());
        let Some(answer) = answer else {
            let text = format!(
                "the vendor's answer isn't JSON of at most 64 KiB, so `{}` (verify_ok) can't be read, and it isn't known whether the \
                 credential works: check the base URL, `verify` and `verify_ok`",
                escaped(path)
            );
            return Self { works: false, text };
        };
        let value = path.split('.').try_fold(&answer, |at, name| at.get(name));
        let works = !matches!(value, None | Some(Value::Null | Value::Bool(false)));
        let text = match works {
            true => "the credential works".to_owned(),
            false => format!(
                "the vendor answered with success, but without `{}` (verify_ok) in its answer, or with null or false there: the credential \
                 is wrong, it has expired, or it was revoked; the connection's owner must enter or authorize it again",
                escaped(path)
            ),
        };
        Self { works, text }
    }
}

const HTML: &str = "HTML";

/// Returns the kind of content. The field's value isn't shown, because it's the vendor's text.
fn content(headers: &HeaderMap) -> &'static str {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let value = value.unwrap_or_default().to_ascii_lowercase();
    let media = value.split(';').next().unwrap_or_default().trim();
    match media {
        "" => "without a content type",
        "application/json" => "JSON",
        "text/html" | "application/xhtml+xml" => HTML,
        "application/xml" | "text/xml" => "XML",
        "text/plain" => "plain text",
        media if media.ends_with("+json") => "JSON",
        media if media.ends_with("+xml") => "XML",
        _ => "another content type",
    }
}

/// Returns the code of an error of the gateway itself.
fn own_code(headers: &HeaderMap) -> Option<String> {
    let code = headers.get("passthrough-error")?.to_str().ok()?;
    Some(code.to_owned())
}

/// Returns the detail of an error of the gateway, which contains no secret.
fn detail_of(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    Some(body.get("detail")?.as_str()?.to_owned())
}

/// Returns what an operator can do about an error of the gateway.
fn advice(code: &str) -> &'static str {
    match code {
        "reauthorize" => {
            "only the connection's owner can repair it: authorize it again, or enter its missing secrets and variables, and import or add \
             the connection again"
        }
        "refresh-failed" => {
            "the token endpoint failed: check client_id, client_secret and token_url, and try again later"
        }
        "upstream-unreachable" => {
            "the vendor is unreachable: check the base URL and its variables, DNS, [network] and the vendor's certificate"
        }
        "upstream-timeout" => {
            "the vendor didn't answer in time: try again later, or set longer [timeouts]"
        }
        "upstream-protocol" => {
            "the vendor's answer isn't HTTP: check the scheme and the port of the base URL"
        }
        "destination-refused" => {
            "the network policy refuses the vendor's address: check the base URL and its variables; for a vendor in a private network, \
             add its block to network.allow"
        }
        "domain-refused" => "the host isn't allowed: check `domains`",
        "store-unavailable" => {
            "the store or the integration can't be used: check [store], and the log above"
        }
        "overloaded" => "too many calls are under way: try again later",
        "rate-limited" => "the gateway's own limit is reached: see [limits], and try again later",
        "unknown-connection" => "the connection was removed in the meantime",
        "bad-address" | "bad-domain" | "method-refused" => "the call can't be made: check `verify`",
        _ => "the call failed",
    }
}

/// Returns the id as a segment of a path (RFC 3986 §3.3).
fn encoded(id: &str) -> String {
    let mut encoded = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
