//! `synthetic-name-shared`: an item of the message passes for one that the scheme adds.

use super::{Error, Find, Rule, Subject};
use crate::lint::builder::may_rename;
use countersign_core::scheme::model::{Filter, ListSource, Source};

pub(super) static RULE: Rule = Rule {
    code: "synthetic-name-shared",
    summary: "an item of the message may take the name of one that the scheme adds",
    what: "Finds `with` and `line` in front of a filter that changes names: `lower-names`, changes of case, decoding. \
           A message that has an item of the added name is refused, but only as long as the name is its own.",
    why: "What the scheme adds, such as the path, stands among what the sender chose. A parameter `PATH` that becomes \
          `path` later on is signed as the path, and the request goes elsewhere.",
    example: "base = '{query | with \"path\" \"{path}\" | lower-names | sort | each \"{k}={v}\" | join \"&\"}'",
    fix: "Change names first, then add: `{query | lower-names | with \"path\" \"{path}\" | …}`; or give what is added a \
          line of its own.",
    reference: "Apache ShenYu's sign plugin (parameters named `path` and `timestamp`); RFC 9421, section 2.2 (derived \
                components begin with `@`, which no field name can)",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    for drawn in subject.lists().filter(|drawn| *drawn.source != Source::List(ListSource::Headers)) {
        for (index, filter) in drawn.filters.iter().enumerate() {
            let Filter::With { name, .. } = filter else { continue };
            let later = drawn.filters.iter().skip(index);
            if later.take_while(|filter| !matches!(filter, Filter::Each(_))).any(|filter| may_rename(filter)) {
                let list = subject.name(drawn.source);
                find(Error, drawn.span, format!("an item of {list} may become `{name}`, which the scheme adds"));
            }
        }
    }
}
