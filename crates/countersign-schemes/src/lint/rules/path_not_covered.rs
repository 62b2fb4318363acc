//! `path-not-covered`: a signature for one resource is good for every other.

use super::{Error, Find, Note, Rule, Subject};
use crate::lint::coverage::Component;
use countersign_core::scheme::Kind;

pub(super) static RULE: Rule = Rule {
    code: "path-not-covered",
    summary: "the path is not signed",
    what: "Finds a scheme whose signature does not depend on the path.",
    why: "A request for one resource is good for every other: `/ping` for `/transfers`. For a webhook it matters \
          only where several endpoints share a secret.",
    example: "base = \"{method}\\n{timestamp}\\n{nonce}\\n{body}\"",
    fix: "Add a line with `{target}`, which is path and query as they are sent. For a webhook: a secret for each \
          endpoint.",
    reference: "RFC 9421, sections 2.2.5 (`@request-target`) and 7.2.1 (insufficient coverage)",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    if subject.cover.has(Component::Path) {
        return;
    }
    let (severity, message) = match subject.request() {
        Some(Kind::Request | Kind::Link) => {
            (Error, "the path is not signed: a request for one resource is good for every other")
        }
        Some(Kind::Webhook) => {
            (Note, "the path is not signed: endpoints that share a secret accept each other's messages")
        }
        None => return,
    };
    find(severity, subject.base(), message.to_owned());
}
