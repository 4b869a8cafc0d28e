//! The scripts. Each is one operation, which is executed as a whole or not at all, and touches the keys of one shard.
//!
//! The first line makes the server refuse the script at once if it can't write: because it's a replica, or an old primary that became a
//! replica. So scripts that only read don't declare that either. All scripts but the put also run while the server's memory is full: a
//! token that was rotated must be stored.
//!
//! A script that found nothing to write still writes to the log. An earlier attempt, whose acknowledgement failed, may have been stored, and
//! `WAITAOF` only waits for the writes of its own connection.
//!
//! No script removes a name, or its last field, and then uses the name again: while a slot is being moved, the node checks each command of a
//! script, and refuses names that don't exist. The commands before would stay executed.

use std::borrow::Cow;

use redis::{Cmd, cmd};

/// Writes a connection's key to the stream of changes. The numbers of a stream are consecutive, so a reader finds out if entries before the
/// entries that it reads were removed.
macro_rules! logging {
    ($first:literal, $script:literal) => {
        concat!(
            $first,
            "\nlocal function log(stream, key)\n\
                local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]\n\
                local number\n\
                if last then\n\
                    number = tonumber(string.match(last[1], '^%d+')) + 1\n\
                else\n\
                    local time = redis.call('TIME')\n\
                    number = time[1] * 1000000 + time[2]\n\
                end\n\
                redis.call('XADD', stream, 'MAXLEN', '~', 1000, string.format('%.0f-0', number), 'k', key)\n\
            end\n",
            $script
        )
    };
}

/// Keys: connection, log. Arguments: version of the cached connection. Returns the number of the last change, and the connection.
const LOOK_UP: &str = "#!lua flags=allow-oom
    local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
    local at = last and last[1] or '0-0'
    local found = redis.call('HMGET', KEYS[1], 'v', 'i', 'k', 's')
    if not found[1] then return {at} end
    if found[1] == ARGV[1] then return {at, found[1]} end
    return {at, found[1], found[2], found[3], found[4]}";

/// Keys: connection.
const READ: &str = "#!lua flags=allow-oom
    return redis.call('HMGET', KEYS[1], 'v', 'i', 'k', 's', 'd', 'r')";

/// Keys: connection.
const SUMMARY: &str = "#!lua flags=allow-oom
    return redis.call('HMGET', KEYS[1], 'i', 'd')";

/// Keys: ids. Arguments: the beginning of the range, maximum number.
const IDS: &str = "#!lua flags=allow-oom
    return redis.call('ZRANGEBYLEX', KEYS[1], ARGV[1], '+', 'LIMIT', 0, ARGV[2])";

/// Keys: connection, lease, ids, log, keys. Arguments: key, integration, version, key id, sealed, proof of the key.
const PUT: &str = logging!(
    "#!lua",
    "redis.call('HSETNX', KEYS[5], ARGV[4], ARGV[6])
    if redis.call('EXISTS', KEYS[2]) == 1 then redis.call('HSET', KEYS[2], 'u', '') end
    redis.call('HSET', KEYS[1], 'i', ARGV[2], 'v', ARGV[3], 'k', ARGV[4], 's', ARGV[5])
    redis.call('HDEL', KEYS[1], 'd', 'r')
    redis.call('ZADD', KEYS[3], 0, ARGV[1])
    log(KEYS[4], ARGV[1])
    return 1"
);

/// The keys and arguments of [`PUT`], and the version that is replaced.
const REFRESHED: &str = logging!(
    "#!lua flags=allow-oom",
    "if redis.call('HGET', KEYS[1], 'v') ~= ARGV[7] then
        log(KEYS[4], ARGV[1])
        return 0
    end
    redis.call('HSETNX', KEYS[5], ARGV[4], ARGV[6])
    local time = redis.call('TIME')
    local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
    redis.call('HSET', KEYS[1], 'i', ARGV[2], 'v', ARGV[3], 'k', ARGV[4], 's', ARGV[5], 'r', now)
    redis.call('HDEL', KEYS[1], 'd')
    log(KEYS[4], ARGV[1])
    return 1"
);

/// Keys: connection, lease. Arguments: version, fence.
const REVOKED: &str = "#!lua flags=allow-oom
    local lease = redis.call('HMGET', KEYS[2], 'f', 'u')
    if lease[1] ~= ARGV[2] or lease[2] == '' then return 0 end
    if redis.call('HGET', KEYS[1], 'v') ~= ARGV[1] then return 0 end
    redis.call('HSET', KEYS[1], 'd', '1')
    return 1";

