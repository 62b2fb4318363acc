//! The built-in catalogue: every file of the repository's `schemes` folder, compiled in.

use crate::Library;

/// The catalogue as a library: knows its own names and no paths.
#[derive(Debug, Clone, Copy, Default)]
pub struct Catalogue;

/// The names, in alphabetical order.
pub fn names() -> &'static [&'static str] {
    &NAMES
}

/// The text of a scheme.
pub fn text(name: &str) -> Option<&'static str> {
    let index = NAMES.binary_search(&name).ok()?;
    TEXTS.get(index).copied()
}

/// A message that was signed under a scheme by its vendor's own library or document: a line of JSON, as
/// `countersign verify --jsonl` reads it, with the expected verdict and where it comes from.
pub fn example(name: &str) -> Option<&'static str> {
    let index = NAMES.binary_search(&name).ok()?;
    EXAMPLES.get(index).copied().filter(|line| !line.is_empty())
}

impl Library for Catalogue {
    fn load(&self, name: &str, _from: &str) -> Option<(String, String)> {
        Some((name.to_owned(), text(name)?.to_owned()))
    }

    fn names(&self) -> Vec<String> {
        NAMES.iter().map(|name| (*name).to_owned()).collect()
    }
}

// `NAMES`, `TEXTS` and `EXAMPLES`, made by the build script.
include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_others_are_not() {
        assert!(names().is_sorted());
        assert!(names().iter().all(|name| text(name).is_some()));
        for name in ["", "AWS-SIGV4", "aws-sigv4.toml", "../schemes/aws-sigv4"] {
            assert_eq!(text(name), None, "{name}");
        }
        assert_eq!(Catalogue.load("nothing-of-the-kind", "x"), None);
    }
}
