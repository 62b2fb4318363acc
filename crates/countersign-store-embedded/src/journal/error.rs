//! Why a journal does not open, and what to do about it.
//!
//! Refusing to open is the safe answer wherever something that was accepted may have been lost: a gateway that
//! does not start accepts nothing twice.

use super::format::Damage;
use countersign_core::replay::StoreError;
use std::io;
use std::path::PathBuf;

/// Why the journal could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// A journal file does not hold what was written to it.
    #[error("{}, at byte {offset}: {damage}", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Where in it the first thing that is wrong begins, in bytes.
        offset: u64,
        /// What is wrong.
        damage: Damage,
        /// The last second, since the epoch, in which anything in the file matters.
        until: u32,
    },
    /// The file that says what may have been forgotten does not hold what was written to it.
    #[error("{}: not as it was written", file.display())]
    FloorDamaged {
        /// The file.
        file: PathBuf,
    },
    /// There are journal files, but the file that says what may have been forgotten is gone.
    #[error("{}: missing, although there are journal files beside it", file.display())]
    FloorMissing {
        /// The file.
        file: PathBuf,
    },
    /// The operating system refused.
    #[error("{}: cannot {doing}: {source}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has this journal open.
    #[error("{}: held by {}", path.display(), holder(*pid))]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// The other process, where it said so.
        pid: Option<u32>,
    },
    /// The index did not take what was read.
    #[error("the journal's index: {0}")]
    Store(#[from] StoreError),
    /// A file calls itself a journal and has no journal's name.
    #[error("{}: not the name of a journal file", file.display())]
    UnexpectedFile {
        /// The file.
        file: PathBuf,
    },
}

impl JournalError {
    /// What to do about it, in a sentence or two.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Damaged { until, .. } => format!(
                "requests accepted before may no longer be recognised. Start again after second {until} since \
                 the epoch, when nothing in the file matters any more; or move the file away, and accept that \
                 requests which are valid until then may be repeated"
            ),
            Self::FloorDamaged { .. } | Self::FloorMissing { .. } => "it guards against repeated requests after \
                the clock went back. If the clock is right, move the whole replay folder away once nothing \
                accepted before is valid any more"
                .to_owned(),
            Self::Io { .. } => "the folder must be on a local disk with room, and belong to this user".to_owned(),
            Self::Locked { .. } => "a store has one gateway; stop the other one, or give this one a store of its \
                own"
            .to_owned(),
            Self::Store(_) => "start again".to_owned(),
            Self::UnexpectedFile { .. } => {
                "the folder is the journal's alone: give the file its name back, or move it away".to_owned()
            }
        }
    }
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}
