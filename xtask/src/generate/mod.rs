//! Generated files: a table of what makes them, and a check that they are what would be made now.
//!
//! Generated files are committed, so that reading and building need no generator. To add one, write a
//! row of [`GENERATORS`]: which folder is its own, if it has one, and a function that returns paths and
//! contents.
//!
//! A generator must give the same bytes on every machine: no time, no path, no version of a tool.

mod commands;
mod purity;

pub(crate) use purity::PURE;

use std::path::{Path, PathBuf};

use crate::process::{Failure, command, stdout_of};

/// What makes files.
struct Generator {
    /// The folder in which every file is this generator's: any other file there is stale.
    folder: Option<&'static str>,
    make: fn(&Path) -> Result<Vec<File>, Failure>,
}

const GENERATORS: &[Generator] = &[
    Generator { folder: None, make: |_| Ok(purity::files()) },
    Generator { folder: Some(commands::FOLDER), make: commands::files },
    Generator { folder: Some(commands::SCHEMES), make: commands::schemes },
];

/// A file to be: its path below the repository's root, and its bytes.
struct File {
    path: PathBuf,
    content: String,
}

impl File {
    fn new(path: impl Into<PathBuf>, content: impl Into<String>) -> Self {
        Self { path: path.into(), content: content.into() }
    }
}

/// Says which files are not what would be made now.
pub(crate) fn check(root: &Path) -> Result<(), Failure> {
    let stale: Vec<String> = stale(root, GENERATORS)?.into_iter().map(|file| file.to_string()).collect();
    if stale.is_empty() {
        return Ok(());
    }
    Err(Failure::Faults(stale.into_iter().map(|file| format!("{file}: stale; run `cargo xtask gen`")).collect()))
}

/// Makes every file what it must be, and removes those that nothing makes any more.
pub(crate) fn write(root: &Path) -> Result<(), Failure> {
    for stale in stale(root, GENERATORS)? {
        println!("{stale}");
        stale.mend(root)?;
    }
    Ok(())
}

/// A file that is not as it must be.
enum Stale {
    Differs(File),
    Unmade(PathBuf),
}

impl Stale {
    fn mend(self, root: &Path) -> Result<(), Failure> {
        match self {
            Self::Differs(File { path, content }) => {
                let path = root.join(path);
                let folder = path.parent().unwrap_or(root);
                std::fs::create_dir_all(folder)
                    .and_then(|()| std::fs::write(&path, content))
                    .map_err(|error| Failure::File(path, error))
            }
            Self::Unmade(path) => {
                let path = root.join(path);
                std::fs::remove_file(&path).map_err(|error| Failure::File(path, error))
            }
        }
    }
}

impl std::fmt::Display for Stale {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Differs(file) => write!(f, "{}", file.path.display()),
            Self::Unmade(path) => write!(f, "{} (no longer made)", path.display()),
        }
    }
}

fn stale(root: &Path, generators: &[Generator]) -> Result<Vec<Stale>, Failure> {
    let mut stale = Vec::new();
    for generator in generators {
        let files = (generator.make)(root)?;
        if let Some(folder) = generator.folder {
            let there = listed(root, folder)?;
            let unmade = there.into_iter().filter(|path| files.iter().all(|file| file.path != *path));
            stale.extend(unmade.map(Stale::Unmade));
        }
        // A file that cannot be read is one to be written; if that fails too, it is said then.
        let differs =
            |file: &File| std::fs::read(root.join(&file.path)).ok().as_deref() != Some(file.content.as_bytes());
        stale.extend(files.into_iter().filter(differs).map(Stale::Differs));
    }
    Ok(stale)
}

/// The files of a folder that are in the repository or could be added to it.
fn listed(root: &Path, folder: &str) -> Result<Vec<PathBuf>, Failure> {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", folder];
    let paths = stdout_of(command(root, "git").args(list))?;
    Ok(paths.split_terminator('\0').map(PathBuf::from).filter(|path| root.join(path).exists()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &[Generator] = &[Generator {
        folder: Some("made"),
        make: |_| Ok(vec![File::new("made/a", "1\n"), File::new("made/deeper/b", "2\n")]),
    }];

    fn repository() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        stdout_of(command(root.path(), "git").args(["init", "--quiet"])).unwrap();
        root
    }

    fn names(root: &Path) -> Vec<String> {
        stale(root, TWO).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn missing_changed_and_leftover_files_are_stale_until_mended() {
        let root = repository();
        std::fs::create_dir(root.path().join("made")).unwrap();
        std::fs::write(root.path().join("made/a"), "1").unwrap();
        std::fs::write(root.path().join("made/c"), "3\n").unwrap();
        assert_eq!(names(root.path()), ["made/c (no longer made)", "made/a", "made/deeper/b"]);

        for stale in stale(root.path(), TWO).unwrap() {
            stale.mend(root.path()).unwrap();
        }
        assert_eq!(names(root.path()), [""; 0]);
        assert!(!root.path().join("made/c").exists());
        assert_eq!(std::fs::read_to_string(root.path().join("made/deeper/b")).unwrap(), "2\n");
    }

    #[test]
    fn what_lies_outside_the_folder_is_left_alone() {
        let root = repository();
        std::fs::write(root.path().join("made-by-hand"), "").unwrap();
        assert_eq!(names(root.path()), ["made/a", "made/deeper/b"]);
    }
}
