//! The ways in which servers may read a path, for scopes and for base paths that are boundaries.
//!
//! A request passes several servers on its way, such as a front and a backend, and each of them may decode the path, resolve its dot
//! segments (RFC 3986 §5.2.4), cut path parameters or merge empty segments, in an order of its own. Examples are Envoy CVE-2019-9901 and
//! CVE-2021-29492. So the readings of a path are all texts that these steps produce, in every order, with at most two decodings.

use std::borrow::Cow;

use super::dot_segments::{climbs_out, is_separator, without_parameters};
use super::percent::{decode, decode_byte};

/// The maximum number of readings that are looked at. Paths with more readings are refused.
const MAX_READINGS: usize = 256;

/// The maximum number of bytes in all readings of a path together. Paths with more are refused.
const MAX_BYTES: usize = 1 << 20;

/// The maximum number of decodings: a front and a backend may each decode once.
const MAX_DECODINGS: usize = 2;

/// Returns `true` if `permits` holds for each reading of `path`, no reading leaves the root, and no segment leaves the place at which it
/// begins. Readings are relative: without their leading `/`.
pub(crate) fn all_readings(path: &str, permits: impl Fn(&[u8]) -> bool) -> bool {
    let relative = path.strip_prefix('/').unwrap_or(path);
    let is_plain = !path.contains(['%', ';', '\\']) && !path.contains("//") && !path.contains("/.");
    if is_plain {
        return permits(relative.as_bytes());
    }
    if path.split('/').any(sinks) {
        return false;
    }
    let mut readings = Readings::default();
    readings.add(Cow::Borrowed(relative.as_bytes()));
    for decodings in 0..=MAX_DECODINGS {
        if !readings.close() {
            return false;
        }
        let is_encoded = readings.texts().any(|text| text.contains(&b'%'));
        // A text without `%` is its own decoded form, and servers compare decoded texts.
        if (decodings > 0 || !is_encoded) && !readings.texts().all(&permits) {
            return false;
        }
        if !is_encoded {
            break;
        }
        if decodings < MAX_DECODINGS {
            readings = readings.decoded();
        }
    }
    true
}

/// Returns `true` if no reading of `path` leaves the root.
pub(crate) fn stays_below_root(path: &str) -> bool {
    all_readings(path, |_| true)
}

/// Returns `true` if a segment holds encoded slashes, and its dot segments leave the place at which the segment begins, before or after
/// its parameters are cut.
fn sinks(segment: &str) -> bool {
    let segment = segment.as_bytes();
    if !segment.contains(&b'%') {
        return false;
    }
    let is_sunk = |text: &[u8]| {
        text.iter().any(|&byte| is_separator(byte))
            && climbs_out(text.split(|&byte| is_separator(byte)), false)
    };
    [segment, without_parameters(segment)]
        .into_iter()
        .any(|segment| {
            let once = decode(segment);
            is_sunk(&once) || is_sunk(&decode(&once))
        })
}

/// The readings with the same number of decodings.
#[derive(Default)]
struct Readings {
    texts: Vec<Vec<u8>>,
    bytes: usize,
}

impl Readings {
    fn texts(&self) -> impl Iterator<Item = &[u8]> {
        self.texts.iter().map(Vec::as_slice)
    }

    fn add(&mut self, text: Cow<'_, [u8]>) {
        if !self.texts().any(|known| *known == *text) {
            self.bytes += text.len();
            self.texts.push(text.into_owned());
        }
    }

    /// Adds the results of all steps but decoding, until none is new. Returns `false` if a reading leaves the root, or if there are too
    /// many readings.
    fn close(&mut self) -> bool {
        let mut next = 0;
        while let Some(text) = self.texts.get(next).cloned() {
            if self.texts.len() > MAX_READINGS || self.bytes > MAX_BYTES {
                return false;
            }
            let Some(resolved) = resolved(&text) else {
                return false;
            };
            self.add(resolved);
            for step in [
                without_all_parameters,
                merged,
                ended,
                with_slashes,
                normalized_encoding,
            ] {
                self.add(step(&text));
            }
            next += 1;
        }
        true
    }

    /// Returns the readings with one more decoding: servers decode all of a path, or all of it except its slashes.
    fn decoded(&self) -> Self {
        let mut decoded = Self::default();
        for text in self.texts() {
            decoded.add(decode(text));
            decoded.add(decoded_except(text, |byte| byte == b'/'));
        }
        decoded
    }
}

