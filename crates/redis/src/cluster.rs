//! The nodes of a cluster, and the slots that each of them has.
//!
//! The slots are learned when the store is opened, and again if a node says that a slot was moved, or can't be reached: there may have been a
//! fail-over. They aren't learned more often than once per pause, because all operations notice a fail-over at once.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::{Value, cmd};
use tokio::time::{Instant, timeout};

use crate::error::{Redirect, RedisError};
use crate::layout::{SLOTS, Slot};
use crate::node::{Connected, Expected, Node, Settings, jittered};
use crate::race::first_success;
use crate::servers::Server;

/// The maximum time in which a node must say which nodes have the slots.
const SLOTS_TIMEOUT: Duration = Duration::from_secs(3);
/// The time after which the slots are learned again at the earliest.
const LEARNING_PAUSE: Duration = Duration::from_secs(1);

/// The host and the port of a node.
type Address = (String, u16);

/// The nodes of a cluster.
pub(crate) struct Cluster {
    settings: Arc<Settings>,
    /// The servers of the URL.
    seeds: Vec<Arc<Server>>,
    is_plaintext_allowed: bool,
    topology: Mutex<Topology>,
    /// The time at which the slots were last asked for. Locked while they are asked for.
    learning: tokio::sync::Mutex<Option<Instant>>,
}

#[derive(Default)]
struct Topology {
    /// The primary of each slot.
    slots: Vec<Option<Arc<Node>>>,
    nodes: BTreeMap<Address, Known>,
}

struct Known {
    node: Arc<Node>,
    /// All addresses of the node, also those that aren't used.
    names: Vec<Address>,
}

/// A range of slots, and the addresses of its primary. The first of the addresses is used.
#[derive(Debug, PartialEq, Eq)]
struct Announced {
    first: Slot,
    last: Slot,
    names: Vec<Address>,
}

/// The answer of the first server that was reached.
pub(crate) enum Found {
    /// It isn't a node of a cluster.
    Group,
    Cluster(Arc<Cluster>),
}

type Learning = Pin<Box<dyn Future<Output = Result<Vec<Announced>, RedisError>> + Send>>;

/// Asks the servers of the URL if they are nodes of a cluster, and for its slots.
pub(crate) async fn discover(
    settings: &Arc<Settings>,
    seeds: &[Arc<Server>],
    is_plaintext_allowed: bool,
) -> Result<Found, RedisError> {
    let attempt = |seed: &Arc<Server>| ask_seed(Arc::clone(settings), Arc::clone(seed));
    let announced = first_success(seeds.iter().map(attempt).collect()).await?;
    let Some(announced) = announced else {
        return Ok(Found::Group);
    };
    let cluster = Cluster {
        settings: Arc::clone(settings),
        seeds: seeds.to_vec(),
        is_plaintext_allowed,
        topology: Mutex::default(),
        learning: tokio::sync::Mutex::new(Some(Instant::now())),
    };
    cluster.set(announced)?;
    Ok(Found::Cluster(Arc::new(cluster)))
}

/// Returns the slots that a server of the URL knows, or `None` if it isn't a node of a cluster.
async fn ask_seed(
    settings: Arc<Settings>,
    seed: Arc<Server>,
) -> Result<Option<Vec<Announced>>, RedisError> {
    // A cluster refuses other databases before it says that it's a cluster.
    let server = Arc::new(seed.with_first_database());
    let (connected, info) = settings.connect(server, Expected::Any).await?;
    if !info.is_cluster() {
        return Ok(None);
    }
    if seed.database() != 0 {
        return Err(RedisError::Unsupported(
            "a cluster has only the database 0; remove the number of the database from the URL",
        ));
    }
    ask(&connected, seed.host(), seed.is_encrypted())
        .await
        .map(Some)
}

/// Returns the slots that a node knows.
async fn ask(
    connected: &Connected,
    host: &str,
    is_encrypted: bool,
) -> Result<Vec<Announced>, RedisError> {
    let mut slots = cmd("CLUSTER");
    slots.arg("SLOTS");
    let answer = timeout(SLOTS_TIMEOUT, connected.command(&slots)).await;
    let answer = answer.map_err(|_| RedisError::Timeout("the slots of the cluster"))?;
    let announced = answer.map_err(|error| match error.has_code("NOPERM") {
        true => RedisError::Unsupported(
            "the user needs the permissions `+cluster|slots +asking` for a cluster",
        ),
        false => error,
    })?;
    let announced = announced_slots(announced, host, is_encrypted).ok_or(RedisError::Protocol(
        "the server's response wasn't expected",
    ))?;
    match announced.is_empty() {
        true => Err(RedisError::of_code("CLUSTERDOWN")),
        false => Ok(announced),
    }
}

