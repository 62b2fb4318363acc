//! What Java makes of JSON: maps of strings as two libraries print them, for schemes that sign a value not as it was
//! sent but as it was read and written again.
//!
//! Reading and writing again loses things, and not every version of a library loses the same. So only what comes out
//! alike everywhere is reproduced here; all else is malformed: fractions and exponents where a `double` prints them,
//! `-0`, names that come twice, text whose escapes differ, and what is not UTF-8.
//!
//! Deliberately absent: a guess.

use super::json::{json_escape, unescape};
use super::percent::split_where;
use super::{Malformed, all_or_nothing};
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// How many digits a number may have.
const MOST_DIGITS: usize = 64;
/// How many digits a fraction may have together with what precedes it: so many a `double` holds, too.
const MOST_DECIMAL_DIGITS: usize = 15;

/// The order of Java's `String.compareTo`: by UTF-16 code units (Java SE API, `java.lang.String`). It differs from
/// that of the bytes where a character beyond U+FFFF meets one from U+E000 on.
#[must_use]
pub fn utf16_order(a: &str, b: &str) -> Ordering {
    a.encode_utf16().cmp(b.encode_utf16())
}

/// Appends what `String.valueOf` makes of a JSON value that is no string, as Jackson reads it into an `Object`: integers
/// and literals as they are, objects as `AbstractMap.toString` prints them, `{a=1, b=x}`, and arrays as
/// `AbstractCollection.toString` does, `[1, x]` (Java SE API, `java.util`). Strings in them stand unquoted.
///
/// The value has to be one that [`json_members`](super::json_members) gave. Numbers with a fraction or an exponent are
/// malformed: how a `double` prints depends on the version of Java.
pub fn java_string(value: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    all_or_nothing(out, |out| {
        // The names of each object that is open; `None` for an array.
        let mut open: Vec<Option<BTreeSet<Vec<u8>>>> = Vec::new();
        let mut rest = value;
        // Whether a name is next rather than a value.
        let mut name = false;
        while let Some((byte, after)) = rest.split_first() {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => rest = after,
                b'{' | b'[' => {
                    open.push((*byte == b'{').then(BTreeSet::new));
                    name = *byte == b'{';
                    out.push(*byte);
                    rest = after;
                }
                b'}' | b']' => {
                    open.pop();
                    name = false;
                    out.push(*byte);
                    rest = after;
                }
                b',' => {
                    name = matches!(open.last(), Some(Some(_)));
                    out.extend_from_slice(b", ");
                    rest = after;
                }
                b':' => {
                    name = false;
                    out.push(b'=');
                    rest = after;
                }
                b'"' => {
                    let start = out.len();
                    let (escaped, after) = string(after)?;
                    unescape(escaped, out)?;
                    if let (true, Some(Some(names))) = (name, open.last_mut())
                        && !names.insert(out.get(start..).unwrap_or_default().to_vec())
                    {
                        return Err(Malformed);
                    }
                    rest = after;
                }
                _ => {
                    let (scalar, after) = split_where(rest, ends_scalar);
                    if !matches!(scalar, b"true" | b"false" | b"null") {
                        integer(scalar)?;
                    }
                    out.extend_from_slice(scalar);
                    rest = after;
                }
            }
        }
        Ok(())
    })
}

/// Appends a string of a JSON object as every version of fastjson writes it: quoted, with the escapes of
/// [`json_escape`]. Other control characters than those that have a letter, U+007F to U+009F, U+2028 and U+2029 are
/// escaped by some versions in one way, by some in another and by some not at all, and so are malformed.
pub fn fastjson_string(text: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    let differs = |c: char| match c {
        '\u{8}' | '\t' | '\n' | '\u{c}' | '\r' => false,
        c => c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'),
    };
    if std::str::from_utf8(text).map_err(|_| Malformed)?.contains(differs) {
        return Err(Malformed);
    }
    out.push(b'"');
    json_escape(text, out);
    out.push(b'"');
    Ok(())
}

/// Appends what `String.valueOf` makes of a JSON value that is no string, as fastjson reads it into an `Object`: `true`,
/// `false`, integers, and decimals that a `BigDecimal` prints as they were written. What it makes of objects and arrays
/// depends on its version, and of `null` its own clients make something else: they are malformed.
///
/// The value has to be one that [`json_members`](super::json_members) gave.
pub fn fastjson_scalar(value: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    match value {
        b"true" | b"false" => {}
        number if number.contains(&b'.') => decimal(number)?,
        number => integer(number)?,
    }
    out.extend_from_slice(value);
    Ok(())
}

/// The content of a string whose opening quote is read, with its escapes, and what follows the closing one.
fn string(text: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let mut end: usize = 0;
    loop {
        match text.get(end..) {
            Some([b'"', rest @ ..]) => return Ok((text.get(..end).ok_or(Malformed)?, rest)),
            Some([b'\\', _, ..]) => end = end.saturating_add(2),
            Some([_, ..]) => end = end.saturating_add(1),
            Some([]) | None => return Err(Malformed),
        }
    }
}

const fn ends_scalar(byte: u8) -> bool {
    matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r')
}

/// An integer that prints as it is written.
fn integer(text: &[u8]) -> Result<(), Malformed> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let plain = !digits.is_empty() && digits.len() <= MOST_DIGITS && digits.iter().all(u8::is_ascii_digit);
    if plain && text != b"-0" { Ok(()) } else { Err(Malformed) }
}

