//! Interleavings of the memory store, tried by `shuttle`: every order of a few threads' steps, or thousands at random.
//!
//! `cargo test -p countersign-store --features interleavings --lib interleavings`; `./test` does.

use crate::ledger::Limits;
use crate::record::Record;
use crate::replay::MemoryReplay;
use crate::sync::Mutex;
use countersign_core::replay::{FirstUse, ReplayEntry, StoreError};
use countersign_core::time::UnixTime;
use shuttle::thread;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

type Decision = Result<FirstUse, StoreError>;

fn entry(number: u8, owner: u8, now: i64, live_until: i64) -> ReplayEntry {
    let at = UnixTime::from_secs;
    ReplayEntry { digest: [number; 32], key: [owner; 16], live_until: at(live_until), since: at(now), now: at(now) }
}

/// Asks for each entry in a thread of its own.
fn at_once(store: &Arc<MemoryReplay>, entries: &[ReplayEntry]) -> Vec<Decision> {
    let ask = |entry: &ReplayEntry| {
        let (store, entry) = (Arc::clone(store), *entry);
        thread::spawn(move || store.decide(&entry))
    };
    let threads: Vec<_> = entries.iter().map(ask).collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

fn count(answers: &[Decision], of: &Decision) -> usize {
    answers.iter().filter(|answer| *answer == of).count()
}

fn new(entries: usize, entries_per_key: usize) -> Arc<MemoryReplay> {
    Arc::new(MemoryReplay::unseeded(Limits { entries, entries_per_key }))
}

/// All orders of two threads, and many of four.
fn all(check: impl Fn(usize) + Send + Sync + 'static) {
    let check = Arc::new(check);
    let two = Arc::clone(&check);
    shuttle::check_dfs(move || two(2), Some(20_000));
    shuttle::check_pct(move || check(4), 2_000, 3);
}

#[test]
fn attack_22_of_equal_requests_one_is_first() {
    all(|threads| {
        let answers = at_once(&new(10, 10), &vec![entry(1, 1, 900, 1000); threads]);
        assert_eq!(count(&answers, &Ok(FirstUse::First)), 1, "{answers:?}");
        assert_eq!(count(&answers, &Ok(FirstUse::Seen)), threads - 1, "{answers:?}");
    });
}

#[test]
fn attack_25_capacity_and_quota_are_never_passed() {
    all(|threads| {
        let requests: Vec<_> = (1..).take(threads).map(|number| entry(number, 1, 900, 1000)).collect();
        let store = new(10, 1);
        let answers = at_once(&store, &requests);
        assert_eq!(count(&answers, &Ok(FirstUse::First)), 1, "{answers:?}");
        assert_eq!(count(&answers, &Err(StoreError::KeyQuota)), threads - 1, "{answers:?}");
        assert_eq!(store.live(), Ok(1));
        let requests: Vec<_> = (1..).take(threads).map(|number| entry(number, number, 900, 1000)).collect();
        let answers = at_once(&new(1, 1), &requests);
        assert_eq!(count(&answers, &Err(StoreError::Full)), threads - 1, "{answers:?}");
    });
}

/// One thread's request was judged a while ago; another's lets its entry be forgotten meanwhile.
#[test]
fn attack_29_forgetting_never_lets_an_old_request_in_again() {
    all(|threads| {
        let store = new(10, 10);
        assert_eq!(store.decide(&entry(1, 1, 900, 1000)), Ok(FirstUse::First));
        let mut requests = vec![entry(1, 1, 1000, 1000); threads - 1];
        requests.push(entry(2, 1, 1001, 1100));
        let answers = at_once(&store, &requests);
        assert_eq!(count(&answers, &Ok(FirstUse::First)), 1, "only the new one: {answers:?}");
        assert_eq!(answers.last(), Some(&Ok(FirstUse::First)));
    });
}

#[test]
fn what_is_restored_meanwhile_is_first_at_most_once() {
    all(|threads| {
        let store = new(10, 10);
        let restoring = {
            let store = Arc::clone(&store);
            thread::spawn(move || store.restore(&[Record::of(&entry(1, 1, 900, 1000))]).unwrap())
        };
        let answers = at_once(&store, &vec![entry(1, 1, 900, 1000); threads - 1]);
        restoring.join().unwrap();
        assert!(count(&answers, &Ok(FirstUse::First)) <= 1, "{answers:?}");
        assert_eq!(store.decide(&entry(1, 1, 900, 1000)), Ok(FirstUse::Seen));
    });
}

/// The tests above are worth something: looking and then inserting is caught.
#[test]
fn looking_and_then_inserting_is_caught() {
    let racy = || {
        let store = Arc::new(Mutex::new(false));
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let store = Arc::clone(&store);
                thread::spawn(move || {
                    let known = *store.lock().unwrap();
                    *store.lock().unwrap() = true;
                    !known
                })
            })
            .collect();
        let firsts = threads.into_iter().map(|thread| thread.join().unwrap());
        assert_eq!(firsts.filter(|first| *first).count(), 1, "two were first");
    };
    let caught = catch_unwind(AssertUnwindSafe(|| shuttle::check_dfs(racy, Some(1_000))));
    assert!(caught.is_err(), "no interleaving was tried that shows it");
}
