//! A collection of numbered items. An event of epoll refers to an item by its number.

/// A collection that keeps each item at the number that the item got when it was inserted.
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

    /// Returns the item, or `None` if the item was removed: an event may arrive late.
    pub fn get_mut(&mut self, key: usize) -> Option<&mut T> {
        self.things.get_mut(key).and_then(Option::as_mut)
    }

    /// Removes an item. Another item may get the same number later, and a late event does no harm
    /// to the new item.
    pub fn remove(&mut self, key: usize) -> Option<T> {
        let thing = self.things.get_mut(key).and_then(Option::take);
        if thing.is_some() {
            self.free.push(key);
        }
        thing
    }
}