/// The keys and arguments of [`REFRESHED`].
const REVIVED: &str = logging!(
    "#!lua flags=allow-oom",
    "local found = redis.call('HMGET', KEYS[1], 'v', 'i', 'd')
    if found[1] ~= ARGV[7] or found[2] ~= ARGV[2] or not found[3] then
        log(KEYS[4], ARGV[1])
        return 0
    end
    redis.call('HSETNX', KEYS[5], ARGV[4], ARGV[6])
    redis.call('HSET', KEYS[1], 'v', ARGV[3], 'k', ARGV[4], 's', ARGV[5])
    redis.call('HDEL', KEYS[1], 'd')
    log(KEYS[4], ARGV[1])
    return 1"
);

/// The keys and arguments of [`PUT`], the version that is replaced or an empty text, `1` if the grant is revoked, and the time of the last
/// refresh in milliseconds since 1970 or an empty text.
const RESTORED: &str = logging!(
    "#!lua",
    "if (redis.call('HGET', KEYS[1], 'v') or '') ~= ARGV[7] then
        log(KEYS[4], ARGV[1])
        return 0
    end
    redis.call('HSETNX', KEYS[5], ARGV[4], ARGV[6])
    if redis.call('EXISTS', KEYS[2]) == 1 then redis.call('HSET', KEYS[2], 'u', '') end
    redis.call('HSET', KEYS[1], 'i', ARGV[2], 'v', ARGV[3], 'k', ARGV[4], 's', ARGV[5])
    redis.call('HDEL', KEYS[1], 'd', 'r')
    if ARGV[8] == '1' then redis.call('HSET', KEYS[1], 'd', '1') end
    if ARGV[9] ~= '' then redis.call('HSET', KEYS[1], 'r', ARGV[9]) end
    redis.call('ZADD', KEYS[3], 0, ARGV[1])
    log(KEYS[4], ARGV[1])
    return 1"
);

/// Keys: connection, lease, ids, log. Arguments: key.
const REMOVE: &str = logging!(
    "#!lua flags=allow-oom",
    "if redis.call('EXISTS', KEYS[2]) == 1 then redis.call('HSET', KEYS[2], 'u', '') end
    redis.call('ZREM', KEYS[3], ARGV[1])
    local removed = redis.call('DEL', KEYS[1])
    log(KEYS[4], ARGV[1])
    return removed"
);

/// Keys: those of [`REFRESHED`], so that no refresh begins while its token couldn't be stored because a slot is being moved. Arguments: time in
/// microseconds, time in milliseconds after which the lease is forgotten.
///
/// A fence is at least the server's time in milliseconds, so that it also grows after the lease was forgotten.
const LEASE: &str = "#!lua flags=allow-oom
    if redis.call('EXISTS', KEYS[1]) == 0 then return false end
    local time = redis.call('TIME')
    local now = time[1] * 1000000 + time[2]
    local lease = redis.call('HMGET', KEYS[2], 'f', 'u')
    if lease[2] and lease[2] ~= '' and tonumber(lease[2]) > now then return 0 end
    local fence = math.floor(now / 1000)
    if lease[1] and tonumber(lease[1]) >= fence then fence = tonumber(lease[1]) + 1 end
    redis.call('HSET', KEYS[2], 'f', string.format('%.0f', fence), 'u', string.format('%.0f', now + ARGV[1]))
    redis.call('PEXPIRE', KEYS[2], ARGV[2])
    return fence";

/// The keys of [`LEASE`]. Arguments: fence, and those of [`LEASE`].
const EXTEND: &str = "#!lua flags=allow-oom
    local time = redis.call('TIME')
    local now = time[1] * 1000000 + time[2]
    local lease = redis.call('HMGET', KEYS[2], 'f', 'u')
    if lease[1] ~= ARGV[1] or lease[2] == '' or tonumber(lease[2]) <= now then return 0 end
    redis.call('HSET', KEYS[2], 'u', string.format('%.0f', now + ARGV[2]))
    redis.call('PEXPIRE', KEYS[2], ARGV[3])
    return 1";

/// Keys: lease. Arguments: fence.
const RELEASE: &str = "#!lua flags=allow-oom
    local time = redis.call('TIME')
    local now = time[1] * 1000000 + time[2]
    local lease = redis.call('HMGET', KEYS[1], 'f', 'u')
    if lease[1] ~= ARGV[1] or lease[2] == '' or tonumber(lease[2]) <= now then return 0 end
    redis.call('HSET', KEYS[1], 'u', string.format('%.0f', now))
    return 1";

/// Keys: connections of a shard. Arguments: id of the current key. Returns nothing for records of that key.
const OLD_RECORDS: &str = "#!lua flags=allow-oom
    local all = {}
    for index, key in ipairs(KEYS) do
        local found = redis.call('HMGET', key, 'k', 'v', 'i', 's')
        if found[1] and found[1] ~= ARGV[1] then all[index] = found else all[index] = {} end
    end
    return all";

