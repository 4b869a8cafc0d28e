//! `[integration.*]`.

use super::refused;

pub(super) const INTEGRATION: &str = "[integration.v]\nbase_url = \"https://v.test\"\n";

/// Checks the error for a line of an integration, which is the third line of its file.
#[track_caller]
pub(super) fn refused_integration(line: &str, expected: &str) {
    refused(&format!("{INTEGRATION}{line}\n"), &[expected]);
}

#[test]
fn base_urls_and_their_variables() {
    refused(
        "[integration.v]",
        &["1:1: integration.v: missing key `base_url`"],
    );
    refused(
        "[integration.v]\nbase_url = \"http://v.test\"",
        &["2:12: integration.v.base_url: expected https://, as `network.plaintext` isn't set"],
    );
    for (url, why) in [
        ("ftp://v.test", "its scheme is neither http nor https"),
        ("https://ann:c4nary@v.test", "it contains user info"),
        ("https://v.test/?a", "it contains a query or a fragment"),
        ("https://{region.v.test", "it has an unpaired brace"),
    ] {
        let expected = "expected a URL such as \"https://api.vendor.com/v2\"";
        let expected = format!("2:12: integration.v.base_url: {why}, {expected}");
        refused(
            &format!("[integration.v]\nbase_url = \"{url}\""),
            &[&expected],
        );
    }
    for (variable, expected) in [
        (
            "\"(\"",
            "3:24: integration.v.variables.region: the variable `region` has a pattern that isn't a valid regular expression",
        ),
        (
            "{ pattern = \"a\", default = \"1\" }",
            "3:24: integration.v.variables.region: the variable `region` doesn't match its pattern",
        ),
        (
            "1",
            "3:24: integration.v.variables.region: expected a pattern, or { pattern = \"...\", default = \"...\" }, found an integer",
        ),
    ] {
        let url = "base_url = \"https://{region}.v.test\"";
        let line = format!("variables = {{ region = {variable} }}");
        refused(&format!("[integration.v]\n{url}\n{line}"), &[expected]);
    }
    refused_integration(
        "variables = { region = \"a\" }",
        "3:24: integration.v.variables.region: the variable `region` isn't in the base URL",
    );
}

#[test]
fn a_variable_in_the_registered_domain_needs_a_pattern() {
    let why = "the variable `tld` needs a pattern of the values that you know, such as \"com|eu\", because anybody can register a \
               domain for another value; set it in `variables`";
    let refresh = "{ kind = \"oauth2\", token_url = \"https://vendor.{tld}/token\", client_id = \"c\", client_secret = \"c4nary\" }";
    for (url, line, place) in [
        ("api.vendor.{tld}", "", "2:12: integration.v.base_url"),
        (
            "api.vendor.{tld}",
            "variables = { tld = { default = \"com\" } }",
            "2:12: integration.v.base_url",
        ),
        (
            "api.vendor.test",
            "domains = [\"files.vendor.{tld}\"]",
            "3:12: integration.v.domains",
        ),
        (
            "api.vendor.test",
            "routes = [{ path = \"/files\", base_url = \"https://files.vendor.{tld}\" }]",
            "3:41: integration.v.routes.base_url",
        ),
        (
            "{tld}.vendor.test",
            &format!("auth = {refresh}"),
            "3:39: integration.v.auth.token_url",
        ),
    ] {
        refused(
            &format!("[integration.v]\nbase_url = \"https://{url}\"\n{line}\n"),
            &[&format!("{place}: {why}")],
        );
    }
}

#[test]
fn domains_and_default_headers() {
    let expected = "expected \"host\", \"host:port\" or \"*.suffix\"";
    for (pattern, why) in [
        (
            "*.co.uk",
            "its suffix is a public suffix, below which anybody can register a host",
        ),
        (
            "*.myshopify.com",
            "its suffix is a public suffix, below which anybody can register a host",
        ),
        ("*", "it's neither a host nor `*.suffix`"),
        ("127.1", "it's an IP address; use `allow_address`"),
        ("v.test:0", "its port isn't valid"),
        ("https://v.test", "it's a URL, and not a host"),
    ] {
        let place = "3:12: integration.v.domains: ";
        refused_integration(
            &format!("domains = [\"{pattern}\"]"),
            &format!("{place}{why}, {expected}"),
        );
    }
    refused_integration(
        "domain_override = \"c4nary\"",
        "3:19: integration.v.domain_override: expected \"replace-base\" or \"replace-authority\"",
    );
    for (headers, expected) in [
        (
            "{ \"a b\" = \"c\" }",
            "3:13: integration.v.headers.a b: expected the name of a header field",
        ),
        (
            "{ host = \"c\" }",
            "3:13: integration.v.headers.host: this field controls framing or routing, so it can't be a default field",
        ),
        (
            "{ a = \"x\\ny\" }",
            "3:17: integration.v.headers.a: expected the value of a header field, without control characters",
        ),
    ] {
        refused_integration(&format!("headers = {headers}"), expected);
    }
}

