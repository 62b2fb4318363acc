//! `time-not-covered`: an old message gets a new time.

use super::{Error, Find, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    code: "time-not-covered",
    summary: "the time that is checked is not signed",
    what: "Finds a timestamp, an expiry or a lifetime that decides how fresh a message is, and that the signature \
           does not cover.",
    why: "Whoever has an old message writes today's time into it. The signature holds, as it knows nothing of it.",
    example: "[header]\nX-Time = \"{timestamp:unix}\"\n[sign]\nbase = \"{method}\\n{target}\\n{body | sha256 | hex}\"",
    fix: "Add `{timestamp}` to the base; where the message lists what is signed, name its field in [require].",
    reference: "RFC 9421, sections 7.2.1 and 7.2.2",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    if subject.response {
        return;
    }
    for id in subject.times() {
        if let Some(field) = subject.message.fields.get(id).filter(|_| !subject.cover.field(id)) {
            find(Error, field.span, format!("`{}` decides how fresh a message is, and is not signed", field.name));
        }
    }
}
