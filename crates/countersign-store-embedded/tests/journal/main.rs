//! The journal against the conformance suite, restarts, damage, and a file layer that fails.

use countersign_core::replay::{FirstUse, StoreError};
use countersign_core::time::UnixTime;
use countersign_store::Limits;
use countersign_store::conformance::entry;
use countersign_store_embedded::journal::Damage;
use countersign_store_embedded::{Durability, Journal, JournalError, JournalOptions};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

mod conformance {
    use super::{Kept, options};
    use countersign_core::replay::ReplayGuard;
    use countersign_core::time::UnixTime;
    use countersign_store::conformance::Durable;
    use countersign_store::{Limits, replay_conformance, replay_durability};
    use countersign_store_embedded::{Durability, Journal, JournalOptions};

    replay_conformance!(|limits| -> Box<dyn ReplayGuard> { Box::new(Kept::new(options(limits))) });

    replay_durability!(|| durable(Durability::Os));

    mod synced {
        use super::{Durability, durable};
        use countersign_store::replay_durability;

        replay_durability!(|| durable(Durability::Synced));
    }

    fn durable(durability: Durability) -> Durable {
        let folder = tempfile::tempdir().unwrap();
        Box::new(move |limits: Limits, now: UnixTime| {
            let options = JournalOptions { limits, durability };
            Box::new(Journal::open(folder.path(), options, now).unwrap())
        })
    }
}

mod faults;

/// A journal in a temporary folder that goes when it does.
struct Kept {
    journal: Journal,
    _folder: TempDir,
}

impl Kept {
    fn new(options: JournalOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { journal: Journal::open(folder.path(), options, UnixTime::from_secs(0)).unwrap(), _folder: folder }
    }
}

impl countersign_core::replay::ReplayGuard for Kept {
    fn admit<'a>(
        &'a self,
        entry: &'a countersign_core::replay::ReplayEntry,
    ) -> countersign_core::replay::Answer<'a, Result<FirstUse, StoreError>> {
        self.journal.admit(entry)
    }
}

fn options(limits: Limits) -> JournalOptions {
    JournalOptions { limits, ..JournalOptions::default() }
}

fn open(store: &Path, now: i64) -> Result<Journal, JournalError> {
    Journal::open(store, JournalOptions::default(), UnixTime::from_secs(now))
}

fn admit(journal: &Journal, numbers: std::ops::Range<u32>, now: i64, live_until: i64) {
    for number in numbers {
        assert_eq!(journal.decide(&entry(1, number, now, live_until)), Ok(FirstUse::First), "entry {number}");
    }
}

fn journal_files(store: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(store.join("replay")).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> = files.filter(|file| file.extension().is_some_and(|ext| ext == "journal")).collect();
    files.sort();
    files
}

/// A store whose one journal file holds the entries 0 to 4, live until 1000.
fn five_entries() -> (TempDir, PathBuf) {
    let store = tempfile::tempdir().unwrap();
    let journal = open(store.path(), 900).unwrap();
    admit(&journal, 0..5, 900, 1000);
    drop(journal);
    let [file] = &journal_files(store.path())[..] else { panic!("one file") };
    let file = file.clone();
    (store, file)
}

#[test]
fn cut_at_any_byte_every_complete_record_is_known_and_the_next_write_is_good() {
    for length in 0..=32 + 5 * 24 {
        let (store, file) = five_entries();
        let bytes = std::fs::read(&file).unwrap();
        assert_eq!(bytes.len(), 32 + 5 * 24);
        std::fs::write(&file, &bytes[..length]).unwrap();
        let complete = u32::try_from(length.saturating_sub(32) / 24).unwrap();

        let journal = open(store.path(), 900).unwrap();
        let torn = length < 32 || (length - 32) % 24 != 0;
        assert_eq!(journal.recovery().torn.len(), usize::from(torn), "cut at {length}");
        assert_eq!(journal.recovery().records, u64::from(complete));
        for number in 0..5 {
            let expected = if number < complete { FirstUse::Seen } else { FirstUse::First };
            assert_eq!(journal.decide(&entry(1, number, 900, 1000)), Ok(expected), "{number} cut at {length}");
        }
        drop(journal);

        let journal = open(store.path(), 900).unwrap();
        assert!(journal.recovery().torn.is_empty(), "the incomplete record is gone");
        for number in 0..5 {
            assert_eq!(journal.decide(&entry(1, number, 900, 1000)), Ok(FirstUse::Seen), "{number}, again");
        }
    }
}

