//! A folder of certificates, read once.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use countersign_core::key::{Key, KeyQuery, KeyResolver, KeySet};
use countersign_core::replay::{Answer, StoreError};

use crate::Naming;
use crate::certificate::{self, CertificateError};

/// The keys of a folder's certificates, by the ids that messages claim.
///
/// Two are equal if they were read from the same texts and are called the same.
#[derive(Debug, Clone, Default)]
pub struct Certificates {
    by_id: HashMap<Box<[u8]>, Arc<Key>>,
    /// The names and texts of the files that were read.
    files: Vec<(String, String)>,
}

impl PartialEq for Certificates {
    fn eq(&self, other: &Self) -> bool {
        self.files == other.files && self.ids() == other.ids()
    }
}

/// Why a folder gives no keys. Nothing of it is used then: a key that is missing would look like one that is unknown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// There is none.
    #[error("there is no certificate in {}: files with the ending .pem, .crt or .cer are looked at", folder.display())]
    Empty {
        /// The folder.
        folder: PathBuf,
    },
    /// A file that has the ending of a certificate and is none.
    #[error("{}: {error}", path.display())]
    Faulty {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: CertificateError,
    },
    /// Two certificates of one id: which of them is meant cannot be said.
    #[error("{} has the id `{id}`, which another certificate has already", path.display())]
    SameId {
        /// The later file.
        path: PathBuf,
        /// The id.
        id: String,
    },
    /// A file that is no certificate by its size.
    #[error("{} is too long for a certificate", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// The folder or a file cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// The folder or the file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Certificates {
    /// Reads every file of a folder that has the ending `.pem`, `.crt` or `.cer`, but for hidden ones.
    pub fn read(folder: &Path, naming: Naming) -> Result<Self, FolderError> {
        let mut found = Self::default();
        for path in files(folder)? {
            let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let faulty = |error| FolderError::Faulty { path: path.clone(), error };
            let text = text(&path)?;
            for key in certificate::keys(&text, &name, naming).map_err(faulty)? {
                let id = key.id.clone().unwrap_or_default();
                if found.by_id.insert(id.as_bytes().into(), Arc::new(key)).is_some() {
                    return Err(FolderError::SameId { path, id });
                }
            }
            found.files.push((name, text));
        }
        if found.by_id.is_empty() {
            return Err(FolderError::Empty { folder: folder.to_owned() });
        }
        Ok(found)
    }

    /// The ids, in order.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        let mut ids: Vec<_> = self.by_id.keys().map(|id| String::from_utf8_lossy(id).into_owned()).collect();
        ids.sort_unstable();
        ids
    }

    /// The key that a message may have been signed with. A message that names none has none here.
    #[must_use]
    pub fn find(&self, claimed_key_id: Option<&[u8]>) -> KeySet {
        KeySet::new(claimed_key_id.and_then(|id| self.by_id.get(id)).cloned())
    }
}

impl KeyResolver for Certificates {
    fn resolve<'a>(&'a self, query: &'a KeyQuery<'a>) -> Answer<'a, Result<KeySet, StoreError>> {
        Answer::Ready(Ok(self.find(query.claimed_key_id)))
    }
}

/// The files that may be certificates, in the order of their names.
fn files(folder: &Path) -> Result<Vec<PathBuf>, FolderError> {
    let unreadable = |source| FolderError::Unreadable { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        if !hidden && matches!(ending.as_deref(), Some("pem" | "crt" | "cer")) {
            files.push(path);
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// Bytes. A chain of certificates has a few thousand.
const LONGEST: u64 = 1024 * 1024;

fn text(path: &Path) -> Result<String, FolderError> {
    let unreadable = |source| FolderError::Unreadable { path: path.to_owned(), source };
    if std::fs::metadata(path).map_err(unreadable)?.len() > LONGEST {
        return Err(FolderError::TooLong { path: path.to_owned() });
    }
    let bytes = std::fs::read(path).map_err(unreadable)?;
    let error = CertificateError::NothingFound;
    String::from_utf8(bytes).map_err(|_| FolderError::Faulty { path: path.to_owned(), error })
}
