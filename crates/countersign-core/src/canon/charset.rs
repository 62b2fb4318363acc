//! Character sets other than UTF-8, which old interfaces still sign in.
//!
//! Both directions are strict and undo each other: what cannot be encoded is refused and not replaced, and of GBK only
//! the characters are taken that every implementation of it has. The later additions of GB 18030, private-use
//! characters and the euro sign, about which implementations disagree, are malformed here.

use super::{Malformed, all_or_nothing};
use encoding_rs::{EncoderResult, GBK};

/// A character set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// GBK 1.0: ASCII and 21,791 characters of two bytes. GB 2312 is a part of it.
    Gbk,
    /// ISO 8859-1: a byte is the character of that number. Not what browsers call so, which is Windows-1252.
    Latin1,
}

impl Charset {
    /// The names of all.
    pub const NAMES: &'static [&'static str] = &["gbk", "latin-1"];

    /// The character set of a name in a scheme file.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "gbk" => Some(Self::Gbk),
            "latin-1" => Some(Self::Latin1),
            _ => None,
        }
    }

    /// Appends UTF-8 text in this character set.
    pub fn encode(self, text: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
        let text = str::from_utf8(text).map_err(|_| Malformed)?;
        all_or_nothing(out, |out| match self {
            Self::Gbk => gbk(text, out),
            Self::Latin1 => text.chars().try_for_each(|character| {
                out.push(u8::try_from(character).map_err(|_| Malformed)?);
                Ok(())
            }),
        })
    }

    /// Appends text of this character set in UTF-8.
    pub fn decode(self, text: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
        match self {
            Self::Gbk => {
                let decoded = GBK.decode_without_bom_handling_and_without_replacement(text).ok_or(Malformed)?;
                // The decoder takes all of GB 18030; the encoder says what of that is GBK, and spelt in the one way.
                let mut again = Vec::with_capacity(text.len());
                gbk(&decoded, &mut again)?;
                if again != text {
                    return Err(Malformed);
                }
                out.extend_from_slice(decoded.as_bytes());
            }
            Self::Latin1 => {
                for byte in text {
                    out.extend_from_slice(char::from(*byte).encode_utf8(&mut [0; 2]).as_bytes());
                }
            }
        }
        Ok(())
    }
}

fn gbk(text: &str, out: &mut Vec<u8>) -> Result<(), Malformed> {
    if text.chars().any(|character| matches!(character, '\u{e000}'..='\u{f8ff}')) {
        return Err(Malformed);
    }
    let mut encoder = GBK.new_encoder();
    let most = encoder.max_buffer_length_from_utf8_without_replacement(text.len()).ok_or(Malformed)?;
    let mut encoded = vec![0; most];
    let (result, _, written) = encoder.encode_from_utf8_without_replacement(text, &mut encoded, true);
    let encoded = encoded.get(..written).ok_or(Malformed)?;
    if result != EncoderResult::InputEmpty || !is_gbk_1(encoded) {
        return Err(Malformed);
    }
    out.extend_from_slice(encoded);
    Ok(())
}

/// Whether encoded text has no code that came to GBK only with GB 18030.
fn is_gbk_1(mut text: &[u8]) -> bool {
    loop {
        text = match text {
            [] => return true,
            [0xa2, 0xe3, ..]
            | [0xa3, 0xa0, ..]
            | [0xa6, 0xd9..=0xdf | 0xec | 0xed | 0xf3, ..]
            | [0xa8, 0xbc | 0xbf, ..]
            | [0xa9, 0x89..=0x95, ..]
            | [0xfe, 0x50..=0xa0, ..]
            | [0x80, ..]
            | [0x81..=0xff] => return false,
            [..0x80, rest @ ..] | [_, _, rest @ ..] => rest,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::decoded;
    use super::*;
    use proptest::prelude::*;

    fn encode(charset: Charset, text: &str) -> Result<Vec<u8>, Malformed> {
        decoded(|text, out| charset.encode(text, out), text)
    }

    fn decode(charset: Charset, text: &[u8]) -> Result<String, Malformed> {
        decoded(|text, out| charset.decode(text, out), text).map(|text| String::from_utf8(text).unwrap())
    }

    #[test]
    fn text_is_encoded_and_decoded() {
        for (charset, text, encoded) in [
            (Charset::Gbk, "", &b""[..]),
            (Charset::Gbk, "a&b", b"a&b"),
            (Charset::Gbk, "中文", b"\xd6\xd0\xce\xc4"),
            // The second byte may be a backslash, or a brace.
            (Charset::Gbk, "乗亇倉", b"\x81\x5c\x81\x7d\x82\x7d"),
            (Charset::Gbk, "、\u{3000}", b"\xa1\xa2\xa1\xa1"),
            (Charset::Latin1, "a\u{80}é\u{ff}", b"a\x80\xe9\xff"),
        ] {
            assert_eq!(encode(charset, text).as_deref(), Ok(encoded), "{text}");
            assert_eq!(decode(charset, encoded).as_deref(), Ok(text), "{encoded:x?}");
        }
    }

    #[test]
    fn what_cannot_be_encoded_is_refused_and_not_replaced() {
        for (charset, text) in [
            (Charset::Gbk, "é😀"),
            (Charset::Gbk, "a€"),
            (Charset::Gbk, "ḿ"),
            (Charset::Gbk, "⿰"),
            (Charset::Gbk, "\u{e5e5}"),
            (Charset::Gbk, "㑇"),
            (Charset::Latin1, "aĀ"),
            (Charset::Latin1, "中"),
        ] {
            assert_eq!(encode(charset, text), Err(Malformed), "{text}");
        }
        for text in
            [&b"\xff"[..], b"a\xd6", b"\x80", b"\xa2\xe3", b"\xfe\x56", b"\x81\x30\x81\x30", b"\xd6\xff", b"\xaa\xa1"]
        {
            assert_eq!(decode(Charset::Gbk, text), Err(Malformed), "{text:x?}");
        }
        assert_eq!(decoded(|text, out| Charset::Gbk.encode(text, out), b"\xff"), Err(Malformed));
    }

    #[test]
    fn gbk_has_as_many_characters_as_elsewhere() {
        let pairs = (0x81..=0xfe_u8).flat_map(|lead| (0x40..=0xfe_u8).map(move |trail| [lead, trail]));
        // Counted with the codec of that name in CPython 3.11 and with the converter of ICU 72.
        assert_eq!(pairs.filter(|pair| decode(Charset::Gbk, pair).is_ok()).count(), 21_791);
    }

    proptest! {
        #[test]
        fn encoding_and_decoding_undo_each_other(text: String, bytes: Vec<u8>) {
            for charset in Charset::NAMES.iter().map(|name| Charset::from_name(name).unwrap()) {
                if let Ok(encoded) = encode(charset, &text) {
                    prop_assert_eq!(decode(charset, &encoded), Ok(text.clone()));
                }
                if let Ok(decoded) = decode(charset, &bytes) {
                    prop_assert_eq!(encode(charset, &decoded), Ok(bytes.clone()));
                }
            }
        }
    }
}
