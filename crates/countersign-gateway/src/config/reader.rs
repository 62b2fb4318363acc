//! Tables of a TOML document, read key by key. Every getter notes a fault and goes on, so that one reading finds
//! them all.

use std::fmt::Display;
use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{At, Fault, fault, span};
use super::units;

/// A table whose keys are known, and the faults found in it so far.
pub(super) struct Section<'a, 'f> {
    /// As in `[server]`.
    name: &'static str,
    place: Range<usize>,
    table: &'a DeTable<'a>,
    faults: &'f mut Vec<Fault>,
}

impl<'a, 'f> Section<'a, 'f> {
    /// Notes every key that is not among `known`.
    pub(super) fn new(
        name: &'static str,
        place: Range<usize>,
        table: &'a DeTable<'a>,
        known: &[&str],
        faults: &'f mut Vec<Fault>,
    ) -> Self {
        for key in table.keys() {
            let word = key.get_ref().as_ref();
            if !known.contains(&word) {
                faults.push(fault(key.span(), format!("`{word}` is not a key of {name}"), unknown_key(word, known)));
            }
        }
        Self { name, place, table, faults }
    }

    pub(super) fn faults(&mut self) -> &mut Vec<Fault> {
        self.faults
    }

    /// Whether a key is there at all.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Where a key's value stands, if it is there.
    pub(super) fn place_of(&self, key: &str) -> Option<Range<usize>> {
        self.value(key).map(Spanned::span)
    }

    /// Notes that something is not there.
    pub(super) fn missing(&mut self, message: &str, hint: String) {
        self.faults.push(fault(self.place.clone(), message, hint));
    }

    /// Notes a fault at a key that is there.
    pub(super) fn fault_at(&mut self, key: &str, message: impl Into<String>, hint: &str) {
        let place = self.table.get(key).map_or_else(|| self.place.clone(), Spanned::span);
        self.faults.push(fault(place, message, hint.to_owned()));
    }

    /// Notes that a key which must be there is not.
    pub(super) fn require<T>(&mut self, key: &str, value: Option<T>, example: &str) -> Option<T> {
        if value.is_none() && !self.table.contains_key(key) {
            let message = format!("{} has no `{key}`", self.name);
            self.faults.push(fault(self.place.clone(), message, format!("add one, as in `{key} = {example}`")));
        }
        value
    }

