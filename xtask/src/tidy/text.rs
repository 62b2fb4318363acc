//! What may not stand in a file: marks of unfinished work, paths of one machine, names of registries;
//! how long a file may be, and how a Rust module begins.
//!
//! The marks are put together with `concat!`, so that this file does not break its own rules.

use std::path::Path;

use super::{Fault, files, read};
use crate::process::Failure;

/// Lines, with comments and tests, past which a file has a seam that somebody should look for.
const LINES: usize = 800;

/// Bytes past which a file is data that belongs elsewhere.
const BYTES: usize = 1024 * 1024;

/// Files that may be longer, each with its reason: tables, and what a generator made.
const LONG: &[(&str, &str)] = &[];

/// The extensions of what is written by hand and read by people, which is where length matters.
const CODE: &[&str] = &["rs", "py", "sh", "js", "ts"];

/// Text that no file may contain, wherever it stands, and what is wrong with it.
const NOWHERE: &[(&str, &str)] = &[
    (concat!("todo", "!("), UNFINISHED),
    (concat!("unimplemented", "!("), UNFINISHED),
    (concat!("#[", "ignore"), "an ignored test; let it say why it cannot run, and return"),
    (concat!("#[", "allow("), "use #[expect(…, reason = \"…\")]"),
    (concat!("#![", "allow("), "use #![expect(…, reason = \"…\")]"),
    (concat!("/wo", "rk/"), MACHINE),
    (concat!("/ro", "ot/"), MACHINE),
    (concat!("/fa", "rm/"), MACHINE),
    (concat!("/tmp/", "research"), MACHINE),
    (concat!("static.", "crates.io"), REGISTRY),
    (concat!("index.", "crates.io"), REGISTRY),
    (concat!("pypi.", "org"), REGISTRY),
    (concat!("python", "hosted.org"), REGISTRY),
    (concat!("npmjs.", "org"), REGISTRY),
    (concat!("npmjs.", "com"), REGISTRY),
    (concat!("deb.", "debian.org"), REGISTRY),
];

/// The same for words of their own: `XXXX` in a template for names is none.
const WORDS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

const UNFINISHED: &str = "a mark of unfinished work";
const MACHINE: &str = "a path of one machine";
const REGISTRY: &str = "the host of a registry";

pub(super) fn faults(root: &Path) -> Result<Vec<Fault>, Failure> {
    let mut faults = Vec::new();
    for path in files(root)? {
        let bytes = read(root, &path)?;
        if bytes.len() > BYTES {
            faults.push(Fault::of(&path, format_args!("is larger than {BYTES} bytes")));
        }
        // Lock files are cargo's to write, and what is no text has no words.
        if let (false, Ok(text)) = (extension(&path) == Some("lock"), std::str::from_utf8(&bytes)) {
            faults.extend(judge(&path, text));
        }
    }
    for (path, _) in LONG {
        if !root.join(path).is_file() {
            faults.push(Fault::of(path, "is not there: remove it from LONG in xtask/src/tidy/text.rs"));
        }
    }
    Ok(faults)
}

fn judge(path: &str, text: &str) -> Vec<Fault> {
    let mut faults: Vec<Fault> = text
        .lines()
        .enumerate()
        .flat_map(|(index, line)| marks(line).map(move |what| Fault::at(path, index, what)))
        .collect();
    faults.extend(length(path, text.lines().count(), LONG));
    if extension(path) == Some("rs") && !begins_with_its_purpose(text) {
        faults.push(Fault::at(path, 0, "a module begins with //!: its purpose, and what is deliberately absent"));
    }
    faults
}

/// What is wrong with one line.
fn marks(line: &str) -> impl Iterator<Item = &'static str> {
    let nowhere = NOWHERE.iter().filter(|(mark, _)| line.contains(mark)).map(|(_, what)| *what);
    let is_word = |word: &&&str| {
        let boundary = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
        line.match_indices(**word).any(|(start, word)| {
            let (before, after) = (line[..start].chars().next_back(), line[start + word.len()..].chars().next());
            boundary(before) && boundary(after)
        })
    };
    let words = WORDS.iter().filter(is_word).map(|_| UNFINISHED);
    nowhere.chain(words).collect::<Vec<_>>().into_iter()
}

fn length(path: &str, lines: usize, long: &[(&str, &str)]) -> Option<Fault> {
    if !extension(path).is_some_and(|extension| CODE.contains(&extension)) {
        return None;
    }
    match (lines > LINES, long.iter().any(|(exempt, _)| *exempt == path)) {
        (true, false) => {
            Some(Fault::of(path, format_args!("has {lines} lines, more than {LINES}: look for the seam")))
        }
        (false, true) => Some(Fault::of(path, format_args!("has {lines} lines: remove it from LONG"))),
        _ => None,
    }
}

fn begins_with_its_purpose(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    first.strip_prefix("//! ").is_some_and(|purpose| purpose.trim().len() > 5)
}

fn extension(path: &str) -> Option<&str> {
    Path::new(path).extension()?.to_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUST: &str = "//! A module of some purpose.\n\nfn f() {}\n";

    fn of(path: &str, text: &str) -> Vec<&'static str> {
        let known = |fault: Fault| {
            let whats = NOWHERE.iter().map(|(_, what)| *what).chain(["a module begins", "has "]);
            whats.into_iter().find(|what| fault.what.starts_with(what)).unwrap()
        };
        judge(path, text).into_iter().map(known).collect()
    }

    #[test]
    fn each_mark_is_found_in_any_text_file() {
        for (mark, what) in NOWHERE {
            let text = format!("fine\nsome {mark} text\n");
            assert_eq!(judge("notes.md", &text), [Fault::at("notes.md", 1, what)], "{mark}");
        }
        for word in WORDS {
            assert_eq!(of("a.rs", &format!("{RUST}// {word}: later\n")), [UNFINISHED], "{word}");
            assert_eq!(of("a.rs", &format!("{RUST}// {word}\n")), [UNFINISHED], "{word}");
        }
    }

    #[test]
    fn longer_words_are_no_marks() {
        for word in WORDS {
            assert_eq!(judge("a.sh", &format!("mktemp {word}X a{word}\n")), []);
        }
        assert_eq!(judge("a.rs", RUST), []);
    }

    #[test]
    fn a_module_begins_with_its_purpose() {
        for text in ["", "fn f() {}\n", "\n//! Late.\n", "//!\n", "//! A.\n", "/// Not of the module.\n"] {
            assert_eq!(of("a.rs", text), ["a module begins"], "{text:?}");
        }
        assert_eq!(judge("a.py", "x = 1\n"), []);
    }

    #[test]
    fn a_long_file_is_refused_and_a_needless_exemption_too() {
        let lines = "\n".repeat(LINES - 3);
        assert_eq!(of("a.rs", &format!("{RUST}{lines}")), [""; 0]);
        assert_eq!(of("a.rs", &format!("{RUST}{lines}\n")), ["has "]);
        assert_eq!(judge("a.json", &format!("{lines}\n\n\n\n\n")), []);

        let long = [("a.rs", "a table")];
        assert_eq!(length("a.rs", LINES + 1, &long), None);
        assert!(length("a.rs", LINES, &long).is_some());
        assert!(length("b.rs", LINES + 1, &long).is_some());
    }
}
