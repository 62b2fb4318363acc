//! `countersign reason`: what a code means, why it is so, how to fix it, where to read more.
//!
//! The reasons of refusals are sections of one document, the rules of the linter say it themselves.

use std::io::Write as _;

use serde::Serialize;

use crate::args::ReasonArguments;
use crate::failure::Failure;
use crate::out::{Outcome, Output};
use crate::paint::Paint;

pub(crate) fn run(arguments: &ReasonArguments, out: &mut Output) -> Result<Outcome, Failure> {
    let all = all();
    let Some(code) = &arguments.code else {
        let width = all.iter().map(|entry| entry.code.len()).max().unwrap_or(0);
        for entry in &all {
            if arguments.json {
                out.json(entry)?;
            } else {
                writeln!(out, "{:width$}  {}", entry.code, first_sentence(entry.what))?;
            }
        }
        return Ok(Outcome::Holds);
    };
    let Some(entry) = all.iter().find(|entry| entry.code == code) else {
        let near = countersign_core::scheme::nearest(code, all.iter().map(|entry| entry.code.to_owned()));
        let part = code.len() > 1;
        let holding: Vec<&str> =
            all.iter().map(|entry| entry.code).filter(|known| part && known.contains(code.as_str())).collect();
        let hint = match (near, holding.as_slice()) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, []) => "`countersign reason` lists the codes".to_owned(),
            (None, holding) => format!("there are {}", holding.join(", ")),
        };
        return Err(Failure::arguments(format!("there is no code `{code}`"), hint));
    };
    if arguments.json {
        out.json(entry)?;
        return Ok(Outcome::Holds);
    }
    let paint = Paint::new(out.colour());
    writeln!(out, "{}\n\n{}", paint.title(entry.code), wrapped(entry.what))?;
    writeln!(out, "\n{} {}", paint.title("Why:"), wrapped(entry.why))?;
    if let Some(example) = entry.example {
        writeln!(out, "\n{}", paint.title("Example:"))?;
        for line in example.trim_end().lines() {
            writeln!(out, "    {line}")?;
        }
    }
    writeln!(out, "\n{} {}", paint.title("Fix:"), wrapped(entry.fix))?;
    writeln!(out, "\n{} {}", paint.title("Reference:"), wrapped(entry.reference))?;
    Ok(Outcome::Holds)
}

/// All that is to be said of a code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Entry {
    code: &'static str,
    what: &'static str,
    why: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    example: Option<&'static str>,
    fix: &'static str,
    reference: &'static str,
}

/// The document of reasons, which people read as it is.
const DOCUMENT: &str = include_str!("../../../docs/reasons.md");

fn all() -> Vec<Entry> {
    let rules = countersign_schemes::lint::rules().iter().map(|rule| Entry {
        code: rule.code,
        what: rule.what,
        why: rule.why,
        example: Some(rule.example),
        fix: rule.fix,
        reference: rule.reference,
    });
    let mut all: Vec<Entry> = sections(DOCUMENT).filter_map(entry).chain(rules).collect();
    all.sort_by_key(|entry| entry.code);
    all
}

/// The second-level sections: code and text.
fn sections(document: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    document.split("\n## ").skip(1).filter_map(|section| {
        let (code, text) = section.split_once('\n')?;
        // A first-level heading ends a section too.
        Some((code.trim(), text.split("\n# ").next().unwrap_or(text).trim()))
    })
}

/// What, then three paragraphs that say what they are.
fn entry((code, text): (&'static str, &'static str)) -> Option<Entry> {
    let mut paragraphs = text.split("\n\n").map(str::trim);
    let what = paragraphs.next()?;
    let why = paragraphs.next()?.strip_prefix("Why: ")?;
    let fix = paragraphs.next()?.strip_prefix("Fix: ")?;
    let reference = paragraphs.next()?.strip_prefix("Reference: ")?;
    paragraphs.next().is_none().then_some(Entry { code, what, why, example: None, fix, reference })
}

fn first_sentence(text: &str) -> &str {
    text.split_once(". ").map_or(text, |(first, _)| first).trim_end_matches('.')
}

/// At most so many characters a line.
const WIDTH: usize = 100;

fn wrapped(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_core::{PublicReason, Reason};
    use countersign_gateway::{PathFault, Violation};

    #[test]
    fn every_section_has_all_its_parts_and_every_code_one_section() {
        let codes: Vec<&str> = sections(DOCUMENT).map(|(code, _)| code).collect();
        let entries = all();
        for code in &codes {
            assert!(entries.iter().any(|entry| entry.code == *code), "{code} lacks a part");
            assert_eq!(codes.iter().filter(|other| *other == code).count(), 1, "{code} is there twice");
        }
        let reasons = Reason::ALL.iter().map(|reason| reason.code());
        let violations = Violation::ALL.iter().map(|violation| violation.code());
        let paths = PathFault::ALL.iter().map(|fault| fault.code());
        let gate = countersign_gate::Reason::codes();
        for code in reasons.chain(violations).chain(paths).chain(gate) {
            assert!(codes.contains(&code), "{code} is not in docs/reasons.md");
        }
        for reason in PublicReason::ALL {
            assert!(codes.contains(&reason.code()), "{} is not in docs/reasons.md", reason.code());
        }
    }

    #[test]
    fn a_public_answer_refers_to_the_precise_reasons_behind_it() {
        let entries = all();
        let (_, chapter) = DOCUMENT.split_once("\n# What a client is told\n").unwrap();
        let public: Vec<&str> = sections(chapter).map(|(code, _)| code).collect();
        assert!(public.len() > 7);
        for entry in entries.iter().filter(|entry| public.contains(&entry.code)) {
            let named = entry.reference.split('`').skip(1).step_by(2);
            for name in named {
                // `http-`: all that begin so.
                let known =
                    |other: &Entry| other.code == name || (name.ends_with('-') && other.code.starts_with(name));
                assert!(entries.iter().any(known), "{}: `{name}`", entry.code);
            }
        }
    }

    #[test]
    fn lines_are_wrapped_between_words() {
        let text = "word ".repeat(100);
        assert!(wrapped(&text).lines().all(|line| line.len() <= WIDTH && line.split(' ').all(|word| word == "word")));
        assert_eq!(wrapped(&text).split_whitespace().count(), 100);
    }
}
