//! Every kind of fault, as people see it: `faults/NAME.toml` is refused with exactly `faults/NAME.txt`.
//!
//! `COUNTERSIGN_BLESS=1` writes the texts anew.

#![expect(clippy::disallowed_methods, reason = "the crate does no I/O; its fixtures lie in files")]

use countersign_schemes::{Catalogue, read};
use std::path::{Path, PathBuf};
use std::{env, fs};

#[test]
fn faults_are_shown_where_they_stand() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("the folder of fixtures")
        .map(|entry| entry.expect("an entry of the folder").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .collect();
    files.sort();
    assert!(files.len() >= 8, "the fixtures are gone");
    let mut wrong = Vec::new();
    for file in files {
        let name = file.file_name().and_then(|name| name.to_str()).expect("a name in UTF-8");
        let text = fs::read_to_string(&file).expect("a fixture");
        let shown = match read(name, &text, &Catalogue) {
            Ok(_) => "no fault\n".to_owned(),
            Err(error) => format!("{error}\n"),
        };
        let expected = file.with_extension("txt");
        if env::var_os("COUNTERSIGN_BLESS").is_some() {
            fs::write(&expected, &shown).expect("the text is written");
        }
        if fs::read_to_string(&expected).unwrap_or_default() != shown {
            wrong.push(format!("{name} is shown as\n{shown}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
