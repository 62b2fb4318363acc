//! Reading from the front: each step takes what it reads.
//!
//! A step finds where a value ends. The `checked_` steps also judge what is in it, and run once over a field; the others
//! rely on that. On text that was not checked those fail or give a wrong value, but neither panic nor loop.

use super::super::{Malformed, split_at_byte};
use super::{Bare, Base64, Display, InnerList, Item, Member, Params, Text, number};

/// Runs a check over a field without the spaces around it (RFC 9651, section 4.2), and gives that text if all of it was
/// taken.
pub(super) fn whole<'a>(
    text: &'a [u8],
    check: impl FnOnce(&mut Scan<'a>) -> Result<(), Malformed>,
) -> Result<(&'a str, LastList), Malformed> {
    let text = str::from_utf8(text).map_err(|_| Malformed)?.trim_matches(' ');
    let mut scan = Scan::new(text);
    check(&mut scan)?;
    if scan.is_at_end() { Ok((text, scan.last)) } else { Err(Malformed) }
}

/// A text, and how much of it was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scan<'a> {
    text: &'a str,
    at: usize,
    last: LastList,
}

/// Where the last member is, if it is an inner list: so most dictionaries that have any look, which have only one, and
/// then its ends need not be found again.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LastList {
    opens: usize,
    closes: usize,
    /// Behind its parameters; zero where there is no such list.
    ends: usize,
}

/// Where an item of an inner list is, counted from behind the parenthesis that opens it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    starts: usize,
    /// Behind its value.
    params: usize,
    /// Behind its parameters.
    ends: usize,
    is_string: bool,
}

/// For whoever wants no marks.
pub(super) fn unmarked(_: Mark) {}

