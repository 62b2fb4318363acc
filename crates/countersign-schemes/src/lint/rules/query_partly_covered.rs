//! `query-partly-covered`: some parameters are signed, and others are not.

use super::{Error, Find, Rule, Subject, Warning};
use crate::lint::coverage::Extent;
use countersign_core::scheme::Kind;
use countersign_core::scheme::model::{Filter, Source};

pub(super) static RULE: Rule = Rule {
    code: "query-partly-covered",
    summary: "only some parameters of the query are signed",
    what: "Finds a signature over chosen parameters: `only`, `pick`, single ones, or a `without` that names more than \
           the credentials.",
    why: "Whatever is not on the list can be added and changed, and the list is never up to date: the service learns \
          new parameters, and nobody thinks of the scheme.",
    example: "base = '{method}\\n{path}\\n{query | only acl uploads | each \"{k}={v}\" | join \"&\"}'",
    fix: "Sign the whole query, and leave out nothing but the parameter that carries the signature.",
    reference: "RFC 9421, section 7.2.1 (insufficient coverage)",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    let (Some(kind), Extent::Part(span, missing)) = (subject.request(), &subject.cover.query) else { return };
    // What alone is left out is named, and a handler can leave it alone; what is signed alone leaves out all else.
    let chosen = |filter: &&Filter| matches!(filter, Filter::Listed(..) | Filter::Only(_) | Filter::Pick(..));
    let allowed = subject.lists().any(|drawn| drawn.filters.into_iter().any(|filter| chosen(&filter)));
    let single = subject.signed().iter().any(|drawn| matches!(drawn.source, Source::Query(_)));
    let severity = if kind == Kind::Webhook || !(allowed || single) { Warning } else { Error };
    find(severity, *span, format!("the query is signed in part: {missing}"));
}
