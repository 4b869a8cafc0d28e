//! The steps of `catalog_probe`.

use std::collections::HashMap;
use std::error::Error;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use tower_passthrough::body::RequestBody;
use tower_passthrough::catalog::{Catalog, Entry, Pkce};
use tower_passthrough::client::{Dispatch, TransportError, TransportErrorKind};
use tower_passthrough::policy::NetworkPolicy;
use tower_passthrough::{HttpTransport, Transport, Upstream};

/// The maximum size of a metadata document, in bytes.
const MAX_DOCUMENT: usize = 256 * 1024;
const CALL_TIMEOUT: Duration = Duration::from_secs(20);
const METADATA: [&str; 2] = [
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
];

#[derive(Debug, Default)]
pub(crate) struct Options {
    names: Vec<String>,
    variables: HashMap<String, String>,
    addresses: HashMap<String, (IpAddr, Option<u16>)>,
    root: Option<PathBuf>,
    date: Option<String>,
}

impl Options {
    /// Parses the arguments of the command line.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, Box<dyn Error>> {
        let mut options = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            if !argument.starts_with("--") {
                options.names.push(argument.clone());
                continue;
            }
            let value = arguments.next();
            let value = value.ok_or_else(|| format!("`{argument}` needs a value"))?;
            let pair = || {
                let pair = value.split_once('=');
                pair.ok_or_else(|| format!("`{argument} {value}` has no `=`"))
            };
            match &**argument {
                "--variable" => {
                    let (name, value) = pair()?;
                    options.variables.insert(name.into(), value.into());
                }
                "--resolve" => {
                    let (host, address) = pair()?;
                    let address = match address.parse::<SocketAddr>() {
                        Ok(socket) => (socket.ip(), Some(socket.port())),
                        Err(_) => (address.parse()?, None),
                    };
                    options.addresses.insert(host.into(), address);
                }
                "--root" => options.root = Some(value.into()),
                "--date" => options.date = Some(value.clone()),
                _ => return Err(format!("there is no option `{argument}`").into()),
            }
        }
        Ok(options)
    }
}

/// The result of all entries.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// A line for each entry.
    pub(crate) lines: Vec<String>,
    /// A patch of the catalog's source.
    pub(crate) patch: String,
    pub(crate) has_failed: bool,
}

/// Probes the entries one after the other.
pub(crate) async fn run(options: &Options) -> Result<Report, Box<dyn Error>> {
    let catalog = Catalog::bundled();
    let entries: Vec<_> = match options.names.is_empty() {
        true => catalog.iter().collect(),
        false => {
            let names = options.names.iter();
            let found = names.map(|name| {
                let entry = catalog.get(name);
                entry.ok_or_else(|| format!("there is no entry `{name}` in the catalog"))
            });
            found.collect::<Result<_, _>>()?
        }
    };
    let probe = Probe {
        transport: transport(options)?,
        options,
    };
    let mut report = Report::default();
    let mut changes = Vec::new();
    let (mut reached, mut unresolved) = (0, 0);
    for entry in entries {
        let name = entry.name();
        let outcome = match probe.entry(entry).await {
            Ok(Some(outcome)) => outcome,
            Ok(None) => {
                report
                    .lines
                    .push(format!("skipped {name}: it needs `--variable`"));
                continue;
            }
            Err(Unreached::Dns) => {
                unresolved += 1;
                report
                    .lines
                    .push(format!("fault {name}: the host can't be resolved"));
                continue;
            }
            Err(Unreached::Failed(why)) => {
                reached += 1;
                report.lines.push(format!("fault {name}: {why}"));
                report.has_failed = true;
                continue;
            }
        };
        reached += 1;
        report.has_failed |= !outcome.faults.is_empty();
        match outcome.faults.is_empty() {
            true => {
                report.lines.push(format!("ok {name}"));
                changes.push((entry, outcome.has_pkce));
            }
            false => {
                let faults = outcome.faults.iter();
                report
                    .lines
                    .extend(faults.map(|fault| format!("fault {name}: {fault}")));
            }
        }
    }
    if reached == 0 && unresolved > 0 {
        return Err("no host of the catalog can be resolved: is there a network?".into());
    }
    report.has_failed |= unresolved > 0;
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/catalog/integrations.toml");
    let date = options.date.clone().unwrap_or_else(today);
    report.patch = patch(&std::fs::read_to_string(file)?, &changes, &date);
    Ok(report)
}

