//! `query-not-covered`: parameters can be added, changed and removed.

use super::{Error, Find, Note, Rule, Subject};
use crate::lint::coverage::Extent;
use countersign_core::scheme::Kind;

pub(super) static RULE: Rule = Rule {
    code: "query-not-covered",
    summary: "the query is not signed",
    what: "Finds a scheme whose signature depends on no parameter of the query but those of its own credentials.",
    why: "Whoever carries the request adds, changes and removes parameters: `amount=10` becomes `amount=1000`.",
    example: "base = \"{method}\\n{path}\\n{timestamp}\\n{nonce}\"",
    fix: "Sign `{target}` instead of `{path}`; or, where parameters have to be sorted, \
          `{query | pct | sort-kv | each \"{k}={v}\" | join \"&\"}`.",
    reference: "RFC 9421, sections 2.2.7 (`@query`) and 7.2.1 (insufficient coverage)",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    if subject.cover.query != Extent::None {
        return;
    }
    let (severity, message) = match subject.request() {
        Some(Kind::Request | Kind::Link) => (Error, "the query is not signed: parameters can be changed and added"),
        Some(Kind::Webhook) => (Note, "the query is not signed: an endpoint must not read parameters from it"),
        None => return,
    };
    find(severity, subject.base(), message.to_owned());
}
