//! The places to listen at: an address, a port, a name, or a Unix socket.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};

use crate::socket::{Stream, Tcp};

/// The size of a listener's queue.
const QUEUE: u32 = 1024;

/// A place to listen at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Listen {
    Address(SocketAddr),
    /// All addresses of the machine.
    Port(u16),
    /// The first address of the name that can be bound.
    Name(Box<str>, u16),
    Unix(PathBuf),
}

/// The error of a text that isn't a place to listen at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InvalidListen;

impl Listen {
    pub(crate) const EXPECTED: &'static str = "an address and a port such as \"127.0.0.1:8080\", \":8080\", \"localhost:8080\" or \"[::]:8080\", or a Unix socket such as \
         \"unix:/run/passthrough.sock\"";

    /// Returns `true` if only programs on this machine can connect.
    pub(crate) fn is_local(&self) -> bool {
        match self {
            Self::Address(address) => address.ip().to_canonical().is_loopback(),
            Self::Port(_) => false,
            Self::Name(name, _) => name.eq_ignore_ascii_case("localhost"),
            Self::Unix(_) => true,
        }
    }

    pub(crate) fn is_unix(&self) -> bool {
        matches!(self, Self::Unix(_))
    }

    /// Returns the place, with a relative path of a socket below this folder.
    pub(crate) fn below(self, folder: &Path) -> Self {
        match self {
            Self::Unix(path) => Self::Unix(folder.join(path)),
            other => other,
        }
    }

    /// Listens there. A socket's file gets the permissions `mode`.
    ///
    /// # Errors
    ///
    /// If the place is in use, or can't be bound for another reason.
    pub(crate) async fn bind(&self, mode: Mode) -> io::Result<Listener> {
        let listener = match self {
            Self::Address(address) => TcpListener::bind(address).await?,
            Self::Port(port) => on_all_addresses(*port).await?,
            Self::Name(name, port) => TcpListener::bind((&**name, *port)).await?,
            Self::Unix(path) => return unix(path, mode).await,
        };
        Ok(Listener::Tcp(listener))
    }
}

/// Listens on IPv6 and IPv4, or only on IPv4 if the machine has no IPv6.
async fn on_all_addresses(port: u16) -> io::Result<TcpListener> {
    let both = || {
        let socket = TcpSocket::new_v6()?;
        #[cfg(unix)]
        {
            socket.set_reuseaddr(true)?;
            rustix::net::sockopt::set_ipv6_v6only(&socket, false)?;
        }
        socket.bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)))?;
        socket.listen(QUEUE)
    };
    match both() {
        Err(error)
            if !matches!(
                error.kind(),
                io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied
            ) =>
        {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await
        }
        bound => bound,
    }
}

impl FromStr for Listen {
    type Err = InvalidListen;

    fn from_str(text: &str) -> Result<Self, InvalidListen> {
        if let Some(path) = text.strip_prefix("unix:") {
            // A URL has two slashes more: `unix:///run/x.sock`.
            let path = path.strip_prefix("//").unwrap_or(path);
            return match path.is_empty() || path.contains('\0') {
                true => Err(InvalidListen),
                false => Ok(Self::Unix(path.into())),
            };
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        let (host, port) = text.rsplit_once(':').ok_or(InvalidListen)?;
        // `parse` also accepts `+80`.
        let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        let port = port.parse().ok().filter(|_| digits).ok_or(InvalidListen)?;
        if matches!(host, "" | "*") {
            return Ok(Self::Port(port));
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let label = |label: &str| !label.is_empty() && label.bytes().all(plain);
        // An address in another form, such as `127.1`, isn't a name.
        let is_number = host
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
        match host.split('.').all(label) && !is_number {
            true => Ok(Self::Name(host.into(), port)),
            false => Err(InvalidListen),
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Port(port) => write!(f, ":{port}"),
            Self::Name(name, port) => write!(f, "{name}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl fmt::Display for InvalidListen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}", Listen::EXPECTED)
    }
}

impl std::error::Error for InvalidListen {}

/// The permissions of a socket's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mode(u32);

impl Default for Mode {
    /// Returns the permissions that let the owner and the group connect.
    fn default() -> Self {
        Self(0o660)
    }
}

impl FromStr for Mode {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let octal = (3..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        let mode = u32::from_str_radix(text, 8).map_err(|_| ())?;
        match octal && mode <= 0o777 {
            true => Ok(Self(mode)),
            false => Err(()),
        }
    }
}

/// A socket that listens.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener, SocketFile),
}

impl Listener {
    /// Returns the address, or `None` for a Unix socket.
    ///
    /// # Errors
    ///
    /// If the system doesn't know it.
    pub(crate) fn address(&self) -> io::Result<Option<SocketAddr>> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(Some),
            #[cfg(unix)]
            Self::Unix(..) => Ok(None),
        }
    }

