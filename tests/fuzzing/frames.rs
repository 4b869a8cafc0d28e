//! Frames of HTTP/2, written by hand.

use tokio::io::{AsyncRead, AsyncReadExt as _};

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const PRIORITY: u8 = 2;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PUSH_PROMISE: u8 = 5;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const ACK: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;
pub(crate) const PADDED: u8 = 8;
pub(crate) const PRIORITIZED: u8 = 32;

#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

/// Returns the next frame; `None` means that the peer left.
pub(crate) async fn read(from: &mut (impl AsyncRead + Unpin)) -> Option<Frame> {
    let mut head = [0; 9];
    from.read_exact(&mut head).await.ok()?;
    let [a, b, c, kind, flags, stream @ ..] = head;
    let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
    from.read_exact(&mut payload).await.ok()?;
    let stream = u32::from_be_bytes(stream);
    Some(Frame {
        kind,
        flags,
        stream,
        payload,
    })
}

pub(crate) fn encode(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    testkit::h2_frames::encode(kind, flags, stream, payload)
}

/// DATA, with padding of that length.
pub(crate) fn data(stream: u32, payload: &[u8], padding: Option<u8>, is_end: bool) -> Vec<u8> {
    let end = if is_end { END_STREAM } else { 0 };
    match padding {
        None => encode(DATA, end, stream, payload),
        Some(len) => {
            let padded = [&[len], payload, &vec![0; usize::from(len)]].concat();
            encode(DATA, end | PADDED, stream, &padded)
        }
    }
}

/// The form in which a field block is sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form {
    pub(crate) padding: Option<u8>,
    pub(crate) is_prioritized: bool,
    /// The sizes of the fragments in CONTINUATION frames.
    pub(crate) cuts: Vec<usize>,
}

impl Form {
    pub(crate) fn any(random: &mut super::random::Random) -> Self {
        Self {
            padding: random.percent(15).then(|| random.byte()),
            is_prioritized: random.percent(15),
            cuts: match random.percent(25) {
                true => (0..random.within(1..4))
                    .map(|_| random.within(0..60))
                    .collect(),
                false => Vec::new(),
            },
        }
    }
}

/// HEADERS, with its CONTINUATIONs.
pub(crate) fn headers(stream: u32, block: &[u8], is_end: bool, form: &Form) -> Vec<u8> {
    // A frame may have 16 KiB. Empty fragments are rare, because a peer may count them as an attack.
    let mut cuts = form.cuts.clone();
    cuts.extend([16_000; 64]);
    let mut fragments = Vec::new();
    let mut rest = block;
    for cut in cuts {
        let (fragment, after) = rest.split_at(cut.min(rest.len()).min(16_000));
        fragments.push(fragment);
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    let (first, others) = fragments.split_first().unwrap();
    let mut payload = Vec::new();
    let mut flags = if is_end { END_STREAM } else { 0 };
    if let Some(len) = form.padding {
        flags |= PADDED;
        payload.push(len);
    }
    if form.is_prioritized {
        flags |= PRIORITIZED;
        payload.extend([0, 0, 0, 0, 9]);
    }
    payload.extend(*first);
    payload.extend(vec![0; usize::from(form.padding.unwrap_or(0))]);
    if others.is_empty() {
        flags |= END_HEADERS;
    }
    let mut bytes = encode(HEADERS, flags, stream, &payload);
    for (nth, fragment) in others.iter().enumerate() {
        let last = if nth + 1 == others.len() {
            END_HEADERS
        } else {
            0
        };
        bytes.extend(encode(CONTINUATION, last, stream, fragment));
    }
    bytes
}

/// SETTINGS.
pub(crate) fn settings(values: &[(u16, u32)]) -> Vec<u8> {
    let pairs = values
        .iter()
        .flat_map(|(name, value)| [&name.to_be_bytes()[..], &value.to_be_bytes()].concat());
    encode(SETTINGS, 0, 0, &pairs.collect::<Vec<_>>())
}

/// Returns the payload without padding and priority.
pub(crate) fn content(frame: &Frame) -> &[u8] {
    let mut payload = frame.payload.as_slice();
    if frame.flags & PADDED != 0 {
        let len = usize::from(payload[0]);
        payload = &payload[1..payload.len() - len];
    }
    if frame.kind == HEADERS && frame.flags & PRIORITIZED != 0 {
        payload = &payload[5..];
    }
    payload
}

/// A frame or bytes that break a rule of HTTP/2, mostly.
pub(crate) fn broken(random: &mut super::random::Random, stream: u32) -> Vec<u8> {
    let other = random.pick(&[0, stream, stream, 2, stream + 40, 0x7fff_ffff, 0x8000_0001]);
    match random.within(0..12) {
        0 => random.bytes(30),
        1 => {
            let len = random.within(0..40);
            let (kind, flags, payload) = (random.byte() % 12, random.byte(), random.bytes(len));
            encode(kind, flags, other, &payload)
        }
        2 => {
            let len = random.pick(&[0, 1, 3, 5, 7, 9, 13]);
            let kind = random.pick(&[PRIORITY, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE]);
            encode(kind, random.byte(), other, &vec![0; len])
        }
        // A frame that is longer than the limit.
        3 => encode(
            random.pick(&[DATA, HEADERS, 77]),
            0,
            other,
            &vec![0; 16_385],
        ),
        // Padding that is longer than the frame.
        4 => encode(
            random.pick(&[DATA, HEADERS]),
            PADDED | END_HEADERS,
            other,
            &[200, 1, 2],
        ),
        5 => encode(
            WINDOW_UPDATE,
            0,
            other,
            &random
                .pick(&[0_u32, 0x7fff_ffff, 0x8000_0000])
                .to_be_bytes(),
        ),
        6 => encode(
            HEADERS,
            END_HEADERS,
            other,
            random.pick(&[
                &b"\xff\xff\xff\xff\xff\xff"[..],
                b"\x80",
                b"\xbf",
                b"\x00",
                b"\x40\x01",
                b"\x3f\xff\xff\x7f",
            ]),
        ),
        7 => encode(CONTINUATION, END_HEADERS, other, b"\x82"),
        // A block that isn't finished.
        8 => encode(HEADERS, 0, other, b"\x82"),
        9 => settings(&[random.pick(&[
            (2, 2),
            (4, 0x8000_0000),
            (5, 1),
            (5, 0x0100_0000),
            (8, 2),
            (1, 0xffff_ffff),
            (0xf000, 1),
        ])]),
        10 => encode(
            PUSH_PROMISE,
            END_HEADERS,
            other,
            &[&[0, 0, 0, 2][..], b"\x82\x84\x86"].concat(),
        ),
        // The start of a frame only.
        _ => encode(DATA, 0, other, &[0; 20])[..random.within(1..28)].to_vec(),
    }
}
