//! `body-optional`: the sender decides whether the body is signed.

use super::{Find, Rule, Subject, Warning};
use crate::lint::coverage::Extent;

pub(super) static RULE: Rule = Rule {
    code: "body-optional",
    summary: "the sender decides whether the body is signed",
    what: "Finds a body whose digest a message may leave out, or replace by a word such as `UNSIGNED-PAYLOAD`.",
    why: "The receiver cannot tell from a message that verifies whether its body is what was sent. Of a sender that \
          spares itself the digest, every body can be exchanged.",
    example: "[bind]\nX-Content-Sha256 = { value = \"{body | sha256 | hex}\", or = \"UNSIGNED\" }",
    fix: "Insist on it: no `or`, a capture without `?`, or `[require] fields = \"hash\"` in a scheme that extends \
          this one.",
    reference: "RFC 9421, sections 7.2.1 and 7.2.8; Hawk, \"Payload validation\"; AWS Signature Version 4, \
                `UNSIGNED-PAYLOAD`",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    if let Extent::Optional(span, how) = &subject.cover.body {
        find(Warning, *span, format!("the body is signed only if the sender wants it: {how}"));
    }
}
