//! Writing values, for whoever builds a field: RFC 9651, section 4.1.
//!
//! What has no form is malformed, and leaves the buffer as it was.

use super::super::Malformed;
use super::number::LARGEST;
use super::scan::{is_key, is_printable, is_token};
use std::io::Write as _;

/// Appends a string, in its quotes. Only printable ASCII has this form; for anything else there are display strings.
pub fn push_string(text: &str, out: &mut Vec<u8>) -> Result<(), Malformed> {
    if !text.bytes().all(is_printable) {
        return Err(Malformed);
    }
    out.push(b'"');
    for byte in text.bytes() {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
    Ok(())
}

/// Appends a token.
pub fn push_token(token: &str, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let is_right = token.starts_with(|first: char| first.is_ascii_alphabetic() || first == '*');
    push_if(is_right && token.bytes().all(is_token), token, out)
}

/// Appends the key of a member or parameter.
pub fn push_key(key: &str, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let is_right = key.starts_with(|first: char| first.is_ascii_lowercase() || first == '*');
    push_if(is_right && key.bytes().all(is_key), key, out)
}

/// Appends an integer, of at most 15 digits.
pub fn push_integer(value: i64, out: &mut Vec<u8>) -> Result<(), Malformed> {
    in_range(value)?;
    digits(value, out);
    Ok(())
}

/// Appends a decimal, given in thousandths of at most 15 digits; see [`thousandths`](super::thousandths).
pub fn push_decimal(thousandths: i64, out: &mut Vec<u8>) -> Result<(), Malformed> {
    in_range(thousandths)?;
    decimal(thousandths, out);
    Ok(())
}

/// Appends a date, in seconds since 1970 of at most 15 digits.
pub fn push_date(seconds: i64, out: &mut Vec<u8>) -> Result<(), Malformed> {
    in_range(seconds)?;
    date(seconds, out);
    Ok(())
}

/// Appends a byte sequence.
pub fn push_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b':');
    super::super::b64(bytes, out);
    out.push(b':');
}

/// Appends a boolean.
pub fn push_boolean(value: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(if value { b"?1" } else { b"?0" });
}

/// Appends a display string.
pub fn push_display(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"%\"");
    for byte in text.bytes() {
        if is_printable(byte) && !matches!(byte, b'%' | b'"') {
            out.push(byte);
        } else {
            out.push(b'%');
            super::super::hex_lower(&[byte], out);
        }
    }
    out.push(b'"');
}

pub(super) fn digits(value: i64, out: &mut Vec<u8>) {
    let written = write!(out, "{value}");
    debug_assert!(written.is_ok(), "a buffer takes everything");
}

/// Without the zeros at the end, but for one behind the point.
pub(super) fn decimal(thousandths: i64, out: &mut Vec<u8>) {
    if thousandths < 0 {
        out.push(b'-');
    }
    let magnitude = thousandths.unsigned_abs();
    let written = write!(out, "{}.{:03}", magnitude / 1000, magnitude % 1000);
    debug_assert!(written.is_ok(), "a buffer takes everything");
    for _ in 0..2 {
        if out.last() == Some(&b'0') {
            out.pop();
        }
    }
}

pub(super) fn date(seconds: i64, out: &mut Vec<u8>) {
    out.push(b'@');
    digits(seconds, out);
}

fn in_range(value: i64) -> Result<(), Malformed> {
    if (-LARGEST..=LARGEST).contains(&value) { Ok(()) } else { Err(Malformed) }
}

fn push_if(is_right: bool, text: &str, out: &mut Vec<u8>) -> Result<(), Malformed> {
    if !is_right {
        return Err(Malformed);
    }
    out.extend_from_slice(text.as_bytes());
    Ok(())
}
