//! `time-not-checked`: the message says when it was made, and nobody looks.

use super::{Error, Find, Note, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    code: "time-not-checked",
    summary: "a time is captured and never compared with the clock",
    what: "Finds a captured instant that [fresh] does not name, and that nothing in [let] ties to one that it does.",
    why: "A time that is signed and not compared keeps nothing out: an old message says truthfully that it is old. \
          Of two times of which one is checked, readers and handlers will take the other.",
    example: "[query]\nts   = \"{timestamp:unix}\"\nsign = \"{signature:hex}\"\n# and no [fresh]",
    fix: "`[fresh] timestamp = \"5m\"`. A second time: define it in [let] from the first, so that both must agree.",
    reference: "RFC 9421, section 7.2.2 (signature replay)",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    if subject.response {
        return;
    }
    let times = subject.times();
    for (id, field) in subject.message.fields.iter().enumerate() {
        if field.kind.time().is_none() || field.definition.is_some() || times.contains(&id) {
            continue;
        }
        // Where some time is judged, a second one that is signed is worth a word; where none is, one that has to be there.
        if times.is_empty() && !subject.expects(id) {
            continue;
        }
        let name = &field.name;
        if times.is_empty() {
            find(Error, field.span, format!("`{name}` is captured, and no message is refused because it is old"));
        } else {
            find(Note, field.span, format!("`{name}` is a second time, which is compared with nothing"));
        }
    }
}
