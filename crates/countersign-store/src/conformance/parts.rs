//! Stores that divide their limits: what is in one part counts for that part alone.

use super::entry;
use crate::Limits;
use countersign_core::replay::ReplayEntry;

/// Into how many parts a store divides its limits, and which of them an entry is in.
#[derive(Debug, Clone, Copy)]
pub struct Parts {
    /// How many there are.
    pub count: usize,
    /// The part of an entry.
    pub of: fn(&ReplayEntry) -> usize,
}

impl Parts {
    /// A store that divides nothing.
    pub const ONE: Self = Self { count: 1, of: |_| 0 };

    /// The limits of a store whose parts have these.
    pub(super) fn limits(self, of_a_part: Limits) -> Limits {
        let whole = |share: usize| share * self.count;
        Limits { entries: whole(of_a_part.entries), entries_per_key: whole(of_a_part.entries_per_key) }
    }

    /// As [`entry`], and in the first part: the number is one that stands for `number`.
    pub(super) fn entry(self, client: u32, number: u32, now: i64, live_until: i64) -> ReplayEntry {
        let numbers = (number..).step_by(STRIDE);
        let mut entries = numbers.map(|number| entry(client, number, now, live_until));
        entries.find(|entry| (self.of)(entry) == 0).unwrap_or_else(|| panic!("nothing is in the first part"))
    }
}

/// Above every number that a check uses.
const STRIDE: usize = 1 << 20;
