//! Findings with the place they stand at, for people and for programs. They look like faults:
//!
//! ```text
//! error[body-not-covered]: the body is not signed: whoever carries the message can exchange it
//!   --> schemes/mine.toml:12:14
//!    |
//! 12 | base      = "{method}\n{target}"
//!    |              ^^^^^^^^^^^^^^^^^^
//! help: countersign reason body-not-covered
//! ```

use super::{CollisionRow, Finding, Severity};
use crate::fault::{Excerpt, Source};
use serde::Serialize;

/// The findings one below the other, an empty line between them. `sources`: the files that the scheme was read from.
#[must_use]
pub fn render(findings: &[Finding], sources: &[Source]) -> String {
    let shown = findings.iter().map(|Finding { rule, severity, span, message, collision }| {
        let (code, excerpt) = (rule.code, Excerpt::new(sources, *span));
        let pair = collision.as_ref().map(|pair| format!("{}\n", pair.text())).unwrap_or_default();
        format!("{severity}[{code}]: {message}\n{excerpt}\n{pair}help: {}", help(code))
    });
    shown.collect::<Vec<_>>().join("\n\n")
}

/// The findings as rows for programs.
#[must_use]
pub fn located(findings: &[Finding], sources: &[Source]) -> Vec<LocatedFinding> {
    findings.iter().map(|finding| LocatedFinding::new(finding, sources)).collect()
}

/// A finding and its place, as a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LocatedFinding {
    /// The rule's code.
    pub rule: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// The file's name.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// Its column in characters, from 1.
    pub column: usize,
    /// The text that it is about.
    pub text: String,
    /// What is weak.
    pub message: String,
    /// How to read more.
    pub help: String,
    /// Two requests of one signature, where the weakness shows in such.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collision: Option<CollisionRow>,
}

impl LocatedFinding {
    fn new(finding: &Finding, sources: &[Source]) -> Self {
        let excerpt = Excerpt::new(sources, finding.span);
        Self {
            rule: finding.rule.code,
            severity: finding.severity,
            file: excerpt.file.to_owned(),
            line: excerpt.line,
            column: excerpt.column,
            text: excerpt.text.to_owned(),
            message: finding.message.clone(),
            help: help(finding.rule.code),
            collision: finding.collision.as_ref().map(|pair| pair.row()),
        }
    }
}

fn help(code: &str) -> String {
    format!("countersign reason {code}")
}
