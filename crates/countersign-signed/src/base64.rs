//! Base64: written as everybody writes it, and read as strictly or as leniently as the framework does.

use ::base64::Engine as _;
use ::base64::engine::GeneralPurpose;
use ::base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use countersign_core::alg::ct_eq;

use crate::digest::Tag;

/// With `+/` and padding: Rails.
pub(crate) const PADDED: &GeneralPurpose = &STANDARD;
/// With `+/` and without padding: cookie-signature.
pub(crate) const PLAIN: &GeneralPurpose = &STANDARD_NO_PAD;
/// With `-_` and without padding: everything else.
pub(crate) const URL: &GeneralPurpose = &URL_SAFE_NO_PAD;

/// Appends base64.
pub(crate) fn append(engine: &GeneralPurpose, bytes: &[u8], out: &mut String) {
    engine.encode_string(bytes, out);
}

/// The bytes of what encoding writes, and of nothing else.
pub(crate) fn strict(engine: &GeneralPurpose, text: &[u8]) -> Option<Vec<u8>> {
    engine.decode(text).ok()
}

/// Whether a text is a tag's base64, compared in constant time and without a copy on the heap.
pub(crate) fn is_tag(engine: &GeneralPurpose, text: &[u8], tag: &Tag) -> bool {
    let mut expected = [0; LONGEST];
    let written = engine.encode_slice(tag.as_bytes(), &mut expected).unwrap_or_default();
    written != 0 && ct_eq(text, expected.get(..written).unwrap_or_default())
}

/// 64 bytes of tag, with padding.
const LONGEST: usize = 88;

/// What Python's `base64.urlsafe_b64decode` makes of a text that was filled up with `=` to a multiple of four.
///
/// Characters outside both alphabets are skipped, `+/` and `-_` are the same, and the unused bits of the last
/// character do not matter (`binascii.a2b_base64`, `CPython` 3.8 to 3.13). So one value has several spellings: nothing
/// may go by a text that this has read, only by the bytes.
pub(crate) fn pythonic(text: &[u8]) -> Option<Vec<u8>> {
    if let Some(bytes) = strict(URL, text) {
        return Some(bytes);
    }
    let fill = text.len().wrapping_neg() % 4;
    let mut out = Vec::with_capacity(text.len());
    let (mut left, mut quad, mut pads) = (0_u8, 0_u8, 0_u8);
    for byte in text.iter().copied().chain(std::iter::repeat_n(b'=', fill)) {
        if byte == b'=' {
            pads = pads.saturating_add(1);
            if quad >= 2 && quad.saturating_add(pads) >= 4 {
                return Some(out);
            }
            continue;
        }
        let Some(value) = sextet(byte) else { continue };
        pads = 0;
        match quad {
            0 => {}
            1 => out.push(left << 2 | value >> 4),
            2 => out.push(left << 4 | value >> 2),
            _ => out.push(left << 6 | value),
        }
        left = value;
        quad = quad.wrapping_add(1) % 4;
    }
    (quad == 0).then_some(out)
}

fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => byte.checked_sub(b'A'),
        b'a'..=b'z' => byte.checked_sub(b'a').map(|value| value.saturating_add(26)),
        b'0'..=b'9' => byte.checked_sub(b'0').map(|value| value.saturating_add(52)),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Each by `base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))`; `None` where that raises.
    #[test]
    fn reads_what_python_reads() {
        let cases: &[(&[u8], Option<&[u8]>)] = &[
            (b"", Some(b"")),
            (b"A", None),
            (b"AA", Some(b"\x00")),
            (b"AAA", Some(b"\x00\x00")),
            (b"AAAA", Some(b"\x00\x00\x00")),
            (b"AAAAA", None),
            (b"AB", Some(b"\x00")),
            (b"AP", Some(b"\x00")),
            (b"A-_+/B", Some(b"\x03\xef\xfe\xfc")),
            (b"A A A A", Some(b"\x00\x00\x00")),
            (b"AA=A", None),
            (b"AA==AAAA", Some(b"\x00")),
            (b"AAA=AAAA", Some(b"\x00\x00")),
            (b"=AAAA", Some(b"\x00\x00\x00")),
            (b"A=AA", None),
            (b"AAAA=", Some(b"\x00\x00\x00")),
            (b"AAAA==", Some(b"\x00\x00\x00")),
            (b"AAAA===x", None),
            (b"\xffAAAA", Some(b"\x00\x00\x00")),
            (b"AAA\xff", None),
            (b"A\xff", None),
            (b"....", Some(b"")),
            (b"=", Some(b"")),
            (b"==", Some(b"")),
            (b"====", Some(b"")),
            (b"AA=\n=B", Some(b"\x00")),
            (b"AAA.=", Some(b"\x00\x00")),
            (b"9 -\n \xe9 ./A", Some(b"\xf7\xef\xc0")),
            (b"\n0.AzB-+", None),
            (b"_/B=", Some(b"\xff\xf0")),
            (b"A 0_", None),
            (b"z\xe9\n_z", Some(b"\xcf\xfc")),
            (b"z=", None),
            (b"+zzA\xe9A0\n0z", Some(b"\xfb<\xc0\x03M3")),
            (b"9-0", Some(b"\xf7\xed")),
            (b"..0z 0_9A", Some(b"\xd3=?\xf4")),
            (b"_zz9B-", Some(b"\xff<\xfd\x07")),
            (b"\xe9==A=", None),
            (b" -B9-\xe99+ -z", Some(b"\xf8\x1f~\xf7\xef\xb3")),
            (b"+ zA9A -", None),
            (b"A/\n_-_=", None),
            (b"+", None),
            (b" ", Some(b"")),
            (b"=0B", None),
            (b"\xe9+-/", None),
            (b"/9\n+B=", Some(b"\xff\xdf\x81")),
            (b"\n\n-\xe99A_B0-/=", Some(b"\xfb\xd0?\x07O\xbf")),
            (b"z-9 /B", None),
            (b".-9z\n", Some(b"\xfb\xdc")),
            (b".z", None),
            (b" 9+z AB=/_A0", None),
            (b"=-\xe99+._zA.A\n", None),
        ];
        for (text, expected) in cases {
            assert_eq!(pythonic(text).as_deref(), *expected, "{}", text.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(bytes: Vec<u8>) {
            for engine in [PADDED, PLAIN, URL] {
                let mut text = String::new();
                append(engine, &bytes, &mut text);
                prop_assert_eq!(strict(engine, text.as_bytes()), Some(bytes.clone()));
                prop_assert_eq!(pythonic(text.as_bytes()), Some(bytes.clone()));
            }
        }
    }
}
