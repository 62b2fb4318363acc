//! `nonce-not-checked`: every request carries a nonce, and nobody remembers it.

use super::{Error, Find, Rule, Subject, Warning};
use countersign_core::scheme::Kind;

pub(super) static RULE: Rule = Rule {
    code: "nonce-not-checked",
    summary: "a nonce is captured and not remembered",
    what: "Finds a capture named `nonce` in a scheme whose [fresh] has no rule for it.",
    why: "Clients take care to send a new one each time, and believe that this protects them. Without the rule the \
          nonce only makes the signature differ.",
    example: "[header]\nX-Nonce = \"{nonce}\"\n[fresh]\ntimestamp = \"5m\"",
    fix: "`[fresh] nonce = \"once per key\"`.",
    reference: "RFC 9421, section 7.2.2 (signature replay)",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    let Some(kind) = subject.request().filter(|_| subject.scheme.fresh.nonce.is_none()) else { return };
    let severity = if kind == Kind::Request { Error } else { Warning };
    let mut fields = subject.message.fields.iter().enumerate();
    if let Some((_, field)) = fields.find(|(id, field)| field.name == "nonce" && subject.expects(*id)) {
        find(severity, field.span, "the nonce is captured, and [fresh] does not say that it counts once".to_owned());
    }
}
