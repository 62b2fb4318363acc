//! `value-partly-covered`: of a value a piece is signed.

use super::{Find, Note, Rule, Subject, Warning};
use crate::lint::coverage::is_body;
use crate::lint::loss::Loss;
use crate::lint::told::{Doubt, Told};
use countersign_core::scheme::model::Source;

pub(super) static RULE: Rule = Rule {
    code: "value-partly-covered",
    summary: "only a piece of a value is signed, or only in some messages",
    what: "Finds captures, field lines, parameters and lists of which no more is signed than a piece, a coarser time, \
           the names or the values; or only in messages that have something else. Body and path have rules of their \
           own.",
    why: "The rest is the attacker's: behind a semicolon that ends what is signed, in the minutes of a time of which \
          only the day is.",
    example: "base = '{method}\\n{target}\\n{header.content-type | before \";\"}'",
    fix: "Sign the whole value. What must be compared in a shorter form can be: `[let] day = \"{timestamp | time date}\"`, \
          and `{timestamp}` in the base.",
    reference: "RFC 9421, sections 7.2.1 (insufficient coverage) and 7.5.3 (canonicalization attacks)",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    for part in &subject.parts {
        let path = matches!(part.source, Source::Path | Source::Target | Source::Url);
        let time = matches!(part.source, Source::Field(id) if subject.times().contains(&id));
        if path || time || is_body(&part.source) {
            continue; // These have rules of their own.
        }
        let name = subject.name(&part.source);
        // Of a field line mostly all is signed that matters, such as the media type without its parameters.
        let severity = if matches!(part.source, Source::Header(_)) { Note } else { Warning };
        match part.told {
            Told::Not(Doubt::Lost(Loss::Cut)) => {
                find(severity, part.span, format!("only a piece of {name} is signed"));
            }
            Told::Sometimes if is_choice(&part.source) => {
                find(Note, part.span, format!("{name} is signed in some messages only"));
            }
            _ => {}
        }
    }
}

/// Whether it is the sender's to choose: neither follows from the rest, as a port does from the scheme, nor is
/// everything known by it, as by a key's id.
fn is_choice(source: &Source) -> bool {
    matches!(source, Source::Form(_) | Source::Header(_) | Source::Json(_) | Source::Query(_) | Source::Xml(_))
}