/// Parses the answer to `CLUSTER SLOTS`. `host` is the host of the node that has answered.
///
/// A node may have an address, a name, both, or none, which means the host of the node that has answered. With TLS, a name is used first,
/// because certificates are for names.
///
/// <https://redis.io/docs/latest/commands/cluster-slots/>
fn announced_slots(answer: Value, host: &str, is_encrypted: bool) -> Option<Vec<Announced>> {
    let mut announced = Vec::new();
    for range in items(answer)? {
        let mut range = items(range)?.into_iter();
        let (first, last) = (slot(range.next()?)?, slot(range.next()?)?);
        let mut primary = items(range.next()?)?.into_iter();
        let (endpoint, port) = (text(primary.next()?), primary.next()?);
        let Value::Int(port) = port else {
            return None;
        };
        let port = u16::try_from(port).ok()?;
        // The id of the node, which isn't needed.
        primary.next();
        let mut others = primary.next().and_then(items).unwrap_or_default();
        let (mut name, mut ip) = (None, None);
        while others.len() >= 2 {
            let mut pair = others.drain(..2).map(text);
            match (pair.next()??.as_str(), pair.next()?) {
                ("hostname", found) => name = found,
                ("ip", found) => ip = found,
                _ => {}
            }
        }
        let endpoint = match endpoint.as_deref() {
            // The node should have a name, and has none.
            Some("?") => None,
            None | Some("") => Some(host.to_owned()),
            Some(endpoint) => Some(endpoint.to_owned()),
        };
        let order = match is_encrypted {
            true => [name, endpoint, ip],
            false => [endpoint, ip, name],
        };
        let mut names: Vec<Address> = Vec::new();
        for name in order.into_iter().flatten() {
            let address = (name, port);
            if !address.0.is_empty() && !names.contains(&address) {
                names.push(address);
            }
        }
        // A node without any address can't be used, and the others can.
        if !names.is_empty() {
            announced.push(Announced { first, last, names });
        }
    }
    Some(announced)
}

fn items(value: Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(items) => Some(items),
        _ => None,
    }
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}

fn slot(value: Value) -> Option<Slot> {
    match value {
        Value::Int(slot) => Slot::try_from(slot).ok().filter(|slot| *slot < SLOTS),
        _ => None,
    }
}

impl Cluster {
    fn topology(&self) -> MutexGuard<'_, Topology> {
        self.topology.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the primary of a slot.
    pub(crate) fn node(&self, slot: Slot) -> Option<Arc<Node>> {
        self.topology().slots.get(usize::from(slot))?.clone()
    }

    /// Returns all nodes that have slots.
    pub(crate) fn nodes(&self) -> Vec<Arc<Node>> {
        let topology = self.topology();
        let mut nodes: Vec<Arc<Node>> = Vec::new();
        for node in topology.slots.iter().flatten() {
            // Slots of a node are mostly next to each other.
            let is_known = |known: &Arc<Node>| Arc::ptr_eq(known, node);
            if !nodes.iter().rev().any(is_known) {
                nodes.push(Arc::clone(node));
            }
        }
        nodes
    }

    /// Returns the node to which `from` has redirected an operation.
    pub(crate) fn redirected(
        &self,
        redirect: &Redirect,
        from: &Node,
    ) -> Result<Arc<Node>, RedisError> {
        self.named(&mut self.topology(), redirect, from)
    }

    /// Remembers that `from` has said that the slot belongs to another node.
    pub(crate) fn moved(
        &self,
        slot: Slot,
        redirect: &Redirect,
        from: &Node,
    ) -> Result<(), RedisError> {
        let mut topology = self.topology();
        let node = self.named(&mut topology, redirect, from)?;
        if let Some(owner) = topology.slots.get_mut(usize::from(slot)) {
            *owner = Some(node);
        }
        Ok(())
    }

    fn named(
        &self,
        topology: &mut Topology,
        redirect: &Redirect,
        from: &Node,
    ) -> Result<Arc<Node>, RedisError> {
        let host = match redirect.host.as_str() {
            "" | "?" => from.host(),
            host => host,
        };
        self.known(topology, &[(host.to_owned(), redirect.port)])
    }

    /// Returns the node with one of these addresses, or a new node at the first address.
    fn known(&self, topology: &mut Topology, names: &[Address]) -> Result<Arc<Node>, RedisError> {
        let address = names.first().ok_or(RedisError::Closed)?;
        if let Some(known) = topology.nodes.get(address) {
            return Ok(Arc::clone(&known.node));
        }
        let is_it = |known: &&Known| known.names.contains(address);
        if let Some(known) = topology.nodes.values().find(is_it) {
            return Ok(Arc::clone(&known.node));
        }
        let seed = self.seeds.first().ok_or(RedisError::Closed)?;
        let server = seed.at(&address.0, address.1, self.is_plaintext_allowed)?;
        let servers = vec![Arc::new(server)];
        let node = Arc::new(Node::new(Arc::clone(&self.settings), servers, true));
        let known = Known {
            node: Arc::clone(&node),
            names: names.to_vec(),
        };
        topology.nodes.insert(address.clone(), known);
        Ok(node)
    }

