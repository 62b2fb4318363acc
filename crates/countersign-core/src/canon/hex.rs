//! Hexadecimal text: RFC 4648, section 8.

use super::{Malformed, all_or_nothing};

/// Appends lower-case hexadecimal text.
pub fn hex_lower(input: &[u8], out: &mut Vec<u8>) {
    write(input, out, |input, slot| const_hex::encode_to_slice(input, slot).is_ok());
}

/// Appends upper-case hexadecimal text.
pub fn hex_upper(input: &[u8], out: &mut Vec<u8>) {
    write(input, out, |input, slot| const_hex::encode_to_slice_upper(input, slot).is_ok());
}

/// Appends the bytes of hexadecimal text of either case, mixed too: whether a scheme minds the case is its own
/// decision, made on the text. An odd length, a `0x` in front or any other character is malformed.
pub fn unhex(input: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    // const-hex takes a prefix off.
    if input.starts_with(b"0x") || !input.len().is_multiple_of(2) {
        return Err(Malformed);
    }
    all_or_nothing(out, |out| {
        let start = out.len();
        out.resize(start.saturating_add(input.len() / 2), 0);
        let slot = out.get_mut(start..).ok_or(Malformed)?;
        const_hex::decode_to_slice(input, slot).map_err(|_| Malformed)
    })
}

fn write(input: &[u8], out: &mut Vec<u8>, encode: impl Fn(&[u8], &mut [u8]) -> bool) {
    let start = out.len();
    out.resize(start.saturating_add(input.len().saturating_mul(2)), 0);
    let written = out.get_mut(start..).is_some_and(|slot| encode(input, slot));
    debug_assert!(written, "the slot is twice as long as the input");
}

#[cfg(test)]
mod tests {
    use super::super::tests::{decoded, encoded, text};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn attack_02_only_hexadecimal_digits_in_pairs() {
        for wrong in ["0", "0x", "0x00", "0X00", "000", "0g", "g0", " 00", "00 ", "0 0", "é", "+1", "-1"] {
            assert_eq!(decoded(unhex, wrong), Err(Malformed), "{wrong:?}");
        }
        assert_eq!(decoded(unhex, "").unwrap(), b"");
        assert_eq!(decoded(unhex, "00fFAb").unwrap(), [0, 0xff, 0xab]);
    }

    proptest! {
        #[test]
        fn what_was_encoded_decodes_to_itself(input: Vec<u8>) {
            prop_assert_eq!(text(hex_lower, &input), text(hex_upper, &input).to_lowercase());
            prop_assert_eq!(decoded(unhex, encoded(hex_lower, &input)), Ok(input.clone()));
            prop_assert_eq!(decoded(unhex, encoded(hex_upper, &input)), Ok(input));
        }

        #[test]
        fn what_decodes_is_what_would_be_written(input in "[0-9a-gA-GxX]{0,10}") {
            if let Ok(bytes) = decoded(unhex, &input) {
                prop_assert_eq!(text(hex_lower, bytes), input.to_lowercase());
            }
        }
    }
}
