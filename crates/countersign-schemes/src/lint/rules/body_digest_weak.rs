//! `body-digest-weak`: two bodies of one digest can be made.

use super::{Error, Find, Rule, Subject, Warning};
use crate::lint::coverage::is_body;
use crate::lint::draws::Drawn;
use countersign_core::alg::Hash;
use countersign_core::scheme::model::{Bound, Chunk, Convert, Filter, Source};

pub(super) static RULE: Rule = Rule {
    code: "body-digest-weak",
    summary: "the body is signed by a digest that does not hold it",
    what: "Finds a body that is represented by an MD5, a SHA-1, a checksum, or a piece of a digest shorter than 128 bits.",
    why: "The signature is then over something that two bodies share. Who can propose a body to the signer prepares \
          a harmless one and its twin; of a digest that was cut short, the twin of any body is found by trying; of a checksum, it is \
          computed.",
    example: "base = \"{method}\\n{target}\\n{body | md5 | hex}\"",
    fix: "`{body | sha256 | hex}`, whole. A vendor's `Content-MD5` may stay beside it.",
    reference: "RFC 6151; RFC 6194; RFC 9530, section 5 (`sha-256` and `sha-512` only)",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    for text in subject.templates() {
        for drawn in subject.drawn(text).iter().filter(|drawn| is_content(drawn.source)) {
            if let Some(Filter::Hash(Some(hash @ (Hash::Md5 | Hash::Sha1)))) =
                drawn.filters.iter().find(|filter| matches!(filter, Filter::Hash(_)))
            {
                let name = if *hash == Hash::Md5 { "MD5" } else { "SHA-1" };
                find(
                    Warning,
                    drawn.span,
                    format!("the body is signed by its {name}: two bodies of one digest can be made"),
                );
            }
            let checksum = Filter::Convert(Convert::Crc32);
            if drawn.before_digest().any(|filter| *filter == checksum) {
                find(
                    Error,
                    drawn.span,
                    "the body is signed by a checksum: any other body can be given the same".to_owned(),
                );
            }
            if let Some(bits) = kept(drawn).filter(|bits| *bits < 128) {
                find(
                    Error,
                    drawn.span,
                    format!("the body is signed by {bits} bits of its digest: another of the same can be found"),
                );
            }
        }
    }
}

/// Whether a source is the body, or one of its chunks.
fn is_content(source: &Source) -> bool {
    is_body(source) || *source == Source::Chunk(Chunk::Content)
}

/// How many bits of its digest are kept, where it is cut.
fn kept(drawn: &Drawn<'_>) -> Option<usize> {
    let mut filters = drawn.filters.iter();
    let length = filters.find_map(|filter| match filter {
        Filter::Hash(hash) => Some(hash.unwrap_or(Hash::Sha256).output_len()),
        _ => None,
    })?;
    let mut per_character = 8;
    for filter in filters {
        match filter {
            Filter::Convert(Convert::Hex | Convert::HexUpper) => per_character = 4,
            Filter::Convert(Convert::B64 | Convert::B64NoPad | Convert::B64Url | Convert::B64UrlPad) => {
                per_character = 6;
            }
            Filter::Slice(from, Bound::At(to)) => {
                return Some((to.saturating_sub(*from) * per_character).min(length * 8));
            }
            // What follows a second digest is not the body's any more.
            Filter::Hash(_) | Filter::Hkdf { .. } | Filter::Hmac(..) => return None,
            _ => {}
        }
    }
    None
}