    /// Replaces the slots. Nodes that have slots keep their connections.
    fn set(&self, announced: Vec<Announced>) -> Result<(), RedisError> {
        let mut topology = self.topology();
        let mut next = Topology {
            slots: vec![None; usize::from(SLOTS)],
            nodes: BTreeMap::new(),
        };
        for Announced { first, last, names } in announced {
            let node = self.known(&mut topology, &names)?;
            if let Some(slots) = next.slots.get_mut(usize::from(first)..=usize::from(last)) {
                slots.fill(Some(Arc::clone(&node)));
            }
            if let Some(address) = names.first().cloned() {
                next.nodes.insert(address, Known { node, names });
            }
        }
        *topology = next;
        Ok(())
    }

    /// Learns the slots again, unless they were learned a short time ago. `from` is the node that knows that they have changed.
    ///
    /// A node that has just failed is asked last, because it may be the node that doesn't answer.
    pub(crate) async fn learn(self: Arc<Self>, from: Option<Arc<Node>>) {
        let mut last = self.learning.lock().await;
        if last.is_some_and(|last| last.elapsed() < jittered(LEARNING_PAUSE)) {
            return;
        }
        let is_encrypted = self.seeds.first().is_some_and(|seed| seed.is_encrypted());
        let nodes = from.into_iter().chain(self.nodes());
        let connected = nodes.filter_map(|node| Some((node.current()?, node)));
        let mut attempts: Vec<Learning> = Vec::new();
        for (connected, node) in connected {
            attempts.push(Box::pin(async move {
                ask(&connected, node.host(), is_encrypted).await
            }));
        }
        // The servers of the URL may belong to another cluster by now.
        let servers = self.servers().into_iter().chain(self.seeds.clone());
        for server in servers {
            let settings = Arc::clone(&self.settings);
            attempts.push(Box::pin(async move {
                let announced = ask_seed(settings, server).await?;
                announced.ok_or(RedisError::Protocol("the server isn't a node of a cluster"))
            }));
        }
        let learned = first_success(attempts).await;
        *last = Some(Instant::now());
        // If no node can be asked, or the cluster would be used without TLS, the nodes stay as they are.
        if let Ok(announced) = learned {
            let _ = self.set(announced);
        }
    }

    /// Returns the servers of all nodes.
    fn servers(&self) -> Vec<Arc<Server>> {
        let topology = self.topology();
        let nodes = topology.nodes.values();
        nodes.flat_map(|known| known.node.servers()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    fn node(endpoint: Value, others: Option<&[&str]>) -> Value {
        let mut node = vec![endpoint, Value::Int(7000), bulk("id")];
        node.extend(
            others.map(|others| Value::Array(others.iter().map(|text| bulk(text)).collect())),
        );
        let range = vec![Value::Int(0), Value::Int(5460), Value::Array(node)];
        Value::Array(vec![Value::Array(range)])
    }

    fn names(answer: Value, is_encrypted: bool) -> Option<Vec<String>> {
        let announced = announced_slots(answer, "seed.example", is_encrypted)?;
        let first = announced.into_iter().next()?;
        assert_eq!((first.first, first.last), (0, 5460));
        Some(first.names.into_iter().map(|(host, _)| host).collect())
    }

    #[test]
    fn the_name_of_a_node_is_used_with_tls_and_the_host_that_was_asked_if_there_is_no_address() {
        let with_name: &[&str] = &["hostname", "a.example"];
        let with_ip: &[&str] = &["ip", "10.0.0.1"];
        for (endpoint, others, is_encrypted, expected) in [
            (bulk("10.0.0.1"), None, true, vec!["10.0.0.1"]),
            (bulk("10.0.0.1"), Some(&[][..]), false, vec!["10.0.0.1"]),
            (
                bulk("10.0.0.1"),
                Some(with_name),
                true,
                vec!["a.example", "10.0.0.1"],
            ),
            (
                bulk("10.0.0.1"),
                Some(with_name),
                false,
                vec!["10.0.0.1", "a.example"],
            ),
            (
                bulk("a.example"),
                Some(with_ip),
                true,
                vec!["a.example", "10.0.0.1"],
            ),
            (bulk("?"), Some(with_ip), true, vec!["10.0.0.1"]),
            (
                Value::Nil,
                Some(with_ip),
                true,
                vec!["seed.example", "10.0.0.1"],
            ),
            (bulk(""), None, true, vec!["seed.example"]),
        ] {
            let found = names(node(endpoint.clone(), others), is_encrypted);
            let expected = expected.into_iter().map(str::to_owned).collect();
            assert_eq!(
                found,
                Some(expected),
                "{endpoint:?} {others:?} {is_encrypted}"
            );
        }
        assert_eq!(names(node(bulk("?"), None), true), None);
        assert_eq!(announced_slots(Value::Nil, "", true), None);
    }
}
