//! The connections of callers: their number is limited, and idle connections are closed.
//!
//! A connection takes a file descriptor, of which a process has a limited number, and connections to
//! upstreams need some as well. If callers have as many connections as they may, the connections that
//! have been idle for the longest time are closed. If no connection is idle, new connections wait in
//! the listener's queue. A connection is idle while no call is under way on it, so a caller can't hold
//! a place without a call.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

/// The time after which the search for an idle connection is repeated, if no place becomes free.
const RETRY: Duration = Duration::from_millis(50);

/// The part of all connections that are closed at once to make room.
const SHARE: usize = 16;

/// The minimum time between two log lines.
const QUIET: Duration = Duration::from_secs(10);

/// The limits of a server's connections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PeerLimits {
    /// The maximum number of connections. `None` for no limit.
    pub(crate) total: Option<usize>,
    /// The same for each address. `None` for no limit.
    pub(crate) per_address: Option<usize>,
    /// The maximum time for which a connection may be idle.
    pub(crate) idle: Duration,
    /// The maximum time for which a caller may take no byte of those that wait for it.
    pub(crate) stalled: Duration,
}

/// The connections of a server. Cloning increments a reference count.
#[derive(Clone, Debug)]
pub(crate) struct Peers(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    table: Mutex<Table>,
    /// Notified when a place becomes free.
    freed: Notify,
}

#[derive(Debug)]
struct Table {
    limits: PeerLimits,
    next: u64,
    members: HashMap<u64, Arc<Member>>,
    by_address: HashMap<IpAddr, usize>,
    /// The time of the last log line about too many connections.
    told: Option<Instant>,
}

/// The reason why a connection has no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// Its address has as many connections as it may.
    Address,
    Full,
}

impl Peers {
    pub(crate) fn new(limits: PeerLimits) -> Self {
        Self(Arc::new(Inner {
            table: Mutex::new(Table {
                limits,
                next: 0,
                members: HashMap::new(),
                by_address: HashMap::new(),
                told: None,
            }),
            freed: Notify::new(),
        }))
    }

    pub(crate) fn set_limits(&self, limits: PeerLimits) {
        self.table().limits = limits;
    }

