//! The one writer: appends each record to the file of its span.
//!
//! A record goes to the offset where the last good one ended, by `pwrite`. What a failed write left there is
//! written over by the next, or cut off at the next start; it is never followed by a good record.
//!
//! Where answers wait for the disk, written records come together in a group, which is taken and synced without the
//! log's lock. A file whose sync failed is given up: nobody knows what the kernel dropped, so nothing is added to it,
//! it is cut back to what was synced before, and all who wrote to it since are told.
//!
//! Files of earlier runs are never appended to. They are kept here only to be let go of when they are over.

use super::Durability;
use super::folder::{Folder, LogFile};
use super::format::{FileName, HEADER_BYTES, Header, RECORD_BYTES, Span};
use super::syncer::{Promise, Ticket, promise};
use countersign_core::replay::FirstUse;
use countersign_store::Record;
use std::io;
use std::sync::Arc;

/// The journal's files, open and closed.
pub(crate) struct Log {
    folder: Arc<dyn Folder>,
    durability: Durability,
    next_serial: u32,
    /// Few enough to look through: a handful for each order of magnitude among the lives of entries.
    open: Vec<OpenFile>,
    /// Every file that is there, open or not.
    kept: Vec<FileName>,
    /// The earliest last second among `kept`.
    next_over: u32,
    /// Records that are held back, in the mode that is only for showing what happens then.
    held: Vec<(Record, u32)>,
    /// Who waits for a sync.
    group: Vec<Waiting>,
}

struct OpenFile {
    name: FileName,
    file: Arc<dyn LogFile>,
    header: Header,
    /// Where the last good record ends.
    end: u64,
    /// Where the last record ends that was taken to be synced, or synced.
    synced: u64,
}

/// Somebody whose record is written and not synced yet.
struct Waiting {
    file: FileName,
    promise: Promise,
}

/// What is synced together.
pub(crate) struct Group {
    files: Vec<(FileName, Arc<dyn LogFile>, u64)>,
    waiting: Vec<Waiting>,
}

/// What became of a group.
pub(crate) struct Synced {
    pub(crate) failed: Vec<Unsynced>,
    waiting: Vec<Waiting>,
}

/// A file whose sync failed, and where its last synced record ends.
pub(crate) struct Unsynced {
    name: FileName,
    end: u64,
    why: String,
}

/// A record that was written.
#[derive(Debug)]
pub(crate) enum Written {
    /// And is where the durability says.
    Done,
    /// And waits for the disk.
    Waits(Ticket),
}

impl Log {
    /// A log that adds to the files that are `kept`.
    pub(crate) fn new(folder: Arc<dyn Folder>, durability: Durability, kept: Vec<FileName>) -> Self {
        let next_serial = kept.iter().map(|name| name.serial).max().map_or(1, |last| last.saturating_add(1));
        let (open, held, group) = (Vec::new(), Vec::new(), Vec::new());
        let mut log = Self { folder, durability, next_serial, open, kept, next_over: 0, held, group };
        log.look_ahead();
        log
    }

    /// Writes one record.
    pub(crate) fn append(&mut self, record: Record, now: u32) -> io::Result<Written> {
        if self.durability == Durability::UnsafeHeldInMemory {
            self.held.push((record, now));
            return Ok(Written::Done);
        }
        let file = self.write(record, now)?;
        if self.durability != Durability::Synced {
            return Ok(Written::Done);
        }
        let (promise, ticket) = promise();
        self.group.push(Waiting { file, promise });
        Ok(Written::Waits(ticket))
    }

    /// Takes those who wait, and what has to be synced for them.
    pub(crate) fn take_group(&mut self) -> Option<Group> {
        if self.group.is_empty() {
            return None;
        }
        let mut files = Vec::new();
        for open in self.open.iter_mut().filter(|open| open.synced < open.end) {
            files.push((open.name, Arc::clone(&open.file), open.synced));
            open.synced = open.end;
        }
        Some(Group { files, waiting: std::mem::take(&mut self.group) })
    }

