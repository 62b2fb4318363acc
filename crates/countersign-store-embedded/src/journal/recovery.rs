//! Reads a journal back when it is opened.
//!
//! Files in which nothing can be live are not read, only removed, so damage in them does not matter. In the
//! others every record goes back into the index, even one that is over by the clock: the clock may be wrong.
//!
//! Files are read side by side, on as many threads as there are processors. Only when all are read is anything about
//! them reported or changed, eldest first, so what is found does not depend on who was faster.
//!
//! Damage in them is an error, unless the system crashed or lost power since they were written: then it is what was not
//! synced yet, it is cut off, and what may be lost with it is quarantined (see [`boot`](super::boot)).

use super::boot::{Before, NoLine, Run, State};
use super::error::JournalError;
use super::floor::{self, Floor, NoFloor};
use super::folder::Folder;
use super::format::{self, Ending, FileName, RECORD_BYTES, Unreadable};
use super::janitor;
use super::{Durability, boot, log};
use countersign_store::{MemoryReplay, Record};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What was found when the journal was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovery {
    /// How many records were read.
    pub records: u64,
    /// How many files they were read from.
    pub files: usize,
    /// How many files were removed unread, because nothing in them could be live.
    pub files_over: usize,
    /// Files that ended in the middle of a record, which was cut off: it was being written when the process
    /// ended, and its request was never answered. After a crash of the system, also files that were damaged, from
    /// there on.
    pub torn: Vec<TornTail>,
    /// Whether the system crashed or lost power while the journal was open.
    pub crashed: bool,
    /// The last second of [`ReplayEntry::since`](countersign_core::replay::ReplayEntry::since) that cannot be decided,
    /// because something may have been lost in this crash or one before. `None`: nothing ever was.
    pub quarantined_until: Option<u32>,
}

/// A file that ended in the middle of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TornTail {
    /// The file.
    pub file: PathBuf,
    /// Where the incomplete record began, in bytes, and the file ends now. 0: the file held nothing yet, and was
    /// removed.
    pub at: u64,
}

/// What there is to go on with.
pub(crate) struct Recovered {
    pub(crate) report: Recovery,
    pub(crate) kept: Vec<FileName>,
    pub(crate) floor: Floor,
    pub(crate) run: Run,
}

/// Reads what is in the folder into the index.
pub(crate) fn recover(
    folder: &Arc<dyn Folder>,
    index: &MemoryReplay,
    durability: Durability,
    now: u32,
) -> Result<Recovered, JournalError> {
    let files = journal_files(&**folder)?;
    let shared = Arc::clone(folder);
    let floor = known_floor(folder, files.is_empty())?;
    let folder = &**folder;
    let run_file = || folder.path(boot::NAME);
    let before = match Run::before(folder) {
        Ok(before) => Some(before),
        Err(NoLine::Missing) if files.is_empty() => None,
        Err(NoLine::Missing) => return Err(JournalError::FloorMissing { file: run_file() }),
        Err(NoLine::Damaged) => return Err(JournalError::FloorDamaged { file: run_file() }),
        Err(NoLine::Failed(source)) => return Err(JournalError::Io { doing: "read", path: run_file(), source }),
    };
    let (before, line) = before.map_or((Before::Whole, None), |(before, line)| (before, Some(line)));
    let known = floor.value().map_err(io("read", folder.path(floor::NAME)))?;
    let (mut over, files): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|name| name.span.last < now || name.span.last <= known);
    let mut report = Recovery { files: files.len(), files_over: over.len(), ..Recovery::default() };
    janitor::remove(folder, &floor, &mut over).map_err(io("remove old files", folder.path("")))?;
    index.raise_floor(floor.value().map_err(io("read", folder.path(floor::NAME)))?)?;
    index.reserve(records_in(folder, &files)?)?;
    let mut kept = Vec::new();
    let mut lost = before == Before::Crashed;
    report.crashed = before != Before::Whole;
    for (name, read) in files.iter().copied().zip(read_all(folder, &files, index)) {
        let read = read?;
        report.records += read.records;
        match settle(folder, name, read, &mut report)? {
            Found::Kept => kept.push(name),
            Found::Removed => {}
            Found::Damaged { kept: is_kept } => {
                lost = true;
                kept.extend(is_kept.then_some(name));
            }
        }
    }
    let state = if durability == Durability::Synced { State::OpenSynced } else { State::Open };
    if state == State::OpenSynced {
        // What an earlier run left to the kernel has to be as safe as what follows.
        log::sync_all(folder, &kept).map_err(io("sync", folder.path("")))?;
    }
    let run = Run::begin(shared, line.as_ref(), lost, state).map_err(io("write", run_file()))?;
    report.quarantined_until = Some(run.quarantine().since).filter(|_| run.quarantine() != boot::Bounds::default());
    Ok(Recovered { report, kept, floor, run })
}

