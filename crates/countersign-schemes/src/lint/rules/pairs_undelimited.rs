//! `pairs-undelimited`: names and values are written one behind the other.

use super::{Error, Find, Rule, Subject};
use crate::lint::written::Listed;

pub(super) static RULE: Rule = Rule {
    code: "pairs-undelimited",
    summary: "names and values of a list are joined with nothing between them",
    what: "Finds a list in which a name can run into its value, or a value into the next name.",
    why: "`foo=bar` and `foob=ar` have one signature, and so have two parameters and a single one whose value holds \
          the other.",
    example: "base = '{query | sort | each \"{k}{v}\" | join \"\"}{secret}'",
    fix: "Encode, then separate: `{query | pct | sort-kv | each \"{k}={v}\" | join \"&\"}`.",
    reference: "Duong, Rizzo, \"Flickr's API signature forgery vulnerability\" (2009); Percival, \"AWS signature \
                version 1 is insecure\" (2008)",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    for Listed { clashes, span, .. } in &subject.written.lists {
        if clashes.iter().flatten().any(|clash| clash.one.is_some() && clash.other.is_some()) {
            find(
                Error,
                *span,
                "names and values are joined with nothing between: one can pass for a part of the other".to_owned(),
            );
        }
    }
}
