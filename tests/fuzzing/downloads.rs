//! Responses over HTTP/2 in frames of any size, read by callers of any speed. Each byte must arrive, in order.

use std::time::Duration;

use testkit::wait::Signal;
use testkit::wire::End;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpSocket;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::frames::{self, Form};
use super::hpack;
use super::oracle::ATTACKER;
use super::random::Random;
use super::run::{Game, Log};
use super::stage::{self, Answer, Read, Reader, Streams};
use super::vendor_http2::Vendor;

const LIMIT: Duration = Duration::from_secs(15);

#[derive(Clone, Copy)]
pub(crate) struct Downloads;

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Tls,
    Cuts(Vec<usize>),
    Download {
        /// Sizes of frames, and their padding; the last frame is followed by the first until all bytes were sent.
        frames: Vec<(usize, Option<u8>)>,
        len: usize,
        /// The empty frames before each frame.
        empty: usize,
        end: Ending,
        is_http2: bool,
        /// The sizes of the caller's reads.
        reads: Vec<usize>,
        /// The caller reads only after the upstream has used up its room, or has sent all.
        is_lazy: bool,
        /// The frames that are sent together, before those of another stream.
        turn: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Data,
    EmptyData,
    Trailers,
    Reset(u32),
}

impl Game for Downloads {
    const NAME: &'static str = "downloads_over_http2";
    type Step = Step;

    fn steps(self, random: &mut Random) -> Vec<Step> {
        let mut steps = Vec::new();
        if random.percent(20) {
            steps.push(Step::Tls);
        }
        if random.percent(50) {
            steps.push(Step::Cuts(random.cuts()));
        }
        for _ in 0..random.within(1..6) {
            let is_tiny = random.percent(40);
            let frame = |random: &mut Random| {
                let len = if is_tiny {
                    random.within(0..4)
                } else {
                    random.size(16_000)
                };
                (len, random.percent(15).then(|| random.byte()))
            };
            let mut frames: Vec<_> = (0..random.within(1..8)).map(|_| frame(random)).collect();
            // h2 ends a connection after 100 frames of padding alone.
            for (len, padding) in &mut frames {
                if *len == 0 {
                    *padding = None;
                }
            }
            // At most some thousand frames, because each costs time.
            let cycle = frames.iter().map(|(len, _)| *len).sum::<usize>().max(1);
            let most = (4000 * cycle / frames.len()).clamp(1, 700_000);
            steps.push(Step::Download {
                len: random.within(0..most),
                frames,
                empty: if random.percent(30) {
                    random.within(0..5)
                } else {
                    0
                },
                end: random.pick(&[
                    Ending::Data,
                    Ending::EmptyData,
                    Ending::Trailers,
                    Ending::Reset(8),
                    Ending::Reset(0),
                ]),
                is_http2: random.percent(40),
                reads: (0..random.within(1..4))
                    .map(|_| random.size(60_000).max(200))
                    .collect(),
                is_lazy: random.percent(50),
                turn: random.within(1..200),
            });
        }
        steps
    }

    async fn play(self, steps: Vec<Step>, log: Log) -> Result<(), String> {
        let is_secure = matches!(steps.first(), Some(Step::Tls));
        let mut vendor = Vendor::bind(is_secure, vec![(3, 100)]).await;
        let gateway = stage::gateway(&vendor, vendor.address().ip(), !is_secure, log).await;
        let address = gateway.address;
        let mut downloads = Vec::new();
        let mut calls = JoinSet::new();
        for step in steps {
            match step {
                Step::Tls => {}
                Step::Cuts(cuts) => vendor.cuts = cuts,
                download @ Step::Download { .. } => {
                    let nth = downloads.len();
                    let signal = Signal::new();
                    let (step, begin) = (download.clone(), signal.clone());
                    calls.spawn(async move {
                        let read = timeout(LIMIT, read(&step, address, nth, begin)).await;
                        (
                            nth,
                            read.unwrap_or_else(|_| Err("the download has no end".to_owned())),
                        )
                    });
                    downloads.push(Download {
                        step: download,
                        place: None,
                        sent: 0,
                        frames: 0,
                        is_ended: false,
                        signal,
                    });
                }
            }
        }
        let victim = tokio::spawn(async move {
            stage::victim(address, false).await?;
            stage::victim(address, true).await
        });
        let playing = async {
            loop {
                vendor.catch_up().await;
                let mut has_sent = false;
                for (nth, download) in downloads.iter_mut().enumerate() {
                    has_sent |= download.send(&mut vendor, nth).await;
                }
                if has_sent {
                    // The gateway and the callers share this thread.
                    tokio::task::yield_now().await;
                    continue;
                }
                tokio::select! {
                    called = calls.join_next() => {
                        let Some(called) = called else { return Ok(()) };
                        let (nth, read) = called.map_err(|error| error.to_string())?;
                        downloads[nth].check(read).map_err(|wrong| format!("download {nth}: {wrong}"))?;
                    }
                    event = vendor.event() => vendor.on_event(event).await,
                }
            }
        };
        playing.await.map_err(|wrong: String| wrong)?;
        let mut last = tokio::spawn(async move {
            victim.await.map_err(|error| error.to_string())??;
            stage::victim(address, false).await
        });
        loop {
            tokio::select! {
                ended = &mut last => return ended.map_err(|error| error.to_string())?,
                event = vendor.event() => vendor.on_event(event).await,
            }
        }
    }
}

