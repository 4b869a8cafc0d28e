//! The vendors, which run in threads of the measuring process.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs, io, thread};

use bytes::Bytes;
use http::Response;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::BoxError;
use crate::cases::Wire;

/// The time for which callers and vendors wait before they write.
pub const PAUSE: Duration = Duration::from_micros(500);
/// The number of bytes in the body of a response.
pub const ANSWER_SIZE: usize = 200;

const HEAD: &str = "HTTP/1.1 200 OK\r\n\
    content-type: application/json\r\n\
    date: Fri, 01 May 2026 12:00:00 GMT\r\n\
    x-request-id: 0af7651916cd43dd8448eb211c80319c\r\n\
    content-length: 200\r\n\
    \r\n";

pub struct Vendors {
    plain: SocketAddr,
    http2: SocketAddr,
    tls: SocketAddr,
    /// The file with the authority that signed the certificate of the vendor with TLS.
    pub authority: PathBuf,
}

impl Vendors {
    pub fn start() -> Result<Self, BoxError> {
        let name = format!("instructions-{}.pem", std::process::id());
        let authority = env::temp_dir().join(name);
        let config = certified(&authority)?;
        Ok(Self {
            plain: listen(move |stream| serve(stream))?,
            http2: listen(serve_http2)?,
            tls: listen(move |stream| {
                let connection = ServerConnection::new(Arc::clone(&config))?;
                serve(StreamOwned::new(connection, stream))
            })?,
            authority,
        })
    }

    pub fn of(&self, wire: Wire) -> SocketAddr {
        match wire {
            Wire::Http1 => self.plain,
            Wire::Http2 => self.http2,
            Wire::Tls => self.tls,
        }
    }
}

impl Drop for Vendors {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.authority);
    }
}

/// Serves each connection in a thread. A proxy that is ended drops its connections, so errors are ignored.
fn listen<F>(serve: F) -> io::Result<SocketAddr>
where
    F: Fn(TcpStream) -> Result<(), BoxError> + Clone + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = serve.clone();
            thread::spawn(move || {
                let _ = stream.set_nodelay(true);
                let _ = serve(stream);
            });
        }
    });
    Ok(address)
}

/// Answers requests whose body has a length.
fn serve(mut stream: impl Read + Write) -> Result<(), BoxError> {
    let mut answer = HEAD.as_bytes().to_vec();
    answer.resize(HEAD.len() + ANSWER_SIZE, b'x');
    let mut received = Vec::new();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        received.extend_from_slice(&buffer[..read]);
        let Some(end) = received.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&received[..end]).to_ascii_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.map_or(Ok(0), |length| length.trim().parse())?;
        if received.len() < end + 4 + length {
            continue;
        }
        received.clear();
        thread::sleep(PAUSE);
        stream.write_all(&answer)?;
        stream.flush()?;
    }
}

fn serve_http2(stream: TcpStream) -> Result<(), BoxError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    stream.set_nonblocking(true)?;
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::from_std(stream)?;
        let mut connection = h2::server::handshake(stream).await?;
        while let Some(accepted) = connection.accept().await {
            let (_request, mut respond) = accepted?;
            tokio::spawn(async move {
                tokio::time::sleep(PAUSE).await;
                let response = Response::builder()
                    .header("content-type", "application/json")
                    .header("date", "Fri, 01 May 2026 12:00:00 GMT")
                    .header("x-request-id", "0af7651916cd43dd8448eb211c80319c")
                    .header("content-length", ANSWER_SIZE)
                    .body(())?;
                let mut body = respond.send_response(response, false)?;
                body.send_data(Bytes::from_static(&[b'x'; ANSWER_SIZE]), true)?;
                Ok::<_, BoxError>(())
            });
        }
        Ok(())
    })
}

/// Returns the TLS config of `vendor.test`, and writes the certificate of its authority to the file.
fn certified(authority: &PathBuf) -> Result<Arc<ServerConfig>, BoxError> {
    let mut params = CertificateParams::default();
    let name = "authority of the benchmark";
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    fs::write(authority, issuer.pem())?;
    let key = KeyPair::generate()?;
    let params = CertificateParams::new(vec!["vendor.test".to_owned()])?;
    let certificate = params.signed_by(&key, &issuer)?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
