//! Percent-encoding, RFC 3986, section 2.

use super::{Malformed, all_or_nothing};

/// Appends the input with everything but RFC 3986's unreserved characters (section 2.3) percent-encoded, in upper
/// case as section 2.1 asks for.
pub fn pct(input: &[u8], out: &mut Vec<u8>) {
    encode(input, is_unreserved, out);
}

/// The same with `/` kept: the segments of a path, each encoded (RFC 3986, section 3.3).
pub fn pct_path(input: &[u8], out: &mut Vec<u8>) {
    encode(input, |byte| byte == b'/' || is_unreserved(byte), out);
}

/// Appends the input with these bytes, and `%`, percent-encoded, so that none of them can be mistaken for a
/// delimiter, nor an escape for anything else (RFC 3986, section 2.4).
pub fn pct_only(input: &[u8], bytes: &[u8], out: &mut Vec<u8>) {
    encode(input, |byte| byte != b'%' && !bytes.contains(&byte), out);
}

/// Appends the input with every `%XX` decoded (RFC 3986, section 2.1). A `%` without two hexadecimal digits is
/// malformed. `+` is a plus sign here; in forms it is not, see [`form_decode`](super::form_decode).
pub fn unpct(input: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    all_or_nothing(out, |out| decode(input, out))
}

/// Appends the runs of bytes that `keep` keeps as they are, and the others percent-encoded.
pub(super) fn encode(mut input: &[u8], keep: impl Fn(u8) -> bool, out: &mut Vec<u8>) {
    out.reserve(input.len());
    while !input.is_empty() {
        let (kept, rest) = split_where(input, |byte| !keep(byte));
        out.extend_from_slice(kept);
        let Some((byte, rest)) = rest.split_first() else { return };
        out.extend_from_slice(&[b'%', hex_digit(byte >> 4), hex_digit(byte & 0xf)]);
        input = rest;
    }
}

fn decode(mut input: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    out.reserve(input.len());
    loop {
        let (plain, rest) = split_at_byte(input, b'%');
        out.extend_from_slice(plain);
        match rest {
            [] => return Ok(()),
            [_, high, low, rest @ ..] => {
                out.push(hex_value(*high)? << 4 | hex_value(*low)?);
                input = rest;
            }
            _ => return Err(Malformed),
        }
    }
}

/// Splits before the first byte of this value; all and nothing where there is none.
///
/// The bytes of a block are compared without an early end, which takes one step for all of them.
pub(crate) fn split_at_byte(input: &[u8], wanted: u8) -> (&[u8], &[u8]) {
    const BLOCK: usize = 16;
    let lacks = |block: &&[u8]| block.iter().fold(0, |found, byte| found | u8::from(*byte == wanted)) == 0;
    let without = input.chunks_exact(BLOCK).take_while(lacks).count().saturating_mul(BLOCK);
    let near = input.iter().skip(without).position(|byte| *byte == wanted);
    let end = near.map_or(input.len(), |near| without.saturating_add(near));
    input.split_at_checked(end).unwrap_or((input, &[]))
}

/// Whether one of some bytes is there. No early end, so that many bytes are looked at at once.
pub(crate) fn has_any<const SOME: usize>(input: &[u8], wanted: [u8; SOME]) -> bool {
    let is = |byte: u8| wanted.iter().fold(0, |found, wanted| found | u8::from(byte == *wanted));
    input.iter().fold(0, |found, byte| found | is(*byte)) != 0
}

/// Splits before the first byte that satisfies the predicate; all and nothing where none does.
pub(super) fn split_where(input: &[u8], is_end: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let end = input.iter().position(|byte| is_end(*byte)).unwrap_or(input.len());
    input.split_at_checked(end).unwrap_or((input, &[]))
}

/// The value of a hexadecimal digit of either case.
pub(super) fn hex_value(digit: u8) -> Result<u8, Malformed> {
    match digit {
        b'0'..=b'9' => Ok(digit & 0xf),
        b'a'..=b'f' | b'A'..=b'F' => Ok((digit & 0xf).wrapping_add(9)),
        _ => Err(Malformed),
    }
}

/// The upper-case hexadecimal digit of a value below 16.
fn hex_digit(value: u8) -> u8 {
    if value < 10 { value | b'0' } else { value.wrapping_add(b'A' - 10) }
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::super::tests::{decoded, encoded, text};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn unreserved_characters_are_kept_and_no_other() {
        for byte in 0..=255_u8 {
            let kept = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            let expected = if kept { vec![byte] } else { format!("%{byte:02X}").into_bytes() };
            assert_eq!(encoded(pct, [byte]), expected);
            assert_eq!(encoded(pct_path, [byte]), if byte == b'/' { vec![b'/'] } else { expected });
        }
        assert_eq!(text(pct, "a b/ü"), "a%20b%2F%C3%BC");
        assert_eq!(text(pct_path, "/a b/%2F"), "/a%20b/%252F");
    }

    #[test]
    fn only_the_named_bytes_and_the_percent_sign_are_encoded() {
        let delimiters = |input: &[u8], out: &mut Vec<u8>| pct_only(input, b"&=", out);
        assert_eq!(text(delimiters, "a&b=c d/%26ü"), "a%26b%3Dc d/%2526ü");
        assert_eq!(text(|input: &[u8], out: &mut Vec<u8>| pct_only(input, b"", out), "%&"), "%25&");
    }

    #[test]
    fn a_percent_sign_needs_two_digits() {
        for wrong in ["%", "%4", "a%", "%4g", "%g4", "%%41", "%-1", "%+1", "% 1", "%41%"] {
            assert_eq!(decoded(unpct, wrong), Err(Malformed), "{wrong:?}");
        }
        assert_eq!(decoded(unpct, "%41%2f%2Fa+b%00").unwrap(), b"A//a+b\0");
        assert_eq!(decoded(unpct, "").unwrap(), b"");
    }

    proptest! {
        #[test]
        fn what_was_encoded_decodes_to_itself(input: Vec<u8>) {
            prop_assert_eq!(decoded(unpct, encoded(pct, &input)), Ok(input.clone()));
            prop_assert_eq!(decoded(unpct, encoded(pct_path, &input)), Ok(input.clone()));
            let some = |input: &[u8], out: &mut Vec<u8>| pct_only(input, b"~&=", out);
            prop_assert_eq!(decoded(unpct, encoded(some, &input)), Ok(input));
        }

        #[test]
        fn a_byte_is_found_where_it_stands_first(input in "[a&]{0,3}a{0,40}[a&]{0,40}") {
            let (before, rest) = split_at_byte(input.as_bytes(), b'&');
            let expected = input.find('&').unwrap_or(input.len());
            prop_assert_eq!((before, rest), input.as_bytes().split_at(expected));
        }

        #[test]
        fn arbitrary_input_decodes_or_is_malformed(input in "[%0-9a-gA-G+]{0,12}") {
            if let Ok(output) = decoded(unpct, &input) {
                prop_assert_eq!(input.len() - output.len(), 2 * input.matches('%').count());
            }
        }
    }
}
