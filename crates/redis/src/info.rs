//! The server's answer to `INFO`.

use std::sync::Arc;

use redis::{Cmd, Value, cmd};

use crate::error::RedisError;
use crate::node::Epoch;
use crate::values::{items, text};

pub(crate) struct Info(String);

/// The settings that a server must have, as far as `INFO` shows them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Requirement {
    /// The server deletes nothing if its memory is full.
    pub(crate) keeps_all: bool,
    /// The server writes changes to its disk.
    pub(crate) has_aof: bool,
}

impl Info {
    pub(crate) fn of(answer: Value) -> Result<Self, RedisError> {
        let text = match answer {
            Value::BulkString(bytes) => String::from_utf8(bytes).ok(),
            Value::VerbatimString { text, .. } => Some(text),
            _ => None,
        };
        text.map(Self).ok_or(RedisError::Protocol(
            "the server's response wasn't expected",
        ))
    }

    /// Returns the value of a field, or an empty text.
    pub(crate) fn field(&self, name: &str) -> &str {
        let value = self
            .0
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        value.map_or("", str::trim)
    }

    /// Fails if the server isn't a primary that can be used.
    pub(crate) fn check_primary(&self) -> Result<(), RedisError> {
        if self.field("role") != "master" {
            return Err(RedisError::of_code("READONLY"));
        }
        match self.field("loading") {
            "1" => Err(RedisError::of_code("LOADING")),
            _ => Ok(()),
        }
    }

    /// Returns `true` if the server deletes nothing if its memory is full. Services that don't show the setting are trusted.
    pub(crate) fn keeps_all(&self) -> bool {
        matches!(self.field("maxmemory_policy"), "noeviction" | "")
    }

    /// Returns `true` if the server writes changes to its disk.
    pub(crate) fn has_aof(&self) -> bool {
        self.field("aof_enabled") == "1"
    }

    /// Fails if the server could lose connections.
    pub(crate) fn check_requirement(&self, requirement: Requirement) -> Result<(), RedisError> {
        if requirement.keeps_all && !self.keeps_all() {
            return Err(RedisError::NotDurable(
                "`maxmemory-policy` isn't `noeviction`",
            ));
        }
        match requirement.has_aof && !self.has_aof() {
            true => Err(RedisError::NotDurable("`appendonly` isn't `yes`")),
            false => Ok(()),
        }
    }

    /// Returns the start of the server and the history of its data, as one text.
    pub(crate) fn epoch(&self) -> Epoch {
        Arc::from(format!("{}/{}", self.field("run_id"), self.history()))
    }

    /// Returns the id of the history, which changes when a replica is promoted.
    pub(crate) fn history(&self) -> &str {
        self.field("master_replid")
    }

    pub(crate) fn is_cluster(&self) -> bool {
        self.field("cluster_enabled") == "1" || self.field("redis_mode") == "cluster"
    }

    /// Returns the version of Redis with which the server is compatible: 7.2 is (7, 2).
    pub(crate) fn version(&self) -> (u32, u32) {
        let mut numbers = self.field("redis_version").split('.').map(str::parse);
        let mut next = || numbers.next().and_then(Result::ok).unwrap_or_default();
        (next(), next())
    }
}

/// The error if the server doesn't show its settings.
pub(crate) const NOT_SHOWN: &str = "the server doesn't allow `CONFIG GET`, so `appendonly` and `appendfsync` aren't known; \
    allow it, or set the durability to external if the service doesn't lose what it has acknowledged";

pub(crate) fn is_not_shown(error: &RedisError) -> bool {
    error.has_code("NOPERM") || error.has_code("ERR")
}

/// Returns the command whose answer [`check_aof_settings`] reads.
pub(crate) fn aof_settings() -> Cmd {
    let mut config = cmd("CONFIG");
    config
        .arg("GET")
        .arg("appendonly")
        .arg("appendfsync")
        .arg("no-appendfsync-on-rewrite");
    config
}

/// Fails if the server acknowledges writes that aren't on its disk.
pub(crate) fn check_aof_settings(settings: Value) -> Result<(), RedisError> {
    let unexpected = |_| RedisError::Protocol("the server's response wasn't expected");
    let settings = items(settings).map_err(unexpected)?.into_iter().map(text);
    let settings: Vec<_> = settings.collect::<Result<_, _>>().map_err(unexpected)?;
    let setting = |name: &str| {
        let mut pairs = settings.chunks(2);
        let found = pairs.find(|pair| pair.first().is_some_and(|found| found == name));
        found.and_then(|pair| pair.get(1)).map(String::as_str)
    };
    Err(RedisError::NotDurable(
        match (setting("appendonly"), setting("appendfsync")) {
            (Some("yes"), Some("always"))
                if setting("no-appendfsync-on-rewrite") == Some("yes") =>
            {
                "`no-appendfsync-on-rewrite` isn't `no`"
            }
            (Some("yes"), Some("always")) => return Ok(()),
            (Some("yes"), _) => "`appendfsync` isn't `always`",
            _ => "`appendonly` isn't `yes`",
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(text: &str) -> Result<Info, RedisError> {
        Info::of(Value::BulkString(text.as_bytes().to_vec()))
    }

    #[test]
    fn fields_are_read_by_their_whole_names() -> Result<(), RedisError> {
        let info = info(
            "# Server\r\nredis_version:7.2.4\r\nrun_id:abc\r\nrole:master\r\nmaster_replid2:x\r\nmaster_replid:def\r\n",
        )?;
        assert_eq!(info.version(), (7, 2));
        assert_eq!(&*info.epoch(), "abc/def");
        assert_eq!((info.field("missing"), info.is_cluster()), ("", false));
        info.check_primary()
    }

    #[test]
    fn only_the_settings_that_are_required_are_checked() -> Result<(), RedisError> {
        let good = "maxmemory_policy:noeviction\r\naof_enabled:1\r\n";
        let evicting = "maxmemory_policy:allkeys-lru\r\naof_enabled:1\r\n";
        let without = "maxmemory_policy:noeviction\r\naof_enabled:0\r\n";
        for (text, keeps_all, has_aof, is_accepted) in [
            (good, true, true, true),
            (evicting, true, true, false),
            (evicting, false, true, true),
            (without, true, true, false),
            (without, true, false, true),
            ("aof_enabled:1\r\n", true, true, true),
        ] {
            let requirement = Requirement { keeps_all, has_aof };
            let checked = info(text)?.check_requirement(requirement);
            assert_eq!(checked.is_ok(), is_accepted, "{text} {requirement:?}");
        }
        Ok(())
    }

    #[test]
    fn a_replica_and_a_server_that_loads_are_refused() -> Result<(), RedisError> {
        for (text, code) in [
            ("role:slave\r\n", "READONLY"),
            ("role:master\r\nloading:1\r\n", "LOADING"),
            ("", "READONLY"),
        ] {
            assert_eq!(
                info(text)?.check_primary(),
                Err(RedisError::of_code(code)),
                "{text}"
            );
        }
        Ok(())
    }
}
