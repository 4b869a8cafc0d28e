//! The servers of a URL, and the password with which a connection begins.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, ConnectionAddr, IntoConnectionInfo as _, ProtocolVersion,
    RedisConnectionInfo,
};
use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tower_passthrough::Secret;

use crate::error::{RedisError, RedisStoreError};
use crate::tls::Tls;

/// The maximum time in which the operating system must have delivered what was sent.
#[cfg(target_os = "linux")]
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(10);
const KEEPALIVE_IDLE: Duration = Duration::from_secs(15);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);

/// The maximum number of addresses of a host that are tried.
const MAX_ADDRESSES: usize = 16;

/// The task that sends and receives for a connection.
pub(crate) struct Driver {
    pub(crate) task: AbortHandle,
    /// Closed by the end of the task.
    ended: watch::Receiver<()>,
}

impl Driver {
    fn spawn(driver: impl Future<Output = ()> + Send + 'static) -> Self {
        let (running, ended) = watch::channel(());
        let task = tokio::spawn(async move {
            driver.await;
            drop(running);
        });
        Self {
            task: task.abort_handle(),
            ended,
        }
    }

    /// Waits until the task has ended.
    pub(crate) async fn ended(&self) {
        let mut ended = self.ended.clone();
        // Nothing is sent, so this fails after the end.
        let _ = ended.changed().await;
    }
}

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
    async fn read(&self) -> Result<Option<Secret>, RedisError> {
        let path = match self {
            Self::InUrl => return Ok(None),
            Self::Fixed(password) => return Ok(Some(password.clone())),
            Self::File(path) => path.clone(),
        };
        let read = tokio::task::spawn_blocking(move || std::fs::read(path));
        let read = read.await.map_err(|_| RedisError::Closed)?;
        let mut bytes = read.map_err(|error| RedisError::Password(error.kind()))?;
        let line = bytes
            .strip_suffix(b"\n")
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line).len());
        bytes.truncate(line.unwrap_or(bytes.len()));
        Ok(Some(Secret::from(bytes)))
    }
}

/// A server, and the user and database of the URL.
#[derive(Clone)]
pub(crate) struct Server {
    address: Address,
    settings: RedisConnectionInfo,
}

