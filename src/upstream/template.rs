//! Base URLs with `{variables}` of the connection.
//!
//! Templates come only from the integration, and no part of a caller's request is ever expanded. A
//! value is inserted only if all of it matches its variable's pattern. The result is parsed by the
//! same strict parser as any base URL.

use std::fmt;

use regex_lite::Regex;

use super::base_url::{BaseUrl, BaseUrlError};
use crate::connection::Variables;
use crate::policy::{is_open_host, is_registry_suffix};

/// A base URL with variables in its host and its path.
#[derive(Clone)]
pub struct BaseUrlTemplate(Repr);

#[derive(Clone)]
enum Repr {
    Fixed(BaseUrl),
    Template {
        parts: Vec<Part>,
        variables: Vec<Variable>,
    },
}

#[derive(Clone)]
enum Part {
    Text(Box<str>),
    /// An index into the variables.
    Variable(usize),
}

#[derive(Clone)]
struct Variable {
    name: Box<str>,
    in_host: bool,
    /// `true` if the value chooses a domain that anybody can register, so only a pattern of the integration may allow the value.
    needs_pattern: bool,
    pattern: Option<Regex>,
    default: Option<Box<str>>,
}

impl BaseUrlTemplate {
    pub(super) fn new(template: &str) -> Result<Self, BaseUrlError> {
        const UNPAIRED: BaseUrlError = BaseUrlError::new("it has an unpaired brace");
        if !template.contains(['{', '}']) {
            return Ok(Self::fixed(BaseUrl::new(template)?));
        }
        let (scheme, after_scheme) = template
            .split_once("://")
            .ok_or(BaseUrlError::new("it isn't an absolute URL"))?;
        if scheme.contains(['{', '}']) {
            return Err(BaseUrlError::new("its scheme can't be a variable"));
        }
        let mut parts = vec![Part::Text(format!("{scheme}://").into())];
        let mut variables: Vec<Variable> = Vec::new();
        let (mut in_host, mut has_port) = (true, false);
        // The text after the last variable of the host.
        let mut after_host_variables = "";
        let mut rest = after_scheme;
        while let Some((before, opened)) = rest.split_once('{') {
            let (name, after) = opened.split_once('}').ok_or(UNPAIRED)?;
            if before.contains('}') || name.is_empty() || name.contains('{') {
                return Err(UNPAIRED);
            }
            in_host = in_host && !before.contains('/');
            has_port |= in_host && before.contains(':');
            if in_host && has_port {
                return Err(BaseUrlError::new("its port can't be a variable"));
            }
            if in_host {
                after_host_variables = after;
            }
            parts.push(Part::Text(before.into()));
            let known = variables
                .iter()
                .position(|variable| &*variable.name == name);
            parts.push(Part::Variable(known.unwrap_or(variables.len())));
            match known.and_then(|index| variables.get_mut(index)) {
                Some(variable) => variable.in_host |= in_host,
                None => variables.push(Variable {
                    name: name.into(),
                    in_host,
                    needs_pattern: false,
                    pattern: None,
                    default: None,
                }),
            }
            rest = after;
        }
        if rest.contains('}') {
            return Err(UNPAIRED);
        }
        parts.push(Part::Text(rest.into()));
        if !has_fixed_domain(after_host_variables) {
            for variable in &mut variables {
                variable.needs_pattern = variable.in_host;
            }
        }
        let template = Self(Repr::Template { parts, variables });
        // A value that any pattern could allow shows whether the text around it makes a base URL. The last label of a name isn't a number,
        // and each label of an address is a number.
        template
            .fill(|_| Ok("x"))
            .or_else(|error| template.fill(|_| Ok("1")).map_err(|_| error))?;
        Ok(template)
    }

    pub(super) fn fixed(base: BaseUrl) -> Self {
        Self(Repr::Fixed(base))
    }

