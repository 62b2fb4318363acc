//! Faults with the place they stand at, for people and for programs.
//!
//! ```text
//! error: `sigh` is not a section
//!   --> schemes/mine.toml:7:2
//!    |
//!  7 | [sigh]
//!    |  ^^^^
//! hint: did you mean `sign`?
//! ```
//!
//! Lines and columns count from 1, columns count characters. A control character is shown as its picture
//! (U+2400 …), so that a file cannot steer the terminal it is shown on. There is no colour here, and no wrapping.

use countersign_core::scheme::draft::{Fault, Span};
use serde::Serialize;
use std::fmt;

/// A file that was read: the scheme, or one that it extends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What to call it: a path, or a name of the catalogue.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// A scheme that cannot be used, and everything that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", render(sources, faults))]
pub struct SchemeError {
    /// The files, indexed by [`Span::file`].
    pub sources: Vec<Source>,
    /// What is wrong, in the order of the files; never empty.
    pub faults: Vec<Fault>,
}

impl SchemeError {
    /// Puts faults in the order in which they stand in the files. Past a hundred the rest is left out.
    pub fn new(sources: Vec<Source>, mut faults: Vec<Fault>) -> Self {
        faults.sort_by_key(|fault| (fault.span.file, fault.span.start));
        faults.truncate(MAX_FAULTS);
        Self { sources, faults }
    }

    /// The faults as rows for programs.
    pub fn located(&self) -> Vec<Located> {
        self.faults.iter().map(|fault| Located::new(&self.sources, fault)).collect()
    }
}

/// The faults one below the other, an empty line between them.
fn render(sources: &[Source], faults: &[Fault]) -> String {
    let shown = faults.iter().map(|fault| {
        let hint = fault.hint.as_ref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
        format!("error: {}\n{}{hint}", fault.message, Excerpt::new(sources, fault.span))
    });
    shown.collect::<Vec<_>>().join("\n\n")
}

/// A fault and its place, as a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Located {
    /// The file's name.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// Its column in characters, from 1.
    pub column: usize,
    /// The offending text.
    pub text: String,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
}

impl Located {
    fn new(sources: &[Source], fault: &Fault) -> Self {
        let excerpt = Excerpt::new(sources, fault.span);
        Self {
            file: excerpt.file.to_owned(),
            line: excerpt.line,
            column: excerpt.column,
            text: excerpt.text.to_owned(),
            message: fault.message.clone(),
            hint: fault.hint.clone(),
        }
    }
}

/// The place of a span: shown as `  --> file:line:column` and the line with the span underlined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt<'a> {
    /// The file's name.
    pub file: &'a str,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The text of the span.
    pub text: &'a str,
    /// The line's text before the span.
    before: &'a str,
    /// The line's text from the span on.
    after: &'a str,
}

impl<'a> Excerpt<'a> {
    /// Finds a span in the files it was read from.
    pub fn new(sources: &'a [Source], span: Span) -> Self {
        let source = sources.get(usize::from(span.file));
        let (file, text) = source.map_or(("", ""), |source| (&source.name, &source.text));
        let start = floor(text, span.start as usize);
        let end = floor(text, span.end as usize).max(start);
        let (head, tail) = text.split_at(start);
        let line_start = head.rfind('\n').map_or(0, |feed| feed + 1);
        let before = head.get(line_start..).unwrap_or_default();
        Self {
            file,
            line: head.bytes().filter(|byte| *byte == b'\n').count() + 1,
            column: before.chars().count() + 1,
            text: text.get(start..end).unwrap_or_default(),
            before,
            after: tail.lines().next().unwrap_or_default(),
        }
    }
}

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        let gutter = number.len() + 2;
        // Of a very long line only the neighbourhood is shown.
        let skipped = self.before.chars().count().saturating_sub(BEFORE);
        let cut = if skipped > 0 { "…" } else { "" };
        let before: String = self.before.chars().skip(skipped).map(picture).collect();
        let after: String = self.after.chars().take(AFTER).map(picture).collect();
        let more = if self.after.chars().count() > AFTER { "…" } else { "" };
        let indent: String = cut.chars().chain(before.chars()).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        let visible = self.text.lines().next().unwrap_or_default().chars().count();
        writeln!(f, "  --> {}:{}:{}", self.file, self.line, self.column)?;
        writeln!(f, "{:gutter$}|", "")?;
        writeln!(f, " {number} | {cut}{before}{after}{more}")?;
        write!(f, "{:gutter$}| {indent}{}", "", "^".repeat(visible.clamp(1, AFTER)))
    }
}

