//! `replay-allowed`: messages are not remembered.

use super::{Error, Find, Note, Rule, Subject};
use countersign_core::scheme::Kind;

pub(super) static RULE: Rule = Rule {
    code: "replay-allowed",
    summary: "a message is accepted as often as it is sent",
    what: "Finds `replay = \"never\"`.",
    why: "Every copy of a message is as good as the message, for as long as its time is accepted. That is what links \
          are for, and nothing else.",
    example: "[fresh]\ntimestamp = \"5m\"\nreplay    = \"never\"",
    fix: "Leave the line out. For a link that may be followed once: `replay = \"always\"`.",
    reference: "RFC 9421, section 7.2.2 (signature replay)",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    let Some(kind) = subject.request().filter(|_| !subject.is_remembered()) else { return };
    if kind == Kind::Link {
        find(
            Note,
            subject.fresh(),
            "a link can be followed by everybody who has it, as often as they like".to_owned(),
        );
    } else {
        find(
            Error,
            subject.fresh(),
            "messages are not remembered: each is accepted as often as it is sent".to_owned(),
        );
    }
}
