//! A scripted proxy between the gateway and its vendors, which records the requests for tunnels.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::certificates;
use super::counts::Counts;
use super::head::latin1;
use super::wait::within;

/// The reaction to a request for a tunnel.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// A tunnel to the address in the request.
    Through,
    /// A tunnel to this other address, for names that only the proxy knows.
    To(SocketAddr),
    /// These bytes, and then the end of the connection.
    Say(Vec<u8>),
    /// No answer at all.
    Silence,
}

impl Verdict {
    pub fn say(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Say(bytes.into())
    }
}

type Script = Arc<dyn Fn(&str) -> Verdict + Send + Sync>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Http,
    Socks5,
}

/// Accepts, records and answers in the background until the proxy is dropped.
pub struct EgressProxy {
    scheme: &'static str,
    address: SocketAddr,
    counts: Counts,
    asked: Mutex<mpsc::UnboundedReceiver<String>>,
    _tasks: JoinSet<()>,
}

impl EgressProxy {
    /// Starts a proxy for CONNECT over HTTP/1.1. The script receives the head unchanged.
    pub async fn http(script: impl Fn(&str) -> Verdict + Send + Sync + 'static) -> Self {
        Self::start("http", Protocol::Http, None, Arc::new(script)).await
    }

    /// Starts the same proxy over TLS, with a certificate for `name`.
    pub async fn https(
        name: &str,
        script: impl Fn(&str) -> Verdict + Send + Sync + 'static,
    ) -> Self {
        let tls = certificates::acceptor(name, &["http/1.1"]);
        Self::start("https", Protocol::Http, Some(tls), Arc::new(script)).await
    }

    /// Starts a SOCKS5 proxy. The proxy asks for user and password if the gateway offers them. The
    /// script receives `user:password@host:port`.
    pub async fn socks5(script: impl Fn(&str) -> Verdict + Send + Sync + 'static) -> Self {
        Self::start("socks5", Protocol::Socks5, None, Arc::new(script)).await
    }

    async fn start(
        scheme: &'static str,
        protocol: Protocol,
        tls: Option<TlsAcceptor>,
        script: Script,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        let counts = Counts::default();
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        let counted = counts.clone();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, peer)) = listener.accept().await {
                let _ = socket.set_nodelay(true);
                let number = counted.accepted(peer);
                let (tls, script, sender) = (tls.clone(), script.clone(), sender.clone());
                let counted = counted.clone();
                connections.spawn(async move {
                    // A gateway that leaves ends the exchange.
                    let _ = match tls {
                        None => serve(protocol, socket, &script, &sender).await,
                        Some(tls) => match tls.accept(socket).await {
                            Ok(stream) => serve(protocol, stream, &script, &sender).await,
                            Err(_) => None,
                        },
                    };
                    counted.closed(number);
                });
            }
        });
        Self {
            scheme,
            address,
            counts,
            asked: Mutex::new(receiver),
            _tasks: tasks,
        }
    }

    /// Returns the proxy's URL, with `user_info` in front of the host: nothing, or
    /// `user:password@`.
    pub fn url(&self, user_info: &str) -> String {
        format!("{}://{user_info}{}", self.scheme, self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the text by which the next tunnel was requested.
    pub async fn next(&self) -> String {
        let mut asked = self.asked.lock().await;
        within("a tunnel to be asked for", asked.recv())
            .await
            .expect("the proxy is there")
    }

    /// Returns the number of connections that the gateway has made.
    pub async fn connections(&self) -> usize {
        self.counts.connections(self.address).await
    }

    /// Waits until the gateway holds no connection any more.
    pub async fn all_closed(&self) {
        self.counts.wait_all_closed().await;
    }
}

/// Serves a connection. Returns `None` if the gateway left, or broke the protocol.
async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    protocol: Protocol,
    mut stream: S,
    script: &Script,
    sender: &mpsc::UnboundedSender<String>,
) -> Option<()> {
    let (asked, goal) = match protocol {
        Protocol::Http => connect_head(&mut stream).await?,
        Protocol::Socks5 => socks_request(&mut stream).await?,
    };
    let verdict = script(&asked);
    let _ = sender.send(asked);
    let goal = match verdict {
        Verdict::Through => goal.parse().expect("an address"),
        Verdict::To(address) => address,
        Verdict::Say(bytes) => {
            stream.write_all(&bytes).await.ok()?;
            stream.shutdown().await.ok()?;
            // The bytes that the gateway sent meanwhile are read, so that no reset loses the
            // answer.
            stream.read_to_end(&mut Vec::new()).await.ok()?;
            return Some(());
        }
        Verdict::Silence => {
            stream.read_to_end(&mut Vec::new()).await.ok()?;
            return Some(());
        }
    };
    let mut vendor = TcpStream::connect(goal).await.ok()?;
    let _ = vendor.set_nodelay(true);
    let done: &[u8] = match protocol {
        Protocol::Http => b"HTTP/1.1 200 Connection established\r\n\r\n",
        Protocol::Socks5 => &[5, 0, 0, 1, 127, 0, 0, 1, 0, 80],
    };
    stream.write_all(done).await.ok()?;
    stream.flush().await.ok()?;
    copy_bidirectional(&mut stream, &mut vendor).await.ok()?;
    Some(())
}

/// Returns the head of a CONNECT, and its target.
async fn connect_head<S: AsyncRead + Unpin>(stream: &mut S) -> Option<(String, String)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = latin1(&head);
    let goal = head.split(' ').nth(1).unwrap_or_default().to_owned();
    Some((head, goal))
}

/// Returns the script's text for a SOCKS request (user and target), and the target.
async fn socks_request<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
) -> Option<(String, String)> {
    assert_eq!(stream.read_u8().await.ok()?, 5, "another version");
    let ways = sized(stream).await?;
    let mut asked = String::new();
    if ways.contains(&2) {
        stream.write_all(&[5, 2]).await.ok()?;
        assert_eq!(stream.read_u8().await.ok()?, 1, "another version");
        let (user, password) = (sized(stream).await?, sized(stream).await?);
        asked = format!("{}:{}@", latin1(&user), latin1(&password));
        stream.write_all(&[1, 0]).await.ok()?;
    } else {
        stream.write_all(&[5, 0]).await.ok()?;
    }
    let mut request = [0; 4];
    stream.read_exact(&mut request).await.ok()?;
    assert_eq!(request[..3], [5, 1, 0], "another request");
    let host = match request[3] {
        1 => IpAddr::from(stream.read_u32().await.ok()?.to_be_bytes()).to_string(),
        4 => format!(
            "[{}]",
            IpAddr::from(stream.read_u128().await.ok()?.to_be_bytes())
        ),
        _ => latin1(&sized(stream).await?),
    };
    let goal = format!("{host}:{}", stream.read_u16().await.ok()?);
    asked.push_str(&goal);
    Some((asked, goal))
}

/// Returns the bytes that follow their count.
async fn sized<S: AsyncRead + Unpin>(stream: &mut S) -> Option<Vec<u8>> {
    let mut bytes = vec![0; usize::from(stream.read_u8().await.ok()?)];
    stream.read_exact(&mut bytes).await.ok()?;
    Some(bytes)
}
