//! What was read, written canonically: RFC 9651, section 4.1. Nothing that was read lacks a form.

use super::{Bare, Dictionary, FEW, InnerList, Item, List, Member, Params, write};
use std::collections::BTreeMap;

impl Dictionary<'_> {
    /// Appends the dictionary: each key once, in the place of its first and with the value of its last.
    pub fn serialize(&self, out: &mut Vec<u8>) {
        let start = out.len();
        settled(self.entries(), |key, member| {
            separate(start, out);
            out.extend_from_slice(key.as_bytes());
            match member {
                Member::Item(Item { bare: Bare::Boolean(true), params }) => params.serialize(out),
                member => {
                    out.push(b'=');
                    member.serialize(out);
                }
            }
        });
    }
}

impl List<'_> {
    /// Appends the list.
    pub fn serialize(&self, out: &mut Vec<u8>) {
        let start = out.len();
        for member in self.members() {
            separate(start, out);
            member.serialize(out);
        }
    }
}

impl Member<'_> {
    /// Appends the member.
    pub fn serialize(&self, out: &mut Vec<u8>) {
        match self {
            Self::Item(item) => item.serialize(out),
            Self::List(list) => list.serialize(out),
        }
    }
}

impl InnerList<'_> {
    /// Appends the list and its parameters.
    pub fn serialize(&self, out: &mut Vec<u8>) {
        out.push(b'(');
        for (index, item) in self.items().enumerate() {
            if index > 0 {
                out.push(b' ');
            }
            item.serialize(out);
        }
        out.push(b')');
        self.params.serialize(out);
    }
}

impl Item<'_> {
    /// Appends the value and its parameters.
    pub fn serialize(&self, out: &mut Vec<u8>) {
        self.bare.serialize(out);
        self.params.serialize(out);
    }
}

impl Params<'_> {
    /// Appends the parameters: each key once, in the place of its first and with the value of its last.
    pub fn serialize(&self, out: &mut Vec<u8>) {
        settled(self.entries(), |key, value| {
            out.push(b';');
            out.extend_from_slice(key.as_bytes());
            if !matches!(value, Bare::Boolean(true)) {
                out.push(b'=');
                value.serialize(out);
            }
        });
    }
}

impl Bare<'_> {
    /// Appends the value. One that was not read but put together is written as it is; the `push_` functions check.
    pub fn serialize(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Integer(value) => write::digits(value, out),
            Self::Decimal(value) => write::decimal(value, out),
            Self::Date(value) => write::date(value, out),
            Self::Boolean(value) => write::push_boolean(value, out),
            Self::Token(token) => out.extend_from_slice(token.as_bytes()),
            Self::String(text) => {
                out.push(b'"');
                out.extend_from_slice(text.raw().as_bytes());
                out.push(b'"');
            }
            Self::Bytes(bytes) => {
                let mut decoded = Vec::new();
                bytes.decode(&mut decoded);
                write::push_bytes(&decoded, out);
            }
            Self::Display(display) => {
                let mut decoded = Vec::new();
                display.push(&mut decoded);
                if let Ok(text) = str::from_utf8(&decoded) {
                    write::push_display(text, out);
                }
            }
        }
    }
}

/// Hands each key once to `each`, in the place of its first entry and with the value of its last.
fn settled<'a, T>(entries: impl Iterator<Item = (&'a str, T)> + Clone, mut each: impl FnMut(&'a str, T)) {
    if entries.clone().nth(FEW).is_none() {
        for (index, (key, value)) in entries.clone().enumerate() {
            if entries.clone().take(index).all(|(earlier, _)| earlier != key) {
                each(key, super::last(entries.clone(), key).unwrap_or(value));
            }
        }
        return;
    }
    let (mut order, mut places) = (Vec::new(), BTreeMap::new());
    for (key, value) in entries {
        let place = *places.entry(key).or_insert(order.len());
        match order.get_mut(place) {
            Some(slot) => *slot = (key, value),
            None => order.push((key, value)),
        }
    }
    for (key, value) in order {
        each(key, value);
    }
}

fn separate(start: usize, out: &mut Vec<u8>) {
    if out.len() > start {
        out.extend_from_slice(b", ");
    }
}
