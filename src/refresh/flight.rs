//! One refresh at a time for each connection of a process, whose callers share what it brings.
//!
//! A flight is a future of its own: whoever waits for it may leave. The table is locked for moments
//! and never across an await, so connections don't wait for each other. It remembers of a connection
//! no more than its [`Memory`] asks it to, and no more connections than its limit.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::quality::RandomState;
use tokio::sync::watch;

use crate::connection::ConnectionKey;

/// The fewest cells at which it's worth looking for some that can go.
const FEW: usize = 1_024;

/// What is kept of a connection between its flights.
pub(super) trait Memory: Default {
    /// Whether it's as good as none.
    fn is_empty(&self) -> bool;

    /// A flight broke off: by a panic, or by the end of the runtime.
    fn broke_off(&mut self);
}

/// The flights under way, and what is remembered of those before.
pub(super) struct Flights<M: Memory, T> {
    table: Mutex<Table<M, T>>,
    limit: usize,
}

struct Table<M, T> {
    cells: HashMap<ConnectionKey, Cell<M, T>, RandomState>,
    sweep_at: usize,
}

struct Cell<M, T> {
    memory: M,
    flight: Option<watch::Receiver<Option<T>>>,
}

/// What a caller gets of a flight.
pub(super) enum Seat<M: Memory, T> {
    /// One that is under way.
    Joined(Waiting<T>),
    /// One of its own, which must be driven to its end.
    Begun(Flight<M, T>, Waiting<T>),
    /// There are too many.
    Full,
}

impl<M: Memory, T: Clone> Flights<M, T> {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        let table = Table {
            cells: HashMap::default(),
            sweep_at: FEW.min(limit),
        };
        Arc::new(Self {
            table: Mutex::new(table),
            limit,
        })
    }

    /// The flight that is under way for that connection, or a new one if `may_begin` agrees.
    ///
    /// # Errors
    ///
    /// Those of `may_begin`.
    pub(super) fn join<R>(
        self: &Arc<Self>,
        id: &ConnectionKey,
        may_begin: impl FnOnce(&M) -> Result<(), R>,
    ) -> Result<Seat<M, T>, R> {
        let mut table = self.table();
        let cell = table.cells.get_mut(id);
        if let Some(flight) = cell.as_ref().and_then(|cell| cell.flight.as_ref()) {
            return Ok(Seat::Joined(Waiting(flight.clone())));
        }
        let (sender, receiver) = watch::channel(None);
        match cell {
            Some(cell) => {
                may_begin(&cell.memory)?;
                cell.flight = Some(receiver.clone());
            }
            None => {
                may_begin(&M::default())?;
                if !table.has_room(self.limit) {
                    return Ok(Seat::Full);
                }
                let cell = Cell {
                    memory: M::default(),
                    flight: Some(receiver.clone()),
                };
                table.cells.insert(id.clone(), cell);
            }
        }
        let flight = Flight {
            flights: Arc::clone(self),
            id: id.clone(),
            sender,
            landed: false,
        };
        Ok(Seat::Begun(flight, Waiting(receiver)))
    }

    /// What is remembered of that connection, if anything is.
    pub(super) fn recall<R>(&self, id: &ConnectionKey, read: impl FnOnce(&M) -> R) -> Option<R> {
        self.table().cells.get(id).map(|cell| read(&cell.memory))
    }

    /// Any flight that is under way.
    pub(super) fn any(&self) -> Option<Waiting<T>> {
        let table = self.table();
        let flight = table.cells.values().find_map(|cell| cell.flight.clone());
        flight.map(Waiting)
    }

    fn table(&self) -> MutexGuard<'_, Table<M, T>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M: Memory, T> Table<M, T> {
    /// Whether there is room for one more, once what can go is gone. What is under way can't.
    fn has_room(&mut self, limit: usize) -> bool {
        if self.cells.len() < self.sweep_at {
            return true;
        }
        self.cells
            .retain(|_, cell| cell.flight.is_some() || !cell.memory.is_empty());
        if self.cells.len() >= limit {
            // So many connections in trouble at once: some of them will be asked about too early.
            self.cells.retain(|_, cell| cell.flight.is_some());
        }
        self.sweep_at = (self.cells.len() * 2).clamp(FEW.min(limit), limit);
        self.cells.len() < limit
    }
}

/// A flight under way. Dropped without having landed, it leaves its waiters without a result, and
/// the connection free for the next.
#[must_use]
pub(super) struct Flight<M: Memory, T> {
    flights: Arc<Flights<M, T>>,
    id: ConnectionKey,
    sender: watch::Sender<Option<T>>,
    landed: bool,
}