impl<'a> Scan<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self::with(text, LastList::default())
    }

    pub(super) fn with(text: &'a str, last: LastList) -> Self {
        Self { text, at: 0, last }
    }

    /// Section 4.2.1, steps 2.1 to 2.5, with one check for each member.
    pub(super) fn checked_members(
        &mut self,
        mut check: impl FnMut(&mut Self) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        if self.is_at_end() {
            return Ok(());
        }
        loop {
            self.last = LastList::default();
            check(self)?;
            self.skip_white();
            if self.is_at_end() {
                return Ok(());
            }
            self.expect(b',')?;
            self.skip_white();
        }
    }

    pub(super) fn checked_entry(&mut self, mark: &mut impl FnMut(Mark)) -> Result<(), Malformed> {
        self.key()?;
        if self.take(b'=') { self.checked_member(mark) } else { self.checked_params() }
    }

    pub(super) fn checked_member(&mut self, mark: &mut impl FnMut(Mark)) -> Result<(), Malformed> {
        let opens = self.at;
        if !self.take(b'(') {
            return self.checked_item();
        }
        let inside = self.at;
        loop {
            self.skip_spaces();
            let closes = self.at;
            if self.take(b')') {
                self.checked_params()?;
                self.last = LastList { opens, closes, ends: self.at };
                return Ok(());
            }
            let value = self.bare()?;
            check(value)?;
            let params = self.at;
            self.checked_params()?;
            let [starts, params, ends] = [closes, params, self.at].map(|at| at.wrapping_sub(inside));
            mark(Mark { starts, params, ends, is_string: matches!(value, Bare::String(_)) });
            if !matches!(self.peek(), Some(b' ' | b')')) {
                return Err(Malformed);
            }
        }
    }

    pub(super) fn checked_item(&mut self) -> Result<(), Malformed> {
        check(self.bare()?)?;
        self.checked_params()
    }

    fn checked_params(&mut self) -> Result<(), Malformed> {
        while let Some((_, value)) = self.parameter()? {
            check(value)?;
        }
        Ok(())
    }

    /// A dictionary's next member; one without a value is true (section 3.2).
    pub(super) fn entry(&mut self, marks: &'a [Mark]) -> Result<(&'a str, Member<'a>), Malformed> {
        let key = self.key()?;
        let member = if self.take(b'=') {
            self.member(marks)?
        } else {
            Member::Item(Item { bare: Bare::Boolean(true), params: self.params()? })
        };
        Ok((key, member))
    }

    /// A member; `marks` are those of the items of the last one.
    pub(super) fn member(&mut self, marks: &'a [Mark]) -> Result<Member<'a>, Malformed> {
        let from = self.at;
        if !self.take(b'(') {
            return self.item().map(Member::Item);
        }
        let inside = self.at;
        let is_last = self.last.ends > 0 && self.last.opens == from;
        if is_last {
            self.at = self.last.closes;
        } else {
            self.skip_inside();
        }
        let inside = self.since(inside)?;
        self.expect(b')')?;
        let params = if is_last { self.params_to(self.last.ends) } else { self.params() }?;
        let marks = if is_last { marks } else { &[] };
        Ok(Member::List(InnerList { params, raw: self.since(from)?, inside, marks }))
    }

    /// An item of an inner list, the inside of which this is.
    pub(super) fn marked(&mut self, mark: &Mark) -> Option<Item<'a>> {
        let bare = if mark.is_string {
            // Between the quotes.
            Bare::String(Text { raw: self.text.get(mark.starts.wrapping_add(1)..mark.params.wrapping_sub(1))? })
        } else {
            self.at = mark.starts;
            self.bare().ok()?
        };
        self.at = mark.ends;
        Some(Item { bare, params: Params { text: self.text.get(mark.params..mark.ends)? } })
    }

    pub(super) fn item(&mut self) -> Result<Item<'a>, Malformed> {
        Ok(Item { bare: self.bare()?, params: self.params()? })
    }

    fn params_to(&mut self, end: usize) -> Result<Params<'a>, Malformed> {
        let from = std::mem::replace(&mut self.at, end);
        self.since(from).map(|text| Params { text })
    }

    /// All parameters, unread. Where they are in an inner list, a space ends them, and else a comma, with or without
    /// white space before it; the spaces after `;` are theirs.
    fn params(&mut self) -> Result<Params<'a>, Malformed> {
        if self.peek() != Some(b';') {
            return Ok(Params::default());
        }
        let from = self.at;
        loop {
            self.skip_while(|byte| !is(byte, ENDS_PARAMS));
            match self.peek() {
                Some(b';') => {
                    self.at = self.at.wrapping_add(1);
                    self.skip_spaces();
                }
                Some(first @ (b'"' | b'%')) => {
                    self.at = self.at.wrapping_add(1);
                    self.skip_quoted(first);
                }
                _ => break,
            }
        }
        self.since(from).map(|text| Params { text })
    }

    /// The next parameter (section 4.2.3.2); nothing where something else follows.
    pub(super) fn parameter(&mut self) -> Result<Option<(&'a str, Bare<'a>)>, Malformed> {
        if !self.take(b';') {
            return Ok(None);
        }
        self.skip_spaces();
        let key = self.key()?;
        let value = if self.take(b'=') { self.bare()? } else { Bare::Boolean(true) };
        Ok(Some((key, value)))
    }

    /// Section 4.2.3.3.
    fn key(&mut self) -> Result<&'a str, Malformed> {
        match self.peek() {
            Some(b'a'..=b'z' | b'*') => self.take_while(is_key),
            _ => Err(Malformed),
        }
    }

    /// Section 4.2.3.1.
    fn bare(&mut self) -> Result<Bare<'a>, Malformed> {
        match self.peek() {
            Some(b'0'..=b'9' | b'-') => self.number(),
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'*') => self.take_while(is_token).map(Bare::Token),
            Some(b'"') => self.quoted(b'"', Self::skip_string).map(|raw| Bare::String(Text { raw })),
            Some(b':') => self.quoted(b':', |scan| scan.skip_until(b':')).map(|text| Bare::Bytes(Base64 { text })),
            Some(b'%') => {
                self.at = self.at.wrapping_add(1);
                if self.peek() != Some(b'"') {
                    return Err(Malformed);
                }
                self.quoted(b'"', |scan| scan.skip_until(b'"')).map(|raw| Bare::Display(Display { raw }))
            }
            Some(b'?') => {
                self.at = self.at.wrapping_add(1);
                let value = self.take(b'1');
                if value || self.take(b'0') { Ok(Bare::Boolean(value)) } else { Err(Malformed) }
            }
            Some(b'@') => {
                self.at = self.at.wrapping_add(1);
                match self.number()? {
                    Bare::Integer(seconds) => Ok(Bare::Date(seconds)),
                    _ => Err(Malformed),
                }
            }
            _ => Err(Malformed),
        }
    }

    /// Section 4.2.4.
    fn number(&mut self) -> Result<Bare<'a>, Malformed> {
        let negative = self.take(b'-');
        let whole = self.take_while(|byte| byte.is_ascii_digit())?;
        let number = if self.take(b'.') {
            let fraction = self.take_while(|byte| byte.is_ascii_digit())?;
            number::decimal(whole, fraction).map(Bare::Decimal)
        } else {
            number::integer(whole).map(Bare::Integer)
        };
        match number? {
            Bare::Integer(value) if negative => Ok(Bare::Integer(value.wrapping_neg())),
            Bare::Decimal(value) if negative => Ok(Bare::Decimal(value.wrapping_neg())),
            number => Ok(number),
        }
    }

    /// What stands between two delimiters of one byte, the first of which comes next.
    fn quoted(&mut self, end: u8, skip: impl FnOnce(&mut Self)) -> Result<&'a str, Malformed> {
        self.at = self.at.wrapping_add(1);
        let from = self.at;
        skip(self);
        let content = self.since(from)?;
        self.expect(end)?;
        Ok(content)
    }

    /// Skips the content of a string (section 4.2.5), to its closing quote or to what cannot be in it.
    fn skip_string(&mut self) {
        loop {
            let len = plain_len(self.rest());
            self.at = self.at.wrapping_add(len);
            if self.peek() != Some(b'\\') {
                return;
            }
            self.at = self.at.wrapping_add(1);
            if !matches!(self.peek(), Some(b'"' | b'\\')) {
                return self.give_up();
            }
            self.at = self.at.wrapping_add(1);
        }
    }

    fn skip_until(&mut self, end: u8) {
        let (before, _) = split_at_byte(self.rest(), end);
        self.at = self.at.wrapping_add(before.len());
    }

    /// Goes to the end, where nothing is found any more.
    fn give_up(&mut self) {
        self.at = self.text.len();
    }

    /// Skips the items of an inner list, to its closing parenthesis.
    fn skip_inside(&mut self) {
        loop {
            self.skip_while(|byte| !is(byte, ENDS_INSIDE));
            match self.peek() {
                None | Some(b')') => return,
                Some(first) => {
                    self.at = self.at.wrapping_add(1);
                    self.skip_quoted(first);
                }
            }
        }
    }

    /// Skips what is quoted, its first quote being read already; and nothing where that was not one.
    fn skip_quoted(&mut self, first: u8) {
        match first {
            b'"' => self.skip_string(),
            b'%' if self.take(b'"') => self.skip_until(b'"'),
            _ => return,
        }
        self.at = self.at.wrapping_add(1);
    }

    /// Goes to the next member of a list or dictionary; nowhere at the end.
    pub(super) fn next_member(&mut self) {
        self.skip_white();
        if self.take(b',') {
            self.skip_white();
        }
    }

    pub(super) fn skip_spaces(&mut self) {
        self.skip_while(|byte| byte == b' ');
    }

    /// RFC 9110's OWS.
    fn skip_white(&mut self) {
        while self.take(b' ') || self.take(b'\t') {}
    }

    fn skip_while(&mut self, belongs: impl Fn(u8) -> bool) {
        let rest = self.rest();
        let len = rest.iter().position(|byte| !belongs(*byte)).unwrap_or(rest.len());
        self.at = self.at.wrapping_add(len);
    }

    fn take_while(&mut self, belongs: impl Fn(u8) -> bool) -> Result<&'a str, Malformed> {
        let from = self.at;
        self.skip_while(belongs);
        self.since(from)
    }

    fn expect(&mut self, wanted: u8) -> Result<(), Malformed> {
        if self.take(wanted) { Ok(()) } else { Err(Malformed) }
    }

    fn take(&mut self, wanted: u8) -> bool {
        let is_next = self.peek() == Some(wanted);
        if is_next {
            self.at = self.at.wrapping_add(1);
        }
        is_next
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn is_at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    /// What was read since then.
    fn since(&self, from: usize) -> Result<&'a str, Malformed> {
        self.text.get(from..self.at).ok_or(Malformed)
    }
}

