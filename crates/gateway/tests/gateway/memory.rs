//! The memory of the process: it doesn't grow with bodies, and isn't dumped.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use testkit::gateway::bind;
use testkit::process::config::Config;
use testkit::process::curl;
use testkit::process::folder::Folder;
use testkit::process::gateway::Gateway;

/// The largest amount of memory that the process may have held.
const MOST: u64 = 64 << 20;

/// A vendor that sends or reads that number of bytes.
struct Flood {
    address: SocketAddr,
    _task: JoinSet<()>,
}

impl Flood {
    async fn of(size: u64) -> Self {
        let listener = bind().await;
        let address = listener.local_addr().unwrap();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                connections.spawn(serve(socket, size));
            }
        });
        Self {
            address,
            _task: task,
        }
    }

    fn origin(&self) -> String {
        format!("http://vendor.test:{}", self.address.port())
    }
}

/// Answers each request: a GET with the bytes, and any other request after reading its body.
async fn serve(mut socket: TcpStream, size: u64) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    while let Some((head, body)) = head(&mut socket, &mut buffer).await? {
        if head.starts_with(b"GET ") {
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n");
            socket.write_all(answer.as_bytes()).await?;
            tokio::io::copy(&mut tokio::io::repeat(0).take(size), &mut socket).await?;
            continue;
        }
        let mut left = size - u64::try_from(body).unwrap();
        while left > 0 {
            let read = socket.read(&mut buffer).await?;
            assert_ne!(read, 0, "the gateway closed with {left} bytes to come");
            left -= u64::try_from(read).unwrap();
        }
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole";
        socket.write_all(answer).await?;
    }
    Ok(())
}

/// Returns the next head, and the number of bytes of its body that were read with it.
async fn head(
    socket: &mut TcpStream,
    buffer: &mut [u8],
) -> std::io::Result<Option<(Vec<u8>, usize)>> {
    let mut head = Vec::new();
    loop {
        let read = socket.read(buffer).await?;
        if read == 0 {
            return Ok(None);
        }
        head.extend_from_slice(buffer.get(..read).unwrap_or_default());
        let end = head.windows(4).position(|bytes| bytes == b"\r\n\r\n");
        if let Some(end) = end {
            let body = head.len() - (end + 4);
            return Ok(Some((head, body)));
        }
    }
}

/// Returns the largest amount of memory that the process has held so far.
fn peak(gateway: &Gateway) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", gateway.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kib.unwrap().parse::<u64>().unwrap() * 1024
}

/// Downloads and uploads that number of bytes over both protocols.
async fn stream(size: u64, patience: Duration) {
    let folder = Folder::new();
    let file = folder.path("upload");
    // The file has the length, and takes no space on the disk.
    File::create(&file).unwrap().set_len(size).unwrap();
    let file = file.to_str().unwrap();
    for protocol in ["--http1.1", "--http2-prior-knowledge"] {
        let vendor = Flood::of(size).await;
        let config = Config::new(&*vendor.origin());
        let gateway = Gateway::start(&config).await;
        let download = ["-o", "/dev/null", "-w", "%{http_code} %{size_download}"];
        let upload = ["-T", file, "-w", " %{http_code} %{size_upload}"];
        for (arguments, expected) in [
            (download, format!("200 {size}")),
            (upload, format!("whole 200 {size}")),
        ] {
            let command = gateway.command("/c/x", &[&[protocol], &arguments[..]].concat());
            let ended = tokio::time::timeout(patience, curl::unbounded(command)).await;
            let answer = ended.expect("curl to end");
            assert_eq!(
                (answer.exit, &*answer.stdout),
                (Some(0), &*expected),
                "{answer:?}"
            );
            let peak = peak(&gateway);
            println!("{protocol} {expected}: a peak of {} MiB", peak >> 20);
            assert!(peak < MOST, "{protocol} {expected}: {} MiB", peak >> 20);
        }
    }
}

/// The memory of the process isn't written to core dumps.
#[tokio::test]
async fn l9_no_core_is_dumped() {
    let gateway = Gateway::demo().await;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", gateway.id())).unwrap();
    let core = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max core file size"));
    let core: Vec<_> = core.unwrap().split_whitespace().collect();
    assert_eq!(core, ["0", "0", "bytes"]);
}

#[tokio::test]
async fn a_quarter_of_a_gibibyte_each_way_in_64_mib() {
    stream(256 << 20, Duration::from_secs(120)).await;
}

#[tokio::test]
#[ignore = "takes minutes in a debug build"]
async fn five_gibibytes_each_way_in_64_mib() {
    stream(5 << 30, Duration::from_secs(1800)).await;
}
