//! What a message holds, noted in one pass: the field lines and the parameters of all names that the plan knows.
//!
//! Only a message that is being verified is noted. Where nothing is, and where a note would not do (a name that cannot
//! be read, a parameter that is there twice), the answer is to ask the message itself: whoever asks has to be able to.

use crate::canon;
use crate::reject::{Reason, Rejection, Subject};
use crate::request::RequestView;

/// The names that a plan knows: of field lines, in lower case, or of the query's parameters. A name is known by its number.
#[derive(Debug, Default)]
pub(crate) struct Names {
    names: Vec<String>,
    /// One bit for each length that a name has: most other lines are told by theirs.
    lengths: u64,
}

impl Names {
    /// The number of a name; it is known from now on.
    pub(crate) fn number(&mut self, name: &str) -> usize {
        self.lengths |= length_bit(name.as_bytes());
        self.names.iter().position(|known| known == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len().saturating_sub(1)
        })
    }

    pub(crate) fn name(&self, number: usize) -> &str {
        self.names.get(number).map_or("", String::as_str)
    }

    /// Whether no name is known.
    pub(crate) const fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    fn find_line(&self, name: &str) -> Option<usize> {
        if self.lengths & length_bit(name.as_bytes()) == 0 {
            return None;
        }
        self.names.iter().position(|known| known.eq_ignore_ascii_case(name))
    }

    fn find_parameter(&self, name: &[u8]) -> Option<usize> {
        if self.lengths & length_bit(name) == 0 {
            return None;
        }
        self.names.iter().position(|known| known.as_bytes() == name)
    }
}

fn length_bit(name: &[u8]) -> u64 {
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
    lines: Vec<Place>,
    /// The values of lines, one after the other.
    bytes: Vec<u8>,
    /// By the numbers of names; empty: nothing is noted, or a name could not be read.
    parameters: Vec<Place>,
}

/// Where the values of a name are.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// How many there are.
    count: usize,
    /// The first: among the noted bytes, or in the target.
    start: usize,
    end: usize,
    /// Whether an escape is in it.
    escaped: bool,
}

impl Noted {
    pub(crate) fn forget(&mut self) {
        self.lines.clear();
        self.bytes.clear();
        self.parameters.clear();
    }

    /// Notes the field lines of a message.
    pub(crate) fn note_lines(&mut self, view: &RequestView<'_>, names: &Names) {
        self.lines.resize(names.names.len(), Place::default());
        let Self { lines, bytes, .. } = self;
        view.fields.all(&mut |name, value| {
            if let Some(line) = names.find_line(name).and_then(|number| lines.get_mut(number)) {
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

    /// Notes the parameters of a target's query, of the pairs that [`query_pairs`](canon::query_pairs) makes of it.
    pub(crate) fn note_query(&mut self, target: &[u8], names: &Names) {
        self.parameters.resize(names.names.len(), Place::default());
        let (path, query) = canon::split_at_byte(target, b'?');
        let mut pair = Pair { start: path.len().saturating_add(1), ..Pair::default() };
        let mut readable = true;
        for (at, byte) in (pair.start..).zip(query.iter().skip(1)) {
            match byte {
                b'&' => {
                    readable &= self.note_pair(target, &pair, at, names);
                    pair = Pair { start: at.saturating_add(1), ..Pair::default() };
                }
                b'=' if pair.equals.is_none() => pair.equals = Some(at),
                b'%' | b'+' if pair.equals.is_none() => pair.escaped_name = true,
                b'%' | b'+' => pair.escaped_value = true,
                _ => {}
            }
        }
        readable &= self.note_pair(target, &pair, target.len(), names);
        if !readable {
            self.parameters.clear();
        }
    }

    /// Notes a pair that ends here. False: its name cannot be read. Without a name and a value it is none.
    fn note_pair(&mut self, target: &[u8], pair: &Pair, end: usize, names: &Names) -> bool {
        let name = target.get(pair.start..pair.equals.unwrap_or(end)).unwrap_or_default();
        let number = if pair.escaped_name {
            let mark = self.bytes.len();
            let readable = canon::form_decode(name, &mut self.bytes).is_ok();
            let number = names.find_parameter(self.bytes.get(mark..).unwrap_or_default());
            self.bytes.truncate(mark);
            if !readable {
                return false;
            }
            number
        } else if pair.start >= end {
            None
        } else {
            names.find_parameter(name)
        };
        if let Some(place) = number.and_then(|number| self.parameters.get_mut(number)) {
            place.count = place.count.saturating_add(1);
            place.start = pair.equals.map_or(end, |equals| equals.saturating_add(1));
            place.end = end;
            place.escaped = pair.escaped_value;
        }
        true
    }

    /// The one parameter of a name in the target that was noted.
    pub(crate) fn parameter<'t>(&self, target: &'t [u8], number: usize) -> Value<'t> {
        let Some(place) = self.parameters.get(number) else { return Value::Ask };
        let value = target.get(place.start..place.end).unwrap_or_default();
        match place.count {
            0 => Value::Absent,
            1 if place.escaped => Value::Escaped(value),
            1 => Value::Here(value),
            // It is refused by whoever needs it.
            _ => Value::Ask,
        }
    }
}

/// A pair of the query, as far as it was read.
#[derive(Default)]
struct Pair {
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
        let target = [b"/p?", query].concat();
        let mut names = Names::default();
        let [number, _] = [name, "other"].map(|name| names.number(name));
        let mut notes = Noted::default();
        notes.note_query(&target, &names);
        match notes.parameter(&target, number) {
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
        assert!(matches!(Noted::default().parameter(b"/?a=1", 0), Value::Ask));
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
