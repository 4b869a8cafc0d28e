//! Work that runs at most once at a time for each key, in this process. Concurrent callers share the result.
//!
//! The first caller of a key gets a [`Leader`] and does the work, and all callers get a [`Waiter`] for the result. A caller that
//! waits may leave at any time. The table of keys is locked for a short time and never across an await, so the work of a key doesn't
//! delay other keys. Between two runs, the table keeps only the [`Memory`] of a key, and at most as many keys as its limit.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::quality::RandomState;
use tokio::sync::watch;

use crate::error::BoxError;

/// The number of cells below which the table isn't searched for cells that can be removed.
const MIN_SWEEP: usize = 1_024;

/// A value that identifies work.
pub(crate) trait Key: Clone + Eq + Hash {}

impl<T: Clone + Eq + Hash> Key for T {}

/// The state of a key that is kept between two runs of its work.
pub(crate) trait Memory: Default {
    /// Returns `true` if the state can be dropped without a loss.
    fn is_empty(&self) -> bool;

    /// Records that the work ended without a result, because of a panic or because the runtime ended.
    fn on_broken_off(&mut self) {}
}

/// Keeps no state.
impl Memory for () {
    fn is_empty(&self) -> bool {
        true
    }
}

/// The work in progress, and the state that is kept of earlier work.
pub(crate) struct SingleFlight<K: Key, M: Memory, T> {
    table: Mutex<Table<K, M, T>>,
    limit: usize,
}

struct Table<K, M, T> {
    cells: HashMap<K, Cell<M, T>, RandomState>,
    sweep_at: usize,
}

struct Cell<M, T> {
    memory: M,
    in_progress: Option<watch::Receiver<Option<T>>>,
}

/// The role of a caller in the work.
pub(crate) enum Join<K: Key, M: Memory, T> {
    /// Another caller has started the work.
    Joined(Waiter<T>),
    /// The caller must do the work, or start a task that does the work.
    Started(Leader<K, M, T>, Waiter<T>),
    /// The table is full of work in progress.
    Full,
}

impl<K: Key, M: Memory, T: Clone> SingleFlight<K, M, T> {
    /// Returns a table of up to `limit` keys.
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        let table = Table {
            cells: HashMap::default(),
            sweep_at: MIN_SWEEP.min(limit),
        };
        Arc::new(Self {
            table: Mutex::new(table),
            limit,
        })
    }

    /// Joins the work in progress for that key, or starts the work if `may_start` returns `Ok`.
    ///
    /// # Errors
    ///
    /// The error of `may_start`.
    pub(crate) fn join<R>(
        self: &Arc<Self>,
        key: &K,
        may_start: impl FnOnce(&M) -> Result<(), R>,
    ) -> Result<Join<K, M, T>, R> {
        let mut table = self.table();
        let cell = table.cells.get_mut(key);
        if let Some(work) = cell.as_ref().and_then(|cell| cell.in_progress.as_ref()) {
            return Ok(Join::Joined(Waiter(work.clone())));
        }
        let (sender, receiver) = watch::channel(None);
        match cell {
            Some(cell) => {
                may_start(&cell.memory)?;
                cell.in_progress = Some(receiver.clone());
            }
            None => {
                may_start(&M::default())?;
                if !table.make_room(self.limit) {
                    return Ok(Join::Full);
                }
                let cell = Cell {
                    memory: M::default(),
                    in_progress: Some(receiver.clone()),
                };
                table.cells.insert(key.clone(), cell);
            }
        }
        let leader = Leader {
            flights: Arc::clone(self),
            key: key.clone(),
            sender,
            is_complete: false,
        };
        Ok(Join::Started(leader, Waiter(receiver)))
    }

    /// Reads the state that is kept of that key. Returns `None` if the table doesn't contain the key.
    pub(crate) fn recall<R>(&self, key: &K, read: impl FnOnce(&M) -> R) -> Option<R> {
        self.table().cells.get(key).map(|cell| read(&cell.memory))
    }

    /// Returns a waiter for any work in progress, or `None` if no work is in progress.
    pub(crate) fn any(&self) -> Option<Waiter<T>> {
        let table = self.table();
        let work = table
            .cells
            .values()
            .find_map(|cell| cell.in_progress.clone());
        work.map(Waiter)
    }

    fn table(&self) -> MutexGuard<'_, Table<K, M, T>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of keys.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.table().cells.len()
    }
}

