//! Parameters of query and form in the single form that signer and verifier agree on: decoded, encoded again, sorted
//! (RFC 5849 §3.4.1.3).

use zeroize::Zeroizing;

use crate::encoding::Sink;
use crate::encoding::percent::{decode_form, encode};

/// Names and values, encoded and sorted.
///
/// They share a single allocation, which is wiped when it's dropped, because keys and tokens are among them. It takes
/// at most three times the size of the original, and 24 bytes for each pair.
pub(crate) struct Parameters {
    bytes: Zeroizing<Vec<u8>>,
    places: Vec<Place>,
}

/// The position of a pair in the allocation.
#[derive(Clone, Copy)]
struct Place {
    start: usize,
    middle: usize,
    end: usize,
}

impl Parameters {
    /// Returns the parameters of each query or form in `encoded`, and the names and values in `own`.
    pub(crate) fn new(encoded: &[&[u8]], own: &[(&str, &[u8])]) -> Self {
        let foreign = || encoded.iter().copied().flat_map(pairs);
        let own_length: usize = own
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        let length = encoded.iter().map(|text| text.len()).sum::<usize>() + own_length;
        let mut parameters = Self {
            // Each byte may become three bytes, and a buffer that grows would leave copies of secrets behind.
            bytes: Zeroizing::new(Vec::with_capacity(3 * length)),
            places: Vec::with_capacity(foreign().count() + own.len()),
        };
        for (name, value) in foreign() {
            parameters.push(
                |bytes| decode_form(name, &mut |byte| encode(byte, bytes)),
                |bytes| decode_form(value, &mut |byte| encode(byte, bytes)),
            );
        }
        for (name, value) in own {
            parameters.push(
                |bytes| encode(name.as_bytes(), bytes),
                |bytes| encode(value, bytes),
            );
        }
        let Self { bytes, places } = &mut parameters;
        places.sort_unstable_by(|one, other| {
            (one.name(bytes), one.value(bytes)).cmp(&(other.name(bytes), other.value(bytes)))
        });
        parameters
    }

    fn push(&mut self, name: impl FnOnce(&mut Sink<'_>), value: impl FnOnce(&mut Sink<'_>)) {
        let bytes = &mut *self.bytes;
        let start = bytes.len();
        name(&mut |part| bytes.extend_from_slice(part));
        let middle = bytes.len();
        value(&mut |part| bytes.extend_from_slice(part));
        let end = bytes.len();
        self.places.push(Place { start, middle, end });
    }

    /// Writes the parameters in the form `a=1&b=2`.
    pub(crate) fn write(&self, sink: &mut Sink<'_>) {
        for (nth, place) in self.places.iter().enumerate() {
            if nth > 0 {
                sink(b"&");
            }
            sink(place.name(&self.bytes));
            sink(b"=");
            sink(place.value(&self.bytes));
        }
    }
}

impl Place {
    fn name(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start..self.middle).unwrap_or_default()
    }

    fn value(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.middle..self.end).unwrap_or_default()
    }
}

/// Returns the pairs of a query or a form unchanged, without the empty pairs.
pub(crate) fn pairs(encoded: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let pairs = encoded.split(|&byte| byte == b'&');
    pairs.filter(|pair| !pair.is_empty()).map(|pair| {
        let equals = pair.iter().position(|&byte| byte == b'=');
        match equals.and_then(|at| Some((pair.get(..at)?, pair.get(at + 1..)?))) {
            Some(halves) => halves,
            None => (pair, &[][..]),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(encoded: &[&str], own: &[(&str, &[u8])]) -> String {
        let encoded: Vec<_> = encoded.iter().map(|text| text.as_bytes()).collect();
        let parameters = Parameters::new(&encoded, own);
        assert!(parameters.bytes.len() <= parameters.bytes.capacity());
        let mut all = Vec::new();
        parameters.write(&mut |bytes| all.extend_from_slice(bytes));
        String::from_utf8_lossy(&all).into_owned()
    }

    #[test]
    fn rfc5849_3_4_1_3_2_parameters_are_normalized() {
        let own: [(&str, &[u8]); 5] = [
            ("oauth_consumer_key", b"9djdj82h48djs9d2"),
            ("oauth_token", b"kkk9d7dh3k39sjv7"),
            ("oauth_signature_method", b"HMAC-SHA1"),
            ("oauth_timestamp", b"137131201"),
            ("oauth_nonce", b"7d8f3e4a"),
        ];
        assert_eq!(
            written(&["b5=%3D%253D&a3=a&c%40=&a2=r%20b", "c2&a3=2+q"], &own),
            "a2=r%20b&a3=2%20q&a3=a&b5=%3D%253D&c%40=&c2=&oauth_consumer_key=9djdj82h48djs9d2&\
             oauth_nonce=7d8f3e4a&oauth_signature_method=HMAC-SHA1&oauth_timestamp=137131201&\
             oauth_token=kkk9d7dh3k39sjv7"
        );
    }

    #[test]
    fn names_are_sorted_as_bytes_and_then_values() {
        let sorted = written(&["b=2&a=%7E&a=z&A=1&a%00=&&=x&a=1=2&%zz"], &[]);
        assert_eq!(sorted, "=x&%25zz=&A=1&a=1%3D2&a=z&a=~&a%00=&b=2");
    }
}
