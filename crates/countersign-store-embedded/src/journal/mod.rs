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
//! | [`Os`](Durability::Os) | everything | what the system had not written back yet is lost, as a rule the last seconds |
//! | [`Synced`](Durability::Synced) | everything | everything |
//!
//! A journal file says nothing of whose a record is: after a restart the quota of each key counts from nothing,
//! while the capacity counts everything that was read back.

mod error;
mod floor;
pub mod folder;
mod format;
mod janitor;
mod log;
mod recovery;

pub use error::JournalError;
pub use format::Damage;
pub use recovery::{Recovery, TornTail};

use crate::place::{Lock, NotLocked};
use countersign_core::replay::{Answer, FirstUse, ReplayEntry, ReplayGuard, StoreError};
use countersign_core::time::UnixTime;
use countersign_store::{Limits, MemoryReplay, Record, second};
use floor::Floor;
use folder::{Directory, Folder};
use janitor::Janitor;
use log::Log;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

/// When an answer may be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Durability {
    /// Once the operating system has the record: it survives the process, however that ends. About a
    /// microsecond.
    #[default]
    Os,
    /// Once the disk has the record: it survives a power cut. As long as the disk takes, one request after the
    /// other.
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
    log: Mutex<Log>,
    floor: Arc<Floor>,
    janitor: Janitor,
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
        Self::start(Arc::new(folder), options, now, Some(lock))
    }

    /// Opens the journal on a file layer. The caller sees to it that nobody else has it open.
    pub fn open_on(folder: Arc<dyn Folder>, options: JournalOptions, now: UnixTime) -> Result<Self, JournalError> {
        Self::start(folder, options, now, None)
    }

    /// Decides one entry. [`ReplayGuard::admit`] is this, in the trait's words.
    pub fn decide(&self, entry: &ReplayEntry) -> Result<FirstUse, StoreError> {
        let now = second(entry.now).max(1);
        if self.failed_in.load(Ordering::Relaxed) == now {
            return Err(unavailable("it could not be written to, less than a second ago"));
        }
        match self.index.decide(entry)? {
            FirstUse::Seen => Ok(FirstUse::Seen),
            FirstUse::First => self.record(Record::of(entry), now),
        }
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
        folder: Arc<dyn Folder>,
        options: JournalOptions,
        now: UnixTime,
        lock: Option<Lock>,
    ) -> Result<Self, JournalError> {
        let index = MemoryReplay::new(options.limits);
        let recovered = recovery::recover(&folder, &index, second(now))?;
        let floor = Arc::new(recovered.floor);
        let janitor = Janitor::start(Arc::clone(&folder), Arc::clone(&floor)).map_err(|source| JournalError::Io {
            doing: "start a thread for",
            path: folder.path(""),
            source,
        })?;
        let log = Mutex::new(Log::new(folder, options.durability, recovered.kept));
        let failed_in = AtomicU32::new(0);
        Ok(Self { index, log, floor, janitor, recovery: recovered.report, failed_in, _lock: lock })
    }

    fn record(&self, record: Record, now: u32) -> Result<FirstUse, StoreError> {
        let (written, over) = {
            let mut log = self.log.lock().map_err(|_| unavailable("its writer failed before"))?;
            (log.append(record, now), log.over(now))
        };
        if !over.is_empty() {
            self.janitor.remove(over);
        }
        match written {
            Ok(()) => Ok(FirstUse::First),
            Err(error) => {
                self.failed_in.store(now, Ordering::Relaxed);
                Err(unavailable(&error.to_string()))
            }
        }
    }
}

impl ReplayGuard for Journal {
    fn admit<'a>(&'a self, entry: &'a ReplayEntry) -> Answer<'a, Result<FirstUse, StoreError>> {
        Answer::Ready(self.decide(entry))
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if let Ok(log) = self.log.get_mut()
            && let Err(error) = log.release()
        {
            tracing::warn!(%error, "records that were held back are lost");
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