impl<K: Key, M: Memory, T> Table<K, M, T> {
    /// Removes the cells that can be removed, if the table has grown. Returns `true` if the table has room for another key. Work in
    /// progress is never removed.
    fn make_room(&mut self, limit: usize) -> bool {
        if self.cells.len() < self.sweep_at {
            return true;
        }
        self.cells
            .retain(|_, cell| cell.in_progress.is_some() || !cell.memory.is_empty());
        if self.cells.len() >= limit {
            // The kept state only saves work, so it can be dropped when the table is full.
            self.cells.retain(|_, cell| cell.in_progress.is_some());
        }
        let twice = self.cells.len().saturating_mul(2);
        self.sweep_at = twice.clamp(MIN_SWEEP.min(limit), limit);
        self.cells.len() < limit
    }
}

/// The duty to do the work. If the leader is dropped before the work is complete, the waiters get no result, and the next caller can
/// start the work again.
#[must_use]
pub(crate) struct Leader<K: Key, M: Memory, T> {
    flights: Arc<SingleFlight<K, M, T>>,
    key: K,
    sender: watch::Sender<Option<T>>,
    is_complete: bool,
}

impl<K: Key, M: Memory, T> Leader<K, M, T> {
    /// Changes the state that is kept of the key.
    pub(crate) fn remember(&self, change: impl FnOnce(&mut M)) {
        let mut table = self.lock();
        if let Some(cell) = table.cells.get_mut(&self.key) {
            change(&mut cell.memory);
        }
    }

    /// Sends a result to all waiters, also to those that join later, although the work goes on. [`complete`](Self::complete) replaces it.
    pub(crate) fn announce(&self, result: T) {
        self.sender.send_replace(Some(result));
    }

    /// Ends the work, and sends the result to all waiters. Before a waiter gets the result, the next caller can already start new
    /// work.
    pub(crate) fn complete(mut self, result: T) {
        self.is_complete = true;
        self.free(|_| ());
        self.sender.send_replace(Some(result));
    }

