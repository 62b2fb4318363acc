//! The text of a TOML string token, and where each of its bytes stands in the file.
//!
//! The `toml` crate gives a string's value and the span of its token, quotes included. A template's faults are
//! found at offsets into the value; escapes, the dropped first line feed and line continuations shift those
//! against the file. So the token is decoded here a second time, keeping runs of equal offsets. A property test
//! holds both decoders against each other.
//!
//! One difference is deliberate: a CR LF *written* in a multi-line string is a line feed, so that a scheme signs
//! the same bytes whichever line ending an editor or a checkout left in the file (TOML 1.1 allows it). An
//! escaped `\r\n` stays what it says.

use countersign_core::scheme::Span;
use std::ops::Range;

/// A decoded string.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    /// The value.
    pub(crate) value: String,
    /// Covers the value without gaps, in order.
    runs: Vec<Run>,
    /// The span of what is between the delimiters, without the line feed that TOML drops.
    span: Span,
}

/// A stretch of the value and the stretch of the file it was decoded from.
#[derive(Debug, Clone)]
struct Run {
    value: Range<usize>,
    file: Range<usize>,
}

impl Text {
    /// Decodes the token `raw`, which begins at `offset` of file number `file`.
    ///
    /// A token that is not well formed has been reported already; whatever can be read of it is read.
    pub(crate) fn decode(raw: &str, offset: usize, file: u16) -> Self {
        let (delimiter, basic) = delimiter(raw);
        let body = raw.strip_prefix(delimiter).unwrap_or(raw);
        let start = offset + raw.len() - body.len();
        let body = body.strip_suffix(delimiter).unwrap_or(body);
        let mut decoder = Decoder {
            rest: body,
            at: start,
            text: Self { value: String::new(), runs: Vec::new(), span: span(file, start, start + body.len()) },
        };
        if delimiter.len() == 3 {
            let newline = decoder.newline();
            decoder.skip(newline);
            decoder.text.span = span(file, decoder.at, start + body.len());
        }
        decoder.run(basic, delimiter.len() == 3);
        decoder.text
    }

    /// The place of the whole text, without its quotes.
    pub(crate) fn span(&self) -> Span {
        self.span
    }

    /// The place of a stretch of the value.
    pub(crate) fn place(&self, value: Range<usize>) -> Span {
        let start = self.start(value.start);
        let end = if value.end > value.start { self.end(value.end) } else { start };
        span(self.span.file, start, end.max(start))
    }

    /// Where the byte at `offset` begins.
    fn start(&self, offset: usize) -> usize {
        let index = self.runs.partition_point(|run| run.value.end <= offset);
        self.runs.get(index).map_or(self.span.end as usize, |run| run.file.start + (offset - run.value.start))
    }

    /// Where the byte before `offset` ends.
    fn end(&self, offset: usize) -> usize {
        let index = self.runs.partition_point(|run| run.value.end < offset);
        match self.runs.get(index) {
            Some(run) if run.value.end == offset => run.file.end,
            Some(run) => run.file.start + (offset - run.value.start),
            None => self.span.end as usize,
        }
    }
}

/// A span; offsets past 4 GiB cannot occur, as files are far smaller than that.
pub(crate) fn span(file: u16, start: usize, end: usize) -> Span {
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span { file, start: offset(start), end: offset(end) }
}

/// A token's delimiter, and whether it has escapes.
fn delimiter(raw: &str) -> (&'static str, bool) {
    // Longest first. A token of two quotes is an empty string, not the beginning of a multi-line one.
    for (delimiter, basic) in [(r#"""""#, true), ("'''", false), ("\"", true), ("'", false)] {
        if raw.len() >= 2 * delimiter.len() && raw.starts_with(delimiter) {
            return (delimiter, basic);
        }
    }
    ("", false)
}

struct Decoder<'a> {
    rest: &'a str,
    /// Offset of `rest` in the file.
    at: usize,
    text: Text,
}

