//! Reading: RFC 8259, and no name twice.
//!
//! Readers disagree about which of two equal names counts, and about surrogates that have no partner; so neither is
//! read. Nor are `NaN` and `Infinity`, which Python writes and JSON does not have.

use super::{Json, Number};

/// How deep arrays and objects may lie in one another.
pub const DEEPEST: usize = 256;

/// Why a text is no value that we read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonFault {
    /// Arrays and objects lie deeper in one another than [`DEEPEST`].
    #[error("it is nested more than {DEEPEST} levels deep")]
    Deep,
    /// An object has two members of one name.
    #[error("a name is there twice in one object")]
    Doubled,
    /// An unpaired surrogate, which has no UTF-8.
    #[error("a string has half a character (an unpaired surrogate)")]
    Surrogate,
    /// Not JSON.
    #[error("it is not JSON at byte {at}")]
    Syntax {
        /// The offset.
        at: usize,
    },
}

pub(super) fn parse(text: &[u8]) -> Result<Json, JsonFault> {
    let text = std::str::from_utf8(text).map_err(|error| JsonFault::Syntax { at: error.valid_up_to() })?;
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0)?;
    reader.skip_white();
    if reader.at == text.len() { Ok(value) } else { Err(reader.fault()) }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn fault(&self) -> JsonFault {
        JsonFault::Syntax { at: self.at }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn advance(&mut self, by: usize) {
        self.at = self.at.saturating_add(by);
    }

    fn skip_white(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.advance(1);
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        if there {
            self.advance(1);
        }
        there
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonFault> {
        if self.take(byte) { Ok(()) } else { Err(self.fault()) }
    }

    fn word(&mut self, word: &str, value: Json) -> Result<Json, JsonFault> {
        if self.rest().starts_with(word) {
            self.advance(word.len());
            return Ok(value);
        }
        Err(self.fault())
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn value(&mut self, depth: usize) -> Result<Json, JsonFault> {
        self.skip_white();
        match self.peek() {
            Some(b'{') => self.object(deeper(depth)?),
            Some(b'[') => self.array(deeper(depth)?),
            Some(b'"') => self.string().map(Json::String),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            _ => self.number(),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Json, JsonFault> {
        let mut items = Vec::new();
        self.advance(1);
        self.skip_white();
        if self.take(b']') {
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(depth)?);
            self.skip_white();
            if !self.take(b',') {
                self.expect(b']')?;
                return Ok(Json::Array(items));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, JsonFault> {
        let mut members: Vec<(String, Json)> = Vec::new();
        self.advance(1);
        self.skip_white();
        if self.take(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            self.skip_white();
            if self.peek() != Some(b'"') {
                return Err(self.fault());
            }
            let name = self.string()?;
            self.skip_white();
            self.expect(b':')?;
            let value = self.value(depth)?;
            if members.is_empty() {
                members.reserve(4);
            }
            members.push((name, value));
            self.skip_white();
            if !self.take(b',') {
                self.expect(b'}')?;
                return if has_doubles(&members) { Err(JsonFault::Doubled) } else { Ok(Json::Object(members)) };
            }
        }
    }

    fn string(&mut self) -> Result<String, JsonFault> {
        self.advance(1);
        let plain = self.plain();
        if self.take(b'"') {
            return Ok(plain.to_owned());
        }
        let mut text = plain.to_owned();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.advance(1);
                    return Ok(text);
                }
                Some(b'\\') => {
                    self.advance(1);
                    text.push(self.escaped()?);
                }
                _ => return Err(self.fault()),
            }
            text.push_str(self.plain());
        }
    }

    /// What stands up to the next quote, backslash or control character.
    fn plain(&mut self) -> &'t str {
        let rest = self.rest();
        let length = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)).unwrap_or(rest.len());
        self.advance(length);
        rest.get(..length).unwrap_or_default()
    }

    fn escaped(&mut self) -> Result<char, JsonFault> {
        let fault = self.fault();
        let byte = self.peek().ok_or(fault)?;
        self.advance(1);
        Ok(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unit_pair(),
            _ => return Err(fault),
        })
    }

    fn unit_pair(&mut self) -> Result<char, JsonFault> {
        let unit = self.unit()?;
        if let Some(character) = char::from_u32(unit) {
            return Ok(character);
        }
        if !self.rest().starts_with("\\u") || unit >= 0xdc00 {
            return Err(JsonFault::Surrogate);
        }
        self.advance(2);
        let low = self.unit()?;
        if !(0xdc00..=0xdfff).contains(&low) {
            return Err(JsonFault::Surrogate);
        }
        let (high, low) = (unit & 0x3ff, low & 0x3ff);
        char::from_u32((high << 10 | low).saturating_add(0x1_0000)).ok_or(JsonFault::Surrogate)
    }

    fn unit(&mut self) -> Result<u32, JsonFault> {
        let fault = self.fault();
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).ok_or(fault)?;
        self.advance(4);
        Ok(unit)
    }

    fn number(&mut self) -> Result<Json, JsonFault> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        Ok(Json::Number(Number(text.into())))
    }

    fn digits(&mut self) -> Result<(), JsonFault> {
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return Err(self.fault());
        }
        self.advance(digits);
        Ok(())
    }
}

