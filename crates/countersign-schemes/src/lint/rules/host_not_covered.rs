//! `host-not-covered`: a request to one service is good for another.

use super::{Find, Rule, Subject, Warning};
use crate::lint::coverage::Component;
use countersign_core::scheme::Kind;

pub(super) static RULE: Rule = Rule {
    code: "host-not-covered",
    summary: "the host is not signed",
    what: "Finds a scheme for requests or links whose signature does not depend on the authority.",
    why: "Whoever receives a request for the test system sends it on to the live one, or from one tenant's host to \
          another's: wherever the same key is known, it holds.",
    example: "base = \"{method}\\n{target}\\n{timestamp}\\n{nonce}\"",
    fix: "Add a line with `{host}`; or give every host keys of its own.",
    reference: "RFC 9421, sections 2.2.3 (`@authority`) and 7.2.1 (insufficient coverage)",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    if matches!(subject.request(), Some(Kind::Request | Kind::Link)) && !subject.cover.has(Component::Host) {
        find(
            Warning,
            subject.base(),
            "the host is not signed: a request to one host is good for every other that knows the key".to_owned(),
        );
    }
}
