//! JSON, RFC 8259: the members of a top-level object, and the escaping of strings.
//!
//! The reader keeps the exact bytes of everything that is not a string, since `1.0` and `1` are the same number and
//! different messages. It neither recurses nor builds a tree; depth is counted in the bits of one word.

use super::percent::{hex_value, split_where};
use super::{Malformed, all_or_nothing};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// The value of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonValue<'a> {
    /// A string, without quotes and with its escapes resolved.
    String(&'a [u8]),
    /// A number, `true`, `false`, `null`, an object or an array: its bytes as sent.
    Raw(&'a [u8]),
}

/// Hands each member of a JSON object to `each`, in the order in which they were sent, its name unescaped.
///
/// The body must be one object in UTF-8 and nothing else but white space, at most 64 levels deep, itself included.
/// A top-level name that comes twice is malformed whatever its spelling, for readers disagree on which one counts;
/// so is an unpaired surrogate (`\ud800`) in a top-level string, which has no UTF-8. Inside nested values neither is
/// looked at, since their bytes are handed on as they are.
///
/// `each` may have been called for some members before a fault further on is found: what it collected counts only
/// if the answer is `Ok`.
pub fn json_members(body: &[u8], each: &mut dyn FnMut(&[u8], JsonValue<'_>)) -> Result<(), Malformed> {
    let mut text = Vec::new();
    members(body, &mut |name, value| {
        match value {
            [b'"', escaped @ .., b'"'] => {
                text.clear();
                unescape(escaped, &mut text)?;
                each(name, JsonValue::String(&text));
            }
            raw => each(name, JsonValue::Raw(raw)),
        }
        Ok(())
    })
}

/// The value of a JSON object's member, as it stands there: of a string, its quotes and escapes too.
///
/// What is malformed to [`json_members`] is malformed here, but for unpaired surrogates in strings.
pub fn json_member<'b>(body: &'b [u8], name: &[u8]) -> Result<Option<&'b [u8]>, Malformed> {
    let mut found = None;
    members(body, &mut |known, value| {
        if known == name {
            found = Some(value);
        }
        Ok(())
    })?;
    Ok(found)
}

/// Hands each member's name, unescaped, and its value as it stands there to `each`, which may refuse it. Nothing is
/// copied of the values, so that secrets among them stay where they are.
pub(crate) fn json_raw_members<'b>(body: &'b [u8], each: &mut Each<'_, 'b>) -> Result<(), Malformed> {
    members(body, each)
}

/// The elements of a JSON array, as they stand there.
pub(crate) fn json_elements(array: &[u8]) -> Result<Vec<&[u8]>, Malformed> {
    str::from_utf8(array).map_err(|_| Malformed)?;
    let mut scan = Scan { rest: array };
    let mut elements = Vec::new();
    scan.expect(b'[')?;
    if !scan.take(b']') {
        loop {
            elements.push(scan.value()?);
            if !scan.take(b',') {
                break;
            }
        }
        scan.expect(b']')?;
    }
    scan.skip_white();
    if scan.rest.is_empty() { Ok(elements) } else { Err(Malformed) }
}

/// Appends a string that stands as it was sent, in its quotes.
pub(crate) fn json_string(value: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    match value {
        [b'"', escaped @ .., b'"'] => all_or_nothing(out, |out| unescape(escaped, out)),
        _ => Err(Malformed),
    }
}

/// What members are handed to.
pub(crate) type Each<'e, 'b> = dyn FnMut(&[u8], &'b [u8]) -> Result<(), Malformed> + 'e;

/// Hands each member's name, unescaped, and its value as written to `each`.
fn members<'b>(body: &'b [u8], each: &mut Each<'_, 'b>) -> Result<(), Malformed> {
    str::from_utf8(body).map_err(|_| Malformed)?;
    let mut scan = Scan { rest: body };
    let mut names = BTreeSet::new();
    scan.expect(b'{')?;
    if !scan.take(b'}') {
        loop {
            let name = unescaped(scan.name()?)?;
            each(&name, scan.value()?)?;
            if !names.insert(name) {
                return Err(Malformed);
            }
            if !scan.take(b',') {
                break;
            }
        }
        scan.expect(b'}')?;
    }
    scan.skip_white();
    if scan.rest.is_empty() { Ok(()) } else { Err(Malformed) }
}

/// Appends the content of a JSON string literal, without the quotes (RFC 8259, section 7): `"`, `\` and control
/// characters are escaped, by a letter where there is one and else as `\u00xx` in lower case. `/` and everything
/// beyond ASCII stay as they are.
pub fn json_escape(mut input: &[u8], out: &mut Vec<u8>) {
    out.reserve(input.len());
    loop {
        let (plain, rest) = split_where(input, must_escape);
        out.extend_from_slice(plain);
        let Some((byte, rest)) = rest.split_first() else { return };
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                out.extend_from_slice(b"\\u00");
                super::hex_lower(&[*byte], out);
            }
        }
        input = rest;
    }
}

