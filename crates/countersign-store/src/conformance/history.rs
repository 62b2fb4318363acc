//! A recorded history, and whether one line of decisions explains it.
//!
//! What is asked of a store is, for each digest, a register that can be set once: the history is linearizable where one
//! request is first and had begun before the answer to any that was told "seen". All that is left to know is when each
//! request began and ended, by a counter that all threads share.

use super::{Decision, Fresh, ask, entry, roomy};
use countersign_core::replay::FirstUse;
use std::collections::HashMap;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};

/// One request: which entry, when it began and ended, and what was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The entry's number.
    pub number: u32,
    /// Before it was asked.
    pub began: u64,
    /// After it was answered.
    pub ended: u64,
    /// The answer.
    pub answer: Decision,
}

/// Eight threads send some sixty requests again and again; the history that comes of it is linearizable.
pub fn attack_22_a_recorded_history_is_linearizable(open: Fresh<'_>) {
    for round in 0..4 {
        let history = record(open, round);
        if let Err(why) = linearizable(&history) {
            panic!("round {round}: {why}");
        }
    }
}

/// Says which events no order of decisions explains.
pub fn linearizable(history: &[Event]) -> Result<(), String> {
    let mut firsts: HashMap<u32, &Event> = HashMap::new();
    for event in history.iter().filter(|event| event.answer == Ok(FirstUse::First)) {
        if let Some(other) = firsts.insert(event.number, event) {
            return Err(format!("two were first: {other:?} and {event:?}"));
        }
    }
    for event in history.iter().filter(|event| event.answer == Ok(FirstUse::Seen)) {
        match firsts.get(&event.number) {
            None => return Err(format!("seen, and nobody was first: {event:?}")),
            Some(first) if event.ended < first.began => {
                return Err(format!("seen before the first began: {event:?} and {first:?}"));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn record(open: Fresh<'_>, round: u32) -> Vec<Event> {
    let store = open(roomy());
    let (ticks, start) = (AtomicU64::new(0), Barrier::new(THREADS));
    let tick = || ticks.fetch_add(1, Ordering::SeqCst);
    let run = |thread: u32| {
        start.wait();
        let mut events = Vec::new();
        for turn in 0..TURNS {
            // A few numbers at a time, so that threads meet, and each thread in an order of its own.
            let number = round * 1_000 + turn / 12 * 4 + (turn * 7 + thread * 3) % 4;
            let (began, answer) = (tick(), ask(&*store, &entry(1, number, 900, 1000)));
            events.push(Event { number, began, ended: tick(), answer });
        }
        events
    };
    std::thread::scope(|scope| {
        let run = &run;
        let threads: Vec<_> =
            (0..u32::try_from(THREADS).unwrap_or(1)).map(|thread| scope.spawn(move || run(thread))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    })
}

const THREADS: usize = 8;
const TURNS: u32 = 180;
