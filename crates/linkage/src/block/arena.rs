//! Many short lists side by side in one vector.

/// Lists of `T` in chunks of one vector; chunks are powers of two and used again. Whoever owns a
/// list keeps where it starts and its length, which must not be 0.
pub(super) struct Arena<T> {
    items: Vec<T>,
    /// Where unused chunks start, by the logarithm of their capacity.
    free: Vec<Vec<u32>>,
}

impl<T: Copy + Default> Arena<T> {
    pub(super) fn new() -> Self {
        Self { items: Vec::new(), free: Vec::new() }
    }

    /// The list of `len` items at `start`.
    pub(super) fn list(&self, start: u32, len: usize) -> &[T] {
        &self.items[start as usize..][..len]
    }

    /// A new list; gives its start.
    pub(super) fn add(&mut self, list: &[T]) -> u32 {
        let start = self.allocate(list.len());
        self.items[start as usize..][..list.len()].copy_from_slice(list);
        start
    }

    /// Adds `item` to the list of `len` items at `start`; gives where it starts now.
    pub(super) fn push(&mut self, start: u32, len: usize, item: T) -> u32 {
        let start = if len == capacity(len) { self.relocate(start, len, len + 1) } else { start };
        self.items[start as usize + len] = item;
        start
    }

    /// Takes the item at `place` out of the list of `len` items at `start`, of which others must
    /// be left; gives where it starts now.
    pub(super) fn remove(&mut self, start: u32, len: usize, place: usize) -> u32 {
        self.items[start as usize..][..len].copy_within(place + 1.., place);
        let is_smaller = capacity(len - 1) < capacity(len);
        if is_smaller { self.relocate(start, len, len - 1) } else { start }
    }

    /// Forgets the list of `len` items at `start`.
    pub(super) fn forget(&mut self, start: u32, len: usize) {
        let size = capacity(len).ilog2() as usize;
        if self.free.len() <= size {
            self.free.resize_with(size + 1, Vec::new);
        }
        self.free[size].push(start);
    }

    /// Moves what stays of the list of `len` items at `start` to a chunk for `new_len` items. (Were
    /// chunks split in place, their halves would never become whole again.)
    fn relocate(&mut self, start: u32, len: usize, new_len: usize) -> u32 {
        let new_start = self.allocate(new_len);
        let kept = start as usize..start as usize + len.min(new_len);
        self.items.copy_within(kept, new_start as usize);
        self.forget(start, len);
        new_start
    }

    fn allocate(&mut self, len: usize) -> u32 {
        let capacity = capacity(len);
        let unused = self.free.get_mut(capacity.ilog2() as usize).and_then(Vec::pop);
        unused.unwrap_or_else(|| {
            let start = u32::try_from(self.items.len()).expect("fewer than 2^32 items");
            self.items.resize(self.items.len() + capacity, T::default());
            start
        })
    }
}

fn capacity(len: usize) -> usize {
    len.next_power_of_two()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Changes lists step by step, and vectors in the same way.
    fn assert_like_vectors(steps: &[(usize, Option<u32>)]) -> Result<(), TestCaseError> {
        let mut arena = Arena::new();
        let mut vectors: Vec<Vec<u32>> = vec![Vec::new(); 4];
        let mut starts = [0; 4];
        for (at, pushed) in steps {
            let (vector, start) = (&mut vectors[*at], &mut starts[*at]);
            match (*pushed, vector.len()) {
                (Some(item), len) => {
                    *start =
                        if len == 0 { arena.add(&[item]) } else { arena.push(*start, len, item) };
                    vector.push(item);
                }
                (None, 0) => {}
                (None, 1) => {
                    arena.forget(*start, 1);
                    vector.clear();
                }
                (None, len) => {
                    let place = vector[0] as usize % len;
                    *start = arena.remove(*start, len, place);
                    vector.remove(place);
                }
            }
            for (vector, start) in vectors.iter().zip(starts) {
                prop_assert_eq!(arena.list(start, vector.len()), &vector[..]);
            }
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn lists_keep_their_items_in_order(
            steps in proptest::collection::vec((0..4_usize, any::<Option<u32>>()), 0..200)
        ) {
            assert_like_vectors(&steps)?;
        }
    }

    #[test]
    fn chunks_are_used_again() {
        let mut arena = Arena::new();
        for _ in 0..5 {
            let start = arena.add(&[1, 2, 3]);
            let start = arena.remove(start, 3, 0);
            assert_eq!(arena.list(start, 2), [2, 3]);
            arena.forget(start, 2);
        }
        assert_eq!(arena.items.len(), 4 + 2);
    }
}
