//! `key-source-from-request`: the message says where its key is.

use super::{Find, Rule, Subject, Warning};
use crate::lint::coverage;

pub(super) static RULE: Rule = Rule {
    code: "key-source-from-request",
    summary: "the message says where its key is to be found",
    what: "Finds a key id that may be a URL or a path, in a scheme whose keys come from a resolver.",
    why: "An attacker signs with a key of its own and names the place where it has put that. A resolver that fetches \
          what it is told has verified nothing, and has been sent wherever the attacker likes besides.",
    example: "[header]\nX-Cert-Url = \"{key-id:text}\"\n[key]\nresolver = \"certificate-file\"",
    fix: "Write what is always the same into the carrier, `https://api.example.com/certs/{key-id:word}`, and let the \
          resolver look the rest up among the keys that it has.",
    reference: "RFC 7515, section 10.7 (`jku`, `x5u`); CWE-918 (server-side request forgery)",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    if subject.scheme.key.resolver.is_none() {
        return;
    }
    let message = subject.message;
    let Some(id) = message.fields.iter().position(|field| field.name == "key-id") else { return };
    let holds = |byte: u8| {
        let kind = message.fields.get(id).is_some_and(|field| field.kind.admits(byte));
        kind && coverage::carriers(message, id).all(|carrier| carrier.may_hold(id, byte))
    };
    if let Some(field) = message.fields.get(id).filter(|_| holds(b':') && holds(b'/')) {
        find(Warning, field.span, "the key id may be a URL, and a resolver is asked for the key".to_owned());
    }
}
