//! The entry points: a fresh clone is used through them, so they must be there and run.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::{Fault, read};
use crate::process::Failure;

const ENTRY_POINTS: &[&str] = &["dev", "test", ".ci/run"];

pub(super) fn faults(root: &Path) -> Result<Vec<Fault>, Failure> {
    let mut faults = Vec::new();
    for path in ENTRY_POINTS {
        let Some(metadata) = std::fs::metadata(root.join(path)).ok().filter(std::fs::Metadata::is_file) else {
            faults.push(Fault::of(path, "is not there"));
            continue;
        };
        if metadata.permissions().mode() & 0o111 == 0 {
            faults.push(Fault::of(path, "has no run bit"));
        }
        faults.extend(judge(path, &String::from_utf8_lossy(&read(root, path)?)));
    }
    Ok(faults)
}

fn judge(path: &str, text: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    if !text.starts_with("#!/usr/bin/env bash\n") {
        faults.push(Fault::of(path, "does not start with #!/usr/bin/env bash"));
    }
    let command = text.lines().find(|line| !line.is_empty() && !line.starts_with('#'));
    if command != Some("set -euo pipefail") {
        faults.push(Fault::of(path, "its first command is not set -euo pipefail"));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_that_runs_on_after_an_error_is_refused() {
        assert_eq!(judge("x", "#!/usr/bin/env bash\n# Why.\n\nset -euo pipefail\ntrue\n"), []);
        assert_eq!(judge("x", "#!/usr/bin/env bash\ntrue\nset -euo pipefail\n").len(), 1);
        assert_eq!(judge("x", "#!/bin/sh\nset -eu\n").len(), 2);
    }

    #[test]
    fn a_missing_script_and_one_without_run_bit_are_refused() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("dev"), "#!/usr/bin/env bash\nset -euo pipefail\n").unwrap();
        let faults: Vec<String> = faults(root.path()).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(faults, ["dev: has no run bit", "test: is not there", ".ci/run: is not there"]);
    }
}
