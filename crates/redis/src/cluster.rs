//! The nodes of a cluster, and the slots that each of them has.
//!
//! The slots are learned when the store is opened, and again if a node says that a slot was moved, or can't be reached: there may have been a
//! fail-over. They aren't learned more often than once per pause, because all operations notice a fail-over at once.
//!
//! A primary that a network failure has cut off from the others still answers, and never knows about its successor. So the view of a node that
//! says that the cluster is down, or that is older than the view in use, is only used if no other node has a better view.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::{Cmd, Value, cmd};
use tokio::sync::OwnedMutexGuard;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::error::{Redirect, RedisError};
use crate::info::Info;
use crate::layout::{SLOTS, Slot};
use crate::node::{Connected, Expected, Node, Settings};
use crate::pause::jittered;
use crate::race::first_success;
use crate::servers::Server;

/// The maximum time in which a node must say which nodes have the slots.
const SLOTS_TIMEOUT: Duration = Duration::from_secs(3);
/// The time after which the slots are learned again at the earliest.
const LEARNING_PAUSE: Duration = Duration::from_secs(1);
/// The maximum number of ranges of slots that are read from an answer.
const MAX_RANGES: usize = 16_384;
/// The maximum number of nodes. Redis recommends at most about 1,000 nodes.
const MAX_NODES: usize = 1000;

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
    learning: Arc<tokio::sync::Mutex<Option<Instant>>>,
}

#[derive(Default)]
struct Topology {
    /// The primary of each slot.
    slots: Vec<Option<Arc<Node>>>,
    /// The nodes by all of their addresses, also those that aren't used.
    nodes: BTreeMap<Address, Arc<Node>>,
    /// The ids of the primaries. Another cluster has other ids.
    ids: BTreeSet<String>,
    /// The number of the last change of the cluster.
    epoch: u64,
}

/// A range of slots, and the addresses of its primary. The first of the addresses is used.
#[derive(Debug, PartialEq, Eq)]
struct Announced {
    first: Slot,
    last: Slot,
    id: String,
    names: Vec<Address>,
    /// The node has announced no address, so the first is the address of the node that was asked, whose certificate is expected.
    is_of_peer: bool,
}

/// The slots as a node knows them.
struct View {
    announced: Vec<Announced>,
    /// The server that was asked.
    server: Arc<Server>,
    /// The server is one of the URL.
    is_seed: bool,
    /// The node says that the cluster can be used.
    is_up: bool,
    epoch: u64,
}

/// The answer of the first server that was reached.
pub(crate) enum Found {
    /// It isn't a node of a cluster.
    Group,
    Cluster(Arc<Cluster>),
}

type Learning = Pin<Box<dyn Future<Output = Result<View, RedisError>> + Send>>;

/// Asks the servers of the URL if they are nodes of a cluster, and for its slots.
pub(crate) async fn discover(
    settings: &Arc<Settings>,
    seeds: &[Arc<Server>],
    is_plaintext_allowed: bool,
) -> Result<Found, RedisError> {
    let attempt = |seed: &Arc<Server>| {
        let asked = ask_server(Arc::clone(settings), Arc::clone(seed), true);
        async move {
            match asked.await? {
                // Another node may know more.
                Some(view) if !view.is_up => Err(RedisError::of_code("CLUSTERDOWN")),
                view => Ok(view),
            }
        }
    };
    let view = first_success(seeds.iter().map(attempt).collect()).await?;
    let Some(view) = view else {
        return Ok(Found::Group);
    };
    let cluster = Cluster {
        settings: Arc::clone(settings),
        seeds: seeds.to_vec(),
        is_plaintext_allowed,
        topology: Mutex::default(),
        learning: Arc::new(tokio::sync::Mutex::new(Some(Instant::now()))),
    };
    match cluster.set(view) {
        // A store is opened with all primaries.
        Some(error) => Err(error),
        None => Ok(Found::Cluster(Arc::new(cluster))),
    }
}

