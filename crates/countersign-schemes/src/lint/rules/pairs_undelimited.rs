//! `pairs-undelimited`: names and values are written one behind the other.

use super::{Find, Rule, Subject, of_pair};

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
    for list in &subject.written.lists {
        if let Some(pair) = subject.pair(RULE.code, list.span) {
            let (severity, only) = of_pair(pair);
            let message = "names and values are joined with nothing between: one can pass for a part of the other";
            find(severity, list.span, format!("{message}{only}"));
        }
    }
}
