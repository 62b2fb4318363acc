//! `time-coarse`: two equal requests of one second cannot be told from one that was sent twice.

use super::{Find, Note, Rule, Subject};
use countersign_core::scheme::Kind;
use countersign_core::time::TimeFormat;

pub(super) static RULE: Rule = Rule {
    code: "time-coarse",
    summary: "without a nonce, equal requests of one second are one request",
    what: "Finds a scheme for requests that has no nonce and whose time counts whole seconds, or days.",
    why: "Two requests that are alike and made in the same second have the same signature. A verifier that remembers \
          refuses the second one though it is genuine; one that does not accepts every copy.",
    example: "[header]\nX-Time = \"{timestamp:unix}\"\n[fresh]\ntimestamp = \"5m\"",
    fix: "A nonce: `{nonce:unreserved 16-128}`, signed, and `[fresh] nonce = \"once per key\"`.",
    reference: "RFC 9421, section 2.3 (`nonce`)",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    let fresh = &subject.scheme.fresh;
    let Some(window) = fresh.timestamp.filter(|_| subject.request() == Some(Kind::Request)) else { return };
    let format = subject.message.fields.get(window.field).and_then(|field| field.kind.time());
    let Some(step) = format.map(TimeFormat::resolution_millis).filter(|step| *step >= 1000) else { return };
    if fresh.nonce.is_none() && subject.is_remembered() {
        let unit = if step < 60_000 {
            "second"
        } else if step < 86_400_000 {
            "minute"
        } else {
            "day"
        };
        find(Note, subject.fresh(), format!("equal requests of one {unit} cannot be told from a repeated one"));
    }
}