/// Resolves the dot segments. Returns `None` if they leave the root.
fn resolved(text: &[u8]) -> Option<Cow<'_, [u8]>> {
    let is_dots = |name: &[u8]| matches!(name, b"." | b"..");
    if !text.split(|&byte| byte == b'/').any(is_dots) {
        return Some(Cow::Borrowed(text));
    }
    let mut kept = Vec::new();
    let mut is_folder = false;
    for name in text.split(|&byte| byte == b'/') {
        is_folder = matches!(name, b"" | b"." | b"..");
        match name {
            b"." => {}
            b".." => {
                kept.pop()?;
            }
            name => kept.push(name),
        }
    }
    let mut path = kept.join(&b'/');
    // An empty last segment that was kept has already added its slash.
    if is_folder && !path.is_empty() && !path.ends_with(b"/") {
        path.push(b'/');
    }
    Some(Cow::Owned(path))
}

/// Cuts each segment at its first `;`, as servlet containers do.
fn without_all_parameters(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b';') {
        return Cow::Borrowed(text);
    }
    let names = text.split(|&byte| byte == b'/').map(without_parameters);
    Cow::Owned(names.collect::<Vec<_>>().join(&b'/'))
}

/// Drops the empty segments, except the last.
fn merged(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.starts_with(b"/") && !text.windows(2).any(|pair| pair == b"//") {
        return Cow::Borrowed(text);
    }
    let names = text.split(|&byte| byte == b'/');
    let mut path = names
        .filter(|name| !name.is_empty())
        .collect::<Vec<_>>()
        .join(&b'/');
    if text.ends_with(b"/") && !path.is_empty() {
        path.push(b'/');
    }
    Cow::Owned(path)
}

/// Ends a decoded path where a second parser sees a query or a fragment, and where a C string ends.
fn ended(text: &[u8]) -> Cow<'_, [u8]> {
    let end = text.iter().position(|byte| b"?#\0".contains(byte));
    let (path, _) = text
        .split_at_checked(end.unwrap_or(text.len()))
        .unwrap_or((text, b""));
    Cow::Borrowed(path)
}

/// Reads backslashes as slashes, as IIS does.
fn with_slashes(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'\\') {
        return Cow::Borrowed(text);
    }
    let slash = |&byte: &u8| if byte == b'\\' { b'/' } else { byte };
    Cow::Owned(text.iter().map(slash).collect())
}

/// Decodes the unreserved characters alone (RFC 3986 §6.2.2.2), as many fronts do before they forward a path.
fn normalized_encoding(text: &[u8]) -> Cow<'_, [u8]> {
    decoded_except(text, |byte| {
        !byte.is_ascii_alphanumeric() && !b"-._~".contains(&byte)
    })
}

