//! Lists of names and values: where they come from and how they are rewritten.
//!
//! One byte buffer holds everything; items are ranges in it, so that sorting moves no bytes.

use crate::canon::{self, JsonValue, Malformed};
use crate::reject::Reason;
use crate::scheme::model::{Convert, ListSource};

/// A stretch of a buffer.
pub(crate) type Range = (usize, usize);

/// A pair.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item {
    pub(crate) k: Range,
    pub(crate) v: Range,
    /// Whether there was a `=`.
    pub(crate) has_value: bool,
    /// Whether it renders as its value alone.
    pub(crate) bare: bool,
    /// Whether its value is JSON as it was sent, and not a string.
    pub(crate) json: bool,
}

/// A list of pairs.
#[derive(Debug, Default)]
pub(crate) struct List {
    pub(crate) bytes: Vec<u8>,
    pub(crate) items: Vec<Item>,
    /// For each item, the number of the first of its name, where that was asked for.
    alike: Vec<usize>,
    /// Room to sort in.
    order: Vec<usize>,
}

impl List {
    /// How many items a message may bring. An item takes many times the room that it had in the message.
    pub(crate) const MOST: usize = 10_000;

    /// Whether a message brought more than that. What is past it was not kept.
    pub(crate) fn is_too_long(&self) -> bool {
        self.items.len() > Self::MOST
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.items.clear();
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.items.is_empty() && self.bytes.is_empty()
    }

