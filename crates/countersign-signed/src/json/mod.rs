//! JSON as signed values carry it: numbers keep their digits, members their order.
//!
//! `serde_json` would do but for both: a number past 64 bits becomes a float there, or its digits a private object,
//! and the frameworks that read on the other side have numbers of any length.

mod parse;
mod write;

pub use parse::{DEEPEST, JsonFault};
pub(crate) use write::Style;

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// `[…]`
    Array(Vec<Self>),
    /// `true` or `false`
    Bool(bool),
    /// `null`
    Null,
    /// A number, as it is written.
    Number(Number),
    /// `{…}`, in the order in which it is written, each name once.
    Object(Vec<(String, Self)>),
    /// `"…"`
    String(String),
}

/// A number, as it is written: RFC 8259, section 6.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number(Box<str>);

impl Number {
    /// The text, as in `-1.50e3`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A whole number of 64 bits, if it is one and is written as one.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        self.0.parse().ok()
    }

    /// Whether Python, Ruby and JavaScript read it as a finite number. Python reads no more than 4,300 digits.
    pub(crate) fn is_portable(&self) -> bool {
        self.0.len() <= MOST_DIGITS && self.0.parse::<f64>().is_ok_and(f64::is_finite) || self.is_short_integer()
    }

    fn is_short_integer(&self) -> bool {
        self.0.len() <= MOST_DIGITS && self.0.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit())
    }
}

const MOST_DIGITS: usize = 4300;

impl From<i64> for Number {
    fn from(number: i64) -> Self {
        Self(number.to_string().into())
    }
}

impl Json {
    /// Reads a text that is one value and nothing else but white space.
    pub fn parse(text: &[u8]) -> Result<Self, JsonFault> {
        parse::parse(text)
    }

    /// A member of an object.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The text of a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// Without white space, in UTF-8 but for what JSON must escape.
    #[must_use]
    pub fn compact(&self) -> String {
        let mut out = String::new();
        write::write(self, Style::COMPACT, &mut out);
        out
    }

    /// Without white space, in printable ASCII: it can stand in a field.
    #[must_use]
    pub fn ascii(&self) -> String {
        let mut out = String::new();
        write::write(self, Style::ASCII, &mut out);
        out
    }

    pub(crate) fn write(&self, style: Style, out: &mut String) {
        write::write(self, style, out);
    }

    /// Whether every reader reads all its numbers.
    pub(crate) fn is_portable(&self) -> bool {
        match self {
            Self::Array(items) => items.iter().all(Self::is_portable),
            Self::Number(number) => number.is_portable(),
            Self::Object(members) => members.iter().all(|(_, value)| value.is_portable()),
            Self::Bool(_) | Self::Null | Self::String(_) => true,
        }
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl std::fmt::Display for Json {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.compact())
    }
}
