//! Weaknesses of a scheme that its file alone shows.
//!
//! ```text
//! Scheme ─► draws: what each template draws on ─► coverage: what every message has signed ─┐
//!        └► written: the texts, as grammars ─► grammar: which can be read in two ways ─────┴► rules ─► findings
//! ```
//!
//! One file a rule, in `rules`: what it finds, why that is bad, an example, what to write instead, a reference, then
//! the code. [`lint`] applies all of them to the request and those that concern a response to the response; a scheme
//! with alternatives is as weak as the weakest.
//!
//! Whether two messages can have one base is not left at suspicion: it is proven that they cannot (`grammar`, `told`),
//! or two requests are made that have one, and tried out (`collision`), or the lint says that it knows neither.
//!
//! Deliberately absent, because the language, or the engine, leaves no room for it: captures that cannot be told
//! apart (a fault of the file), a nonce that is recorded
//! before the signature is checked or forgotten before its timestamp (the engine's order, and its arithmetic),
//! repeated credentials, signature bytes as the replay key, and refusals that reveal what was signed (`[errors]`
//! knows public reasons only). What only a deployment shows, such as short secrets, stores that evict and routes
//! that fail open, is the gateway's configuration and linted there.

mod builder;
mod collision;
mod coverage;
mod draws;
mod grammar;
mod letters;
mod loss;
mod naming;
mod rules;
mod show;
mod subject;
mod symbols;
mod text;
mod told;
mod written;

pub use collision::{Collision, CollisionRow, Held, Sent};
pub use rules::{can_be_guessed, signature_bits};
pub use show::{LocatedFinding, located, render};

use countersign_core::scheme::{Scheme, Span};
use coverage::{Component, Extent};
use serde::Serialize;
use std::fmt;
use subject::Subject;
use told::{Doubt, Told};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing: a choice with a cost, or a weakness that something else makes up for.
    Note,
    /// An attacker with some luck, or a mistake elsewhere, makes use of it.
    Warning,
    /// A message can be forged, changed or repeated.
    Error,
}

/// A weakness of a scheme, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule that is not kept.
    pub rule: &'static Rule,
    /// How much it matters here.
    pub severity: Severity,
    /// Where.
    pub span: Span,
    /// What is weak here, in a sentence.
    pub message: String,
    /// Two requests of one signature, where the weakness shows in such.
    pub collision: Option<Box<Collision>>,
}

/// A rule, and all that is to be said about it. The code is stable.
#[derive(Clone, Copy)]
pub struct Rule {
    /// The code, as in `body-not-covered`.
    pub code: &'static str,
    /// What a finding says, in short.
    pub summary: &'static str,
    /// What the rule finds.
    pub what: &'static str,
    /// Why that is bad: what an attacker does with it.
    pub why: &'static str,
    /// A part of a scheme file in which the rule finds something.
    pub example: &'static str,
    /// What to write instead.
    pub fix: &'static str,
    /// Where more is to be read.
    pub reference: &'static str,
    check: Check,
}

/// Every rule, by code.
#[must_use]
pub fn rules() -> &'static [&'static Rule] {
    rules::ALL
}

/// The rule of a code.
#[must_use]
pub fn rule(code: &str) -> Option<&'static Rule> {
    rules::ALL.iter().copied().find(|rule| rule.code == code)
}

/// What is known of a signature base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Base {
    /// Two requests of one base have been found: a finding shows them.
    Collides,
    /// No two accepted requests have one base, unless they agree in these, or a digest collides. So it was proven,
    /// with the deployment variables at their defaults.
    Injective(Vec<String>),
    /// Neither.
    Undecided,
}

/// What is found in a scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The weaknesses, in the order in which they stand in the scheme's files; of one place by code.
    pub findings: Vec<Finding>,
    /// What is known of the base of its requests.
    pub base: Base,
}

/// The weaknesses of a scheme.
#[must_use]
pub fn lint(scheme: &Scheme) -> Vec<Finding> {
    report(scheme).findings
}

