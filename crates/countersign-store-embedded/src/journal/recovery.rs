//! Reads a journal back when it is opened.
//!
//! Files in which nothing can be live are not read, only removed, so damage in them does not matter. In the
//! others every record goes back into the index, even one that is over by the clock: the clock may be wrong.

use super::error::JournalError;
use super::floor::{self, Floor, NoFloor};
use super::folder::Folder;
use super::format::{self, Ending, FileName, RECORD_BYTES, Unreadable};
use super::janitor;
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
    /// ended, and its request was never answered.
    pub torn: Vec<TornTail>,
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
}

/// Reads what is in the folder into the index.
pub(crate) fn recover(folder: &Arc<dyn Folder>, index: &MemoryReplay, now: u32) -> Result<Recovered, JournalError> {
    let files = journal_files(&**folder)?;
    let floor = known_floor(folder, files.is_empty())?;
    let folder = &**folder;
    let known = floor.value().map_err(io("read", folder.path(floor::NAME)))?;
    let (mut over, files): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|name| name.span.last < now || name.span.last <= known);
    let mut report = Recovery { files: files.len(), files_over: over.len(), ..Recovery::default() };
    janitor::remove(folder, &floor, &mut over).map_err(io("remove old files", folder.path("")))?;
    index.raise_floor(floor.value().map_err(io("read", folder.path(floor::NAME)))?)?;
    index.reserve(records_in(folder, &files)?)?;
    let mut kept = Vec::new();
    for name in files {
        if read_file(folder, name, index, &mut report)? {
            kept.push(name);
        }
    }
    Ok(Recovered { report, kept, floor })
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

/// Reads one file. Says whether it is still there.
fn read_file(
    folder: &dyn Folder,
    name: FileName,
    index: &MemoryReplay,
    report: &mut Recovery,
) -> Result<bool, JournalError> {
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
    let at = match ending {
        Ok(Ending::Whole) => return Ok(true),
        Ok(Ending::Torn { at }) => at,
        Err(Unreadable::Failed(source)) => return Err(JournalError::Io { doing: "read", path, source }),
        Err(Unreadable::Damaged { at, damage }) => {
            return Err(JournalError::Damaged { file: path, offset: at, damage, until: name.span.last });
        }
    };
    let cut = if at == 0 { folder.remove(&text) } else { folder.cut(&text, at) };
    cut.map_err(io("cut off an incomplete record", path.clone()))?;
    report.torn.push(TornTail { file: path, at });
    Ok(at > 0)
}

fn io(doing: &'static str, path: PathBuf) -> impl FnOnce(std::io::Error) -> JournalError {
    move |source| JournalError::Io { doing, path, source }
}
