//! The file layer under the journal: what it needs of a folder, and nothing more.
//!
//! A seam, so that tests can put a layer of their own below the journal that fails, fills up, or forgets what
//! was not synced. What runs is [`Directory`].

use std::fmt::Debug;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::place;

/// The journal's folder.
pub trait Folder: Debug + Send + Sync {
    /// The names of the files in it.
    fn names(&self) -> io::Result<Vec<String>>;
    /// Opens a file to read it from its beginning.
    fn read(&self, name: &str) -> io::Result<Box<dyn Read>>;
    /// How long a file is, in bytes.
    fn length(&self, name: &str) -> io::Result<u64>;
    /// Creates a file that must not exist.
    fn create(&self, name: &str) -> io::Result<Box<dyn LogFile>>;
    /// Shortens a file.
    fn cut(&self, name: &str, length: u64) -> io::Result<()>;
    /// Gives a file new contents: after a crash it has the old or the new ones, and once this returns, the new.
    fn replace(&self, name: &str, contents: &[u8]) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Puts what was written to a file, by whomever, on the disk.
    fn sync_file(&self, name: &str) -> io::Result<()>;
    /// Puts the folder's list of names on the disk.
    fn sync(&self) -> io::Result<()>;
    /// Which boot of the system this is: as long as it is the same, the kernel has forgotten nothing. Empty where nobody
    /// knows.
    fn boot(&self) -> String;
    /// Where a file is, for people.
    fn path(&self, name: &str) -> PathBuf;
}

/// A file that is being written.
pub trait LogFile: Send + Sync {
    /// Hands the bytes to the kernel. After an error any part of them may have been written.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Puts what was written on the disk.
    fn sync(&self) -> io::Result<()>;
}

/// A folder of the operating system.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
}

impl Directory {
    /// The folder at `path`, created for its owner only where it does not exist.
    pub fn open(path: &Path) -> io::Result<Self> {
        place::private_folder(path)?;
        Ok(Self { path: path.to_owned() })
    }
}

impl Folder for Directory {
    fn names(&self) -> io::Result<Vec<String>> {
        // A name that is not text is none of the journal's.
        std::fs::read_dir(&self.path)?
            .filter_map(|file| file.map(|file| file.file_name().into_string().ok()).transpose())
            .collect()
    }

    fn read(&self, name: &str) -> io::Result<Box<dyn Read>> {
        Ok(Box::new(File::open(self.path(name))?))
    }

    fn length(&self, name: &str) -> io::Result<u64> {
        Ok(std::fs::metadata(self.path(name))?.len())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn LogFile>> {
        Ok(Box::new(place::private_file().create_new(true).open(self.path(name))?))
    }

    fn cut(&self, name: &str, length: u64) -> io::Result<()> {
        let file = place::private_file().open(self.path(name))?;
        file.set_len(length)?;
        file.sync_data()
    }

    fn replace(&self, name: &str, contents: &[u8]) -> io::Result<()> {
        let temporary = self.path(&format!("{name}{TEMPORARY}"));
        let file = place::private_file().create(true).truncate(true).open(&temporary)?;
        file.write_all_at(contents, 0)?;
        file.sync_data()?;
        std::fs::rename(temporary, self.path(name))?;
        self.sync()
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.path(name))
    }

    fn sync_file(&self, name: &str) -> io::Result<()> {
        File::open(self.path(name))?.sync_data()
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }

    fn boot(&self) -> String {
        let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let id = id.trim();
        // Anything else would not fit the line it is kept in.
        let is_id = id.len() < 100 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if is_id { id.to_owned() } else { String::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl LogFile for File {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

const TEMPORARY: &str = ".new";
