//! The replay journal: what was accepted is in the kernel's hands before the answer is given.
//!
//! ```text
//! admit ─► index (in memory, decides) ─► "first" ─► log (one record written) ─► answer
//!                                     └► "seen", or undecided ─────────────────► answer
//! ```
//!
//! The index decides; the log makes the decision last. An entry is claimed in the index before its record is
//! written, so of any number of identical requests only one comes to write. If the write fails, the answer is
//! that it could not be decided, **and the entry stays claimed**: nobody knows how much of the record is on
//! the disk, so until this process ends the same request is answered as seen. That is a false reject, the one
//! kind this store allows itself; the client signs again. After a failure the rest of that second is refused
//! without claiming anything, so a full disk does not burn every request that meets it.
//!
//! What survives what:
//!
//! | durability | process killed | system crash, power cut |
//! |---|---|---|
//! | [`Os`](Durability::Os) | everything | what the system had not written back yet is lost, and what could have been lost is not decided any more |
//! | [`Synced`](Durability::Synced) | everything | everything |
//!
//! Neither accepts again what was accepted. With [`Os`](Durability::Os) a crash of the system costs the requests that
//! were signed before it, and up to ten seconds after, for as long as they are valid; the module `boot` has the how.
//!
//! A journal file says nothing of whose a record is: after a restart the quota of each key counts from nothing,
//! while the capacity counts everything that was read back.

mod boot;
mod error;
mod floor;
pub mod folder;
mod format;
mod janitor;
mod log;
mod recovery;
mod syncer;

pub use error::JournalError;
pub use format::Damage;
pub use recovery::{Recovery, TornTail};

use crate::place::{Lock, NotLocked};
use boot::{Bounds, Cover, Run};
use countersign_core::replay::{Answer, FirstUse, ReplayEntry, ReplayGuard, StoreError};
use countersign_core::time::UnixTime;
use countersign_store::{Limits, MemoryReplay, Record, second};
use floor::Floor;
use folder::{Directory, Folder};
use janitor::Janitor;
use log::{Log, Written};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use syncer::{Syncer, Ticket};

/// When an answer may be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Durability {
    /// Once the operating system has the record: it survives the process, however that ends. About a
    /// microsecond.
    #[default]
    Os,
    /// Once the disk has the record: it survives a power cut. As long as the disk takes; requests that come meanwhile
    /// are synced together.
    Synced,
    /// At once, with records kept in this process until it ends in good order. Accepts repeated requests after a
    /// crash; it is there to show that a test notices.
    #[doc(hidden)]
    UnsafeHeldInMemory,
}

/// How a journal is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JournalOptions {
    /// How much it may hold. 10,000,000 entries unless stated.
    pub limits: Limits,
    /// When an answer may be given. [`Durability::Os`] unless stated.
    pub durability: Durability,
}

/// A replay store that outlives its process. The module says what it promises.
pub struct Journal {
    index: MemoryReplay,
    log: Arc<Mutex<Log>>,
    floor: Arc<Floor>,
    run: Arc<Run>,
    quarantine: Bounds,
    /// `None` once it is being closed.
    janitor: Option<Janitor>,
    /// Of a journal whose answers wait for the disk, until it is being closed.
    syncer: Option<Syncer>,
    recovery: Recovery,
    /// The second in which a write last failed, or 0.
    failed_in: AtomicU32,
    /// Given back last, when nothing writes any more.
    _lock: Option<Lock>,
}

impl Journal {
    /// Opens the journal in the folder `replay` of a store's folder, and creates both where they are missing.
    ///
    /// `now` is what the clock says. Files that are over by it are removed; if it turns out wrong, what they held
    /// can no longer be decided, and is not.
    pub fn open(store: &Path, options: JournalOptions, now: UnixTime) -> Result<Self, JournalError> {
        let path = store.join("replay");
        let failed = |doing, path: &Path| {
            let path = path.to_owned();
            move |source| JournalError::Io { doing, path, source }
        };
        let folder = Directory::open(&path).map_err(failed("create the folder", &path))?;
        let lock_file = path.join("lock");
        let lock = Lock::take(&lock_file).map_err(|not_locked| match not_locked {
            NotLocked::HeldBy(pid) => JournalError::Locked { path: lock_file.clone(), pid },
            NotLocked::Failed(source) => failed("lock", &lock_file)(source),
        })?;
        let folder: Arc<dyn Folder> = Arc::new(folder);
        Self::start(&folder, options, now, Some(lock))
    }

    /// Opens the journal on a file layer. The caller sees to it that nobody else has it open.
    pub fn open_on(folder: &Arc<dyn Folder>, options: JournalOptions, now: UnixTime) -> Result<Self, JournalError> {
        Self::start(folder, options, now, None)
    }

    /// Decides one entry, and waits for the disk where the durability asks for that. [`ReplayGuard::admit`] is this
    /// without the waiting.
    pub fn decide(&self, entry: &ReplayEntry) -> Result<FirstUse, StoreError> {
        match self.begin(entry)? {
            Begun::Decided(decision) => Ok(decision),
            Begun::Waits(ticket) => self.noted(ticket.wait(), entry),
        }
    }

