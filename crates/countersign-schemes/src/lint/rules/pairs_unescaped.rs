//! `pairs-unescaped`: a value may hold the `&` that separates it from the next name.

use super::{Find, Rule, Subject, of_pair};
use crate::lint::grammar::Clash;
use crate::lint::written::Listed;

pub(super) static RULE: Rule = Rule {
    code: "pairs-unescaped",
    summary: "names and values of a list may hold the characters that separate them",
    what: "Finds a list whose names or values may hold the text between name and value, or between two items: mostly \
           parameters that were decoded and not encoded again.",
    why: "`a=1%26b=2` is one parameter and `a=1&b=2` are two, and both have the signature of `a=1&b=2`. Whoever may \
          choose one value chooses other parameters with it.",
    example: "base = '{path}?{query | sort-kv | each \"{k}={v}\" | join \"&\"}'",
    fix: "Encode before joining, `{query | pct | sort-kv | each \"{k}={v}\" | join \"&\"}`; or sign what was sent: \
          `{query-string}`.",
    reference: "RFC 9421, sections 2.2.8 and 7.5.6 (query elements); CVE-2022-2385",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    for Listed { clashes, span, .. } in &subject.written.lists {
        let unescaped = |clash: &&Clash| clash.one.is_none() || clash.other.is_none();
        let clash = clashes.iter().flatten().find(unescaped);
        if let (Some(clash), Some(pair)) = (clash, subject.pair(RULE.code, *span)) {
            let who = clash.one.or(clash.other).map_or("an item", |owner| subject.written.name(owner));
            let (severity, only) = of_pair(pair);
            find(severity, *span, format!("{who} may hold {}: a parameter can pass for two{only}", clash.symbol));
        }
    }
}
