//! Bytes as text in which nothing hides: line ends, tabs, spaces that nobody would notice, what is not UTF-8, and
//! characters that could steer a terminal.

use std::fmt::Write as _;

/// Bytes, each character with how it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Visible {
    shown: Vec<Shown>,
    /// In bytes.
    length: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Shown {
    /// Where its first byte is.
    at: usize,
    text: String,
    ends_line: bool,
}

impl Visible {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut shown = Vec::new();
        let mut at: usize = 0;
        for chunk in bytes.utf8_chunks() {
            for c in chunk.valid().chars() {
                let before = at.checked_sub(1).and_then(|before| bytes.get(before));
                let after = bytes.get(at + c.len_utf8());
                shown.push(Shown { at, text: character(c, before, after), ends_line: c == '\n' });
                at += c.len_utf8();
            }
            for byte in chunk.invalid() {
                shown.push(Shown { at, text: format!("\\x{byte:02X}"), ends_line: false });
                at += 1;
            }
        }
        Self { shown, length: bytes.len() }
    }

    /// A line for each line, its end shown.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = vec![String::new()];
        for shown in &self.shown {
            if let Some(line) = lines.last_mut() {
                line.push_str(&shown.text);
            }
            if shown.ends_line {
                lines.push(String::new());
            }
        }
        // Behind a last line end there is nothing, which an empty line would not show.
        if lines.len() > 1 && lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        lines
    }

    pub(super) fn on_one_line(&self) -> String {
        self.shown.iter().map(|shown| shown.text.as_str()).collect()
    }

    /// How many columns stand before a byte; those of the whole text where it is behind the end.
    pub(super) fn width_before(&self, at: usize) -> usize {
        // The character that a byte is part of begins at or before it.
        let characters = self.shown.partition_point(|shown| shown.at <= at);
        let whole = if at >= self.length { characters } else { characters.saturating_sub(1) };
        self.shown.iter().take(whole).map(|shown| shown.text.chars().count()).sum()
    }
}

/// The first byte at which two texts part.
pub(super) fn first_difference(one: &[u8], other: &[u8]) -> Option<usize> {
    let same = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    (same < one.len().max(other.len())).then_some(same)
}

fn character(c: char, before: Option<&u8>, after: Option<&u8>) -> String {
    let is_edge = |byte: Option<&u8>| matches!(byte, None | Some(b' ' | b'\n' | b'\r' | b'\t'));
    match c {
        ' ' if is_edge(before) || is_edge(after) => "␠".to_owned(),
        // A backslash that could be taken for one of ours.
        '\\' if matches!(after, Some(b'x' | b'u' | b'\\')) => "\\\\".to_owned(),
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}').to_string(),
        '\u{7f}' => "␡".to_owned(),
        _ if is_unseen(c) => {
            let mut text = String::new();
            // Writing to a string cannot fail.
            let _ = write!(text, "\\u{{{:x}}}", u32::from(c));
            text
        }
        c => c.to_string(),
    }
}

/// Characters of no width, spaces that look like others, and those that change the direction of what follows.
const fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{80}'..='\u{a0}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{2000}'..='\u{200f}'
            | '\u{2028}'..='\u{202f}'
            | '\u{205f}'..='\u{206f}'
            | '\u{3000}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_nobody_would_see_is_seen() {
        for (bytes, shown) in [
            (&b"a b"[..], "a b"),
            (b"a  b", "a␠␠b"),
            (b" a", "␠a"),
            (b"a ", "a␠"),
            (b"a \tb", "a␠␉b"),
            (b"a\r\n", "a␍␊"),
            (b"\0\x1b[2J\x7f", "␀␛[2J␡"),
            (b"\xff\xc3", "\\xFF\\xC3"),
            ("\u{feff}a\u{200b}b\u{a0}\u{202e}".as_bytes(), "\\u{feff}a\\u{200b}b\\u{a0}\\u{202e}"),
            (br"\xFF", r"\\xFF"),
            (br"a\b", r"a\b"),
            ("é漢".as_bytes(), "é漢"),
        ] {
            assert_eq!(Visible::of(bytes).on_one_line(), shown);
        }
    }

    #[test]
    fn lines_end_where_they_end() {
        assert_eq!(Visible::of(b"a\n\nb\n").lines(), ["a␊", "␊", "b␊"]);
        assert_eq!(Visible::of(b"").lines(), [""]);
        assert_eq!(Visible::of(b"a\n b").lines(), ["a␊", "␠b"]);
    }

    #[test]
    fn the_place_of_a_byte_is_where_it_is_shown() {
        let visible = Visible::of("é\n\u{200b}x".as_bytes());
        let columns: Vec<_> = (0..8).map(|at| visible.width_before(at)).collect();
        assert_eq!(columns, [0, 0, 1, 2, 2, 2, 10, 11]);
        assert_eq!(first_difference(b"ab", b"ab"), None);
        assert_eq!(first_difference(b"ab", b"abc"), Some(2));
        assert_eq!(first_difference(b"", b"a"), Some(0));
    }

    proptest! {
        #[test]
        fn any_bytes_are_shown_and_none_steers_the_terminal(bytes: Vec<u8>, at: usize) {
            let visible = Visible::of(&bytes);
            let line = visible.on_one_line();
            prop_assert!(!line.chars().any(char::is_control));
            prop_assert!(visible.width_before(at % (bytes.len() + 1)) <= line.chars().count());
            prop_assert_eq!(visible.lines().concat(), line);
        }

        #[test]
        fn bytes_that_differ_look_different(one in "[ -~\n\t\\\\xF]{0,12}", other in "[ -~\n\t\\\\xF]{0,12}") {
            let same = Visible::of(one.as_bytes()).on_one_line() == Visible::of(other.as_bytes()).on_one_line();
            prop_assert_eq!(same, one == other);
        }
    }
}
