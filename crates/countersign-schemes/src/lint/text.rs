//! What a template can write, as a regular expression over symbols in which every letter has an owner.
//!
//! Whatever a message may hold stands in it: a text says more than a template writes, never less. So where no string
//! of it has two readings, no base has.

use super::symbols::Symbols;
use countersign_core::scheme::Span;

/// What a template can write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Text {
    /// Nothing, and what needs it is not written either.
    Absent,
    /// One of them. Of `or`: the first that is there.
    Choice(Vec<Self>),
    /// Any number of it, also none, with a separator between.
    List(Box<Self>, Vec<u8>),
    /// These bytes.
    Literal(Vec<u8>),
    /// It, where it is not empty; otherwise nothing, as if absent.
    NotEmpty(Box<Self>),
    /// It, or nothing.
    Optional(Box<Self>),
    /// One after the other.
    Sequence(Vec<Self>),
    /// A value.
    Value(Owner, Letters),
    /// It, under a condition; otherwise nothing, as if absent.
    When(Box<Self>, Box<Condition>),
}

/// On what it depends whether something is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    /// What is looked at.
    pub(super) subject: Text,
    /// Where it stands.
    pub(super) span: Span,
}

/// Whose a letter is: the number of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Owner(pub(super) usize);

/// What a value is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Letters {
    /// What it can begin with.
    pub(super) first: Symbols,
    /// What it can hold.
    pub(super) all: Symbols,
    /// How much of it.
    pub(super) length: Length,
}

/// How long a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    /// Unknown.
    Any,
    /// Not empty.
    Some,
    /// Always this.
    Exactly(usize),
}

impl Text {
    /// Parts in order. Where one is absent, so is the whole.
    pub(super) fn sequence(mut parts: Vec<Self>) -> Self {
        if parts.contains(&Self::Absent) {
            return Self::Absent;
        }
        if parts.len() == 1 { parts.remove(0) } else { Self::Sequence(parts) }
    }

    /// There or not.
    pub(super) fn optional(inner: Self) -> Self {
        if inner == Self::Absent { Self::Sequence(Vec::new()) } else { Self::Optional(Box::new(inner)) }
    }

    /// The symbols of all that it can write.
    pub(super) fn symbols(&self) -> Symbols {
        match self {
            Self::Absent => Symbols::NONE,
            Self::Literal(text) => Symbols::of(text),
            Self::Value(_, letters) => letters.all,
            Self::Sequence(parts) | Self::Choice(parts) => {
                parts.iter().fold(Symbols::NONE, |all, part| all.or(part.symbols()))
            }
            Self::NotEmpty(inner) | Self::Optional(inner) | Self::When(inner, _) => inner.symbols(),
            Self::List(item, separator) => item.symbols().or(Symbols::of(separator)),
        }
    }

    /// The symbols that it can begin with.
    pub(super) fn first(&self) -> Symbols {
        match self {
            Self::Absent => Symbols::NONE,
            Self::Literal(text) => Symbols::of(text.get(..1).unwrap_or_default()),
            Self::Value(_, letters) => letters.first,
            Self::Sequence(parts) => {
                let mut first = Symbols::NONE;
                for part in parts {
                    first = first.or(part.first());
                    if !part.can_be_empty() {
                        break;
                    }
                }
                first
            }
            Self::Choice(parts) => parts.iter().fold(Symbols::NONE, |all, part| all.or(part.first())),
            Self::NotEmpty(inner) | Self::Optional(inner) | Self::When(inner, _) => inner.first(),
            Self::List(item, separator) => {
                let next = if item.can_be_empty() { separator.get(..1).unwrap_or_default() } else { &[] };
                item.first().or(Symbols::of(next))
            }
        }
    }

    /// Whether it can be there and empty.
    pub(super) fn can_be_empty(&self) -> bool {
        match self {
            Self::Absent | Self::NotEmpty(_) => false,
            Self::Choice(parts) => parts.iter().any(Self::can_be_empty),
            Self::List(..) | Self::Optional(_) => true,
            Self::Literal(text) => text.is_empty(),
            Self::Sequence(parts) => parts.iter().all(Self::can_be_empty),
            Self::Value(_, letters) => matches!(letters.length, Length::Any | Length::Exactly(0)),
            Self::When(inner, _) => inner.can_be_empty(),
        }
    }

    /// The text, where it is always this.
    pub(super) fn fixed(&self) -> Option<Vec<u8>> {
        match self {
            Self::Literal(text) => Some(text.clone()),
            Self::Sequence(parts) => {
                parts.iter().map(Self::fixed).collect::<Option<Vec<_>>>().map(|parts| parts.concat())
            }
            _ => None,
        }
    }
}

impl Letters {
    pub(super) fn new(all: Symbols, length: Length) -> Self {
        Self { first: all, all, length }
    }

    /// Bytes of which nothing is known.
    pub(super) fn any() -> Self {
        Self::new(Symbols::ALL_BYTES, Length::Any)
    }

    /// Whether these bytes could be such a value.
    #[cfg(test)]
    pub(super) fn admit(self, text: &[u8]) -> bool {
        let length = match self.length {
            Length::Any => true,
            Length::Some => !text.is_empty(),
            Length::Exactly(length) => text.len() == length,
        };
        length
            && text.first().is_none_or(|byte| self.first.holds(*byte))
            && text.iter().all(|byte| self.all.holds(*byte))
    }
}