#[test]
fn authentication() {
    for (auth, expected) in [
        (
            "{ kind = \"c4nary\" }",
            "3:17: integration.v.auth.kind: expected \"none\", \"bearer\", \"basic\", \"header\", \"query\", \
             \"oauth2\", \"sigv4\", \"oauth1\", \"hmac\" or \"mtls\"",
        ),
        ("{ }", "3:8: integration.v.auth: missing key `kind`"),
        (
            "\"bearer\"",
            "3:8: integration.v.auth: expected a table such as { kind = \"bearer\" }, found a string",
        ),
        (
            "{ kind = \"bearer\", name = \"x\" }",
            "3:27: integration.v.auth.name: unknown key `name`, expected `kind`",
        ),
        (
            "{ kind = \"query\", name = \"x\", token = \"c4nary\" }",
            "3:38: integration.v.auth.token: unknown key `token`, expected one of `kind`, `name`, `secret`",
        ),
        (
            "{ kind = \"header\", name = \"x\" }",
            "3:8: integration.v.auth: missing key `value`",
        ),
        (
            "{ kind = \"header\", name = \"a b\", value = \"{k}\" }",
            "3:34: integration.v.auth.name: the name isn't a valid field name",
        ),
        (
            "{ kind = \"header\", name = \"a\", value = \"{k\" }",
            "3:47: integration.v.auth.value: the template has an unpaired brace",
        ),
        (
            "[]",
            "3:8: integration.v.auth: expected at least one table; for no authentication, remove the key",
        ),
        (
            "[{ kind = \"bearer\" }, \"c4nary\"]",
            "3:30: integration.v.auth: expected a table such as { kind = \"bearer\" }, found a string",
        ),
        (
            "[{ kind = \"bearer\" }, { kind = \"query\" }]",
            "3:30: integration.v.auth: missing key `name`",
        ),
        (
            "{ kind = \"query\", name = \"__domain\" }",
            "3:33: integration.v.auth.name: the name of the parameter is empty or reserved",
        ),
    ] {
        refused_integration(&format!("auth = {auth}"), expected);
    }
}

#[test]
fn routes_and_places_of_keys() {
    for (line, expected) in [
        (
            "routes = [{ path = \"files\", base_url = \"https://f.test\" }]",
            "3:20: integration.v.routes.path: the path of a route must begin with `/`, must not end with `/`, and must not contain dot segments or characters that a path can't contain",
        ),
        (
            "routes = [{ path = \"/files\", base_url = \"http://f.test\" }]",
            "3:41: integration.v.routes.base_url: expected https://, as `network.plaintext` isn't set",
        ),
        (
            "routes = [{ path = \"/files\", base_url = \"f.test\" }]",
            "3:41: integration.v.routes.base_url: it's neither a host nor an absolute URL, expected a URL such as \"https://api.vendor.com/v2\"",
        ),
        (
            "routes = [{ path = \"/files\" }]",
            "3:11: integration.v.routes: missing key `base_url`",
        ),
        (
            "caller_key = { query = \"__domain\" }",
            "3:24: integration.v.caller_key.query: expected a name of letters, digits and `-._~[]:$` that isn't `__domain`",
        ),
        (
            "caller_key = [{ form = \"a b\" }]",
            "3:24: integration.v.caller_key.form: expected a name of letters, digits and `-._~[]:$` that isn't `__domain`",
        ),
        (
            "caller_key = { header = \"a b\" }",
            "3:25: integration.v.caller_key.header: expected the name of a header field",
        ),
        (
            "caller_key = { header = \"Host\" }",
            "3:25: integration.v.caller_key.header: this field can't contain a caller's key",
        ),
        (
            "caller_key = \"c4nary\"",
            "3:14: integration.v.caller_key: expected a table, or a list of tables, found a string",
        ),
        (
            "caller_key = { cookie = \"c4nary\" }",
            "3:16: integration.v.caller_key.cookie: unknown key `cookie`, expected one of `query`, `header`, `form`",
        ),
    ] {
        refused_integration(line, expected);
    }
}
