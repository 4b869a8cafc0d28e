//! Field blocks of HTTP/2 (RFC 7541), read by hand: the gateway's encoder uses Huffman codes and the dynamic table.

use std::collections::{HashMap, VecDeque};
use std::sync::LazyLock;

pub(crate) type Field = (String, String);

/// The lengths of the Huffman codes of all bytes. The codes are canonical, so the lengths determine them.
const CODE_LENGTHS: [u8; 256] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
    28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5,
    5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6,
    6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22,
    23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22,
    21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20,
    22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19,
    21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22,
    22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
];

/// The names of the static table from entry 15 on; their values are empty, except that of `accept-encoding`.
const NAMES: [&str; 47] = [
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "accept-ranges",
    "accept",
    "access-control-allow-origin",
    "age",
    "allow",
    "authorization",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-range",
    "content-type",
    "cookie",
    "date",
    "etag",
    "expect",
    "expires",
    "from",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "last-modified",
    "link",
    "location",
    "max-forwards",
    "proxy-authenticate",
    "proxy-authorization",
    "range",
    "referer",
    "refresh",
    "retry-after",
    "server",
    "set-cookie",
    "strict-transport-security",
    "transfer-encoding",
    "user-agent",
    "vary",
    "via",
    "www-authenticate",
];

static CODES: LazyLock<HashMap<(u8, u32), u8>> = LazyLock::new(|| {
    let mut order: Vec<u8> = (0..=255).collect();
    order.sort_by_key(|byte| (CODE_LENGTHS[usize::from(*byte)], *byte));
    let (mut code, mut previous) = (0_u32, CODE_LENGTHS[usize::from(order[0])]);
    let mut codes = HashMap::new();
    for byte in order {
        let len = CODE_LENGTHS[usize::from(byte)];
        code <<= len - previous;
        codes.insert((len, code), byte);
        code += 1;
        previous = len;
    }
    codes
});

fn static_entry(index: usize) -> Field {
    let (name, value) = match index {
        1 => (":authority", ""),
        2 => (":method", "GET"),
        3 => (":method", "POST"),
        4 => (":path", "/"),
        5 => (":path", "/index.html"),
        6 => (":scheme", "http"),
        7 => (":scheme", "https"),
        8 => (":status", "200"),
        9 => (":status", "204"),
        10 => (":status", "206"),
        11 => (":status", "304"),
        12 => (":status", "400"),
        13 => (":status", "404"),
        14 => (":status", "500"),
        16 => ("accept-encoding", "gzip, deflate"),
        _ => (NAMES[index - 15], ""),
    };
    (name.to_owned(), value.to_owned())
}

/// The decoder of a direction of a connection.
#[derive(Default)]
pub(crate) struct Decoder {
    dynamic: VecDeque<Field>,
    max: Option<usize>,
}

impl Decoder {
    /// Returns the fields of a block, with each byte as a character. Panics if the block isn't valid.
    pub(crate) fn decode(&mut self, block: &[u8]) -> Vec<Field> {
        let (mut at, mut fields) = (0, Vec::new());
        while at < block.len() {
            let first = block[at];
            if first & 0x80 != 0 {
                let index = integer(block, &mut at, 7);
                fields.push(self.entry(index));
            } else if first & 0xe0 == 0x20 {
                self.max = Some(integer(block, &mut at, 5));
                self.evict();
            } else {
                let is_indexed = first & 0x40 != 0;
                let index = integer(block, &mut at, if is_indexed { 6 } else { 4 });
                let name = match index {
                    0 => text(block, &mut at),
                    index => self.entry(index).0,
                };
                let field = (name, text(block, &mut at));
                if is_indexed {
                    self.dynamic.push_front(field.clone());
                    self.evict();
                }
                fields.push(field);
            }
        }
        fields
    }

    fn entry(&self, index: usize) -> Field {
        match index {
            1..=61 => static_entry(index),
            _ => self.dynamic[index - 62].clone(),
        }
    }

    fn evict(&mut self) {
        let size = |dynamic: &VecDeque<Field>| -> usize {
            dynamic.iter().map(|(n, v)| n.len() + v.len() + 32).sum()
        };
        while size(&self.dynamic) > self.max.unwrap_or(4096) {
            self.dynamic.pop_back();
        }
    }
}

fn integer(block: &[u8], at: &mut usize, bits: u32) -> usize {
    let mask = (1_usize << bits) - 1;
    let mut value = usize::from(block[*at]) & mask;
    *at += 1;
    if value < mask {
        return value;
    }
    let mut shift = 0;
    loop {
        let byte = block[*at];
        *at += 1;
        value += usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return value;
        }
    }
}

fn text(block: &[u8], at: &mut usize) -> String {
    let is_huffman = block[*at] & 0x80 != 0;
    let len = integer(block, at, 7);
    let bytes = &block[*at..*at + len];
    *at += len;
    if !is_huffman {
        return bytes.iter().map(|byte| char::from(*byte)).collect();
    }
    let (mut text, mut code, mut length) = (String::new(), 0_u32, 0_u8);
    for bit in bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |nth| byte >> nth & 1))
    {
        code = code << 1 | u32::from(bit);
        length += 1;
        if let Some(byte) = CODES.get(&(length, code)) {
            text.push(char::from(*byte));
            (code, length) = (0, 0);
        }
    }
    text
}

/// Returns a block of literals without Huffman codes. A field that `is_indexed` selects enters the dynamic table.
pub(crate) fn encode(fields: &[(String, Vec<u8>)], is_indexed: impl Fn(usize) -> bool) -> Vec<u8> {
    let mut block = Vec::new();
    for (nth, (name, value)) in fields.iter().enumerate() {
        block.push(if is_indexed(nth) { 0x40 } else { 0x10 });
        for part in [name.as_bytes(), value] {
            let mut rest = part.len();
            if rest < 127 {
                block.push(u8::try_from(rest).unwrap());
            } else {
                block.push(127);
                rest -= 127;
                while rest >= 128 {
                    block.push(u8::try_from(rest % 128 + 128).unwrap());
                    rest /= 128;
                }
                block.push(u8::try_from(rest).unwrap());
            }
            block.extend_from_slice(part);
        }
    }
    block
}

#[test]
fn the_decoder_reads_the_examples_of_the_rfc() {
    // RFC 7541 C.4.1 and C.4.2.
    let mut decoder = Decoder::default();
    let first = [
        0x82, 0x86, 0x84, 0x41, 0x8c, 0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90,
        0xf4, 0xff,
    ];
    let fields = decoder.decode(&first);
    assert_eq!(
        fields[3],
        (":authority".to_owned(), "www.example.com".to_owned())
    );
    let second = [
        0x82, 0x86, 0x84, 0xbe, 0x58, 0x86, 0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf,
    ];
    let fields = decoder.decode(&second);
    assert_eq!(fields[3].1, "www.example.com");
    assert_eq!(
        fields[4],
        ("cache-control".to_owned(), "no-cache".to_owned())
    );
    let long = vec![("x".to_owned(), vec![b'y'; 1000])];
    assert_eq!(decoder.decode(&encode(&long, |_| true))[0].1.len(), 1000);
}
