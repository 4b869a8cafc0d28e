//! The memory of the process: it doesn't grow with bodies, and isn't dumped.
#![cfg(target_os = "linux")]

use std::fmt::Write as _;
use std::fs::File;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use h2::RecvStream;
use http::Response;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use testkit::certificates;
use testkit::gateway::{Origin as _, bind};
use testkit::h2_caller::{H2Caller, answer, request};
use testkit::h2_vendor::{H2Call, H2Vendor};
use testkit::process::canary::KEY;
use testkit::process::config::Config;
use testkit::process::curl;
use testkit::process::folder::Folder;
use testkit::process::gateway::Gateway;
use testkit::wait::within;

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

/// The number of event streams whose callers don't read.
const STREAMS: usize = 10_000;
/// The number of streams of each connection key, and of each network connection of a caller.
const STREAMS_OF_KEY: usize = 25;
const STREAMS_OF_CALLER: usize = 4 * STREAMS_OF_KEY;
/// The largest amount of memory that the process may have held with these streams.
const MOST_FOR_STREAMS: u64 = 400 << 20;
/// The number of bytes that a vendor would send to each caller.
const EVENTS: usize = 1 << 20;

/// Sends events as fast as the gateway permits, and counts their bytes.
async fn send_events(mut call: H2Call, size: usize, sent: Arc<AtomicUsize>) {
    let response = Response::builder().header("content-type", "text/event-stream");
    let mut stream = call.answer(response.body(()).unwrap());
    let mut left = size;
    while left > 0 {
        stream.reserve_capacity(left.min(8192));
        let Some(Ok(room)) = poll_fn(|cx| stream.poll_capacity(cx)).await else {
            return;
        };
        let event = Bytes::from(vec![b'x'; room.min(left)]);
        left -= event.len();
        sent.fetch_add(event.len(), Ordering::Relaxed);
        if stream.send_data(event, false).is_err() {
            return;
        }
    }
    // The stream stays open until the gateway resets it.
    let _ = poll_fn(|cx| stream.poll_reset(cx)).await;
}

/// Opens event streams whose callers don't read, and returns the largest amount of memory that the gateway has held.
async fn stalled(events: usize) -> u64 {
    let vendors = [H2Vendor::start().await, H2Vendor::start().await];
    let [even, odd] = &vendors;
    let vendor_of = |number: usize| if number % 2 == 0 { even } else { odd };
    let folder = Folder::new();
    folder.write("ca.pem", certificates::root_pem());
    let network = "allow = [\"127.0.0.0/8\"]\nextra_roots = [\"ca.pem\"]\n\
                   resolve = { \"vendor.test\" = \"127.0.0.1\" }";
    let mut tables = String::new();
    for (number, vendor) in vendors.iter().enumerate() {
        let url = vendor.origin();
        writeln!(
            tables,
            "[integration.v{number}]\nbase_url = \"{url}\"\nauth = {{ kind = \"bearer\" }}"
        )
        .unwrap();
    }
    for number in 0..STREAMS / STREAMS_OF_KEY {
        writeln!(
            tables,
            "[connection.k{number}]\nintegration = \"v{}\"\nsecret = {{ token = \"t\" }}",
            number % 2
        )
        .unwrap();
    }
    let config = Config::new(even).network(network).table(&tables);
    let gateway = Gateway::start_in(folder, &config, &[]).await;

    let sent = Arc::new(AtomicUsize::new(0));
    let mut sending = JoinSet::new();
    let mut open: Vec<(H2Caller, Vec<RecvStream>)> = Vec::new();
    for number in 0..STREAMS / STREAMS_OF_CALLER {
        let mut caller = H2Caller::connect(gateway.address).await;
        let mut responses = Vec::new();
        for stream in 0..STREAMS_OF_CALLER {
            let key = stream / STREAMS_OF_KEY * (STREAMS / STREAMS_OF_CALLER) + number;
            let call = request("GET", &format!("/passthrough/k{key}/events"))
                .header("x-api-key", KEY)
                .body(())
                .unwrap();
            responses.push(caller.open(call, true).await.0);
        }
        for _ in 0..STREAMS_OF_CALLER {
            let call = vendor_of(number).next().await;
            sending.spawn(send_events(call, events, Arc::clone(&sent)));
        }
        let mut bodies = Vec::new();
        for response in responses {
            let response = answer(response).await;
            assert_eq!(response.status(), 200);
            bodies.push(response.into_body());
        }
        open.push((caller, bodies));
    }
    let mut before = usize::MAX;
    loop {
        let now = sent.load(Ordering::Relaxed);
        if now == before {
            break;
        }
        before = now;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let peak = peak(&gateway);
    println!(
        "{STREAMS} stalled streams: {} MiB sent, a peak of {} MiB",
        before >> 20,
        peak >> 20
    );

    // A stalled stream goes on when its caller reads again, with a window that became smaller than its data, and with
    // a window that was small from the beginning.
    let (_first_caller, first) = open.remove(0);
    let (_last_caller, last) = open.pop().unwrap();
    for mut bodies in [first, last] {
        let mut body = bodies.swap_remove(0);
        drop(bodies);
        let mut read = 0;
        while read < events {
            let data = within("the rest of a stream", body.data()).await;
            let data = data.unwrap().unwrap();
            read += data.len();
            body.flow_control().release_capacity(data.len()).unwrap();
        }
        assert_eq!(read, events);
    }

    // The streams of other callers don't stop a call.
    let mut caller = H2Caller::connect(gateway.address).await;
    let call = request("GET", "/passthrough/c/x").header("x-api-key", KEY);
    let call = caller.call(call.body(()).unwrap());
    let vendor = async {
        let mut call = even.next().await;
        call.ok("ok");
        call
    };
    let (answer, _call) = tokio::join!(call, vendor);
    assert_eq!((answer.status.as_u16(), &*answer.body), (200, &b"ok"[..]));
    peak
}

#[tokio::test]
async fn x15_ten_thousand_stalled_event_streams_take_less_than_400_mib() {
    let peak = stalled(EVENTS).await;
    assert!(peak < MOST_FOR_STREAMS, "{} MiB", peak >> 20);
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