/// The journal files in the folder, eldest first.
fn journal_files(folder: &dyn Folder) -> Result<Vec<FileName>, JournalError> {
    let names = folder.names().map_err(io("list the files", folder.path("")))?;
    let parsed = names.iter().filter_map(|name| Some((name, FileName::parse(name)?)));
    let unexpected = |name: &str| JournalError::UnexpectedFile { file: folder.path(name) };
    let mut files = parsed.map(|(name, file)| file.map_err(|()| unexpected(name))).collect::<Result<Vec<_>, _>>()?;
    files.sort_unstable();
    Ok(files)
}

/// How many records there are at most, by the length of the files.
fn records_in(folder: &dyn Folder, files: &[FileName]) -> Result<usize, JournalError> {
    let mut records = 0_u64;
    for name in files {
        let name = name.to_string();
        records += folder.length(&name).map_err(io("examine", folder.path(&name)))? / RECORD_BYTES as u64;
    }
    Ok(usize::try_from(records).unwrap_or(usize::MAX))
}

/// The floor on the disk. A folder without journal files gets one: from then on, it has to be there.
fn known_floor(folder: &Arc<dyn Folder>, empty: bool) -> Result<Floor, JournalError> {
    let file = folder.path(floor::NAME);
    match Floor::open(Arc::clone(folder)) {
        Ok(floor) => Ok(floor),
        Err(NoFloor::Missing) if empty => Floor::create(Arc::clone(folder)).map_err(io("write", file)),
        Err(NoFloor::Missing) => Err(JournalError::FloorMissing { file }),
        Err(NoFloor::Damaged) => Err(JournalError::FloorDamaged { file }),
        Err(NoFloor::Failed(source)) => Err(JournalError::Io { doing: "read", path: file, source }),
    }
}

/// What became of a file.
enum Found {
    Kept,
    Removed,
    /// What was damaged is cut off.
    Damaged {
        kept: bool,
    },
}

/// What was read of a file.
struct Read {
    records: u64,
    ending: Result<Ending, Unreadable>,
}

