//! A scheme file as a tree of keys and values, each with its place, in the order written.
//!
//! What `toml` reads has its keys sorted and knows nothing of files; this tree is what inheritance works on.
//! Which keys there may be is not known here.

use crate::toml_string::{Text, span};
use countersign_core::scheme::draft::{At, Fault, Span};
use toml::de::{DeTable, DeValue};

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) value: Value,
}

#[derive(Debug, Clone)]
pub(crate) enum Value {
    Array(Vec<Node>),
    Bool(bool),
    Integer(String),
    /// A kind of value that scheme files have no use for, by its name.
    Other(&'static str),
    Table(Vec<Entry>),
    Text(Text),
}

/// A key and its value.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: At<String>,
    pub(crate) node: Node,
}

impl Node {
    /// What it is, with its article.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Array(_) => "an array",
            Value::Bool(_) => "a boolean",
            Value::Integer(_) => "a number",
            Value::Other(kind) => kind,
            Value::Table(_) => "a table",
            Value::Text(_) => "a string",
        }
    }

    /// Whether it is the `false` that removes what is inherited.
    pub(crate) fn removes(&self) -> bool {
        matches!(self.value, Value::Bool(false))
    }
}

/// Reads file number `file`. What TOML itself objects to becomes a fault; the rest of the file is read all the
/// same.
pub(crate) fn parse(text: &str, file: u16, faults: &mut Vec<Fault>) -> Vec<Entry> {
    if text.len() > MAX_FILE {
        faults.push(Fault {
            span: Span { file, start: 0, end: 0 },
            message: format!("a file of {} bytes is no scheme", text.len()),
            hint: Some(format!("a scheme file has at most {} KiB", MAX_FILE / 1024)),
        });
        return Vec::new();
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut errors: Vec<_> = errors.iter().map(|error| (error.span().unwrap_or(0..0), error.message())).collect();
    errors.sort_by_key(|(at, _)| at.start);
    // Of a line the first one counts: what follows was read out of step.
    errors.dedup_by(|later, first| !text.get(first.0.start..later.0.start).unwrap_or("\n").contains('\n'));
    for (at, message) in errors {
        let span = span(file, at.start, at.end);
        faults.push(Fault { span, message: message.to_owned(), hint: hint(message).map(str::to_owned) });
    }
    Builder { text, file }.table(document.get_ref())
}

/// What TOML's own words leave open.
fn hint(message: &str) -> Option<&'static str> {
    Some(match message {
        _ if message.starts_with("duplicate key") => "each key and each section stands once",
        _ if message.contains("must be quoted") || message.starts_with("invalid float") => {
            "a string stands in quotes"
        }
        _ if message.starts_with("invalid basic string") => {
            "a string ends on its line; three quotes begin and end a longer one"
        }
        _ if message.starts_with("missing escaped value") => "in apostrophes instead of quotes a backslash is itself",
        _ => return None,
    })
}

/// Bytes. A hundred times what the longest scheme needs.
const MAX_FILE: usize = 256 * 1024;

struct Builder<'a> {
    text: &'a str,
    file: u16,
}

impl Builder<'_> {
    fn table(&self, table: &DeTable<'_>) -> Vec<Entry> {
        let mut entries: Vec<_> = table
            .iter()
            .map(|(key, value)| {
                let at = key.span();
                let key = At::new(key.get_ref().to_string(), span(self.file, at.start, at.end));
                Entry { key, node: self.node(value.get_ref(), value.span()) }
            })
            .collect();
        entries.sort_by_key(|entry| entry.key.span.start);
        entries
    }

    fn node(&self, value: &DeValue<'_>, at: std::ops::Range<usize>) -> Node {
        let value = match value {
            DeValue::String(_) => {
                let raw = self.text.get(at.clone()).unwrap_or_default();
                Value::Text(Text::decode(raw, at.start, self.file))
            }
            DeValue::Integer(number) => Value::Integer(number.to_string()),
            DeValue::Boolean(value) => Value::Bool(*value),
            DeValue::Float(_) => Value::Other("a fraction"),
            DeValue::Datetime(_) => Value::Other("a date"),
            DeValue::Array(array) => {
                Value::Array(array.iter().map(|item| self.node(item.get_ref(), item.span())).collect())
            }
            DeValue::Table(table) => Value::Table(self.table(table)),
        };
        Node { span: span(self.file, at.start, at.end), value }
    }
}
