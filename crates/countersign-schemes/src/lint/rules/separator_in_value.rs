//! `separator-in-value`: a value may hold what separates it from the next.

use super::{Error, Find, Note, Rule, Severity, Subject};
use crate::lint::grammar::Clash;
use crate::lint::subject::Reading;
use countersign_core::scheme::Span;

pub(super) static RULE: Rule = Rule {
    code: "separator-in-value",
    summary: "a value may hold the text that separates it from the next",
    what: "Reads the base, and every text that goes into a digest, as a grammar, and looks for a string that can be \
           read in two ways because a value may hold the literal text behind it. One value that may hold anything is \
           fine if all others are known, as a body at the end of the base is. A note: only the accepted time keeps \
           them apart, or the text is too long to tell.",
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
    for Reading { text, clash, accepted } in &subject.readings {
        let Ok(clash) = clash else {
            find(Note, *text, "the text is too long to tell whether it can be read in two ways".to_owned());
            continue;
        };
        let severity = if *accepted { Error } else { Note };
        report(subject, *text, *clash, severity, find);
    }
}

fn report(subject: &Subject<'_>, text: Span, clash: Clash, severity: Severity, find: &mut Find<'_>) {
    let sample = clash.symbol;
    let only = if severity == Note { ", and only the accepted time keeps it apart" } else { "" };
    match (clash.one, clash.other) {
        (None, None) => find(severity, text, format!("two readings begin with the same text, {sample}{only}")),
        (None, Some(owner)) | (Some(owner), None) => {
            let name = subject.written.name(owner);
            let span = subject.written.span(owner).unwrap_or(text);
            find(
                severity,
                span,
                format!("{name} may hold {sample}, which separates it from what is next to it{only}"),
            );
        }
        (Some(_), Some(_)) => {} // `values-adjacent`
    }
}