    /// Accepts a caller. Returns its connection, and its address unless it came through a Unix socket.
    ///
    /// # Errors
    ///
    /// If no connection can be accepted, for example because the process can't open more files.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no caller.
    pub(crate) async fn accept(&self) -> io::Result<(Stream, Option<IpAddr>)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                Ok((Stream::Plain(Tcp::new(stream)), Some(address.ip())))
            }
            #[cfg(unix)]
            Self::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                Ok((Stream::Unix(stream), None))
            }
        }
    }

    /// Closes the listener, and passes the callers in its queue to `take`, but not more than `most`.
    pub(crate) fn close(self, most: usize, mut take: impl FnMut(Stream, Option<IpAddr>)) {
        // The system is called directly, because the runtime may not have been notified of these
        // callers yet.
        match self {
            Self::Tcp(listener) => {
                let Ok(listener) = listener.into_std() else {
                    return;
                };
                for _ in 0..most {
                    let Ok((stream, address)) = listener.accept() else {
                        return;
                    };
                    // On Linux, an accepted socket doesn't inherit this from its listener.
                    let stream = stream
                        .set_nonblocking(true)
                        .and_then(|()| TcpStream::from_std(stream));
                    match stream {
                        Ok(stream) => take(Stream::Plain(Tcp::new(stream)), Some(address.ip())),
                        Err(_) => return,
                    }
                }
            }
            #[cfg(unix)]
            Self::Unix(listener, file) => {
                // From now on, new callers find no socket.
                drop(file);
                let Ok(listener) = listener.into_std() else {
                    return;
                };
                for _ in 0..most {
                    let Ok((stream, _)) = listener.accept() else {
                        return;
                    };
                    let stream = stream
                        .set_nonblocking(true)
                        .and_then(|()| UnixStream::from_std(stream));
                    match stream {
                        Ok(stream) => take(Stream::Unix(stream), None),
                        Err(_) => return,
                    }
                }
            }
        }
    }
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Self {
        Self::Tcp(listener)
    }
}

/// The file of a Unix socket. It's removed when this value is dropped, unless another process has replaced it.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    file: (u64, u64),
}

#[cfg(unix)]
impl SocketFile {
    fn of(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            file: identity(path)?,
        })
    }
}

/// Returns the device and the number of a file, which no other file has at the same time.
#[cfg(unix)]
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;

    let file = std::fs::symlink_metadata(path)?;
    Ok((file.dev(), file.ino()))
}

#[cfg(unix)]
impl Drop for SocketFile {
    fn drop(&mut self) {
        let is_own = identity(&self.path).is_ok_and(|now| now == self.file);
        if is_own {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Listens on a Unix socket. The file that another process has left behind is replaced if nobody listens there.
#[cfg(unix)]
async fn unix(path: &Path, mode: Mode) -> io::Result<Listener> {
    use std::os::unix::fs::FileTypeExt as _;

    let taken = |what| Err(io::Error::new(io::ErrorKind::AddrInUse, what));
    match std::fs::symlink_metadata(path) {
        Ok(file) if !file.file_type().is_socket() => {
            return taken("there is a file with this name that isn't a socket");
        }
        Ok(_) => match UnixStream::connect(path).await {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                std::fs::remove_file(path)?;
            }
            Ok(_) => return taken("another process listens on this socket"),
            Err(error) => return Err(error),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    // Set before the file exists, so that the file never has other permissions.
    let forbidden = rustix::fs::Mode::from_raw_mode(0o777 & !mode.0);
    let before = rustix::process::umask(forbidden);
    let bound = UnixListener::bind(path);
    rustix::process::umask(before);
    Ok(Listener::Unix(bound?, SocketFile::of(path)?))
}

#[cfg(not(unix))]
#[expect(clippy::unused_async, reason = "the version for Unix awaits")]
async fn unix(_: &Path, _: Mode) -> io::Result<Listener> {
    let what = "this system has no Unix sockets";
    Err(io::Error::new(io::ErrorKind::Unsupported, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_written_as_people_write_it() {
        for (text, shown) in [
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("[::]:8080", "[::]:8080"),
            (":8080", ":8080"),
            ("*:8080", ":8080"),
            (":0", ":0"),
            ("localhost:8080", "localhost:8080"),
            ("gw-1.internal:80", "gw-1.internal:80"),
            ("unix:/run/x.sock", "unix:/run/x.sock"),
            ("unix:///run/x.sock", "unix:/run/x.sock"),
            ("unix:x.sock", "unix:x.sock"),
        ] {
            let listen: Option<Listen> = text.parse().ok();
            assert_eq!(
                listen.map(|listen| listen.to_string()).as_deref(),
                Some(shown)
            );
        }
        for text in [
            "",
            "8080",
            "localhost",
            "localhost:",
            "localhost:http",
            ":65536",
            ":+80",
            "::1:80",
            "127.1:80",
            "300.0.0.1:80",
            "http://127.0.0.1:80",
            "a..b:80",
            "unix:",
            "/run/x.sock",
        ] {
            assert!(text.parse::<Listen>().is_err(), "{text}");
        }
    }

    #[test]
    fn permissions_are_octal() {
        assert_eq!("660".parse(), Ok(Mode::default()));
        assert_eq!("0660".parse(), Ok(Mode::default()));
        for text in ["", "6", "668", "1777", "+66", "rw-rw----"] {
            assert_eq!(text.parse::<Mode>(), Err(()), "{text}");
        }
    }
}