fn transport(options: &Options) -> Result<HttpTransport, Box<dyn Error>> {
    let mut network = NetworkPolicy::new();
    let mut builder = HttpTransport::builder();
    for (host, (address, _)) in &options.addresses {
        network = network.allow((*address).into());
        builder = builder.resolve(host, *address);
    }
    if let Some(file) = &options.root {
        builder = builder.root_pem(&std::fs::read(file)?)?;
    }
    Ok(builder.network(network).build()?)
}

struct Probe<'a> {
    transport: HttpTransport,
    options: &'a Options,
}

/// The reason why an entry couldn't be compared.
enum Unreached {
    Dns,
    Failed(String),
}

#[derive(Default)]
struct Outcome {
    faults: Vec<String>,
    /// `true` if the metadata list S256 of PKCE.
    has_pkce: bool,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    content: Bytes,
}

impl Probe<'_> {
    /// Returns `None` if the entry has variables without a value.
    async fn entry(&self, entry: Entry) -> Result<Option<Outcome>, Unreached> {
        let verify = entry.verify().unwrap_or_default();
        let Some(url) = self.complete(entry, &format!("{}{verify}", entry.base_url())) else {
            return Ok(None);
        };
        let mut outcome = Outcome::default();
        let answer = self.get(&url).await?;
        if entry.verify().is_some() {
            outcome.faults.extend(faults_of_refusal(&answer));
        }
        let Some(oauth2) = entry.oauth2() else {
            return Ok(Some(outcome));
        };
        let authorize = oauth2
            .authorize_url()
            .and_then(|url| self.complete(entry, url));
        let token = oauth2.token_url().and_then(|url| self.complete(entry, url));
        let Some(host) = authorize.as_deref().or(token.as_deref()).and_then(origin) else {
            return Ok(Some(outcome));
        };
        for path in METADATA {
            // A server without metadata is normal, and so is a server that can't be reached: not each entry has checked URLs.
            let Ok(answer) = self.get(&format!("{host}{path}")).await else {
                continue;
            };
            let document = serde_json::from_slice::<serde_json::Value>(&answer.content);
            let (StatusCode::OK, Ok(document)) = (answer.status, document) else {
                continue;
            };
            for (member, ours) in [
                ("authorization_endpoint", &authorize),
                ("token_endpoint", &token),
            ] {
                let theirs = document.get(member).and_then(|value| value.as_str());
                if let (Some(theirs), Some(ours)) = (theirs, ours) {
                    let ours = ours.split('?').next().unwrap_or_default();
                    if theirs != ours {
                        let fault = format!("{path}: {member} is {theirs:?}, and not {ours:?}");
                        outcome.faults.push(fault);
                    }
                }
            }
            let methods = document.get("code_challenge_methods_supported");
            let methods = methods.and_then(|value| value.as_array());
            outcome.has_pkce |=
                methods.is_some_and(|all| all.iter().any(|method| method == "S256"));
            break;
        }
        Ok(Some(outcome))
    }

    /// Returns the URL with the values of its variables.
    fn complete(&self, entry: Entry, template: &str) -> Option<String> {
        let mut url = String::new();
        let mut rest = template;
        while let Some((before, opened)) = rest.split_once('{') {
            let (name, after) = opened.split_once('}')?;
            let mut variables = entry.variables();
            let default = || variables.find(|it| it.name() == name)?.default();
            let value = self.options.variables.get(name).map(String::as_str);
            url.push_str(before);
            url.push_str(value.or_else(default)?);
            rest = after;
        }
        url.push_str(rest);
        Some(url)
    }

    async fn get(&self, url: &str) -> Result<Answer, Unreached> {
        let invalid = |error: &dyn Error| Unreached::Failed(format!("{url}: {error}"));
        let url = self.with_port(url);
        let (base, _) = url.split_once(['?']).unwrap_or((&url, ""));
        let upstream = Upstream::new(base).map_err(|error| invalid(&error))?;
        let request = Request::get(&*url)
            .header(header::HOST, host_and_port(&url))
            .header(header::USER_AGENT, "tower-passthrough (catalog_probe)")
            .header(header::ACCEPT, "application/json")
            .body(RequestBody::empty())
            .map_err(|error| invalid(&error))?;
        let to = Dispatch::new(upstream.destination());
        let call = async {
            let response = self.transport.send(request, &to).await?;
            let (head, body) = response.into_parts();
            // The head is what counts. A larger or broken body is taken as empty.
            let body = Limited::new(body, MAX_DOCUMENT).collect().await;
            Ok::<_, TransportError>(Answer {
                status: head.status,
                headers: head.headers,
                content: body.map(|body| body.to_bytes()).unwrap_or_default(),
            })
        };
        match tokio::time::timeout(CALL_TIMEOUT, call).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) if error.kind() == TransportErrorKind::Dns => Err(Unreached::Dns),
            Ok(Err(error)) => Err(invalid(&error)),
            Err(_) => Err(Unreached::Failed(format!("{url}: no answer in 20 s"))),
        }
    }

    /// Returns the URL with the port of `--resolve`.
    fn with_port(&self, url: &str) -> String {
        let host = host_and_port(url);
        match self.options.addresses.get(host) {
            Some((_, Some(port))) => url.replacen(host, &format!("{host}:{port}"), 1),
            _ => url.to_owned(),
        }
    }
}