/// One of the addresses of a server.
pub(crate) enum Place {
    /// The address, and the name of the certificate, or `None` without TLS.
    Tcp(SocketAddr, Option<ServerName<'static>>),
    #[cfg(unix)]
    Unix(PathBuf),
}

#[derive(Clone)]
enum Address {
    Tcp {
        host: String,
        port: u16,
        /// The name of the certificate, or `None` without TLS.
        name: Option<ServerName<'static>>,
    },
    #[cfg(unix)]
    Unix(PathBuf),
}

/// Returns the servers of the URL, in the URL's order.
pub(crate) fn servers(
    url: &Secret,
    is_plaintext_allowed: bool,
) -> Result<Vec<Server>, RedisStoreError> {
    let invalid = RedisStoreError::InvalidUrl;
    let url = std::str::from_utf8(url.expose()).map_err(|_| invalid("it isn't UTF-8"))?;
    let url = url.trim();
    if url.contains('#') {
        return Err(invalid(
            "it has a fragment (`#`); certificates are always verified",
        ));
    }
    if url.contains('?') {
        return Err(invalid("it has parameters (`?`), which aren't supported"));
    }
    #[cfg(unix)]
    if url.starts_with("unix://") || url.starts_with("redis+unix://") {
        return Ok(vec![parsed(url, false)?]);
    }
    let (is_encrypted, rest) = match (url.strip_prefix("rediss://"), url.strip_prefix("redis://")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => {
            return Err(invalid(
                "it doesn't begin with `redis://`, `rediss://` or `unix://`",
            ));
        }
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, hosts) = match authority.rsplit_once('@') {
        Some((user, hosts)) => (format!("{user}@"), hosts),
        None => (String::new(), authority),
    };
    let server = |host: &str| {
        if host.is_empty() {
            return Err(invalid("it has no host, or an empty host"));
        }
        let server = parsed(&format!("redis://{user}{host}/{path}"), is_encrypted)?;
        match &server.address {
            Address::Tcp {
                host, name: None, ..
            } if !is_plaintext_allowed && !is_local(host) => Err(RedisStoreError::Plaintext),
            _ => Ok(server),
        }
    };
    hosts.split(',').map(server).collect()
}

/// Parses the URL of a single server.
fn parsed(url: &str, is_encrypted: bool) -> Result<Server, RedisStoreError> {
    let invalid = "a part of it isn't valid";
    let info = url.into_connection_info();
    // The error contains parts of the URL.
    let info = info.map_err(|_| RedisStoreError::InvalidUrl(invalid))?;
    // RESP 2, which has the same kinds of answers in all versions.
    let settings = info.redis_settings().clone().set_skip_set_lib_name();
    let settings = settings.set_protocol(ProtocolVersion::RESP2);
    let address = match info.addr() {
        ConnectionAddr::Tcp(host, port) => {
            let name = match is_encrypted {
                true => Some(ServerName::try_from(host.clone()).map_err(|_| {
                    RedisStoreError::InvalidUrl("the host can't be the name of a certificate")
                })?),
                false => None,
            };
            Address::Tcp {
                host: host.clone(),
                port: *port,
                name,
            }
        }
        #[cfg(unix)]
        ConnectionAddr::Unix(path) => Address::Unix(path.clone()),
        _ => return Err(RedisStoreError::InvalidUrl(invalid)),
    };
    Ok(Server { address, settings })
}

/// Returns `true` if no other machine can read what is sent to the host.
fn is_local(host: &str) -> bool {
    host == "localhost"
        || host
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

impl Server {
    /// Returns the host, or the address of this machine for a Unix socket.
    pub(crate) fn host(&self) -> &str {
        match &self.address {
            Address::Tcp { host, .. } => host,
            #[cfg(unix)]
            Address::Unix(_) => "127.0.0.1",
        }
    }

    /// Returns a text that other servers don't have.
    pub(crate) fn name(&self) -> String {
        match &self.address {
            Address::Tcp { host, port, .. } => format!("{host}:{port}"),
            #[cfg(unix)]
            Address::Unix(path) => path.display().to_string(),
        }
    }

    pub(crate) const fn is_encrypted(&self) -> bool {
        matches!(&self.address, Address::Tcp { name: Some(_), .. })
    }

    /// Returns the number of the database.
    pub(crate) fn database(&self) -> i64 {
        self.settings.db()
    }

    /// Returns the same server with its first database, which is the only database of a cluster.
    pub(crate) fn with_first_database(&self) -> Self {
        Self {
            address: self.address.clone(),
            settings: self.settings.clone().set_db(0),
        }
    }

    /// Returns the server at an address that a node of the cluster has announced, with the same user and password, and also with TLS if
    /// this server has TLS. `of` is the server whose certificate is expected if it isn't that of the address.
    pub(crate) fn at(
        &self,
        host: &str,
        port: u16,
        of: Option<&Self>,
        is_plaintext_allowed: bool,
    ) -> Result<Self, RedisError> {
        let expected = match of.map(|server| &server.address) {
            Some(Address::Tcp { name, .. }) => name.clone(),
            _ => None,
        };
        let name = match self.is_encrypted() {
            true if expected.is_some() => expected,
            true => Some(ServerName::try_from(host.to_owned()).map_err(|_| {
                RedisError::Protocol("a node's address can't be the name of a certificate")
            })?),
            false if is_plaintext_allowed || is_local(host) => None,
            false => return Err(RedisError::Plaintext),
        };
        Ok(Self {
            address: Address::Tcp {
                host: host.to_owned(),
                port,
                name,
            },
            settings: self.settings.clone().set_db(0),
        })
    }

    /// Returns the places at which the server may be: all addresses of its host, because a name may list a primary with its replicas.
    pub(crate) async fn places(&self) -> Result<Vec<Place>, RedisError> {
        Ok(match &self.address {
            Address::Tcp { host, port, name } => {
                let addresses = lookup_host((host.as_str(), *port)).await?;
                let place = |address| Place::Tcp(address, name.clone());
                addresses.take(MAX_ADDRESSES).map(place).collect()
            }
            #[cfg(unix)]
            Address::Unix(path) => vec![Place::Unix(path.clone())],
        })
    }

    /// Opens a connection, and returns it with the task that sends and receives.
    pub(crate) async fn connect(
        &self,
        place: Place,
        tls: &Tls,
        password: &Password,
    ) -> Result<(MultiplexedConnection, Driver), RedisError> {
        let mut settings = self.settings.clone();
        if let Some(password) = password.read().await? {
            let password = std::str::from_utf8(password.expose())
                .map_err(|_| RedisError::Protocol("the password isn't UTF-8"))?;
            settings = settings.set_password(password);
        }
        // Each wait has its own maximum.
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        match place {
            Place::Tcp(address, name) => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                keep_alive(&stream)?;
                match name {
                    Some(name) => {
                        let stream = tls.connect(name, stream).await?;
                        let (connection, driver) =
                            MultiplexedConnection::new_with_config(&settings, stream, config)
                                .await?;
                        Ok((connection, Driver::spawn(driver)))
                    }
                    None => {
                        let (connection, driver) =
                            MultiplexedConnection::new_with_config(&settings, stream, config)
                                .await?;
                        Ok((connection, Driver::spawn(driver)))
                    }
                }
            }
            #[cfg(unix)]
            Place::Unix(path) => {
                let stream = tokio::net::UnixStream::connect(path).await?;
                let (connection, driver) =
                    MultiplexedConnection::new_with_config(&settings, stream, config).await?;
                Ok((connection, Driver::spawn(driver)))
            }
        }
    }
}

/// Lets the operating system find out that the other machine is gone, also while nothing is sent.
fn keep_alive(stream: &TcpStream) -> Result<(), RedisError> {
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_IDLE)
        .with_interval(KEEPALIVE_INTERVAL);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(TCP_USER_TIMEOUT))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encrypted(url: &str) -> Result<Vec<Option<bool>>, RedisStoreError> {
        let servers = servers(&Secret::from(url), false)?;
        let is_encrypted = |server: &Server| match &server.address {
            Address::Tcp { name, .. } => Some(name.is_some()),
            #[cfg(unix)]
            Address::Unix(_) => None,
        };
        Ok(servers.iter().map(is_encrypted).collect())
    }

    #[test]
    fn only_servers_on_this_machine_are_reached_without_tls() {
        let (with_tls, without) = (Some(true), Some(false));
        for (url, expected) in [
            ("rediss://db.example", vec![with_tls]),
            ("rediss://u:p@db.example:6380/3", vec![with_tls]),
            ("rediss://:p@127.0.0.1/", vec![with_tls]),
            ("redis://127.0.0.1:6379", vec![without]),
            ("redis://u:p@[::1]:6379/0", vec![without]),
            ("redis://localhost", vec![without]),
            ("unix:///run/redis.sock", vec![None]),
            (
                "redis://:p@127.0.0.1:1,localhost:2/1",
                vec![without, without],
            ),
            (
                "rediss://u:a%40b@a.example,b.example:7/1",
                vec![with_tls, with_tls],
            ),
        ] {
            assert!(
                matches!(encrypted(url), Ok(found) if found == expected),
                "{url}"
            );
        }
        for url in ["redis://db.example", "redis://127.0.0.1,db.example/0"] {
            assert!(
                matches!(encrypted(url), Err(RedisStoreError::Plaintext)),
                "{url}"
            );
            assert!(servers(&Secret::from(url), true).is_ok(), "{url}");
        }
    }

    #[test]
    fn each_server_has_the_user_the_password_and_the_database_of_the_url() {
        let servers = servers(
            &Secret::from("rediss://us:a%40b@a.example,b.example:7/5"),
            false,
        );
        let servers = servers.unwrap_or_default();
        assert_eq!(servers.len(), 2);
        for (server, expected) in servers.iter().zip([("a.example", 6379), ("b.example", 7)]) {
            let settings = &server.settings;
            assert_eq!(
                (settings.username(), settings.password(), settings.db()),
                (Some("us"), Some("a@b"), 5)
            );
            assert!(
                matches!(&server.address, Address::Tcp { host, port, .. } if (host.as_str(), *port) == expected)
            );
        }
    }

    #[test]
    fn urls_that_cannot_be_used_are_refused_without_being_shown() {
        for url in [
            "",
            "db.example",
            "http://u:s3cr3t@db.example",
            "redis://",
            "redis://u:s3cr3t@",
            "redis://u:s3cr3t@127.0.0.1:port",
            "redis://u:s3cr3t@127.0.0.1/one",
            "redis://u:s3cr3t@127.0.0.1,/0",
            "rediss://u:s3cr3t@h/0#insecure",
            "rediss://u:s3cr3t@h/0?protocol=resp3",
        ] {
            let error = encrypted(url).err();
            let shown = error.map(|error| format!("{error} {error:?}"));
            assert!(
                shown
                    .as_ref()
                    .is_some_and(|shown| !shown.contains("s3cr3t")),
                "{url}: {shown:?}"
            );
        }
    }
}
