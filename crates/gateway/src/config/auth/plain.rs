//! The kinds that send a secret without a signature, or use a client certificate: `none`, `bearer`,
//! `basic`, `header`, `query` and `mtls`.

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;
use toml::de::DeValue;
use tower_passthrough::auth::{self, NoAuth};

use super::{Problem, Scheme, shape, unfit};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KindAlone {
    #[serde(rename = "kind")]
    _kind: IgnoredAny,
}

pub(super) fn none(table: &Spanned<DeValue<'_>>) -> Result<Scheme, Problem> {
    shape::<KindAlone>(table)?;
    Ok(Box::new(NoAuth))
}

pub(super) fn bearer(table: &Spanned<DeValue<'_>>) -> Result<Scheme, Problem> {
    shape::<KindAlone>(table)?;
    Ok(Box::new(auth::Bearer))
}

pub(super) fn basic(table: &Spanned<DeValue<'_>>) -> Result<Scheme, Problem> {
    shape::<KindAlone>(table)?;
    Ok(Box::new(auth::Basic))
}

pub(super) fn mtls(table: &Spanned<DeValue<'_>>) -> Result<Scheme, Problem> {
    shape::<KindAlone>(table)?;
    Ok(Box::new(auth::Mtls))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    #[serde(rename = "kind")]
    _kind: IgnoredAny,
    name: Spanned<String>,
    value: Spanned<String>,
}

pub(super) fn header(table: &Spanned<DeValue<'_>>) -> Result<Scheme, Problem> {
    let Header { name, value, .. } = shape(table)?;
    // The name is checked with an empty template first, so that the error is about the right key.
    auth::Header::new(name.get_ref(), "").map_err(|error| unfit(&name, error))?;
    let header = auth::Header::new(name.get_ref(), value.get_ref());
    Ok(Box::new(header.map_err(|error| unfit(&value, error))?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    #[serde(rename = "kind")]
    _kind: IgnoredAny,
    name: Spanned<String>,
    secret: Option<String>,
}

pub(super) fn query(table: &Spanned<DeValue<'_>>) -> Result<Scheme, Problem> {
    let Query { name, secret, .. } = shape(table)?;
    let query = auth::Query::new(name.get_ref()).map_err(|error| unfit(&name, error))?;
    Ok(Box::new(
        query.secret(secret.as_deref().unwrap_or("api_key")),
    ))
}
