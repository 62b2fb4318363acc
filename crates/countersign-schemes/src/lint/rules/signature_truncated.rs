//! `signature-truncated`: so little of a digest is sent that it can be guessed.

use super::{Error, Find, Rule, Subject, Warning};
use crate::lint::subject::hashes;
use countersign_core::scheme::model::{Bound, Convert, Filter, Primitive, SignatureRule};
use countersign_core::scheme::{Message, Scheme};

pub(super) static RULE: Rule = Rule {
    code: "signature-truncated",
    summary: "the signature is so short that it can be guessed",
    what: "Counts the bits of the digest or MAC that are left after `slice` and the encodings, and finds fewer than \
           128.",
    why: "Whoever tries all signatures needs no key. Against a server that answers 10,000 requests a second, 28 bits \
          last for seven and a half hours; and as every timestamp is a new attempt, nothing has to be kept secret \
          for long for it to succeed sooner or later.",
    example: "signature = \"{base | md5 | hex | slice 10 17}\"   # 7 hex digits: 28 bits",
    fix: "Send the whole MAC: `{base | hmac-sha256 secret | hex}`. Where clients cannot change, limit how often a \
          key may fail: the gateway does (`max-failures` of the route, 100 an hour if nothing is said).",
    reference: "RFC 2104, section 5 (no less than 80 bits, and half of the hash); OWASP ASVS 5.0, 11.2.3 (128 bits)",
    check,
};

/// As many bits as cannot be guessed: OWASP ASVS 5.0, 11.2.3.
const ENOUGH: usize = 128;
/// As many as RFC 2104 calls the least.
const LEAST: usize = 80;

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    let Some(bits) = sent(subject.scheme, subject.message).filter(|bits| *bits < ENOUGH) else { return };
    let severity = if bits < LEAST { Error } else { Warning };
    let span = subject.message.signature.span;
    find(severity, span, format!("only {bits} bits of the signature are sent: it can be guessed"));
}

/// How many bits of a digest or MAC a request of the scheme sends as its signature, at the least. Asymmetric
/// signatures are always sent whole: of those it is `None`.
#[must_use]
pub fn signature_bits(scheme: &Scheme) -> Option<usize> {
    let members = scheme.either.iter().filter_map(signature_bits);
    members.chain(sent(scheme, &scheme.request)).min()
}

/// Whether a signature of the scheme is so short that it can be found by trying.
#[must_use]
pub fn can_be_guessed(scheme: &Scheme) -> bool {
    signature_bits(scheme).is_some_and(|bits| bits < ENOUGH)
}

fn sent(scheme: &Scheme, message: &Message) -> Option<usize> {
    let rule = &message.signature;
    let named = match &rule.primitive {
        Primitive::Digest(hash) | Primitive::Mac(hash, _) => *hash,
        // Its encodings can be undone, so nothing of it is lost.
        Primitive::Agreed | Primitive::Derived(..) | Primitive::Signature(_) => return None,
    };
    hashes(scheme, named).into_iter().map(|hash| left(rule, hash.output_len() * 8)).min()
}

/// How many bits are left of so many.
fn left(rule: &SignatureRule, bits: usize) -> usize {
    let (mut bits, mut length) = (bits, bits / 8);
    for filter in &rule.encode {
        match filter {
            Filter::Convert(Convert::Hex | Convert::HexUpper) => length *= 2,
            Filter::Convert(Convert::B64 | Convert::B64NoPad | Convert::B64Url | Convert::B64UrlPad) => {
                length = length.div_ceil(3) * 4;
            }
            Filter::Slice(from, Bound::At(to)) => {
                let kept = (*to).min(length).saturating_sub(*from);
                bits = (bits * kept).checked_div(length).unwrap_or(0);
                length = kept;
            }
            _ => {}
        }
    }
    bits
}