#[test]
fn damage_is_named_with_file_and_offset_and_is_not_read_over() {
    for (byte, offset, damage) in [
        (3, 0, Damage::Header),
        (32 + 24, 32 + 24, Damage::Checksum),
        (32 + 5 * 24 - 1, 32 + 4 * 24, Damage::Checksum),
    ] {
        let (store, file) = five_entries();
        let mut bytes = std::fs::read(&file).unwrap();
        bytes[byte] ^= 0x40;
        std::fs::write(&file, bytes).unwrap();
        let error = open(store.path(), 900).unwrap_err();
        let JournalError::Damaged { file: named, offset: at, damage: what, until } = &error else {
            panic!("{error:?}");
        };
        assert_eq!((named, *at, *what, *until), (&file, offset, damage, 1023));
        assert!(error.to_string().contains(&format!("at byte {offset}")), "{error}");
        assert!(error.hint().contains("after second 1023"), "{}", error.hint());
    }
}

/// A journal of seven files, with two entries each, that live until 1000 and every 64 seconds after.
fn seven_files() -> (TempDir, Vec<PathBuf>) {
    let store = tempfile::tempdir().unwrap();
    let journal = open(store.path(), 900).unwrap();
    for (number, live_until) in (0..7).zip((1000..).step_by(64)) {
        admit(&journal, number * 2..number * 2 + 2, 900, live_until);
    }
    drop(journal);
    let files = journal_files(store.path());
    assert_eq!(files.len(), 7);
    (store, files)
}

#[test]
fn files_that_are_read_side_by_side_are_all_there() {
    let (store, _) = seven_files();
    let journal = open(store.path(), 900).unwrap();
    assert_eq!((journal.recovery().records, journal.recovery().files), (14, 7));
    assert_eq!(journal.live(), Ok(14));
    for (number, live_until) in (0..7).zip((1000..).step_by(64)) {
        for number in [number * 2, number * 2 + 1] {
            assert_eq!(journal.decide(&entry(1, number, 900, live_until)), Ok(FirstUse::Seen), "{number}");
        }
    }
}

/// However fast the threads are that read them.
#[test]
fn of_several_damaged_files_the_eldest_is_named_and_none_is_changed_after_it() {
    let (store, files) = seven_files();
    for file in &files[3..] {
        let mut bytes = std::fs::read(file).unwrap();
        bytes[40] ^= 1;
        bytes.pop();
        std::fs::write(file, bytes).unwrap();
    }
    let mut torn = std::fs::read(&files[1]).unwrap();
    torn.truncate(60);
    std::fs::write(&files[1], torn).unwrap();
    for _ in 0..50 {
        let error = open(store.path(), 900).unwrap_err();
        assert!(matches!(&error, JournalError::Damaged { file, offset: 32, .. } if *file == files[3]), "{error:?}");
    }
    assert_eq!(std::fs::metadata(&files[1]).unwrap().len(), 56, "what was torn before it is cut off");
    for file in &files[3..] {
        assert_eq!(std::fs::metadata(file).unwrap().len(), 32 + 2 * 24 - 1, "{}", file.display());
    }
}

#[test]
fn damage_does_not_matter_once_nothing_in_the_file_is_live() {
    let (store, file) = five_entries();
    std::fs::write(&file, "nothing that was ever written").unwrap();
    assert!(open(store.path(), 1023).is_err());
    let journal = open(store.path(), 1024).unwrap();
    assert_eq!((journal.recovery().files_over, journal.recovery().records), (1, 0));
    assert!(!file.exists());
}

