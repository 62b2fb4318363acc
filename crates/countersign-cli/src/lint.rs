//! `countersign lint`: what is weak about schemes, given as files, as names of the catalogue, or by a gateway's
//! configuration, which names them in its routes.

use std::io::{self, Write};
use std::path::Path;

use countersign_core::Scheme;
use countersign_gateway::config::Config;
use countersign_schemes::Source;
use countersign_schemes::lint::{Base, LocatedFinding, Report, Severity, located, render, report};

use crate::args::LintArguments;
use crate::failure::Failure;
use crate::out::{Outcome, Output};
use crate::scheme_file::{self, SchemeFile};

pub(crate) fn run(arguments: &LintArguments, out: &mut Output) -> Result<Outcome, Failure> {
    // All are read before anything is said of one: half a report would look like a whole one.
    let mut linted = Vec::new();
    for file in &arguments.files {
        if is_configuration(file)? {
            linted.extend(of_configuration(&Config::load(Path::new(file))?));
        } else {
            let file = SchemeFile::open(file)?;
            linted.push(Linted::new(file.scheme(), file.sources.clone()));
        }
    }
    for linted in &linted {
        if arguments.json {
            for row in linted.rows() {
                out.json(&row)?;
            }
        } else {
            linted.print(out)?;
        }
    }
    let weak = linted.iter().any(|linted| linted.worst() > Some(Severity::Note));
    Ok(if weak { Outcome::Refused } else { Outcome::Holds })
}

/// A scheme, and what is weak about it.
pub(crate) struct Linted {
    name: String,
    sources: Vec<Source>,
    report: Report,
}

/// The schemes that a configuration's routes name, each once.
pub(crate) fn of_configuration(config: &Config) -> Vec<Linted> {
    let mut linted: Vec<Linted> = Vec::new();
    for route in &config.routes {
        let Some(file) = &route.scheme else { continue };
        let known = |other: &Linted| other.sources == file.sources;
        if !linted.iter().any(known) {
            linted.push(Linted::new(&file.scheme, file.sources.clone()));
        }
    }
    linted
}

impl Linted {
    fn new(scheme: &Scheme, sources: Vec<Source>) -> Self {
        Self { name: scheme.name.clone(), sources, report: report(scheme) }
    }

    pub(crate) fn rows(&self) -> Vec<LocatedFinding> {
        located(&self.report.findings, &self.sources)
    }

    /// The findings, and how many there are of what gravity.
    pub(crate) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let findings = &self.report.findings;
        // Whether the proof succeeded is worth knowing where little else is wrong; where it did not, a finding says so.
        let proven = match &self.report.base {
            Base::Injective(told) => format!("\nproven: two requests of one signature agree in {}", told.join(", ")),
            Base::Collides | Base::Undecided => String::new(),
        };
        if findings.is_empty() {
            return writeln!(out, "{}: nothing found{proven}", self.name);
        }
        writeln!(out, "{}\n", render(findings, &self.sources))?;
        let counted = [Severity::Error, Severity::Warning, Severity::Note].into_iter().filter_map(|severity| {
            let count = findings.iter().filter(|finding| finding.severity == severity).count();
            (count > 0).then(|| format!("{count} {severity}{}", if count == 1 { "" } else { "s" }))
        });
        writeln!(out, "{}: {}{proven}", self.name, counted.collect::<Vec<_>>().join(", "))
    }

    fn worst(&self) -> Option<Severity> {
        self.report.findings.iter().map(|finding| finding.severity).max()
    }
}

/// Whether a file is a gateway's configuration: it has a server or routes, which no scheme has.
fn is_configuration(name: &str) -> Result<bool, Failure> {
    if !scheme_file::is_path(name) {
        return Ok(false);
    }
    let text = scheme_file::text(name)?;
    // A file that is no TOML is read as a scheme, which says what is wrong with it.
    let table: toml::Table = toml::from_str(&text).unwrap_or_default();
    Ok(table.contains_key("server") || table.contains_key("route"))
}
