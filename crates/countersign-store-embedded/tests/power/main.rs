//! The power goes at any instant, and takes what was not synced: no accepted request is accepted again.
//!
//! `COUNTERSIGN_ROUNDS` says how many disks are tried; `cargo xtask torture` tries a thousand. Each goes through several
//! lives: one ends by a power cut, by a kill or in good order, in one durability or the other, and the clock may have
//! stepped when the next begins.

mod disk;

use countersign_core::replay::{FirstUse, ReplayEntry, StoreError};
use countersign_core::time::UnixTime;
use countersign_store::conformance::entry;
use countersign_store_embedded::journal::folder::Folder;
use countersign_store_embedded::{Durability, Journal, JournalOptions};
use disk::{Disk, below};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

fn rounds() -> u64 {
    match std::env::var("COUNTERSIGN_ROUNDS") {
        Ok(rounds) => rounds.parse().expect("COUNTERSIGN_ROUNDS is a number"),
        Err(_) => 40,
    }
}

/// What was answered to requests that had been accepted before.
#[derive(Debug, Default)]
struct Tally {
    rounds: u64,
    accepted: usize,
    seen: usize,
    undecided: usize,
    broken: usize,
    /// Requests that were signed after the power came back, and could not be decided.
    unavailable: usize,
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { rounds, accepted, seen, undecided, broken, .. } = self;
        write!(
            f,
            "{rounds} disks, {accepted} replays tried: {seen} refused, {undecided} not decided, {broken} accepted"
        )
    }
}

#[test]
fn attack_29_when_the_power_goes_no_accepted_request_is_accepted_again() {
    let tally = torture(rounds(), &[Durability::Os, Durability::Synced], true, STEPS);
    eprintln!("torture: {tally}");
    assert_eq!(tally.broken, 0, "{tally:?}");
    assert_eq!(tally.unavailable, 0, "requests signed later pass: {tally:?}");
    assert!(tally.accepted > 100 && tally.seen > 0 && tally.undecided > 0, "nothing was tried: {tally:?}");
}

#[test]
fn attack_29_what_was_synced_before_the_answer_is_known_and_not_only_refused() {
    let tally = torture(rounds(), &[Durability::Synced], true, STEPS);
    assert_eq!((tally.broken, tally.unavailable), (0, 0), "{tally:?}");
    // A tail that was not synced yet can look like damage, and then what could be meant by it is refused.
    assert!(tally.seen > 3 * tally.undecided, "{tally:?}");
}

/// Far ahead and back, with files unlinked meanwhile.
#[test]
fn attack_29_however_the_clock_steps_over_power_cuts_and_restarts_nothing_is_reopened() {
    let steps = [0, 5_000, -5_000, 400, -300, 100_000, -100_000, 70];
    let tally = torture(rounds(), &[Durability::Os, Durability::Synced], true, &steps);
    eprintln!("torture: with a clock that steps, {tally}");
    assert_eq!((tally.broken, tally.unavailable), (0, 0), "{tally:?}");
    assert!(tally.accepted > 100 && tally.undecided > 0, "nothing was tried: {tally:?}");
}

/// The tests above are worth something: where a sync does nothing, promises are broken.
#[test]
fn attack_29_with_the_sync_taken_out_promises_are_broken() {
    for durability in [Durability::Os, Durability::Synced] {
        let mut tally = Tally::default();
        // A disk that lost too much does not open at all, and then nothing is accepted.
        while tally.broken == 0 && tally.rounds < 5_000 {
            life(tally.rounds, &[durability], false, STEPS, &mut tally);
            tally.rounds += 1;
        }
        eprintln!("torture: with the sync taken out, {durability:?}: {tally}");
        assert!(tally.broken > 0, "nothing was forgotten, so the test cannot see it when something is: {tally:?}");
    }
}

/// How the clock has moved between two lives, in seconds.
const STEPS: &[i64] = &[0, 1, 20, 100, -30, -400];

fn torture(rounds: u64, durabilities: &[Durability], syncs: bool, steps: &[i64]) -> Tally {
    let mut tally = Tally::default();
    for round in 0..rounds {
        life(round, durabilities, syncs, steps, &mut tally);
        tally.rounds += 1;
    }
    tally
}

