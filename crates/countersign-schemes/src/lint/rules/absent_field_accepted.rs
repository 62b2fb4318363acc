//! `absent-field-accepted`: a field that is not there is signed like one that is.

use super::{Find, Rule, Subject, Warning};
use countersign_core::scheme::model::{Filter, IfAbsent, Listing, Part, Source, Template};

pub(super) static RULE: Rule = Rule {
    code: "absent-field-accepted",
    summary: "a field that is absent is signed as if it were there",
    what: "Finds `pick … empty` and `pick … skip`, and `or` with a fixed text behind something that a message may \
           lack.",
    why: "Two messages have one signature: with the field and without it. An attacker takes the field away, or adds \
          it with the value that absence stands for, and a handler that reads it decides otherwise.",
    example: "base = '{method}\\n{target}\\n{header.x-role | or \"user\"}'",
    fix: "`pick … reject`; and for what may be absent an optional segment with a name of its own, \
          `[role:{header.x-role}\\n]`, which is absent from the base too.",
    reference: "RFC 9421, section 2.5 (a component that is absent is an error)",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    for drawn in subject.lists() {
        for filter in &drawn.filters {
            if let Filter::Pick(Listing::Field(id), rule @ (IfAbsent::Empty | IfAbsent::Skip)) = filter {
                let (name, how) =
                    (subject.field(*id), if *rule == IfAbsent::Empty { "counts as empty" } else { "is passed over" });
                find(Warning, drawn.span, format!("a field that `{name}` lists and the message lacks {how}"));
            }
        }
    }
    for drawn in subject.signed() {
        let Some(other) = drawn.replaceable() else { continue };
        // Where nothing that is there is written so, it is told apart.
        let shown = subject.pair(RULE.code, drawn.span).is_some();
        if drawn.standing.counts() && may_lack(subject, drawn.source) && shown && !means_none(drawn.source, other) {
            let name = subject.name(drawn.source);
            find(
                Warning,
                drawn.span,
                format!("a message without {name} is signed as if it had what stands in for it"),
            );
        }
    }
}

fn may_lack(subject: &Subject<'_>, source: &Source) -> bool {
    match source {
        Source::Field(id) => subject.message.fields.get(*id).is_some_and(|field| field.optional),
        Source::Cookie(_)
        | Source::Form(_)
        | Source::Header(_)
        | Source::Json(_)
        | Source::Part(_)
        | Source::Query(_)
        | Source::QueryString
        | Source::Xml(_) => true,
        _ => false,
    }
}

/// An empty field line is as good as none.
fn means_none(source: &Source, text: &Template) -> bool {
    let empty = |part: &Part| matches!(part, Part::Literal(text) if text.is_empty());
    matches!(source, Source::Header(_)) && text.parts.iter().all(empty)
}
