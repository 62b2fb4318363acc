//! `key-concatenated`: a key made by writing the secret and something else side by side.

use super::{Find, Rule, Subject, Warning};
use countersign_core::scheme::Message;
use countersign_core::scheme::model::{Filter, Part, Source, Template};

pub(super) static RULE: Rule = Rule {
    code: "key-concatenated",
    summary: "the key is the secret with something of the message appended",
    what: "Finds a MAC key whose text holds the secret and a value of the message.",
    why: "The key for one value may be the key for another: secret `ab` with `c` is secret `a` with `bc`. What was \
          signed for one purpose then holds for another.",
    example: "signature = '{base | hmac-sha256 \"{secret}{region}\" | hex}'",
    fix: "Derive it: `{secret | ratchet sha256 region}` gives keys that have nothing in common.",
    reference: "NIST SP 800-108r1 (key derivation); CVE-2026-6873 (Django's concatenated salts)",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    let Some(key) = subject.key() else { return };
    if let Some(text) = concatenated(subject.message, key, 0) {
        find(
            Warning,
            text.span,
            "the key is the secret beside a value of the message: keys of two values can be the same".to_owned(),
        );
    }
}

/// The template in which the secret stands beside a value.
fn concatenated<'a>(message: &'a Message, text: &'a Template, depth: usize) -> Option<&'a Template> {
    if depth > 16 {
        return None;
    }
    let values = || {
        text.parts.iter().filter_map(|part| match part {
            Part::Value(value) => Some(value),
            Part::Literal(_) | Part::Optional(_) => None,
        })
    };
    let secret = values().any(|value| value.source == Source::Secret);
    let other = values()
        .any(|value| !matches!(value.source, Source::DigestName | Source::Secret | Source::KeyId | Source::Var(_)));
    if secret && other {
        return Some(text);
    }
    values().find_map(|value| {
        let inner = match &value.source {
            Source::Let(id) => message.lets.get(*id).map(|entry| &entry.text),
            Source::Quoted(inner) => Some(inner),
            _ => None,
        };
        let derived = value.filters.iter().filter_map(|filter| match filter {
            Filter::Hkdf { salt: key, .. } | Filter::Hmac(_, key) => Some(key),
            _ => None,
        });
        inner.into_iter().chain(derived).find_map(|inner| concatenated(message, inner, depth + 1))
    })
}
