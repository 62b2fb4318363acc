//! Numbers as frameworks write them: base 62 (Django), base 36 (Django's reset tokens), eight bytes (itsdangerous).

/// Django's alphabet, `django.core.signing.BASE62_ALPHABET`.
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// `django.utils.http.int_to_base36`.
const BASE36: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// Appends a number in base 62.
pub(crate) fn b62(number: i64, out: &mut String) {
    if number < 0 {
        out.push('-');
    }
    append(number.unsigned_abs(), BASE62, out);
}

/// What Django's `b62_decode` reads. Leading zeros count for nothing there; a number that is no time is none.
pub(crate) fn unb62(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [] => return None,
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let mut number = 0_i64;
    for digit in digits {
        let value = match digit {
            b'0'..=b'9' => digit.checked_sub(b'0')?,
            b'A'..=b'Z' => digit.checked_sub(b'A')?.checked_add(10)?,
            b'a'..=b'z' => digit.checked_sub(b'a')?.checked_add(36)?,
            _ => return None,
        };
        number = number.checked_mul(62)?.checked_add(i64::from(value))?;
    }
    Some(if negative { number.checked_neg()? } else { number })
}

/// Appends a number in base 36.
pub(crate) fn b36(number: u64, out: &mut String) {
    append(number, BASE36, out);
}

/// The number of what [`b36`] writes, and of nothing else.
pub(crate) fn unb36(text: &str) -> Option<u64> {
    let number = u64::from_str_radix(text, 36).ok()?;
    let mut again = String::new();
    b36(number, &mut again);
    (again == text).then_some(number)
}

fn append(mut number: u64, alphabet: &[u8], out: &mut String) {
    let base = u64::try_from(alphabet.len()).unwrap_or(1);
    // 64 bits are 13 digits in base 36, and fewer in base 62.
    let mut digits = [0_u8; 13];
    let mut used = 0_usize;
    for slot in digits.iter_mut().rev() {
        let digit = number.checked_rem(base).and_then(|digit| usize::try_from(digit).ok()).unwrap_or_default();
        *slot = alphabet.get(digit).copied().unwrap_or_default();
        used = used.saturating_add(1);
        number = number.checked_div(base).unwrap_or_default();
        if number == 0 {
            break;
        }
    }
    let start = digits.len().saturating_sub(used);
    out.extend(digits.iter().skip(start).copied().map(char::from));
}

/// Eight bytes, most significant first, without leading zeros.
pub(crate) fn trimmed(number: u64, bytes: &mut [u8; 8]) -> &[u8] {
    *bytes = number.to_be_bytes();
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

/// The number of up to eight bytes, as itsdangerous reads them.
pub(crate) fn untrimmed(bytes: &[u8]) -> Option<u64> {
    if bytes.len() > 8 {
        return None;
    }
    Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn in_base_62(number: i64) -> String {
        let mut text = String::new();
        b62(number, &mut text);
        text
    }

    #[test]
    fn base_62_is_djangos() {
        for (number, text) in [
            (0, "0"),
            (1, "1"),
            (61, "z"),
            (62, "10"),
            (-62, "-10"),
            (123_456_789, "8M0kX"),
            (i64::MAX, "AzL8n0Y58m7"),
        ] {
            assert_eq!(in_base_62(number), text);
            assert_eq!(unb62(text.as_bytes()), Some(number));
        }
        for none in ["", "é", " 1", "1_0", "AzL8n0Y58m8", "zzzzzzzzzzzzzzzzzzzz"] {
            assert_eq!(unb62(none.as_bytes()), None, "{none}");
        }
        assert_eq!(unb62(b"-"), Some(0), "as Django reads it");
    }

    #[test]
    fn base_36_has_one_spelling() {
        let text = |number| {
            let mut text = String::new();
            b36(number, &mut text);
            text
        };
        for (number, written) in [(0, "0"), (35, "z"), (36, "10"), (u64::MAX, "3w5e11264sgsf")] {
            assert_eq!(text(number), written);
            assert_eq!(unb36(written), Some(number));
        }
        for none in ["", "+1", "01", "Z", " 1", "3w5e11264sgsg"] {
            assert_eq!(unb36(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(number: i64, natural: u64) {
            prop_assume!(number != i64::MIN);
            prop_assert_eq!(unb62(in_base_62(number).as_bytes()), Some(number));
            prop_assert_eq!(untrimmed(trimmed(natural, &mut [0; 8])), Some(natural));
        }
    }
}