/// One disk from its first use to its last.
fn life(seed: u64, durabilities: &[Durability], syncs: bool, steps: &[i64], tally: &mut Tally) {
    let mut random = seed.wrapping_mul(0xd134_2543_de82_ef95) | 1;
    below(&mut random, 2);
    let disk = Disk::new(seed, syncs);
    let mut latest = 0;
    let mut accepted: Vec<ReplayEntry> = Vec::new();
    let mut now = 1_000_000;
    let numbers = AtomicU32::new(0);
    for _ in 0..4 {
        let which = usize::try_from(below(&mut random, durabilities.len() as u64)).unwrap();
        let options = JournalOptions { durability: durabilities[which], ..JournalOptions::default() };
        let disk = disk.for_another_process();
        let folder: Arc<dyn Folder> = Arc::new(disk.clone());
        let open = |now| Journal::open_on(&folder, options, UnixTime::from_secs(now));
        // A disk that lies may give back what no journal is made of. Then nothing is accepted at all.
        let Ok(journal) = open(now) else {
            assert!(!syncs, "a journal that was synced opens: {:?}", open(now).map(|_| ()));
            return;
        };
        check(&journal, &accepted, now, tally);
        // Signed after all that came before.
        latest = now.max(latest) + 20;
        let fresh = journal.decide(&entry(9, numbers.fetch_add(1, Ordering::Relaxed), latest, latest + 300));
        tally.unavailable += usize::from(fresh != Ok(FirstUse::First));
        let end = below(&mut random, 8);
        if end < 6 {
            disk.power_goes_after(u32::try_from(1 + below(&mut random, 400)).unwrap());
        }
        let (more, later) = load(&journal, now, &numbers, if end < 6 { u64::MAX } else { 60 }, random);
        accepted.extend(more);
        now = later;
        match end {
            0..6 => {
                drop(journal);
                disk.power_comes_back();
            }
            // Killed: nothing of it runs again, and the kernel has what was written.
            6 => {
                disk.process_ends();
                drop(journal);
            }
            _ => drop(journal),
        }
        now = (now + steps[usize::try_from(below(&mut random, steps.len() as u64)).unwrap()]).max(1_000);
    }
}

/// Three threads send until something fails or everybody has sent `most`. Returns what was accepted, and the time.
fn load(journal: &Journal, now: i64, numbers: &AtomicU32, most: u64, seed: u64) -> (Vec<ReplayEntry>, i64) {
    let clock = AtomicI64::new(now);
    let accepted = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3)
            .map(|thread| {
                let clock = &clock;
                scope.spawn(move || {
                    let mut random = seed ^ (0x5851_f42d_4c95_7f2d << thread) | 1;
                    let mut accepted = Vec::new();
                    for _ in 0..most.min(10_000) {
                        let step = i64::from(below(&mut random, 20) == 0);
                        let now = clock.fetch_add(step, Ordering::Relaxed);
                        let asked = request(numbers.fetch_add(1, Ordering::Relaxed), now, &mut random);
                        match journal.decide(&asked) {
                            Ok(FirstUse::First) => accepted.push(asked),
                            Err(StoreError::Unavailable(_)) => break,
                            _ => {}
                        }
                    }
                    accepted
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    (accepted, clock.into_inner())
}

/// A request of some scheme: signed a while ago and good for five minutes or an hour, or remembered from now on.
fn request(number: u32, now: i64, random: &mut u64) -> ReplayEntry {
    let age = i64::try_from(below(random, 30)).unwrap();
    let life = if below(random, 4) == 0 { 3_600 } else { 300 };
    let mut asked = entry(1, number, now, now - age + life);
    let since = if below(random, 5) == 0 { now - (life - age) } else { now - age - 60 };
    asked.since = UnixTime::from_secs(since);
    asked
}

/// Asks for everything that was accepted once more.
fn check(journal: &Journal, accepted: &[ReplayEntry], now: i64, tally: &mut Tally) {
    for asked in accepted {
        let again = ReplayEntry { now: UnixTime::from_secs(now), ..*asked };
        if asked.live_until < again.now {
            continue;
        }
        tally.accepted += 1;
        match journal.decide(&again) {
            Ok(FirstUse::First) => tally.broken += 1,
            Ok(FirstUse::Seen) => tally.seen += 1,
            Err(_) => tally.undecided += 1,
        }
    }
}
