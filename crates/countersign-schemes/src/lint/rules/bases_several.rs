//! `bases-several`: one signature may stand for several messages.

use super::{Find, Note, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    code: "bases-several",
    summary: "a signature is tried on several bases",
    what: "Finds more than one entry of `[[try]]`.",
    why: "A message is accepted if its signature fits any of them, so it is as strong as the weakest: a fallback \
          that leaves out the query leaves it out for everybody.",
    example: "[[try]]\nbase = \"{method}\\n{target}\"\n[[try]]\nbase = \"{method}\\n{path}\"   # for old clients",
    fix: "One base for one version of a scheme; two schemes for two versions, each on its own route.",
    reference: "GoToSocial (a second try without the query); RFC 9421, section 7.5.3 (canonicalization attacks)",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    // The alternatives have been put in place; the scheme still has them.
    let message = if subject.response { subject.scheme.response.as_ref() } else { Some(&subject.scheme.request) };
    if let Some(message) = message.filter(|message| message.tries.len() > 1) {
        let count = message.tries.len();
        find(
            Note,
            message.base.span,
            format!("a signature is tried on {count} bases, and holds if it fits one of them"),
        );
    }
}