    pub(super) fn set_pattern(&mut self, name: &str, pattern: &str) -> Result<(), BaseUrlError> {
        let variable = self.variable_mut(name)?;
        let broken = |_| {
            BaseUrlError::with_variable(name, "has a pattern that isn't a valid regular expression")
        };
        // Compiled by itself first: a pattern that is valid only between our parentheses would break
        // out of the parentheses.
        Regex::new(pattern).map_err(broken)?;
        // Anchored at both ends of the text, even if the pattern changes the meaning of line ends.
        let anchored = Regex::new(&format!(r"\A(?:{pattern})\z")).map_err(broken)?;
        variable.pattern = Some(anchored);
        match &variable.default {
            Some(default) => variable.check(default),
            None => Ok(()),
        }
    }

    pub(super) fn set_default(&mut self, name: &str, value: &str) -> Result<(), BaseUrlError> {
        let variable = self.variable_mut(name)?;
        variable.default = Some(value.into());
        if variable.pattern.is_some() {
            variable.check(value)?;
        }
        Ok(())
    }

    /// Returns an error if a variable needs a pattern and has none.
    pub(super) fn check_patterns(&self) -> Result<(), BaseUrlError> {
        let mut variables = self.variables().iter();
        let lacks = |variable: &&Variable| variable.needs_pattern && variable.pattern.is_none();
        match variables.find(lacks) {
            Some(variable) => Err(BaseUrlError::with_missing_pattern(&variable.name)),
            None => Ok(()),
        }
    }

    pub(super) fn expand(&self, values: &Variables) -> Result<BaseUrl, BaseUrlError> {
        if let Repr::Fixed(base) = &self.0 {
            return Ok(base.clone());
        }
        self.check_patterns()?;
        self.fill(|variable| {
            let value = values.get(&variable.name).or(variable.default.as_deref());
            let value =
                value.ok_or_else(|| BaseUrlError::with_variable(&variable.name, "is missing"))?;
            variable.check(value)?;
            Ok(value)
        })
    }

    /// Returns the base URL of a host that `__domain` may name.
    pub(super) fn expand_domain(&self, values: &Variables) -> Result<BaseUrl, BaseUrlError> {
        let domain = self.expand(values)?;
        match is_open_host(domain.origin().host()) {
            true => Err(BaseUrlError::new(
                "a host of `__domain` is completed to an address or a public suffix",
            )),
            false => Ok(domain),
        }
    }

    /// Returns `true` if each variable has a value or a default.
    pub(super) fn has_values(&self, values: &Variables) -> bool {
        let mut variables = self.variables().iter();
        variables.all(|variable| variable.default.is_some() || values.get(&variable.name).is_some())
    }

    /// Returns `http` or `https`.
    pub(super) fn scheme(&self) -> &'static str {
        match &self.0 {
            Repr::Fixed(base) => base.origin().scheme().as_str(),
            Repr::Template { parts, .. } => match parts.first() {
                Some(Part::Text(text)) if text.eq_ignore_ascii_case("http://") => "http",
                _ => "https",
            },
        }
    }

    fn fill<'a>(
        &'a self,
        value: impl Fn(&'a Variable) -> Result<&'a str, BaseUrlError>,
    ) -> Result<BaseUrl, BaseUrlError> {
        match &self.0 {
            Repr::Fixed(base) => Ok(base.clone()),
            Repr::Template { parts, variables } => {
                let mut url = String::new();
                for part in parts {
                    match part {
                        Part::Text(text) => url.push_str(text),
                        Part::Variable(index) => match variables.get(*index) {
                            Some(variable) => url.push_str(value(variable)?),
                            None => {
                                return Err(BaseUrlError::new(
                                    "it contains a variable that wasn't declared",
                                ));
                            }
                        },
                    }
                }
                BaseUrl::from_template(&url)
            }
        }
    }

    pub(super) fn has_variable(&self, name: &str) -> bool {
        self.variables()
            .iter()
            .any(|variable| &*variable.name == name)
    }

    /// Takes over the patterns and the defaults of the variables that `other` contains as well.
    pub(super) fn adopt(&mut self, other: &Self) {
        let Repr::Template { variables, .. } = &mut self.0 else {
            return;
        };
        for variable in variables {
            let mut others = other.variables().iter();
            if let Some(known) = others.find(|known| known.name == variable.name) {
                variable.pattern.clone_from(&known.pattern);
                variable.default.clone_from(&known.default);
            }
        }
    }

    fn variables(&self) -> &[Variable] {
        match &self.0 {
            Repr::Fixed(_) => &[],
            Repr::Template { variables, .. } => variables,
        }
    }

    fn variable_mut(&mut self, name: &str) -> Result<&mut Variable, BaseUrlError> {
        let found = match &mut self.0 {
            Repr::Fixed(_) => None,
            Repr::Template { variables, .. } => variables
                .iter_mut()
                .find(|variable| &*variable.name == name),
        };
        found.ok_or_else(|| BaseUrlError::with_variable(name, "isn't in the base URL"))
    }
}

