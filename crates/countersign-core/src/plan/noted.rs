//! What a message holds, noted in one pass: the field lines of all names that the plan knows, and the pairs of the query.
//!
//! Only a message that is being verified is noted. Where nothing is, and where a note would not do (a name that is
//! escaped, a parameter that is there twice), the answer is to ask the message itself: whoever asks has to be able to.

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
    /// The values of lines.
    bytes: Vec<u8>,
    pairs: Vec<Pair>,
    /// Whether the pairs are those of the query, and no name is escaped.
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
        let separates = |byte: u8| matches!(byte, b'&' | b'=' | b'%' | b'+');
        self.has_pairs = true;
        let mut piece = Piece::at(0);
        let mut at: usize = 0;
        for block in query.chunks(BLOCK) {
            // In a long value there is nothing to see: one step for all bytes of a block.
            let plain = <&[u8; BLOCK]>::try_from(block)
                .is_ok_and(|block| !block.iter().fold(false, |found, byte| found | separates(*byte)));
            if plain {
                at = at.saturating_add(BLOCK);
                continue;
            }
            for byte in block {
                match byte {
                    b'&' => {
                        self.pairs.extend(piece.pair(at));
                        piece = Piece::at(at.saturating_add(1));
                    }
                    b'=' if piece.equals.is_none() => piece.equals = Some(at),
                    b'%' | b'+' if piece.equals.is_none() => self.has_pairs = false,
                    b'%' | b'+' => piece.plain = false,
                    _ => {}
                }
                at = at.saturating_add(1);
            }
        }
        self.pairs.extend(piece.pair(at));
    }

    /// The one parameter of a name in the query that was noted.
    pub(crate) fn parameter<'q>(&self, query: &'q [u8], name: &str) -> Value<'q> {
        if !self.has_pairs {
            return Value::Ask;
        }
        let is = |pair: &&Pair| {
            let (start, end) = pair.name;
            end.saturating_sub(start) == name.len() && query.get(start..end) == Some(name.as_bytes())
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
struct Piece {
    start: usize,
    equals: Option<usize>,
    plain: bool,
}

impl Piece {
    const fn at(start: usize) -> Self {
        Self { start, equals: None, plain: true }
    }

    /// The pair that it is, where it ends here; an empty piece is none.
    fn pair(&self, end: usize) -> Option<Pair> {
        let value = self.equals.map_or(end, |equals| equals.saturating_add(1));
        let name = (self.start, self.equals.unwrap_or(end));
        (self.start < end).then_some(Pair { name, value: (value, end), plain: self.plain })
    }
}
