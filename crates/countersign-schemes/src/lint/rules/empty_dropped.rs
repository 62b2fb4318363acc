//! `empty-dropped`: parameters without a value come and go.

use super::{Find, Rule, Subject, Warning};
use countersign_core::scheme::model::{Filter, Source};

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
            let is_list = matches!(drawn.source, Source::List(_));
            if is_list && drawn.filters.iter().any(|filter| matches!(filter, Filter::DropEmpty)) {
                let name = subject.name(drawn.source);
                find(Warning, drawn.span, format!("items of {name} with an empty value can be added and removed"));
            }
        }
    }
}
