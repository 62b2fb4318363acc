//! `values-adjacent`: where one value ends and the next begins cannot be told.

use super::{Find, Note, Rule, Subject, of_pair};

pub(super) static RULE: Rule = Rule {
    code: "values-adjacent",
    summary: "two values stand side by side and cannot be told apart",
    what: "Reads the base, and every text that goes into a digest, as a grammar, and looks for a string that can be \
           read in two ways because a character may end one value or begin the next. The types of captures count: \
           `{timestamp:unix}{method}` is fine. A note: only the accepted time keeps them apart.",
    why: "Characters move from one value to its neighbour, and the signature stays: user `bob` at `12…` is user \
          `bob1` at `2…`.",
    example: "base = \"{key-id}{timestamp}{nonce}{body}\"",
    fix: "A line feed between them: no method, path, field or captured value can hold one.",
    reference: "RFC 9421, section 7.5.3 (canonicalization attacks); Percival, \"AWS signature version 1 is insecure\" \
                (2008)",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    for reading in &subject.readings {
        let Ok(clash) = reading.clash else { continue };
        let (Some(one), Some(other)) = (clash.one, clash.other) else { continue };
        let (first, second) = (subject.written.name(one), subject.written.name(other));
        let (span, sample) = (subject.place(reading), clash.symbol);
        if !reading.accepted {
            find(
                Note,
                span,
                format!("{first} and {second} stand side by side: only the accepted time keeps them apart"),
            );
        } else if let Some(pair) = subject.pair(RULE.code, span) {
            let (severity, only) = of_pair(pair);
            find(
                severity,
                span,
                format!("{first} and {second} stand side by side: {sample} may belong to either{only}"),
            );
        }
    }
}
