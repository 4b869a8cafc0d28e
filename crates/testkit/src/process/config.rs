//! A config file for a gateway in front of one vendor.

use std::fmt;
use std::net::SocketAddr;

use super::canary::{KEY, TOKEN};
use crate::gateway::Origin;

/// A config with connection `c` at a vendor with bearer authentication, for a caller with a key,
/// plus the changes that a test makes.
#[derive(Clone)]
pub struct Config {
    top: String,
    network: String,
    callers: String,
    base_url: String,
    integration: String,
    auth: String,
    connection: String,
    secret: String,
    rest: String,
}

impl Config {
    pub fn new(vendor: &(impl Origin + ?Sized)) -> Self {
        Self {
            top: "listen = \"127.0.0.1:0\"".to_owned(),
            network: "allow = [\"127.0.0.0/8\"]\nplaintext = true\n\
                      resolve = { \"vendor.test\" = \"127.0.0.1\", \"eu.vendor.test\" = \"127.0.0.1\" }"
                .to_owned(),
            callers: format!("[[caller]]\napi_key = \"{KEY}\"\nconnections = [\"*\"]"),
            base_url: vendor.origin(),
            integration: String::new(),
            auth: "{ kind = \"bearer\" }".to_owned(),
            connection: String::new(),
            secret: format!("{{ token = \"{TOKEN}\" }}"),
            rest: String::new(),
        }
    }

    /// Listens at that address, in place of a free port.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.top = format!("listen = \"{address}\"");
        self
    }

    /// Adds a line before all tables.
    pub fn top(mut self, line: &str) -> Self {
        self.top = format!("{}\n{line}", self.top);
        self
    }

    /// Replaces `[network]`'s lines.
    pub fn network(mut self, lines: &str) -> Self {
        lines.clone_into(&mut self.network);
        self
    }

    /// Replaces the `[[caller]]`s.
    pub fn callers(mut self, tables: &str) -> Self {
        tables.clone_into(&mut self.callers);
        self
    }

    /// Removes the `[[caller]]`s: callers need no key.
    pub fn anyone(self) -> Self {
        self.top("anyone = true").callers("")
    }

    /// Adds this path after the base URL's host and port.
    pub fn path(mut self, path: &str) -> Self {
        self.base_url.push_str(path);
        self
    }

    pub fn base_url(mut self, url: &str) -> Self {
        url.clone_into(&mut self.base_url);
        self
    }

    /// Adds a line to the integration.
    pub fn integration(mut self, line: &str) -> Self {
        line.clone_into(&mut self.integration);
        self
    }

    /// Sets the integration's `auth` and the connection's `secret`.
    pub fn auth(mut self, auth: &str, secret: &str) -> Self {
        auth.clone_into(&mut self.auth);
        secret.clone_into(&mut self.secret);
        self
    }

    /// Adds a line to the connection.
    pub fn connection(mut self, line: &str) -> Self {
        line.clone_into(&mut self.connection);
        self
    }

    /// Returns the vendor's origin.
    pub fn origin(&self) -> String {
        self.base_url.clone()
    }

    /// Adds further tables.
    pub fn table(mut self, table: &str) -> Self {
        self.rest = format!("{}\n{table}", self.rest);
        self
    }
}

impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}\n[network]\n{}\n{}",
            self.top, self.network, self.callers
        )?;
        writeln!(f, "[integration.v]\nbase_url = \"{}\"", self.base_url)?;
        writeln!(f, "{}\nauth = {}", self.integration, self.auth)?;
        writeln!(
            f,
            "[connection.c]\nintegration = \"v\"\n{}",
            self.connection
        )?;
        writeln!(f, "secret = {}\n{}", self.secret, self.rest)
    }
}