impl<M: Memory, T> Flight<M, T> {
    /// Changes what is remembered of the connection.
    pub(super) fn remember(&self, change: impl FnOnce(&mut M)) {
        let mut table = self.lock();
        if let Some(cell) = table.cells.get_mut(&self.id) {
            change(&mut cell.memory);
        }
    }

    /// Ends it, and tells all who wait. The connection is free before any of them knows.
    pub(super) fn land(mut self, result: T) {
        self.landed = true;
        self.free(|_| ());
        self.sender.send_replace(Some(result));
    }

    fn free(&self, change: impl FnOnce(&mut M)) {
        let mut table = self.lock();
        if let Some(cell) = table.cells.get_mut(&self.id) {
            change(&mut cell.memory);
            cell.flight = None;
            if cell.memory.is_empty() {
                table.cells.remove(&self.id);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Table<M, T>> {
        let table = &self.flights.table;
        table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M: Memory, T> Drop for Flight<M, T> {
    fn drop(&mut self) {
        if !self.landed {
            self.free(M::broke_off);
        }
    }
}

/// A place in a flight. It can be given up at any time.
#[must_use]
pub(super) struct Waiting<T>(watch::Receiver<Option<T>>);

impl<T: Clone> Waiting<T> {
    /// What the flight brought. `None`: it broke off.
    pub(super) async fn landed(mut self) -> Option<T> {
        let result = self.0.wait_for(Option::is_some).await.ok()?;
        result.clone()
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

    /// Remembers whether anything broke off.
    #[derive(Default)]
    struct Broken(bool);

    impl Memory for Broken {
        fn is_empty(&self) -> bool {
            !self.0
        }

        fn broke_off(&mut self) {
            self.0 = true;
        }
    }

    type Model = Flights<Broken, u32>;

    /// Which of several things happens next: each sequence of answers is tried once.
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

        /// The next sequence, if there is one.
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

    /// Counts the refreshes at work, also if one breaks off.
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

    /// Joins, begins a refresh if it's the first, and waits. Which refresh, and what it brought.
    async fn call(flights: Arc<Model>, tasks: Tasks, at_work: Rc<Slot<u32>>) -> (u32, Option<u32>) {
        let id = ConnectionKey::try_from("c").unwrap_or_else(|_| unreachable!());
        let seat = flights.join(&id, |_| Ok::<_, Infallible>(()));
        let newest = |tasks: &Tasks| u32::try_from(tasks.borrow().len()).unwrap_or_default();
        let waiting = match seat {
            Ok(Seat::Joined(waiting)) => waiting,
            Ok(Seat::Begun(flight, waiting)) => {
                let number = newest(&tasks) + 1;
                tasks.borrow_mut().push(Actor::new(async move {
                    let at_work = AtWork::begin(&at_work);
                    once_more().await;
                    drop(at_work);
                    flight.land(number);
                }));
                waiting
            }
            Ok(Seat::Full) => unreachable!("one connection is too many"),
            Err(never) => match never {},
        };
        (newest(&tasks), waiting.landed().await)
    }

    /// One way in which callers, refreshes, and those that go away or break off can follow each other.
    fn run(choices: &mut Choices, number: usize) {
        let (flights, tasks) = (Model::new(8), Tasks::default());
        let at_work = Rc::new(Slot::new(0));
        let new = || {
            let (flights, tasks) = (Arc::clone(&flights), Rc::clone(&tasks));
            Actor::new(call(flights, tasks, Rc::clone(&at_work)))
        };
        let mut callers: Vec<_> = (0..number).map(|_| new()).collect();
        let mut begun = vec![false; number];
        let mut landed = Vec::new();
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
            landed.resize(tasks.borrow().len(), true);
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
                    // What is polled may not look for a task.
                    let mut task = tasks.borrow_mut().remove(nth);
                    task.poll();
                    tasks.borrow_mut().insert(nth, task);
                }
                (nth, false, false) => {
                    landed[nth] = false;
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
            let has_landed = landed[number as usize - 1];
            assert_eq!(brought, has_landed.then_some(number));
        }
        assert!(tasks.borrow().iter().all(|task| task.future.is_none()));
        assert!(flights.any().is_none(), "the cell isn't free");
        let is_left = !flights.table().cells.is_empty();
        assert_eq!(is_left, landed.contains(&false), "what is remembered");
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

    fn begin(flights: &Arc<Model>, id: &str) -> Option<Flight<Broken, u32>> {
        let id = ConnectionKey::try_from(id).ok()?;
        match flights.join(&id, |_| Ok::<_, Infallible>(())) {
            Ok(Seat::Begun(flight, _)) => Some(flight),
            _ => None,
        }
    }

    #[test]
    fn x2_a_million_ids_leave_nothing_behind() {
        let flights = Model::new(4);
        for nth in 0..1_000_000 {
            if let Some(flight) = begin(&flights, &nth.to_string()) {
                flight.land(0);
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
