//! The checks, one promise each.

use super::{Fresh, Parts, ask, entry, roomy};
use crate::Limits;
use countersign_core::replay::{FirstUse, ReplayGuard, StoreError};
use countersign_core::time::UnixTime;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

/// 1,024 identical requests from sixteen threads at once: one is first.
pub fn attack_22_check_then_set_race_exactly_one_is_first(open: Fresh<'_>) {
    for round in 0..8 {
        let store = open(roomy());
        assert_eq!(firsts(&*store, THREADS, |_| round, 64), 1, "round {round}");
    }
}

/// Sixteen threads send the same thousand requests, each beginning elsewhere: each request is first once.
pub fn attack_22_races_over_many_entries_exactly_one_each_is_first(open: Fresh<'_>) {
    let store = open(roomy());
    let step = REQUESTS / THREADS;
    assert_eq!(firsts(&*store, THREADS, |(thread, turn)| (thread * step + turn) % REQUESTS, REQUESTS), REQUESTS);
}

/// Live at its last second; forgotten one second later, and not before.
pub fn attack_23_an_entry_lives_to_the_end_of_its_last_second(open: Fresh<'_>) {
    let store = open(roomy());
    assert_eq!(ask(&*store, &entry(1, 1, 900, 1000)), Ok(FirstUse::First));
    // The same digest with a later end, as where a scheme has no signed time and an entry lives from now on.
    for now in [900, 901, 999, 1000] {
        assert_eq!(ask(&*store, &entry(1, 1, now, now + 100)), Ok(FirstUse::Seen), "at {now}");
    }
    let mut within = entry(1, 1, 0, 1100);
    within.now = UnixTime::from_millis(1_000_000);
    assert_eq!(ask(&*store, &within), Ok(FirstUse::Seen), "its last instant");
    assert_eq!(ask(&*store, &entry(1, 1, 1001, 1101)), Ok(FirstUse::First), "one second after its end");
    assert_eq!(ask(&*store, &entry(1, 1, 1101, 1101)), Ok(FirstUse::Seen), "its second life has its own end");
}

/// Sending a request again neither prolongs nor shortens its entry.
pub fn attack_23_being_seen_does_not_change_when_an_entry_ends(open: Fresh<'_>) {
    let store = open(roomy());
    for (number, other_end) in [(1, 901), (2, 9000)] {
        assert_eq!(ask(&*store, &entry(1, number, 900, 1000)), Ok(FirstUse::First));
        assert_eq!(ask(&*store, &entry(1, number, 900, other_end)), Ok(FirstUse::Seen));
    }
    assert_eq!(ask(&*store, &entry(1, 1, 1000, 2000)), Ok(FirstUse::Seen), "not shortened to 901");
    assert_eq!(ask(&*store, &entry(1, 2, 1001, 2000)), Ok(FirstUse::First), "not prolonged to 9000");
}

/// A, B, A: a store that remembers only the last request of a client lets the second A through.
pub fn attack_24_after_another_request_the_first_is_still_seen(open: Fresh<'_>) {
    let store = open(roomy());
    for number in 0..100 {
        assert_eq!(ask(&*store, &entry(1, number, 900, 1000)), Ok(FirstUse::First));
    }
    for number in 0..100 {
        assert_eq!(ask(&*store, &entry(1, number, 901, 1000)), Ok(FirstUse::Seen), "request {number}");
    }
}

/// The same nonce at the same time from two clients is two requests.
pub fn attack_24_two_clients_may_use_the_same_nonce(open: Fresh<'_>) {
    let store = open(roomy());
    for expected in [FirstUse::First, FirstUse::Seen] {
        for client in [1, 2] {
            assert_eq!(ask(&*store, &entry(client, 7, 900, 1000)), Ok(expected), "client {client}");
        }
    }
}

/// Filled to its capacity, the store still knows everything, and takes new entries when old ones ended.
pub fn attack_25_a_full_store_forgets_nothing(open: Fresh<'_>, parts: Parts) {
    let store = open(parts.limits(Limits { entries: 50, entries_per_key: 50 }));
    let entry = |client, now, live_until| parts.entry(client, 1, now, live_until);
    for number in 0..50 {
        assert_eq!(ask(&*store, &entry(number, 900, 1000)), Ok(FirstUse::First));
    }
    for number in 50..500 {
        assert_eq!(ask(&*store, &entry(number, 1000, 1100)), Err(StoreError::Full), "entry {number}");
    }
    for number in 0..50 {
        assert_eq!(ask(&*store, &entry(number, 1000, 1000)), Ok(FirstUse::Seen), "entry {number}");
    }
    for number in 50..100 {
        assert_eq!(ask(&*store, &entry(number, 1001, 1100)), Ok(FirstUse::First), "entry {number}");
    }
    assert_eq!(ask(&*store, &entry(100, 1001, 1100)), Err(StoreError::Full));
}

