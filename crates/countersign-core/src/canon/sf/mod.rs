//! Structured fields, RFC 9651 (which includes RFC 8941): read where they stand, written canonically.
//!
//! [`dictionary`], [`list`] and [`item`] check a whole field once, against everything the RFC asks of it (section 4.2),
//! and copy nothing. What they give are views of the text: iterating finds the ends of members again, which takes
//! counting quotes, and looks into values only where they are asked for. `marked_dictionary` keeps where the items of an
//! inner list end, so that those are not looked for again. A field that came in several lines is joined with `, ` by the
//! caller (section 4.2, step 1).
//!
//! The entries of dictionaries and parameters come as they stand, repeated keys included. The RFC lets the last of them
//! count, in the place of the first, and so do `get` and `serialize`; who must refuse a repetition sees it.
//!
//! Deliberately absent: maps of members, types for single fields, and limits, which whoever has the message sets.

mod number;
mod scan;
mod serialize;
mod value;
mod write;

use super::Malformed;
use scan::{LastList, Scan};
pub(crate) use scan::{Mark, is_lower_tchar};
use std::collections::BTreeSet;
use std::iter;

pub use number::thousandths;
pub use value::{Base64, Display, Text};
pub use write::{
    push_boolean, push_bytes, push_date, push_decimal, push_display, push_integer, push_key, push_string, push_token,
};

/// Reads a dictionary (RFC 9651, section 4.2.2). An empty field is one without members.
pub fn dictionary(text: &[u8]) -> Result<Dictionary<'_>, Malformed> {
    scan::whole(text, |scan| scan.checked_members(|scan| scan.checked_entry(&mut scan::unmarked)))
        .map(|(text, last)| Dictionary { text, last, marks: &[] })
}

/// Reads a dictionary, and marks the items of its last member where that is an inner list: those are found without
/// looking for their ends. What `marks` held is gone.
pub(crate) fn marked_dictionary<'a>(text: &'a [u8], marks: &'a mut Vec<Mark>) -> Result<Dictionary<'a>, Malformed> {
    let (text, last) = scan::whole(text, |scan| {
        scan.checked_members(|scan| {
            marks.clear();
            scan.checked_entry(&mut |mark| marks.push(mark))
        })
    })?;
    Ok(Dictionary { text, last, marks })
}

/// Reads a list (RFC 9651, section 4.2.1). An empty field is one without members.
pub fn list(text: &[u8]) -> Result<List<'_>, Malformed> {
    scan::whole(text, |scan| scan.checked_members(|scan| scan.checked_member(&mut scan::unmarked)))
        .map(|(text, last)| List { text, last })
}

/// Reads an item (RFC 9651, section 4.2.3).
pub fn item(text: &[u8]) -> Result<Item<'_>, Malformed> {
    let (text, _) = scan::whole(text, Scan::checked_item)?;
    Scan::new(text).item()
}

/// A dictionary, checked.
#[derive(Debug, Clone, Copy)]
pub struct Dictionary<'a> {
    text: &'a str,
    last: LastList,
    /// The items of the last member, if it is an inner list; nothing where they were not marked.
    marks: &'a [Mark],
}

impl<'a> Dictionary<'a> {
    /// Its members as they stand in the text, repeated keys included.
    pub fn entries(&self) -> impl Iterator<Item = (&'a str, Member<'a>)> + Clone + use<'a> {
        let mut scan = Scan::with(self.text, self.last);
        let marks = self.marks;
        iter::from_fn(move || {
            let entry = scan.entry(marks).ok();
            scan.next_member();
            entry
        })
    }

    /// The member that counts: the last of its key.
    pub fn get(&self, key: &str) -> Option<Member<'a>> {
        last(self.entries(), key)
    }

    /// Whether a key comes twice.
    pub fn repeats(&self) -> bool {
        repeats(self.entries().map(|(key, _)| key))
    }
}