    /// Returns the maximum time for which a caller may take no byte of those that wait for it.
    pub(crate) fn stalled(&self) -> Duration {
        self.table().limits.stalled
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a place for a connection from that address, as soon as there is one. `None` if the
    /// address may have no more connections.
    pub(crate) async fn enter(&self, address: Option<IpAddr>) -> Option<Place> {
        loop {
            let mut freed = pin!(self.0.freed.notified());
            freed.as_mut().enable();
            match self.try_enter(address) {
                Ok(place) => return Some(place),
                Err(Refusal::Address) => {
                    let address = address.map(tracing::field::display);
                    tracing::debug!(
                        address,
                        "a connection was refused: its address has too many"
                    );
                    return None;
                }
                Err(Refusal::Full) => self.make_room(),
            }
            tokio::select! {
                () = freed => {}
                () = sleep(RETRY) => {}
            }
        }
    }

    fn try_enter(&self, address: Option<IpAddr>) -> Result<Place, Refusal> {
        let group = address.map(group);
        let mut table = self.table();
        let of_address = group.and_then(|group| table.by_address.get(&group).copied());
        if table
            .limits
            .per_address
            .is_some_and(|most| of_address.unwrap_or_default() >= most)
        {
            return Err(Refusal::Address);
        }
        if table
            .limits
            .total
            .is_some_and(|most| table.members.len() >= most)
        {
            return Err(Refusal::Full);
        }
        Ok(self.add(&mut table, address))
    }

    /// Returns a place without a look at the limits, for a connection that was accepted before the
    /// server stopped.
    pub(crate) fn enter_anyway(&self, address: Option<IpAddr>) -> Place {
        self.add(&mut self.table(), address)
    }

    fn add(&self, table: &mut Table, address: Option<IpAddr>) -> Place {
        let group = address.map(group);
        let number = table.next;
        table.next += 1;
        let member = Arc::new(Member::new(address.map(Peer::from)));
        table.members.insert(number, Arc::clone(&member));
        if let Some(group) = group {
            *table.by_address.entry(group).or_default() += 1;
        }
        Place {
            peers: self.clone(),
            number,
            group,
            member,
        }
    }

    /// Closes the connections that have been idle for the longest time: some at once, so that a flood
    /// of connections doesn't cause a search for each.
    pub(crate) fn make_room(&self) {
        let mut table = self.table();
        let most = table.limits.total.unwrap_or(table.members.len());
        if table.told.is_none_or(|told| told.elapsed() >= QUIET) {
            table.told = Some(Instant::now());
            tracing::warn!(
                connections = table.members.len(),
                "callers have too many connections: those that have been idle for the longest time are closed"
            );
        }
        let is_closing = |member: &&Arc<Member>| member.is_closing();
        let closing = table.members.values().filter(is_closing).count();
        let wanted = (most / SHARE).max(1).saturating_sub(closing);
        let idle = table.members.values();
        let idle = idle.filter(|member| member.is_idle() && !member.is_closing());
        let mut idle: Vec<_> = idle
            .map(|member| (member.idle_since.load(Ordering::Relaxed), member))
            .collect();
        if wanted < idle.len() {
            idle.select_nth_unstable_by_key(wanted, |(since, _)| *since);
        }
        for (_, member) in idle.into_iter().take(wanted) {
            member.pressed.store(true, Ordering::Relaxed);
            member.close();
        }
    }

    /// Closes the connections that have been idle for too long. Returns the time after which it should
    /// be called again.
    pub(crate) fn sweep(&self) -> Duration {
        let table = self.table();
        let limit = table.limits.idle;
        let now = now();
        let limit_micros = u64::try_from(limit.as_micros()).unwrap_or(u64::MAX);
        for member in table.members.values() {
            let since = member.idle_since.load(Ordering::Relaxed);
            if now.saturating_sub(since) >= limit_micros && member.is_idle() && !member.is_closing()
            {
                member.close();
            }
        }
        (limit / 4).clamp(Duration::from_millis(20), Duration::from_secs(1))
    }
}

/// The place of a connection among all connections. It's free when this value is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    peers: Peers,
    number: u64,
    /// `None` for a Unix socket, which has no address.
    group: Option<IpAddr>,
    member: Arc<Member>,
}

impl Place {
    pub(crate) fn member(&self) -> &Arc<Member> {
        &self.member
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.peers.table();
        table.members.remove(&self.number);
        if let Some(group) = self.group {
            if let Some(count) = table.by_address.get_mut(&group) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    table.by_address.remove(&group);
                }
            }
        }
        drop(table);
        self.peers.0.freed.notify_one();
    }
}

/// The state of a connection.
#[derive(Debug)]
pub(crate) struct Member {
    peer: Option<Peer>,
    /// The number of calls under way. A call may count twice, for its request and its response.
    calls: AtomicUsize,
    /// The number of calls that have begun.
    begun: AtomicU64,
    /// The time at which the last call ended, or at which the connection was accepted.
    idle_since: AtomicU64,
    closing: AtomicBool,
    /// `true` if the connection is closed to make room.
    pressed: AtomicBool,
    close: Notify,
}

impl Member {
    fn new(peer: Option<Peer>) -> Self {
        Self {
            peer,
            calls: AtomicUsize::new(0),
            begun: AtomicU64::new(0),
            idle_since: AtomicU64::new(now()),
            closing: AtomicBool::new(false),
            pressed: AtomicBool::new(false),
            close: Notify::new(),
        }
    }

    /// Returns the address of the peer, or `None` for a Unix socket.
    pub(crate) fn peer(&self) -> Option<Peer> {
        self.peer
    }

    /// Counts a call as under way until all clones of the guard have been dropped.
    pub(crate) fn begin(self: &Arc<Self>) -> Call {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.calls.fetch_add(1, Ordering::AcqRel);
        Call(Arc::clone(self))
    }

    /// Returns the number of calls that have begun.
    pub(crate) fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    /// Counts the connection as busy until it ends, because it's a tunnel now.
    pub(crate) fn is_a_tunnels(&self) {
        self.calls.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.calls.load(Ordering::Acquire) == 0
    }

    fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    /// Returns `true` if other connections wait for this connection to end.
    pub(crate) fn is_pressed(&self) -> bool {
        self.pressed.load(Ordering::Relaxed)
    }

    fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
        self.close.notify_one();
    }

    /// Waits until the connection must end.
    pub(crate) async fn closed(&self) {
        self.close.notified().await;
    }
}

/// An extension of requests: the address of the peer, which is a caller or a proxy in front.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

impl From<IpAddr> for Peer {
    fn from(address: IpAddr) -> Self {
        Self(address.to_canonical())
    }
}

/// A call under way.
#[derive(Debug)]
pub(crate) struct Call(Arc<Member>);

impl Clone for Call {
    fn clone(&self) -> Self {
        self.0.calls.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(&self.0))
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        // Stored first, so that the connection never looks idle since an earlier time.
        self.0.idle_since.store(now(), Ordering::Relaxed);
        self.0.calls.fetch_sub(1, Ordering::AcqRel);
    }
}

/// An extension of responses without an authenticated caller: 401, 404 and the gateway's own pages. While
/// such a response is sent, no call is under way. So a peer without a key that doesn't read it can't hold
/// its connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NotACall;

/// Returns the time in microseconds since the first call of this function.
fn now() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// Returns the address by which connections are counted. A caller usually has a whole /64 of IPv6.
fn group(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let prefix = u128::from(address) & !u128::from(u64::MAX);
            Ipv6Addr::from(prefix).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(60);

    fn peers(total: usize, per_address: usize) -> Peers {
        Peers::new(PeerLimits {
            total: Some(total),
            per_address: Some(per_address),
            idle: IDLE,
            stalled: IDLE,
        })
    }

    fn address(text: &str) -> Option<IpAddr> {
        let Ok(address) = text.parse() else {
            unreachable!("it's an address");
        };
        Some(address)
    }

    fn closing(place: &Place) -> bool {
        place.member.is_closing()
    }

    #[tokio::test]
    async fn the_longest_idle_connection_makes_room() {
        let peers = peers(3, 9);
        let [first, second, third] = ["::1", "::2", "::3"].map(|text| {
            let place = peers.try_enter(address(text)).ok();
            let Some(place) = place else {
                unreachable!("there is room");
            };
            place
        });
        let call = first.member.begin();
        // The second was the last that had a call.
        second.member.idle_since.store(2, Ordering::Relaxed);
        third.member.idle_since.store(1, Ordering::Relaxed);
        assert_eq!(peers.try_enter(address("::4")).err(), Some(Refusal::Full));
        peers.make_room();
        peers.make_room();
        let closed = [&first, &second, &third].map(closing);
        assert_eq!(closed, [false, false, true]);
        drop(third);
        assert!(peers.enter(address("::4")).await.is_some());
        drop(call);
        peers.make_room();
        assert!(closing(&first) || closing(&second));
    }

    #[tokio::test]
    async fn an_address_has_a_limit_of_its_own() {
        let peers = peers(9, 2);
        let held = [
            peers.enter(address("192.0.2.1")).await,
            peers.enter(address("::ffff:192.0.2.1")).await,
            peers.enter(address("2001:db8::1")).await,
            peers.enter(address("2001:db8::ffff:0:0:1")).await,
        ];
        assert!(held.iter().all(Option::is_some));
        for text in ["192.0.2.1", "2001:db8::2"] {
            assert!(peers.enter(address(text)).await.is_none(), "{text}");
        }
        for text in ["192.0.2.2", "2001:db8:0:1::1"] {
            assert!(peers.enter(address(text)).await.is_some(), "{text}");
        }
        drop(held);
        assert!(peers.enter(address("192.0.2.1")).await.is_some());
    }

    #[tokio::test]
    async fn a_call_counts_until_its_last_part_has_ended() {
        let peers = peers(1, 1);
        let place = peers.enter_anyway(address("192.0.2.1"));
        let member = place.member();
        assert!(member.is_idle());
        let call = member.begin();
        let other = call.clone();
        drop(call);
        assert!(!member.is_idle());
        drop(other);
        assert!(member.is_idle());
        assert_eq!(member.begun(), 1);
        member.is_a_tunnels();
        assert!(!member.is_idle());
    }
}