impl Variable {
    fn check(&self, value: &str) -> Result<(), BaseUrlError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let matches = match &self.pattern {
            Some(pattern) => pattern.is_match(value),
            None => !value.is_empty() && value.bytes().all(plain),
        };
        // Beyond any pattern: what would end the host, or the path, has no place in a variable.
        let ends_it = |char: char| !char.is_ascii_graphic() || matches!(char, '?' | '#' | '\\');
        let ends_host = |char: char| matches!(char, '/' | '@');
        if !matches || value.contains(ends_it) || (self.in_host && value.contains(ends_host)) {
            return Err(BaseUrlError::with_variable(
                &self.name,
                "doesn't match its pattern",
            ));
        }
        Ok(())
    }
}

/// Returns `true` if the text after the last variable of a host contains the domain that the vendor registered, as `.vendor.com` does. `.com`,
/// `.co.uk` and the empty text don't.
fn has_fixed_domain(after: &str) -> bool {
    let host = after.split(['/', ':', '?', '#', '\\']).next();
    let host = host.unwrap_or_default().trim_end_matches('.');
    host.split_once('.')
        .is_some_and(|(_, domain)| !is_registry_suffix(&domain.to_ascii_lowercase()))
}

/// Writes the URL with its variables in braces: `https://{region}.vendor.com/v2`.
impl fmt::Display for BaseUrlTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Fixed(base) => fmt::Display::fmt(base, f),
            Repr::Template { parts, variables } => parts.iter().try_for_each(|part| match part {
                Part::Text(text) => f.write_str(text),
                Part::Variable(index) => {
                    let name = variables.get(*index).map_or("", |variable| &variable.name);
                    write!(f, "{{{name}}}")
                }
            }),
        }
    }
}

/// Returns `true` if the whole value matches the pattern, as the value of a variable.
#[cfg(feature = "catalog")]
pub(crate) fn matches_pattern(pattern: &str, value: &str) -> bool {
    let pattern = Regex::new(&format!(r"\A(?:{pattern})\z"));
    pattern.is_ok_and(|pattern| pattern.is_match(value))
        && value.bytes().all(|byte| byte.is_ascii_graphic())
}