/// A list, checked.
#[derive(Debug, Clone, Copy)]
pub struct List<'a> {
    text: &'a str,
    last: LastList,
}

impl<'a> List<'a> {
    /// Its members, in order.
    pub fn members(&self) -> impl Iterator<Item = Member<'a>> + Clone + use<'a> {
        let mut scan = Scan::with(self.text, self.last);
        iter::from_fn(move || {
            let member = scan.member(&[]).ok();
            scan.next_member();
            member
        })
    }
}

/// A member of a list or dictionary.
#[derive(Debug, Clone, Copy)]
pub enum Member<'a> {
    /// One value.
    Item(Item<'a>),
    /// Values in parentheses.
    List(InnerList<'a>),
}

/// A value and its parameters.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// The value.
    pub bare: Bare<'a>,
    /// Its parameters.
    pub params: Params<'a>,
}

/// Values in parentheses, and the parameters of them all.
#[derive(Debug, Clone, Copy)]
pub struct InnerList<'a> {
    /// The parameters of the list.
    pub params: Params<'a>,
    raw: &'a str,
    inside: &'a str,
    /// Where its items are; nothing where they were not marked.
    marks: &'a [Mark],
}

impl<'a> InnerList<'a> {
    /// The list exactly as it was received: from `(` to the end of its last parameter.
    pub fn raw(&self) -> &'a [u8] {
        self.raw.as_bytes()
    }

    /// Its items, in order.
    pub fn items(&self) -> impl Iterator<Item = Item<'a>> + Clone + use<'a> {
        let mut scan = Scan::new(self.inside);
        let mut marks = self.marks.iter();
        iter::from_fn(move || {
            if let Some(mark) = marks.next() {
                return scan.marked(mark);
            }
            scan.skip_spaces();
            scan.item().ok()
        })
    }
}

/// Parameters: keys and values behind an item or a list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Params<'a> {
    text: &'a str,
}

impl<'a> Params<'a> {
    /// The parameters exactly as they were received, from the first `;`; empty where there are none.
    pub fn raw(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    /// The parameters as they stand in the text, repeated keys included. One without a value is true (section 3.1.2).
    pub fn entries(&self) -> impl Iterator<Item = (&'a str, Bare<'a>)> + Clone + use<'a> {
        let mut scan = Scan::new(self.text);
        iter::from_fn(move || scan.parameter().ok().flatten())
    }

    /// The value that counts: the last of its key.
    pub fn get(&self, key: &str) -> Option<Bare<'a>> {
        last(self.entries(), key)
    }

    /// Whether a key comes twice.
    pub fn repeats(&self) -> bool {
        repeats(self.entries().map(|(key, _)| key))
    }
}

/// A value (RFC 9651, section 3.3).
#[derive(Debug, Clone, Copy)]
pub enum Bare<'a> {
    /// An integer of at most 15 digits.
    Integer(i64),
    /// A decimal, in thousandths: at most 12 digits before the point and 3 after it.
    Decimal(i64),
    /// A string.
    String(Text<'a>),
    /// A token.
    Token(&'a str),
    /// A byte sequence.
    Bytes(Base64<'a>),
    /// A boolean.
    Boolean(bool),
    /// A date, in seconds since 1970.
    Date(i64),
    /// A display string: Unicode.
    Display(Display<'a>),
}

/// So many entries are compared with each other without a table.
const FEW: usize = 8;

fn repeats<'a>(keys: impl Iterator<Item = &'a str> + Clone) -> bool {
    if keys.clone().nth(FEW).is_none() {
        return keys.clone().enumerate().any(|(index, key)| keys.clone().take(index).any(|earlier| earlier == key));
    }
    let mut seen = BTreeSet::new();
    !keys.into_iter().all(|key| seen.insert(key))
}

fn last<'a, T>(entries: impl Iterator<Item = (&'a str, T)>, key: &str) -> Option<T> {
    entries.filter(|(known, _)| *known == key).last().map(|(_, value)| value)
}

#[cfg(test)]
mod tests;
