//! The store's folder: made for its owner only, and held by one process at a time.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Creates a folder, and those above it, that nobody but their owner can enter. One that exists stays as it is.
pub(crate) fn private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Options for a file that nobody but its owner can read, if they create it.
pub(crate) fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options
}

/// Held by one process, and given back by the kernel when it ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

/// Why a lock was not had.
#[derive(Debug)]
pub(crate) enum NotLocked {
    /// By this process, where it said so.
    HeldBy(Option<u32>),
    Failed(io::Error),
}

impl Lock {
    /// Takes the lock or says who has it, without waiting.
    pub(crate) fn take(path: &Path) -> Result<Self, NotLocked> {
        let mut file = private_file().create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(NotLocked::HeldBy(written_pid(&mut file))),
            Err(TryLockError::Error(error)) => return Err(NotLocked::Failed(error)),
        }
        file.set_len(0)?;
        writeln!(file, "{}", std::process::id())?;
        Ok(Self { file })
    }
}

/// The lock is the open file's and not the descriptor's: a process that is being started at this moment has a copy of
/// that, and closing ours alone would leave the folder locked until it has become another program.
impl Drop for Lock {
    fn drop(&mut self) {
        // Where that fails, the kernel does it when the last copy is closed.
        let _ = self.file.unlock();
    }
}

impl From<io::Error> for NotLocked {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// What the holder wrote; nothing where it has not come to that yet.
fn written_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_second_to_ask_learns_who_was_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = Lock::take(&path).unwrap();
        let answer = Lock::take(&path).unwrap_err();
        assert!(matches!(answer, NotLocked::HeldBy(Some(pid)) if pid == std::process::id()), "{answer:?}");
        drop(held);
        Lock::take(&path).unwrap();
    }

    #[test]
    fn a_copy_of_the_descriptor_does_not_keep_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = Lock::take(&path).unwrap();
        let _copy = held.file.try_clone().unwrap();
        drop(held);
        Lock::take(&path).unwrap();
    }

    #[test]
    fn a_lock_file_left_behind_does_not_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        std::fs::write(&path, "4194304\nleft by a process that was killed").unwrap();
        Lock::take(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
    }

    #[test]
    fn what_is_created_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        private_folder(&inner).unwrap();
        private_folder(&inner).unwrap();
        assert_eq!(inner.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        let _lock = Lock::take(&inner.join("lock")).unwrap();
        assert_eq!(inner.join("lock").metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}
