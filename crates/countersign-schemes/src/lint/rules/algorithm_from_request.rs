//! `algorithm-from-request`: the message says with which digest it is to be verified.

use super::{Find, Rule, Subject, Warning};
use crate::lint::draws::Role;
use countersign_core::alg::Hash;
use countersign_core::scheme::Span;
use countersign_core::scheme::model::{Filter, Source};

pub(super) static RULE: Rule = Rule {
    code: "algorithm-from-request",
    summary: "the message chooses the digest that it is verified with",
    what: "Finds digests and MACs of which a condition on the message chooses one.",
    why: "The weakest of them is good enough for everybody: who breaks it names it, whatever the others use. So did \
          JSON Web Tokens with `alg: none`.",
    example: "digest = '{body | sha256 | hex | when header.x-alg \"sha256\" | or \"{body | md5 | hex}\"}'",
    fix: "One algorithm for a scheme; or let the key's record choose: `[key] algorithms`, and `hmac` or `digest`.",
    reference: "RFC 8725, sections 2.1 and 3.1; RFC 9421, section 7.3.6 (algorithm downgrade)",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    let constant =
        |source: &Source| matches!(source, Source::DigestName | Source::KeyId | Source::Secret | Source::Var(_));
    for text in subject.templates().into_iter().chain(subject.key()) {
        let drawn = subject.drawn(text);
        let chosen = drawn
            .iter()
            .any(|drawn| matches!(drawn.standing.role, Role::Condition { .. }) && !constant(drawn.source));
        let mut hashes: Vec<(Hash, Span)> = Vec::new();
        for drawn in &drawn {
            let conditional = drawn.standing.role == Role::Fallback
                || drawn.filters.iter().any(|filter| matches!(filter, Filter::When(..)));
            for filter in drawn.filters.iter().filter(|_| conditional) {
                if let Filter::Hash(Some(hash)) | Filter::Hmac(Some(hash), _) = filter {
                    hashes.push((*hash, drawn.span));
                }
            }
        }
        let Some((first, span)) = hashes.first().copied().filter(|_| chosen) else { continue };
        if let Some((other, _)) = hashes.iter().find(|(hash, _)| *hash != first) {
            find(Warning, span, format!("the message decides whether it is {} or {}", first.name(), other.name()));
        }
    }
}
