//! `auth`: the authentication of an integration's calls. It's a table with a `kind`, or an array of
//! such tables for upstreams that need several credentials at once.
//!
//! The keys of a table depend on its kind. So each table is read twice from the parsed file: first
//! for the kind, and then for the keys of that kind.

mod entry;
mod hmac;
mod oauth1;
mod oauth2;
mod plain;
mod sigv4;

pub(super) use self::entry::{has_own_id, read as of_entry};
pub(crate) use self::oauth2::{Tokens, may_rotate};

use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeValue, ValueDeserializer};
use tower_passthrough::auth::{AuthScheme, NoAuth, SchemeError};

use super::Folder;
use super::integration::Variables;
use super::problem::{Problem, Problems};
use super::value::Size;
use super::value::{Form, Text};

/// The authentication of an integration, as its `auth` defines it.
pub(super) struct Authentication {
    pub(super) scheme: Arc<dyn AuthScheme>,
    pub(super) needs: Needs,
    pub(super) tokens: Option<Tokens>,
}

/// The content of a single table.
struct One {
    scheme: Scheme,
    needs: Needs,
    tokens: Option<Tokens>,
}

type Scheme = Box<dyn AuthScheme>;

/// The settings of an integration that its `auth` depends on.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub(super) folder: Folder<'a>,
    pub(super) base_url: &'a str,
    pub(super) variables: &'a Variables,
    /// `true` if upstreams may be called without TLS.
    pub(super) plaintext: bool,
}

impl Surroundings<'_> {
    fn is_refused_plaintext(&self, url: &str) -> bool {
        super::integration::is_http(url) && !self.plaintext
    }
}

/// The secrets that a connection must have. It must have at least one secret of each group.
#[derive(Clone, Debug, Default)]
pub(crate) struct Needs(Vec<Vec<String>>);

impl Needs {
    fn of(scheme: &dyn AuthScheme) -> Self {
        let requirements = scheme.requirements();
        let names = requirements.secrets().iter();
        Self(names.map(|name| vec![String::from(&**name)]).collect())
    }

    /// Returns the secrets. The names in a group are alternatives.
    pub(super) fn groups(&self) -> &[Vec<String>] {
        &self.0
    }

    /// Returns the secrets that are missing, in the form in which a message names them.
    pub(super) fn missing(&self, has: impl Fn(&str) -> bool) -> impl Iterator<Item = String> {
        let missing = self
            .0
            .iter()
            .filter(move |any| !any.iter().any(|name| has(name)));
        missing.map(|any| format!("`secret.{}`", any.join("` or `secret.")))
    }
}

/// The kinds of authentication.
#[derive(Clone, Copy)]
enum AuthKind {
    None,
    Bearer,
    Basic,
    Header,
    Query,
    OAuth2,
    SigV4,
    OAuth1,
    Hmac,
    Mtls,
}

impl Form for AuthKind {
    const EXPECTED: &'static str = "\"none\", \"bearer\", \"basic\", \"header\", \"query\", \"oauth2\", \"sigv4\", \"oauth1\", \
                                    \"hmac\" or \"mtls\"";

    fn read(text: &str) -> Option<Self> {
        match text {
            "none" => Some(Self::None),
            "bearer" => Some(Self::Bearer),
            "basic" => Some(Self::Basic),
            "header" => Some(Self::Header),
            "query" => Some(Self::Query),
            "oauth2" => Some(Self::OAuth2),
            "sigv4" => Some(Self::SigV4),
            "oauth1" => Some(Self::OAuth1),
            "hmac" => Some(Self::Hmac),
            "mtls" => Some(Self::Mtls),
            _ => None,
        }
    }
}

/// The `kind` of a table.
#[derive(Deserialize)]
#[serde(expecting = "a table such as { kind = \"bearer\" }")]
struct Tagged {
    kind: Spanned<Text<AuthKind>>,
}

