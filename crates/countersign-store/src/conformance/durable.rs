//! The checks for stores that outlive their process: what was accepted before a restart is known after it.

use super::{ask, entry, roomy};
use crate::Limits;
use countersign_core::replay::{FirstUse, ReplayGuard, StoreError};
use countersign_core::time::UnixTime;

/// Opens a store with the given limits at the given time, each time the same one. What it opened before is
/// dropped by then.
pub type Durable = Box<dyn Fn(Limits, UnixTime) -> Box<dyn ReplayGuard>>;

/// Makes a durable store, different from all before, that has never been opened.
pub type Make<'a> = &'a dyn Fn() -> Durable;

/// Entries keep their exact end over a restart.
pub fn attack_29_a_restart_forgets_nothing(make: Make<'_>) {
    let durable = make();
    let store = open(&durable, 900);
    for number in 0..500 {
        assert_eq!(ask(&*store, &entry(1, number, 900, 1000 + i64::from(number % 7 == 0))), Ok(FirstUse::First));
    }
    drop(store);
    let store = open(&durable, 1000);
    for number in 0..500 {
        assert_eq!(ask(&*store, &entry(1, number, 1000, 1500)), Ok(FirstUse::Seen), "request {number}");
    }
    for number in 0..500 {
        let expected = if number % 7 == 0 { FirstUse::Seen } else { FirstUse::First };
        assert_eq!(ask(&*store, &entry(1, number, 1001, 1500)), Ok(expected), "request {number}");
    }
}

/// Entries that ended, and may be gone from the disk, are not taken for new ones by a clock that went back
/// while the store was closed.
pub fn attack_29_a_restart_with_a_clock_stepped_back_reopens_nothing(make: Make<'_>) {
    let durable = make();
    for round in 0..5 {
        // Ends far apart, so that whatever is dropped in lumps is dropped.
        let now = 100_000 * (i64::from(round) + 1);
        let store = open(&durable, now);
        assert_eq!(ask(&*store, &entry(1, round, now, now + 100)), Ok(FirstUse::First));
    }
    for now in [500_000, 100_000, 50, 0] {
        let store = open(&durable, now);
        for round in 0..5 {
            let live_until = 100_000 * (i64::from(round) + 1) + 100;
            let again = ask(&*store, &entry(1, round, now, live_until));
            let refused = again == Ok(FirstUse::Seen) || again == Err(StoreError::ClockWentBack);
            assert!(refused, "{again:?} for request {round} at {now}");
        }
    }
}

/// Opened and closed a few dozen times, with time passing.
pub fn many_restarts_forget_nothing(make: Make<'_>) {
    let durable = make();
    for round in 0..40_u32 {
        let now = 10_000 + 10 * i64::from(round);
        let store = open(&durable, now);
        for earlier in round.saturating_sub(10)..round {
            assert_eq!(ask(&*store, &entry(1, earlier, now, now + 105)), Ok(FirstUse::Seen), "{earlier} in {round}");
        }
        assert_eq!(ask(&*store, &entry(1, round, now, now + 105)), Ok(FirstUse::First), "round {round}");
    }
}

fn open(durable: &Durable, now: i64) -> Box<dyn ReplayGuard> {
    durable(roomy(), UnixTime::from_secs(now))
}