impl fmt::Debug for BaseUrlTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Fixed(base) => fmt::Debug::fmt(base, f),
            Repr::Template { .. } => write!(f, "BaseUrlTemplate({self})"),
        }
    }
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use super::super::Upstream;
    use super::*;
    use crate::connection::Connection;

    fn expanded(template: &str, pattern: Option<&str>, value: &str) -> Option<String> {
        let mut upstream = Upstream::template(template).ok()?;
        if let Some(pattern) = pattern {
            upstream = upstream.variable("v", pattern).ok()?;
        }
        let connection = Connection::new("x").with_variable("v", value);
        let upstream = upstream.expand(connection.variables()).ok()?;
        Some(format!("{:?}", upstream.base_url()))
    }

    #[test]
    fn variables_enter_hosts_and_paths() {
        let template = "https://{v}.vendor.test:9001/api/{v}";
        let written = Upstream::template(template).map(|upstream| upstream.base_url().to_string());
        assert_eq!(written.as_deref(), Ok(template));
        let url = expanded(template, None, "eu");
        assert_eq!(
            url.as_deref(),
            Some("BaseUrl(Https(eu.vendor.test:9001)/api/eu)")
        );
    }

    #[test]
    fn a_variable_may_end_the_host() {
        for (template, pattern, value, expected) in [
            ("https://rest.{v}/x", "eu|us", "eu", "Https(rest.eu)/x"),
            ("https://192.0.2.{v}", "[0-9]+", "7", "Https(192.0.2.7)"),
        ] {
            let url = expanded(template, Some(pattern), value).unwrap_or_default();
            assert!(url.contains(expected), "{template}: {url}");
        }
    }

    #[test]
    fn d9_a_variable_in_the_registered_domain_needs_a_pattern() {
        for template in [
            "https://{v}",
            "https://{v}/x",
            "https://{v}:8443/x",
            "https://api.vendor.{v}",
            "https://api.vendor.{v}./x",
            "https://api.{v}.com/{v}",
            "https://api.{v}.CO.UK",
            "https://api.vendor-{v}.com",
            "https://{v}.api.{v}",
            "https://192.0.2.{v}",
            "https://api.{v}.kawasaki.jp",
            "https://{v}.test",
        ] {
            let upstream = Upstream::template(template).expect(template);
            for value in ["evil", "7"] {
                let connection = Connection::new("x").with_variable("v", value);
                let error = upstream.expand(connection.variables()).err();
                let error = error.map(|error| error.to_string()).unwrap_or_default();
                assert!(error.contains("needs a pattern"), "{template}: {error}");
            }
            // A default of the integration doesn't restrict the value of a connection.
            let with_default = upstream.clone().variable_default("v", "eu");
            let with_default = with_default.expect(template).check_patterns();
            assert!(with_default.is_err(), "{template}");
            let with_pattern = upstream.variable("v", "[a-z]+").expect(template);
            assert_eq!(with_pattern.check_patterns(), Ok(()), "{template}");
        }
        for template in [
            "https://{v}.vendor.com",
            "https://{v}-api.vendor.co.uk./x",
            "https://{v}.{v}.vendor.test:8443/{v}",
            "https://{v}.myshopify.com",
            "https://{v}.localhost",
            "https://vendor.com/{v}",
        ] {
            let upstream = Upstream::template(template).expect(template);
            assert_eq!(upstream.check_patterns(), Ok(()), "{template}");
            assert!(expanded(template, None, "eu").is_some(), "{template}");
        }
        // The routes, and the hosts of `__domain`, alike.
        let fixed = || Upstream::template("https://api.vendor.com").expect("a template");
        let domain = fixed().domain_template("files.vendor.{v}").expect("a host");
        let route = fixed()
            .route("/files", "https://files.vendor.{v}")
            .expect("a route");
        for upstream in [domain, route] {
            let connection = Connection::new("x").with_variable("v", "evil");
            assert!(upstream.expand(connection.variables()).is_err());
            assert!(upstream.check_patterns().is_err());
            let upstream = upstream.variable("v", "com|eu").expect("a pattern");
            assert_eq!(upstream.check_patterns(), Ok(()));
        }
    }

    #[test]
    fn the_whole_value_must_match() {
        let template = "https://{v}.vendor.test/";
        for value in [
            "",
            "evil.test/",
            "a.evil.test#",
            "a@evil.test",
            "a\n",
            "${secret}",
            "a\nb",
            "\u{e9}",
            "a b",
        ] {
            assert_eq!(expanded(template, None, value), None, "{value}");
            assert_eq!(
                expanded(template, Some("(?m)^[a-z]+$"), value),
                None,
                "{value}"
            );
            assert_eq!(expanded(template, Some("(?s).*"), value), None, "{value}");
        }
        assert!(expanded(template, Some("a|b"), "ab").is_none());
        assert!(expanded(template, Some("^a|b$"), "b").is_some());
    }

    #[test]
    fn a_path_variable_brings_no_dot_segments() {
        for value in ["..", "%2e%2e", "a/../b"] {
            assert_eq!(
                expanded("https://vendor.test/{v}/x", Some(".*"), value),
                None,
                "{value}"
            );
        }
        assert!(expanded("https://vendor.test/{v}/x", Some(".*"), "a/b").is_some());
    }

    #[test]
    fn broken_templates_are_refused() {
        for template in [
            "https://{a.test",
            "https://a}.test",
            "https://{}.test",
            "{s}://a.test",
            "https://a.test:{p",
            "https://a.test:{p}/",
            "https://a.test:1{p}",
            "https://{v}.test:{p}/x",
            "{v}",
            "https://{v}.test/?q",
        ] {
            assert!(Upstream::template(template).is_err(), "{template}");
        }
        assert!(
            Upstream::template("https://a.test")
                .is_ok_and(|upstream| upstream.variable("v", ".*").is_err())
        );
    }

    /// Returns the upstream of a connection with the variable `v`, and a host template.
    fn with_domain(host: &str, pattern: &str, value: Option<&str>) -> Option<Upstream> {
        let upstream = Upstream::template("https://api.vendor.test").ok()?;
        let upstream = upstream.domain_template(host).ok()?;
        let upstream = upstream.variable("v", pattern).ok()?;
        let mut connection = Connection::new("x");
        if let Some(value) = value {
            connection = connection.with_variable("v", value);
        }
        upstream.expand(connection.variables()).ok()
    }

    fn permits(upstream: &Upstream, domain: &str) -> bool {
        let place = upstream.place(Some(domain));
        place.is_ok_and(|place| upstream.permit(place).is_ok())
    }

    #[test]
    fn a_host_with_a_variable_is_the_connections_alone() {
        let acme = with_domain("{v}.files.vendor.test", "^[a-z]+$", Some("acme"));
        let acme = acme.expect("a completed host");
        for (domain, expected) in [
            ("acme.files.vendor.test", true),
            ("https://ACME.files.vendor.test/x", true),
            ("http://acme.files.vendor.test", false),
            ("acme.files.vendor.test:8443", false),
            ("other.files.vendor.test", false),
            ("x.acme.files.vendor.test", false),
            ("files.vendor.test", false),
        ] {
            assert_eq!(permits(&acme, domain), expected, "{domain}");
        }
        let port = with_domain("{v}.vendor.test:8443", "^[a-z]+$", Some("acme"));
        assert!(port.is_some_and(|it| permits(&it, "acme.vendor.test:8443")));
        // Without a value, the host isn't allowed, and the base URL is.
        let none = with_domain("{v}.vendor.test", "^[a-z]*$", None);
        let none = none.expect("a base URL");
        assert!(!permits(&none, ".vendor.test") && permits(&none, "api.vendor.test"));
    }

    #[test]
    fn d10_a_completed_host_is_a_name_and_not_a_public_suffix() {
        for (value, pattern) in [
            ("evil.test/", "^.*$"),
            ("a@evil.test", "^.*$"),
            ("A", "^[a-z]+$"),
            ("github.io", "^[a-z.]+$"),
            ("co.uk", "^[a-z.]+$"),
            ("192.0.2.1", "^[0-9.]+$"),
        ] {
            assert!(
                with_domain("{v}", pattern, Some(value)).is_none(),
                "{value}"
            );
        }
        assert!(with_domain("{v}", "^[a-z.]+$", Some("files.vendor.test")).is_some());
        for host in [
            "*.{v}.test",
            "{v}.test/x",
            "u@{v}.test",
            "{v}.test:{p}",
            "{v",
            "{v}?x",
            "",
        ] {
            assert!(with_domain(host, "^[a-z]+$", Some("a")).is_none(), "{host}");
        }
    }

    #[test]
    fn defaults_fill_in() {
        let upstream = Upstream::template("https://{v}.vendor.test")
            .and_then(|upstream| upstream.variable("v", "[a-z]+"))
            .and_then(|upstream| upstream.variable_default("v", "eu"))
            .and_then(|upstream| upstream.expand(&Variables::default()));
        assert!(upstream.is_ok());
        let bad = Upstream::template("https://{v}.vendor.test")
            .and_then(|upstream| upstream.variable_default("v", "EU"))
            .and_then(|upstream| upstream.variable("v", "[a-z]+"));
        assert!(bad.is_err());
    }
}
