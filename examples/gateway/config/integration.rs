//! `[integration.*]`: how one vendor is called.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use toml::Spanned;
use tower_passthrough::auth::{AuthScheme, Basic, Bearer, Header, NoAuth, Query, SchemeError};
use tower_passthrough::{BaseUrlError, BaseUrlTemplate, DomainPolicy, Integrations, Upstream};

use super::choice::AuthKind;
use super::file::{Auth, Integration};
use super::problem::{Problem, Problems};

pub(super) fn all(
    integrations: &BTreeMap<String, Spanned<Integration>>,
    plaintext: bool,
    problems: &mut Problems,
) -> Integrations {
    integrations.iter().fold(
        Integrations::new(),
        |table, (name, integration)| match upstream(integration, plaintext, problems) {
            Some(upstream) => table.with(name.as_str(), upstream),
            None => table,
        },
    )
}

fn upstream(
    place: &Spanned<Integration>,
    plaintext: bool,
    problems: &mut Problems,
) -> Option<Upstream<BaseUrlTemplate>> {
    let integration = place.get_ref();
    let base_url = base_url(integration, plaintext);
    let scheme = scheme(integration.auth.as_ref(), problems);
    let domains = domains(&integration.domains, problems);
    let mut upstream = problems.ok(base_url)?.shared_auth(scheme?).domains(domains);
    for (name, value) in &integration.headers {
        if let Some((name, value)) = problems.ok(header(name, value)) {
            upstream = upstream.header(name, value);
        }
    }
    Some(upstream)
}

/// The base URL with its variables' patterns.
fn base_url(
    integration: &Integration,
    plaintext: bool,
) -> Result<Upstream<BaseUrlTemplate>, Problem> {
    let place = &integration.base_url;
    let url = place.get_ref();
    let mut upstream = Upstream::template(url).map_err(|error| {
        let expected = "expected a URL such as \"https://api.vendor.com/v2\"";
        Problem::at(place, format!("{error}, {expected}"))
    })?;
    let is_http = url
        .get(..5)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("http:"));
    if is_http && !plaintext {
        return Err(Problem::at(
            place,
            "expected https://, as `network.plaintext` isn't set",
        ));
    }
    for (name, variable) in &integration.variables {
        let set = |upstream: Upstream<BaseUrlTemplate>| {
            let table = &variable.get_ref().0;
            let upstream = match &table.pattern {
                Some(pattern) => upstream.variable(name, pattern)?,
                None => upstream,
            };
            match &table.default {
                Some(default) => upstream.variable_default(name, default),
                None => Ok(upstream),
            }
        };
        upstream = set(upstream)
            .map_err(|error: BaseUrlError| Problem::at(variable, error.to_string()))?;
    }
    Ok(upstream)
}

fn domains(patterns: &[Spanned<String>], problems: &mut Problems) -> DomainPolicy {
    patterns
        .iter()
        .fold(DomainPolicy::none(), |policy, pattern| {
            if let Some((address, port)) = literal_address(pattern.get_ref()) {
                return policy.allow_address(address, port);
            }
            let allowed = policy.clone().allow(pattern.get_ref());
            let allowed = allowed.map_err(|error| {
                Problem::at(
                    pattern,
                    format!("{error}, expected \"host\", \"host:port\" or \"*.suffix\""),
                )
            });
            problems.ok(allowed).unwrap_or(policy)
        })
}

/// An address in its usual spelling, with or without a port. Others (`127.1`) are left to the
/// policy, which refuses them.
fn literal_address(text: &str) -> Option<(IpAddr, Option<u16>)> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !text.ends_with(']') => (
            host,
            Some(port.parse().ok().filter(|&port: &u16| port > 0)?),
        ),
        _ => (text, None),
    };
    let address: IpAddr = match host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        Some(inside) => inside.parse::<Ipv6Addr>().ok()?.into(),
        None => host.parse::<std::net::Ipv4Addr>().ok()?.into(),
    };
    Some((address, port))
}

/// Fields that frame or route a message are the transport's own to set.
const FRAMING: [&str; 13] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

fn header(
    name: &Spanned<String>,
    value: &Spanned<String>,
) -> Result<(HeaderName, HeaderValue), Problem> {
    let text = HeaderName::from_bytes(name.get_ref().as_bytes());
    let text = text.map_err(|_| Problem::at(name, "expected a header's name"))?;
    if FRAMING.contains(&text.as_str()) {
        return Err(Problem::at(
            name,
            "this header frames or routes the message, and can't be a default one",
        ));
    }
    let value = HeaderValue::from_str(value.get_ref())
        .map_err(|_| Problem::at(value, "expected a header's value: no control characters"))?;
    Ok((text, value))
}

/// The authentication scheme. `None` if a problem was found.
fn scheme(auth: Option<&Spanned<Auth>>, problems: &mut Problems) -> Option<Arc<dyn AuthScheme>> {
    let Some(place) = auth else {
        return Some(Arc::new(NoAuth));
    };
    let auth = place.get_ref();
    let missing = |key: &str, problems: &mut Problems| {
        problems.push(Problem::at(place, format!("missing key `{key}`")))
    };
    let Some(kind) = &auth.kind else {
        missing("kind", problems);
        return None;
    };
    let takes: &[&str] = match kind.get_ref().0 {
        AuthKind::None | AuthKind::Bearer | AuthKind::Basic => &[],
        AuthKind::Header => &["name", "value"],
        AuthKind::Query => &["name"],
        AuthKind::Later(name) => {
            problems.push(Problem::not_yet(
                kind,
                &format!("authentication of kind \"{name}\""),
            ));
            return None;
        }
    };
    let strays = [("name", &auth.name), ("value", &auth.value)];
    let strays = strays
        .into_iter()
        .filter(|(key, _)| !takes.contains(key))
        .filter_map(|(_, stray)| stray.as_ref());
    for stray in auth.others.iter().chain(strays) {
        let expected = match takes {
            [] => "expected none beside `kind`".to_owned(),
            _ => format!("expected `kind`, `{}`", takes.join("`, `")),
        };
        problems.push(Problem::at(
            stray,
            format!("this kind takes no such key, {expected}"),
        ));
    }
    let unfit = |place: &Spanned<String>, error: SchemeError| Problem::at(place, error.to_string());
    match kind.get_ref().0 {
        AuthKind::Bearer => Some(Arc::new(Bearer)),
        AuthKind::Basic => Some(Arc::new(Basic)),
        AuthKind::Header => match (&auth.name, &auth.value) {
            (Some(name), Some(value)) => {
                // With no template first, to know which of the two is at fault.
                let header = Header::new(name.get_ref(), "")
                    .map_err(|error| unfit(name, error))
                    .and_then(|_| {
                        Header::new(name.get_ref(), value.get_ref())
                            .map_err(|error| unfit(value, error))
                    });
                Some(Arc::new(problems.ok(header)?))
            }
            (name, value) => {
                if name.is_none() {
                    missing("name", problems);
                }
                if value.is_none() {
                    missing("value", problems);
                }
                None
            }
        },
        AuthKind::Query => match &auth.name {
            Some(name) => {
                let query = Query::new(name.get_ref()).map_err(|error| unfit(name, error));
                Some(Arc::new(problems.ok(query)?.secret("api_key")))
            }
            None => {
                missing("name", problems);
                None
            }
        },
        AuthKind::None | AuthKind::Later(_) => Some(Arc::new(NoAuth)),
    }
}
