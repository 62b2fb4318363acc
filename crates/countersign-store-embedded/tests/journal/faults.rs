//! A file layer that fails on demand, over a real folder.

use countersign_core::replay::{FirstUse, StoreError};
use countersign_core::time::UnixTime;
use countersign_store::conformance::entry;
use countersign_store_embedded::journal::folder::{Directory, Folder, LogFile};
use countersign_store_embedded::{Durability, Journal, JournalOptions};
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// What goes wrong.
#[derive(Debug)]
struct Faults {
    /// How many bytes may still be written to journal files.
    room: AtomicUsize,
    sync_fails: AtomicBool,
    remove_fails: AtomicBool,
    /// What was done to names, in order.
    done: Mutex<Vec<String>>,
}

#[derive(Debug)]
struct FaultyFolder {
    below: Directory,
    faults: Arc<Faults>,
}

struct FaultyFile {
    below: Box<dyn LogFile>,
    faults: Arc<Faults>,
}

impl Folder for FaultyFolder {
    fn names(&self) -> io::Result<Vec<String>> {
        self.below.names()
    }

    fn read(&self, name: &str) -> io::Result<Box<dyn Read>> {
        self.below.read(name)
    }

    fn length(&self, name: &str) -> io::Result<u64> {
        self.below.length(name)
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn LogFile>> {
        let below = self.below.create(name)?;
        Ok(Box::new(FaultyFile { below, faults: Arc::clone(&self.faults) }))
    }

    fn cut(&self, name: &str, length: u64) -> io::Result<()> {
        self.below.cut(name, length)
    }

    fn replace(&self, name: &str, contents: &[u8]) -> io::Result<()> {
        self.faults.done.lock().unwrap().push(format!("replace {name}"));
        self.below.replace(name, contents)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        if self.faults.remove_fails.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.faults.done.lock().unwrap().push(format!("remove {name}"));
        self.below.remove(name)
    }

    fn sync_file(&self, name: &str) -> io::Result<()> {
        self.below.sync_file(name)
    }

    fn sync(&self) -> io::Result<()> {
        self.below.sync()
    }

    fn boot(&self) -> String {
        self.below.boot()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.below.path(name)
    }
}

impl LogFile for FaultyFile {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let room = self.faults.room.load(Ordering::Relaxed);
        let fits = bytes.len().min(room);
        self.faults.room.store(room - fits, Ordering::Relaxed);
        self.below.write_at(&bytes[..fits], offset)?;
        if fits < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&self) -> io::Result<()> {
        if self.faults.sync_fails.load(Ordering::Relaxed) {
            return Err(io::Error::other("the disk said no"));
        }
        self.below.sync()
    }
}

struct Setup {
    store: tempfile::TempDir,
    faults: Arc<Faults>,
}

impl Setup {
    fn new() -> Self {
        let faults = Faults {
            room: AtomicUsize::new(usize::MAX),
            sync_fails: AtomicBool::new(false),
            remove_fails: AtomicBool::new(false),
            done: Mutex::default(),
        };
        Self { store: tempfile::tempdir().unwrap(), faults: Arc::new(faults) }
    }

    fn open(&self, durability: Durability, now: i64) -> Journal {
        let below = Directory::open(self.store.path()).unwrap();
        let folder = FaultyFolder { below, faults: Arc::clone(&self.faults) };
        let options = JournalOptions { durability, ..JournalOptions::default() };
        let folder: Arc<dyn Folder> = Arc::new(folder);
        Journal::open_on(&folder, options, UnixTime::from_secs(now)).unwrap()
    }
}

fn decide(journal: &Journal, number: u32, now: i64) -> Result<FirstUse, StoreError> {
    journal.decide(&entry(1, number, now, 1000))
}

fn is_unavailable(decision: &Result<FirstUse, StoreError>) -> bool {
    matches!(decision, Err(StoreError::Unavailable(_)))
}