    /// A text.
    pub(super) fn text(&mut self, key: &str) -> Option<At<String>> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(at(text.to_string(), value.span())),
            other => self.wrong(key, value.span(), other, "a text in quotes"),
        }
    }

    /// A text that stands for something else.
    pub(super) fn parsed<T, E: Display>(
        &mut self,
        key: &str,
        hint: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<At<T>> {
        let text = self.text(key)?;
        match parse(&text.value) {
            Ok(value) => Some(At::new(value, text.span)),
            Err(error) => {
                let message = format!("`{key}` of {} {error}", self.name);
                self.faults.push(Fault { span: text.span, message, hint: Some(hint.to_owned()) });
                None
            }
        }
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&mut self, key: &str, words: &[(&str, T)]) -> Option<T> {
        let hint = format!("write {}", alternatives(words.iter().map(|(word, _)| format!("\"{word}\""))));
        let known = |text: &str| words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        self.parsed(key, &hint, |text| known(text).ok_or("is none of the words it may be")).map(|word| word.value)
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, key: &str) -> Option<Vec<At<String>>> {
        let value = self.value(key)?;
        let DeValue::Array(items) = value.get_ref() else {
            return self.wrong(key, value.span(), value.get_ref(), "a list of texts, as in [\"a\", \"b\"]");
        };
        let mut texts = Vec::new();
        for item in items {
            match item.get_ref() {
                DeValue::String(text) => texts.push(at(text.to_string(), item.span())),
                other => {
                    self.wrong::<()>(key, item.span(), other, "texts only");
                }
            }
        }
        if items.is_empty() {
            self.faults.push(fault(value.span(), format!("`{key}` is empty"), format!("leave `{key}` out")));
        }
        Some(texts)
    }

    /// A table of texts.
    pub(super) fn text_table(&mut self, key: &str) -> Option<Vec<(At<String>, At<String>)>> {
        let value = self.value(key)?;
        let DeValue::Table(table) = value.get_ref() else {
            return self.wrong(key, value.span(), value.get_ref(), "a table of texts, as in { name = \"value\" }");
        };
        let mut entries = Vec::new();
        for (name, item) in table {
            match item.get_ref() {
                DeValue::String(text) => {
                    entries.push((at(name.get_ref().to_string(), name.span()), at(text.to_string(), item.span())));
                }
                other => {
                    self.wrong::<()>(key, item.span(), other, "texts only");
                }
            }
        }
        entries.sort_by_key(|(name, _)| name.span.start);
        Some(entries)
    }

    /// A table with keys of its own.
    pub(super) fn table(&mut self, key: &str) -> Option<(Range<usize>, &'a DeTable<'a>)> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::Table(table) => Some((value.span(), table)),
            other => self.wrong(key, value.span(), other, "a table, as in { scheme = \"…\", key = \"…\" }"),
        }
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &str) -> Option<bool> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            other => self.wrong(key, value.span(), other, "true or false, without quotes"),
        }
    }

    /// A whole number in a range.
    pub(super) fn count(&mut self, key: &str, range: std::ops::RangeInclusive<u32>) -> Option<u32> {
        let value = self.value(key)?;
        let DeValue::Integer(number) = value.get_ref() else {
            return self.wrong(key, value.span(), value.get_ref(), "a whole number");
        };
        let parsed =
            u32::from_str_radix(number.as_str(), number.radix()).ok().filter(|number| range.contains(number));
        if parsed.is_none() {
            let message = format!("`{key}` of {} is out of range", self.name);
            let hint = format!("it may be from {} to {}", range.start(), range.end());
            self.faults.push(fault(value.span(), message, hint));
        }
        parsed
    }

    /// A stretch of time, of at least a millisecond.
    pub(super) fn duration(&mut self, key: &str) -> Option<Duration> {
        let parse = |text: &str| {
            units::duration(text).filter(|d| !d.is_zero()).ok_or("is not a duration that can be waited for")
        };
        self.parsed(key, units::DURATION_HINT, parse).map(|duration| duration.value)
    }

    /// A number of bytes.
    pub(super) fn size(&mut self, key: &str) -> Option<u64> {
        let parse = |text: &str| units::size(text).ok_or("is not a size");
        self.parsed(key, units::SIZE_HINT, parse).map(|size| size.value)
    }

    fn value(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.table.get(key)
    }

    fn wrong<T>(&mut self, key: &str, place: Range<usize>, found: &DeValue<'_>, expected: &str) -> Option<T> {
        let message = format!("`{key}` of {} is {}", self.name, kind(found));
        self.faults.push(fault(place, message, format!("it must be {expected}")));
        None
    }
}

/// What a value is, with its article.
pub(super) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::Array(_) => "a list",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Float(_) => "a fraction",
        DeValue::Integer(_) => "a number",
        DeValue::String(_) => "a text",
        DeValue::Table(_) => "a table",
    }
}

/// `a, b or c`.
pub(super) fn alternatives(words: impl IntoIterator<Item = String>) -> String {
    let words: Vec<String> = words.into_iter().collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

fn unknown_key(word: &str, known: &[&str]) -> String {
    let all = alternatives(known.iter().map(|key| format!("`{key}`")));
    let normal = |text: &str| text.to_lowercase().replace(['_', ' '], "-");
    match known.iter().find(|key| normal(key) == normal(word)) {
        Some(key) => format!("it is written `{key}`"),
        None => format!("it may be {all}"),
    }
}

fn at<T>(value: T, range: Range<usize>) -> At<T> {
    At::new(value, span(range))
}
