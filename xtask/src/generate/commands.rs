//! What the binary prints about itself: completions, manual pages and a reference, all from one table of arguments; and
//! a page for each scheme of the catalogue.
//!
//! Nothing of their content is known here. The binary prints one JSON object a file, with its path below [`FOLDER`] or
//! [`SCHEMES`].

use std::path::Path;

use serde_json::Value;

use super::File;
use crate::process::{Failure, cargo, stdout_of};

/// The folder of what is made of the arguments, and of nothing else.
pub(super) const FOLDER: &str = "docs/cli";
/// The folder of the schemes' pages, and of nothing else.
pub(super) const SCHEMES: &str = "docs/schemes";

pub(super) fn files(root: &Path) -> Result<Vec<File>, Failure> {
    parse(FOLDER, &stdout_of(cargo(root).args(RUN))?)
}

pub(super) fn schemes(root: &Path) -> Result<Vec<File>, Failure> {
    parse(SCHEMES, &stdout_of(cargo(root).args(RUN).arg("--schemes"))?)
}

const RUN: [&str; 8] = ["run", "--quiet", "--package", "countersign-cli", "--bin", "countersign", "--", "generated"];

fn parse(folder: &str, lines: &str) -> Result<Vec<File>, Failure> {
    lines.lines().map(|line| file(folder, line)).collect()
}

fn file(folder: &str, line: &str) -> Result<File, Failure> {
    let odd = || Failure::Program("countersign generated: its output is not what it should be".to_owned());
    let value: Value = serde_json::from_str(line).map_err(|_| odd())?;
    let (Some(path), Some(content)) = (value["path"].as_str(), value["content"].as_str()) else { return Err(odd()) };
    if Path::new(path).components().any(|part| !matches!(part, std::path::Component::Normal(_))) {
        return Err(odd());
    }
    Ok(File::new(format!("{folder}/{path}"), content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_stay_in_their_folder() {
        let files = parse(FOLDER, "{\"path\":\"man/a.1\",\"content\":\"x\\n\"}\n").unwrap();
        assert_eq!((files[0].path.to_str(), files[0].content.as_str()), (Some("docs/cli/man/a.1"), "x\n"));
        for line in [
            "",
            "x",
            "{\"path\":\"../a\",\"content\":\"\"}",
            "{\"path\":\"/a\",\"content\":\"\"}",
            "{\"path\":\"a\"}",
        ] {
            assert!(file(FOLDER, line).is_err(), "{line}");
        }
    }
}
