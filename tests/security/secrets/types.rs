//! Secrets as a type.

use std::marker::PhantomData;
use std::ops::Deref;
use std::path::Path;
use std::{fmt, fs};

use tower_passthrough::{Connection, Secret};

/// Returns whether a type has a trait: the inherent constant takes precedence if the bound is satisfied.
macro_rules! holds {
    ($type:ty: $($bound:tt)+) => {{
        struct Asked<T: ?Sized>(PhantomData<T>);
        #[allow(dead_code, clippy::allow_attributes, reason = "the bound decides which constant is used")]
        trait Otherwise {
            const HOLDS: bool = false;
        }
        impl<T: ?Sized> Otherwise for Asked<T> {}
        #[allow(dead_code, clippy::allow_attributes, reason = "the bound decides which constant is used")]
        impl<T: ?Sized + $($bound)+> Asked<T> {
            const HOLDS: bool = true;
        }
        <Asked<$type>>::HOLDS
    }};
}

#[test]
fn l1_a_secret_has_no_trait_that_shows_it() {
    assert!(!holds!(Secret: fmt::Display), "Display");
    assert!(!holds!(Secret: fmt::LowerHex), "LowerHex");
    assert!(!holds!(Secret: serde::Serialize), "Serialize");
    assert!(!holds!(Secret: Deref), "Deref");
    assert!(!holds!(Secret: AsRef<[u8]>), "AsRef<[u8]>");
    assert!(!holds!(Secret: AsRef<str>), "AsRef<str>");
    assert!(!holds!(Secret: std::borrow::Borrow<[u8]>), "Borrow<[u8]>");
    assert!(!holds!(Secret: Into<Vec<u8>>), "Into<Vec<u8>>");
    assert!(!holds!(Secret: Into<String>), "Into<String>");
    assert!(!holds!(Secret: PartialOrd), "PartialOrd");
    assert!(!holds!(Secret: std::hash::Hash), "Hash");
    assert!(!holds!(Secret: IntoIterator), "IntoIterator");
    // The check itself works.
    assert!(
        holds!(Secret: fmt::Debug) && holds!(String: fmt::Display) && holds!(str: serde::Serialize)
    );
}

#[test]
fn l1_debug_prints_a_constant() {
    for text in ["", "a", "s3cr3t", "\u{1f511}"] {
        let secret = Secret::from(text);
        assert_eq!(
            (format!("{secret:?}"), format!("{secret:#?}")),
            ("Secret".to_owned(), "Secret".to_owned())
        );
    }
    let connection = Connection::new("x")
        .with_variable("v", "v4lue")
        .with_secret("token", "s3cr3t");
    let shown = format!(
        "{connection:?} {connection:#?} {:?} {:?}",
        connection.credential(),
        connection.variables()
    );
    assert!(
        !shown.contains("s3cr3t") && !shown.contains("v4lue"),
        "{shown}"
    );
}

#[test]
fn l1_secrets_are_compared_as_bytes_and_in_constant_time() {
    assert_eq!(Secret::from("abc"), Secret::from(b"abc".to_vec()));
    for other in ["", "ab", "abd", "abcd", "ABC"] {
        assert_ne!(Secret::from("abc"), Secret::from(other));
    }
    // A test can't measure time without failing now and then, so it looks for the comparison in the source.
    let source =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/secret.rs")).unwrap();
    let comparison = source.split("impl PartialEq for Secret").nth(1).unwrap();
    assert!(
        comparison
            .split("impl Eq")
            .next()
            .unwrap()
            .contains("ct_eq")
    );
}

/// Reads the memory of the process, which safe code can read as a file.
#[cfg(target_os = "linux")]
mod memory {
    use std::fs::{self, File};
    use std::os::unix::fs::FileExt as _;
    use std::sync::Mutex;

    /// A lock for tests that read the memory, because the data of one test are memory for the other test.
    pub(super) static LOOK: Mutex<()> = Mutex::new(());

