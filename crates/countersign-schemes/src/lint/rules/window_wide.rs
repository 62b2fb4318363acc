//! `window-wide`: a message is good for longer than clocks differ.

use super::{Find, Rule, Subject, Warning};
use crate::duration::in_words;
use countersign_core::scheme::Kind;

pub(super) static RULE: Rule = Rule {
    code: "window-wide",
    summary: "messages are accepted for longer than 15 minutes",
    what: "Finds an accepted age or lead of more than 15 minutes, and requests whose sender decides how long they \
           hold.",
    why: "Every accepted message has to be remembered for as long as it is accepted, by every verifier. The wider \
          the window, the more is lost with a store, and the longer is a stolen message worth something.",
    example: "[fresh]\ntimestamp = \"24h\"",
    fix: "Five minutes are plenty for machines whose clocks are kept. Links may hold for longer, as that is their use.",
    reference: "AWS Signature Version 4 (5 minutes; S3: 15); Kerberos, RFC 4120, section 1.6 (5 minutes)",
    check,
};

const MOST: u64 = 15 * 60;

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    let Some(kind @ (Kind::Request | Kind::Webhook)) = subject.request() else { return };
    let fresh = &subject.scheme.fresh;
    let window = fresh.timestamp.map(|window| (window.past, window.future));
    let widest = window.and_then(|(past, future)| past.max(future)).max(fresh.lifetime.map(|(_, most)| most));
    if let Some(seconds) = widest.filter(|seconds| *seconds > MOST) {
        find(Warning, subject.fresh(), format!("a message is accepted for {}", in_words(seconds)));
    }
    let bounded = window.is_some_and(|(past, _)| past.is_some()) || fresh.lifetime.is_some();
    if kind == Kind::Request && fresh.expires.is_some() && !bounded {
        find(Warning, subject.fresh(), "the sender alone decides how long a message is accepted".to_owned());
    }
}