impl Decoder<'_> {
    fn run(&mut self, basic: bool, multi_line: bool) {
        while let Some(next) = self.rest.chars().next() {
            if basic && next == '\\' {
                self.escape(multi_line);
            } else if multi_line && next == '\r' && self.newline() == 2 {
                self.emit("\n", 2);
            } else {
                self.emit(next.encode_utf8(&mut [0; 4]), next.len_utf8());
            }
        }
    }

    fn escape(&mut self, multi_line: bool) {
        let mut chars = self.rest.chars();
        chars.next();
        let (decoded, digits) = match chars.next() {
            Some('b') => ('\u{8}', 0),
            Some('e') => ('\u{1b}', 0),
            Some('f') => ('\u{c}', 0),
            Some('n') => ('\n', 0),
            Some('r') => ('\r', 0),
            Some('t') => ('\t', 0),
            Some('"') => ('"', 0),
            Some('\\') => ('\\', 0),
            Some('x') => ('x', 2),
            Some('u') => ('u', 4),
            Some('U') => ('U', 8),
            Some(' ' | '\t' | '\r' | '\n') if multi_line => return self.continuation(),
            _ => return self.emit("\\", 1),
        };
        if digits == 0 {
            return self.emit(decoded.encode_utf8(&mut [0; 4]), 2);
        }
        let value = self.rest.get(2..2 + digits).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match value.map(|value| char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER)) {
            Some(value) => self.emit(value.encode_utf8(&mut [0; 4]), 2 + digits),
            None => self.emit("\\", 1),
        }
    }

    /// `\` at the end of a line joins it with the next line's first visible character.
    fn continuation(&mut self) {
        let blank = |c: char| matches!(c, ' ' | '\t' | '\r' | '\n');
        let after = self.rest.strip_prefix('\\').unwrap_or(self.rest).trim_start_matches(blank);
        self.skip(self.rest.len() - after.len());
    }

    /// Length of the line ending at hand, or 0.
    fn newline(&self) -> usize {
        ["\r\n", "\n"].iter().find(|ending| self.rest.starts_with(**ending)).map_or(0, |ending| ending.len())
    }

    fn emit(&mut self, decoded: &str, raw: usize) {
        let value = self.text.value.len();
        self.text.value.push_str(decoded);
        let value = value..self.text.value.len();
        let file = self.at..self.at + raw;
        let same = value.len() == file.len();
        match self.text.runs.last_mut() {
            Some(last) if same && last.value.len() == last.file.len() && last.file.end == file.start => {
                last.value.end = value.end;
                last.file.end = file.end;
            }
            _ => self.text.runs.push(Run { value, file }),
        }
        self.skip(raw);
    }

    fn skip(&mut self, raw: usize) {
        self.rest = self.rest.get(raw..).unwrap_or_default();
        self.at += raw;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use toml::de::DeValue;

    fn slice<'a>(file: &'a str, text: &Text, needle: &str) -> &'a str {
        let start = text.value.find(needle).expect("the value holds the needle");
        let span = text.place(start..start + needle.len());
        file.get(span.start as usize..span.end as usize).expect("a span of whole characters")
    }

    #[test]
    fn spans_survive_escapes() {
        for (raw, needle, expected) in [
            ("'plain'", "plain", "plain"),
            ("'plain'", "lai", "lai"),
            (r#""a\nb\tc""#, "b", "b"),
            (r#""a\nb\tc""#, "\n", r"\n"),
            (r#""a\nb\tc""#, "a\nb", r"a\nb"),
            (r#""\"q\" {x}""#, "\"q\"", r#"\"q\""#),
            (r#""\"q\" {x}""#, "{x}", "{x}"),
            ("\"\\u00e9 {x}\"", "\u{e9}", "\\u00e9"),
            ("\"\\u00e9 {x}\"", "{x}", "{x}"),
            ("\"\\x41\\U0001F600z\"", "z", "z"),
            ("\"\"\"\n{a}\n{b}\"\"\"", "{b}", "{b}"),
            ("\"\"\"\r\n{a}\r\n{b}\"\"\"", "{a}\n{b}", "{a}\r\n{b}"),
            ("\"\"\"a\\\n   b\"\"\"", "a", "a"),
            ("\"\"\"a\\\n   b\"\"\"", "b", "b"),
            ("'''it's'''", "'", "'"),
        ] {
            let file = format!("key = {raw} # after");
            let text = Text::decode(raw, 6, 0);
            assert_eq!(slice(&file, &text, needle), expected, "{needle:?} in {raw}");
        }
    }

    #[test]
    fn the_whole_text_is_what_stands_between_the_quotes() {
        let text = Text::decode("\"\"\"\nab\"\"\"", 10, 3);
        assert_eq!((text.value.as_str(), text.span()), ("ab", Span { file: 3, start: 14, end: 16 }));
        let text = Text::decode("''", 4, 0);
        assert_eq!((text.value.as_str(), text.span()), ("", Span { file: 0, start: 5, end: 5 }));
        assert_eq!(text.place(0..0), Span { file: 0, start: 5, end: 5 });
    }

    #[test]
    fn a_written_line_ending_is_a_line_feed_and_an_escaped_one_is_itself() {
        assert_eq!(Text::decode("'''\r\na\r\nb'''", 0, 0).value, "a\nb");
        assert_eq!(Text::decode(r#""a\r\nb""#, 0, 0).value, "a\r\nb");
    }

    proptest! {
        #[test]
        fn both_decoders_agree(
            quote in prop::sample::select(vec!["\"", "'", "\"\"\"", "'''"]),
            pieces in prop::collection::vec(
                prop::sample::select(vec![
                    "a", "\u{e9}", " ", "\t", "\n", "'", "\"", "\\n", "\\\"", "\\\\", "\\t", "\\x41", "\\u20ac",
                    "\\U0001F600", "\\e", "\\\n  ", "\\ \n", "{", "}",
                ]),
                0..12,
            ),
        ) {
            let raw = format!("{quote}{}{quote}", pieces.concat());
            // What the toml crate refuses or reads as something else than one whole string is not our matter.
            if let Ok(read) = DeValue::parse(&raw)
                && read.span() == (0..raw.len())
                && let DeValue::String(expected) = read.get_ref()
            {
                prop_assert_eq!(&Text::decode(&raw, 0, 0).value, expected);
            }
        }

        #[test]
        fn any_token_is_read_and_every_span_lies_in_it(raw in "[\"'\\\\uxn\u{e9} \r\na-f0-9]{0,24}", from in 0usize..30) {
            let text = Text::decode(&raw, 7, 0);
            let end = text.value.len();
            for value in [0..end, from.min(end)..end, 0..from.min(end)] {
                let span = text.place(value);
                prop_assert!(7 <= span.start && span.start <= span.end && span.end as usize <= 7 + raw.len());
            }
        }
    }
}
