//! `body-not-covered`: the body can be exchanged.

use super::{Error, Find, Rule, Subject, Warning};
use crate::lint::coverage::Extent;
use countersign_core::scheme::Kind;

pub(super) static RULE: Rule = Rule {
    code: "body-not-covered",
    summary: "the body is not signed",
    what: "Finds a scheme in which neither the body nor a digest that is compared with it is signed.",
    why: "Whoever carries the message exchanges the body: the transfer is genuine, and its receiver is another.",
    example: "base = \"{method}\\n{target}\\n{timestamp}\\n{nonce}\"",
    fix: "Add a line with `{body | sha256 | hex}`. Where the message carries the digest itself, compare it in [bind] \
          and sign the field that carries it.",
    reference: "RFC 9421, section 7.2.8 (message content); RFC 9530 (digest fields)",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    if subject.cover.body != Extent::None {
        return;
    }
    // A link is mostly followed by a browser, without a body.
    let severity = if subject.request() == Some(Kind::Link) { Warning } else { Error };
    find(severity, subject.base(), "the body is not signed: whoever carries the message can exchange it".to_owned());
}
