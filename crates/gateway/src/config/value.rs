//! Values of the file that have a format: durations, sizes, addresses, and the place of a secret.
//!
//! Error messages contain the expected format, but never the value.

use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use http::Method;
use ipnet::IpNet;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;
use tower_passthrough::Secret;

use super::program::is_command;
use crate::listen::{Listen, Mode};

/// A value of type `T`, which is parsed from a string.
#[derive(Clone, Debug)]
pub(super) struct Text<T>(pub(super) T);

/// The conversion from a string to the type in a [`Text`].
pub(super) trait Form: Sized {
    const EXPECTED: &'static str;

    fn read(text: &str) -> Option<Self>;
}

impl Form for Listen {
    const EXPECTED: &'static str = Self::EXPECTED;

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Form for Mode {
    const EXPECTED: &'static str = "permissions as octal digits, such as \"660\"";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Form for IpAddr {
    const EXPECTED: &'static str = "an IP address, such as \"127.0.0.1\"";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Form for IpNet {
    const EXPECTED: &'static str = "a block of addresses, such as \"10.0.0.0/8\"";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Form for Duration {
    const EXPECTED: &'static str = "a duration, such as \"10s\", \"500ms\" or \"2m\"";

    fn read(text: &str) -> Option<Self> {
        humantime::parse_duration(text).ok()
    }
}

impl Form for Method {
    const EXPECTED: &'static str = "a method in capitals, such as \"GET\"";

    fn read(text: &str) -> Option<Self> {
        // Methods are case-sensitive, and a method in lower case would never match.
        let shouted = !text.bytes().any(|byte| byte.is_ascii_lowercase());
        text.parse().ok().filter(|_| shouted)
    }
}

struct TextVisitor<T>(PhantomData<T>);

impl<T: Form> Visitor<'_> for TextVisitor<T> {
    type Value = Text<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text<T>, E> {
        let read = T::read(text).ok_or_else(|| E::custom(format_args!("expected {}", T::EXPECTED)));
        read.map(Text)
    }
}

impl<'de, T: Form> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor(PhantomData))
    }
}

/// A number of bytes: `0`, `"10MiB"`, `"1KB"`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size(pub(super) u64);

impl Size {
    const EXPECTED: &'static str = "a number of bytes, such as \"10MiB\" or \"1KB\"";
}

struct SizeVisitor;

impl Visitor<'_> for SizeVisitor {
    type Value = Size;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Size::EXPECTED)
    }

    fn visit_i64<E: Error>(self, bytes: i64) -> Result<Size, E> {
        let bytes = u64::try_from(bytes);
        bytes
            .map(Size)
            .map_err(|_| E::custom(format_args!("expected {}", Size::EXPECTED)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Size, E> {
        let size = text.parse::<bytesize::ByteSize>();
        size.map(|size| Size(size.as_u64()))
            .map_err(|_| E::custom(format_args!("expected {}", Size::EXPECTED)))
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SizeVisitor)
    }
}

/// A whole number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count(pub(super) u64);

struct CountVisitor;

impl Visitor<'_> for CountVisitor {
    type Value = Count;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_i64<E: Error>(self, count: i64) -> Result<Count, E> {
        let count = u64::try_from(count);
        count
            .map(Count)
            .map_err(|_| E::custom("expected a whole number, 0 or more"))
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_i64(CountVisitor)
    }
}

/// The place of a secret: in the file itself, in the environment, in another file, or in the output of a program.
///
/// In the file, a secret is usually a string. It can also be a number or a date, because users
/// write `expires_at` like that. It's then converted to a decimal number, or to a date in the
/// format of RFC 3339.
#[derive(Debug)]
pub(super) enum SecretSource {
    Literal(Secret),
    Environment(String),
    File(PathBuf),
    /// A program and its arguments.
    Command(Vec<String>),
}

/// The key of a program and its arguments.
pub(super) const COMMAND: &str = "command";

/// The name under which toml returns the text of a date, because serde has no type for dates.
const DATE: &str = "$__toml_private_datetime";

struct SecretVisitor;

