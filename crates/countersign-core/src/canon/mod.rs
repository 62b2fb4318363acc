//! Canonicalisation: bytes in, bytes appended to a buffer out, one rule of one specification each.
//!
//! Nothing here knows a request, a scheme or a key. A function that can meet malformed input says so and leaves the
//! buffer as it was; the others accept every input. Only character sets ([`Charset`]) and the readers of
//! whole bodies ([`json_members`], [`xml_children`]) allocate anything besides the buffer.
//!
//! Deliberately absent: leniency. A decoder takes what its encoder could have written and nothing else, since two
//! readings of one text are what an attacker looks for.

mod base64;
mod charset;
mod collation;
mod crc32;
mod field;
mod form;
mod glob;
mod hex;
mod java;
mod json;
mod multipart;
mod path;
mod percent;
mod policy;
pub mod sf;
mod xml;

pub use base64::{b64, b64_nopad, b64url, b64url_pad, unb64, unb64_nopad, unb64url, unb64url_pad};
pub use charset::Charset;
pub use collation::collate;
pub use crc32::crc32;
pub use field::{is_tchar, is_token, lower, media_type, squeeze, title, trim, upper};
pub use form::{form_decode, form_encode, query_pairs};
pub use glob::{any_of, glob, wildcard};
pub use hex::{hex_lower, hex_upper, unhex};
pub use java::{fastjson_scalar, fastjson_string, java_string, utf16_order};
pub use json::{JsonValue, json_escape, json_member, json_members};
pub(crate) use json::{json_elements, json_raw_members, json_string};
pub use multipart::{BodyPart, boundary, parts};
pub use path::dots;
pub(crate) use percent::{has_any, split_at_byte};
pub use percent::{pct, pct_only, pct_path, unpct};
pub use policy::{Network, Policy};
pub use xml::xml_children;

/// The input is not what the rule is defined for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed input")]
pub struct Malformed;

/// Runs a decoder that appends, and takes back what it appended if it fails.
fn all_or_nothing(
    out: &mut Vec<u8>,
    decode: impl FnOnce(&mut Vec<u8>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let start = out.len();
    decode(out).inspect_err(|Malformed| out.truncate(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a function appends, after a check that it appends and takes back what a failure left.
    pub(super) fn decoded(
        decode: impl Fn(&[u8], &mut Vec<u8>) -> Result<(), Malformed>,
        input: impl AsRef<[u8]>,
    ) -> Result<Vec<u8>, Malformed> {
        let mut out = b"before".to_vec();
        let result = decode(input.as_ref(), &mut out);
        let appended = out.strip_prefix(b"before").expect("the buffer's content is kept").to_vec();
        assert!(result.is_ok() || appended.is_empty(), "a failure leaves nothing behind");
        result.map(|()| appended)
    }

    /// The same for a function that accepts every input.
    pub(super) fn encoded(encode: impl Fn(&[u8], &mut Vec<u8>), input: impl AsRef<[u8]>) -> Vec<u8> {
        decoded(
            |input, out| {
                encode(input, out);
                Ok(())
            },
            input,
        )
        .expect("infallible")
    }

    /// The same, as text.
    pub(super) fn text(encode: impl Fn(&[u8], &mut Vec<u8>), input: impl AsRef<[u8]>) -> String {
        String::from_utf8(encoded(encode, input)).expect("text")
    }
}
