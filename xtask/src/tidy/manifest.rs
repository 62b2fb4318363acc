//! Manifests: lints and dependencies are stated once, in the workspace, and inherited.
//!
//! Cargo's own account does not say what was inherited, so the text is read: section headers and the
//! lines below them, which is all the TOML that these files use.

use std::path::Path;

use super::{Fault, files, read};
use crate::process::Failure;

pub(super) fn faults(root: &Path) -> Result<Vec<Fault>, Failure> {
    let mut faults = Vec::new();
    for path in files(root)? {
        if path.starts_with("crates/") && path.ends_with("/Cargo.toml") || path == "xtask/Cargo.toml" {
            faults.extend(judge(&path, &String::from_utf8_lossy(&read(root, &path)?)));
        }
    }
    Ok(faults)
}

fn judge(path: &str, text: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut section = "";
    let mut inherits_lints = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_matches(['[', ']']);
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        let (key, value) = (key.trim(), value.trim());
        let inherited = key.ends_with(".workspace") && value == "true" || value.contains("workspace = true");
        if section == "lints" {
            inherits_lints |= key == "workspace" && value == "true";
        } else if section.ends_with("dependencies") && !inherited {
            let what = format!("`{key}` is not from [workspace.dependencies]");
            faults.push(Fault::at(path, index, what));
        } else if section.contains("dependencies.") {
            faults.push(Fault::at(path, index, "dependencies are one line each"));
        }
    }
    if !inherits_lints {
        faults.push(Fault::of(path, "[lints] workspace = true is missing"));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "\
[package]
version = \"1\"

[dependencies]
# Why.
a.workspace = true
b = { workspace = true, features = [\"c\"] }

[lints]
workspace = true
";

    #[test]
    fn inherited_lints_and_dependencies_pass() {
        assert_eq!(judge("Cargo.toml", GOOD), []);
    }

    #[test]
    fn lints_that_are_not_inherited_are_refused() {
        let without = GOOD.replace("[lints]", "[features]");
        assert_eq!(judge("Cargo.toml", &without), [Fault::of("Cargo.toml", "[lints] workspace = true is missing")]);
        assert_eq!(judge("Cargo.toml", &GOOD.replace("workspace = true\n", "workspace = false\n")).len(), 2);
    }

    #[test]
    fn a_version_of_its_own_is_refused_with_its_line() {
        let own = GOOD.replace("a.workspace = true", "a = \"1\"");
        let what = "`a` is not from [workspace.dependencies]";
        assert_eq!(judge("Cargo.toml", &own), [Fault::at("Cargo.toml", 5, what)]);
        let own = GOOD.replace("[lints]", "[dev-dependencies.d]\nversion = \"1\"\n[lints]");
        assert_eq!(judge("Cargo.toml", &own).len(), 1);
    }
}