/// Returns the slots that a server knows, or `None` if it isn't a node of a cluster.
async fn ask_server(
    settings: Arc<Settings>,
    server: Arc<Server>,
    is_seed: bool,
) -> Result<Option<View>, RedisError> {
    let database = server.database();
    // A cluster refuses other databases before it says that it's a cluster.
    let server = Arc::new(server.with_first_database());
    let (connected, info) = settings.connect(Arc::clone(&server), Expected::Any).await?;
    if !info.is_cluster() {
        return Ok(None);
    }
    if database != 0 {
        return Err(RedisError::Unsupported(
            "a cluster has only the database 0; remove the number of the database from the URL",
        ));
    }
    ask(&connected, server, is_seed).await.map(Some)
}

/// Returns the command that asks a node if the cluster can be used.
pub(crate) fn cluster_info() -> Cmd {
    let mut info = cmd("CLUSTER");
    info.arg("INFO");
    info
}

/// Returns `true` if the cluster can be used, by the answer to `CLUSTER INFO`.
pub(crate) fn is_up(info: &Info) -> bool {
    info.field("cluster_state") != "fail"
}

/// Returns the slots that a node knows.
async fn ask(
    connected: &Connected,
    server: Arc<Server>,
    is_seed: bool,
) -> Result<View, RedisError> {
    let mut slots = cmd("CLUSTER");
    slots.arg("SLOTS");
    let commands = [slots, cluster_info()];
    let answers = timeout(SLOTS_TIMEOUT, connected.commands(&commands, None, false)).await;
    let answers = answers.map_err(|_| RedisError::Timeout("the slots of the cluster"))??;
    let mut answers = answers.into_iter().map(|answer| {
        answer.map_err(|error| match error.has_code("NOPERM") {
            true => RedisError::Unsupported(
                "the user needs the permissions `+cluster|slots +cluster|info +asking` for a cluster",
            ),
            false => error,
        })
    });
    let mut next = || answers.next().unwrap_or(Err(RedisError::Closed));
    let (slots, info) = (next()?, Info::of(next()?)?);
    // The server's name may have several addresses.
    let host = match connected.peer() {
        Some(address) => address.to_string(),
        None => server.host().to_owned(),
    };
    let announced = announced_slots(slots, &host, server.is_encrypted());
    let announced = announced.ok_or(RedisError::Protocol(
        "the server's response wasn't expected",
    ))?;
    match announced.is_empty() {
        true => Err(RedisError::of_code("CLUSTERDOWN")),
        false => Ok(View {
            announced,
            server,
            is_seed,
            is_up: is_up(&info),
            epoch: info.field("cluster_current_epoch").parse().unwrap_or(0),
        }),
    }
}

/// Parses the answer to `CLUSTER SLOTS`. `host` is the host of the node that has answered.
///
/// A node may have an address, a name, both, or none, which means the host of the node that has answered. With TLS, a name is used first,
/// because certificates are for names. A range that can't be used is left out, because the others can be used.
///
/// <https://redis.io/docs/latest/commands/cluster-slots/>
fn announced_slots(answer: Value, host: &str, is_encrypted: bool) -> Option<Vec<Announced>> {
    let ranges = items(answer)?.into_iter().take(MAX_RANGES);
    Some(
        ranges
            .filter_map(|range| announced_range(range, host, is_encrypted))
            .collect(),
    )
}