/// Keys: connection, keys. Arguments: version, old key id, new key id, sealed, proof of the key.
const REENCRYPTED: &str = "#!lua flags=allow-oom
    local found = redis.call('HMGET', KEYS[1], 'v', 'k')
    if found[1] ~= ARGV[1] or found[2] ~= ARGV[2] then return 0 end
    redis.call('HSETNX', KEYS[2], ARGV[3], ARGV[5])
    redis.call('HSET', KEYS[1], 'k', ARGV[3], 's', ARGV[4])
    return 1";

/// Keys: keys, ids. Arguments: the part of connections' names before their keys, id of the current key. Removes the encryption keys that
/// no connection of the shard needs; returns these, and the others.
///
/// The names of the connections aren't declared. A node from which a slot is being moved refuses those that it doesn't have any more, and the
/// other node must not be asked ([`Effect::Sweep`](crate::client::Effect::Sweep)).
const FORGET_KEYS: &str = "#!lua flags=allow-oom
    local used = {}
    for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
        local key = redis.call('HGET', ARGV[1] .. id, 'k')
        if key then used[key] = true end
    end
    local gone, left = {}, {}
    for _, key in ipairs(redis.call('HKEYS', KEYS[1])) do
        if used[key] or key == ARGV[2] then
            left[#left + 1] = key
        else
            redis.call('HDEL', KEYS[1], key)
            gone[#gone + 1] = key
        end
    end
    return {gone, left}";

/// Keys: keys. Arguments: id of the current key, proof of the key. Writes for an acknowledgement, which is for all earlier writes as well.
const REMEMBER_KEY: &str = "#!lua flags=allow-oom
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
    return 1";

/// Keys: format. Arguments: the newest version that is known. Returns the version, which is set if there is none.
const FORMAT: &str = "#!lua flags=allow-oom
    redis.call('SETNX', KEYS[1], ARGV[1])
    return redis.call('GET', KEYS[1])";

/// Keys: any name. Doesn't fail if the server is a primary that accepts writes.
const ANSWERS: &str = "#!lua flags=allow-oom
    return redis.call('EXISTS', KEYS[1])";

/// A script, and the hash by which the server finds it again.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    code: Cow<'static, str>,
    hash: String,
}

impl Script {
    pub(crate) fn new(code: impl Into<Cow<'static, str>>) -> Self {
        let code = code.into();
        let hash = redis::Script::new(&code).get_hash().to_owned();
        Self { code, hash }
    }

    /// Returns the same script, which declares that it doesn't write.
    ///
    /// A primary that refuses writes runs it, and a replica does so as well.
    pub(crate) fn without_writes(&self) -> Self {
        Self::new(self.code.replacen("flags=", "flags=no-writes,", 1))
    }

    /// Returns the command that runs the script if the server knows it.
    pub(crate) fn by_hash(&self, keys: &[String], arguments: &[&[u8]]) -> Cmd {
        call("EVALSHA", &self.hash, keys, arguments)
    }

    /// Returns the command that runs the script, and makes the server know it.
    pub(crate) fn whole(&self, keys: &[String], arguments: &[&[u8]]) -> Cmd {
        call("EVAL", &self.code, keys, arguments)
    }

    /// Returns the command that makes the server know the script.
    pub(crate) fn load(&self) -> Cmd {
        let mut load = cmd("SCRIPT");
        load.arg("LOAD").arg(&*self.code);
        load
    }
}

fn call(name: &str, script: &str, keys: &[String], arguments: &[&[u8]]) -> Cmd {
    let mut call = cmd(name);
    call.arg(script).arg(keys.len()).arg(keys);
    for argument in arguments {
        call.arg(*argument);
    }
    call
}

macro_rules! scripts {
    ($($field:ident: $text:ident,)*) => {
        /// All scripts.
        #[derive(Debug)]
        pub(crate) struct Scripts {
            $(pub(crate) $field: Script,)*
        }

        impl Scripts {
            pub(crate) fn new() -> Self {
                Self { $($field: Script::new($text),)* }
            }
        }
    };
}

scripts! {
    look_up: LOOK_UP,
    read: READ,
    summary: SUMMARY,
    ids: IDS,
    put: PUT,
    refreshed: REFRESHED,
    revoked: REVOKED,
    revived: REVIVED,
    restored: RESTORED,
    remove: REMOVE,
    lease: LEASE,
    extend: EXTEND,
    release: RELEASE,
    old_records: OLD_RECORDS,
    reencrypted: REENCRYPTED,
    forget_keys: FORGET_KEYS,
    remember_key: REMEMBER_KEY,
    format: FORMAT,
    answers: ANSWERS,
}
