//! `secret-in-message`: the secret is a part of what is signed.

use super::{Error, Find, Rule, Subject, Warning};
use crate::lint::draws::Role;
use countersign_core::scheme::model::{Primitive, Source};

pub(super) static RULE: Rule = Rule {
    code: "secret-in-message",
    summary: "the secret is signed, or the message is the key",
    what: "Finds a MAC or a signature over a base that holds the secret, and a MAC whose message is empty because \
           what it should sign stands in its key.",
    why: "A MAC protects its message with its key, not the other way round: nothing is proven of a construction that \
          swaps or mixes them. A secret inside a signed text also ends up where texts do: in traces and error reports.",
    example: "base      = \"{timestamp}\\n{secret}\"\nsignature = \"{base | hmac-sha256 secret | b64}\"",
    fix: "Sign the message, with the secret as the key and nowhere else.",
    reference: "RFC 2104, section 2; NIST FIPS 198-1, section 4",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    if matches!(subject.message.signature.primitive, Primitive::Digest(_)) {
        return; // `keyed-plain-digest`
    }
    let signed = subject.signed();
    if let Some(secret) =
        signed.iter().find(|drawn| *drawn.source == Source::Secret && drawn.standing.role != Role::Key)
    {
        find(Warning, secret.span, "the secret is a part of what is signed, and not only the key".to_owned());
    }
    let in_key = subject.key().map(|key| subject.drawn(key)).unwrap_or_default();
    let message =
        |source: &Source| !matches!(source, Source::DigestName | Source::Secret | Source::KeyId | Source::Var(_));
    if signed.is_empty() && in_key.iter().any(|drawn| message(drawn.source)) {
        find(
            Error,
            subject.message.signature.span,
            "what should be signed stands in the key, and nothing is signed".to_owned(),
        );
    }
}
