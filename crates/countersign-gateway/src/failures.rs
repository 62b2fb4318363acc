//! How often a key's signature may be wrong, where it is short enough to be guessed.
//!
//! A signature of 28 bits stands 7.5 hours against somebody who tries 10,000 a second (security: a short MAC is a
//! matter of how many tries there are). So wrong ones are counted for each key, and past so many an hour right ones are
//! refused as well, in the same bytes: whoever guesses does not learn that a guess was right. One try more is given
//! back each time that a share of the hour has passed, so a client that has been mended gets in again soon after the
//! wrong signatures stop. The price is that somebody who goes on guessing keeps the key's owner out.
//!
//! Counted are keys that exist: requests with made-up key ids take no memory. Nothing is kept over a restart, and
//! gateways side by side count each for itself.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};

use countersign_core::scheme::Scheme;
use countersign_core::time::UnixTime;
use countersign_schemes::lint::can_be_guessed;

/// The wrong signatures of a route's keys.
#[derive(Debug)]
pub(crate) struct Failures {
    /// Nanoseconds after which one failure is forgiven.
    each: i64,
    keys: Mutex<Keys>,
}

/// For each key the nanosecond in which all its failures are forgiven.
#[derive(Debug, Default)]
struct Keys {
    clear: HashMap<Box<[u8]>, i64>,
    /// With so many keys those that are clear are taken out.
    tidy_at: usize,
}

impl Failures {
    /// What is counted under a scheme: nothing where its signatures cannot be guessed and the route sets no limit.
    pub(crate) fn of(scheme: &Scheme, most: Option<NonZeroU32>) -> Option<Self> {
        most.or(can_be_guessed(scheme).then_some(DEFAULT_MOST)).map(Self::new)
    }

    fn new(most: NonZeroU32) -> Self {
        Self { each: HOUR / i64::from(most.get()), keys: Mutex::default() }
    }

    /// Counts a wrong signature of a key that exists.
    pub(crate) fn count(&self, key_id: &[u8], now: UnixTime) {
        let now = nanos(now);
        let mut keys = self.keys();
        if let Some(clear) = keys.clear.get_mut(key_id) {
            *clear = (*clear).max(now).saturating_add(self.each).min(now.saturating_add(HOUR));
            return;
        }
        if keys.clear.len() >= keys.tidy_at {
            keys.clear.retain(|_, clear| *clear > now);
            keys.tidy_at = (keys.clear.len() * 2).max(LEAST_KEYS);
        }
        keys.clear.insert(key_id.into(), now.saturating_add(self.each));
    }

    /// Whether so many were wrong that a right one is refused too.
    pub(crate) fn too_many(&self, key_id: &[u8], now: UnixTime) -> bool {
        let clear = self.keys().clear.get(key_id).copied();
        clear.is_some_and(|clear| clear > nanos(now).saturating_add(HOUR - self.each))
    }

    /// Every change is one assignment, so what a panic leaves behind is whole.
    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const fn nanos(instant: UnixTime) -> i64 {
    instant.millis().saturating_mul(1_000_000)
}

const DEFAULT_MOST: NonZeroU32 = NonZeroU32::new(100).unwrap();
/// In nanoseconds.
const HOUR: i64 = 3_600_000_000_000;
const LEAST_KEYS: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> UnixTime {
        UnixTime::from_secs(secs)
    }

    fn failures(most: u32) -> Failures {
        Failures::new(NonZeroU32::new(most).unwrap())
    }

    #[test]
    fn so_many_failures_are_let_pass_and_not_one_more() {
        for most in [1, 2, 7, 100, 3_601, 100_000] {
            let failures = failures(most);
            for _ in 0..most - 1 {
                failures.count(b"a", at(0));
            }
            assert!(!failures.too_many(b"a", at(0)), "{most}");
            failures.count(b"a", at(0));
            assert!(failures.too_many(b"a", at(0)), "{most}");
            assert!(!failures.too_many(b"b", at(0)), "{most}");
        }
    }

    #[test]
    fn a_key_is_let_in_again_a_share_of_the_hour_after_the_last_failure_however_many_there_were() {
        let failures = failures(100);
        (0..10_000).for_each(|_| failures.count(b"a", at(50)));
        assert!(failures.too_many(b"a", at(50 + 35)));
        assert!(!failures.too_many(b"a", at(50 + 36)));
        failures.count(b"a", at(50 + 36));
        assert!(failures.too_many(b"a", at(50 + 36)), "one was given back, and is spent");
        assert!(!failures.too_many(b"a", at(50 + 3_600 + 36)));
    }

    #[test]
    fn a_clock_that_goes_back_forgives_nothing() {
        let failures = failures(2);
        failures.count(b"a", at(1_000));
        failures.count(b"a", at(1_000));
        assert!(failures.too_many(b"a", at(900)));
    }

    #[test]
    fn keys_that_are_clear_take_no_memory() {
        let failures = failures(100);
        for key in 0..100_000_u32 {
            failures.count(&key.to_le_bytes(), at(i64::from(key)));
        }
        let keys = failures.keys();
        assert!(keys.clear.len() <= LEAST_KEYS, "{}", keys.clear.len());
    }
}
