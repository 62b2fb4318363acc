//! Field names and values: trimming, folding of space and case, tokens.

use super::percent::split_where;

/// The value without the spaces and tabs around it: RFC 9110's OWS, section 5.6.3.
#[must_use]
pub fn trim(mut input: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = input {
        input = rest;
    }
    input
}

/// The type and subtype of a media type, without its parameters: RFC 9110, section 8.3.1.
#[must_use]
pub fn media_type(value: &[u8]) -> &[u8] {
    trim(value.split(|byte| *byte == b';').next().unwrap_or_default())
}

/// Appends the value without white space around it and with each run of it inside as one space. Line ends count as
/// white space, for values that were folded over several lines (AWS Signature Version 4, "Create a canonical
/// request", 2026-11-22: its `Trimall`).
pub fn squeeze(mut input: &[u8], out: &mut Vec<u8>) {
    out.reserve(input.len());
    let start = out.len();
    loop {
        let (_, words) = split_where(input, |byte| !is_white(byte));
        let (word, rest) = split_where(words, is_white);
        if word.is_empty() {
            return;
        }
        if out.len() > start {
            out.push(b' ');
        }
        out.extend_from_slice(word);
        input = rest;
    }
}

/// Appends the input with ASCII letters in lower case.
pub fn lower(input: &[u8], out: &mut Vec<u8>) {
    out.extend(input.iter().map(u8::to_ascii_lowercase));
}

/// Appends the input with ASCII letters in upper case.
pub fn upper(input: &[u8], out: &mut Vec<u8>) {
    out.extend(input.iter().map(u8::to_ascii_uppercase));
}

/// Appends a field name as it is usually written: each of the words between hyphens with a capital, the rest in lower
/// case (Go's `CanonicalMIMEHeaderKey`, 2026-11-22, by which Qiniu's libraries sign names).
pub fn title(input: &[u8], out: &mut Vec<u8>) {
    let mut begins = true;
    out.extend(input.iter().map(|byte| {
        let written = if begins { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() };
        begins = *byte == b'-';
        written
    }));
}

/// Whether a name is a token: RFC 9110, section 5.6.2. Field names and methods are.
#[must_use]
pub fn is_token(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| is_tchar(*byte))
}

/// Whether a byte may stand in a token.
#[must_use]
pub const fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}

fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

#[cfg(test)]
mod tests {
    use super::super::tests::{encoded, text};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_media_type_has_no_parameters() {
        for (value, expected) in [
            ("text/plain", "text/plain"),
            ("application/json; charset=utf-8", "application/json"),
            (" a/b ;c=\";\"", "a/b"),
            ("", ""),
            (";a/b", ""),
        ] {
            assert_eq!(media_type(value.as_bytes()), expected.as_bytes(), "{value}");
        }
    }

    #[test]
    fn only_spaces_and_tabs_are_trimmed() {
        for (input, expected) in
            [("", ""), (" \t ", ""), ("\t a b ", "a b"), ("\na\r", "\na\r"), ("a\u{a0}", "a\u{a0}")]
        {
            assert_eq!(trim(input.as_bytes()), expected.as_bytes(), "{input:?}");
        }
    }

    #[test]
    fn runs_of_white_space_become_one_space() {
        for (input, expected) in
            [("", ""), (" \r\n\t ", ""), ("a", "a"), (" a  b\t\tc ", "a b c"), ("v1\n  v2\r\n\tv3", "v1 v2 v3")]
        {
            assert_eq!(text(squeeze, input), expected, "{input:?}");
        }
    }

    #[test]
    fn case_changes_in_ascii_only() {
        assert_eq!(text(lower, "X-AmZ-Ä"), "x-amz-Ä");
        assert_eq!(text(upper, "x-AmZ-ä"), "X-AMZ-ä");
    }

    #[test]
    fn tokens() {
        assert!(is_token(b"x-amz-date") && is_token(b"!#$%&'*+-.^_`|~09azAZ"));
        for wrong in ["", " a", "a b", "a:", "@method", "a(", "a/b", "ä", "a\0", "\"a\"", "a,b", "a;b", "a=b"] {
            assert!(!is_token(wrong.as_bytes()), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn words_survive_squeezing(input in "[ab \\t\\r\\n]{0,24}") {
            let expected = input.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty());
            prop_assert_eq!(text(squeeze, &input), expected.collect::<Vec<_>>().join(" "));
        }

        #[test]
        fn any_bytes_will_do(input: Vec<u8>) {
            let _ = (trim(&input), encoded(squeeze, &input), encoded(lower, &input), is_token(&input));
        }
    }
}
