//! The servers of a URL, and the password with which a connection begins.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, Host, SslMode, TargetSessionAttrs};
use tower_passthrough::Secret;

use crate::error::{DatabaseError, PostgresStoreError};

/// The maximum time until an address of a host accepts a connection. The addresses of a host are tried in order, and share the maximum time of
/// a connection, which is 5 s. So if two addresses drop packets, there is time for a third.
const ACCEPT_TIMEOUT: Duration = Duration::from_secs(2);
/// The maximum time in which the operating system must have delivered what was sent.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(10);
const KEEPALIVE_IDLE: Duration = Duration::from_secs(15);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVE_RETRIES: u32 = 3;

/// The place of the password, if it isn't the URL.
#[derive(Clone)]
pub(crate) enum Password {
    InUrl,
    Fixed(Secret),
    /// Read for each connection, because other programs replace the password.
    File(PathBuf),
}

impl Password {
    /// Returns the password, or `None` for the URL's password.
    pub(crate) async fn read(&self) -> Result<Option<Secret>, DatabaseError> {
        let path = match self {
            Self::InUrl => return Ok(None),
            Self::Fixed(password) => return Ok(Some(password.clone())),
            Self::File(path) => path.clone(),
        };
        let read = tokio::task::spawn_blocking(move || std::fs::read(path));
        let read = read.await.map_err(|_| DatabaseError::Closed)?;
        let mut bytes = read.map_err(|error| DatabaseError::Password(error.kind()))?;
        let line = bytes
            .strip_suffix(b"\n")
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line).len());
        bytes.truncate(line.unwrap_or(bytes.len()));
        Ok(Some(Secret::from(bytes)))
    }
}

/// Returns a configuration for each server of the URL, in the URL's order.
///
/// A connection is encrypted unless the server is on this machine: then it's encrypted only if the URL says so.
pub(crate) fn servers(url: &Secret, plaintext: bool) -> Result<Vec<Config>, PostgresStoreError> {
    let invalid = PostgresStoreError::InvalidUrl;
    let url = std::str::from_utf8(url.expose()).map_err(|_| invalid("it isn't UTF-8"))?;
    let url = url.trim();
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(invalid("it doesn't begin with `postgres://`"));
    }
    let (url, mode) = take_modes(url)?;
    let all = url
        .parse::<Config>()
        .map_err(|_| invalid("a part of it isn't valid, or is a parameter that isn't supported"))?;
    if matches!(all.get_target_session_attrs(), TargetSessionAttrs::ReadOnly) {
        return Err(invalid(
            "`target_session_attrs=read-only` can't be used, because a store must be written",
        ));
    }
    if all.get_channel_binding() == ChannelBinding::Require {
        return Err(invalid("`channel_binding=require` isn't supported"));
    }
    let (hosts, addresses, ports) = (all.get_hosts(), all.get_hostaddrs(), all.get_ports());
    let count = hosts.len().max(addresses.len());
    if count == 0 {
        return Err(invalid("it has no host"));
    }
    if !hosts.is_empty() && !addresses.is_empty() && hosts.len() != addresses.len() {
        return Err(invalid("the numbers of `host` and `hostaddr` differ"));
    }
    if ports.len() > 1 && ports.len() != count {
        return Err(invalid("the numbers of hosts and ports differ"));
    }
    (0..count)
        .map(|index| {
            let mut server = base(&all);
            let address = addresses.get(index).copied();
            let host = hosts.get(index);
            match host {
                Some(Host::Tcp(name)) => drop(server.host(name)),
                #[cfg(unix)]
                Some(Host::Unix(path)) => drop(server.host_path(path)),
                None => {}
            }
            if let Some(address) = address {
                server.hostaddr(address);
            }
            server.port(ports.get(index).or(ports.first()).copied().unwrap_or(5432));
            let is_local = is_local(host, address);
            server.ssl_mode(match mode {
                _ if is_unix(host) => SslMode::Disable,
                Some(Mode::Require) => SslMode::Require,
                Some(Mode::Disable) if is_local || plaintext => SslMode::Disable,
                Some(Mode::Disable) => return Err(PostgresStoreError::Plaintext),
                None if is_local => SslMode::Disable,
                None => SslMode::Require,
            });
            Ok(server)
        })
        .collect()
}

#[derive(Clone, Copy)]
enum Mode {
    Disable,
    Require,
}

/// Removes the parameters about certificates, because all certificates are verified, and not all values of libpq's are known to the
/// parser of URLs.
fn take_modes(url: &str) -> Result<(String, Option<Mode>), PostgresStoreError> {
    let Some((start, query)) = url.split_once('?') else {
        return Ok((url.to_owned(), None));
    };
    let mut mode = None;
    let mut rest = Vec::new();
    for parameter in query.split('&') {
        match parameter.split_once('=') {
            Some(("sslmode", value)) => {
                mode = match value {
                    "disable" => Some(Mode::Disable),
                    "allow" | "prefer" => None,
                    "require" | "verify-ca" | "verify-full" => Some(Mode::Require),
                    _ => return Err(PostgresStoreError::InvalidUrl("`sslmode` isn't valid")),
                }
            }
            Some(("sslrootcert" | "sslcert" | "sslkey", _)) => {
                return Err(PostgresStoreError::InvalidUrl(
                    "files of certificates can't be set in the URL; set the roots as a setting of their own",
                ));
            }
            _ => rest.push(parameter),
        }
    }
    Ok((format!("{start}?{}", rest.join("&")), mode))
}

