//! `method-not-covered`: a signed request for reading is good for deleting.

use super::{Error, Find, Rule, Subject};
use crate::lint::coverage::Component;
use countersign_core::scheme::Kind;

pub(super) static RULE: Rule = Rule {
    code: "method-not-covered",
    summary: "the method is not signed",
    what: "Finds a scheme for requests or links whose signature does not depend on the method.",
    why: "Whoever sees a signed `GET /accounts/7` can send `DELETE /accounts/7` with the same signature.",
    example: "base = \"{target}\\n{timestamp}\\n{nonce}\"",
    fix: "Begin the base with `{method}` and a line feed. Webhooks are exempt: they are always sent with POST.",
    reference: "RFC 9421, section 7.2.1 (insufficient coverage)",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    if matches!(subject.request(), Some(Kind::Request | Kind::Link)) && !subject.cover.has(Component::Method) {
        find(
            Error,
            subject.base(),
            "the method is not signed: a request for reading is good for writing and deleting".to_owned(),
        );
    }
}
