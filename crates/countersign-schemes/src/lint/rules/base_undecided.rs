//! `base-undecided`: nobody knows whether two messages have one base.

use super::{Find, Note, Rule, Subject};
use crate::lint::grammar::TooLarge;
use crate::lint::told::Doubt;
use crate::lint::written::Made;

pub(super) static RULE: Rule = Rule {
    code: "base-undecided",
    summary: "it could neither be proven nor refuted that two messages have two bases",
    what: "Finds what stands between a base and its proof: a text that may have two readings, as far as its parts are \
           known, or a value whose filters may lose something; and of which, for all that, no two messages of one \
           signature could be made.",
    why: "A base is proven where every part of it can be read back. Of this one it is not, and no attack is known \
          either: that is no weakness, but nothing to rely on.",
    example: "base = \"{header.a}[:{header.b}]\\n{body | sha256 | hex}\"",
    fix: "Give captures a type that lacks the separators; encode what was decoded; a line of its own for each value, \
          also for one that may be absent.",
    reference: "Book, Even, Greibach, Ott, \"Ambiguity in graphs and expressions\" (1971); RFC 9421, section 7.5.3",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    let shown = |span| {
        let rules = Doubt::Readings.rules();
        subject.shown.iter().any(|shown| shown.span == span && rules.contains(&shown.rule))
    };
    for list in &subject.written.lists {
        match &list.clashes {
            Ok(clashes) if clashes.is_empty() || shown(list.span) => {}
            Ok(clashes) => {
                let names: Vec<&str> = clashes
                    .iter()
                    .flat_map(|clash| [clash.one, clash.other])
                    .flatten()
                    .map(|owner| subject.written.name(owner))
                    .collect();
                let who = names.first().copied().unwrap_or("an item");
                find(
                    Note,
                    list.span,
                    format!("{who} may not be told from what is next to it; no two messages were found"),
                );
            }
            Err(TooLarge) => find(Note, list.span, "the list is too long to tell its items apart".to_owned()),
        }
    }
    for reading in subject.readings.iter().filter(|reading| reading.accepted) {
        let Ok(clash) = reading.clash else {
            find(Note, reading.text, "the text is too long to tell whether it can be read in two ways".to_owned());
            continue;
        };
        let owners = [clash.one, clash.other].into_iter().flatten();
        // A list that is ambiguous itself has been reported.
        let of_list = owners.clone().any(|owner| match subject.written.origin(owner).map(|origin| &origin.made) {
            Some(Made::List(number)) => subject.written.lists.get(*number).is_some_and(|list| shown(list.span)),
            _ => false,
        });
        let span = subject.place(reading);
        if of_list || shown(span) {
            continue;
        }
        let names: Vec<&str> = owners.map(|owner| subject.written.name(owner)).collect();
        let who = if names.is_empty() { "the text".to_owned() } else { names.join(" and ") };
        find(Note, span, format!("{who} may be read in two ways, at {}; no two messages were found", clash.symbol));
    }
}