pub(super) fn is_key(byte: u8) -> bool {
    is(byte, KEY)
}

/// RFC 9110's `tchar`, `:` and `/`.
pub(super) fn is_token(byte: u8) -> bool {
    is(byte, TOKEN)
}

/// What names of fields in lower case are made of (RFC 9110's `tchar`).
pub(crate) fn is_lower_tchar(byte: u8) -> bool {
    is(byte, LOWER_TCHAR)
}

/// What strings and display strings are made of.
pub(super) fn is_printable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

/// Judges what finding the end of a value leaves open.
fn check(value: Bare<'_>) -> Result<(), Malformed> {
    let is_right = match value {
        Bare::Bytes(bytes) => bytes.is_right(),
        Bare::Display(display) => display.is_right(),
        _ => true,
    };
    if is_right { Ok(()) } else { Err(Malformed) }
}

/// How many bytes come before the first one that is not printable, a quote or a backslash. Eight are looked at in one
/// step.
fn plain_len(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGH: u64 = ONES << 7;
    // In the high bit of each byte: whether it is less than so much, of which the first is right; one above may be not.
    let below = |word: u64, than: u64| word.wrapping_sub(ONES.wrapping_mul(than)) & !word;
    let is = |word: u64, byte: u64| below(word ^ ONES.wrapping_mul(byte), 1);
    let (mut rest, mut len) = (bytes, 0_usize);
    while let Some((word, after)) = rest.split_first_chunk() {
        let word = u64::from_le_bytes(*word);
        let ends = word | below(word, 0x20) | is(word, 0x7f) | is(word, b'"'.into()) | is(word, b'\\'.into());
        if ends & HIGH != 0 {
            let bits = (ends & HIGH).trailing_zeros();
            return len.wrapping_add(usize::try_from(bits / 8).unwrap_or_default());
        }
        (rest, len) = (after, len.wrapping_add(8));
    }
    let is_end = |byte: &u8| matches!(byte, b'"' | b'\\') || !is_printable(*byte);
    len.wrapping_add(rest.iter().position(is_end).unwrap_or(rest.len()))
}

