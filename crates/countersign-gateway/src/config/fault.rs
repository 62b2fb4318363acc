//! Faults of a configuration, each with the place where it stands.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::PathBuf;

use super::Source;

/// A value and where it stands in the file: byte offsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Range<usize>,
}

/// Something wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where: byte offsets.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
}

/// A configuration that cannot be used, and everything that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(fmt = display)]
pub struct ConfigFaults {
    /// The file.
    pub source_text: Source,
    /// What is wrong with it, in the order of the file; never empty.
    pub faults: Vec<Fault>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file says what it must not.
    #[error(transparent)]
    Faulty(#[from] ConfigFaults),
    /// The file could not be read.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl<T> At<T> {
    /// A value at a place.
    pub const fn new(value: T, span: Range<usize>) -> Self {
        Self { value, span }
    }

    pub(crate) fn map<U>(self, to: impl FnOnce(T) -> U) -> At<U> {
        At { value: to(self.value), span: self.span }
    }
}

impl Fault {
    pub(crate) fn new(span: Range<usize>, message: impl Into<String>, hint: impl Into<Option<String>>) -> Self {
        Self { span, message: message.into(), hint: hint.into() }
    }
}

impl ConfigFaults {
    pub(crate) fn new(source_text: Source, mut faults: Vec<Fault>) -> Self {
        faults.sort_by_key(|fault| fault.span.start);
        Self { source_text, faults }
    }

    /// The line and the column of a fault, both counted from 1, columns in characters.
    pub fn place(&self, fault: &Fault) -> (usize, usize) {
        let before = &self.source_text.text[..self.boundary(fault.span.start)];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// The next character boundary at or before an offset.
    fn boundary(&self, at: usize) -> usize {
        let text = &self.source_text.text;
        (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
    }
}

fn display(_: &Source, _: &[Fault], _: &mut fmt::Formatter<'_>) -> fmt::Result {
    Ok(())
}
