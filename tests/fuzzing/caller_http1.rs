//! A caller over HTTP/1.1: valid requests, alone and pipelined, in pieces, followed by bytes with faults.

use std::time::Duration;

use testkit::gateway::Origin as _;
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;

use super::honest::{Honest, SMUGGLED};
use super::oracle::{self, ATTACKER};
use super::random::{Random, Shown, pieces};
use super::request::{Request, broken, find};
use super::run::{Game, Log};
use super::stage::{self, Read, Reader, connect};

/// The longest time in which the gateway must answer or close.
const LIMIT: Duration = Duration::from_secs(8);

#[derive(Clone, Copy)]
pub(crate) struct CallerHttp1;

#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// The upstream speaks HTTP/2. Only as the first step.
    Http2Upstream,
    Valid(Request, Vec<usize>),
    /// Bytes with any meaning.
    Bytes(Shown, Vec<usize>),
    /// Leaves, and connects again.
    Leave(Leave),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    HalfClose,
    Close,
    Reset,
}

impl Game for CallerHttp1 {
    const NAME: &'static str = "callers_over_http1";
    type Step = Step;

    fn steps(self, random: &mut Random) -> Vec<Step> {
        let mut steps = Vec::new();
        if random.percent(30) {
            steps.push(Step::Http2Upstream);
        }
        for _ in 0..random.within(1..3) {
            for _ in 0..random.within(0..4) {
                steps.push(Step::Valid(Request::any(random, false), random.cuts()));
            }
            if random.percent(60) {
                let valid = Request::any(random, false).render(9);
                let mut bytes = broken(random, valid);
                if random.percent(30) {
                    bytes.extend(format!("GET {SMUGGLED} HTTP/1.1\r\nHost: h\r\n\r\n").bytes());
                }
                // hyper's HTTP/2 server ends the connection after a longer head.
                if bytes.len() < 60_000 || !matches!(steps.first(), Some(Step::Http2Upstream)) {
                    steps.push(Step::Bytes(Shown(bytes), random.cuts()));
                }
            }
            steps.push(Step::Leave(random.pick(&[
                Leave::HalfClose,
                Leave::HalfClose,
                Leave::Close,
                Leave::Reset,
            ])));
        }
        steps
    }

    async fn play(self, steps: Vec<Step>, log: Log) -> Result<(), String> {
        let is_http2 = matches!(steps.first(), Some(Step::Http2Upstream));
        let upstream = Honest::start(is_http2).await;
        let origin = upstream.origin();
        let port = origin.rsplit(':').next().unwrap().parse().unwrap();
        let gateway = stage::gateway(&upstream, upstream.address().ip(), is_http2, log).await;
        let address = gateway.address;
        let victim = tokio::spawn(async move {
            stage::victim(address, false).await?;
            stage::victim(address, true).await
        });
        let connections = steps.split_inclusive(|step| matches!(step, Step::Leave(_)));
        for steps in connections {
            connection(address, port, steps).await?;
        }
        victim.await.map_err(|error| error.to_string())??;
        stage::victim(address, false).await?;
        stage::victim(address, true).await
    }
}

/// Writes the bytes of all steps to a connection, and checks what comes back.
async fn connection(
    address: std::net::SocketAddr,
    port: u16,
    steps: &[Step],
) -> Result<(), String> {
    let mut writes = Vec::new();
    let mut expected = Vec::new();
    let mut leave = Leave::HalfClose;
    let mut is_broken = false;
    for step in steps {
        match step {
            Step::Http2Upstream => {}
            Step::Valid(request, cuts) => {
                writes.push((request.render(port), cuts));
                if !is_broken {
                    expected.push(request);
                }
            }
            Step::Bytes(bytes, cuts) => {
                is_broken = true;
                writes.push((bytes.0.clone(), cuts));
            }
            Step::Leave(how) => leave = *how,
        }
    }
    let (read, mut write) = connect(address).await.into_split();
    let mut reader = Reader::new(read);
    let writing = async {
        for (bytes, cuts) in &writes {
            for piece in pieces(bytes, cuts) {
                if write.write_all(piece).await.is_err() {
                    return;
                }
                tokio::task::yield_now().await;
            }
        }
    };
    let reading = async {
        for request in &expected {
            match reader.answer(request.method).await? {
                Read::Answer(answer) => request.check(&answer)?,
                Read::Closed => {
                    return Err(format!(
                        "no answer to {} {}",
                        request.method, request.target
                    ));
                }
            }
        }
        Ok::<(), String>(())
    };
    // A gateway that has refused bytes may not read the rest.
    let both = async {
        tokio::pin!(writing, reading);
        let mut is_written = false;
        loop {
            tokio::select! {
                () = &mut writing, if !is_written => is_written = true,
                read = &mut reading => {
                    read?;
                    if !is_written && is_broken {
                        let _ = timeout(Duration::from_millis(300), &mut writing).await;
                    } else if !is_written {
                        writing.await;
                    }
                    return Ok::<(), String>(());
                }
            }
        }
    };
    timeout(LIMIT, both)
        .await
        .map_err(|_| "valid requests get no answer".to_owned())??;
    match leave {
        Leave::Reset => {
            let socket = reader.into_inner().reunite(write).unwrap();
            let _ = socket.set_zero_linger();
        }
        Leave::Close => {}
        Leave::HalfClose => {
            let _ = write.shutdown().await;
            let rest = timeout(LIMIT, reader.rest())
                .await
                .map_err(|_| "the gateway doesn't close".to_owned())?;
            oracle::is_own(ATTACKER, &rest)?;
            if !is_broken && !rest.is_empty() {
                return Err(format!(
                    "bytes that no request asked for: {:?}",
                    String::from_utf8_lossy(&rest)
                ));
            }
            check_heads(&rest)?;
        }
    }
    Ok(())
}

/// Checks each head in these bytes: an answer of the upstream, a documented error, or an error of hyper's server.
fn check_heads(bytes: &[u8]) -> Result<(), String> {
    let mut rest = bytes;
    while let Some(start) = find(rest, b"HTTP/1.") {
        rest = &rest[start..];
        let Some(end) = find(rest, b"\r\n\r\n") else {
            return Ok(());
        };
        let head = testkit::head::Head::parse(rest[..end + 4].to_vec());
        match head.value("passthrough-error") {
            Some(code) => oracle::is_documented(code, head.status())?,
            None if matches!(head.status(), 100 | 200 | 400 | 414 | 431 | 505) => {}
            None => return Err(format!("an answer of nobody: {:?}", head.start)),
        }
        rest = &rest[end..];
    }
    Ok(())
}