#[test]
fn what_is_over_is_unlinked_and_the_rest_stays() {
    let store = tempfile::tempdir().unwrap();
    let journal = open(store.path(), 900).unwrap();
    admit(&journal, 0..10, 900, 1000);
    admit(&journal, 10..20, 900, 1100);
    assert_eq!(journal_files(store.path()).len(), 2);
    admit(&journal, 20..21, 1024, 1100);
    drop(journal);
    let left = journal_files(store.path());
    assert!(left.iter().all(|file| file.to_str().unwrap().contains("1088-")), "{left:?}");
    assert!(!left.is_empty());
    let floor = std::fs::read_to_string(store.path().join("replay/floor")).unwrap();
    assert!(floor.starts_with("countersign replay floor 0000001023 "), "{floor}");
}

#[test]
fn a_file_stays_to_the_end_of_its_last_second() {
    let store = tempfile::tempdir().unwrap();
    let journal = open(store.path(), 900).unwrap();
    admit(&journal, 0..1, 900, 1023);
    admit(&journal, 1..2, 900, 1087);
    admit(&journal, 2..3, 1087, 1200);
    drop(journal);
    let journal = open(store.path(), 1087).unwrap();
    assert_eq!(journal.recovery().records, 2);
    assert_eq!(journal.decide(&entry(1, 1, 1087, 1087)), Ok(FirstUse::Seen));
}

#[test]
fn attack_29_what_was_unlinked_is_not_decided_by_a_clock_that_went_back() {
    let store = tempfile::tempdir().unwrap();
    admit(&open(store.path(), 900).unwrap(), 0..1, 900, 1000);
    admit(&open(store.path(), 5000).unwrap(), 1..2, 5000, 5100);
    let journal = open(store.path(), 900).unwrap();
    assert_eq!(journal.decide(&entry(1, 0, 900, 1000)), Err(StoreError::ClockWentBack));
    assert_eq!(journal.decide(&entry(1, 1, 900, 5100)), Ok(FirstUse::Seen));
    assert_eq!(journal.decide(&entry(1, 2, 924, 1024)), Ok(FirstUse::First), "later than all that was unlinked");
}

#[test]
fn attack_23_a_window_that_grows_does_not_bring_back_what_is_forgotten() {
    let store = tempfile::tempdir().unwrap();
    let journal = open(store.path(), 1000).unwrap();
    // Signed at 700 and accepted for 300 seconds; forgotten since; now requests are accepted for 900 seconds.
    admit(&journal, 0..1, 1000, 1000);
    admit(&journal, 1..2, 1001, 1301);
    journal.raise_floor(UnixTime::from_secs(1001 + 900 - 300)).unwrap();
    assert_eq!(journal.decide(&entry(1, 0, 1001, 700 + 900)), Err(StoreError::ClockWentBack));
    assert_eq!(journal.decide(&entry(1, 2, 1002, 702 + 900)), Ok(FirstUse::First), "accepted before and after");
    drop(journal);
    let journal = open(store.path(), 1002).unwrap();
    assert_eq!(journal.decide(&entry(1, 0, 1002, 700 + 900)), Err(StoreError::ClockWentBack));
}

#[test]
fn the_capacity_counts_what_was_read_back() {
    let store = tempfile::tempdir().unwrap();
    let five = options(Limits { entries: 5, entries_per_key: 5 });
    admit(&Journal::open(store.path(), five, UnixTime::from_secs(900)).unwrap(), 0..5, 900, 1000);
    let journal = Journal::open(store.path(), five, UnixTime::from_secs(900)).unwrap();
    assert_eq!(journal.decide(&entry(1, 5, 900, 1000)), Err(StoreError::Full));
    assert_eq!(journal.decide(&entry(1, 5, 1001, 1100)), Ok(FirstUse::First));
}