fn announced_range(range: Value, host: &str, is_encrypted: bool) -> Option<Announced> {
    let mut range = items(range)?.into_iter();
    let (first, last) = (slot(range.next()?)?, slot(range.next()?)?);
    let mut primary = items(range.next()?)?.into_iter();
    let (endpoint, port) = (text(primary.next()?), primary.next()?);
    let Value::Int(port) = port else {
        return None;
    };
    let port = u16::try_from(port).ok()?;
    let id = primary.next().and_then(text).unwrap_or_default();
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
    let is_unknown = matches!(endpoint.as_deref(), None | Some(""));
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
    let is_of_peer = is_unknown && names.first().is_some_and(|(first, _)| first == host);
    (!names.is_empty() && first <= last).then_some(Announced {
        first,
        last,
        id,
        names,
        is_of_peer,
    })
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
        distinct(self.topology().slots.iter().flatten())
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
        let peer = || from.current().and_then(|connected| connected.peer());
        let (host, of) = match redirect.host.as_str() {
            // The name of the node may have several addresses.
            "" | "?" => (
                peer().map_or_else(|| from.host().to_owned(), |peer| peer.to_string()),
                from.servers().pop(),
            ),
            host => (host.to_owned(), None),
        };
        self.known(topology, &[(host, redirect.port)], of.as_deref())
    }

    /// Returns the node whose address is the first of these, or a new node. `of` is the server whose certificate it has.
    fn known(
        &self,
        topology: &mut Topology,
        names: &[Address],
        of: Option<&Server>,
    ) -> Result<Arc<Node>, RedisError> {
        let address = names.first().ok_or(RedisError::Closed)?;
        if let Some(known) = topology.nodes.get(address) {
            return Ok(Arc::clone(known));
        }
        // A node has up to three addresses.
        if topology.nodes.len() >= MAX_NODES * 3 {
            return Err(RedisError::Protocol("the cluster has too many nodes"));
        }
        let seed = self.seeds.first().ok_or(RedisError::Closed)?;
        let server = seed.at(&address.0, address.1, of, self.is_plaintext_allowed)?;
        let servers = vec![Arc::new(server)];
        let node = Arc::new(Node::new(Arc::clone(&self.settings), servers, true));
        topology.nodes.insert(address.clone(), Arc::clone(&node));
        Ok(node)
    }

    /// Returns `true` if the view is one of this cluster: an address of a node may belong to another cluster by now.
    fn is_own(&self, view: &View) -> bool {
        let topology = self.topology();
        let is_known = |range: &Announced| topology.ids.contains(&range.id);
        view.is_seed || topology.ids.is_empty() || view.announced.iter().any(is_known)
    }

    /// Replaces the slots. Nodes that have slots keep their connections, and slots that the view doesn't have, or whose node has an address
    /// that can't be used, keep their nodes. Returns the last error of an address.
    fn set(&self, view: View) -> Option<RedisError> {
        let mut topology = self.topology();
        let mut next = Topology {
            slots: std::mem::take(&mut topology.slots),
            epoch: view.epoch,
            ..Topology::default()
        };
        next.slots.resize(usize::from(SLOTS), None);
        let mut failure = None;
        for range in view.announced {
            let Announced {
                first, last, names, ..
            } = range;
            let of = range.is_of_peer.then_some(&*view.server);
            let found = match names.first().and_then(|name| next.nodes.get(name)) {
                Some(node) => Ok(Arc::clone(node)),
                None => self.known(&mut topology, &names, of),
            };
            let node = match found {
                Ok(node) => node,
                Err(error) => {
                    failure = Some(error);
                    continue;
                }
            };
            if let Some(slots) = next.slots.get_mut(usize::from(first)..=usize::from(last)) {
                slots.fill(Some(Arc::clone(&node)));
            }
            for name in names {
                next.nodes.insert(name, Arc::clone(&node));
            }
            if !range.id.is_empty() {
                next.ids.insert(range.id);
            }
        }
        // Nodes of slots that the view doesn't have.
        let left: HashSet<_> = next.slots.iter().flatten().map(Arc::as_ptr).collect();
        for (name, node) in std::mem::take(&mut topology.nodes) {
            if left.contains(&Arc::as_ptr(&node)) {
                next.nodes.entry(name).or_insert(node);
            }
        }
        *topology = next;
        failure
    }

    /// Begins to learn the slots again, unless they were learned a short time ago or are being learned. `from` is the node that knows that they
    /// have changed. It goes on after the handle is dropped.
    pub(crate) fn learn(self: &Arc<Self>, from: Option<Arc<Node>>) -> Option<JoinHandle<()>> {
        let last = Arc::clone(&self.learning).try_lock_owned().ok()?;
        if last.is_some_and(|last| last.elapsed() < jittered(LEARNING_PAUSE)) {
            return None;
        }
        Some(tokio::spawn(Arc::clone(self).learn_now(from, last)))
    }

    /// Waits until the slots aren't being learned.
    pub(crate) async fn learned(&self) {
        drop(self.learning.lock().await);
    }

    async fn learn_now(
        self: Arc<Self>,
        from: Option<Arc<Node>>,
        mut last: OwnedMutexGuard<Option<Instant>>,
    ) {
        let others: Arc<Mutex<Vec<View>>> = Arc::default();
        let attempts = self.attempts(from).into_iter().map(|attempt| {
            let (cluster, others) = (Arc::clone(&self), Arc::clone(&others));
            async move {
                let view = attempt.await?;
                if !cluster.is_own(&view) {
                    return Err(RedisError::Protocol(
                        "the server is a node of another cluster",
                    ));
                }
                if view.is_up && view.epoch >= cluster.topology().epoch {
                    return Ok(view);
                }
                let mut others = others.lock().unwrap_or_else(PoisonError::into_inner);
                others.push(view);
                Err(RedisError::of_code("CLUSTERDOWN"))
            }
        });
        let learned = first_success(attempts.collect()).await;
        let epoch = self.topology().epoch;
        let best = match learned {
            Ok(view) => Some(view),
            Err(_) => {
                let mut others = others.lock().unwrap_or_else(PoisonError::into_inner);
                // A view that is old and of a node that is cut off is worse than the view in use.
                let usable = others
                    .drain(..)
                    .filter(|view| view.is_up || view.epoch >= epoch);
                usable.max_by_key(|view| (view.is_up, view.epoch))
            }
        };
        // An address that can't be used doesn't stop the other nodes. Its slots stay where they are.
        if let Some(view) = best {
            let _ = self.set(view);
        }
        *last = Some(Instant::now());
    }

    /// Returns the questions to the nodes, in the order in which they are asked: nodes with a connection first, and the servers of the URL last,
    /// because they may belong to another cluster by now.
    fn attempts(&self, from: Option<Arc<Node>>) -> Vec<Learning> {
        let mut attempts: Vec<Learning> = Vec::new();
        for node in from.into_iter().chain(self.nodes()) {
            if let (Some(connected), Some(server)) = (node.current(), node.servers().pop()) {
                attempts.push(Box::pin(
                    async move { ask(&connected, server, false).await },
                ));
            }
        }
        let known = distinct(self.topology().nodes.values());
        let known = known.iter().flat_map(|node| node.servers());
        let seeds = self.seeds.clone();
        let servers = known.map(|server| (server, false));
        for (server, is_seed) in servers.chain(seeds.into_iter().map(|seed| (seed, true))) {
            let settings = Arc::clone(&self.settings);
            attempts.push(Box::pin(async move {
                let view = ask_server(settings, server, is_seed).await?;
                view.ok_or(RedisError::Protocol("the server isn't a node of a cluster"))
            }));
        }
        attempts
    }
}

