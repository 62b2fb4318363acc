//! The one writer: appends each record to the file of its span.
//!
//! A record goes to the offset where the last good one ended, by `pwrite`. What a failed write left there is
//! written over by the next, or cut off at the next start; it is never followed by a good record. A file whose
//! sync failed is given up: nobody knows what the kernel dropped, so nothing is added to it.
//!
//! Files of earlier runs are never appended to. They are kept here only to be let go of when they are over.

use super::Durability;
use super::folder::{Folder, LogFile};
use super::format::{FileName, HEADER_BYTES, Header, RECORD_BYTES, Span};
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
}

struct OpenFile {
    name: FileName,
    file: Box<dyn LogFile>,
    header: Header,
    /// Where the last good record ends.
    end: u64,
}

impl Log {
    /// A log that adds to the files that are `kept`.
    pub(crate) fn new(folder: Arc<dyn Folder>, durability: Durability, kept: Vec<FileName>) -> Self {
        let next_serial = kept.iter().map(|name| name.serial).max().map_or(1, |last| last.saturating_add(1));
        let mut log =
            Self { folder, durability, next_serial, open: Vec::new(), kept, next_over: 0, held: Vec::new() };
        log.look_ahead();
        log
    }

    /// Writes one record. When this returns without an error, the record is where the durability says.
    pub(crate) fn append(&mut self, record: Record, now: u32) -> io::Result<()> {
        if self.durability == Durability::UnsafeHeldInMemory {
            self.held.push((record, now));
            return Ok(());
        }
        self.write(record, now)
    }

    /// Lets go of the files in which nothing is live at `now`. They are still there, and not to be written to
    /// again.
    pub(crate) fn over(&mut self, now: u32) -> Vec<FileName> {
        if self.next_over >= now {
            return Vec::new();
        }
        self.open.retain(|open| open.name.span.last >= now);
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

    fn write(&mut self, record: Record, now: u32) -> io::Result<()> {
        let span = Span::of(record.until, now);
        let at = match self.open.iter().position(|open| open.name.span == span) {
            Some(at) => at,
            None => self.create(span)?,
        };
        let open = &mut self.open[at];
        open.file.write_at(&open.header.record(record), open.end)?;
        if self.durability == Durability::Synced
            && let Err(error) = open.file.sync()
        {
            // What was synced before stays; what was not is cut off, if that can be done, so that the next start
            // does not take it for damage.
            let (name, end) = (open.name.to_string(), open.end);
            self.open.swap_remove(at);
            if let Err(error) = self.folder.cut(&name, end) {
                tracing::warn!(%error, file = name, "the end of a journal file could not be cut off");
            }
            return Err(error);
        }
        open.end += RECORD_BYTES as u64;
        Ok(())
    }

    /// Starts a file. Returns where it is among the open ones.
    fn create(&mut self, span: Span) -> io::Result<usize> {
        let serial = self.next_serial;
        let following = serial.checked_add(1).ok_or(io::ErrorKind::StorageFull)?;
        let (name, header) = (FileName { span, serial }, Header::of(span));
        let file = self.folder.create(&name.to_string())?;
        // From here on there is a file, whatever happens to the rest of it.
        self.next_serial = following;
        self.kept.push(name);
        self.look_ahead();
        file.write_at(&header.bytes, 0)?;
        if self.durability == Durability::Synced {
            file.sync()?;
            self.folder.sync()?;
        }
        self.open.push(OpenFile { name, file, header, end: HEADER_BYTES as u64 });
        Ok(self.open.len() - 1)
    }

    fn look_ahead(&mut self) {
        self.next_over = self.kept.iter().map(|name| name.span.last).min().unwrap_or(u32::MAX);
    }
}