fn deeper(depth: usize) -> Result<usize, JsonFault> {
    if depth >= DEEPEST { Err(JsonFault::Deep) } else { Ok(depth.saturating_add(1)) }
}

fn has_doubles(members: &[(String, Json)]) -> bool {
    // Nearly all objects are small, and then nothing has to be sorted.
    if members.len() <= FEW {
        let pairs = members.iter().enumerate();
        return pairs.into_iter().any(|(at, (name, _))| members.iter().take(at).any(|(other, _)| other == name));
    }
    let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.windows(2).any(|pair| matches!(pair, [one, other] if one == other))
}

const FEW: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_names_too_none_may_be_there_twice() {
        for count in [2, FEW, FEW + 1, 100] {
            let members = |last: usize| {
                let all: Vec<String> = (0..count - 1).chain([last]).map(|name| format!("\"{name}\":0")).collect();
                parse(format!("{{{}}}", all.join(",")).as_bytes())
            };
            assert!(members(count).is_ok());
            assert_eq!(members(0), Err(JsonFault::Doubled), "{count}");
            assert_eq!(members(count - 2), Err(JsonFault::Doubled), "{count}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_not_read() {
        for (text, fault) in [
            (r#"{"a":1,"a":2}"#, JsonFault::Doubled),
            (r#"{"a":1,"\u0061":2}"#, JsonFault::Doubled),
            (r#"[{"b":{"a":1,"c":2,"a":1}}]"#, JsonFault::Doubled),
            (r#""\ud800""#, JsonFault::Surrogate),
            (r#""\udc00\ud800""#, JsonFault::Surrogate),
            (r#""\ud800\u0041""#, JsonFault::Surrogate),
            (r#""\ud800x""#, JsonFault::Surrogate),
        ] {
            assert_eq!(parse(text.as_bytes()), Err(fault), "{text}");
        }
    }

    #[test]
    fn what_is_no_json_is_not_read() {
        for text in [
            "",
            " ",
            "{",
            "[",
            "\"",
            "nul",
            "nulll",
            "True",
            "NaN",
            "-Infinity",
            "Infinity",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "1e+",
            "+1",
            "0x1",
            "1_0",
            "[1,]",
            "[,1]",
            "{,}",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "{'a':1}",
            "[1 2]",
            "1 2",
            "\"\t\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u+123\"",
            "\"\\u 123\"",
            "/**/1",
            "\u{feff}1",
            "\"a",
            "\"a\\",
        ] {
            assert!(matches!(parse(text.as_bytes()), Err(JsonFault::Syntax { .. })), "{text}");
        }
        assert_eq!(parse(b"\"\xff\""), Err(JsonFault::Syntax { at: 1 }));
    }

    #[test]
    fn depth_has_a_limit_and_no_stack_is_needed_beyond_it() {
        let nested = |depth| [vec![b'['; depth], vec![b']'; depth]].concat();
        assert!(parse(&nested(DEEPEST)).is_ok());
        assert_eq!(parse(&nested(DEEPEST + 1)), Err(JsonFault::Deep));
        assert_eq!(parse(&vec![b'['; 10_000_000]), Err(JsonFault::Deep));
    }

    #[test]
    fn numbers_keep_their_digits() {
        for text in [
            "0",
            "-0",
            "1.0",
            "1.50",
            "1e5",
            "1E+5",
            "123456789012345678901234567890",
            "0.1000000000000000055",
            "1e400",
        ] {
            let Ok(Json::Number(number)) = parse(text.as_bytes()) else { panic!("{text}") };
            assert_eq!(number.as_str(), text);
        }
    }

    #[test]
    fn strings_are_read_whole() {
        let value = parse(r#" "a\"\\\/\b\f\n\r\té\u00e9\ud83d\ude00😀\u0000" "#.as_bytes());
        assert_eq!(value, Ok(Json::from("a\"\\/\u{8}\u{c}\n\r\téé😀😀\0")));
    }
}