    fn free(&self, change: impl FnOnce(&mut M)) {
        let mut table = self.lock();
        if let Some(cell) = table.cells.get_mut(&self.key) {
            change(&mut cell.memory);
            cell.in_progress = None;
            if cell.memory.is_empty() {
                table.cells.remove(&self.key);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Table<K, M, T>> {
        let table = &self.flights.table;
        table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Key, M: Memory, T> Drop for Leader<K, M, T> {
    fn drop(&mut self) {
        if !self.is_complete {
            self.free(M::on_broken_off);
        }
    }
}

/// A caller that waits for the result. A waiter may be dropped at any time.
#[must_use]
pub(crate) struct Waiter<T>(watch::Receiver<Option<T>>);

impl<T: Clone> Waiter<T> {
    /// Waits for the result. Returns `None` if the work ended without a result.
    pub(crate) async fn result(mut self) -> Option<T> {
        let result = self.0.wait_for(Option::is_some).await.ok()?;
        result.clone()
    }

    /// Waits for the end of the work, with or without a result.
    pub(crate) async fn ended(mut self) {
        while self.0.changed().await.is_ok() {}
    }
}

/// An error that several callers get. The text and the sources are the same as those of the original error.
#[derive(Clone)]
pub(crate) struct SharedError(Arc<dyn Error + Send + Sync>);

impl SharedError {
    pub(crate) fn new(error: impl Into<BoxError>) -> Self {
        Self(Arc::from(error.into()))
    }

    pub(crate) fn as_error(&self) -> &(dyn Error + 'static) {
        &*self.0
    }
}

impl fmt::Debug for SharedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for SharedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Error for SharedError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

    use std::cell::{Cell as Slot, RefCell};
    use std::convert::Infallible;
    use std::future::{Future, poll_fn};
    use std::pin::Pin;
    use std::rc::Rc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::{Context, Poll, Wake, Waker};

    use super::*;
    use crate::connection::ConnectionKey;

    /// Remembers that something broke off.
    #[derive(Default)]
    struct Broken(bool);

    impl Memory for Broken {
        fn is_empty(&self) -> bool {
            !self.0
        }

        fn on_broken_off(&mut self) {
            self.0 = true;
        }
    }

    type Model = SingleFlight<ConnectionKey, Broken, u32>;

    /// Chooses the next of several events; each sequence of choices is tried once.
    #[derive(Default)]
    struct Choices {
        given: Vec<usize>,
        made: Vec<(usize, usize)>,
    }

    impl Choices {
        fn of(&mut self, number: usize) -> usize {
            let choice = self.given.get(self.made.len()).copied().unwrap_or(0);
            self.made.push((choice, number));
            choice
        }

        /// Returns the next sequence, if there is a further sequence.
        fn next(mut self) -> Option<Self> {
            while let Some((choice, number)) = self.made.pop() {
                if choice + 1 < number {
                    let mut given: Vec<_> = self.made.iter().map(|(choice, _)| *choice).collect();
                    given.push(choice + 1);
                    return Some(Self {
                        given,
                        made: Vec::new(),
                    });
                }
            }
            None
        }
    }

    struct Flag(AtomicBool);

    impl Wake for Flag {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    /// A future that is polled when it was woken, and only then.
    struct Actor<T> {
        future: Option<Pin<Box<dyn Future<Output = T>>>>,
        woken: Arc<Flag>,
        output: Option<T>,
    }

    impl<T> Actor<T> {
        fn new(future: impl Future<Output = T> + 'static) -> Self {
            Self {
                future: Some(Box::pin(future)),
                woken: Arc::new(Flag(AtomicBool::new(true))),
                output: None,
            }
        }

        fn can_go_on(&self) -> bool {
            self.future.is_some() && self.woken.0.load(Ordering::Relaxed)
        }

        fn poll(&mut self) {
            self.woken.0.store(false, Ordering::Relaxed);
            let waker = Waker::from(Arc::clone(&self.woken));
            let poll = |future: &mut Pin<Box<dyn Future<Output = T>>>| {
                future.as_mut().poll(&mut Context::from_waker(&waker))
            };
            if let Some(Poll::Ready(output)) = self.future.as_mut().map(poll) {
                self.future = None;
                self.output = Some(output);
            }
        }
    }

    async fn once_more() {
        let mut is_second = false;
        poll_fn(|cx| {
            if std::mem::replace(&mut is_second, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// Counts the refreshes at work, also if a refresh breaks off.
    struct AtWork(Rc<Slot<u32>>);

    impl AtWork {
        fn begin(count: &Rc<Slot<u32>>) -> Self {
            assert_eq!(count.replace(1), 0, "two refreshes at once");
            Self(Rc::clone(count))
        }
    }

    impl Drop for AtWork {
        fn drop(&mut self) {
            self.0.set(0);
        }
    }

    type Tasks = Rc<RefCell<Vec<Actor<()>>>>;

    /// Joins, starts a refresh if no refresh is at work, and waits. Returns the number of the refresh, and its result.
    async fn call(flights: Arc<Model>, tasks: Tasks, at_work: Rc<Slot<u32>>) -> (u32, Option<u32>) {
        let id = ConnectionKey::try_from("c").unwrap_or_else(|_| unreachable!());
        let joined = flights.join(&id, |_| Ok::<_, Infallible>(()));
        let newest = |tasks: &Tasks| u32::try_from(tasks.borrow().len()).unwrap_or_default();
        let waiter = match joined {
            Ok(Join::Joined(waiter)) => waiter,
            Ok(Join::Started(leader, waiter)) => {
                let number = newest(&tasks) + 1;
                tasks.borrow_mut().push(Actor::new(async move {
                    let at_work = AtWork::begin(&at_work);
                    once_more().await;
                    drop(at_work);
                    leader.complete(number);
                }));
                waiter
            }
            Ok(Join::Full) => unreachable!("one connection is too many"),
            Err(never) => match never {},
        };
        (newest(&tasks), waiter.result().await)
    }

    /// Runs callers and refreshes in a possible order. Callers may go away, and refreshes may break off.
    fn run(choices: &mut Choices, number: usize) {
        let (flights, tasks) = (Model::new(8), Tasks::default());
        let at_work = Rc::new(Slot::new(0));
        let new = || {
            let (flights, tasks) = (Arc::clone(&flights), Rc::clone(&tasks));
            Actor::new(call(flights, tasks, Rc::clone(&at_work)))
        };
        let mut callers: Vec<_> = (0..number).map(|_| new()).collect();
        let mut begun = vec![false; number];
        let mut completed = Vec::new();
        loop {
            // A caller that is polled, or goes away; a refresh that is polled, or breaks off.
            let mut steps = Vec::new();
            for (nth, caller) in callers.iter().enumerate() {
                if caller.can_go_on() {
                    steps.push((nth, true, true));
                }
                if caller.future.is_some() && begun[nth] {
                    steps.push((nth, true, false));
                }
            }
            completed.resize(tasks.borrow().len(), true);
            for (nth, task) in tasks.borrow().iter().enumerate() {
                if task.can_go_on() {
                    steps.push((nth, false, true));
                    steps.push((nth, false, false));
                }
            }
            if steps.is_empty() {
                break;
            }
            match steps[choices.of(steps.len())] {
                (nth, true, true) => {
                    begun[nth] = true;
                    callers[nth].poll();
                }
                (nth, true, false) => callers[nth].future = None,
                (nth, false, true) => {
                    // A task that is polled may not borrow the list.
                    let mut task = tasks.borrow_mut().remove(nth);
                    task.poll();
                    tasks.borrow_mut().insert(nth, task);
                }
                (nth, false, false) => {
                    completed[nth] = false;
                    let broken = tasks.borrow_mut()[nth].future.take();
                    drop(broken);
                }
            }
        }
        for caller in &callers {
            assert!(caller.future.is_none(), "a caller is left waiting");
            let Some((number, brought)) = caller.output else {
                continue;
            };
            let is_complete = completed[number as usize - 1];
            assert_eq!(brought, is_complete.then_some(number));
        }
        assert!(tasks.borrow().iter().all(|task| task.future.is_none()));
        assert!(flights.any().is_none(), "the cell isn't free");
        let is_left = !flights.table().cells.is_empty();
        assert_eq!(is_left, completed.contains(&false), "what is remembered");
    }

    #[test]
    fn o1_in_each_order_there_is_one_refresh_and_nobody_is_left_waiting() {
        for (number, at_least) in [(2, 500), (3, 50_000)] {
            let mut choices = Choices::default();
            let mut tried = 0;
            loop {
                run(&mut choices, number);
                tried += 1;
                match choices.next() {
                    Some(next) => choices = next,
                    None => break,
                }
            }
            assert!(tried >= at_least, "{tried} orders of {number} callers");
        }
    }

    fn begin(flights: &Arc<Model>, id: &str) -> Option<Leader<ConnectionKey, Broken, u32>> {
        let id = ConnectionKey::try_from(id).ok()?;
        match flights.join(&id, |_| Ok::<_, Infallible>(())) {
            Ok(Join::Started(leader, _)) => Some(leader),
            _ => None,
        }
    }

    #[test]
    fn x2_of_those_who_leave_at_once_none_leaves_a_flight_behind() {
        let flights = SingleFlight::<u32, (), u32>::new(usize::MAX);
        let barrier = std::sync::Barrier::new(4);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for number in 0..20_000 {
                        let joined = flights.join(&number, |()| Ok::<_, Infallible>(()));
                        barrier.wait();
                        drop(joined);
                    }
                });
            }
        });
        assert_eq!(flights.len(), 0);
    }

    #[test]
    fn x2_a_million_ids_leave_nothing_behind() {
        let flights = Model::new(4);
        for nth in 0..1_000_000 {
            if let Some(leader) = begin(&flights, &nth.to_string()) {
                leader.complete(0);
            }
        }
        assert!(flights.table().cells.is_empty());
    }

    #[test]
    fn x2_what_is_remembered_has_a_limit_and_makes_way_for_what_is_under_way() {
        let flights = Model::new(4);
        for nth in 0..1_000 {
            drop(begin(&flights, &nth.to_string()));
            assert!(flights.table().cells.len() <= 4);
        }
        let under_way: Vec<_> = (0..4)
            .filter_map(|nth| begin(&flights, &format!("under way {nth}")))
            .collect();
        assert_eq!(under_way.len(), 4);
        assert!(begin(&flights, "one more").is_none());
        drop(under_way);
        assert!(begin(&flights, "one more").is_some());
    }
}
