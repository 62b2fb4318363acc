//! `body-partly-covered`: the body is signed up to a point, or in some messages.

use super::{Error, Find, Rule, Subject, Warning};
use crate::lint::coverage::Extent;
use countersign_core::scheme::model::Filter;

pub(super) static RULE: Rule = Rule {
    code: "body-partly-covered",
    summary: "only a part of the body, or of the messages' bodies, is signed",
    what: "Finds a body that is cut before it is signed, single members of it, and a body that is signed only under \
           a condition such as the method.",
    why: "What is behind the cut can be exchanged, and a request whose method or type escapes the condition has a \
          body that nobody vouches for, though the handler may read it.",
    example: "base = '{method}\\n{target}\\n[{body | when method \"POST\"}]'",
    fix: "Sign the digest of the whole body, always: that of an empty body is as good as any.",
    reference: "RFC 9421, section 7.2.8 (message content)",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    if let Extent::Part(span, missing) = &subject.cover.body {
        // What alone is left out is named, and a handler can leave it alone.
        let left_out = subject.lists().any(|drawn| {
            drawn.span == *span && drawn.filters.iter().any(|filter| matches!(filter, Filter::Without(_)))
        });
        let severity = if left_out { Warning } else { Error };
        find(severity, *span, format!("the body is signed in part: {missing}"));
    }
}
