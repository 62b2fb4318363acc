//! Many questions under way at a time, of which a store that answers later has all at once.

use super::{Fresh, entry, roomy, wait_for};
use countersign_core::replay::{Answer, FirstUse};

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
