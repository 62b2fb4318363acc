//! `canonicalisation-lossy`: values that differ are signed as if they were the same.

use super::{Find, Rule, Subject, Warning};
use countersign_core::scheme::model::{Convert, Filter, ListSource, Source};

pub(super) static RULE: Rule = Rule {
    code: "canonicalisation-lossy",
    summary: "values that differ have one signature",
    what: "Finds changes of case, trimming and squeezing on parameters, body and captured values, and parameters that \
           are decoded twice, or decoded before they are split, and JSON that is read and written again.",
    why: "What is lost before signing can be changed behind it: a password in another case, an id with a space, a \
          `%2526` for an `&`.",
    example: "base = '{query | lower | sort-kv | each \"{k}={v}\" | join \"&\"}'",
    fix: "Sign what was sent. Host and media type may be put in lower case, as nobody tells their cases apart.",
    reference: "RFC 9421, section 7.5.3 (canonicalization attacks)",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    let mut said = Vec::new();
    for text in subject.templates() {
        for drawn in subject.drawn(text).iter().filter(|drawn| drawn.standing.is_written()) {
            if subject.pair(RULE.code, drawn.span).is_some()
                && matches!(drawn.source, Source::Json(_) | Source::List(ListSource::Json | ListSource::QueryJson))
            {
                let name = subject.name(drawn.source);
                find(
                    Warning,
                    drawn.span,
                    format!("{name} is signed without its types: a number for the text of one"),
                );
            }
            for filter in drawn.before_digest() {
                if let Some(what) = loss(drawn.source, filter) {
                    let name = subject.name(drawn.source);
                    let message = format!("{name} is signed {what}: messages that differ have one signature");
                    // Once where what is compared with it is written alike.
                    if !said.contains(&message) {
                        find(Warning, drawn.span, message.clone());
                        said.push(message);
                    }
                }
            }
        }
    }
}

fn loss(source: &Source, filter: &Filter) -> Option<&'static str> {
    let convert = match filter {
        Filter::LowerNames if *source != Source::List(ListSource::Headers) => {
            return Some("with its names in lower case");
        }
        Filter::Fastjson | Filter::JavaMap if matches!(source, Source::List(_)) => {
            return Some("as it is written again after it was read");
        }
        Filter::Convert(convert) => convert,
        _ => return None,
    };
    let case = matches!(convert, Convert::Lower | Convert::Upper);
    let spaces = matches!(convert, Convert::Squeeze | Convert::Trim);
    let decodes = matches!(convert, Convert::Unpct | Convert::FormDec);
    let values = matches!(
        source,
        Source::List(_)
            | Source::Body
            | Source::Field(_)
            | Source::Form(_)
            | Source::Json(_)
            | Source::Query(_)
            | Source::QueryString
            | Source::Part(_)
            | Source::Xml(_)
    );
    match source {
        // Field lines are the same with other white space, and media types in any case.
        Source::Header(_) => None,
        Source::List(ListSource::Headers) => case.then_some("in one case"),
        _ if values && case => Some("in one case"),
        _ if values && spaces => Some("without some of its spaces"),
        Source::List(ListSource::FormRaw | ListSource::QueryRaw) => None,
        Source::List(_) | Source::Form(_) | Source::Query(_) => decodes.then_some("decoded twice"),
        Source::Body | Source::QueryString => decodes.then_some("decoded as a whole"),
        _ => None,
    }
}
