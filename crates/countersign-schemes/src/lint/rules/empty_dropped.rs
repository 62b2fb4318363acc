//! `empty-dropped`: parameters without a value come and go.

use super::{Find, Note, Rule, Subject, Warning};
use countersign_core::scheme::model::{Filter, ListSource, Source};

pub(super) static RULE: Rule = Rule {
    code: "empty-dropped",
    summary: "items with an empty value are not signed",
    what: "Finds `drop-empty`.",
    why: "Whoever carries the message adds and removes items whose value is empty. To many handlers `admin=` or \
          `filter=` means something, and its absence something else.",
    example: "base = '{query | drop-empty | pct | sort-kv | each \"{k}={v}\" | join \"&\"}'",
    fix: "Sign them: `each \"{k}={v}\"` writes `name=` for an empty value.",
    reference: "RFC 9421, section 7.5.6 (ambiguous handling of query elements)",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    for text in subject.templates() {
        for drawn in subject.drawn(text) {
            let Source::List(list) = drawn.source else { continue };
            if drawn.filters.iter().any(|filter| matches!(filter, Filter::DropEmpty)) {
                // Few readers tell an empty field line from none.
                let severity = if *list == ListSource::Headers { Note } else { Warning };
                let name = subject.name(drawn.source);
                find(severity, drawn.span, format!("items of {name} with an empty value can be added and removed"));
            }
        }
    }
}
