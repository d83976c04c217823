//! A cursor over several buffers.

/// Fills the slots of [`bulla::Plan::fill`] in order, as if they were one buffer.
pub(crate) struct Slots<'s, 'm> {
    slots: &'s mut [&'m mut [u8]],
    /// Index of the current slot.
    slot: usize,
    /// Bytes filled in the current slot.
    within: usize,
    /// Bytes filled in all slots.
    filled: u64,
}

impl<'s, 'm> Slots<'s, 'm> {
    pub(crate) fn new(slots: &'s mut [&'m mut [u8]]) -> Slots<'s, 'm> {
        Slots { slots, slot: 0, within: 0, filled: 0 }
    }

    /// Returns the number of bytes filled so far.
    pub(crate) fn filled(&self) -> u64 {
        self.filled
    }

    /// Returns whether all slots are full.
    pub(crate) fn is_full(&self) -> bool {
        self.slots[self.slot..].iter().all(|slot| slot.is_empty())
            || (self.slot + 1 == self.slots.len() && self.within == self.slots[self.slot].len())
    }

    /// Returns the next bytes to fill: up to `at_most`, but not past the end of a slot. Returns
    /// `None` if all slots are full.
    pub(crate) fn take(&mut self, at_most: u64) -> Option<&mut [u8]> {
        while self.within == self.slots.get(self.slot)?.len() {
            (self.slot, self.within) = (self.slot + 1, 0);
        }
        let free = &mut self.slots[self.slot][self.within..];
        let len = usize::try_from(at_most).map_or(free.len(), |at_most| at_most.min(free.len()));
        self.within += len;
        self.filled += len as u64;
        Some(&mut free[..len])
    }

    /// Copies as many of `bytes` as fit, and returns the number of bytes copied.
    pub(crate) fn put(&mut self, mut bytes: &[u8]) -> u64 {
        let mut copied = 0;
        while !bytes.is_empty() {
            let Some(buf) = self.take(bytes.len() as u64) else { break };
            let (fitting, rest) = bytes.split_at(buf.len());
            buf.copy_from_slice(fitting);
            copied += fitting.len() as u64;
            bytes = rest;
        }
        copied
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_across_slot_boundaries() {
        let (mut a, mut b, mut c) = ([0; 3], [0; 0], [0; 4]);
        let mut buffers = [&mut a[..], &mut b[..], &mut c[..]];
        let mut slots = Slots::new(&mut buffers);
        assert_eq!(slots.put(&[1, 2]), 2);
        assert_eq!(slots.put(&[3, 4, 5]), 3);
        assert_eq!((slots.filled(), slots.is_full()), (5, false));
        assert_eq!(slots.take(99).map(|buf| buf.len()), Some(2));
        assert!(slots.is_full() && slots.take(1).is_none());
        assert_eq!(slots.put(&[9]), 0);
        assert_eq!((a, c), ([1, 2, 3], [4, 5, 0, 0]));
    }
}
