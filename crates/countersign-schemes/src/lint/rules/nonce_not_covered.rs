//! `nonce-not-covered`: a repeated request gets a new nonce.

use super::{Error, Find, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    code: "nonce-not-covered",
    summary: "the nonce is not signed",
    what: "Finds a nonce that [fresh] counts and the signature does not cover.",
    why: "Whoever repeats a request gives it another nonce, and it is a new one.",
    example: "[header]\nX-Nonce = \"{nonce}\"\n[sign]\nbase = \"{method}\\n{target}\\n{timestamp}\"",
    fix: "Add `{nonce}` to the base; where the message lists what is signed, name its field in [require].",
    reference: "RFC 9421, section 7.2.2 (signature replay)",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    let Some(rule) = subject.scheme.fresh.nonce.filter(|_| !subject.response) else { return };
    if let Some(field) = subject.message.fields.get(rule.field).filter(|_| !subject.cover.field(rule.field)) {
        find(Error, field.span, "the nonce is remembered and not signed: a repeated request gets another".to_owned());
    }
}
