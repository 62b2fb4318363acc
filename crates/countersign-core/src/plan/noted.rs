//! What a message holds, noted in one pass: the field lines of all names that the plan knows, and the pairs of the query.
//!
//! Only a message that is being verified is noted. Where nothing is, and where a note would not do (a name that cannot
//! be read, a parameter that is there twice), the answer is to ask the message itself: whoever asks has to be able to.

use crate::canon;
use crate::reject::{Reason, Rejection, Subject};
use crate::request::RequestView;

/// The names of field lines that a plan knows, in lower case. A line is known by its number here.
#[derive(Debug, Default)]
pub(crate) struct Names {
    names: Vec<String>,
    /// One bit for each length that a name has: most other lines are told by theirs.
    lengths: u64,
}

impl Names {
    /// The number of a name; it is known from now on.
    pub(crate) fn number(&mut self, name: &str) -> usize {
        self.lengths |= length_bit(name);
        self.names.iter().position(|known| known == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len().saturating_sub(1)
        })
    }

    pub(crate) fn name(&self, number: usize) -> &str {
        self.names.get(number).map_or("", String::as_str)
    }

    fn find(&self, name: &str) -> Option<usize> {
        if self.lengths & length_bit(name) == 0 {
            return None;
        }
        self.names.iter().position(|known| known.eq_ignore_ascii_case(name))
    }
}

fn length_bit(name: &str) -> u64 {
    1 << (name.len() & 63)
}

/// A value, as far as notes tell.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'n> {
    Absent,
    /// Nothing is noted, or not enough.
    Ask,
    /// As it was sent, with escapes of forms.
    Escaped(&'n [u8]),
    Here(&'n [u8]),
}

/// The notes on one message.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    /// By the numbers of names; empty: nothing is noted.
    lines: Vec<Line>,
    /// The values of lines, and names of the query without their escapes.
    bytes: Vec<u8>,
    pairs: Vec<Pair>,
    /// Whether the pairs are those of the query, and every name could be read.
    has_pairs: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Line {
    count: usize,
    /// The first value.
    start: usize,
    end: usize,
}

/// A pair of the query, by where its name and its value begin and end there.
#[derive(Debug, Clone, Copy)]
struct Pair {
    name: (usize, usize),
    /// Where its name lies among the noted bytes, if it is escaped: without its escapes.
    decoded: Option<(usize, usize)>,
    value: (usize, usize),
    /// Whether the value stands for itself, without an escape.
    plain: bool,
}

impl Noted {
    pub(crate) fn forget(&mut self) {
        self.lines.clear();
        self.bytes.clear();
        self.pairs.clear();
        self.has_pairs = false;
    }

    /// Notes the field lines of a message.
    pub(crate) fn note_lines(&mut self, view: &RequestView<'_>, names: &Names) {
        self.lines.resize(names.names.len(), Line::default());
        let Self { lines, bytes, .. } = self;
        view.fields.all(&mut |name, value| {
            if let Some(line) = names.find(name).and_then(|number| lines.get_mut(number)) {
                if line.count == 0 {
                    line.start = bytes.len();
                    bytes.extend_from_slice(value);
                    line.end = bytes.len();
                }
                line.count = line.count.saturating_add(1);
            }
        });
    }

    /// How many lines of a name there are; `None`: nothing is noted.
    pub(crate) fn count(&self, number: usize) -> Option<usize> {
        self.lines.get(number).map(|line| line.count)
    }

    /// The one field line of a name, as [`field_line`](super::source::field_line) finds it.
    pub(crate) fn line<'n>(
        &'n self,
        view: &RequestView<'n>,
        names: &Names,
        number: usize,
    ) -> Result<Value<'n>, Rejection> {
        let Some(line) = self.lines.get(number) else { return Ok(Value::Ask) };
        match line.count {
            0 if !view.authority.is_empty() && names.name(number) == "host" => {
                Ok(Value::Here(view.authority.as_bytes()))
            }
            0 => Ok(Value::Absent),
            1 => Ok(Value::Here(self.bytes.get(line.start..line.end).unwrap_or_default())),
            _ => Err(Rejection::new(Reason::FieldDuplicated, None, Subject::Header(names.name(number).to_owned()))),
        }
    }

    /// Notes the pairs of a query: what [`query_pairs`](crate::canon::query_pairs) makes of it, and what is escaped.
    pub(crate) fn note_query(&mut self, query: &[u8]) {
        const BLOCK: usize = 16;
        self.has_pairs = true;
        let mut piece = Piece::default();
        let mut at: usize = 0;
        for block in query.chunks(BLOCK) {
            // In a long value there is nothing to see: one step for all bytes of a block.
            if <&[u8; BLOCK]>::try_from(block).is_ok_and(|block| !canon::has_any(block, *b"&=%+")) {
                at = at.saturating_add(BLOCK);
                continue;
            }
            for byte in block {
                match byte {
                    b'&' => {
                        self.note_pair(query, &piece, at);
                        piece = Piece { start: at.saturating_add(1), ..Piece::default() };
                    }
                    b'=' if piece.equals.is_none() => piece.equals = Some(at),
                    b'%' | b'+' if piece.equals.is_none() => piece.escaped_name = true,
                    b'%' | b'+' => piece.escaped_value = true,
                    _ => {}
                }
                at = at.saturating_add(1);
            }
        }
        self.note_pair(query, &piece, at);
    }

    /// Notes the pair that a piece is, which ends here. An empty piece is none.
    fn note_pair(&mut self, query: &[u8], piece: &Piece, end: usize) {
        if piece.start == end {
            return;
        }
        let name = (piece.start, piece.equals.unwrap_or(end));
        let mut decoded = None;
        if piece.escaped_name {
            let start = self.bytes.len();
            self.has_pairs &=
                canon::form_decode(query.get(name.0..name.1).unwrap_or_default(), &mut self.bytes).is_ok();
            decoded = Some((start, self.bytes.len()));
        }
        let value = (piece.equals.map_or(end, |equals| equals.saturating_add(1)), end);
        self.pairs.push(Pair { name, decoded, value, plain: !piece.escaped_value });
    }

    /// The one parameter of a name in the query that was noted.
    pub(crate) fn parameter<'q>(&self, query: &'q [u8], name: &str) -> Value<'q> {
        if !self.has_pairs {
            return Value::Ask;
        }
        let is = |pair: &&Pair| {
            let (text, (start, end)) = match pair.decoded {
                None => (query, pair.name),
                Some(range) => (self.bytes.as_slice(), range),
            };
            end.saturating_sub(start) == name.len() && text.get(start..end) == Some(name.as_bytes())
        };
        let mut found = self.pairs.iter().filter(is);
        match (found.next(), found.next()) {
            (None, _) => Value::Absent,
            (Some(pair), None) => {
                let value = query.get(pair.value.0..pair.value.1).unwrap_or_default();
                if pair.plain { Value::Here(value) } else { Value::Escaped(value) }
            }
            (Some(_), Some(_)) => Value::Ask,
        }
    }
}

