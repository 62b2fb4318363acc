//! Values that are written in another form than they have: strings, byte sequences, display strings.

use super::super::unpct;
use super::scan;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// A string, in printable ASCII (RFC 9651, section 3.3.3). Equal ones are spelt alike: there is one way to escape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text<'a> {
    pub(super) raw: &'a str,
}

impl<'a> Text<'a> {
    /// What stands between the quotes, with its escapes.
    pub fn raw(self) -> &'a str {
        self.raw
    }

    /// The string, where nothing in it is escaped.
    pub fn plain(self) -> Option<&'a str> {
        (!self.raw.contains('\\')).then_some(self.raw)
    }

    /// Whether this is the string.
    pub fn is(self, other: &str) -> bool {
        self.raw == other && self.plain().is_some() || self.bytes().eq(other.bytes())
    }

    /// Appends the string.
    pub fn push(self, out: &mut Vec<u8>) {
        match self.plain() {
            Some(plain) => out.extend_from_slice(plain.as_bytes()),
            None => out.extend(self.bytes()),
        }
    }

    /// Its bytes, without the backslashes that escape one.
    fn bytes(self) -> impl Iterator<Item = u8> + use<'a> {
        let mut escaped = self.raw.bytes();
        std::iter::from_fn(move || match escaped.next() {
            Some(b'\\') => escaped.next(),
            byte => byte,
        })
    }
}

/// A byte sequence, in base64 (RFC 9651, section 3.3.5).
///
/// As section 4.2.7 asks of parsers, padding may be missing and the bits that carry nothing may be set, so that the
/// same bytes have several spellings; [`serialize`](super::Bare::serialize) writes the one of RFC 4648. More padding than
/// belongs there, padding elsewhere and other alphabets are malformed.
#[derive(Debug, Clone, Copy)]
pub struct Base64<'a> {
    pub(super) text: &'a str,
}

impl<'a> Base64<'a> {
    /// What stands between the colons.
    pub fn text(self) -> &'a str {
        self.text
    }

    /// Appends the bytes.
    pub fn decode(self, out: &mut Vec<u8>) {
        let start = out.len();
        if LENIENT.decode_vec(self.text, out).is_err() {
            out.truncate(start); // Text that was not checked.
        }
    }

    /// The bytes, where there are exactly so many.
    pub fn array<const LEN: usize>(self) -> Option<[u8; LEN]> {
        let mut bytes = [0; LEN];
        let len = LENIENT.decode_slice(self.text, &mut bytes).ok()?;
        (len == LEN).then_some(bytes)
    }

    pub(super) fn is_right(self) -> bool {
        let (symbols, padding) = match self.text.as_bytes() {
            [symbols @ .., b'=', b'='] => (symbols, 2),
            [symbols @ .., b'='] => (symbols, 1),
            symbols => (symbols, 0),
        };
        let most = match symbols.len() % 4 {
            0 => 0,
            2 => 2,
            3 => 1,
            _ => return false,
        };
        let is_symbol = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
        // Without an early end, so that several are judged in one step.
        padding <= most && symbols.iter().fold(true, |all, byte| all & is_symbol(byte))
    }
}

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A display string, in UTF-8 with percent-encoding (RFC 9651, section 3.3.8). The same string has several spellings,
/// of which [`serialize`](super::Bare::serialize) writes the shortest.
#[derive(Debug, Clone, Copy)]
pub struct Display<'a> {
    pub(super) raw: &'a str,
}

impl<'a> Display<'a> {
    /// What stands between the quotes, encoded.
    pub fn raw(self) -> &'a str {
        self.raw
    }

    /// Appends the string, in UTF-8.
    pub fn push(self, out: &mut Vec<u8>) {
        unpct(self.raw.as_bytes(), out).unwrap_or_default(); // Nothing fails in text that was checked.
    }

    /// Section 4.2.10, steps 4 and 5: printable, two digits in lower case after each `%`, and UTF-8 once decoded.
    pub(super) fn is_right(self) -> bool {
        let mut rest = self.raw.as_bytes();
        let mut character = Character::default();
        while let [first, after @ ..] = rest {
            let byte = match (first, after) {
                (b'%', [high, low, after @ ..]) => {
                    let (Some(high), Some(low)) = (lower_hex(*high), lower_hex(*low)) else { return false };
                    rest = after;
                    high << 4 | low
                }
                (b'%', _) => return false,
                (byte, _) if scan::is_printable(*byte) => {
                    rest = after;
                    *byte
                }
                _ => return false,
            };
            if !character.takes(byte) {
                return false;
            }
        }
        character.filled == 0
    }
}

fn lower_hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit & 0xf),
        b'a'..=b'f' => Some((digit & 0xf).wrapping_add(9)),
        _ => None,
    }
}

/// The bytes of a character whose end has not come yet.
#[derive(Default)]
struct Character {
    bytes: [u8; 4],
    filled: usize,
}

impl Character {
    /// Whether the bytes so far are UTF-8, or the beginning of it.
    fn takes(&mut self, byte: u8) -> bool {
        let Some(slot) = self.bytes.get_mut(self.filled) else { return false };
        *slot = byte;
        self.filled = self.filled.saturating_add(1);
        match str::from_utf8(self.bytes.get(..self.filled).unwrap_or_default()) {
            Ok(_) => {
                self.filled = 0;
                true
            }
            Err(error) => error.error_len().is_none(),
        }
    }
}