    /// Gives up files, and those who wrote to them since.
    pub(crate) fn give_up(&mut self, failed: &[Unsynced]) {
        for Unsynced { name, end, why } in failed {
            self.open.retain(|open| open.name != *name);
            // What was synced before stays; what was not is cut off, if that can be done, so that the next start does
            // not take it for damage.
            let file = name.to_string();
            if let Err(error) = self.folder.cut(&file, *end) {
                tracing::warn!(%error, file, "the end of a journal file could not be cut off");
            }
            for waiting in self.group.extract_if(.., |waiting| waiting.file == *name) {
                waiting.promise.keep(Err(super::unavailable(why)));
            }
        }
    }

    /// Puts everything on the disk, the files of earlier runs included.
    pub(crate) fn sync_all(&mut self) -> io::Result<()> {
        sync_all(&*self.folder, &self.kept)
    }

    /// Lets go of the files in which nothing is live at `now`. They are still there, and not to be written to
    /// again.
    pub(crate) fn over(&mut self, now: u32) -> Vec<FileName> {
        if self.next_over >= now {
            return Vec::new();
        }
        // One with records that wait for a sync is let go of after that.
        let waits = |open: &OpenFile| self.durability == Durability::Synced && open.synced < open.end;
        self.open.retain(|open| open.name.span.last >= now || waits(open));
        let over = self.kept.extract_if(.., |name| name.span.last < now).collect();
        self.look_ahead();
        over
    }

    /// Writes what is held back.
    pub(crate) fn release(&mut self) -> io::Result<()> {
        for (record, now) in std::mem::take(&mut self.held) {
            self.write(record, now)?;
        }
        Ok(())
    }

    /// Says which file it was written to.
    fn write(&mut self, record: Record, now: u32) -> io::Result<FileName> {
        let span = Span::of(record.until, now);
        let at = match self.open.iter().position(|open| open.name.span == span) {
            Some(at) => at,
            None => self.create(span)?,
        };
        let open = &mut self.open[at];
        open.file.write_at(&open.header.record(record), open.end)?;
        open.end += RECORD_BYTES as u64;
        Ok(open.name)
    }

    /// Starts a file. Returns where it is among the open ones.
    fn create(&mut self, span: Span) -> io::Result<usize> {
        let serial = self.next_serial;
        let following = serial.checked_add(1).ok_or(io::ErrorKind::StorageFull)?;
        let (name, header) = (FileName { span, serial }, Header::of(span));
        let file: Arc<dyn LogFile> = Arc::from(self.folder.create(&name.to_string())?);
        // From here on there is a file, whatever happens to the rest of it.
        self.next_serial = following;
        self.kept.push(name);
        self.look_ahead();
        file.write_at(&header.bytes, 0)?;
        if self.durability == Durability::Synced {
            file.sync()?;
            self.folder.sync()?;
        }
        let end = HEADER_BYTES as u64;
        self.open.push(OpenFile { name, file, header, end, synced: end });
        Ok(self.open.len() - 1)
    }

    fn look_ahead(&mut self) {
        self.next_over = self.kept.iter().map(|name| name.span.last).min().unwrap_or(u32::MAX);
    }
}

impl Group {
    /// Puts it on the disk.
    pub(crate) fn sync(self) -> Synced {
        let mut failed = Vec::new();
        for (name, file, end) in self.files {
            if let Err(error) = file.sync() {
                failed.push(Unsynced { name, end, why: error.to_string() });
            }
        }
        Synced { failed, waiting: self.waiting }
    }
}

impl Synced {
    /// Tells those who wait.
    pub(crate) fn tell(self) {
        for Waiting { file, promise } in self.waiting {
            match self.failed.iter().find(|failed| failed.name == file) {
                Some(failed) => promise.keep(Err(super::unavailable(&failed.why))),
                None => promise.keep(Ok(FirstUse::First)),
            }
        }
    }
}

/// Puts files and their names on the disk.
pub(crate) fn sync_all(folder: &dyn Folder, files: &[FileName]) -> io::Result<()> {
    for name in files {
        match folder.sync_file(&name.to_string()) {
            // The janitor was faster.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            synced => synced?,
        }
    }
    folder.sync()
}
