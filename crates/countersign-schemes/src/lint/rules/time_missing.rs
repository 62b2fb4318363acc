//! `time-missing`: a signature that never grows old.

use super::{Error, Find, Rule, Subject, Warning};
use crate::duration::in_words;
use countersign_core::scheme::Kind;

pub(super) static RULE: Rule = Rule {
    code: "time-missing",
    summary: "no time is signed: a message holds for ever",
    what: "Finds a scheme without a timestamp or an expiry.",
    why: "Whoever has seen a message can send it again next year. The verifier cannot remember for ever: once it has \
          forgotten the message, it is a new one.",
    example: "[header]\nX-Signature = \"{signature:hex}\"   # and nothing else",
    fix: "Carry and sign `{timestamp:unix}`, and accept it for some minutes: `[fresh] timestamp = \"5m\"`. Where the \
          sender cannot be changed, let `remember` be as long as the store bears.",
    reference: "RFC 9421, section 7.2.2 (signature replay)",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    let Some(kind) = subject.request() else { return };
    let fields = subject.message.fields.iter().enumerate();
    let captured = fields
        .into_iter()
        .any(|(id, field)| field.kind.time().is_some() && field.definition.is_none() && subject.expects(id));
    // A policy holds an end, and `time-not-checked` has more to say about a time that is captured.
    let judged = subject.times().iter().any(|id| subject.expects(*id));
    if judged || captured || subject.message.policy.is_some() {
        return;
    }
    let severity = if kind == Kind::Webhook { Warning } else { Error };
    let remembered = if subject.is_remembered() {
        format!(", and is remembered for {} only", in_words(subject.scheme.fresh.remember))
    } else {
        String::new()
    };
    find(severity, subject.base(), format!("no time is signed: a message holds for ever{remembered}"));
}
