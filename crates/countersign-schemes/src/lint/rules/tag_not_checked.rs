//! `tag-not-checked`: a signature that was made for something else counts here.

use super::{Find, Note, Rule, Subject, Warning};

pub(super) static RULE: Rule = Rule {
    code: "tag-not-checked",
    summary: "whatever a signature was made for, it counts",
    what: "Finds a [message-signature] that demands a tag and accepts any, and one that says neither by `tag` nor by \
           `only-label` which of several signatures counts.",
    why: "A message may have several signatures: of its sender, of a proxy, for another application. A tag says what \
          one was made for. Where nothing asks for it, a signature that a key made elsewhere is good here, if it happens \
          to cover what has to be covered; and of two that do, neither counts.",
    example: "[message-signature]\ncomponents = \"@method @target-uri\"\n[require]\nfields = \"timestamp tag\"",
    fix: "`tag = \"my-application\"` in [message-signature]: it is signed, and no other counts. Where clients cannot send \
          one, `most = 1`, or `label` with `only-label = true`.",
    reference: "RFC 9421, sections 2.3 (`tag`), 7.2.5 (multiple signature confusion) and 7.2.7",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    let Some(policy) = subject.policy().filter(|policy| policy.tag.is_none()) else { return };
    let demanded = subject.message.required_fields.iter().any(|id| subject.field(*id) == "tag");
    if demanded {
        find(Warning, policy.span, "a tag has to be signed, and any will do".to_owned());
    } else if policy.most > 1 && !policy.only_label && !subject.response {
        let message = format!("of up to {} signatures neither a tag nor a label says which counts", policy.most);
        find(Note, policy.span, message);
    }
}
