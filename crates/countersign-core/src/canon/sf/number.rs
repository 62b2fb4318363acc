//! Integers and decimals: RFC 9651, sections 3.3.1, 3.3.2, 4.1.5 and 4.2.4.

use super::super::Malformed;

/// The digits of the longest integer.
pub(super) const INTEGER: usize = 15;
/// The digits of the longest decimal before its point.
pub(super) const WHOLE: usize = 12;
/// And after it.
pub(super) const FRACTION: usize = 3;
/// The largest magnitude of an integer, and of a decimal in thousandths.
pub(super) const LARGEST: i64 = 999_999_999_999_999;

/// The value of an integer's digits.
pub(super) fn integer(digits: &str) -> Result<i64, Malformed> {
    if digits.is_empty() || digits.len() > INTEGER { Err(Malformed) } else { Ok(value(digits)) }
}

/// The thousandths of a decimal's digits, before the point and after it.
pub(super) fn decimal(whole: &str, fraction: &str) -> Result<i64, Malformed> {
    if whole.is_empty() || whole.len() > WHOLE {
        return Err(Malformed);
    }
    let scale = match fraction.len() {
        1 => 100,
        2 => 10,
        FRACTION => 1,
        _ => return Err(Malformed),
    };
    Ok(value(whole).wrapping_mul(1000).wrapping_add(value(fraction).wrapping_mul(scale)))
}

/// A number of any number of digits, with or without a point, in thousandths as a decimal is to be written: rounded, a
/// half to the even neighbour (section 4.1.5).
pub fn thousandths(number: &str) -> Result<i64, Malformed> {
    let (negative, number) = number.strip_prefix('-').map_or((false, number), |number| (true, number));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) {
        return Err(Malformed);
    }
    let (kept, dropped) = fraction.split_at_checked(FRACTION).unwrap_or((fraction, ""));
    let rounded_down = decimal(whole, kept)?;
    let is_up = match dropped.as_bytes() {
        [b'5', rest @ ..] if rest.iter().all(|byte| *byte == b'0') => rounded_down & 1 == 1,
        [first, ..] => *first >= b'5',
        [] => false,
    };
    let rounded = rounded_down.wrapping_add(i64::from(is_up));
    match rounded {
        0..=LARGEST if negative => Ok(rounded.wrapping_neg()),
        0..=LARGEST => Ok(rounded),
        _ => Err(Malformed),
    }
}

/// The value of at most 15 digits, which no 64 bits overflow.
fn value(digits: &str) -> i64 {
    digits.bytes().fold(0, |value: i64, digit| value.wrapping_mul(10).wrapping_add(i64::from(digit & 0xf)))
}