impl<'de> Visitor<'de> for SecretVisitor {
    type Value = SecretSource;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a string, a whole number, a date, { env = \"NAME\" }, { file = \"PATH\" } or { command = [\"PROGRAM\", \"ARGUMENT\"] }",
        )
    }

    fn visit_i64<E: Error>(self, secret: i64) -> Result<SecretSource, E> {
        Ok(SecretSource::Literal(Secret::from(secret.to_string())))
    }

    fn visit_u64<E: Error>(self, secret: u64) -> Result<SecretSource, E> {
        Ok(SecretSource::Literal(Secret::from(secret.to_string())))
    }

    fn visit_str<E: Error>(self, secret: &str) -> Result<SecretSource, E> {
        Ok(SecretSource::Literal(Secret::from(secret)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SecretSource, A::Error> {
        // The error doesn't contain the key, because the user may have entered the secret there.
        let expected = || A::Error::custom("expected one key, `env`, `file` or `command`");
        let source = match map.next_key::<String>()?.as_deref() {
            Some("env") => SecretSource::Environment(map.next_value()?),
            Some("file") => SecretSource::File(map.next_value()?),
            Some(COMMAND) => {
                let command: Vec<String> = map.next_value()?;
                if !is_command(&command) {
                    let what = "expected a program and its arguments, such as [\"vault\", \"kv\", \"get\"]";
                    return Err(A::Error::custom(what));
                }
                SecretSource::Command(command)
            }
            Some(DATE) => SecretSource::Literal(Secret::from(map.next_value::<String>()?)),
            _ => return Err(expected()),
        };
        match map.next_key::<String>()? {
            None => Ok(source),
            Some(_) => Err(expected()),
        }
    }
}

/// The value of a parameter: a whole number, or what a secret can be.
#[derive(Debug)]
pub(super) enum Parameter {
    Number(u64),
    Text(SecretSource),
}

struct ParameterVisitor;

impl<'de> Visitor<'de> for ParameterVisitor {
    type Value = Parameter;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SecretVisitor.expecting(f)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Parameter, E> {
        match u64::try_from(number) {
            Ok(number) => Ok(Parameter::Number(number)),
            Err(_) => SecretVisitor.visit_i64(number).map(Parameter::Text),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Parameter, E> {
        SecretVisitor.visit_str(text).map(Parameter::Text)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Parameter, A::Error> {
        SecretVisitor.visit_map(map).map(Parameter::Text)
    }
}

impl<'de> Deserialize<'de> for Parameter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ParameterVisitor)
    }
}

impl<'de> Deserialize<'de> for SecretSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SecretVisitor)
    }
}

/// A table, or a list of tables.
#[derive(Debug)]
pub(super) struct OneOrMany<T>(pub(super) Vec<T>);

struct OneOrManyVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrManyVisitor<T> {
    type Value = OneOrMany<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table, or a list of tables")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OneOrMany<T>, A::Error> {
        let one = T::deserialize(MapAccessDeserializer::new(map))?;
        Ok(OneOrMany(vec![one]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<OneOrMany<T>, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(seq)).map(OneOrMany)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrManyVisitor(PhantomData))
    }
}

/// The server that counts rates: its URL, the place of its URL as for a secret, or a table with its URL.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RatesServerTable {
    pub(super) url: Option<Spanned<SecretSource>>,
    pub(super) password: Option<Spanned<SecretSource>>,
    pub(super) roots: Option<Spanned<Vec<Spanned<PathBuf>>>>,
    pub(super) prefix: Option<Spanned<String>>,
    env: Option<String>,
    file: Option<PathBuf>,
    command: Option<Vec<String>>,
    #[serde(skip)]
    literal: Option<Secret>,
}

impl RatesServerTable {
    /// Returns the URL, if the value isn't a table with a key `url`. `None` if there is neither, or more than one.
    pub(super) fn url_alone(&self) -> Option<SecretSource> {
        let command = self.command.as_ref().filter(|command| is_command(command));
        let sources = [
            self.literal.clone().map(SecretSource::Literal),
            self.env.clone().map(SecretSource::Environment),
            self.file.clone().map(SecretSource::File),
            command.cloned().map(SecretSource::Command),
        ];
        let mut sources = sources.into_iter().flatten();
        let url = sources.next();
        let is_alone = self.password.is_none() && self.roots.is_none() && self.prefix.is_none();
        url.filter(|_| sources.next().is_none() && is_alone && self.url.is_none())
    }

    /// Returns `true` if the value has a key that stands for the URL.
    pub(super) fn has_source(&self) -> bool {
        self.env.is_some() || self.file.is_some() || self.command.is_some()
    }
}

#[derive(Debug)]
pub(super) struct RatesServer(pub(super) RatesServerTable);

struct RatesServerVisitor;

impl<'de> Visitor<'de> for RatesServerVisitor {
    type Value = RatesServer;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a URL, { env = \"NAME\" }, or a table such as { url = \"rediss://...\", password = { file = \"PATH\" } }")
    }

    fn visit_str<E: Error>(self, url: &str) -> Result<RatesServer, E> {
        Ok(RatesServer(RatesServerTable {
            literal: Some(Secret::from(url)),
            ..RatesServerTable::default()
        }))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RatesServer, A::Error> {
        RatesServerTable::deserialize(MapAccessDeserializer::new(map)).map(RatesServer)
    }
}

impl<'de> Deserialize<'de> for RatesServer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RatesServerVisitor)
    }
}

/// A variable of a base URL: its pattern, or a table of pattern and default.
#[derive(Debug, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a pattern, or { pattern = \"...\", default = \"...\" }"
)]
pub(super) struct VariableTable {
    pub(super) pattern: Option<String>,
    pub(super) default: Option<String>,
}

#[derive(Debug)]
pub(super) struct Variable(pub(super) VariableTable);

struct VariableVisitor;

impl<'de> Visitor<'de> for VariableVisitor {
    type Value = Variable;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a pattern, or { pattern = \"...\", default = \"...\" }")
    }

    fn visit_str<E: Error>(self, pattern: &str) -> Result<Variable, E> {
        Ok(Variable(VariableTable {
            pattern: Some(pattern.to_owned()),
            default: None,
        }))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Variable, A::Error> {
        VariableTable::deserialize(MapAccessDeserializer::new(map)).map(Variable)
    }
}

impl<'de> Deserialize<'de> for Variable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(VariableVisitor)
    }
}
