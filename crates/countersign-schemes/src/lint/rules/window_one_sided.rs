//! `window-one-sided`: on one side any time is accepted.

use super::{Error, Find, Rule, Subject, Warning};

pub(super) static RULE: Rule = Rule {
    code: "window-one-sided",
    summary: "a time of any age, or any time to come, is accepted",
    what: "Finds a [fresh] that bounds the timestamp to one side only, without an expiry or a lifetime for the other.",
    why: "Without `past` a message never grows old. Without `future` a message of a sender whose clock is ahead, or \
          who wants it so, holds until then; and it has to be remembered until then, for ever if need be.",
    example: "[fresh]\ntimestamp = { past = \"5m\" }",
    fix: "`timestamp = \"5m\"`, which is both, or `{ past = \"5m\", future = \"1m\" }`.",
    reference: "RFC 9421, section 7.2.2 (signature replay); RFC 7519, section 4.1.6 (`iat`: an age is told from it)",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    let fresh = &subject.scheme.fresh;
    let Some(window) = fresh.timestamp.filter(|_| !subject.response) else { return };
    if window.past.is_none() && fresh.lifetime.is_none() && fresh.expires.is_none() {
        find(Error, subject.fresh(), "a time of any age is accepted".to_owned());
    }
    if window.future.is_none() {
        find(Warning, subject.fresh(), "any time to come is accepted: such a message holds until then".to_owned());
    }
}
