//! The built-in catalogue: every file of the repository's `schemes` folder, compiled in.

use crate::{Library, suggest};

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

/// What somebody may have meant who named a scheme that there is not: `did you mean …?`, with the nearest name, or with
/// those that the word is a part of.
pub fn meant(name: &str) -> Option<String> {
    suggest::meant(name, names())
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
    fn a_wrong_name_leads_to_the_right_one() {
        for (wrong, meant) in [
            ("stripe", "did you mean `stripe-webhook`?"),
            ("stripe-webhok", "did you mean `stripe-webhook`?"),
            ("Stripe_Webhook", "did you mean `stripe-webhook`?"),
            ("aws-sigv4-quer", "did you mean `aws-sigv4-query`?"),
            ("github-hook", "did you mean `github-webhook`?"),
            ("edgegrid", "did you mean `akamai-edgegrid`?"),
        ] {
            assert_eq!(super::meant(wrong).as_deref(), Some(meant), "{wrong}");
        }
        let several = super::meant("cloudfront").unwrap();
        assert!(several.contains("`cloudfront-canned`") && several.contains("`cloudfront-custom`"), "{several}");
        for wrong in ["", "a", "nothing-of-the-kind"] {
            assert_eq!(super::meant(wrong), None, "{wrong:?}");
        }
    }

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
