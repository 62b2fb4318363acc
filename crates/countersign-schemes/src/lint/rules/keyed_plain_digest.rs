//! `keyed-plain-digest`: a digest over message and secret, instead of a MAC.

use super::{Error, Find, Rule, Subject};
use countersign_core::alg::Hash;
use countersign_core::scheme::model::{Part, Primitive, Source};

pub(super) static RULE: Rule = Rule {
    code: "keyed-plain-digest",
    summary: "the signature is a plain digest of message and secret",
    what: "Finds a signature that is a digest of a base which holds the secret, instead of a MAC keyed with it.",
    why: "Digests promise nothing of the kind. Behind a secret that comes first, an attacker appends to the message \
          and computes the new digest without the secret (length extension). Of a secret that comes last, two \
          messages of one digest have one signature, and for MD5 and SHA-1 such pairs can be made.",
    example: "base      = \"{key-id}\\n{timestamp}\\n{secret}\"\nsignature = \"{base | md5 | hex}\"",
    fix: "Leave the secret out of the base and make it the key: `{base | hmac-sha256 secret | hex}`.",
    reference: "RFC 2104; Bellare, Canetti, Krawczyk, \"Keying hash functions for message authentication\" (1996); \
                Duong, Rizzo, \"Flickr's API signature forgery vulnerability\" (2009)",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    let Primitive::Digest(named) = &subject.message.signature.primitive else { return };
    let base = &subject.message.base;
    // SHA-384 does not show its whole state, so it cannot be continued.
    let extends = subject.hashes(*named).iter().any(|hash| *hash != Hash::Sha384);
    let consequence = match (is_secret(base.parts.first()), is_secret(base.parts.last())) {
        (true, false) if extends => "whoever has one signature can append to its message",
        (false, true) => "two messages of one digest have one signature",
        _ => "a digest is no MAC",
    };
    find(
        Error,
        subject.message.signature.span,
        format!("the signature is a plain digest over the secret and the message: {consequence}"),
    );
}

fn is_secret(part: Option<&Part>) -> bool {
    matches!(part, Some(Part::Value(value)) if value.source == Source::Secret)
}