/// What has not been read yet. Every step skips the white space before it.
struct Scan<'a> {
    rest: &'a [u8],
}

impl<'a> Scan<'a> {
    fn skip_white(&mut self) {
        while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    /// Takes a byte if it is the next one.
    fn take(&mut self, wanted: u8) -> bool {
        self.skip_white();
        match self.rest {
            [byte, rest @ ..] if *byte == wanted => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn expect(&mut self, wanted: u8) -> Result<(), Malformed> {
        if self.take(wanted) { Ok(()) } else { Err(Malformed) }
    }

    /// Reads a member's name and the colon; gives the name as written, without quotes.
    fn name(&mut self) -> Result<&'a [u8], Malformed> {
        self.expect(b'"')?;
        let name = self.string()?;
        self.expect(b':')?;
        Ok(name)
    }

    /// Reads one value, however deep; gives its bytes as written.
    fn value(&mut self) -> Result<&'a [u8], Malformed> {
        self.skip_white();
        let from = self.rest;
        let mut open = Open::default();
        loop {
            if self.take(b'{') {
                if !self.take(b'}') {
                    open.push(true)?;
                    self.name()?;
                    continue;
                }
            } else if self.take(b'[') {
                if !self.take(b']') {
                    open.push(false)?;
                    continue;
                }
            } else {
                self.scalar()?;
            }
            // A value is complete, and perhaps what it stands in.
            loop {
                let Some(in_object) = open.innermost() else {
                    let len = from.len().saturating_sub(self.rest.len());
                    return from.get(..len).ok_or(Malformed);
                };
                if self.take(b',') {
                    if in_object {
                        self.name()?;
                    }
                    break;
                }
                self.expect(if in_object { b'}' } else { b']' })?;
                open.pop();
            }
        }
    }

    fn scalar(&mut self) -> Result<(), Malformed> {
        if self.take(b'"') {
            return self.string().map(drop);
        }
        for literal in [&b"true"[..], b"false", b"null"] {
            if let Some(rest) = self.rest.strip_prefix(literal) {
                self.rest = rest;
                return Ok(());
            }
        }
        self.number()
    }

    /// Reads to the quote that ends a string; gives what is before it, with its escapes checked but unresolved.
    fn string(&mut self) -> Result<&'a [u8], Malformed> {
        let from = self.rest;
        loop {
            let (_, rest) = split_where(self.rest, must_escape);
            match rest {
                [b'"', after @ ..] => {
                    self.rest = after;
                    return from.get(..from.len().saturating_sub(rest.len())).ok_or(Malformed);
                }
                [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', after @ ..] => self.rest = after,
                [b'\\', b'u', after @ ..] => (_, self.rest) = code_unit(after)?,
                _ => return Err(Malformed),
            }
        }
    }

    /// RFC 8259, section 6: `-` or not, an integer without leading zeros, a fraction, an exponent.
    fn number(&mut self) -> Result<(), Malformed> {
        if let [b'-', rest @ ..] = self.rest {
            self.rest = rest;
        }
        match self.rest {
            [b'0', rest @ ..] => self.rest = rest,
            _ => self.digits()?,
        }
        if let [b'.', rest @ ..] = self.rest {
            self.rest = rest;
            self.digits()?;
        }
        if let [b'e' | b'E', b'+' | b'-', rest @ ..] | [b'e' | b'E', rest @ ..] = self.rest {
            self.rest = rest;
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let (digits, rest) = split_where(self.rest, |byte| !byte.is_ascii_digit());
        self.rest = rest;
        if digits.is_empty() { Err(Malformed) } else { Ok(()) }
    }
}

/// The objects and arrays that are open: one bit each below a leading one, set for an object. It holds 63, so that
/// with the top-level object the depth is at most 64.
struct Open(u64);

impl Default for Open {
    fn default() -> Self {
        Self(1)
    }
}

impl Open {
    fn push(&mut self, is_object: bool) -> Result<(), Malformed> {
        if self.0.leading_zeros() == 0 {
            return Err(Malformed);
        }
        self.0 = self.0 << 1 | u64::from(is_object);
        Ok(())
    }

    fn pop(&mut self) {
        self.0 >>= 1;
    }

    fn innermost(&self) -> Option<bool> {
        (self.0 > 1).then_some(self.0 & 1 == 1)
    }
}

fn must_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// A name with its escapes resolved; itself where it has none.
fn unescaped(escaped: &[u8]) -> Result<Cow<'_, [u8]>, Malformed> {
    if !escaped.contains(&b'\\') {
        return Ok(Cow::Borrowed(escaped));
    }
    let mut text = Vec::new();
    unescape(escaped, &mut text)?;
    Ok(Cow::Owned(text))
}

/// Appends the content of a string with its escapes resolved (RFC 8259, section 7).
pub(super) fn unescape(mut escaped: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    out.reserve(escaped.len());
    loop {
        let (plain, rest) = split_where(escaped, |byte| byte == b'\\');
        out.extend_from_slice(plain);
        escaped = match rest {
            [] => return Ok(()),
            [_, b'u', rest @ ..] => {
                let (character, rest) = character(rest)?;
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                rest
            }
            [_, letter, rest @ ..] => {
                out.push(match letter {
                    b'b' => 0x08,
                    b'f' => 0x0c,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    itself => *itself,
                });
                rest
            }
            [_] => return Err(Malformed),
        };
    }
}

/// The character of a `\u` escape, whose mark is read already: one UTF-16 code unit, or two of them.
fn character(rest: &[u8]) -> Result<(char, &[u8]), Malformed> {
    let (unit, rest) = code_unit(rest)?;
    if let Some(character) = char::from_u32(u32::from(unit)) {
        return Ok((character, rest));
    }
    let (second, rest) = code_unit(rest.strip_prefix(b"\\u").ok_or(Malformed)?)?;
    match char::decode_utf16([unit, second]).next() {
        Some(Ok(character)) => Ok((character, rest)),
        _ => Err(Malformed),
    }
}

fn code_unit(rest: &[u8]) -> Result<(u16, &[u8]), Malformed> {
    let (digits, rest) = rest.split_first_chunk::<4>().ok_or(Malformed)?;
    let unit = digits.iter().try_fold(0, |unit: u16, digit| Ok(unit << 4 | u16::from(hex_value(*digit)?)))?;
    Ok((unit, rest))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{encoded, text};
    use super::*;
    use proptest::prelude::*;

    fn members(body: impl AsRef<[u8]>) -> Result<Vec<(String, String)>, Malformed> {
        let mut members = Vec::new();
        json_members(body.as_ref(), &mut |name, value| {
            let value = match value {
                JsonValue::String(text) => format!("'{}'", String::from_utf8_lossy(text)),
                JsonValue::Raw(raw) => String::from_utf8_lossy(raw).into_owned(),
            };
            members.push((String::from_utf8_lossy(name).into_owned(), value));
        })?;
        Ok(members)
    }

    #[track_caller]
    fn check(body: &str, expected: &[(&str, &str)]) {
        let expected: Vec<_> =
            expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(members(body), Ok(expected), "{body}");
    }

    #[test]
    fn members_come_in_order_with_their_exact_bytes() {
        check("{}", &[]);
        check(" {\r\n} \t", &[]);
        check(r#"{"b":"x","a":""}"#, &[("b", "'x'"), ("a", "''")]);
        check(
            r#"{ "n" : 1.0 ,"m":-0.10e+5,"t":true,"f":false,"z":null}"#,
            &[("n", "1.0"), ("m", "-0.10e+5"), ("t", "true"), ("f", "false"), ("z", "null")],
        );
        check(
            r#"{"o": {"x" : [1, {"a":1,"a":2}, []], "y":{}} , "l":[ ]}"#,
            &[("o", r#"{"x" : [1, {"a":1,"a":2}, []], "y":{}}"#), ("l", "[ ]")],
        );
        check(
            r#"{"big":123456789012345678901234567890,"s":"\"quoted\""}"#,
            &[("big", "123456789012345678901234567890"), ("s", "'\"quoted\"'")],
        );
    }

    #[test]
    fn a_member_is_cut_out_as_it_stands() {
        let body = br#" { "a" : {"b": 1.0 , "sign":"x"} , "s":"a\u0062","\u0063":"\ud800" }"#;
        for (name, value) in [
            ("a", Some(r#"{"b": 1.0 , "sign":"x"}"#)),
            ("s", Some(r#""a\u0062""#)),
            ("c", Some(r#""\ud800""#)),
            ("b", None),
            ("sign", None),
        ] {
            assert_eq!(json_member(body, name.as_bytes()), Ok(value.map(str::as_bytes)), "{name}");
        }
        for body in [r#"{"a":1,"a":1}"#, r#"{"a":1,"b":2,"\u0061":3}"#, r#"{"a":1}x"#, r#"{"a":1"#, "[1]", ""] {
            assert_eq!(json_member(body.as_bytes(), b"a"), Err(Malformed), "{body}");
        }
        assert_eq!(json_member(b"{\"a\":1,\"b\":\"\xff\"}", b"a"), Err(Malformed));
    }

    #[test]
    fn elements_are_cut_out_as_they_stand() {
        for (array, expected) in [
            ("[]", vec![]),
            (" [ 1 , \"a,]\" ] ", vec!["1", "\"a,]\""]),
            ("[[1],{\"a\":[2]},null]", vec!["[1]", "{\"a\":[2]}", "null"]),
        ] {
            let expected: Vec<_> = expected.into_iter().map(str::as_bytes).collect();
            assert_eq!(json_elements(array.as_bytes()), Ok(expected), "{array}");
        }
        for wrong in ["", "[", "]", "[1", "[1,]", "[,1]", "[1 2]", "[1]x", "{}", "1", "[a]"] {
            assert_eq!(json_elements(wrong.as_bytes()), Err(Malformed), "{wrong}");
        }
        let mut out = Vec::new();
        assert_eq!(json_string(br#""a\u0062""#, &mut out), Ok(()));
        assert_eq!(out, b"ab");
        for wrong in [&b"1"[..], b"\"", b"", br#""\ud800""#] {
            assert_eq!(json_string(wrong, &mut out), Err(Malformed));
            assert_eq!(out, b"ab");
        }
    }

    #[test]
    fn escapes_are_resolved() {
        check(r#"{"\u0061\n":"\"\\\/\b\f\n\r\t\u00e9\uD83D\ude00é"}"#, &[("a\n", "'\"\\/\u{8}\u{c}\n\r\té😀é'")]);
    }

    #[test]
    fn attack_08_a_name_that_comes_twice_is_malformed() {
        for body in [r#"{"a":1,"a":1}"#, r#"{"a":1,"b":2,"\u0061":3}"#, r#"{"":1,"":2}"#] {
            assert_eq!(members(body), Err(Malformed), "{body}");
        }
    }

    #[test]
    fn anything_but_one_object_is_malformed() {
        for body in [
            "",
            " ",
            "1",
            "[]",
            "\"a\"",
            "null",
            "{",
            "}",
            "{}{}",
            "{}x",
            "{},",
            "{,}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{,\"a\":1}",
            "{\"a\":1 \"b\":2}",
            "{\"a\" 1}",
            "{a:1}",
            "{'a':1}",
            "{1:1}",
            "{\"a\":1",
            "{\"a\":[1,]}",
            "{\"a\":[,1]}",
            "{\"a\":[1 2]}",
            "{\"a\":[1}",
            "{\"a\":{]}",
            "{\"a\":{\"b\":1,}}",
            "{\"a\":{\"b\"}}",
            "{\"a\":01}",
            "{\"a\":+1}",
            "{\"a\":.5}",
            "{\"a\":1.}",
            "{\"a\":1e}",
            "{\"a\":1e+}",
            "{\"a\":-}",
            "{\"a\":0x1}",
            "{\"a\":NaN}",
            "{\"a\":Infinity}",
            "{\"a\":True}",
            "{\"a\":truely}",
            "{\"a\":\"\n\"}",
            "{\"a\":\"\u{0}\"}",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\\u12\"}",
            "{\"a\":\"\\u12g4\"}",
            "{\"a\":\"\\\"}",
            "{\"a\":\"b}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":\"\\ud800\\u0061\"}",
            "{\"a\":\"\\ude00\\ud83d\"}",
            "{\"\\ud800\":1}",
            "{\"a\":1}//c",
            "{/**/}",
            "\u{feff}{}",
            "{\u{a0}}",
        ] {
            assert_eq!(members(body), Err(Malformed), "{body}");
        }
        assert_eq!(members(b"{\"a\":\"\xff\"}"), Err(Malformed));
    }

    #[test]
    fn depth_ends_at_64() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        let objects = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        // The innermost empty array needs no room of its own: nothing can be in it.
        assert!(members(nested(65)).is_ok() && members(objects(64)).is_ok());
        assert_eq!((members(nested(66)), members(objects(65))), (Err(Malformed), Err(Malformed)));
        assert_eq!(members(nested(1_000_000)), Err(Malformed));
    }

    #[test]
    fn what_must_be_escaped_is() {
        assert_eq!(
            text(json_escape, "a\"\\/\u{8}\u{c}\n\r\t\u{0}\u{1f}\u{7f}é"),
            "a\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\u{7f}é"
        );
    }

    proptest! {
        #[test]
        fn what_was_escaped_is_read_back(name: String, value: String) {
            let body = format!("{{\"{}\":\"{}\"}}", text(json_escape, &name), text(json_escape, &value));
            prop_assert_eq!(members(body), Ok(vec![(name, format!("'{value}'"))]));
        }

        #[test]
        fn arbitrary_bytes_never_panic(body: Vec<u8>) {
            let _ = members(&body);
            let _ = encoded(json_escape, &body);
        }

        #[test]
        fn nearly_json_never_panics(body in r#"\{["\\{}\[\]:, 0-2aeu.tn-]{0,24}\}"#) {
            let _ = members(&body);
        }
    }
}