/// A decimal that prints as it is written: no exponent, no trailing zero, and none so small that `BigDecimal.toString`
/// gives it an exponent (Java SE API: below 0.000001).
fn decimal(text: &[u8]) -> Result<(), Malformed> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let (whole, fraction) = split_where(digits, |byte| byte == b'.');
    let fraction = fraction.strip_prefix(b".").ok_or(Malformed)?;
    let plain = whole.iter().chain(fraction).all(u8::is_ascii_digit);
    let length = whole.len().saturating_add(fraction.len());
    let small = whole == b"0" && fraction.starts_with(b"000000");
    let ends_in_zero = fraction.last().is_none_or(|digit| *digit == b'0');
    if plain && length <= MOST_DECIMAL_DIGITS && !small && !ends_in_zero { Ok(()) } else { Err(Malformed) }
}

#[cfg(test)]
mod tests {
    use super::super::json_members;
    use super::super::tests::decoded;
    use super::*;
    use proptest::prelude::*;

    fn java(value: &str) -> Result<String, Malformed> {
        decoded(java_string, value).map(|text| String::from_utf8(text).unwrap())
    }

    fn scalar(value: &str) -> Result<String, Malformed> {
        decoded(fastjson_scalar, value).map(|text| String::from_utf8(text).unwrap())
    }

    fn text(value: &str) -> Result<String, Malformed> {
        decoded(fastjson_string, value).map(|text| String::from_utf8(text).unwrap())
    }

    #[test]
    fn values_print_as_java_prints_them() {
        for (value, printed) in [
            ("1", "1"),
            ("-12", "-12"),
            ("0", "0"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            ("true", "true"),
            ("null", "null"),
            ("{}", "{}"),
            ("[ ]", "[]"),
            ("[1,2]", "[1, 2]"),
            (r#"{"a":1,"b":"x"}"#, "{a=1, b=x}"),
            (r#"{ "b" : [ true , {"c":null} ] , "a":"" }"#, "{b=[true, {c=null}], a=}"),
            (r#"["\u00e9\n","a, b"]"#, "[é\n, a, b]"),
            (r#"{"a\"b":"\\"}"#, "{a\"b=\\}"),
            (r#"[{"a":1},{"a":2}]"#, "[{a=1}, {a=2}]"),
        ] {
            assert_eq!(java(value).as_deref(), Ok(printed), "{value}");
        }
    }

    #[test]
    fn what_java_versions_print_differently_is_malformed() {
        for value in [
            "1.0",
            "0.1",
            "1e2",
            "-0",
            "[1.5]",
            r#"{"a":-0}"#,
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"[{"b":{"a":1,"a":2}}]"#,
            r#"["\ud800"]"#,
            &"1".repeat(65),
        ] {
            assert_eq!(java(value), Err(Malformed), "{value}");
        }
    }

    #[test]
    fn scalars_print_as_every_fastjson_prints_them() {
        for value in ["1", "-7", "0", "true", "false", "1.5", "-0.25", "0.000001", "0.0000012", "1234567.89"] {
            assert_eq!(scalar(value).as_deref(), Ok(value));
        }
        for value in [
            "null",
            "{}",
            "[]",
            "[1]",
            "-0",
            "1.0",
            "1.50",
            "1e3",
            "1.5e3",
            "0.0",
            "0.00000012",
            "0.1234567890123456",
            "1.",
        ] {
            assert_eq!(scalar(value), Err(Malformed), "{value}");
        }
    }

    #[test]
    fn strings_are_written_as_every_fastjson_writes_them() {
        for (value, written) in [
            ("", r#""""#),
            ("a\"b\\c/d", r#""a\"b\\c/d""#),
            ("\u{8}\t\n\u{c}\r", r#""\b\t\n\f\r""#),
            ("é 😀 <&>'", "\"é 😀 <&>'\""),
            ("\u{a0}\u{2027}", "\"\u{a0}\u{2027}\""),
        ] {
            assert_eq!(text(value).as_deref(), Ok(written), "{value}");
        }
        for value in ["\u{0}", "\u{b}", "\u{1f}", "\u{7f}", "\u{80}", "\u{9f}", "a\u{2028}", "\u{2029}"] {
            assert_eq!(text(value), Err(Malformed), "{value:?}");
        }
        assert_eq!(decoded(fastjson_string, b"\xff"), Err(Malformed));
    }

    #[test]
    fn names_are_in_the_order_of_their_code_units() {
        assert_eq!(utf16_order("a", "b"), Ordering::Less);
        assert_eq!(utf16_order("a", "aa"), Ordering::Less);
        assert_eq!(utf16_order("é", "z"), Ordering::Greater);
        // Bytes say otherwise here: a surrogate is less than U+FF61.
        assert_eq!(utf16_order("😀", "\u{ff61}"), Ordering::Less);
        assert_eq!("😀".cmp("\u{ff61}"), Ordering::Greater);
    }

    proptest! {
        /// Whatever the reader of members hands on, the printer ends without a panic.
        #[test]
        fn every_member_is_printed_or_malformed(body in r#"\{"a":[\[\]{}:,"0-9.a-c \\u-]{0,24}\}"#) {
            let _ = json_members(body.as_bytes(), &mut |_, value| {
                if let super::super::JsonValue::Raw(raw) = value {
                    let _ = java_string(raw, &mut Vec::new());
                    let _ = fastjson_scalar(raw, &mut Vec::new());
                }
            });
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = java_string(&bytes, &mut Vec::new());
            let _ = fastjson_scalar(&bytes, &mut Vec::new());
            let _ = fastjson_string(&bytes, &mut Vec::new());
        }
    }
}
