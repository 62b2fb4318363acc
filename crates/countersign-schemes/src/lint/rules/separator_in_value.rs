//! `separator-in-value`: a value may hold what separates it from the next.

use super::{Find, Note, Rule, Subject, of_pair};

pub(super) static RULE: Rule = Rule {
    code: "separator-in-value",
    summary: "a value may hold the text that separates it from the next",
    what: "Reads the base, and every text that goes into a digest, as a grammar, and looks for a string that can be \
           read in two ways because a value may hold the literal text behind it. One value that may hold anything is \
           fine if all others are known, as a body at the end of the base is. It is found where two messages \
           of one base could be made. A note: only the accepted time keeps them apart.",
    why: "A part of the value passes for the separator and what follows it: a message of other values has the same \
          signature. Values that are decoded before they are signed can hold everything, line feeds too.",
    example: "[header]\nId   = \"{nonce:word}\"   # letters, digits, `-`, `_` and `.`\n[sign]\nbase = \"{nonce}.{timestamp}.{body}\"",
    fix: "Separate with a line feed; escape what was decoded (`{query | pct | …}`); sign a body by its digest; or \
          give the capture a type that lacks the separator.",
    reference: "RFC 9421, section 7.5.3 (canonicalization attacks); Standard Webhooks, \"Signature scheme\" (no full \
                stop in an id)",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    for reading in &subject.readings {
        let Ok(clash) = reading.clash else { continue };
        if clash.one.is_some() && clash.other.is_some() {
            continue; // `values-adjacent`
        }
        let span = subject.place(reading);
        let (severity, only) = match subject.pair(RULE.code, span) {
            Some(pair) if reading.accepted => of_pair(pair),
            // `base-undecided`
            None if reading.accepted => continue,
            _ => (Note, ", and only the accepted time keeps it apart"),
        };
        let sample = clash.symbol;
        let message = match clash.one.or(clash.other) {
            Some(owner) => {
                let name = subject.written.name(owner);
                format!("{name} may hold {sample}, which separates it from what is next to it{only}")
            }
            None => format!("two readings begin with the same text, {sample}{only}"),
        };
        find(severity, span, message);
    }
}