    fn begin(&self, entry: &ReplayEntry) -> Result<Begun, StoreError> {
        let now = second(entry.now).max(1);
        if self.failed_in.load(Ordering::Relaxed) == now {
            return Err(unavailable("it could not be written to, less than a second ago"));
        }
        let bounds = Bounds::of(entry);
        if self.quarantine.hold(bounds) {
            let known = self.index.knows(entry)?;
            return if known { Ok(Begun::Decided(FirstUse::Seen)) } else { Err(StoreError::Quarantined) };
        }
        match self.index.decide(entry)? {
            FirstUse::Seen => Ok(Begun::Decided(FirstUse::Seen)),
            FirstUse::First => self.record(Record::of(entry), bounds, now),
        }
    }

    /// A failure makes the rest of its second fail at once.
    fn noted(&self, decision: Result<FirstUse, StoreError>, entry: &ReplayEntry) -> Result<FirstUse, StoreError> {
        if decision.is_err() {
            self.failed_in.store(second(entry.now).max(1), Ordering::Relaxed);
        }
        decision
    }

    /// Refuses from now on, and after every restart, to decide any entry that ends at or before `until`.
    ///
    /// For whoever lets requests live longer than they did: one that was signed too long ago to be accepted may be
    /// forgotten, and would be new again. At `now`, when the accepted age grows from `old` to `new`, raising the
    /// floor to `now + new - old` refuses just those requests that the old age refused already.
    pub fn raise_floor(&self, until: UnixTime) -> Result<(), StoreError> {
        let until = second(until);
        self.floor.raise(until).map_err(|error| unavailable(&error.to_string()))?;
        self.index.raise_floor(until)
    }

    /// What was found when the journal was opened.
    #[must_use]
    pub const fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// How many entries are live, by the last `now` that was seen.
    pub fn live(&self) -> Result<usize, StoreError> {
        self.index.live()
    }

    fn start(
        folder: &Arc<dyn Folder>,
        options: JournalOptions,
        now: UnixTime,
        lock: Option<Lock>,
    ) -> Result<Self, JournalError> {
        let index = MemoryReplay::new(options.limits);
        let recovered = recovery::recover(folder, &index, options.durability, second(now))?;
        let (floor, run) = (Arc::new(recovered.floor), Arc::new(recovered.run));
        let no_thread = |folder: &dyn Folder| {
            let path = folder.path("");
            move |source| JournalError::Io { doing: "start a thread for", path, source }
        };
        let janitor = Janitor::start(Arc::clone(folder), Arc::clone(&floor), Arc::clone(&run));
        let janitor = Some(janitor.map_err(no_thread(&**folder))?);
        let log = Log::new(Arc::clone(folder), options.durability, recovered.kept);
        let log = Arc::new(Mutex::new(log));
        let syncer = match options.durability {
            Durability::Synced => Some(Syncer::start(Arc::clone(&log)).map_err(no_thread(&**folder))?),
            _ => None,
        };
        let (failed_in, quarantine) = (AtomicU32::new(0), run.quarantine());
        let recovery = recovered.report;
        Ok(Self { index, log, floor, run, quarantine, janitor, syncer, recovery, failed_in, _lock: lock })
    }

    fn record(&self, record: Record, bounds: Bounds, now: u32) -> Result<Begun, StoreError> {
        let covered = match self.run.covers(bounds) {
            Cover::Good => Ok(()),
            Cover::None => self.run.raise(bounds),
            Cover::Soon => {
                if let Some(janitor) = &self.janitor {
                    janitor.raise(bounds);
                }
                Ok(())
            }
        };
        let (written, over) = {
            let mut log = self.log.lock().map_err(|_| unavailable("its writer failed before"))?;
            (covered.and_then(|()| log.append(record, now)), log.over(now))
        };
        if let Some(janitor) = self.janitor.as_ref().filter(|_| !over.is_empty()) {
            janitor.remove(over);
        }
        match written {
            Ok(Written::Done) => Ok(Begun::Decided(FirstUse::First)),
            Ok(Written::Waits(ticket)) => {
                if let Some(syncer) = &self.syncer {
                    syncer.ring();
                }
                Ok(Begun::Waits(ticket))
            }
            Err(error) => {
                self.failed_in.store(now, Ordering::Relaxed);
                Err(unavailable(&error.to_string()))
            }
        }
    }

    /// Puts everything on the disk and says so there. A crash of the system after this loses nothing.
    fn close(&mut self) -> std::io::Result<()> {
        self.syncer = None;
        self.janitor = None;
        let mut log = self.log.lock().map_err(|_| std::io::Error::other("its writer failed before"))?;
        log.release()?;
        log.sync_all()?;
        self.run.close()
    }
}

/// A decision, or that it waits for the disk.
enum Begun {
    Decided(FirstUse),
    Waits(Ticket),
}

impl ReplayGuard for Journal {
    fn admit<'a>(&'a self, entry: &'a ReplayEntry) -> Answer<'a, Result<FirstUse, StoreError>> {
        match self.begin(entry) {
            Ok(Begun::Decided(decision)) => Answer::Ready(Ok(decision)),
            Ok(Begun::Waits(ticket)) => Answer::Later(Box::pin(async { self.noted(ticket.await, entry) })),
            Err(error) => Answer::Ready(Err(error)),
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::warn!(%error, "the replay journal was not closed in good order");
        }
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("live", &self.live().ok()).finish_non_exhaustive()
    }
}

fn unavailable(why: &str) -> StoreError {
    StoreError::Unavailable(format!("the replay journal: {why}"))
}