/// A piece of the query, between ampersands, as far as it was read.
#[derive(Default)]
struct Piece {
    start: usize,
    equals: Option<usize>,
    escaped_name: bool,
    escaped_value: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canon::form_decode;
    use crate::plan::list::Decoding;
    use crate::plan::source::{field_line, parameter};
    use crate::request::Transport;
    use crate::scheme::draft::Span;
    use proptest::prelude::*;

    fn asked(query: &[u8], name: &str) -> Option<(bool, Vec<u8>)> {
        let mut out = Vec::new();
        let found = parameter(query, name, Decoding::Form, Span::default(), Reason::TargetMalformed, &mut out);
        found.ok().map(|found| (found, out))
    }

    fn noted(query: &[u8], name: &str) -> Option<(bool, Vec<u8>)> {
        let mut notes = Noted::default();
        notes.note_query(query);
        match notes.parameter(query, name) {
            Value::Absent => Some((false, Vec::new())),
            Value::Ask => None,
            Value::Escaped(value) => {
                let mut out = Vec::new();
                form_decode(value, &mut out).ok().map(|()| (true, out))
            }
            Value::Here(value) => Some((true, value.to_vec())),
        }
    }

    #[test]
    fn a_query_that_is_not_noted_is_asked() {
        assert!(matches!(Noted::default().parameter(b"a=1", "a"), Value::Ask));
        assert_eq!(noted(b"a=1&b&%61b=%2B&a=2", "ab"), Some((true, b"+".to_vec())));
        for (query, name) in [("a=1&%6=", "a"), ("a=1&a=2", "a"), ("a=%2", "a"), ("a&%61", "a")] {
            assert_eq!(noted(query.as_bytes(), name), None, "{query}");
        }
    }

    proptest! {
        #[test]
        fn a_parameter_is_what_the_query_has(
            query in "([ab]{0,2}|%6[0-9a-c]|%|[+&=1]|[x]{14,17}){0,16}",
            name in "[ab]{0,2}|a b|x{15}",
        ) {
            prop_assert_eq!(noted(query.as_bytes(), &name), asked(query.as_bytes(), &name));
        }

        #[test]
        fn a_line_is_what_the_message_has(
            fields in prop::collection::vec(("host|Host|x-a|X-A|X-b|x-abc", "[ a-c]{0,3}"), 0..5),
            authority in "|example",
        ) {
            let view = RequestView {
                method: "GET",
                target: b"/",
                authority: &authority,
                transport: Transport::Https,
                fields: &fields,
                body: None,
                peer: None,
                status: None,
                trailers: None,
                answers: None,
            };
            let mut names = Names::default();
            let mut notes = Noted::default();
            let numbers = ["host", "x-a", "x-b", "x-c"].map(|name| names.number(name));
            notes.note_lines(&view, &names);
            for number in numbers {
                let mut out = Vec::new();
                let asked = field_line(&view, names.name(number), &mut out).map_err(|refused| refused.reason());
                let noted = notes.line(&view, &names, number).map_err(|refused| refused.reason());
                match noted {
                    Ok(Value::Here(value)) => prop_assert_eq!((asked, out.as_slice()), (Ok(true), value)),
                    Ok(Value::Absent) => prop_assert_eq!(asked, Ok(false)),
                    Ok(Value::Ask | Value::Escaped(_)) => prop_assert!(false, "what was noted is not asked"),
                    Err(reason) => prop_assert_eq!(asked, Err(reason)),
                }
            }
        }
    }
}