/// Decodes all bytes except those that `stays` holds for. They stay encoded, in upper case.
fn decoded_except(text: &[u8], stays: impl Fn(u8) -> bool) -> Cow<'_, [u8]> {
    if !text.contains(&b'%') {
        return Cow::Borrowed(text);
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = decode_byte(rest) {
        let is_encoded = rest.len() - after.len() > 1;
        if is_encoded && stays(byte) {
            let sequence = rest.get(..rest.len() - after.len()).unwrap_or_default();
            decoded.extend(sequence.iter().map(u8::to_ascii_uppercase));
        } else {
            decoded.push(byte);
        }
        rest = after;
    }
    Cow::Owned(decoded)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn is_under_crm(path: &str) -> bool {
        all_readings(path, |reading| reading.starts_with(b"crm/v3/"))
    }

    const INSIDE: [&str; 16] = [
        "/crm/v3/x",
        "/%63rm/v3/x",
        "/crm/v3/a/../b",
        "/crm/v3/x%2Fy",
        "/crm/v3/x%252Fy",
        "/crm/v3//x",
        "/crm/v3/.",
        "/crm/v3/./x",
        "/crm/v3/x;v=1/y",
        "/crm/v3/x;a=b%2Fc",
        "/crm/v3/100%25",
        "/crm/v3/a%2F..%2Fb",
        "/crm/v3/%C3%A9%20%3F%23",
        "/crm/v3/..a/b..",
        "/crm/v3/a.b%2Fc.d",
        "/crm/v3/x/",
    ];

    const OUTSIDE: [&str; 44] = [
        "/crm/v3/../../admin",
        "/crm/v3/%2e%2e/%2e%2e/admin",
        "/crm/v3/..%2f..%2fadmin",
        "/crm//v3/x",
        "//crm/v3/x",
        "/admin/..%2fcrm/v3/x",
        "/admin/../crm/v3/x",
        "/crm/v3/..;/..;/admin",
        "/crm;x/v3/x",
        "/crm%2Fv3/x",
        // Encoded slashes and parameters.
        "/crm/v3/p;%2Fq%2Fr/..%2F..%2F..%2Fadmin",
        "/crm/v3/p;%2fq%2fr/..%2f..%2f..%2fadmin",
        "/crm/v3/p;%2Fq%2Fr/../../../admin",
        "/crm/v3/p%3B%2Fq%2Fr/..%2F..%2F..%2Fadmin",
        "/crm/v3/p;x=%2Fq/..;/..;/../admin",
        "/crm/v3/p;a%2Fb%2Fc%2Fd%2Fe/%2e%2e/%2e%2e/%2e%2e/admin",
        // A front that resolves plain dots, and a backend that decodes.
        "/crm/v3/p%2Fq%2Fr/../..%2F..%2Fadmin",
        "/crm/v3/p%2Fq%2Fr/../%2e%2e/%2e%2e/admin",
        "/crm/v3/p%2Fq%2Fr/../../../admin",
        "/crm/v3/p/q/r/%2e%2e/../..;/..;/..;/admin",
        "/crm/v3/a/%2e%2e/../../../admin",
        "/crm/v3/p%252Fq%252Fr/../../../admin",
        // Decoded twice.
        "/crm/v3/%252e%252e/%252e%252e/admin",
        "/crm/v3/%252e%252e%252f%252e%252e%252fadmin",
        "/crm/v3/..%252f..%252fadmin",
        "/crm/v3/.%252e/.%252e/admin",
        "/crm/v3/%25%32%65%25%32%65/..",
        "/crm/v3/..%255c..%255cadmin",
        "/crm/v3/..%253b/..%253b/admin",
        "/crm%252Fv3/x",
        "/crm%253Bx/v3/x",
        // Empty segments.
        "/crm/v3//../../admin",
        "/crm/v3///../../../admin",
        "/crm/v3/a//../../x",
        "/crm/v3/%2F/../../admin",
        "/crm/v3/;/../../admin",
        "/crm/v3/./;/../../../admin",
        "/crm/v3/;%2F/../../admin",
        // A query or an end that only a second parser sees.
        "/admin%3F/crm/v3/x",
        "/crm/v3%3F/x",
        "/crm/v3%23/x",
        // A segment that leaves its own beginning, though all readings stay in the scope.
        "/crm/v3/a/b/..%2Fx",
        "/crm/v3/a/b/c%2F..%2F..%2Fx",
        "/crm/v3/a/b/c;%2F..%2F..%2Fx",
    ];

    #[test]
    fn every_reading_must_pass() {
        for path in INSIDE {
            assert!(is_under_crm(path), "{path}");
        }
        for path in OUTSIDE {
            assert!(!is_under_crm(path), "{path}");
        }
    }

    #[test]
    fn a_suffix_that_only_one_parser_sees_is_not_enough() {
        let ends = |path| all_readings(path, |reading| reading.ends_with(b"/read"));
        assert!(ends("/x/read") && ends("/x%20y/read"));
        for path in [
            "/admin%3F/read",
            "/admin%23/read",
            "/admin%2500/read",
            "/admin;/../x%3F/read",
            "/admin/..;/read",
            "/admin%253F/read",
        ] {
            assert!(!ends(path), "{path}");
        }
    }

    #[test]
    fn what_leaves_the_root_in_some_reading_is_seen() {
        for path in [
            "/../x",
            "/p;%2Fq%2Fr/..%2F..%2Fadmin",
            "/p%2Fq/../..%2Fx",
            "/%252e%252e/x",
            "/p;%2Fq/../../x",
            "/..;/x",
        ] {
            assert!(!stays_below_root(path), "{path}");
        }
        for path in ["", "/", "/a/../b", "/a%2Fb", "/a;v=1/b", "//x"] {
            assert!(stays_below_root(path), "{path}");
        }
    }

    #[test]
    fn a_path_with_too_many_readings_is_refused() {
        let long = format!("/crm/v3/{}", "a;b//c/./%2e/d%3b/e%252f%255c/".repeat(2_000));
        assert!(!is_under_crm(&long));
        // A long path of a usual kind has few readings.
        let usual = format!("/crm/v3/{}", "a%20b%2Fc/".repeat(5_000));
        assert!(is_under_crm(&usual));
    }

    /// A server that reads a path, written apart from the steps above.
    #[derive(Clone, Copy, Debug)]
    struct Server {
        cuts_first: bool,
        merges_first: bool,
        resolves_first: bool,
        decodes: Decodes,
        ends_again: bool,
        slashes: bool,
        cuts_after: bool,
        merges_after: bool,
        resolves_after: bool,
    }

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Decodes {
        No,
        Unreserved,
        AllButSlashes,
        All,
        Twice,
    }

    impl Server {
        fn read(self, path: &str) -> Option<String> {
            let mut path = path.to_owned();
            if self.cuts_first {
                path = cut(&path);
            }
            if self.merges_first {
                path = merge(&path);
            }
            if self.resolves_first {
                path = walk(&path)?;
            }
            path = match self.decodes {
                Decodes::No => path,
                Decodes::Unreserved => unescape(&path, |char| {
                    char.is_ascii_alphanumeric() || "-._~".contains(char)
                }),
                Decodes::AllButSlashes => unescape(&path, |char| char != '/'),
                Decodes::All => unescape(&path, |_| true),
                Decodes::Twice => unescape(&unescape(&path, |_| true), |_| true),
            };
            if self.ends_again {
                path = path.split(['?', '#', '\0']).next()?.to_owned();
            }
            if self.slashes {
                path = path.replace('\\', "/");
            }
            if self.cuts_after {
                path = cut(&path);
            }
            if self.merges_after {
                path = merge(&path);
            }
            if self.resolves_after {
                path = walk(&path)?;
            }
            Some(path)
        }

        fn decodings(self) -> usize {
            match self.decodes {
                Decodes::No | Decodes::Unreserved => 0,
                Decodes::AllButSlashes | Decodes::All => 1,
                Decodes::Twice => 2,
            }
        }
    }

    fn cut(path: &str) -> String {
        let mut kept = String::new();
        let mut is_cut = false;
        for char in path.chars() {
            is_cut = char != '/' && (is_cut || char == ';');
            if !is_cut {
                kept.push(char);
            }
        }
        kept
    }

    fn merge(path: &str) -> String {
        let mut kept = path.to_owned();
        while kept.contains("//") {
            kept = kept.replace("//", "/");
        }
        kept
    }

    /// `None` if the path leaves the root.
    fn walk(path: &str) -> Option<String> {
        let mut stack: Vec<&str> = Vec::new();
        let names: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
        for (nth, name) in names.iter().enumerate() {
            let is_last = nth + 1 == names.len();
            match *name {
                "." if is_last => stack.push(""),
                "." => {}
                ".." => {
                    stack.pop()?;
                    if is_last {
                        stack.push("");
                    }
                }
                name => stack.push(name),
            }
        }
        Some(format!("/{}", stack.join("/")))
    }

    fn unescape(path: &str, decodes: impl Fn(char) -> bool) -> String {
        let mut kept = String::new();
        let mut chars = path.chars();
        while let Some(char) = chars.next() {
            let digits = chars.as_str().get(..2).filter(|_| char == '%');
            let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            match byte.filter(u8::is_ascii).map(char::from) {
                Some(byte) if decodes(byte) => {
                    kept.push(byte);
                    let _ = chars.nth(1);
                }
                _ => kept.push(char),
            }
        }
        kept
    }

    fn servers() -> impl Strategy<Value = Server> {
        let kinds = [
            Decodes::No,
            Decodes::Unreserved,
            Decodes::AllButSlashes,
            Decodes::All,
            Decodes::Twice,
        ];
        (any::<[bool; 8]>(), select(kinds.to_vec())).prop_map(|(flags, decodes)| {
            let [
                cuts_first,
                merges_first,
                resolves_first,
                ends_again,
                slashes,
                cuts_after,
                merges_after,
                resolves_after,
            ] = flags;
            Server {
                cuts_first,
                merges_first,
                resolves_first,
                decodes,
                ends_again,
                slashes,
                cuts_after,
                merges_after,
                resolves_after,
            }
        })
    }

    fn paths() -> impl Strategy<Value = String> {
        let pieces = select(vec![
            "/", "/", "/", "//", "a", "b", "x", "..", "..", ".", ";", ";v", "%2F", "%2f", "%2e",
            "%2E%2e", "..%2F", "%3b", "%252e", "%252F", "%255c", "%253B", "%25", "%3F", "%", "/..",
            "/../", "/..;/", "/.",
        ]);
        vec(pieces, 0..14).prop_map(|pieces| format!("/crm/v3/{}", pieces.concat()))
    }

    /// `true` if the route that a server finds by the decoded text is inside of the scope.
    fn is_served(read: &Option<String>, decodings: usize) -> bool {
        read.as_ref().is_some_and(|read| {
            let read = match decodings {
                2 => read.clone(),
                _ => unescape(read, |char| char != '/'),
            };
            let read = read.strip_prefix('/').unwrap_or(&read);
            read.starts_with("crm/v3/")
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_server_reads_an_admitted_path_as_another(path in paths(), fronts in vec(servers(), 12), backends in vec(servers(), 12)) {
            if !is_under_crm(&path) {
                return Ok(());
            }
            for front in &fronts {
                let once = front.read(&path);
                prop_assert!(is_served(&once, front.decodings()), "{path} is {once:?} to {front:?}");
                for backend in &backends {
                    let decodings = front.decodings() + backend.decodings();
                    if decodings <= 2 {
                        let read = once.as_deref().and_then(|path| backend.read(path));
                        prop_assert!(is_served(&read, decodings), "{path} is {read:?} to {backend:?} behind {front:?}");
                    }
                }
            }
        }
    }
}