/// Returns the settings of the URL that don't belong to a single server.
fn base(all: &Config) -> Config {
    let mut server = Config::new();
    if let Some(user) = all.get_user() {
        server.user(user);
    }
    if let Some(password) = all.get_password() {
        server.password(password);
    }
    if let Some(name) = all.get_dbname() {
        server.dbname(name);
    }
    if let Some(options) = all.get_options() {
        server.options(options);
    }
    server
        .application_name(all.get_application_name().unwrap_or("tower-passthrough"))
        .ssl_negotiation(all.get_ssl_negotiation())
        .channel_binding(all.get_channel_binding())
        .connect_timeout(ACCEPT_TIMEOUT)
        .tcp_user_timeout(TCP_USER_TIMEOUT)
        .keepalives(true)
        .keepalives_idle(KEEPALIVE_IDLE)
        .keepalives_interval(KEEPALIVE_INTERVAL)
        .keepalives_retries(KEEPALIVE_RETRIES)
        // A standby that was promoted is found, and an old primary that is read-only now isn't used.
        .target_session_attrs(TargetSessionAttrs::ReadWrite);
    server
}

const fn is_unix(host: Option<&Host>) -> bool {
    !matches!(host, None | Some(Host::Tcp(_)))
}

/// Returns `true` if no other machine can read what is sent to the server.
fn is_local(host: Option<&Host>, address: Option<IpAddr>) -> bool {
    match (address, host) {
        _ if is_unix(host) => true,
        (Some(address), _) => address.is_loopback(),
        (None, Some(Host::Tcp(name))) => {
            name == "localhost"
                || name
                    .parse()
                    .is_ok_and(|address: IpAddr| address.is_loopback())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modes(url: &str) -> Result<Vec<SslMode>, PostgresStoreError> {
        let servers = servers(&Secret::from(url), false)?;
        Ok(servers.iter().map(Config::get_ssl_mode).collect())
    }

    #[test]
    fn only_servers_on_this_machine_are_reached_without_tls() {
        for (url, expected) in [
            ("postgres://u:p@db.example/d", SslMode::Require),
            (
                "postgres://u:p@db.example/d?sslmode=prefer",
                SslMode::Require,
            ),
            (
                "postgres://u:p@db.example/d?sslmode=verify-full",
                SslMode::Require,
            ),
            ("postgres://u:p@127.0.0.1/d", SslMode::Disable),
            ("postgres://u:p@[::1]:6432/d", SslMode::Disable),
            (
                "postgres://u:p@localhost/d?sslmode=require",
                SslMode::Require,
            ),
            (
                "postgres://u@%2Frun%2Fpostgresql/d?sslmode=require",
                SslMode::Disable,
            ),
            (
                "postgresql://u:p@localhost/d?hostaddr=10.0.0.1",
                SslMode::Require,
            ),
        ] {
            assert!(
                matches!(modes(url).as_deref(), Ok([mode]) if *mode == expected),
                "{url}"
            );
        }
        let several = modes("postgres://u@127.0.0.1:1,db.example:2/d");
        assert!(matches!(
            several.as_deref(),
            Ok([SslMode::Disable, SslMode::Require])
        ));
        let refused = modes("postgres://u:p@db.example/d?sslmode=disable");
        assert!(matches!(refused, Err(PostgresStoreError::Plaintext)));
        let allowed = servers(
            &Secret::from("postgres://u:p@db.example/d?sslmode=disable"),
            true,
        );
        assert!(allowed.is_ok());
    }

    #[test]
    fn urls_that_cannot_be_used_are_refused_without_being_shown() {
        for url in [
            "",
            "db.example",
            "mysql://u:s3cr3t@db.example/d",
            "host=db.example password=s3cr3t",
            "postgres://",
            "postgres://u:s3cr3t@h:port/d",
            "postgres://u:s3cr3t@h/d?nonsense=1",
            "postgres://u:s3cr3t@h/d?sslmode=nonsense",
            "postgres://u:s3cr3t@h/d?sslrootcert=ca.pem",
            "postgres://u:s3cr3t@h/d?channel_binding=require",
            "postgres://u:s3cr3t@h/d?target_session_attrs=read-only",
            "postgres://u:s3cr3t@h:1,i:2/d?port=3,4,5",
        ] {
            let error = modes(url).err();
            let shown = error.map(|error| format!("{error} {error:?}"));
            assert!(
                shown.is_some_and(|shown| !shown.contains("s3cr3t")),
                "{url}"
            );
        }
    }
}
