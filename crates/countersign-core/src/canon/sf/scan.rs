//! Reading from the front: each step takes what it reads.
//!
//! A step finds where a value ends. The `checked_` steps also judge what is in it, and run once over a field; the others
//! rely on that. On text that was not checked those fail or give a wrong value, but neither panic nor loop.

use super::super::Malformed;
use super::{Bare, Base64, Display, InnerList, Item, Member, Params, Text, number};

/// Runs a check over a field without the spaces around it (RFC 9651, section 4.2), and gives that text if all of it was
/// taken.
pub(super) fn whole<'a>(
    text: &'a [u8],
    check: impl FnOnce(&mut Scan<'a>) -> Result<(), Malformed>,
) -> Result<&'a str, Malformed> {
    let text = str::from_utf8(text).map_err(|_| Malformed)?.trim_matches(' ');
    let mut scan = Scan::new(text);
    check(&mut scan)?;
    if scan.rest.is_empty() { Ok(text) } else { Err(Malformed) }
}

/// What has not been read yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scan<'a> {
    rest: &'a str,
}

impl<'a> Scan<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// Section 4.2.1, steps 2.1 to 2.5, with one check for each member.
    pub(super) fn checked_members(&mut self, check: fn(&mut Self) -> Result<(), Malformed>) -> Result<(), Malformed> {
        if self.rest.is_empty() {
            return Ok(());
        }
        loop {
            check(self)?;
            self.skip_white();
            if self.rest.is_empty() {
                return Ok(());
            }
            self.expect(b',')?;
            self.skip_white();
        }
    }

    pub(super) fn checked_entry(&mut self) -> Result<(), Malformed> {
        self.key()?;
        if self.take(b'=') { self.checked_member() } else { self.checked_params() }
    }

    pub(super) fn checked_member(&mut self) -> Result<(), Malformed> {
        if !self.take(b'(') {
            return self.checked_item();
        }
        loop {
            self.skip_spaces();
            if self.take(b')') {
                return self.checked_params();
            }
            self.checked_item()?;
            if !self.rest.starts_with([' ', ')']) {
                return Err(Malformed);
            }
        }
    }

    pub(super) fn checked_item(&mut self) -> Result<(), Malformed> {
        self.bare()?.check()?;
        self.checked_params()
    }

    fn checked_params(&mut self) -> Result<(), Malformed> {
        while let Some((_, value)) = self.parameter()? {
            value.check()?;
        }
        Ok(())
    }

    /// A dictionary's next member; one without a value is true (section 3.2).
    pub(super) fn entry(&mut self) -> Result<(&'a str, Member<'a>), Malformed> {
        let key = self.key()?;
        let member = if self.take(b'=') {
            self.member()?
        } else {
            Member::Item(Item { bare: Bare::Boolean(true), params: self.params()? })
        };
        Ok((key, member))
    }

    pub(super) fn member(&mut self) -> Result<Member<'a>, Malformed> {
        let from = self.rest;
        if !self.take(b'(') {
            return self.item().map(Member::Item);
        }
        let inside = self.split(end_outside_quotes(self.rest.as_bytes(), |byte| byte == b')'))?;
        self.expect(b')')?;
        let params = self.params()?;
        let raw = from.get(..from.len().saturating_sub(self.rest.len())).ok_or(Malformed)?;
        Ok(Member::List(InnerList { params, raw, inside }))
    }

    pub(super) fn item(&mut self) -> Result<Item<'a>, Malformed> {
        Ok(Item { bare: self.bare()?, params: self.params()? })
    }

    /// All parameters, unread. Where they are in an inner list, a space ends them, and else a comma, with or without white
    /// space before it; the spaces after `;` are theirs.
    fn params(&mut self) -> Result<Params<'a>, Malformed> {
        if !self.rest.starts_with(';') {
            return Ok(Params::default());
        }
        let bytes = self.rest.as_bytes();
        let mut after_semicolon = false;
        let end = end_outside_quotes(bytes, |byte| match byte {
            b' ' => !after_semicolon,
            b'\t' | b',' | b')' => true,
            _ => {
                after_semicolon = byte == b';';
                false
            }
        });
        self.split(end).map(|text| Params { text })
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
        if !self.rest.starts_with(|first| matches!(first, 'a'..='z' | '*')) {
            return Err(Malformed);
        }
        self.take_while(is_key)
    }

    /// Section 4.2.3.1.
    fn bare(&mut self) -> Result<Bare<'a>, Malformed> {
        match self.rest.as_bytes() {
            [b'0'..=b'9' | b'-', ..] => self.number(),
            [b'a'..=b'z' | b'A'..=b'Z' | b'*', ..] => self.take_while(is_token).map(Bare::Token),
            [b'"', after @ ..] => {
                let end = string_len(after);
                self.between(1, end).map(|raw| Bare::String(Text { raw }))
            }
            [b':', after @ ..] => {
                let end = position(after, |byte| byte == b':');
                self.between(1, end).map(|text| Bare::Bytes(Base64 { text }))
            }
            [b'%', b'"', after @ ..] => {
                let end = position(after, |byte| byte == b'"');
                self.between(2, end).map(|raw| Bare::Display(Display { raw }))
            }
            [b'?', digit @ (b'0' | b'1'), ..] => self.split(2).map(|_| Bare::Boolean(*digit == b'1')),
            [b'@', ..] => {
                self.split(1)?;
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

    /// What stands between a delimiter of so many bytes and one of a single byte, `len` bytes on.
    fn between(&mut self, delimiter: usize, len: usize) -> Result<&'a str, Malformed> {
        self.split(delimiter)?;
        let content = self.split(len)?;
        self.split(1)?;
        Ok(content)
    }

    /// Goes to the next member of a list or dictionary; nowhere at the end.
    pub(super) fn next_member(&mut self) {
        self.skip_white();
        if self.take(b',') {
            self.skip_white();
        }
    }

    pub(super) fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start_matches(' ');
    }

    /// RFC 9110's OWS.
    fn skip_white(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    fn expect(&mut self, wanted: u8) -> Result<(), Malformed> {
        if self.take(wanted) { Ok(()) } else { Err(Malformed) }
    }

    fn take(&mut self, wanted: u8) -> bool {
        let is_next = self.rest.as_bytes().first() == Some(&wanted);
        is_next && self.split(1).is_ok()
    }

    fn take_while(&mut self, belongs: impl Fn(u8) -> bool) -> Result<&'a str, Malformed> {
        self.split(position(self.rest.as_bytes(), |byte| !belongs(byte)))
    }

    fn split(&mut self, len: usize) -> Result<&'a str, Malformed> {
        let (head, rest) = self.rest.split_at_checked(len).ok_or(Malformed)?;
        self.rest = rest;
        Ok(head)
    }
}

