//! A place to fill that lies in several parts of memory.

/// The slots that a [`bulla::Plan`] is to fill, one behind the other.
pub(crate) struct Slots<'s, 'm> {
    slots: &'s mut [&'m mut [u8]],
    /// The slot that is being filled, and how far.
    slot: usize,
    within: usize,
    filled: u64,
}

impl<'s, 'm> Slots<'s, 'm> {
    pub(crate) fn new(slots: &'s mut [&'m mut [u8]]) -> Slots<'s, 'm> {
        Slots { slots, slot: 0, within: 0, filled: 0 }
    }

    /// Bytes taken so far.
    pub(crate) fn filled(&self) -> u64 {
        self.filled
    }

    pub(crate) fn is_full(&self) -> bool {
        self.slots[self.slot..].iter().all(|slot| slot.is_empty())
            || (self.slot + 1 == self.slots.len() && self.within == self.slots[self.slot].len())
    }

    /// The next bytes to fill, `at_most` of them, fewer where a slot ends; `None` if all is full.
    pub(crate) fn take(&mut self, at_most: u64) -> Option<&mut [u8]> {
        while self.within == self.slots.get(self.slot)?.len() {
            (self.slot, self.within) = (self.slot + 1, 0);
        }
        let left = &mut self.slots[self.slot][self.within..];
        let len = usize::try_from(at_most).map_or(left.len(), |at_most| at_most.min(left.len()));
        self.within += len;
        self.filled += len as u64;
        Some(&mut left[..len])
    }

    /// HeaderState as much of `bytes` as there is room for, and returns how many that was.
    pub(crate) fn put(&mut self, mut bytes: &[u8]) -> u64 {
        let mut put = 0;
        while !bytes.is_empty() {
            let Some(room) = self.take(bytes.len() as u64) else { break };
            let (now, later) = bytes.split_at(room.len());
            room.copy_from_slice(now);
            put += now.len() as u64;
            bytes = later;
        }
        put
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_the_edges() {
        let (mut a, mut b, mut c) = ([0; 3], [0; 0], [0; 4]);
        let mut parts = [&mut a[..], &mut b[..], &mut c[..]];
        let mut slots = Slots::new(&mut parts);
        assert_eq!(slots.put(&[1, 2]), 2);
        assert_eq!(slots.put(&[3, 4, 5]), 3);
        assert_eq!((slots.filled(), slots.is_full()), (5, false));
        assert_eq!(slots.take(99).map(|room| room.len()), Some(2));
        assert!(slots.is_full() && slots.take(1).is_none());
        assert_eq!(slots.put(&[9]), 0);
        assert_eq!((a, c), ([1, 2, 3], [4, 5, 0, 0]));
    }
}