/// Reads a table of `auth`, or an array of such tables. Returns `None` if there is a problem.
pub(super) fn read(
    auth: Option<&Spanned<DeValue<'_>>>,
    around: Surroundings<'_>,
    problems: &mut Problems,
) -> Option<Authentication> {
    let Some(auth) = auth else {
        return Some(One::of(Box::new(NoAuth)).alone());
    };
    let DeValue::Array(tables) = auth.get_ref() else {
        return Some(problems.ok(one(auth, around))?.alone());
    };
    if tables.is_empty() {
        let what = "expected at least one table; for no authentication, remove the key";
        problems.push(Problem::at(auth, what));
    }
    let mut ones = Vec::new();
    for table in tables.iter() {
        let one = problems.ok(one(table, around))?;
        if one.tokens.is_some() && ones.iter().any(|other: &One| other.tokens.is_some()) {
            let what = "expected at most one table of kind \"oauth2\"";
            problems.push(Problem::at(table, what));
        }
        ones.push(one);
    }
    Some(together(ones))
}

/// Returns the authentication by all tables.
///
/// If another table sends the access token, the token is sent only there, and not as a bearer token as well. Secrets that
/// the token endpoint returns needn't be stored before the first refresh.
fn together(ones: Vec<One>) -> Authentication {
    let sends_token = |one: &One| {
        let requirements = one.scheme.requirements();
        let mut secrets = requirements.secrets().iter();
        one.tokens.is_none() && secrets.any(|name| **name == *oauth2::ACCESS_TOKEN)
    };
    let is_sent_elsewhere = ones.iter().any(sends_token);
    let tokens = ones.iter().find_map(|one| one.tokens.clone());
    let comes_later = |any: &[String]| {
        let tokens = tokens.as_ref();
        tokens.is_some_and(|tokens| any.iter().any(|name| tokens.bring(name)))
    };
    let mut needs = Needs::default();
    let mut schemes = Vec::new();
    for one in ones {
        let is_oauth2 = one.tokens.is_some();
        let required = one.needs.0.into_iter();
        needs
            .0
            .extend(required.filter(|any| is_oauth2 || !comes_later(any)));
        if !(is_oauth2 && is_sent_elsewhere) {
            schemes.push(one.scheme);
        }
    }
    Authentication {
        scheme: Arc::new(schemes),
        needs,
        tokens,
    }
}

impl One {
    /// Returns the content of a table that needs only the secrets of its scheme.
    fn of(scheme: Scheme) -> Self {
        Self {
            needs: Needs::of(&*scheme),
            scheme,
            tokens: None,
        }
    }

    fn alone(self) -> Authentication {
        Authentication {
            scheme: Arc::from(self.scheme),
            needs: self.needs,
            tokens: self.tokens,
        }
    }
}

fn one(table: &Spanned<DeValue<'_>>, around: Surroundings<'_>) -> Result<One, Problem> {
    let kind = shape::<Tagged>(table)?.kind;
    let scheme = match kind.get_ref().0 {
        AuthKind::None => plain::none(table)?,
        AuthKind::Bearer => plain::bearer(table)?,
        AuthKind::Basic => plain::basic(table)?,
        AuthKind::Header => plain::header(table)?,
        AuthKind::Query => plain::query(table)?,
        AuthKind::OAuth2 => return oauth2::read(table, around),
        AuthKind::SigV4 => sigv4::read(table)?,
        AuthKind::OAuth1 => oauth1::read(table)?,
        AuthKind::Hmac => hmac::read(table)?,
        AuthKind::Mtls if super::integration::is_http(around.base_url) => {
            let what = "client certificates need a base URL with https://";
            return Err(Problem::at(&kind, what));
        }
        AuthKind::Mtls => plain::mtls(table)?,
    };
    Ok(One::of(scheme))
}

/// Reads a table of a known kind. Keys that the kind doesn't have are reported as a problem.
fn shape<T: DeserializeOwned>(table: &Spanned<DeValue<'_>>) -> Result<T, Problem> {
    let table = ValueDeserializer::from(table.clone());
    T::deserialize(table).map_err(|error| Problem::of_shape(&error))
}

fn unfit(place: &Spanned<String>, error: SchemeError) -> Problem {
    Problem::at(place, error.to_string())
}

fn bytes(size: &Spanned<Size>) -> usize {
    usize::try_from(size.get_ref().0).unwrap_or(usize::MAX)
}
