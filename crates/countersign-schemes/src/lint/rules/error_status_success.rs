//! `error-status-success`: a refusal that says that all is well.

use super::{Find, Rule, Subject, Warning};
use countersign_core::scheme::Span;

pub(super) static RULE: Rule = Rule {
    code: "error-status-success",
    summary: "a refusal has the status of a success",
    what: "Finds a `status` below 400 in [errors].",
    why: "Clients, proxies, caches and monitoring believe the status. A refused transfer counts as done, an attack \
          does not show in any graph, and a cache may keep the answer.",
    example: "[errors]\nstatus = 200",
    fix: "`status = 401`, which is the default. A route of the gateway can ask for the other one where old clients \
          depend on it.",
    reference: "RFC 9110, section 15.5.2 (401); RFC 9457",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    let Some(errors) = subject.scheme.errors.as_ref().filter(|_| !subject.response) else { return };
    if let Some(status) = errors.status.filter(|status| *status < 400) {
        let span = if errors.span == Span::default() { subject.base() } else { errors.span };
        find(Warning, span, format!("a refusal has status {status}, which says that the request was accepted"));
    }
}