/// Whether two spans begin on the same line of the same file.
pub(crate) fn same_line(sources: &[Source], one: Span, other: Span) -> bool {
    let (first, last) = if one.start < other.start { (one, other) } else { (other, one) };
    let between = sources
        .get(usize::from(one.file))
        .and_then(|source| source.text.as_bytes().get(first.start as usize..last.start as usize));
    one.file == other.file && between.is_some_and(|between| !between.contains(&b'\n'))
}

/// The next character boundary at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn picture(c: char) -> char {
    match u32::from(c) {
        0x09 => c,
        code @ 0..0x20 => char::from_u32(0x2400 + code).unwrap_or('\u{fffd}'),
        0x7f => '\u{2421}',
        0x80..=0x9f | 0x2028..=0x202e | 0x2066..=0x2069 => '\u{fffd}',
        _ => c,
    }
}

/// More would be read by nobody, and each is looked up in its file.
const MAX_FAULTS: usize = 100;

/// How many characters of a line are shown before and after the place.
const BEFORE: usize = 100;
const AFTER: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn error(text: &str, at: std::ops::Range<u32>, hint: Option<&str>) -> SchemeError {
        let span = Span { file: 0, start: at.start, end: at.end };
        let sources = vec![Source { name: "a.toml".into(), text: text.into() }];
        SchemeError::new(sources, vec![Fault { span, message: "wrong".into(), hint: hint.map(Into::into) }])
    }

    #[test]
    fn the_offending_text_is_underlined() {
        let shown = error("x = 1\n[sigh]\ny = 2\n", 7..11, Some("did you mean `sign`?")).to_string();
        assert_eq!(
            shown,
            "error: wrong\n  --> a.toml:2:2\n   |\n 2 | [sigh]\n   |  ^^^^\nhint: did you mean `sign`?"
        );
    }

    #[test]
    fn columns_count_characters_and_tabs_keep_their_width() {
        let shown = error("\té = {x}", 6..9, None).to_string();
        assert_eq!(shown, "error: wrong\n  --> a.toml:1:6\n   |\n 1 | \té = {x}\n   | \t    ^^^");
    }

    #[test]
    fn a_span_of_several_lines_is_underlined_on_its_first() {
        let shown = error("a\nb c\nd e\n", 4..8, None).to_string();
        assert_eq!(shown, "error: wrong\n  --> a.toml:2:3\n   |\n 2 | b c\n   |   ^");
    }

    #[test]
    fn the_end_of_a_file_is_a_place() {
        let shown = error("a = 1", 5..5, None).to_string();
        assert_eq!(shown, "error: wrong\n  --> a.toml:1:6\n   |\n 1 | a = 1\n   |      ^");
    }

    #[test]
    fn control_characters_cannot_steer_the_terminal() {
        let shown = error("a = \u{1b}[2J\u{202e}", 4..5, None).to_string();
        assert!(shown.contains(" 1 | a = \u{241b}[2J\u{fffd}"), "{shown}");
    }

    #[test]
    fn a_long_line_is_cut() {
        let text = format!("{}{{x}}{}", "a".repeat(500), "b".repeat(500));
        let shown = error(&text, 500..503, None).to_string();
        assert!(shown.lines().all(|line| line.chars().count() < 220), "{shown}");
        assert!(shown.contains("a.toml:1:501"), "{shown}");
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines[3].chars().position(|c| c == '{'), lines[4].chars().position(|c| c == '^'));
    }

    #[test]
    fn rows_for_programs() {
        let rows = error("x = 1\n[sigh]\n", 7..11, Some("h")).located();
        let row = Located {
            file: "a.toml".into(),
            line: 2,
            column: 2,
            text: "sigh".into(),
            message: "wrong".into(),
            hint: Some("h".into()),
        };
        assert_eq!(rows, [row]);
    }

    proptest! {
        #[test]
        fn any_span_of_any_text_is_shown(text in "(?s).{0,60}", start in 0u32..80, end in 0u32..80, file in 0u16..2) {
            let sources = vec![Source { name: "a".into(), text }];
            let fault = Fault { span: Span { file, start, end }, message: String::new(), hint: None };
            let error = SchemeError::new(sources, vec![fault]);
            prop_assert!(error.to_string().contains("  --> "));
            prop_assert_eq!(error.located().len(), 1);
        }
    }
}
