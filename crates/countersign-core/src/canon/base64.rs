//! Base64: RFC 4648, section 4 (`+/`) and section 5 (`-_`), each with and without padding.
//!
//! Decoding is strict: the alphabet, the padding and the unused bits of the last character must be exactly what
//! encoding writes (RFC 4648, sections 3.2, 3.3 and 3.5), so that no signature has two spellings.

use super::{Malformed, all_or_nothing};
use base64::Engine as _;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

/// Appends base64 with `+/` and padding.
pub fn b64(input: &[u8], out: &mut Vec<u8>) {
    encode(&STANDARD, true, input, out);
}

/// Appends base64 with `+/` and no padding.
pub fn b64_nopad(input: &[u8], out: &mut Vec<u8>) {
    encode(&STANDARD_NO_PAD, false, input, out);
}

/// Appends base64 with `-_` and no padding, as in tokens.
pub fn b64url(input: &[u8], out: &mut Vec<u8>) {
    encode(&URL_SAFE_NO_PAD, false, input, out);
}

/// Appends base64 with `-_` and padding.
pub fn b64url_pad(input: &[u8], out: &mut Vec<u8>) {
    encode(&URL_SAFE, true, input, out);
}

/// Appends the bytes of what [`b64`] writes.
pub fn unb64(input: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    decode(&STANDARD, input, out)
}

/// Appends the bytes of what [`b64_nopad`] writes.
pub fn unb64_nopad(input: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    decode(&STANDARD_NO_PAD, input, out)
}

/// Appends the bytes of what [`b64url`] writes.
pub fn unb64url(input: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    decode(&URL_SAFE_NO_PAD, input, out)
}

/// Appends the bytes of what [`b64url_pad`] writes.
pub fn unb64url_pad(input: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    decode(&URL_SAFE, input, out)
}

fn encode(engine: &GeneralPurpose, padded: bool, input: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    // The length overflows only for inputs longer than three quarters of the address space.
    let len = base64::encoded_len(input.len(), padded).unwrap_or_default();
    out.resize(start.saturating_add(len), 0);
    let written = out.get_mut(start..).is_some_and(|slot| engine.encode_slice(input, slot).is_ok());
    debug_assert!(written, "the slot has the length that base64 says");
}

fn decode(engine: &GeneralPurpose, input: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    all_or_nothing(out, |out| engine.decode_vec(input, out).map_err(|_| Malformed))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{decoded, text};
    use super::*;
    use proptest::prelude::*;

    type Encode = fn(&[u8], &mut Vec<u8>);
    type Decode = fn(&[u8], &mut Vec<u8>) -> Result<(), Malformed>;

    const FORMS: &[(Encode, Decode)] =
        &[(b64, unb64), (b64_nopad, unb64_nopad), (b64url, unb64url), (b64url_pad, unb64url_pad)];

    /// RFC 4648, section 10.
    #[test]
    fn the_rfc_s_examples() {
        for (input, expected) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(text(b64, input), expected);
            assert_eq!(text(b64_nopad, input), expected.trim_end_matches('='));
            assert_eq!(decoded(unb64, expected).unwrap(), input.as_bytes());
        }
        assert_eq!((text(b64, [0xfb, 0xff]), text(b64url, [0xfb, 0xff])), ("+/8=".into(), "-_8".into()));
        assert_eq!((text(b64_nopad, [0xfb, 0xff]), text(b64url_pad, [0xfb, 0xff])), ("+/8".into(), "-_8=".into()));
    }

    #[test]
    fn attack_02_another_spelling_is_malformed() {
        // "Zh==" and "Zm9=" differ from what is written in bits that carry nothing.
        for wrong in [
            "Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zg==Zg==", "=", "====", "Zg==\n", " Zg==", "Z g=", "-_8=",
            "Zm9v=",
        ] {
            assert_eq!(decoded(unb64, wrong), Err(Malformed), "{wrong:?}");
        }
        for wrong in ["Z", "Zg=", "Zg==", "Zh", "Zm9", "+/8", "-_9", "-_8=", "Zm 9v", "Zm9v\n"] {
            assert_eq!(decoded(unb64url, wrong), Err(Malformed), "{wrong:?}");
        }
        for wrong in ["Zg", "Zh==", "+/8=", "-_8"] {
            assert_eq!(decoded(unb64url_pad, wrong), Err(Malformed), "{wrong:?}");
        }
        for wrong in ["Zg==", "Zh", "-_8", "+/9"] {
            assert_eq!(decoded(unb64_nopad, wrong), Err(Malformed), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn what_was_encoded_decodes_to_itself(input: Vec<u8>) {
            for (encode, decode) in FORMS {
                prop_assert_eq!(decoded(decode, text(encode, &input)), Ok(input.clone()));
            }
        }

        #[test]
        fn what_decodes_is_what_would_be_written(input in "[A-Ea-e0-9+/_=-]{0,12}") {
            for (encode, decode) in FORMS {
                if let Ok(bytes) = decoded(decode, &input) {
                    prop_assert_eq!(text(encode, bytes), input.clone());
                }
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(input: Vec<u8>) {
            for (_, decode) in FORMS {
                let _ = decoded(decode, &input);
            }
        }
    }
}
