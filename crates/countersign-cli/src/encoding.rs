//! How a secret is written in a file or on the command line: as its text, or as hexadecimal digits or base64 that stand
//! for its bytes.
//!
//! A secret is text unless it is said to be something else, here as everywhere; of a text that could well be something
//! else it is told that it was taken as one. Nothing that is told repeats anything of a secret.

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use clap::ValueEnum;
use countersign_core::Secret;
use zeroize::Zeroizing;

/// How a secret is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Encoding {
    /// Base64 or base64url, with its padding or without
    Base64,
    /// Hexadecimal digits
    Hex,
    /// The characters are the secret
    Text,
}

/// Why a text is not the secret that it is said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EncodingError {
    #[error("the secret is not {}", .0.name())]
    Not(Encoding),
}

impl Encoding {
    const fn name(self) -> &'static str {
        match self {
            Self::Base64 => "base64",
            Self::Hex => "hexadecimal digits",
            Self::Text => "text",
        }
    }

    const fn option(self) -> &'static str {
        match self {
            Self::Base64 => "base64",
            Self::Hex => "hex",
            Self::Text => "text",
        }
    }

    fn read(self, text: &str) -> Result<Zeroizing<Vec<u8>>, EncodingError> {
        let read = match self {
            Self::Text => Some(text.as_bytes().to_vec()),
            // The decoder would pass over a `0x`.
            Self::Hex if text.bytes().all(|byte| byte.is_ascii_hexdigit()) => const_hex::decode(text).ok(),
            Self::Hex => None,
            // Who uses both alphabets uses none.
            Self::Base64 if text.contains(['+', '/']) => STANDARD.decode(text).ok(),
            Self::Base64 => URL_SAFE.decode(text).ok(),
        };
        read.filter(|bytes| !bytes.is_empty()).map(Zeroizing::new).ok_or(EncodingError::Not(self))
    }
}

impl EncodingError {
    pub(crate) const fn hint(self) -> &'static str {
        match self {
            Self::Not(Encoding::Hex) => "two of 0-9a-f for each byte, and nothing between, before or after",
            Self::Not(_) => "one line of it, whole, in one of its two alphabets",
        }
    }
}

/// The secret that is written as it is said to be; where nothing is said, its text.
pub(crate) fn secret(text: &str, encoding: Option<Encoding>) -> Result<Secret, EncodingError> {
    Ok(Secret::new(&encoding.unwrap_or(Encoding::Text).read(text)?[..]))
}

/// What to tell of a text that was taken as it stands and that could well be meant as something else.
pub(crate) fn doubt(text: &str) -> Option<String> {
    let (other, bytes) = spelled(text)?;
    Some(format!(
        "note: the secret is taken as text, though it spells {bytes} bytes as {}: `--encoding {}` takes those, `--encoding text` says that text is meant",
        other.name(),
        other.option()
    ))
}

/// What a text spells that is hardly a secret by itself: so many hexadecimal digits, or base64 by characters that words
/// and tokens do not have.
fn spelled(text: &str) -> Option<(Encoding, usize)> {
    let has_marks = text.contains(['+', '/']) || text.ends_with('=');
    let read = |encoding: Encoding| encoding.read(text).ok().map(|bytes| (encoding, bytes.len()));
    let found =
        read(Encoding::Hex).or_else(|| read(Encoding::Base64).filter(|_| has_marks && text.len().is_multiple_of(4)));
    found.filter(|(_, bytes)| *bytes >= LEAST_SPELLED)
}

/// As many bytes as a secret has at least.
const LEAST_SPELLED: usize = 16;

const EITHER_PADDING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, EITHER_PADDING);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::URL_SAFE, EITHER_PADDING);

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, encoding: Encoding) -> Option<Vec<u8>> {
        secret(text, Some(encoding)).ok().map(|secret| secret.expose().to_vec())
    }

    #[test]
    fn what_is_not_whole_and_plain_is_refused() {
        for wrong in ["", "0", "0x00ff", "00 ff", "00:ff", "00ff\n", "0g", "é0"] {
            assert_eq!(
                secret(wrong, Some(Encoding::Hex)).err(),
                Some(EncodingError::Not(Encoding::Hex)),
                "{wrong:?}"
            );
        }
        // Cut, with bits left over, with too much padding, in both alphabets, in pieces.
        for wrong in ["", "A", "AB", "AP8===", "AP9=", "+_8=", "AP\n8", " AP8", "=", "===="] {
            assert_eq!(read(wrong, Encoding::Base64), None, "{wrong:?}");
        }
    }

    #[test]
    fn bytes_are_read_as_they_were_written() {
        assert_eq!(read("00fFA0", Encoding::Hex), Some(vec![0, 0xff, 0xa0]));
        for text in ["++8=", "++8", "--8=", "--8"] {
            assert_eq!(read(text, Encoding::Base64), Some(vec![0xfb, 0xef]), "{text}");
        }
        assert_eq!(read("00ff", Encoding::Text), Some(b"00ff".to_vec()));
        assert_eq!(read("00ff", Encoding::Base64), Some(vec![0xd3, 0x47, 0xdf]));
    }

    #[test]
    fn attack_35_what_reads_in_two_ways_is_told_and_not_repeated() {
        let hex = "0a".repeat(16);
        let padded = "/".repeat(22) + "w==";
        for (text, other) in [(hex.as_str(), Encoding::Hex), ("AAAAAAAAAAAAAAAAAAAAAA==", Encoding::Base64)] {
            assert_eq!(secret(text, None).unwrap().expose(), text.as_bytes());
            let told = doubt(text).unwrap();
            assert!(told.contains("16 bytes") && told.contains(other.option()) && !told.contains(text), "{told}");
        }
        assert_eq!(doubt(&padded), None, "what is no base64 is text");
        // Tokens and words, the secrets that are made here, and what would be too short.
        for text in ["correct horse battery staple", "0123456789abcdef", &"aB3-".repeat(11)[..43], "short==", "word"]
        {
            assert_eq!(secret(text, None).unwrap().expose(), text.as_bytes(), "{text}");
            assert_eq!(doubt(text), None, "{text}");
        }
    }
}
