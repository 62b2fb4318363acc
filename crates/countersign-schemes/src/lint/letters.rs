//! What sources and types are made of, and what conversions make of that.
//!
//! A source holds what its grammar allows: RFC 9110 for methods and field values, RFC 3986 for targets and
//! authorities. Where the sender encodes a value and it is decoded before it is signed, as the parameters of a query
//! are, it may hold any byte: `%0A` is a line feed.

use super::symbols::Symbols;
use super::text::{Length, Letters};
use countersign_core::alg::Hash;
use countersign_core::canon::is_tchar;
use countersign_core::scheme::model::{Chunk, Convert, Field, FieldType, ListSource, Source};
use countersign_core::time::TimeFormat;

impl Letters {
    /// The union: a value of either kind.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            first: self.first.or(other.first),
            all: self.all.or(other.all),
            length: match (self.length, other.length) {
                (one, other) if one == other => one,
                (Length::Any | Length::Exactly(0), _) | (_, Length::Any | Length::Exactly(0)) => Length::Any,
                _ => Length::Some,
            },
        }
    }

    /// The intersection: a value of both kinds.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            first: self.first.and(other.first),
            all: self.all.and(other.all),
            length: match (self.length, other.length) {
                (one @ Length::Exactly(_), _) | (_, one @ Length::Exactly(_)) => one,
                (Length::Some, _) | (_, Length::Some) => Length::Some,
                (Length::Any, Length::Any) => Length::Any,
            },
        }
    }

    fn map(self, map: impl Fn(u8) -> u8 + Copy) -> Self {
        Self { first: self.first.map(map), all: self.all.map(map), length: self.length }
    }

    /// What a conversion makes of it.
    pub(super) fn converted(self, convert: Convert) -> Self {
        let bytes = |admits: fn(u8) -> bool| Symbols::bytes(admits);
        // Each kind of text is as long as what it encodes, by a fixed rule.
        let encoded = |all, length: fn(usize) -> usize| {
            Self::new(
                all,
                match self.length {
                    Length::Exactly(count) => Length::Exactly(length(count)),
                    other => other,
                },
            )
        };
        let not_empty = |all| {
            Self::new(
                all,
                match self.length {
                    Length::Exactly(0) | Length::Any => Length::Any,
                    Length::Exactly(_) | Length::Some => Length::Some,
                },
            )
        };
        match convert {
            Convert::B64 => encoded(of_type(&FieldType::B64), |count| count.div_ceil(3) * 4),
            Convert::B64NoPad => encoded(bytes(is_base64), |count| (count * 4).div_ceil(3)),
            Convert::B64Url => encoded(bytes(is_base64url), |count| (count * 4).div_ceil(3)),
            Convert::B64UrlPad => encoded(of_type(&FieldType::B64Url), |count| count.div_ceil(3) * 4),
            // The second byte of a GBK character may be a letter, a backslash or a brace.
            Convert::Decode(_) | Convert::Encode(_) | Convert::Unb64 | Convert::Unb64Url | Convert::Unhex => {
                Self::any()
            }
            // What does not begin with an escape begins with what it began with.
            Convert::FormDec | Convert::Unpct => {
                let escapes: &[u8] = if convert == Convert::Unpct { b"%" } else { b"%+" };
                let escaped = escapes.iter().any(|byte| self.first.holds(*byte));
                let length = match self.length {
                    Length::Any | Length::Exactly(0) => Length::Any,
                    Length::Exactly(_) | Length::Some => Length::Some,
                };
                Self { first: if escaped { Symbols::ALL_BYTES } else { self.first }, length, ..Self::any() }
            }
            Convert::FormEnc => not_empty(bytes(|byte| is_form_kept(byte) || byte == b'%' || byte == b'+')),
            Convert::Hex => encoded(of_type(&FieldType::Hex), |count| count * 2),
            Convert::HexUpper => encoded(of_type(&FieldType::HexUpper), |count| count * 2),
            Convert::JsonEscape => not_empty(bytes(|byte| byte >= b' ')),
            Convert::Crc32 | Convert::Len => Self::new(bytes(|byte| byte.is_ascii_digit()), Length::Some),
            Convert::Lower => self.map(|byte| byte.to_ascii_lowercase()),
            // A letter may have become either case of itself.
            Convert::Title => {
                let (lower, upper) =
                    (self.map(|byte| byte.to_ascii_lowercase()), self.map(|byte| byte.to_ascii_uppercase()));
                Self { first: upper.first, all: lower.all.or(upper.all), length: self.length }
            }
            Convert::Pct => not_empty(bytes(|byte| is_unreserved(byte) || byte == b'%')),
            Convert::PctPath => not_empty(bytes(|byte| is_unreserved(byte) || matches!(byte, b'%' | b'/'))),
            // Where nothing is left, a slash is.
            Convert::Dots | Convert::SlashEnd => Self {
                first: self.first.or(Symbols::of(b"/")),
                all: self.all.or(Symbols::of(b"/")),
                length: Length::Some,
            },
            // White space has become one space, or nothing.
            Convert::Squeeze => {
                let words = self.all.and(bytes(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n')));
                Self { first: words, ..Self::new(words.or(Symbols::of(b" ")), Length::Any) }
            }
            Convert::Trim => Self::new(self.all, Length::Any),
            Convert::Upper => self.map(|byte| byte.to_ascii_uppercase()),
        }
    }

    /// What is left of it when these bytes, and `%`, are percent-encoded.
    pub(super) fn percent_encoded(self, only: &[u8]) -> Self {
        let kept = |set: Symbols| {
            let kept = Symbols::bytes(|byte| byte == b'%' || (set.holds(byte) && !only.contains(&byte)));
            kept.or(set.and(Symbols::SECRET.or(Symbols::CONSTANT)))
        };
        let digits = Symbols::bytes(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'));
        let length = match self.length {
            Length::Exactly(0) | Length::Any => Length::Any,
            Length::Exactly(_) | Length::Some => Length::Some,
        };
        Self { first: kept(self.first), all: kept(self.all).or(digits), length }
    }

    /// What a slice leaves of it.
    pub(super) fn sliced(self, from: usize, to: usize) -> Self {
        let length = match self.length {
            Length::Exactly(count) => Length::Exactly(to.min(count).saturating_sub(from)),
            Length::Some if from == 0 => Length::Some,
            Length::Some | Length::Any => Length::Any,
        };
        Self { first: if from == 0 { self.first } else { self.all }, all: self.all, length }
    }
}

/// What a capture holds.
pub(super) fn of_field(field: &Field) -> Letters {
    let all = of_type(&field.kind);
    let length = match (field.kind.fixed_length(), field.length) {
        (Some(length), _) => Length::Exactly(length),
        (None, (least, most)) if least == most => Length::Exactly(least),
        (None, (0, _)) => Length::Any,
        (None, _) => Length::Some,
    };
    Letters::new(all, length)
}

/// What an instant is written with.
pub(super) fn of_time(format: &TimeFormat) -> Letters {
    let kind = FieldType::Time(format.clone());
    let length = kind.fixed_length().map_or(Length::Some, Length::Exactly);
    Letters::new(of_type(&kind), length)
}

/// The characters of an instant in order, for a format in which each has its place.
pub(super) fn shape(format: &TimeFormat) -> Option<Vec<Letters>> {
    let example: &[u8] = match format {
        TimeFormat::HttpDate => b"Sun, 06 Nov 1994 08:49:37 GMT",
        TimeFormat::Iso => b"1994-11-06T08:49:37Z",
        TimeFormat::IsoBasic => b"19941106T084937Z",
        TimeFormat::IsoMs => b"1994-11-06T08:49:37.000Z",
        TimeFormat::Ymd => b"1994-11-06",
        TimeFormat::Date | TimeFormat::OneOf(_) | TimeFormat::Pattern(_) | TimeFormat::Unix | TimeFormat::UnixMs => {
            return None;
        }
    };
    let one = |byte: &u8| {
        let like = Symbols::bytes(|other| match byte {
            b'0'..=b'9' => other.is_ascii_digit(),
            // Names of days and months are letters.
            b'A'..=b'Z' | b'a'..=b'z' if *format == TimeFormat::HttpDate => other.is_ascii_alphabetic(),
            byte => other == *byte,
        });
        Letters::new(like, Length::Exactly(1))
    };
    Some(example.iter().map(one).collect())
}

/// A digest; where the key chooses it, its length is unknown.
pub(super) fn of_digest(hash: Option<Hash>) -> Letters {
    Letters::new(Symbols::ALL_BYTES, hash.map_or(Length::Some, |hash| Length::Exactly(hash.output_len())))
}

/// What a source holds that is neither a list nor made of others.
pub(super) fn of_source(source: &Source) -> Letters {
    let some = |admits: fn(u8) -> bool| Letters::new(Symbols::bytes(admits), Length::Some);
    match source {
        Source::DigestName => some(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()),
        // No method begins with a digit; one that did would reach no handler.
        Source::Method => Letters { first: Symbols::bytes(|byte| byte.is_ascii_alphabetic()), ..some(is_tchar) },
        // RFC 3986, section 3.2: an authority ends before a slash, a question mark or a number sign.
        Source::Host => some(|byte| is_visible(byte) && !matches!(byte, b'/' | b'?' | b'#')),
        // A colon stands only in brackets, which keep it apart from the port's.
        Source::Hostname => some(|byte| is_visible(byte) && !matches!(byte, b'/' | b'?' | b'#' | b':')),
        Source::Port => some(|byte| byte.is_ascii_digit()),
        Source::Status => Letters { length: Length::Exactly(3), ..some(|byte| byte.is_ascii_digit()) },
        Source::Peer => some(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':')),
        Source::Scheme => some(|byte| byte.is_ascii_lowercase()),
        Source::Path => begins_with_slash(some(|byte| is_visible(byte) && byte != b'?')),
        Source::Target => begins_with_slash(some(is_visible)),
        Source::Url => some(is_visible),
        Source::QueryString => Letters { length: Length::Any, ..some(is_visible) },
        Source::Header(_) => Letters::new(field_value(), Length::Any),
        Source::Cookie(_) => Letters::new(Symbols::bytes(|byte| is_field_value(byte) && byte != b';'), Length::Any),
        Source::KeyId | Source::Var(_) => Letters::new(Symbols::CONSTANT, Length::Exactly(1)),
        Source::Secret => Letters::new(Symbols::SECRET, Length::Exactly(1)),
        Source::Request(inner) => of_source(inner),
        // A chunk is digested; a signature before is the one that was computed, and its letters are those of a field.
        Source::Chunk(Chunk::Previous) => Letters::new(field_value(), Length::Some),
        Source::Body
        | Source::Chunk(Chunk::Content | Chunk::Trailers)
        | Source::Field(_)
        | Source::Form(_)
        | Source::Json(_)
        | Source::K
        | Source::Let(_)
        | Source::List(_)
        | Source::Part(_)
        | Source::Query(_)
        | Source::Quoted(_)
        | Source::V
        | Source::Xml(_) => Letters::any(),
    }
}

/// What the names and the values of a list hold.
pub(super) fn of_list(list: ListSource) -> (Letters, Letters) {
    match list {
        ListSource::Form
        | ListSource::Json
        | ListSource::Params
        | ListSource::Query
        | ListSource::QueryForm
        | ListSource::QueryJson
        | ListSource::QueryPct
        | ListSource::QueryRawJson => (Letters::any(), Letters::any()),
        ListSource::FormRaw => (
            Letters::new(Symbols::bytes(|byte| !matches!(byte, b'=' | b'&')), Length::Any),
            Letters::new(Symbols::bytes(|byte| byte != b'&'), Length::Any),
        ),
        ListSource::Headers => (
            Letters::new(Symbols::bytes(|byte| is_tchar(byte) && !byte.is_ascii_uppercase()), Length::Some),
            Letters::new(field_value(), Length::Any),
        ),
        ListSource::QueryRaw => (
            Letters::new(Symbols::bytes(|byte| is_visible(byte) && !matches!(byte, b'=' | b'&')), Length::Any),
            Letters::new(Symbols::bytes(|byte| is_visible(byte) && byte != b'&'), Length::Any),
        ),
        ListSource::Xml => (
            Letters::new(
                Symbols::bytes(|byte| {
                    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':') || byte >= 0x80
                }),
                Length::Some,
            ),
            Letters::any(),
        ),
    }
}

