//! How many entries are live, whose they are, and up to when they are forgotten.
//!
//! Kept apart from the fingerprints so that counting is exact to the second and expiry drops a whole second's
//! entries at once, while their slots are reclaimed whenever it is convenient.
//!
//! An owner's entries mostly end with the same second as his last one, or the next. So each owner counts the entries
//! of one second by himself, his **run**, and the ordered map of all ends is touched only when that second changes.
//! Invariant: whoever has a run has a place in that map for its second, so that forgetting meets it there.
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

/// Whose an entry is: the [`key`](countersign_core::replay::ReplayEntry::key) of it, in a form that is quick to
/// compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Owner([u64; 2]);

impl Owner {
    /// Of an entry that was read back from a journal, which does not say whose it is. A digest of zeros is nobody's.
    pub(crate) const NOBODY: Self = Self([0; 2]);

    pub(crate) fn of(key: [u8; 16]) -> Self {
        let whole = u128::from_le_bytes(key);
        Self([low_half(whole), low_half(whole >> 64)])
    }
}

/// What one owner has.
#[derive(Default)]
struct Owned {
    live: usize,
    /// The second of his run, or 0 where there is none: nothing ends with that.
    run_until: u32,
    /// How many entries are in it.
    run: usize,
}

/// The counts.
pub(crate) struct Ledger {
    limits: Limits,
    floor: u32,
    live: usize,
    owners: HashMap<Owner, Owned>,
    /// How many entries of whom end with which second, without those of his run.
    ending: BTreeMap<(u32, Owner), usize>,
    /// The first second that any entry ends with, or later than that by none.
    soonest: u32,
}

impl Ledger {
    pub(crate) fn new(limits: Limits) -> Self {
        let (owners, ending) = (HashMap::new(), BTreeMap::new());
        Self { limits, floor: 0, live: 0, owners, ending, soonest: u32::MAX }
    }

    /// Forgets every entry whose last second is before `now`.
    pub(crate) fn forget_before(&mut self, now: u32) {
        if self.soonest >= now {
            return;
        }
        while let Some(first) = self.ending.first_entry()
            && first.key().0 < now
        {
            let ((second, owner), mut count) = first.remove_entry();
            self.floor = self.floor.max(second);
            if let Some(owned) = self.owners.get_mut(&owner) {
                if owned.run_until == second {
                    count += std::mem::take(&mut owned.run);
                    owned.run_until = 0;
                }
                owned.live -= count;
                if owned.live == 0 {
                    self.owners.remove(&owner);
                }
            }
            self.live -= count;
        }
        self.soonest = self.ending.first_key_value().map_or(u32::MAX, |(first, _)| first.0);
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
    pub(crate) fn claim(&mut self, owner: Owner, until: u32) -> Result<(), StoreError> {
        let owned = self.owners.entry(owner).or_default();
        let refusal = match () {
            () if owned.live >= self.limits.entries_per_key => Some(StoreError::KeyQuota),
            () if self.live >= self.limits.entries => Some(StoreError::Full),
            () => None,
        };
        if let Some(refusal) = refusal {
            if owned.live == 0 {
                self.owners.remove(&owner);
            }
            return Err(refusal);
        }
        owned.live += 1;
        self.live += 1;
        if owned.run_until == until {
            owned.run += 1;
            return Ok(());
        }
        let before = (std::mem::replace(&mut owned.run_until, until), owner);
        let run = std::mem::replace(&mut owned.run, 1);
        if run > 0 {
            *self.ending.entry(before).or_default() += run;
        }
        self.ends(owner, until, 0);
        Ok(())
    }

    /// Counts entries that were accepted before, whatever the limits: they must not be lost for want of room.
    pub(crate) fn count_restored(&mut self, until: u32, entries: usize) {
        self.owners.entry(Owner::NOBODY).or_default().live += entries;
        self.live += entries;
        self.ends(Owner::NOBODY, until, entries);
    }

    fn ends(&mut self, owner: Owner, until: u32, entries: usize) {
        *self.ending.entry((until, owner)).or_default() += entries;
        self.soonest = self.soonest.min(until);
    }
}

fn low_half(whole: u128) -> u64 {
    u64::try_from(whole & u128::from(u64::MAX)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Owner = Owner([1, 0]);
    const B: Owner = Owner([2, 0]);

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
        assert_eq!(ledger.claim(Owner([3, 0]), 100), Err(StoreError::Full));
    }

    #[test]
    fn what_was_read_back_counts_against_the_capacity_and_against_no_key() {
        let mut ledger = ledger(2, 1);
        ledger.count_restored(100, 1);
        ledger.claim(A, 100).unwrap();
        assert_eq!(ledger.claim(B, 100), Err(StoreError::Full));
        ledger.count_restored(100, 1);
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
    fn whose_an_entry_is_depends_on_every_byte_of_its_key() {
        let mut owners: Vec<_> =
            (0..16).map(|at| Owner::of(std::array::from_fn(|byte| u8::from(byte == at)))).collect();
        owners.push(Owner::NOBODY);
        owners.sort();
        owners.dedup();
        assert_eq!(owners.len(), 17);
    }

    #[test]
    fn a_key_that_was_refused_leaves_no_count_behind() {
        let mut ledger = ledger(0, 1);
        assert_eq!(ledger.claim(A, 100), Err(StoreError::Full));
        assert!(ledger.owners.is_empty());
    }

    #[test]
    fn an_entry_that_ends_before_all_others_is_forgotten_first() {
        let mut ledger = ledger(10, 10);
        for until in [300, 100, 200] {
            ledger.claim(A, until).unwrap();
        }
        for (now, live) in [(100, 3), (101, 2), (201, 1), (301, 0)] {
            ledger.forget_before(now);
            assert_eq!(ledger.live(), live, "at {now}");
        }
    }

    #[test]
    fn whatever_order_ends_come_in_each_is_counted_until_its_own_second() {
        let mut ledger = ledger(100, 100);
        // Runs that are left, come back to, and interrupted by another owner's and by what was read back.
        for (owner, until) in
            [(A, 102), (A, 102), (A, 101), (B, 102), (A, 102), (A, 103), (A, 101), (B, 101), (A, 101), (A, 103)]
        {
            ledger.claim(owner, until).unwrap();
        }
        ledger.count_restored(101, 2);
        assert_eq!(ledger.live(), 12);
        for (now, live, of_a) in [(101, 12, Some(8)), (102, 6, Some(5)), (103, 2, Some(2)), (104, 0, None)] {
            ledger.forget_before(now);
            assert_eq!(ledger.live(), live, "at {now}");
            assert_eq!(ledger.owners.get(&A).map(|owned| owned.live), of_a, "at {now}");
        }
        assert!(ledger.ending.is_empty() && ledger.owners.is_empty());
    }

    #[test]
    fn a_run_that_was_forgotten_begins_anew() {
        let mut ledger = ledger(10, 10);
        for (until, now) in [(100, 101), (100, 101), (102, 103)] {
            ledger.claim(A, until).unwrap();
            ledger.claim(A, until + 50).unwrap();
            ledger.claim(A, until).unwrap();
            ledger.forget_before(now);
        }
        assert_eq!(ledger.live(), 3);
        ledger.forget_before(153);
        assert_eq!(ledger.live(), 0);
    }

    #[test]
    fn counts_of_forgotten_keys_are_dropped() {
        let mut ledger = ledger(10, 10);
        ledger.claim(A, 100).unwrap();
        ledger.claim(B, 200).unwrap();
        ledger.forget_before(150);
        assert_eq!(ledger.owners.len(), 1);
        assert_eq!(ledger.ending.len(), 1);
    }
}
