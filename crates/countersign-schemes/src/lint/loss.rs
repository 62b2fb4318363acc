//! What filters lose: values that differ and are written alike.
//!
//! Digests and MACs lose nothing here: that two texts of one digest can be made of the weak ones is said by rules of
//! their own. Every filter is named, so that a new word of the language has to be judged before it compiles.

use super::symbols::Symbols;
use super::text::{Length, Letters};
use countersign_core::scheme::model::{Bound, Convert, Filter, ListSource, Source};

/// What is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// Upper and lower case.
    Case,
    /// All but a piece.
    Cut,
    /// How it was encoded, in more than one way.
    Decoded,
    /// Dot segments, doubled slashes, a slash at the end.
    Normalised,
    /// White space.
    Spaces,
    /// Which of two characters it was, or of two spellings.
    Spelling,
}

/// What a value is at its root: what counts as the same there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Root<'a> {
    /// A name in a list, or a value.
    Item(ListSource),
    /// A source.
    Source(&'a Source),
    /// Nothing that a message decides.
    Constant,
}

impl Root<'_> {
    /// Nobody tells upper from lower case: RFC 3986, section 6.2.2.1, and RFC 9110, sections 5.1 and 8.3.1. No method
    /// that is known differs from another by its case alone.
    fn has_no_case(self) -> bool {
        match self {
            Self::Constant => true,
            Self::Item(list) => list == ListSource::Headers,
            Self::Source(Source::Header(name)) => name == "content-type" || name == "host",
            Self::Source(source) => {
                matches!(source, Source::Host | Source::Hostname | Source::Method | Source::Scheme)
            }
        }
    }

    /// White space between the words of a field line means nothing to those who read it.
    fn has_no_spaces(self) -> bool {
        matches!(self, Self::Constant | Self::Item(ListSource::Headers) | Self::Source(Source::Header(_)))
    }

    /// It is sent encoded, and not decoded before.
    fn is_raw(self) -> bool {
        matches!(
            self,
            Self::Constant | Self::Item(ListSource::FormRaw | ListSource::QueryRaw | ListSource::QueryRawJson)
        )
    }
}

/// What a filter loses of a value with these letters. `bits`: how many bits of a digest each of them has, where it is
/// one.
pub(super) fn of_filter(filter: &Filter, root: Root<'_>, before: Letters, bits: Option<usize>) -> Option<Loss> {
    match filter {
        Filter::After(_)
        | Filter::AfterLast(_)
        | Filter::Before(_)
        | Filter::Member(_)
        | Filter::Slice(_, Bound::Var(_))
        | Filter::StripPrefix(_) => (root != Root::Constant).then_some(Loss::Cut),
        Filter::Convert(convert) => of_convert(*convert, root, before),
        Filter::Slice(from, Bound::At(to)) => {
            let whole = matches!(before.length, Length::Exactly(length) if *from == 0 && *to >= length);
            let enough = bits.is_some_and(|bits| bits * to.saturating_sub(*from) >= ENOUGH);
            (!whole && !enough && root != Root::Constant).then_some(Loss::Cut)
        }
        Filter::Time(from, to) => (to.resolution_millis() > from.resolution_millis()).then_some(Loss::Cut),
        Filter::Translate(from, to) => {
            let image = |byte: u8| {
                let at = from.iter().position(|other| *other == byte);
                at.and_then(|at| to.get(at).copied()).unwrap_or(byte)
            };
            merges(before.all, image).then_some(Loss::Spelling)
        }
        Filter::LowerNames => (!root.has_no_case() && has_upper(before.all)).then_some(Loss::Case),
        // Lists lose items, not parts of values: see `told`.
        Filter::Dedupe
        | Filter::DropEmpty
        | Filter::Each(_)
        // What is no string is written as one: see `told`.
        | Filter::Fastjson
        | Filter::First
        | Filter::Fold(_)
        | Filter::Granting(..)
        | Filter::Hash(_)
        | Filter::Hkdf { .. }
        | Filter::Hmac(..)
        | Filter::IfAny
        | Filter::Join(_)
        | Filter::JavaMap
        | Filter::Kdf(..)
        | Filter::Last
        | Filter::Listed(..)
        | Filter::Only(_)
        | Filter::Or(_)
        // `%` is encoded too.
        | Filter::PctOnly(_)
        | Filter::Pick(..)
        | Filter::Ratchet(..)
        | Filter::Sort
        | Filter::SortCollated
        | Filter::SortItems
        | Filter::SortKv
        | Filter::When(..)
        | Filter::With { .. }
        | Filter::Without(_) => None,
    }
}

/// As many bits of a digest as nobody finds a second text for: OWASP ASVS 5.0, 11.2.3.
const ENOUGH: usize = 128;

fn of_convert(convert: Convert, root: Root<'_>, before: Letters) -> Option<Loss> {
    let case = |changes: bool| (changes && !root.has_no_case()).then_some(Loss::Case);
    match convert {
        Convert::B64
        | Convert::B64NoPad
        | Convert::B64Url
        | Convert::B64UrlPad
        // What has one spelling in it only.
        | Convert::Decode(_)
        | Convert::Encode(_)
        | Convert::FormEnc
        | Convert::Hex
        | Convert::HexUpper
        | Convert::JsonEscape
        | Convert::Pct
        | Convert::PctPath
        // Strict: there is one text for each value.
        | Convert::Unb64
        | Convert::Unb64Url => None,
        Convert::Dots | Convert::SlashEnd => (root != Root::Constant).then_some(Loss::Normalised),
        Convert::FormDec | Convert::Unpct => (!root.is_raw()).then_some(Loss::Decoded),
        // A checksum finds damage, and no attack.
        Convert::Crc32 | Convert::Len => (root != Root::Constant).then_some(Loss::Cut),
        Convert::Lower => case(has_upper(before.all)),
        Convert::Title => case(has_upper(before.all) || has_lower(before.all)),
        Convert::Upper => case(has_lower(before.all)),
        Convert::Squeeze | Convert::Trim => {
            let spaces = [b' ', b'\t', b'\r', b'\n'].iter().any(|byte| before.all.holds(*byte));
            (spaces && !root.has_no_spaces()).then_some(Loss::Spaces)
        }
        Convert::Unhex => {
            (root != Root::Constant && has_upper(before.all) && has_lower(before.all)).then_some(Loss::Spelling)
        }
    }
}

fn has_upper(letters: Symbols) -> bool {
    (b'A'..=b'Z').any(|byte| letters.holds(byte))
}

fn has_lower(letters: Symbols) -> bool {
    (b'a'..=b'z').any(|byte| letters.holds(byte))
}

/// Whether two of the letters have one image.
fn merges(letters: Symbols, image: impl Fn(u8) -> u8) -> bool {
    let mut taken = [false; 256];
    (0..=u8::MAX).filter(|byte| letters.holds(*byte)).any(|byte| {
        let slot = &mut taken[usize::from(image(byte))];
        std::mem::replace(slot, true)
    })
}
