//! `coverage-chosen-by-sender`: the message says what of it is signed, and nobody insists on anything.

use super::{Error, Find, Rule, Subject};
use countersign_core::scheme::model::{Filter, Listing};

pub(super) static RULE: Rule = Rule {
    code: "coverage-chosen-by-sender",
    summary: "the message chooses what is signed, without a least",
    what: "Finds `pick` with a capture of names for which [require] lists nothing, and a [message-signature] without \
           `components` or `covered` in [require].",
    why: "A client that signs only its date has signed nothing else, and its requests verify. That is what clients \
          do whose library has such a default, and an attacker who sees one of their requests writes the rest of it.",
    example: "base = '{headers | pick signed | each \"{k}: {v}\" | join \"\\n\"}'   # and no [require]",
    fix: "State the least in [require]: `signed = \"@request-target host date digest\"`.",
    reference: "RFC 9421, section 7.2.1; Kong's `enforce_headers` and APISIX's `signed_headers`, both empty by default",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    if let Some(policy) = subject.policy()
        && policy.required.iter().all(|covered| covered.optional)
        && subject.message.required_parts.is_empty()
    {
        let message = "the message chooses what is signed, and no [require] states the least".to_owned();
        find(Error, policy.span, message);
    }
    for drawn in subject.lists() {
        for filter in &drawn.filters {
            let Filter::Pick(Listing::Field(id), _) = filter else { continue };
            let insists = |names: &Vec<String>| !names.is_empty();
            if !subject.message.requires.iter().any(|require| require.field == *id && insists(&require.names)) {
                let name = subject.field(*id);
                find(
                    Error,
                    drawn.span,
                    format!("the message chooses in `{name}` what is signed, and no [require] states the least"),
                );
            }
        }
    }
}
