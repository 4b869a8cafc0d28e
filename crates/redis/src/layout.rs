//! The names of the keys in Redis.
//!
//! Connections are spread over 256 shards. The keys of a shard have a hash tag (`{07f}`), so all of them are in the same slot of a cluster,
//! and each script touches the keys of one shard only.

/// The number of shards. It can't be changed, because it decides where a connection is.
pub(crate) const SHARDS: usize = 256;

/// A part of the connections, whose keys are in one slot of a cluster.
pub(crate) type Shard = u8;

/// Returns all shards.
pub(crate) fn shards() -> impl Iterator<Item = Shard> {
    (0..SHARDS).filter_map(|shard| Shard::try_from(shard).ok())
}

/// Returns the shard of a connection: FNV-1a of 32 bits, whose bytes are then combined. A change would lose connections.
pub(crate) fn shard_of(key: &str) -> Shard {
    let hash = key.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    let [one, two, three, four] = hash.to_be_bytes();
    one ^ two ^ three ^ four
}

/// A part of the names in a cluster.
pub(crate) type Slot = u16;

/// The number of slots of a cluster.
pub(crate) const SLOTS: u16 = 16_384;

/// Returns the slot of a name: CRC-16/XMODEM of its hash tag, or of the whole name if it has no hash tag.
///
/// <https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags>
pub(crate) fn slot_of(name: &str) -> Slot {
    let tag = name.split_once('{').and_then(|(_, rest)| {
        let (tag, _) = rest.split_once('}')?;
        (!tag.is_empty()).then_some(tag)
    });
    let crc = tag.unwrap_or(name).bytes().fold(0_u16, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(byte) << 8), |crc, _| match crc & 0x8000 {
            0 => crc << 1,
            _ => (crc << 1) ^ 0x1021,
        })
    });
    crc % SLOTS
}

/// Returns `true` if the text can be the first part of all names. A brace would change the slots.
pub(crate) fn is_prefix(text: &str) -> bool {
    let is_allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.:".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(is_allowed)
}

/// The names with a prefix.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) prefix: String,
}

impl Layout {
    fn in_shard(&self, shard: Shard, name: &str) -> String {
        format!("{}:{{{shard:03x}}}:{name}", self.prefix)
    }

    /// Returns the name of the version of the layout.
    pub(crate) fn format(&self) -> String {
        format!("{}:format", self.prefix)
    }

    /// Returns the name of a connection's hash: `i` integration, `v` version, `k` key id, `s` sealed record, `d` revoked, `r` time of the
    /// last refresh in milliseconds.
    pub(crate) fn connection(&self, key: &str) -> String {
        format!("{}{key}", self.connections(shard_of(key)))
    }

    /// Returns the part of a connection's name before its key.
    pub(crate) fn connections(&self, shard: Shard) -> String {
        self.in_shard(shard, "c:")
    }

    /// Returns the name of a lease's hash: `f` fence, `u` end in microseconds.
    pub(crate) fn lease(&self, key: &str) -> String {
        self.in_shard(shard_of(key), &format!("l:{key}"))
    }

    /// Returns the name of the number of a rate: the time at which the connection key's burst is full again, in microseconds.
    ///
    /// Each rate has a number of its own: a process with another interval (in nanoseconds) or burst, for example during a rolling
    /// deployment, would take the number for a fault.
    #[cfg(feature = "rates")]
    pub(crate) fn rate(&self, key: &str, interval: u128, burst: u32) -> String {
        self.in_shard(shard_of(key), &format!("r:{interval}:{burst}:{key}"))
    }

    /// Returns the name of the sorted set of connection keys.
    pub(crate) fn ids(&self, shard: Shard) -> String {
        self.in_shard(shard, "ids")
    }

    /// Returns the name of the stream of connection keys that were written.
    pub(crate) fn log(&self, shard: Shard) -> String {
        self.in_shard(shard, "log")
    }

    /// Returns the name of the hash of encryption keys: id and proof.
    pub(crate) fn keys(&self, shard: Shard) -> String {
        self.in_shard(shard, "keys")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_as_they_always_were_and_are_used_evenly() {
        assert_eq!(shard_of(""), 0xc5);
        assert_eq!(shard_of("acme"), 0x66);
        assert_eq!(shard_of("acme/crm"), 0x48);
        let mut counts = [0_u32; SHARDS];
        for number in 0..25_600 {
            if let Some(count) =
                counts.get_mut(usize::from(shard_of(&format!("tenant-{number}/crm"))))
            {
                *count += 1;
            }
        }
        assert!(
            counts.iter().all(|count| (50..170).contains(count)),
            "{counts:?}"
        );
        assert_eq!(shards().count(), SHARDS);
    }

    #[test]
    fn slots_are_those_of_the_specification() {
        assert_eq!(slot_of("123456789"), 0x31c3);
        assert_eq!(slot_of("foo{123456789}bar{}"), 0x31c3);
        assert_eq!(slot_of("{066}"), slot_of("tp:{066}:c:acme"));
        assert_ne!(slot_of("foo{}{bar}"), slot_of("bar"));
        assert_eq!(slot_of("foo{{bar}}zap"), slot_of("{bar"));
    }

    #[test]
    fn the_hash_tag_is_the_shard_also_if_the_key_has_braces() {
        let layout = Layout {
            prefix: "tp".to_owned(),
        };
        let name = layout.connection("{a}");
        assert_eq!(name, format!("tp:{{{:03x}}}:c:{{a}}", shard_of("{a}")));
        for (text, expected) in [
            ("tp", true),
            ("a.b:c-d_1", true),
            ("", false),
            ("a{b", false),
            ("A", false),
            ("a b", false),
        ] {
            assert_eq!(is_prefix(text), expected, "{text}");
        }
        assert!(!is_prefix(&"a".repeat(65)));
    }
}
