//! `duplicates-merged`: of two parameters with one name, one is signed, or both as one.

use super::{Find, Rule, Subject, Warning};
use countersign_core::scheme::model::{Filter, ListSource, Source};

pub(super) static RULE: Rule = Rule {
    code: "duplicates-merged",
    summary: "items that share a name are signed as one",
    what: "Finds `first`, `last` and `dedupe`, and `fold` on anything but field lines.",
    why: "An attacker adds a second parameter of the same name. The signature covers one of them, and the handler \
          may read the other; folded, `a=1,2` is `a=1&a=2`.",
    example: "base = '{query | first | pct | sort-kv | each \"{k}={v}\" | join \"&\"}'",
    fix: "Sign every item: leave the filter out. `sort-kv` gives equal names an order.",
    reference: "CVE-2022-2385 (aws-iam-authenticator); OWASP ASVS 5.0, 15.3.7; RFC 9421, section 7.5.6",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    for text in subject.templates() {
        for drawn in subject.drawn(text) {
            let Source::List(list) = drawn.source else { continue };
            let name = subject.name(drawn.source);
            for filter in &drawn.filters {
                let what = match filter {
                    Filter::First => "only the first item of each name is signed",
                    Filter::Last => "only the last item of each name is signed",
                    Filter::Dedupe => "an item can be sent twice and is signed once",
                    // RFC 9110, section 5.3: field lines of one name are one list anyway.
                    Filter::Fold(_) if *list != ListSource::Headers => "items of one name are signed as one",
                    _ => continue,
                };
                find(Warning, drawn.span, format!("of {name} {what}"));
            }
        }
    }
}