fn faults_of_refusal(answer: &Answer) -> Vec<String> {
    let mut faults = Vec::new();
    if !matches!(
        answer.status,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
    ) {
        faults.push(format!(
            "the verify path is answered with {}",
            answer.status
        ));
    }
    let kind = answer.headers.get(header::CONTENT_TYPE);
    let kind = kind
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if kind
        .trim_start()
        .to_ascii_lowercase()
        .starts_with("text/html")
    {
        faults.push("the verify path is answered with HTML".into());
    }
    faults
}

/// Returns scheme, host and port.
fn origin(url: &str) -> Option<&str> {
    let begin = url.find("://")? + 3;
    let end = url.get(begin..)?.find(['/', '?']);
    url.get(..end.map_or(url.len(), |end| begin + end))
}

fn host_and_port(url: &str) -> &str {
    let origin = origin(url).unwrap_or(url);
    origin.split_once("://").map_or(origin, |(_, host)| host)
}

/// Returns a patch without context, for `git apply --unidiff-zero`.
fn patch(source: &str, changes: &[(Entry, bool)], date: &str) -> String {
    let mut hunks = String::new();
    let mut current = None;
    for (number, line) in source.lines().enumerate() {
        if let Some(table) = line.strip_prefix("[entry.") {
            let name = table.split([']', '.']).next();
            current = changes.iter().find(|(entry, _)| Some(entry.name()) == name);
        }
        let Some((entry, has_pkce)) = current else {
            continue;
        };
        let is_unknown = entry.oauth2().is_some_and(|it| it.pkce() == Pkce::Unknown);
        let new = if line.starts_with("checked = ") {
            format!("checked = \"{date}\"")
        } else if line == "pkce = \"unknown\"" && is_unknown && *has_pkce {
            "pkce = \"supported\"".to_owned()
        } else {
            continue;
        };
        if new != line {
            let number = number + 1;
            let _ = writeln!(hunks, "@@ -{number} +{number} @@\n-{line}\n+{new}");
        }
    }
    match hunks.is_empty() {
        true => hunks,
        false => {
            let file = "catalog/integrations.toml";
            format!("--- a/{file}\n+++ b/{file}\n{hunks}")
        }
    }
}

/// Returns the date of today in UTC, by the algorithm of the proleptic Gregorian calendar with years that begin in March.
fn today() -> String {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let days = since.as_secs() / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = match month_from_march < 10 {
        true => month_from_march + 3,
        false => month_from_march - 9,
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}
