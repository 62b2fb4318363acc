//! Many questions under way at a time: what was asked when, what was answered when, and whether some order of single
//! steps explains it.

use super::{Fresh, ask, entry, roomy, wait_for};
use countersign_core::replay::{Answer, FirstUse};
use std::sync::Barrier;
use std::time::Instant;

/// Five thousand identical requests, all of them asked before the first answer is waited for: one is first.
pub fn attack_22_thousands_of_questions_under_way_at_once_are_one(open: Fresh<'_>) {
    let store = open(roomy());
    let same = entry(1, 1, 900, 1000);
    let answers: Vec<_> = (0..5_000).map(|_| store.admit(&same)).collect();
    // The last is waited for first, so that nothing depends on the order in which they are looked at.
    let decisions = answers.into_iter().rev().map(|answer| match answer {
        Answer::Ready(decision) => decision,
        Answer::Later(future) => wait_for(future),
    });
    let mut firsts = 0;
    for decision in decisions {
        match decision {
            Ok(first) => firsts += usize::from(first == FirstUse::First),
            Err(error) => panic!("the store could not decide: {error}"),
        }
    }
    assert_eq!(firsts, 1);
}

/// A recorded history of many threads and few requests is linearizable: for each request one answer is "first", and
/// none that is "seen" had come before that one was asked.
pub fn attack_22_a_recorded_history_is_linearizable(open: Fresh<'_>) {
    for round in 0..20 {
        let store = open(roomy());
        let start = Barrier::new(THREADS);
        let record = |thread: u32| {
            start.wait();
            let turns = (0..REQUESTS).map(|turn| {
                let number = (turn + thread * 3) % REQUESTS;
                let begun = Instant::now();
                let decision = ask(&*store, &entry(round, number, 900, 1000));
                Asked { number, begun, ended: Instant::now(), decision }
            });
            turns.collect::<Vec<_>>()
        };
        let history: Vec<Asked> = std::thread::scope(|scope| {
            let record = &record;
            let threads: Vec<_> = (0..8).map(|thread| scope.spawn(move || record(thread))).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
        });
        assert_eq!(history.len(), THREADS * 30, "a thread panicked");
        for number in 0..REQUESTS {
            let of_one = || history.iter().filter(|asked| asked.number == number);
            let firsts: Vec<_> = of_one().filter(|asked| asked.decision == Ok(FirstUse::First)).collect();
            let [first] = firsts.as_slice() else { panic!("request {number} was first {} times", firsts.len()) };
            for other in of_one() {
                assert!(other.decision.is_ok(), "{:?}", other.decision);
                assert!(other.ended >= first.begun, "request {number} was seen before it was first asked");
            }
        }
    }
}

struct Asked {
    number: u32,
    begun: Instant,
    ended: Instant,
    decision: super::Decision,
}

const THREADS: usize = 8;
const REQUESTS: u32 = 30;
