//! Things with a number: what an event of epoll names.

/// Keeps each thing at the number that it got.
#[derive(Debug)]
pub struct Slab<T> {
    things: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self {
            things: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> Slab<T> {
    pub fn insert(&mut self, thing: T) -> usize {
        if let Some(key) = self.free.pop() {
            self.things[key] = Some(thing);
            return key;
        }
        self.things.push(Some(thing));
        self.things.len() - 1
    }

    /// `None` where it has gone: an event may be late.
    pub fn get_mut(&mut self, key: usize) -> Option<&mut T> {
        self.things.get_mut(key).and_then(Option::as_mut)
    }

    /// Its number may be given to another thing, to which a late event does no harm.
    pub fn remove(&mut self, key: usize) -> Option<T> {
        let thing = self.things.get_mut(key).and_then(Option::take);
        if thing.is_some() {
            self.free.push(key);
        }
        thing
    }
}