    /// The mask with which the canary is written in the source, so that the source contains no copy of it.
    const MASK: u8 = 0x55;
    pub(super) const LENGTH: usize = 96;
    /// The part of the canary that the search uses, because an allocator writes its own data at the ends of freed
    /// memory.
    const MIDDLE: std::ops::Range<usize> = 32..80;

    /// Returns the canary's byte at `index`. Each test has another `seed`, and so another canary.
    pub(super) fn byte(seed: u8, index: usize) -> u8 {
        let mixed = (index as u32).wrapping_mul(2_654_435_761).rotate_left(7) as u8;
        (mixed ^ seed) & 0x3f | 0x40
    }

    /// Returns a canary in a vector of that capacity.
    pub(super) fn canary(seed: u8, capacity: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(capacity);
        for index in 0..LENGTH {
            bytes.push(byte(seed, index));
        }
        bytes
    }

    /// Returns the number of copies of the canary's middle in the writable memory of the process.
    pub(super) fn copies(seed: u8) -> usize {
        let masked: Vec<u8> = MIDDLE.map(|index| byte(seed, index) ^ MASK).collect();
        let memory = File::open("/proc/self/mem").unwrap();
        let mut chunk = vec![0_u8; 1 << 16];
        let mut found = 0;
        for line in fs::read_to_string("/proc/self/maps").unwrap().lines() {
            let mut words = line.split(' ');
            let (range, access) = (words.next().unwrap(), words.next().unwrap());
            if !access.starts_with("rw") {
                continue;
            }
            let (start, end) = range.split_once('-').unwrap();
            let mut at = u64::from_str_radix(start, 16).unwrap();
            let end = u64::from_str_radix(end, 16).unwrap();
            while at < end {
                // The chunk is memory of the process as well, and must not be read while it's written.
                let own = chunk.as_ptr() as u64..chunk.as_ptr() as u64 + chunk.len() as u64;
                if own.contains(&at) {
                    at = own.end;
                    continue;
                }
                let end = if at < own.start {
                    end.min(own.start)
                } else {
                    end
                };
                let length = usize::try_from(end - at).unwrap().min(chunk.len());
                let Ok(read @ 1..) = memory.read_at(&mut chunk[..length], at) else {
                    break;
                };
                let matches = |window: &[u8]| {
                    window
                        .iter()
                        .zip(&masked)
                        .all(|(byte, masked)| byte ^ MASK == *masked)
                };
                let first = masked[0] ^ MASK;
                for (index, _) in chunk[..read]
                    .iter()
                    .enumerate()
                    .filter(|(_, byte)| **byte == first)
                {
                    if chunk[index..read].len() >= masked.len()
                        && matches(&chunk[index..index + masked.len()])
                    {
                        found += 1;
                    }
                }
                // The next part overlaps this part, so that a match across the border is found.
                let straddled = if at + (read as u64) < end {
                    masked.len() - 1
                } else {
                    0
                };
                at += (read - straddled) as u64;
            }
        }
        found
    }
}

#[cfg(target_os = "linux")]
#[test]
fn l1_the_bytes_of_a_dropped_secret_are_gone() {
    let _look = memory::LOOK.lock();
    let secret = Secret::from(memory::canary(1, memory::LENGTH));
    let clone = secret.clone();
    assert_eq!(memory::copies(1), 2, "the search in memory doesn't work");
    drop(clone);
    assert_eq!(memory::copies(1), 1);
    drop(secret);
    assert_eq!(memory::copies(1), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn l9_a_secret_from_a_buffer_with_room_to_spare_leaves_no_copy() {
    let _look = memory::LOOK.lock();
    for (seed, capacity) in [(2, memory::LENGTH + 1), (3, 4 * memory::LENGTH)] {
        let secret = Secret::from(memory::canary(seed, capacity));
        assert_eq!(memory::copies(seed), 1, "a copy was left");
        drop(secret);
        assert_eq!(memory::copies(seed), 0);
    }
    let text = String::from_utf8(memory::canary(4, 2 * memory::LENGTH)).unwrap();
    let secret = Secret::from(text);
    assert_eq!(memory::copies(4), 1, "a copy was left");
    drop(secret);
    assert_eq!(memory::copies(4), 0);
}