/// Returns the nodes in their order, each of them once.
fn distinct<'a>(nodes: impl Iterator<Item = &'a Arc<Node>>) -> Vec<Arc<Node>> {
    let mut seen = HashSet::new();
    nodes
        .filter(|node| seen.insert(Arc::as_ptr(node)))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use tower_passthrough::Secret;

    use super::*;
    use crate::servers::{Password, servers};
    use crate::tls::Tls;

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

    fn cluster() -> Result<Cluster, RedisError> {
        let tls = Tls::new(&[]).map_err(|_| RedisError::Closed)?;
        let url = Secret::from("redis://localhost:1");
        let seeds = servers(&url, false).map_err(|_| RedisError::Closed)?;
        Ok(Cluster {
            settings: Arc::new(Settings::new(tls, Password::InUrl)),
            seeds: seeds.into_iter().map(Arc::new).collect(),
            is_plaintext_allowed: false,
            topology: Mutex::default(),
            learning: Arc::default(),
        })
    }

    fn view(cluster: &Cluster, ranges: &[(Slot, Slot, &str, &str)]) -> Result<View, RedisError> {
        let range = |&(first, last, id, host): &(Slot, Slot, &str, &str)| Announced {
            first,
            last,
            id: id.to_owned(),
            names: vec![(host.to_owned(), 7000)],
            is_of_peer: false,
        };
        let server = cluster.seeds.first().ok_or(RedisError::Closed)?;
        Ok(View {
            announced: ranges.iter().map(range).collect(),
            server: Arc::clone(server),
            is_seed: false,
            is_up: true,
            epoch: 1,
        })
    }

    #[test]
    fn slots_that_a_view_does_not_have_or_cannot_be_used_keep_their_nodes() -> Result<(), RedisError>
    {
        let cluster = cluster()?;
        let all = [(0, 9, "a", "127.0.0.1"), (10, 16383, "b", "127.0.0.2")];
        assert_eq!(cluster.set(view(&cluster, &all)?), None);
        let first = cluster.node(0).ok_or(RedisError::Closed)?;
        let partly = [
            (5, 5, "b", "127.0.0.2"),
            (10, 10, "c", "192.0.2.1"),
            (11, 16383, "d", "127.0.0.4"),
        ];
        let failure = cluster.set(view(&cluster, &partly)?);
        assert_eq!(failure, Some(RedisError::Plaintext));
        let host = |slot| cluster.node(slot).map(|node| node.host().to_owned());
        for (slot, expected) in [
            (0, "127.0.0.1"),
            (5, "127.0.0.2"),
            (10, "127.0.0.2"),
            (11, "127.0.0.4"),
        ] {
            assert_eq!(host(slot).as_deref(), Some(expected), "{slot}");
        }
        let kept = cluster
            .node(0)
            .is_some_and(|node| Arc::ptr_eq(&node, &first));
        assert!(kept, "a node that has slots keeps its connections");
        assert_eq!(cluster.nodes().len(), 3);
        Ok(())
    }

    #[test]
    fn a_view_of_another_cluster_is_only_taken_from_a_server_of_the_url() -> Result<(), RedisError>
    {
        let cluster = cluster()?;
        let own = [(0, 9, "a", "127.0.0.1"), (10, 16383, "b", "127.0.0.2")];
        let other = [(0, 16383, "x", "127.0.0.3")];
        let grown = [(0, 9, "a", "127.0.0.1"), (10, 16383, "c", "127.0.0.2")];
        assert!(cluster.is_own(&view(&cluster, &other)?), "nothing is known");
        cluster.set(view(&cluster, &own)?);
        assert!(cluster.is_own(&view(&cluster, &grown)?));
        let mut other = view(&cluster, &other)?;
        assert!(!cluster.is_own(&other));
        other.is_seed = true;
        assert!(cluster.is_own(&other));
        Ok(())
    }

    #[test]
    fn a_range_that_cannot_be_read_does_not_stop_the_others() {
        let Value::Array(mut ranges) = node(bulk("10.0.0.1"), None) else {
            return;
        };
        ranges.insert(0, Value::Nil);
        ranges.insert(0, Value::Array(vec![Value::Int(1), Value::Int(99_999)]));
        let announced = announced_slots(Value::Array(ranges), "", false);
        assert_eq!(announced.map(|announced| announced.len()), Some(1));
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