pub(super) fn is_key(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.' | b'*')
}

/// RFC 9110's `tchar`, `:` and `/`.
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-'..=b'/' | b':' | b'^'..=b'`' | b'|' | b'~')
}

/// What strings and display strings are made of.
pub(super) fn is_printable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

/// How many bytes come before the first one that ends something; all of them where none does.
fn position(bytes: &[u8], is_end: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|byte| is_end(*byte)).unwrap_or(bytes.len())
}

/// How long a string is, between its opening quote, which is read already, and its closing one.
fn string_len(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    loop {
        rest = match rest {
            [] | [b'"', ..] => return bytes.len().saturating_sub(rest.len()),
            [b'\\', _, after @ ..] | [_, after @ ..] => after,
        };
    }
}

/// How many bytes come before the first one that ends something and is not in a string or display string.
fn end_outside_quotes(bytes: &[u8], mut is_end: impl FnMut(u8) -> bool) -> usize {
    let mut rest = bytes;
    loop {
        let (quoted, after) = match rest {
            [b'%', b'"', after @ ..] => (position(after, |byte| byte == b'"'), after),
            [b'"', after @ ..] => (string_len(after), after),
            [byte, after @ ..] if !is_end(*byte) => {
                rest = after;
                continue;
            }
            _ => return bytes.len().saturating_sub(rest.len()),
        };
        rest = after.get(quoted..).and_then(|rest| rest.get(1..)).unwrap_or_default();
    }
}
