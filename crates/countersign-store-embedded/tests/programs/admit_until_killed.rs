//! Admits entries to a journal until it is killed, and prints the number of each once it was told "first".
//!
//! `admit-until-killed STORE os|synced|held FIRST_NUMBER`. Four threads share the work. What is printed was
//! promised: whoever reads it may hold the journal to it.

use countersign_core::replay::FirstUse;
use countersign_core::time::UnixTime;
use countersign_store::conformance::entry;
use countersign_store_embedded::{Durability, Journal, JournalOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [store, durability, first] = &arguments[..] else { panic!("three arguments, not {arguments:?}") };
    let durability = match durability.as_str() {
        "os" => Durability::Os,
        "synced" => Durability::Synced,
        "held" => Durability::UnsafeHeldInMemory,
        other => panic!("no such durability: {other}"),
    };
    let options = JournalOptions { durability, ..JournalOptions::default() };
    let journal = Journal::open(Path::new(store), options, UnixTime::from_secs(1_000)).expect("the journal opens");
    let next = AtomicU32::new(first.parse().expect("a number"));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    // Ends all over the next ten minutes, so that several files are being written.
                    let live_until = 1_000 + i64::from(number % 600);
                    let decision = journal.decide(&entry(1, number, 1_000, live_until));
                    assert_eq!(decision, Ok(FirstUse::First), "entry {number}");
                    if writeln!(std::io::stdout(), "{number}").is_err() {
                        return;
                    }
                }
            });
        }
    });
}
