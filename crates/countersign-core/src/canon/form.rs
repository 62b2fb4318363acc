//! `application/x-www-form-urlencoded` (WHATWG URL Standard, section 5), and the pairs of a query or a form.

use super::percent::{encode, split_at_byte};
use super::{Malformed, all_or_nothing, unpct};

/// Appends a name or a value as the WHATWG serializer writes it: letters, digits and `*-._` kept, space as `+`, the
/// rest percent-encoded. `~` is encoded, unlike in [`pct`](super::pct).
pub fn form_encode(input: &[u8], out: &mut Vec<u8>) {
    let mut pieces = input.split(|byte| *byte == b' ');
    if let Some(first) = pieces.next() {
        encode(first, is_kept, out);
    }
    for piece in pieces {
        out.push(b'+');
        encode(piece, is_kept, out);
    }
}

/// Appends a name or a value of a form, decoded: `+` is a space, and every `%` must be followed by two hexadecimal
/// digits (the WHATWG parser would let a stray one pass as itself).
pub fn form_decode(input: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    all_or_nothing(out, |out| {
        let mut pieces = input.split(|byte| *byte == b'+');
        if let Some(first) = pieces.next() {
            unpct(first, out)?;
        }
        for piece in pieces {
            out.push(b' ');
            unpct(piece, out)?;
        }
        Ok(())
    })
}

/// The pairs of a raw query string or form body, in order and undecoded: split at `&`, then at the first `=`.
///
/// A piece without `=` has no value. Empty pieces, as between the ampersands of `a&&b`, are no pairs and are left
/// out, as the WHATWG parser does; `=` alone is a pair of two empty strings. `;` separates nothing.
pub fn query_pairs<'a>(raw: &'a [u8]) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + Clone {
    let mut left = raw;
    let pieces = std::iter::from_fn(move || {
        let (piece, rest) = split_at_byte(left, b'&');
        left = rest.get(1..).unwrap_or_default();
        (!(piece.is_empty() && rest.is_empty())).then_some(piece)
    });
    pieces.filter(|piece| !piece.is_empty()).map(|piece: &'a [u8]| {
        let (name, rest) = split_at_byte(piece, b'=');
        (name, rest.split_first().map(|(_, value)| value))
    })
}

fn is_kept(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b'-' | b'.' | b'_')
}

#[cfg(test)]
mod tests {
    use super::super::tests::{decoded, encoded, text};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn space_is_plus_and_plus_is_encoded() {
        assert_eq!(text(form_encode, " a b+~*é "), "+a+b%2B%7E*%C3%A9+");
        assert_eq!(decoded(form_decode, "+a%20b%2B+").unwrap(), b" a b+ ");
        for wrong in ["%", "a+%", "%4+1", "+%zz"] {
            assert_eq!(decoded(form_decode, wrong), Err(Malformed), "{wrong:?}");
        }
    }

    #[test]
    fn pairs_come_in_order_and_undecoded() {
        let pairs = |raw: &'static str| {
            query_pairs(raw.as_bytes())
                .map(|(name, value)| (name.to_vec(), value.map(<[u8]>::to_vec)))
                .collect::<Vec<_>>()
        };
        let pair = |name: &str, value: Option<&str>| (name.as_bytes().to_vec(), value.map(|v| v.as_bytes().to_vec()));
        assert_eq!(pairs(""), []);
        assert_eq!(pairs("&&"), []);
        assert_eq!(pairs("="), [pair("", Some(""))]);
        assert_eq!(
            pairs("b=2&a&&b==1;c=%3D&a=&"),
            [pair("b", Some("2")), pair("a", None), pair("b", Some("=1;c=%3D")), pair("a", Some(""))],
        );
    }

    proptest! {
        #[test]
        fn what_was_encoded_decodes_to_itself(input: Vec<u8>) {
            prop_assert_eq!(decoded(form_decode, encoded(form_encode, &input)), Ok(input));
        }

        #[test]
        fn pairs_lose_nothing_but_empty_pieces(raw in "[a=&%+]{0,16}") {
            let joined = query_pairs(raw.as_bytes())
                .map(|(name, value)| match value {
                    Some(value) => [name, b"=", value].concat(),
                    None => name.to_vec(),
                })
                .collect::<Vec<_>>()
                .join(&b'&');
            let expected = raw.split('&').filter(|piece| !piece.is_empty()).collect::<Vec<_>>().join("&");
            prop_assert_eq!(joined, expected.into_bytes());
        }
    }
}
