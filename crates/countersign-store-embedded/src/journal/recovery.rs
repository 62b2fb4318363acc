//! Reads a journal back when it is opened.
//!
//! Files in which nothing can be live are not read, only removed, so damage in them does not matter. In the
//! others every record goes back into the index, even one that is over by the clock: the clock may be wrong.
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
use countersign_store::MemoryReplay;
use std::path::PathBuf;
use std::sync::Arc;

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
    for name in files {
        match read_file(folder, name, index, report.crashed, &mut report)? {
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

/// Reads one file. `crashed`: damage is to be expected, and to be cut off.
fn read_file(
    folder: &dyn Folder,
    name: FileName,
    index: &MemoryReplay,
    crashed: bool,
    report: &mut Recovery,
) -> Result<Found, JournalError> {
    let (text, path) = (name.to_string(), folder.path(&name.to_string()));
    let file = folder.read(&text).map_err(io("read", path.clone()))?;
    let mut restored = Ok(());
    let ending = format::read(file, name.span, |records| {
        report.records += records.len() as u64;
        if restored.is_ok() {
            restored = index.restore(records);
        }
    });
    restored?;
    let (at, damaged) = match ending {
        Ok(Ending::Whole) => return Ok(Found::Kept),
        Ok(Ending::Torn { at }) => (at, false),
        Err(Unreadable::Damaged { at, .. }) if crashed => (at, true),
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