#[test]
fn on_a_disk_that_fills_up_at_any_byte_nothing_is_accepted_twice() {
    for room in 0..=32 + 3 * 24 {
        let setup = Setup::new();
        let journal = setup.open(Durability::Os, 900);
        setup.faults.room.store(room, Ordering::Relaxed);
        let answers: Vec<_> = (0..3).map(|number| decide(&journal, number, 900 + i64::from(number))).collect();
        for answer in &answers {
            assert!(*answer == Ok(FirstUse::First) || is_unavailable(answer), "{answer:?} with room for {room}");
        }
        // Then there is room again.
        setup.faults.room.store(usize::MAX, Ordering::Relaxed);
        for (number, answer) in (0..).zip(&answers) {
            let again = decide(&journal, number, 910);
            assert_eq!(again, Ok(FirstUse::Seen), "{number} after {answer:?}, room {room}");
        }
        assert_eq!(decide(&journal, 9, 910), Ok(FirstUse::First), "new ones pass at once");
        drop(journal);
        // And after a restart, what had been accepted is known, and the file is good.
        let journal = setup.open(Durability::Os, 910);
        for (number, answer) in (0..).zip(answers).chain([(9, Ok(FirstUse::First))]) {
            if answer == Ok(FirstUse::First) {
                assert_eq!(decide(&journal, number, 910), Ok(FirstUse::Seen), "{number} with room for {room}");
            }
        }
    }
}

#[test]
fn a_full_disk_burns_one_request_a_second_and_not_all_of_them() {
    let setup = Setup::new();
    let journal = setup.open(Durability::Os, 900);
    setup.faults.room.store(0, Ordering::Relaxed);
    for number in 0..100 {
        assert!(is_unavailable(&decide(&journal, number, 900)));
    }
    setup.faults.room.store(usize::MAX, Ordering::Relaxed);
    assert!(is_unavailable(&decide(&journal, 100, 900)), "still the same second");
    assert_eq!(decide(&journal, 0, 901), Ok(FirstUse::Seen), "claimed, then not written");
    for number in 1..101 {
        assert_eq!(decide(&journal, number, 901), Ok(FirstUse::First), "entry {number}");
    }
}

#[test]
fn a_sync_that_fails_is_no_acceptance_and_its_file_is_given_up() {
    let setup = Setup::new();
    let journal = setup.open(Durability::Synced, 900);
    assert_eq!(decide(&journal, 0, 900), Ok(FirstUse::First));
    setup.faults.sync_fails.store(true, Ordering::Relaxed);
    assert!(is_unavailable(&decide(&journal, 1, 901)));
    setup.faults.sync_fails.store(false, Ordering::Relaxed);
    assert_eq!(decide(&journal, 1, 902), Ok(FirstUse::Seen), "nobody knows whether it is on the disk");
    assert_eq!(decide(&journal, 2, 902), Ok(FirstUse::First));
    drop(journal);
    let journal = setup.open(Durability::Synced, 902);
    assert_eq!((journal.recovery().files, journal.recovery().records), (2, 2));
    assert!(journal.recovery().torn.is_empty());
    assert_eq!(decide(&journal, 0, 902), Ok(FirstUse::Seen));
    assert_eq!(decide(&journal, 2, 902), Ok(FirstUse::Seen));
}

#[test]
fn the_floor_is_raised_before_a_file_is_removed() {
    let setup = Setup::new();
    let journal = setup.open(Durability::Os, 900);
    assert_eq!(decide(&journal, 0, 900), Ok(FirstUse::First));
    setup.faults.done.lock().unwrap().clear();
    assert_eq!(journal.decide(&entry(1, 1, 2000, 2100)), Ok(FirstUse::First));
    drop(journal);
    let done = setup.faults.done.lock().unwrap();
    let done: Vec<_> = done.iter().filter(|done| *done != "replace run").collect();
    assert_eq!(done, ["replace floor", "remove 0000000960-0000001023.00000001.journal"]);
}

#[test]
fn files_that_cannot_be_removed_are_removed_later() {
    let setup = Setup::new();
    let journal = setup.open(Durability::Os, 900);
    assert_eq!(decide(&journal, 0, 900), Ok(FirstUse::First));
    setup.faults.remove_fails.store(true, Ordering::Relaxed);
    assert_eq!(journal.decide(&entry(1, 1, 2000, 2100)), Ok(FirstUse::First));
    drop(journal);
    let files = || Directory::open(setup.store.path()).unwrap().names().unwrap();
    let is_there = || files().iter().any(|name| name.starts_with("0000000960-"));
    assert!(is_there());
    setup.faults.remove_fails.store(false, Ordering::Relaxed);
    drop(setup.open(Durability::Os, 2000));
    assert!(!is_there());
}