    pub(crate) fn slice(&self, (start, end): Range) -> &[u8] {
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// Appends bytes; answers where they lie.
    pub(crate) fn put(&mut self, text: &[u8]) -> Range {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(text);
        (start, self.bytes.len())
    }

    pub(crate) fn push(&mut self, k: &[u8], v: &[u8]) {
        let (k, v) = (self.put(k), self.put(v));
        self.items.push(Item { k, v, has_value: true, bare: false, json: false });
    }

    /// Appends the parameters of a query or form.
    pub(crate) fn parameters(&mut self, raw: &[u8], decoding: Decoding) -> Result<(), Malformed> {
        for (name, value) in canon::query_pairs(raw) {
            if self.is_too_long() {
                break;
            }
            let k = self.decoded(name, decoding)?;
            let v = self.decoded(value.unwrap_or_default(), decoding)?;
            self.items.push(Item { k, v, has_value: value.is_some(), bare: false, json: false });
        }
        Ok(())
    }

    fn decoded(&mut self, text: &[u8], decoding: Decoding) -> Result<Range, Malformed> {
        let start = self.bytes.len();
        decoding.apply(text, &mut self.bytes)?;
        Ok((start, self.bytes.len()))
    }

    /// Appends the members of a JSON object.
    pub(crate) fn json(&mut self, body: &[u8]) -> Result<(), Malformed> {
        canon::json_members(body, &mut |name, value| {
            if self.is_too_long() {
                return;
            }
            self.push(name, json_text(&value));
            if let (JsonValue::Raw(_), Some(item)) = (value, self.items.last_mut()) {
                item.json = true;
            }
        })
    }

    /// Appends the children of an XML root.
    pub(crate) fn xml(&mut self, body: &[u8]) -> Result<(), Malformed> {
        canon::xml_children(body, &mut |name, text| {
            if !self.is_too_long() {
                self.push(name, text);
            }
        })
    }

    pub(crate) fn convert(&mut self, convert: Convert, tmp: &mut Vec<u8>) -> Result<(), Malformed> {
        let mut items = std::mem::take(&mut self.items);
        let result = items.iter_mut().try_for_each(|item| {
            item.k = self.converted(item.k, convert, tmp)?;
            item.v = self.converted(item.v, convert, tmp)?;
            Ok(())
        });
        self.items = items;
        result
    }

    fn converted(&mut self, range: Range, by: Convert, tmp: &mut Vec<u8>) -> Result<Range, Malformed> {
        tmp.clear();
        convert(by, self.slice(range), tmp)?;
        Ok(self.put(tmp))
    }

    /// Makes it the sorted map of strings that Java holds: each value as `by` prints what was read.
    ///
    /// A map has each name once, and no entry without a value; names and values are text.
    pub(crate) fn java_map(&mut self, by: Printed, tmp: &mut Vec<u8>) -> Result<(), Reason> {
        let mut items = std::mem::take(&mut self.items);
        for item in items.iter_mut().filter(|item| item.json) {
            tmp.clear();
            by(self.slice(item.v), tmp).map_err(|Malformed| Reason::BodyMalformed)?;
            item.v = self.put(tmp);
            item.json = false;
        }
        let text = |range: Range| std::str::from_utf8(self.slice(range));
        if items.iter().any(|item| !item.has_value || text(item.k).is_err() || text(item.v).is_err()) {
            return Err(Reason::BodyMalformed);
        }
        items.sort_by(|a, b| canon::utf16_order(text(a.k).unwrap_or_default(), text(b.k).unwrap_or_default()));
        if items.windows(2).any(|pair| matches!(pair, [a, b] if text(a.k) == text(b.k))) {
            return Err(Reason::FieldDuplicated);
        }
        self.items = items;
        Ok(())
    }

    pub(crate) fn lower_names(&mut self) {
        for item in &self.items {
            if let Some(name) = self.bytes.get_mut(item.k.0..item.k.1) {
                name.make_ascii_lowercase();
            }
        }
    }

    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&[u8], &[u8]) -> bool) {
        let bytes = &self.bytes;
        let slice = |(start, end): Range| bytes.get(start..end).unwrap_or_default();
        self.items.retain(|item| keep(slice(item.k), slice(item.v)));
    }

    pub(crate) fn sort(&mut self, by: Order) {
        let bytes = &self.bytes;
        let slice = |(start, end): Range| bytes.get(start..end).unwrap_or_default();
        self.items.sort_by(|a, b| match by {
            Order::Collated => canon::collate(slice(a.k), slice(b.k)),
            Order::Name => slice(a.k).cmp(slice(b.k)),
            Order::NameValue => (slice(a.k), slice(a.v)).cmp(&(slice(b.k), slice(b.v))),
            Order::Text => slice(a.v).cmp(slice(b.v)),
        });
    }

    pub(crate) fn dedupe(&mut self) {
        let bytes = &self.bytes;
        let slice = |(start, end): Range| bytes.get(start..end).unwrap_or_default();
        self.items.dedup_by(|a, b| slice(a.k) == slice(b.k) && slice(a.v) == slice(b.v));
    }

    /// Keeps the first, or the last, item of each name.
    pub(crate) fn one_each(&mut self, last: bool) {
        self.find_alike();
        if last {
            for (index, first) in self.alike.iter().enumerate() {
                let item = self.items.get(index).copied();
                if let (Some(slot), Some(item)) = (self.items.get_mut(*first), item) {
                    *slot = item;
                }
            }
        }
        self.keep_firsts();
    }

    /// Joins the values of one name, at the place of the first.
    pub(crate) fn fold(&mut self, separator: &[u8]) {
        self.find_alike();
        for index in 0..self.items.len() {
            let Some(first) = self.alike.get(index).copied().filter(|first| *first != index) else { continue };
            let values = (self.items.get(first).map(|first| first.v), self.items.get(index).map(|item| item.v));
            let (Some(held), Some(value)) = values else { continue };
            let start = self.bytes.len();
            // What ends the buffer is what the value before was joined to, and need not be copied once more.
            if held.1 == start {
                self.bytes.extend_from_slice(separator);
                self.bytes.extend_from_within(bounded(value, start));
                self.set_value(first, (held.0, self.bytes.len()));
            } else {
                self.bytes.extend_from_within(bounded(held, start));
                self.bytes.extend_from_slice(separator);
                self.bytes.extend_from_within(bounded(value, start));
                self.set_value(first, (start, self.bytes.len()));
            }
        }
        self.keep_firsts();
    }

    /// Where the first had no `=`, the others' values are not to be lost with it.
    fn set_value(&mut self, index: usize, v: Range) {
        if let Some(item) = self.items.get_mut(index) {
            item.v = v;
            item.has_value = true;
        }
    }

    /// Finds the first item of each item's name. Somebody who may send many names decides how many, so this compares
    /// neighbours in their order and not each with each.
    fn find_alike(&mut self) {
        let Self { bytes, items, alike, order } = self;
        let name = |index: &usize| {
            let (start, end) = items.get(*index).map_or((0, 0), |item| item.k);
            bytes.get(start..end).unwrap_or_default()
        };
        order.clear();
        order.extend(0..items.len());
        order.sort_unstable_by(|a, b| name(a).cmp(name(b)).then(a.cmp(b)));
        alike.clear();
        alike.resize(items.len(), 0);
        let mut first = 0;
        for (index, before) in order.iter().zip(std::iter::once(None).chain(order.iter().map(Some))) {
            if before.is_none_or(|before| name(before) != name(index)) {
                first = *index;
            }
            if let Some(slot) = alike.get_mut(*index) {
                *slot = first;
            }
        }
    }

    /// Keeps the items that are the first of their name.
    fn keep_firsts(&mut self) {
        let mut firsts = self.alike.iter().enumerate().map(|(index, first)| index == *first);
        self.items.retain(|_| firsts.next().unwrap_or(false));
    }
}

