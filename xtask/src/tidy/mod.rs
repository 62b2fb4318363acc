//! The code rules that no compiler knows, as tests of the tree.
//!
//! `cargo test` runs them with everything else; `cargo xtask tidy` runs them alone and prints every
//! fault as `path:line: what`. A rule is a function from text to faults, so that each has a test which
//! shows it failing. Exceptions are rows of a table beside their rule and carry a reason; a row that
//! is no longer needed is itself a fault.

mod crates;
mod entry;
mod manifest;
mod text;

use std::fmt;
use std::path::{Path, PathBuf};

use crate::process::{Failure, command, counted, stdout_of};

/// Checks every rule, and prints what it looked at.
pub(crate) fn run(root: &Path) -> Result<(), Failure> {
    let mut faults = Vec::new();
    for (_, rule) in RULES {
        faults.extend(rule(root)?.iter().map(ToString::to_string));
    }
    if !faults.is_empty() {
        return Err(Failure::Faults(faults));
    }
    println!("{} looked at", counted(files(root)?.len(), "file"));
    Ok(())
}

type Rule = fn(&Path) -> Result<Vec<Fault>, Failure>;

const RULES: &[(&str, Rule)] =
    &[("crates", crates::faults), ("entry", entry::faults), ("manifest", manifest::faults), ("text", text::faults)];

/// One place that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
struct Fault {
    path: String,
    line: Option<usize>,
    what: String,
}

impl Fault {
    fn of(path: impl fmt::Display, what: impl fmt::Display) -> Self {
        Self { path: path.to_string(), line: None, what: what.to_string() }
    }

    /// `index` counts from zero, as `enumerate` does.
    fn at(path: impl fmt::Display, index: usize, what: impl fmt::Display) -> Self {
        Self { line: Some(index + 1), ..Self::of(path, what) }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path, self.what),
            None => write!(f, "{}: {}", self.path, self.what),
        }
    }
}

/// The files that are in the repository or could be added to it, by their path below the root.
fn files(root: &Path) -> Result<Vec<String>, Failure> {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"];
    let paths = stdout_of(command(root, "git").args(list))?;
    Ok(paths.split_terminator('\0').filter(|path| root.join(path).is_file()).map(str::to_owned).collect())
}

fn read(root: &Path, path: &str) -> Result<Vec<u8>, Failure> {
    let path = root.join(path);
    std::fs::read(&path).map_err(|error| Failure::File(PathBuf::from(&path), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree itself, one rule a test, so that the name of the failing one says where to look.
    fn holds(name: &str) {
        let (_, rule) = RULES.iter().find(|(rule, _)| *rule == name).unwrap();
        let faults: Vec<String> = rule(&crate::root()).unwrap().iter().map(ToString::to_string).collect();
        assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
    }

    #[test]
    fn crates_keep_their_layers() {
        holds("crates");
    }

    #[test]
    fn entry_points_can_be_run() {
        holds("entry");
    }

    #[test]
    fn manifests_inherit_from_the_workspace() {
        holds("manifest");
    }

    #[test]
    fn files_are_in_order() {
        holds("text");
    }

    #[test]
    fn a_fault_names_its_place() {
        assert_eq!(Fault::at("a.rs", 0, "wrong").to_string(), "a.rs:1: wrong");
        assert_eq!(Fault::of("a.rs", "wrong").to_string(), "a.rs: wrong");
    }

    #[test]
    fn what_is_ignored_is_not_looked_at() {
        let files = files(&crate::root()).unwrap();
        assert!(files.iter().any(|path| path == "Cargo.toml"));
        assert!(files.iter().all(|path| !path.starts_with("target/")));
    }
}
