//! A filter of field names, which sorts out most names at the cost of three look-ups.
//!
//! Some hundred names have a rule, and most fields of a message have none. A comparison of each field with each of these names took 150
//! instructions, and the look-ups take 20.

/// The number of places in a name that are looked at.
const PLACES: usize = 3;
/// The lengths of the special names that have a byte at a place, as bits, by the lower five bits of the byte. The last bit stands for all
/// longer names.
type Lengths = [[u64; 32]; PLACES];

/// The special names of a list of rules. `_` counts as `-`.
pub(super) struct NameFilter {
    names: Lengths,
    /// The names that begin with `x-`, without these bytes.
    names_after_x: Lengths,
}

impl NameFilter {
    /// Returns the filter of these names, and of all names that begin with one of these prefixes. Each has three bytes at least, except
    /// that names with fewer bytes are never sorted out.
    pub(super) const fn new(names: &[&[&str]], prefixes: &[&[&str]]) -> Self {
        let mut filter = Self {
            names: [[0; 32]; PLACES],
            names_after_x: [[0; 32]; PLACES],
        };
        filter.add_all(names, false);
        filter.add_all(prefixes, true);
        filter
    }

    const fn add_all(&mut self, mut lists: &[&[&str]], are_prefixes: bool) {
        while let [list, others @ ..] = lists {
            let mut list = *list;
            while let [name, others @ ..] = list {
                self.add(name.as_bytes(), are_prefixes);
                list = others;
            }
            lists = others;
        }
    }

    const fn add(&mut self, name: &[u8], is_prefix: bool) {
        let (name, table) = match name {
            [b'x', b'-', name @ ..] => (name, &mut self.names_after_x),
            name => (name, &mut self.names),
        };
        let lengths = if is_prefix {
            u64::MAX << last_bit(name.len())
        } else {
            1 << last_bit(name.len())
        };
        if let Some([first, second, third]) = name.first_chunk() {
            let [firsts, seconds, thirds] = table;
            add_at(firsts, *first, lengths);
            add_at(seconds, *second, lengths);
            add_at(thirds, *third, lengths);
        }
    }

    /// Returns `false` if the name has no rule. Returns `true` for each special name, and for a few others.
    #[inline]
    pub(super) fn may_contain(&self, name: &str) -> bool {
        let (name, table) = match name.as_bytes() {
            [b'x', b'-' | b'_', name @ ..] => (name, &self.names_after_x),
            name => (name, &self.names),
        };
        let Some(bytes) = name.first_chunk::<PLACES>() else {
            return true;
        };
        let lengths = std::iter::zip(table, bytes).fold(u64::MAX, |lengths, (place, byte)| {
            lengths & place.get(row(*byte)).copied().unwrap_or(u64::MAX)
        });
        lengths >> last_bit(name.len()) & 1 != 0
    }
}

#[expect(
    clippy::indexing_slicing,
    reason = "a row is less than 32, and the filters are made by the compiler"
)]
const fn add_at(place: &mut [u64; 32], byte: u8, lengths: u64) {
    place[row(byte)] |= lengths;
    if byte == b'-' {
        place[row(b'_')] |= lengths;
    }
}

const fn row(byte: u8) -> usize {
    (byte & 31) as usize
}

/// Returns the bit of a length.
const fn last_bit(length: usize) -> u32 {
    if length < 63 { length as u32 } else { 63 }
}

#[cfg(test)]
mod tests {
    use super::*;

    static FILTER: NameFilter = NameFilter::new(
        &[&["te", "via", "x-real-ip", "-method"], &["request-uri"]],
        &[&["x-forwarded-", "oam-"]],
    );

    #[test]
    fn a_special_name_is_never_sorted_out() {
        for name in [
            "te",
            "via",
            "x-real-ip",
            "x_real_ip",
            "-method",
            "_method",
            "request-uri",
            "request_uri",
            "x-forwarded-",
            "x-forwarded-for",
            "x_forwarded_for",
            "oam-user",
            "oam_user",
        ] {
            assert!(FILTER.may_contain(name), "{name}");
        }
        let long = format!("x-forwarded-{}", "a".repeat(100));
        assert!(FILTER.may_contain(&long));
    }

    #[test]
    fn most_other_names_are_sorted_out() {
        for name in [
            "user-agent",
            "accept",
            "x-request-id",
            "x-real-ips",
            "request-id",
            "oam",
        ] {
            assert!(!FILTER.may_contain(name), "{name}");
        }
    }
}
