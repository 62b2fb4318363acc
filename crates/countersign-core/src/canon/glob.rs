//! Patterns of names in scheme files.

/// Whether a name fits a pattern, in which `*` stands for any run of bytes, the empty one too. Everything else
/// stands for itself, in its own case.
#[must_use]
pub fn glob(mut pattern: &[u8], mut name: &[u8]) -> bool {
    // Where to resume when what follows the last `*` does not fit: after it, one byte further into the name. A
    // later `*` makes earlier ones settled, so one place is enough and the cost is at most the lengths' product.
    let mut resume: Option<(&[u8], &[u8])> = None;
    loop {
        match (pattern, name) {
            ([b'*', after @ ..], _) => {
                pattern = after;
                resume = Some((after, name));
            }
            ([wanted, after @ ..], [byte, rest @ ..]) if wanted == byte => {
                (pattern, name) = (after, rest);
            }
            ([], []) => return true,
            _ => match resume {
                Some((after, [_, rest @ ..])) => {
                    (pattern, name) = (after, rest);
                    resume = Some((after, rest));
                }
                _ => return false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_star_is_any_run_and_nothing_else_is_special() {
        for (pattern, name) in [
            ("", ""),
            ("*", ""),
            ("*", "anything"),
            ("host", "host"),
            ("x-amz-*", "x-amz-"),
            ("x-amz-*", "x-amz-date"),
            ("*-date", "x-amz-date-date"),
            ("a*b*c", "abbbcbc"),
            ("**a", "a"),
            ("a?c", "a?c"),
        ] {
            assert!(glob(pattern.as_bytes(), name.as_bytes()), "{pattern:?} {name:?}");
        }
        for (pattern, name) in [
            ("", "a"),
            ("host", "Host"),
            ("host", "hosts"),
            ("host", "hos"),
            ("x-amz-*", "x-amz"),
            ("*-date", "x-amz-dates"),
            ("a*b*c", "acb"),
            ("a?c", "abc"),
            ("[a]", "a"),
            ("\\*", "*a"),
        ] {
            assert!(!glob(pattern.as_bytes(), name.as_bytes()), "{pattern:?} {name:?}");
        }
    }

    /// The definition, written the slow way.
    fn fits(pattern: &[u8], name: &[u8]) -> bool {
        match pattern {
            [] => name.is_empty(),
            [b'*', after @ ..] => (0..=name.len()).any(|skip| fits(after, &name[skip..])),
            [byte, after @ ..] => name.first() == Some(byte) && fits(after, &name[1..]),
        }
    }

    proptest! {
        #[test]
        fn it_is_its_definition(pattern in "[ab*]{0,7}", name in "[ab]{0,8}") {
            let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
            prop_assert_eq!(glob(pattern, name), fits(pattern, name));
        }
    }
}