struct Download {
    step: Step,
    place: Option<(usize, u32)>,
    sent: usize,
    frames: usize,
    is_ended: bool,
    /// The caller may read.
    signal: Signal,
}

/// The bytes of a download from a position on.
fn content(nth: usize, from: usize, len: usize) -> Vec<u8> {
    let byte = |at: usize| {
        (at.wrapping_mul(2_654_435_761) >> 11)
            .wrapping_add(nth)
            .to_le_bytes()[0]
    };
    (from..from + len).map(byte).collect()
}

impl Download {
    /// Sends the next frames. Returns `true` if something was sent.
    async fn send(&mut self, vendor: &mut Vendor, nth: usize) -> bool {
        let Step::Download {
            frames,
            len,
            empty,
            end,
            turn,
            ..
        } = &self.step
        else {
            return false;
        };
        if self.is_ended {
            return false;
        }
        let mut bytes = Vec::new();
        let (connection, stream) = match self.place {
            Some(place) => place,
            None => {
                let Some(place) = vendor.find(&format!("/call/{nth}")) else {
                    return false;
                };
                self.place = Some(place);
                let block = hpack::encode(&[(":status".to_owned(), b"200".to_vec())], |_| false);
                bytes.extend(frames::headers(place.1, &block, false, &Form::default()));
                place
            }
        };
        for _ in 0..*turn {
            let (size, padding) = frames[self.frames % frames.len()];
            let is_stuck = frames.iter().all(|(size, _)| *size == 0);
            let size = if is_stuck { 1 } else { size }.min(len - self.sent);
            let cost = i64::try_from(size + padding.map_or(0, |len| usize::from(len) + 1)).unwrap();
            let place = &mut vendor.connections[connection];
            let window = &mut place.streams.get_mut(&stream).unwrap().window;
            if cost > (*window).min(place.window) {
                self.signal.give();
                break;
            }
            *window -= cost;
            place.window -= cost;
            for _ in 0..*empty {
                bytes.extend(frames::data(stream, &[], None, false));
            }
            let is_last = self.sent + size == *len;
            let is_end = is_last && *end == Ending::Data;
            bytes.extend(frames::data(
                stream,
                &content(nth, self.sent, size),
                padding,
                is_end,
            ));
            self.sent += size;
            self.frames += 1;
            if is_last {
                match end {
                    Ending::Data => {}
                    Ending::EmptyData => bytes.extend(frames::data(stream, &[], None, true)),
                    Ending::Trailers => {
                        let block = hpack::encode(&[("x-qt".to_owned(), b"v".to_vec())], |_| false);
                        bytes.extend(frames::headers(stream, &block, true, &Form::default()));
                    }
                    Ending::Reset(code) => {
                        bytes.extend(frames::encode(
                            frames::RST_STREAM,
                            0,
                            stream,
                            &code.to_be_bytes(),
                        ));
                    }
                }
                self.is_ended = true;
                self.signal.give();
                break;
            }
        }
        vendor.send(connection, &bytes).await;
        !bytes.is_empty()
    }

    fn check(&self, read: Result<Answer, String>) -> Result<(), String> {
        let Step::Download {
            len, end, is_http2, ..
        } = &self.step
        else {
            return Ok(());
        };
        let is_cut = matches!(end, Ending::Reset(_));
        let answer = match read {
            // A stream that is reset may lose the head that was sent just before.
            Err(wrong) if is_cut && *is_http2 && wrong.ends_with("without an answer") => {
                return Ok(());
            }
            read => read?,
        };
        answer.is_allowed(ATTACKER)?;
        let is_complete = answer.end == End::Complete && answer.error().is_none();
        if is_cut {
            return match is_complete {
                true => Err("a response that was reset looks complete".to_owned()),
                false => Ok(()),
            };
        }
        let has_trailers = !is_http2 || (answer.trailers.is_empty() != (*end == Ending::Trailers));
        if answer.status == 200 && is_complete && answer.body.len() == *len && has_trailers {
            return Ok(());
        }
        Err(format!(
            "{len} bytes were expected, {} came: {}",
            answer.body.len(),
            answer.shown()
        ))
    }
}

/// Reads a download, at the speed of its caller.
async fn read(
    step: &Step,
    address: std::net::SocketAddr,
    nth: usize,
    begin: Signal,
) -> Result<Answer, String> {
    let Step::Download {
        is_http2,
        reads,
        is_lazy,
        ..
    } = step
    else {
        return Err("not a download".to_owned());
    };
    let target = format!("/p/{}/call/{nth}", ATTACKER.id);
    let wait = async {
        if *is_lazy {
            begin.given().await;
        }
    };
    let read = if *is_http2 {
        let streams = Streams::connect(address).await;
        let request = http::Request::builder().uri(format!("http://app.test{target}"));
        streams
            .call(request.body(Vec::new()).unwrap(), wait)
            .await?
    } else {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(8192).unwrap();
        let (half, mut write) = socket.connect(address).await.unwrap().into_split();
        let mut reader = Reader::new(half);
        reader.sizes.clone_from(reads);
        write
            .write_all(format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes())
            .await
            .unwrap();
        wait.await;
        reader.answer("GET").await?
    };
    let Read::Answer(answer) = read else {
        return Err("the connection was closed without an answer".to_owned());
    };
    if answer.error().is_none() && answer.body != content(nth, 0, answer.body.len()) {
        let at = answer
            .body
            .iter()
            .zip(content(nth, 0, answer.body.len()))
            .position(|(a, b)| *a != b);
        return Err(format!("byte {at:?} differs"));
    }
    Ok(answer)
}
