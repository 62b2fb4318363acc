//! How often a key was used, and when last: counted without a lock, and without a look-up of its own.
//!
//! A store that keeps count gives each [`Key`](crate::Key) its tally, and whoever accepts what the key verified, or signs
//! with it, counts. What is counted is what was *accepted*: after the replay answer, and after everything else that was
//! asked of the message, so that a forged, a stale and a repeated one count nothing.
//!
//! Deliberately absent: a clock (the instant is an argument) and any way to count down: what was written elsewhere is
//! [settled](Tally::settle), so that nothing is lost where writing fails.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::time::UnixTime;

/// Uses of one key that were not written down yet, and the instant of the last one.
#[derive(Debug)]
pub struct Tally {
    uses: AtomicU64,
    /// Seconds; `NEVER` before the first use.
    last: AtomicI64,
}

/// Uses of a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    /// How many.
    pub uses: u64,
    /// When it was last used, to the second. `None`: never, as far as is known.
    pub last: Option<UnixTime>,
}

impl Tally {
    /// Counts a use.
    pub fn count(&self, now: UnixTime) {
        let second = now.secs();
        // Nearly always somebody has written this second already, and then it is only read.
        if self.last.load(Ordering::Relaxed) < second {
            self.last.fetch_max(second, Ordering::Relaxed);
        }
        // Who sees the use sees its time.
        self.uses.fetch_add(1, Ordering::Release);
    }

    /// What was counted and not [settled](Self::settle).
    #[must_use]
    pub fn pending(&self) -> Used {
        let uses = self.uses.load(Ordering::Acquire);
        let last = self.last.load(Ordering::Relaxed);
        Used { uses, last: (last != NEVER).then(|| UnixTime::from_secs(last)) }
    }

    /// Takes off what was written down: no more than was pending. What was counted meanwhile stays.
    pub fn settle(&self, uses: u64) {
        self.uses.fetch_sub(uses, Ordering::Relaxed);
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self { uses: AtomicU64::new(0), last: AtomicI64::new(NEVER) }
    }
}

impl Used {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { uses: self.uses.saturating_add(other.uses), last: self.last.max(other.last) }
    }
}

const NEVER: i64 = i64::MIN;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> UnixTime {
        UnixTime::from_secs(seconds)
    }

    #[test]
    fn a_key_that_was_never_used_says_so() {
        assert_eq!(Tally::default().pending(), Used { uses: 0, last: None });
    }

    #[test]
    fn uses_add_up_and_the_latest_time_stays() {
        let tally = Tally::default();
        for second in [5, 9, 7] {
            tally.count(at(second));
        }
        assert_eq!(tally.pending(), Used { uses: 3, last: Some(at(9)) });
        tally.settle(2);
        assert_eq!(tally.pending(), Used { uses: 1, last: Some(at(9)) });
    }

    #[test]
    fn two_counts_together_have_the_sum_and_the_later_time() {
        let (never, once) = (Used::default(), Used { uses: 1, last: Some(at(3)) });
        assert_eq!((never.and(once), once.and(never)), (once, once));
        assert_eq!(once.and(Used { uses: 2, last: Some(at(2)) }), Used { uses: 3, last: Some(at(3)) });
    }
}
