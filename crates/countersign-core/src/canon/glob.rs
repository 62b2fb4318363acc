//! Patterns: of names in scheme files, and of resources in what is signed.

/// Whether a name fits a pattern, in which `*` stands for any run of bytes, the empty one too. Everything else
/// stands for itself, in its own case.
#[must_use]
pub fn glob(pattern: &[u8], name: &[u8]) -> bool {
    fits(pattern, name, None)
}

/// The same, and `?` stands for any one byte: how access lists and policies name resources.
#[must_use]
pub fn wildcard(pattern: &[u8], text: &[u8]) -> bool {
    fits(pattern, text, Some(b'?'))
}

/// Whether one of the items of a list fits. Without a separator the list is its only item.
pub fn any_of(list: &[u8], separator: &[u8], mut fits: impl FnMut(&[u8]) -> bool) -> bool {
    let mut rest = list;
    while let Some(at) = rest.windows(separator.len().max(1)).position(|window| window == separator) {
        let (item, after) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        if fits(item) {
            return true;
        }
        rest = after.get(separator.len()..).unwrap_or_default();
    }
    fits(rest)
}

fn fits(mut pattern: &[u8], mut name: &[u8], any: Option<u8>) -> bool {
    // Where to resume when what follows the last `*` does not fit: after it, one byte further into the name. A
    // later `*` makes earlier ones settled, so one place is enough and the cost is at most the lengths' product.
    let mut resume: Option<(&[u8], &[u8])> = None;
    loop {
        match (pattern, name) {
            ([b'*', after @ ..], _) => {
                pattern = after;
                resume = Some((after, name));
            }
            ([wanted, after @ ..], [byte, rest @ ..]) if wanted == byte || Some(*wanted) == any => {
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
