//! `replay-by-method`: what is remembered depends on something that the sender does not sign.

use super::{Find, Rule, Subject, Warning};
use crate::lint::coverage::Component;
use countersign_core::scheme::model::Replay;

pub(super) static RULE: Rule = Rule {
    code: "replay-by-method",
    summary: "whether a message is remembered depends on its method, which is not signed",
    what: "Finds `replay = \"unsafe-methods\"`, which is the default where there is no nonce, in a scheme whose \
           signature does not cover the method.",
    why: "Whoever has captured a POST sends it again as a GET, any number of times: messages with a safe method are \
          not remembered. A captured GET, which nobody has remembered, becomes a POST.",
    example: "base = \"{timestamp}.{body}\"   # and no `replay` in [fresh]",
    fix: "`[fresh] replay = \"always\"`, or sign `{method}`.",
    reference: "RFC 9110, section 9.2.1 (safe methods); RFC 9421, section 7.2.2 (signature replay)",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    if !subject.response
        && subject.scheme.fresh.replay == Replay::UnsafeMethods
        && !subject.cover.has(Component::Method)
    {
        find(
            Warning,
            subject.fresh(),
            "only messages with an unsafe method are remembered, and the method is not signed: a POST can be repeated \
             as a GET"
                .to_owned(),
        );
    }
}