/// The weaknesses of a scheme, and what is known of its base.
#[must_use]
pub fn report(scheme: &Scheme) -> Report {
    if !scheme.either.is_empty() {
        return weakest(&scheme.either);
    }
    let mut findings = Vec::new();
    let mut base = Vec::new();
    let messages = [(Some(&scheme.request), false), (scheme.response.as_ref(), true)];
    for (message, response) in messages.into_iter().filter_map(|(message, response)| Some((message?, response))) {
        for alternative in message.alternatives() {
            let subject = Subject::new(scheme, &alternative, response);
            let before = findings.len();
            for rule in rules() {
                (rule.check)(&subject, &mut |severity, span, message| {
                    let collision = subject.pair(rule.code, span).cloned().map(Box::new);
                    let message = if response { format!("in an answer {message}") } else { message };
                    findings.push(Finding { rule, severity, span, message, collision });
                });
            }
            let found = findings.get(before..).unwrap_or_default();
            let doubts = undecided(&subject, found);
            findings.extend(doubts);
            if !response {
                base.push(known(&subject));
            }
        }
    }
    findings.sort_by(|a, b| a.order().cmp(&b.order()));
    findings.dedup_by(|later, earlier| {
        (later.rule, later.span, &later.message) == (earlier.rule, earlier.span, &earlier.message)
    });
    let base = match base.as_slice() {
        all if all.contains(&Base::Collides) => Base::Collides,
        [Base::Injective(parts)] => Base::Injective(parts.clone()),
        // Whether two alternatives share a base is not known.
        _ => Base::Undecided,
    };
    Report { findings, base }
}

/// Of schemes side by side: each may be the one that an attacker chooses. Whether two of them share a base is not known.
fn weakest(members: &[Scheme]) -> Report {
    let reports: Vec<Report> = members.iter().map(report).collect();
    let collides = reports.iter().any(|report| report.base == Base::Collides);
    let mut findings: Vec<Finding> = reports.into_iter().flat_map(|report| report.findings).collect();
    findings.sort_by(|a, b| a.order().cmp(&b.order()));
    Report { findings, base: if collides { Base::Collides } else { Base::Undecided } }
}

/// What is known of the base of one alternative.
fn known(subject: &Subject<'_>) -> Base {
    if subject.policy().is_some() {
        return of_lines(subject);
    }
    if subject.is_injective() {
        let told = subject.parts.iter().filter(|part| part.told == Told::Always);
        return Base::Injective(
            told.map(|part| part.left.of(&subject.name(&part.source).replace('`', ""))).collect(),
        );
    }
    let rules = [Doubt::Readings, Doubt::Absent, Doubt::Duplicates, Doubt::Empty, Doubt::Types];
    let shows = |rule: &str| rules.iter().any(|doubt| doubt.rules().contains(&rule)) || rule.ends_with("-covered");
    let found = subject.shown.iter().any(|shown| shows(shown.rule) || shown.rule == "path-normalised");
    if found { Base::Collides } else { Base::Undecided }
}

/// RFC 9421, section 2.5: each component has a line of its own, whose value has no line feed, and the last line says which
/// components they are. So whatever has to be covered is told.
fn of_lines(subject: &Subject<'_>) -> Base {
    let cover = &subject.cover;
    let components = [(Component::Method, "method"), (Component::Host, "host"), (Component::Path, "path")];
    let mut told: Vec<String> =
        components.iter().filter(|(part, _)| cover.has(*part)).map(|(_, name)| (*name).to_owned()).collect();
    let extents = [(&cover.query, "query"), (&cover.body, "body")];
    told.extend(extents.iter().filter(|(extent, _)| **extent == Extent::Whole).map(|(_, name)| (*name).to_owned()));
    if told.is_empty() {
        return Base::Undecided;
    }
    told.extend(subject.message.required_fields.iter().map(|id| subject.field(*id).to_owned()));
    Base::Injective(told)
}

/// What the base does not tell, as far as anybody knows, and no rule has found.
fn undecided(subject: &Subject<'_>, found: &[Finding]) -> Vec<Finding> {
    let doubt = |part: &told::Part| {
        let Told::Not(doubt) = part.told else { return None };
        let said = found.iter().any(|finding| {
            let here = finding.collision.is_some() && finding.span == part.span;
            here || doubt.rules().contains(&finding.rule.code) || finding.rule == rules::UNDECIDED
        });
        let whose = if subject.response { "in an answer " } else { "" };
        let message = format!("{whose}{} {}", subject.name(&part.source), doubt.said());
        (!said).then_some(Finding {
            rule: rules::UNDECIDED,
            severity: Severity::Note,
            span: part.span,
            message,
            collision: None,
        })
    };
    subject.parts.iter().filter_map(doubt).collect()
}

/// Looks at a message, and tells each finding.
type Check = fn(&Subject<'_>, &mut Find<'_>);
type Find<'f> = dyn FnMut(Severity, Span, String) + 'f;

impl Finding {
    /// By place, then by code; of two alike the graver first.
    fn order(&self) -> (u16, u32, u32, &'static str, &str, std::cmp::Reverse<Severity>) {
        let Span { file, start, end } = self.span;
        (file, start, end, self.rule.code, &self.message, std::cmp::Reverse(self.severity))
    }
}

impl Severity {
    /// The word, as in `warning`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule").field("code", &self.code).finish_non_exhaustive()
    }
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code
    }
}

impl Eq for Rule {}
