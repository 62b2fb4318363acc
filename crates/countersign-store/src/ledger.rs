//! How many entries are live, whose they are, and up to when they are forgotten.
//!
//! Kept apart from the fingerprints so that counting is exact to the second and expiry drops a whole second's
//! entries at once, while their slots are reclaimed whenever it is convenient.
//!
//! The **floor** is the highest last second among forgotten entries. An entry whose own last second is not
//! above it may be one of them, so it can no longer be decided: this, and not a comparison of clocks, is why a
//! clock that steps back reopens nothing. A clock that jumps ahead and comes back costs refusals only for as
//! long as what was forgotten would have lived.

use countersign_core::replay::StoreError;
use std::collections::{BTreeMap, HashMap};

/// How much a store may hold. What is live is never evicted to make room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most entries live at once. One more is [`StoreError::Full`]. 10,000,000 unless stated, which is
    /// 240 MB when it is reached and nothing before.
    pub entries: usize,
    /// The most entries of one key live at once. One more is [`StoreError::KeyQuota`]. Half of the default
    /// capacity unless stated, so that no single client can fill the store.
    pub entries_per_key: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self::of_entries(10_000_000)
    }
}

impl Limits {
    /// Room for `entries`, of which one key may take half.
    #[must_use]
    pub const fn of_entries(entries: usize) -> Self {
        Self { entries, entries_per_key: entries.div_ceil(2) }
    }
}

/// Whose an entry is: the [`key`](countersign_core::replay::ReplayEntry::key) of it, or nobody's, where it was
/// read back from a journal, which does not say.
pub(crate) type Owner = Option<[u8; 16]>;

/// The counts.
pub(crate) struct Ledger {
    limits: Limits,
    floor: u32,
    live: usize,
    live_by_owner: HashMap<Owner, usize>,
    /// How many entries of whom end with which second.
    ending: BTreeMap<(u32, Owner), usize>,
}

impl Ledger {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, floor: 0, live: 0, live_by_owner: HashMap::new(), ending: BTreeMap::new() }
    }

    /// Forgets every entry whose last second is before `now`.
    pub(crate) fn forget_before(&mut self, now: u32) {
        while let Some(first) = self.ending.first_entry()
            && first.key().0 < now
        {
            let ((second, owner), count) = first.remove_entry();
            self.floor = self.floor.max(second);
            self.live -= count;
            if let Some(owned) = self.live_by_owner.get_mut(&owner) {
                *owned -= count;
                if *owned == 0 {
                    self.live_by_owner.remove(&owner);
                }
            }
        }
    }

    /// No entry whose last second is at or below this can be decided.
    pub(crate) fn floor(&self) -> u32 {
        self.floor
    }

    /// Counts what ends by `until` as forgotten, whether it was ever here or not.
    pub(crate) fn raise_floor(&mut self, until: u32) {
        self.forget_before(until.saturating_add(1));
        self.floor = self.floor.max(until);
    }

    pub(crate) fn live(&self) -> usize {
        self.live
    }

    /// Counts one more entry of `owner`, if there is room for it.
    pub(crate) fn claim(&mut self, owner: [u8; 16], until: u32) -> Result<(), StoreError> {
        let owner = Some(owner);
        let owned = self.live_by_owner.get(&owner).copied().unwrap_or(0);
        if owned >= self.limits.entries_per_key {
            return Err(StoreError::KeyQuota);
        }
        if self.live >= self.limits.entries {
            return Err(StoreError::Full);
        }
        self.count(owner, until);
        Ok(())
    }

    /// Counts one more entry whatever the limits: it was accepted before, and must not be lost for want of
    /// room.
    pub(crate) fn count(&mut self, owner: Owner, until: u32) {
        self.live += 1;
        *self.live_by_owner.entry(owner).or_default() += 1;
        *self.ending.entry((until, owner)).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: [u8; 16] = [1; 16];
    const B: [u8; 16] = [2; 16];

    fn ledger(entries: usize, entries_per_key: usize) -> Ledger {
        Ledger::new(Limits { entries, entries_per_key })
    }

    #[test]
    fn a_key_has_its_quota_back_the_second_after_its_entry_ended() {
        let mut ledger = ledger(10, 1);
        ledger.claim(A, 100).unwrap();
        ledger.forget_before(100);
        assert_eq!(ledger.claim(A, 101), Err(StoreError::KeyQuota));
        ledger.forget_before(101);
        assert_eq!(ledger.claim(A, 101), Ok(()));
    }

    #[test]
    fn one_key_cannot_take_the_room_of_another() {
        let mut ledger = ledger(4, 2);
        ledger.claim(A, 100).unwrap();
        ledger.claim(A, 100).unwrap();
        assert_eq!(ledger.claim(A, 100), Err(StoreError::KeyQuota));
        ledger.claim(B, 100).unwrap();
        ledger.claim(B, 100).unwrap();
        assert_eq!(ledger.claim([3; 16], 100), Err(StoreError::Full));
    }

    #[test]
    fn what_was_read_back_counts_against_the_capacity_and_against_no_key() {
        let mut ledger = ledger(2, 1);
        ledger.count(None, 100);
        ledger.claim(A, 100).unwrap();
        assert_eq!(ledger.claim(B, 100), Err(StoreError::Full));
        ledger.count(None, 100);
        assert_eq!(ledger.live(), 3, "nothing read back is lost for want of room");
    }

    #[test]
    fn the_floor_is_the_last_second_of_what_was_forgotten_not_the_clock() {
        let mut ledger = ledger(10, 10);
        ledger.forget_before(5_000);
        assert_eq!(ledger.floor(), 0, "nothing was there to forget");
        ledger.claim(A, 6_000).unwrap();
        ledger.forget_before(1_000_000);
        assert_eq!(ledger.floor(), 6_000);
        assert_eq!(ledger.live(), 0);
        ledger.forget_before(10);
        assert_eq!(ledger.floor(), 6_000);
    }

    #[test]
    fn a_raised_floor_forgets_what_it_passes() {
        let mut ledger = ledger(10, 10);
        ledger.claim(A, 99).unwrap();
        ledger.claim(A, 100).unwrap();
        ledger.claim(A, 101).unwrap();
        ledger.raise_floor(100);
        assert_eq!((ledger.floor(), ledger.live()), (100, 1));
        ledger.raise_floor(50);
        assert_eq!((ledger.floor(), ledger.live()), (100, 1));
        ledger.raise_floor(u32::MAX);
        assert_eq!(ledger.floor(), u32::MAX);
    }

    #[test]
    fn counts_of_forgotten_keys_are_dropped() {
        let mut ledger = ledger(10, 10);
        ledger.claim(A, 100).unwrap();
        ledger.claim(B, 200).unwrap();
        ledger.forget_before(150);
        assert_eq!(ledger.live_by_owner.len(), 1);
        assert_eq!(ledger.ending.len(), 1);
    }
}
