//! The known name nearest to a misspelt one.

use strsim::osa_distance;

/// The nearest of `known`, if it is near enough to be what was meant.
pub(crate) fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    within((wrong.chars().count() / 3).max(1), wrong, known)
}

/// `did you mean …?`, with the nearest name, or with those that the word is a part of; none where nothing is like it.
pub(crate) fn meant(wrong: &str, known: &[&str]) -> Option<String> {
    let word = wrong.to_lowercase().replace(['_', ' '], "-");
    // One letter is a part of nearly everything.
    let holding: Vec<&str> = known.iter().copied().filter(|name| word.len() > 1 && name.contains(&word)).collect();
    let near = match holding.as_slice() {
        [] => nearest(&word, known.iter().copied()),
        [only] => Some(*only),
        // A slip of one key is that, and not a part of a name.
        several => match within(1, &word, known.iter().copied()) {
            Some(near) => Some(near),
            None => return Some(list(several)),
        },
    };
    near.map(|name| format!("did you mean `{name}`?"))
}

fn within<'a>(enough: usize, wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let candidates = known.into_iter().map(|name| (osa_distance(&wrong.to_lowercase(), &name.to_lowercase()), name));
    // Of equally near ones the first.
    candidates.filter(|(distance, _)| *distance <= enough).min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

/// `did you mean …?`, or else the list of what there is.
pub(crate) fn hint(wrong: &str, known: &[&str]) -> String {
    match nearest(wrong, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => list(known),
    }
}

/// `there is a, b and c`.
fn list(known: &[&str]) -> String {
    let quoted: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => "there is none here".to_owned(),
        Some((only, [])) => format!("there is only {only}"),
        Some((last, others)) => format!("there are {} and {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let known = ["header", "query", "sign", "signature", "base"];
        for (wrong, expected) in [
            ("heder", Some("header")),
            ("sing", Some("sign")),
            ("Sign", Some("sign")),
            ("signatrue", Some("signature")),
            ("bsae", Some("base")),
            ("x", None),
            ("", None),
            ("hmac", None),
        ] {
            assert_eq!(nearest(wrong, known), expected, "{wrong}");
        }
    }

    #[test]
    fn a_part_of_a_name_is_enough() {
        let known = ["aws-sigv4", "aws-sigv4-query", "stripe-webhook"];
        for (wrong, told) in [
            ("stripe", Some("did you mean `stripe-webhook`?")),
            ("AWS_SIGV4", Some("did you mean `aws-sigv4`?")),
            ("aws", Some("there are `aws-sigv4` and `aws-sigv4-query`")),
            ("strpe-webhook", Some("did you mean `stripe-webhook`?")),
            ("s", None),
            ("", None),
            ("hmac", None),
        ] {
            assert_eq!(meant(wrong, &known).as_deref(), told, "{wrong}");
        }
    }

    #[test]
    fn hints() {
        assert_eq!(hint("sing", &["sign"]), "did you mean `sign`?");
        assert_eq!(hint("zzzz", &["a", "b", "c"]), "there are `a`, `b` and `c`");
        assert_eq!(hint("zzzz", &["a"]), "there is only `a`");
        assert_eq!(hint("zzzz", &[]), "there is none here");
    }
}