fn begins_with_slash(letters: Letters) -> Letters {
    Letters { first: Symbols::of(b"/"), ..letters }
}

fn of_type(kind: &FieldType) -> Symbols {
    Symbols::bytes(|byte| kind.admits(byte))
}

/// RFC 9110, section 5.5: neither CR, LF nor NUL.
fn is_field_value(byte: u8) -> bool {
    !matches!(byte, 0 | b'\r' | b'\n')
}

fn field_value() -> Symbols {
    Symbols::bytes(is_field_value)
}

/// Neither a space nor a control character: what a request target may hold.
fn is_visible(byte: u8) -> bool {
    byte > b' ' && byte != 0x7f
}

fn is_unreserved(byte: u8) -> bool {
    FieldType::Unreserved.admits(byte)
}

fn is_form_kept(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b'-' | b'.' | b'_')
}

fn is_base64(byte: u8) -> bool {
    byte != b'=' && FieldType::B64.admits(byte)
}

fn is_base64url(byte: u8) -> bool {
    byte != b'=' && FieldType::B64Url.admits(byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_core::canon;
    use proptest::prelude::*;

    type Converter = fn(&[u8], &mut Vec<u8>);
    type Decoder = fn(&[u8], &mut Vec<u8>) -> Result<(), canon::Malformed>;
    const ENCODERS: &[(Convert, Converter)] = &[
        (Convert::B64, canon::b64),
        (Convert::B64NoPad, canon::b64_nopad),
        (Convert::B64Url, canon::b64url),
        (Convert::B64UrlPad, canon::b64url_pad),
        (Convert::Dots, canon::dots),
        (Convert::FormEnc, canon::form_encode),
        (Convert::Hex, canon::hex_lower),
        (Convert::HexUpper, canon::hex_upper),
        (Convert::JsonEscape, canon::json_escape),
        (Convert::Lower, canon::lower),
        (Convert::Pct, canon::pct),
        (Convert::PctPath, canon::pct_path),
        (Convert::Squeeze, canon::squeeze),
        (Convert::Title, canon::title),
        (Convert::Upper, canon::upper),
    ];

    fn of_text(text: &[u8]) -> Letters {
        Letters::new(Symbols::of(text), Length::Exactly(text.len()))
    }
    proptest! {
        /// What the core's conversions write is what is said of them here.
        #[test]
        fn conversions_write_these_letters(text: Vec<u8>) {
            let before = [
                Letters::any(),
                of_text(&text),
            ];
            for (convert, by) in ENCODERS {
                let mut out = Vec::new();
                by(&text, &mut out);
                for letters in before {
                    prop_assert!(letters.converted(*convert).admit(&out), "{convert:?} {out:?}");
                }
            }
        }

        #[test]
        fn slices_are_as_long_as_they_are_said_to_be(text: Vec<u8>, from in 0usize..8, length in 1usize..8) {
            let to = from + length;
            let slice = text.get(from.min(text.len())..to.min(text.len())).unwrap();
            let letters = of_text(&text);
            prop_assert!(letters.sliced(from, to).admit(slice));
            prop_assert!(Letters::any().sliced(from, to).admit(slice));
        }
    }

    proptest! {
        #[test]
        fn some_bytes_encoded_leave_these_letters(text: Vec<u8>, only: Vec<u8>) {
            let mut out = Vec::new();
            canon::pct_only(&text, &only, &mut out);
            let exact = Letters::new(Symbols::of(&text), Length::Exactly(text.len()));
            prop_assert!(exact.percent_encoded(&only).admit(&out), "{out:?}");
            let any = Letters::any().percent_encoded(&only);
            prop_assert!(any.admit(&out), "{out:?}");
            let free = only.iter().filter(|byte| **byte != b'%' && !byte.is_ascii_hexdigit());
            prop_assert!(free.into_iter().all(|byte| !any.all.holds(*byte)));
        }
    }

    /// Decoding takes nothing away altogether, and leaves alone what begins with no escape.
    #[test]
    fn decoded_text_begins_as_it_did() {
        for text in ["/%0a", "%2fa", "a", "%", "+", ""] {
            for (convert, by) in [(Convert::Unpct, canon::unpct as Decoder), (Convert::FormDec, canon::form_decode)] {
                let letters =
                    Letters { first: Symbols::of(&text.as_bytes()[..text.len().min(1)]), ..of_text(text.as_bytes()) };
                let mut out = Vec::new();
                if by(text.as_bytes(), &mut out).is_ok() {
                    assert!(letters.converted(convert).admit(&out), "{convert:?} of {text}");
                }
            }
        }
        let path = of_source(&Source::Path).converted(Convert::Unpct);
        assert!(path.first.holds(b'/') && !path.first.holds(b'a') && path.all.holds(b'\n'));
    }

    #[test]
    fn a_line_feed_separates_all_but_what_was_decoded() {
        let feed = |source: &Source| of_source(source).all.holds(b'\n');
        for source in [Source::Method, Source::Path, Source::Target, Source::Host, Source::Header("a".into())] {
            assert!(!feed(&source), "{source:?}");
        }
        for source in [Source::Body, Source::Query("a".into()), Source::Form("a".into()), Source::Json("a".into())] {
            assert!(feed(&source), "{source:?}");
        }
    }
}
