//! `path-normalised`: another path than the one that was sent is signed.

use super::{Find, Note, Rule, Subject, Warning};
use countersign_core::scheme::model::{Convert, Filter, Source};

pub(super) static RULE: Rule = Rule {
    code: "path-normalised",
    summary: "the path is signed in another form than it was sent in",
    what: "Finds `dots`, `slash-end`, decoding, and changes of case on the path.",
    why: "Paths that differ have one signature: `/a/../b` and `/b`, `/a%2Fb` and `/a/b`. What the verifier signs, the \
          router matches and the upstream opens may then be three different things.",
    example: "base = \"{method}\\n{path | unpct}\"",
    fix: "Sign the path as it is sent: `{path}`, or `{target}`. Where a vendor normalises, keep the route's paths \
          strict, so that there is only one form.",
    reference: "RFC 3986, section 6; CVE-2021-29492 (Envoy); CVE-2026-26205 (OPA-Envoy)",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    for drawn in subject.signed() {
        if !matches!(drawn.source, Source::Path | Source::Target | Source::Url) || !drawn.standing.is_written() {
            continue;
        }
        for filter in drawn.before_digest() {
            let (severity, what) = match filter {
                Filter::Convert(Convert::Dots) => (Note, "without its dot segments"),
                Filter::Convert(Convert::SlashEnd) => (Note, "with a slash at its end"),
                Filter::Convert(Convert::Unpct | Convert::FormDec) => (Warning, "decoded"),
                Filter::Convert(Convert::Lower | Convert::Upper) => (Warning, "in one case"),
                Filter::Convert(Convert::Squeeze | Convert::Trim) => (Warning, "without some of its spaces"),
                Filter::Slice(..) | Filter::Before(_) | Filter::After(_) | Filter::AfterLast(_) => {
                    (Warning, "in part")
                }
                _ => continue,
            };
            find(severity, drawn.span, format!("the path is signed {what}: paths that differ have one signature"));
        }
    }
}
