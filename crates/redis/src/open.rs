//! The checks of the server and of the keys with which a store is opened.

use std::sync::Arc;

use redis::{Value, cmd};
use tower_passthrough::durable::Keys;

use crate::client::{Call, Client, Effect, Question};
use crate::error::{InternalError, RedisError, RedisStoreError};
use crate::info::{Info, NOT_SHOWN, Requirement, aof_settings, check_aof_settings, is_not_shown};
use crate::layout::{Layout, shards, slot_of};
use crate::node::{Acknowledgement, Node};
use crate::scripts::Scripts;
use crate::values::{bytes, items, text};

/// The version of the layout of keys and of the scripts.
const FORMAT: &str = "1";

/// The first versions of Redis with scripts that a replica refuses at once, and with `WAITAOF`. Valkey names the version of Redis with which
/// it's compatible.
const OLDEST_SERVER: (u32, u32) = (7, 0);
const WITH_ACKNOWLEDGEMENT: (u32, u32) = (7, 2);

/// The reason why the server keeps what it has acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// The server writes each change to its disk before it answers: `appendonly yes` and `appendfsync always`. Opening the store checks
    /// that by `CONFIG GET`, and fails if it isn't so.
    #[default]
    Aof,
    /// The service guarantees it in another way, for example Amazon MemoryDB. Use it only if the service's documentation says that a write
    /// that was acknowledged isn't lost, also not in a fail-over. Nothing is checked, except `maxmemory-policy`.
    External,
}

/// Checks that the server, or each primary of a cluster, doesn't lose what it has stored. Returns the acknowledgement that writes wait for.
pub(crate) async fn check_server(
    client: &Client,
    durability: Durability,
    replicas: usize,
    is_volatile_allowed: bool,
) -> Result<Option<Acknowledgement>, InternalError> {
    let (mut can_acknowledge, mut has_aof) = (true, true);
    for node in client.primaries() {
        let info = Info::of(client.command_to(&node, &cmd("INFO")).await?)?;
        let version = info.version();
        if version < OLDEST_SERVER {
            return Err(
                RedisStoreError::Unsupported("Redis 7.0 or later, or Valkey, is needed").into(),
            );
        }
        can_acknowledge &= version >= WITH_ACKNOWLEDGEMENT;
        has_aof &= info.has_aof();
        if replicas > 0 && !can_acknowledge {
            let what = "waiting for replicas needs Redis 7.2 or later, or Valkey (`WAITAOF`)";
            return Err(RedisStoreError::Unsupported(what).into());
        }
        if !is_volatile_allowed {
            if !info.keeps_all() {
                let what = "`maxmemory-policy` isn't `noeviction`, so the server deletes connections if its memory is full";
                return Err(RedisStoreError::NotDurable(what).into());
            }
            if durability == Durability::Aof {
                check_aof(client, &node).await?;
            }
        }
    }
    let local = match durability {
        // Only checked if it's required.
        Durability::Aof if is_volatile_allowed && !has_aof => 0,
        Durability::Aof => 1,
        Durability::External => 0,
    };
    client.require(Requirement {
        keeps_all: !is_volatile_allowed,
        has_aof: !is_volatile_allowed && durability == Durability::Aof,
    });
    let is_needed = can_acknowledge && local + replicas > 0;
    Ok(is_needed.then_some(Acknowledgement { local, replicas }))
}

async fn check_aof(client: &Client, node: &Arc<Node>) -> Result<(), InternalError> {
    let lost = match client.command_to(node, &aof_settings()).await {
        Ok(settings) => match check_aof_settings(settings) {
            Err(RedisError::NotDurable(lost)) => lost,
            checked => return Ok(checked?),
        },
        Err(InternalError::Redis(error)) if is_not_shown(&error) => NOT_SHOWN,
        Err(error) => return Err(error),
    };
    Err(RedisStoreError::NotDurable(lost).into())
}

/// Checks the version of the layout, and notes it if nothing is stored yet.
pub(crate) async fn check_format(
    client: &Client,
    layout: &Layout,
    scripts: &Scripts,
) -> Result<(), InternalError> {
    let call = Call {
        script: &scripts.format,
        keys: &[layout.format()],
        arguments: &[FORMAT.as_bytes()],
    };
    let found = match client.call(Effect::Write, call).await {
        Ok((found, _)) => found,
        Err(InternalError::Redis(error)) if error.has_code("NOPERM") => {
            return Err(not_permitted().into());
        }
        // Calls are answered if connections are stored already.
        Err(InternalError::Redis(error)) if error.refuses_writes() => {
            let found = format(client, layout).await?;
            found.ok_or(error)?
        }
        Err(error) => return Err(error),
    };
    is_known(found)
}

/// Checks the version of the layout, if anything is stored. Nothing is written.
pub(crate) async fn look_at_format(client: &Client, layout: &Layout) -> Result<(), InternalError> {
    match format(client, layout).await? {
        None => Ok(()),
        Some(found) => is_known(found),
    }
}

/// Returns the version of the layout, if anything is stored.
async fn format(client: &Client, layout: &Layout) -> Result<Option<Value>, InternalError> {
    let name = layout.format();
    let mut get = cmd("GET");
    get.arg(&name);
    let question = Question {
        slot: slot_of(&name),
        command: get,
    };
    let found = client.command(question).await?;
    Ok(Some(found).filter(|found| *found != Value::Nil))
}

fn is_known(format: Value) -> Result<(), InternalError> {
    match text(format)?.as_str() {
        FORMAT => Ok(()),
        _ => Err(RedisStoreError::NewerFormat.into()),
    }
}

/// Checks the proofs of all keys that encrypt records. Without the check, a missing key would only be found by the first call that needs
/// it.
pub(crate) async fn check_keys(
    client: &Client,
    layout: &Layout,
    keys: &Keys,
) -> Result<(), InternalError> {
    let questions = shards().map(|shard| {
        let name = layout.keys(shard);
        let mut proofs = cmd("HGETALL");
        proofs.arg(&name);
        Question {
            slot: slot_of(&name),
            command: proofs,
        }
    });
    let until = client.deadline();
    let found = client.read_many(until, questions.collect(), None).await?;
    for proofs in found {
        let mut proofs = items(proofs)?.into_iter();
        while let (Some(id), Some(proof)) = (proofs.next(), proofs.next()) {
            let checked = keys.check_proof(&bytes(id)?, &bytes(proof)?);
            checked.map_err(|_| RedisStoreError::WrongKey)?;
        }
    }
    Ok(())
}

const fn not_permitted() -> RedisStoreError {
    RedisStoreError::NotPermitted(
        "the user needs the permissions `~PREFIX:* +@all -@admin -@dangerous +info +config|get`, or the permissions that the documentation lists",
    )
}