/// Whether a byte is in a set.
fn is(byte: u8, set: u8) -> bool {
    SETS.get(usize::from(byte)).is_some_and(|sets| sets & set != 0)
}

const KEY: u8 = 1;
const TOKEN: u8 = 2;
/// What ends an inner list or begins something quoted.
const ENDS_INSIDE: u8 = 4;
/// What ends parameters, begins another one or something quoted.
const ENDS_PARAMS: u8 = 8;
const LOWER_TCHAR: u8 = 16;

/// The sets that each byte is in.
static SETS: [u8; 256] = sets();

#[expect(
    clippy::as_conversions,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "run by the compiler, which would stop"
)]
const fn sets() -> [u8; 256] {
    let mut sets = [0; 256];
    let mut byte = 0_u8;
    while byte < 0x80 {
        let mut set = 0;
        if matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.' | b'*') {
            set |= KEY;
        }
        if byte.is_ascii_alphanumeric()
            || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-'..=b'/' | b':' | b'^'..=b'`' | b'|' | b'~')
        {
            set |= TOKEN;
            if !matches!(byte, b':' | b'/' | b'A'..=b'Z') {
                set |= LOWER_TCHAR;
            }
        }
        if matches!(byte, b')' | b'"' | b'%') {
            set |= ENDS_INSIDE;
        }
        if matches!(byte, b' ' | b'\t' | b',' | b')' | b';' | b'"' | b'%') {
            set |= ENDS_PARAMS;
        }
        sets[byte as usize] = set;
        byte += 1;
    }
    sets
}
