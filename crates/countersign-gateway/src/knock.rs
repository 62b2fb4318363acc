//! Which of several schemes an upstream accepted last, so that the next request begins with it.
//!
//! Invariants: the memory is bounded, the oldest gives way, and a day after it was learnt a thing is forgotten.
//! Deliberately absent: what was refused. An upstream that refuses everything is knocked at in the usual order.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use countersign_core::time::UnixTime;

/// What upstreams accepted, by authority.
#[derive(Debug)]
pub(crate) struct Knocks {
    most: usize,
    known: Mutex<HashMap<Box<str>, Known>>,
}

/// Which alternative was accepted, and when that was last seen.
#[derive(Debug, Clone, Copy)]
struct Known {
    alternative: usize,
    since: UnixTime,
}

/// How long something is remembered, in milliseconds.
const REMEMBERED: i64 = 24 * 60 * 60 * 1000;

impl Knocks {
    /// A memory of at most this many authorities.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, known: Mutex::default() }
    }

    /// The alternative that an authority accepted within the last day.
    pub(crate) fn recall(&self, authority: &str, now: UnixTime) -> Option<usize> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(authority).filter(|known| is_fresh(known, now)).map(|known| known.alternative)
    }

    /// Remembers what an authority has accepted.
    pub(crate) fn learn(&self, authority: &str, alternative: usize, now: UnixTime) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = Known { alternative, since: now };
        if let Some(entry) = known.get_mut(authority) {
            *entry = fresh;
            return;
        }
        if known.len() >= self.most {
            known.retain(|_, entry| is_fresh(entry, now));
        }
        while known.len() >= self.most.max(1) {
            let oldest = known.iter().min_by_key(|(_, entry)| entry.since).map(|(authority, _)| authority.clone());
            let Some(oldest) = oldest else { break };
            known.remove(&oldest);
        }
        if self.most > 0 {
            known.insert(authority.into(), fresh);
        }
    }
}

/// A clock that went back makes nothing older than it is, and nothing younger than now.
fn is_fresh(known: &Known, now: UnixTime) -> bool {
    let age = now.millis().saturating_sub(known.since.millis());
    (0..REMEMBERED).contains(&age)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 60 * 60;

    fn at(seconds: i64) -> UnixTime {
        UnixTime::from_secs(seconds)
    }

    #[test]
    fn what_was_accepted_is_recalled_for_a_day_and_no_longer() {
        let knocks = Knocks::new(4);
        assert_eq!(knocks.recall("a:80", at(0)), None);
        knocks.learn("a:80", 1, at(0));
        assert_eq!(knocks.recall("a:80", at(24 * HOUR - 1)), Some(1));
        assert_eq!(knocks.recall("a:80", at(24 * HOUR)), None);
        assert_eq!(knocks.recall("b:80", at(0)), None);
    }

    #[test]
    fn the_last_that_was_accepted_counts_and_renews_the_day() {
        let knocks = Knocks::new(4);
        knocks.learn("a:80", 1, at(0));
        knocks.learn("a:80", 0, at(HOUR));
        assert_eq!(knocks.recall("a:80", at(24 * HOUR + 1)), Some(0));
    }

    #[test]
    fn the_memory_is_bounded_and_the_oldest_gives_way() {
        let knocks = Knocks::new(2);
        for (authority, seconds) in [("a", 0), ("b", 1), ("c", 2)] {
            knocks.learn(authority, 1, at(seconds));
        }
        let recalled = ["a", "b", "c"].map(|authority| knocks.recall(authority, at(3)));
        assert_eq!(recalled, [None, Some(1), Some(1)]);
    }

    #[test]
    fn what_is_out_of_date_gives_way_first() {
        let knocks = Knocks::new(2);
        knocks.learn("a", 1, at(0));
        knocks.learn("b", 1, at(20 * HOUR));
        knocks.learn("c", 1, at(25 * HOUR));
        assert_eq!(knocks.recall("b", at(25 * HOUR)), Some(1));
        assert_eq!(knocks.recall("c", at(25 * HOUR)), Some(1));
    }

    #[test]
    fn no_room_remembers_nothing_and_a_clock_that_went_back_believes_nothing() {
        let none = Knocks::new(0);
        none.learn("a", 1, at(0));
        assert_eq!(none.recall("a", at(0)), None);
        let knocks = Knocks::new(1);
        knocks.learn("a", 1, at(HOUR));
        assert_eq!(knocks.recall("a", at(0)), None);
    }
}