/// A range that lies within `len`, whatever it was: `extend_from_within` must not panic.
fn bounded((start, end): Range, len: usize) -> std::ops::Range<usize> {
    let end = end.min(len);
    start.min(end)..end
}

/// How a JSON value that is no string is printed.
pub(crate) type Printed = fn(&[u8], &mut Vec<u8>) -> Result<(), Malformed>;

/// What a list is sorted by.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Order {
    Collated,
    Name,
    NameValue,
    Text,
}

/// How parameters are decoded.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Decoding {
    Form,
    Pct,
    Raw,
}

impl Decoding {
    pub(crate) fn apply(self, text: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
        match self {
            Self::Form => canon::form_decode(text, out),
            Self::Pct => canon::unpct(text, out),
            Self::Raw => {
                out.extend_from_slice(text);
                Ok(())
            }
        }
    }

    pub(crate) const fn of(list: ListSource) -> Self {
        match list {
            ListSource::QueryPct => Self::Pct,
            ListSource::FormRaw | ListSource::QueryRaw | ListSource::QueryRawJson => Self::Raw,
            _ => Self::Form,
        }
    }
}

/// A JSON value as text: strings unescaped, everything else as it stands.
pub(crate) const fn json_text<'v>(value: &JsonValue<'v>) -> &'v [u8] {
    match value {
        JsonValue::Raw(text) | JsonValue::String(text) => text,
    }
}

/// A pure conversion.
pub(crate) fn convert(convert: Convert, input: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    match convert {
        Convert::B64 => canon::b64(input, out),
        Convert::B64NoPad => canon::b64_nopad(input, out),
        Convert::B64Url => canon::b64url(input, out),
        Convert::B64UrlPad => canon::b64url_pad(input, out),
        Convert::Crc32 => decimal(usize::try_from(canon::crc32(input)).unwrap_or(usize::MAX), out),
        Convert::Decode(charset) => charset.decode(input, out)?,
        Convert::Dots => canon::dots(input, out),
        Convert::Encode(charset) => charset.encode(input, out)?,
        Convert::FormDec => canon::form_decode(input, out)?,
        Convert::FormEnc => canon::form_encode(input, out),
        Convert::Hex => canon::hex_lower(input, out),
        Convert::HexUpper => canon::hex_upper(input, out),
        Convert::JsonEscape => canon::json_escape(input, out),
        Convert::Len => decimal(input.len(), out),
        Convert::Lower => canon::lower(input, out),
        Convert::Pct => canon::pct(input, out),
        Convert::PctPath => canon::pct_path(input, out),
        Convert::SlashEnd => {
            out.extend_from_slice(input);
            if input.last() != Some(&b'/') {
                out.push(b'/');
            }
        }
        Convert::Squeeze => canon::squeeze(input, out),
        Convert::Title => canon::title(input, out),
        Convert::Trim => out.extend_from_slice(canon::trim(input)),
        Convert::Unb64 => canon::unb64(input, out)?,
        Convert::Unb64Url => canon::unb64url(input, out)?,
        Convert::Unhex => canon::unhex(input, out)?,
        Convert::Unpct => canon::unpct(input, out)?,
        Convert::Upper => canon::upper(input, out),
    }
    Ok(())
}

/// Undoes a reversible encoding.
pub(crate) fn invert(convert: Convert, input: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    match convert {
        Convert::B64 => canon::unb64(input, out),
        Convert::B64NoPad => canon::unb64_nopad(input, out),
        Convert::B64Url => canon::unb64url(input, out),
        Convert::B64UrlPad => canon::unb64url_pad(input, out),
        Convert::Hex if input.iter().any(u8::is_ascii_uppercase) => Err(Malformed),
        Convert::HexUpper if input.iter().any(u8::is_ascii_lowercase) => Err(Malformed),
        Convert::Hex | Convert::HexUpper => canon::unhex(input, out),
        Convert::Pct => {
            let start = out.len();
            canon::unpct(input, out)?;
            // One signature has one encoding: what `pct` would have written otherwise is not it.
            let mut again = Vec::with_capacity(input.len());
            canon::pct(out.get(start..).unwrap_or_default(), &mut again);
            if again == input { Ok(()) } else { Err(Malformed) }
        }
        _ => Err(Malformed),
    }
}

/// Appends a number in decimal digits.
pub(crate) fn decimal(mut number: usize, out: &mut Vec<u8>) {
    let start = out.len();
    loop {
        let digit = u8::try_from(number.checked_rem(10).unwrap_or(0)).unwrap_or(0);
        out.push(b'0'.saturating_add(digit));
        number = number.checked_div(10).unwrap_or(0);
        if number == 0 {
            break;
        }
    }
    if let Some(digits) = out.get_mut(start..) {
        digits.reverse();
    }
}