/// Reads files side by side. What was read is in their order.
fn read_all(folder: &dyn Folder, files: &[FileName], index: &MemoryReplay) -> Vec<Result<Read, JournalError>> {
    let next = AtomicUsize::new(0);
    let some = || {
        let mut batch = Vec::new();
        let mut read = Vec::new();
        while let at = next.fetch_add(1, Ordering::Relaxed)
            && let Some(name) = files.get(at)
        {
            read.push((at, read_file(folder, *name, index, &mut batch)));
        }
        read
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(MOST_THREADS).min(files.len());
    let mut read = thread::scope(|scope| {
        let start = |_| thread::Builder::new().name("journal-reader".to_owned()).spawn_scoped(scope, some);
        // Where there are no threads to be had, this one reads what is left.
        let others: Vec<_> = (1..threads).map_while(|number| start(number).ok()).collect();
        let mut read = some();
        for other in others {
            read.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        read
    });
    read.sort_unstable_by_key(|(at, _)| *at);
    read.into_iter().map(|(_, read)| read).collect()
}

/// Reads one file into the index, many records at a time. They are gathered in `batch`, which is empty before and after.
fn read_file(
    folder: &dyn Folder,
    name: FileName,
    index: &MemoryReplay,
    batch: &mut Vec<Record>,
) -> Result<Read, JournalError> {
    let name_text = name.to_string();
    let file = folder.read(&name_text).map_err(io("read", folder.path(&name_text)))?;
    let (mut count, mut restored) = (0, Ok(()));
    let ending = format::read(file, name.span, |records| {
        count += records.len() as u64;
        batch.extend_from_slice(records);
        if batch.len() >= RECORDS_AT_ONCE {
            restored = std::mem::replace(&mut restored, Ok(())).and(index.restore(batch));
            batch.clear();
        }
    });
    let rest = index.restore(batch);
    batch.clear();
    restored.and(rest)?;
    Ok(Read { records: count, ending })
}

/// Says what became of a file that was read. After a crash damage is to be expected, and to be cut off.
fn settle(folder: &dyn Folder, name: FileName, read: Read, report: &mut Recovery) -> Result<Found, JournalError> {
    let (text, path) = (name.to_string(), folder.path(&name.to_string()));
    let (at, damaged) = match read.ending {
        Ok(Ending::Whole) => return Ok(Found::Kept),
        Ok(Ending::Torn { at }) => (at, false),
        Err(Unreadable::Damaged { at, .. }) if report.crashed => (at, true),
        Err(Unreadable::Failed(source)) => return Err(JournalError::Io { doing: "read", path, source }),
        Err(Unreadable::Damaged { at, damage }) => {
            return Err(JournalError::Damaged { file: path, offset: at, damage, until: name.span.last });
        }
    };
    let cut = if at == 0 { folder.remove(&text) } else { folder.cut(&text, at) };
    cut.map_err(io("cut off an incomplete record", path.clone()))?;
    report.torn.push(TornTail { file: path, at });
    Ok(match (damaged, at > 0) {
        (true, kept) => Found::Damaged { kept },
        (false, true) => Found::Kept,
        (false, false) => Found::Removed,
    })
}

fn io(doing: &'static str, path: PathBuf) -> impl FnOnce(std::io::Error) -> JournalError {
    move |source| JournalError::Io { doing, path, source }
}

/// Enough that a record costs little wherever it goes in the index, and less than thirty megabytes for each thread.
const RECORDS_AT_ONCE: usize = 1 << 19;
/// More would wait for memory.
const MOST_THREADS: usize = 8;

#[cfg(test)]
mod tests {
    use super::super::folder::Directory;
    use super::super::format::{Header, Span};
    use super::*;
    use countersign_store::Limits;

    #[test]
    fn a_file_with_more_records_than_go_in_at_once_is_read_whole() {
        let (temporary, index) = (tempfile::tempdir().unwrap(), MemoryReplay::new(Limits::default()));
        let folder = Directory::open(temporary.path()).unwrap();
        let name = FileName { span: Span { first: 960, last: 1023 }, serial: 1 };
        let count = RECORDS_AT_ONCE as u64 + 20_000;
        let header = Header::of(name.span);
        let record = |number: u64| Record { fingerprint: u128::from(number).to_le_bytes(), until: 1000 };
        let records = (0..count).flat_map(|number| header.record(record(number)));
        std::fs::write(folder.path(&name.to_string()), header.bytes.into_iter().chain(records).collect::<Vec<_>>())
            .unwrap();
        let mut batch = Vec::new();
        let read = read_file(&folder, name, &index, &mut batch).unwrap();
        assert_eq!(read.records, count);
        assert!(matches!(read.ending, Ok(Ending::Whole)));
        assert!(batch.is_empty());
        assert_eq!(index.live(), Ok(usize::try_from(count).unwrap()));
    }
}