#[test]
fn attack_27_a_second_process_is_turned_away_with_the_pid_of_the_first() {
    let store = tempfile::tempdir().unwrap();
    let journal = open(store.path(), 900).unwrap();
    let error = open(store.path(), 900).unwrap_err();
    assert!(matches!(error, JournalError::Locked { pid: Some(pid), .. } if pid == std::process::id()), "{error:?}");
    assert!(error.to_string().contains(&format!("held by process {}", std::process::id())), "{error}");
    drop(journal);
    open(store.path(), 900).unwrap();
}

#[test]
fn a_missing_or_damaged_floor_is_refused() {
    let (store, _) = five_entries();
    let floor = store.path().join("replay/floor");
    std::fs::write(&floor, "countersign replay floor 0000000000 00000000\n").unwrap();
    assert!(matches!(open(store.path(), 900), Err(JournalError::FloorDamaged { .. })));
    std::fs::remove_file(&floor).unwrap();
    assert!(matches!(open(store.path(), 900), Err(JournalError::FloorMissing { .. })));
}

#[test]
fn a_missing_or_damaged_state_of_the_run_is_refused() {
    let (store, _) = five_entries();
    let run = store.path().join("replay/run");
    std::fs::write(&run, "countersign replay run closed - 0 0 0 0 00000000\n").unwrap();
    assert!(matches!(open(store.path(), 900), Err(JournalError::FloorDamaged { .. })));
    std::fs::remove_file(&run).unwrap();
    assert!(matches!(open(store.path(), 900), Err(JournalError::FloorMissing { .. })));
}

#[test]
fn the_state_of_the_run_says_which_boot_it_is_of_and_how_it_ended() {
    let store = tempfile::tempdir().unwrap();
    let run = || std::fs::read_to_string(store.path().join("replay/run")).unwrap();
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    for (durability, word) in [(Durability::Os, " open "), (Durability::Synced, " open-synced ")] {
        let options = JournalOptions { durability, ..JournalOptions::default() };
        let journal = Journal::open(store.path(), options, UnixTime::from_secs(900)).unwrap();
        assert!(run().contains(boot.trim()) && run().contains(word), "{}", run());
        drop(journal);
        assert!(run().contains(" closed "), "{}", run());
    }
}

#[test]
fn a_file_that_only_calls_itself_a_journal_is_refused_and_others_are_left_alone() {
    let (store, _) = five_entries();
    let other = store.path().join("replay/notes.txt");
    std::fs::write(&other, "not ours").unwrap();
    open(store.path(), 900).unwrap();
    assert_eq!(std::fs::read_to_string(&other).unwrap(), "not ours");
    std::fs::write(store.path().join("replay/copy of 1.journal"), "").unwrap();
    let error = open(store.path(), 900).unwrap_err();
    assert!(
        matches!(&error, JournalError::UnexpectedFile { file } if file.ends_with("copy of 1.journal")),
        "{error}"
    );
}

#[test]
fn a_folder_that_cannot_be_written_to_is_named() {
    let store = tempfile::tempdir().unwrap();
    let file = store.path().join("a file");
    std::fs::write(&file, "").unwrap();
    let error = open(&file, 900).unwrap_err();
    assert!(error.to_string().contains("a file/replay"), "{error}");
}

#[test]
fn records_are_24_bytes_and_files_are_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let (store, file) = five_entries();
    assert_eq!(file.metadata().unwrap().len(), 32 + 5 * 24);
    for path in [file, store.path().join("replay/floor"), store.path().join("replay/lock")] {
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o077, 0, "{}", path.display());
    }
    assert_eq!(store.path().join("replay").metadata().unwrap().permissions().mode() & 0o077, 0);
}

#[test]
fn writes_that_are_held_back_are_written_when_the_journal_closes_in_good_order() {
    let store = tempfile::tempdir().unwrap();
    let held = JournalOptions { durability: Durability::UnsafeHeldInMemory, ..JournalOptions::default() };
    let journal = Journal::open(store.path(), held, UnixTime::from_secs(900)).unwrap();
    admit(&journal, 0..5, 900, 1000);
    assert!(journal_files(store.path()).is_empty());
    drop(journal);
    assert_eq!(open(store.path(), 900).unwrap().recovery().records, 5);
}