/// One client at its quota leaves room for the others, and has room again when its own entries end.
pub fn attack_25_one_key_cannot_fill_the_store(open: Fresh<'_>, parts: Parts) {
    let store = open(parts.limits(Limits { entries: 100, entries_per_key: 10 }));
    let entry = |client, number, now, live_until| parts.entry(client, number, now, live_until);
    for number in 0..10 {
        assert_eq!(ask(&*store, &entry(1, number, 900, 1000)), Ok(FirstUse::First));
    }
    for number in 10..1_000 {
        assert_eq!(ask(&*store, &entry(1, number, 900, 1000)), Err(StoreError::KeyQuota));
    }
    assert_eq!(ask(&*store, &entry(1, 0, 1000, 1000)), Ok(FirstUse::Seen), "the flood evicted nothing");
    assert_eq!(ask(&*store, &entry(2, 0, 1000, 1100)), Ok(FirstUse::First), "another client is served");
    assert_eq!(ask(&*store, &entry(1, 10, 1000, 1100)), Err(StoreError::KeyQuota));
    assert_eq!(ask(&*store, &entry(1, 10, 1001, 1100)), Ok(FirstUse::First));
}

/// A request that was turned away for want of room is first when there is room.
pub fn attack_28_what_could_not_be_decided_burns_nothing(open: Fresh<'_>, parts: Parts) {
    let store = open(parts.limits(Limits { entries: 2, entries_per_key: 1 }));
    let entry = |client, number, now, live_until| parts.entry(client, number, now, live_until);
    assert_eq!(ask(&*store, &entry(1, 1, 900, 1000)), Ok(FirstUse::First));
    assert_eq!(ask(&*store, &entry(1, 2, 900, 2000)), Err(StoreError::KeyQuota));
    assert_eq!(ask(&*store, &entry(2, 1, 900, 1000)), Ok(FirstUse::First));
    assert_eq!(ask(&*store, &entry(3, 1, 900, 2000)), Err(StoreError::Full));
    assert_eq!(ask(&*store, &entry(1, 2, 1001, 2000)), Ok(FirstUse::First));
    assert_eq!(ask(&*store, &entry(3, 1, 1001, 2000)), Ok(FirstUse::First));
}

/// However the clock steps, no request is first twice.
pub fn attack_29_a_clock_that_steps_back_reopens_nothing(open: Fresh<'_>) {
    let store = open(roomy());
    assert_eq!(ask(&*store, &entry(1, 1, 900, 1000)), Ok(FirstUse::First));
    assert_eq!(ask(&*store, &entry(1, 2, 1500, 1600)), Ok(FirstUse::First), "which lets request 1 be forgotten");
    for now in [1000, 950, 900, 500, 0] {
        let again = ask(&*store, &entry(1, 1, now, 1000));
        assert!(again == Ok(FirstUse::Seen) || again == Err(StoreError::ClockWentBack), "{again:?} at {now}");
    }
    assert_eq!(ask(&*store, &entry(1, 2, 900, 1600)), Ok(FirstUse::Seen), "what lives is known at any time");
}

/// An hour ahead and back: what was signed by the right clock since is served as soon as it outlives what was
/// forgotten.
pub fn a_clock_that_jumped_ahead_and_came_back_recovers(open: Fresh<'_>) {
    let store = open(roomy());
    assert_eq!(ask(&*store, &entry(1, 1, 900, 1000)), Ok(FirstUse::First));
    assert_eq!(ask(&*store, &entry(1, 2, 4500, 4600)), Ok(FirstUse::First));
    assert_eq!(ask(&*store, &entry(1, 3, 905, 1005)), Ok(FirstUse::First));
    assert_eq!(ask(&*store, &entry(1, 3, 905, 1005)), Ok(FirstUse::Seen));
    assert_eq!(ask(&*store, &entry(1, 4, 910, 1010)), Ok(FirstUse::First));
}

/// An entry that ends before the instant it was judged at is not let through.
pub fn an_entry_that_is_over_is_never_first(open: Fresh<'_>) {
    let store = open(roomy());
    for (now, live_until) in [(1001, 1000), (i64::MAX, 1000), (1, i64::MIN), (1001, 1000)] {
        let decision = ask(&*store, &entry(1, 1, now, live_until));
        assert_ne!(decision, Ok(FirstUse::First), "now {now}, live until {live_until}");
    }
}

/// Times that no clock shows are remembered like others.
pub fn instants_at_the_ends_of_time_are_never_first_twice(open: Fresh<'_>) {
    let store = open(roomy());
    let ends = [0, 1, -1, i64::MIN, i64::MAX, i64::from(u32::MAX), i64::from(u32::MAX) + 1, i64::from(i32::MAX)];
    for (number, live_until) in (0..).zip(ends) {
        let mut firsts = 0;
        for now in ends {
            firsts += u32::from(ask(&*store, &entry(1, number, now, live_until)) == Ok(FirstUse::First));
        }
        assert!(firsts <= 1, "first {firsts} times with live until {live_until}");
    }
}

const THREADS: usize = 16;
const REQUESTS: usize = 1_024;

/// How often the store says "first" when `threads` threads, let go together, each make `turns` requests.
fn firsts(
    store: &dyn ReplayGuard,
    threads: usize,
    number: impl Fn((usize, usize)) -> usize + Sync,
    turns: usize,
) -> usize {
    let (start, count) = (Barrier::new(threads), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (start, count, number) = (&start, &count, &number);
            scope.spawn(move || {
                start.wait();
                for turn in 0..turns {
                    let number = u32::try_from(number((thread, turn))).unwrap_or(u32::MAX);
                    match ask(store, &entry(1, number, 900, 1000)) {
                        Ok(FirstUse::First) => count.fetch_add(1, Ordering::Relaxed),
                        Ok(FirstUse::Seen) => continue,
                        Err(error) => panic!("the store could not decide: {error}"),
                    };
                }
            });
        }
    });
    count.into_inner()
}
