//! A process that admits entries is killed at some instant; what it had promised by then is still known.
//!
//! `COUNTERSIGN_ROUNDS` says how often; `cargo xtask torture` does it a thousand times.

use countersign_core::replay::FirstUse;
use countersign_core::time::UnixTime;
use countersign_store::conformance::entry;
use countersign_store_embedded::{Journal, JournalOptions};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};

#[test]
fn attack_29_after_kill_9_every_promise_is_kept() {
    let tally = kills("os", rounds(6));
    eprintln!("torture: {tally}");
    assert_eq!(tally.broken, 0, "accepted requests would have been accepted again");
}

#[test]
fn attack_29_after_kill_9_every_synced_promise_is_kept() {
    // A disk takes its time.
    let tally = kills("synced", rounds(20) / 10);
    eprintln!("torture: synced, {tally}");
    assert_eq!(tally.broken, 0, "accepted requests would have been accepted again");
}

/// The test above is worth something: with writes held back it fails.
#[test]
fn attack_29_with_writes_held_back_promises_are_broken() {
    assert!(kills("held", 1).broken > 0, "nothing was forgotten, so the test cannot see it when something is");
}

fn rounds(few: u32) -> u32 {
    match std::env::var("COUNTERSIGN_ROUNDS") {
        Ok(rounds) => rounds.parse().expect("COUNTERSIGN_ROUNDS is a number"),
        Err(_) => few,
    }
}

#[derive(Debug, Default)]
struct Tally {
    kills: u32,
    promises: usize,
    broken: usize,
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} kills, {} promises, {} broken", self.kills, self.promises, self.broken)
    }
}

/// Kills a process `count` times, each time after some more promises, ten times over one store.
fn kills(durability: &str, count: u32) -> Tally {
    let mut tally = Tally::default();
    let mut store = tempfile::tempdir().expect("a temporary folder");
    let mut promised = Vec::new();
    for round in 0..count {
        if round % ROUNDS_A_STORE == 0 {
            store = tempfile::tempdir().expect("a temporary folder");
            promised.clear();
        }
        let turn = round % ROUNDS_A_STORE;
        let first = turn * 10_000_000;
        // Somewhere between the first promises and a few thousand.
        let enough = 20 + round.wrapping_mul(2_654_435_761) % (437 * (turn + 1));
        let more = admit_until_killed(store.path(), durability, first, enough);
        tally.promises += more.len();
        promised.extend(more);
        tally.broken += broken_promises(store.path(), &promised, first + 9_999_999);
        tally.kills += 1;
    }
    tally
}

const ROUNDS_A_STORE: u32 = 10;

/// Starts the process, kills it once it has made `enough` promises, and returns all that it had made by then.
fn admit_until_killed(store: &Path, durability: &str, first: u32, enough: u32) -> Vec<u32> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_admit-until-killed"))
        .args([store.as_os_str(), durability.as_ref(), first.to_string().as_ref()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the process starts");
    let mut output = BufReader::new(child.stdout.take().expect("its output"));
    let mut text = String::new();
    for line in 0..enough {
        assert!(output.read_line(&mut text).expect("text") > 0, "it ended by itself after {line} promises");
    }
    child.kill().expect("SIGKILL");
    child.wait().expect("the end of the process");
    output.read_to_string(&mut text).expect("text");
    // The last line may be incomplete. Its promise is not ours to hold the journal to.
    let complete = text.rfind('\n').map_or("", |end| &text[..end]);
    complete.lines().map(|line| line.parse().expect("a number")).collect()
}

/// Opens the journal as a restarted gateway would, and counts what it does not know of what was promised. A new
/// request has to pass at once.
fn broken_promises(store: &Path, promised: &[u32], new: u32) -> usize {
    let now = UnixTime::from_secs(1_000);
    let journal = Journal::open(store, JournalOptions::default(), now).expect("the journal opens after a kill");
    let ask = |number| journal.decide(&entry(1, number, 1_000, 1_000 + i64::from(number % 600)));
    assert_eq!(ask(new), Ok(FirstUse::First), "a new request");
    promised.iter().filter(|number| ask(**number) != Ok(FirstUse::Seen)).count()
}
