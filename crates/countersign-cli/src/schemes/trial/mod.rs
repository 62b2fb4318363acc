//! `countersign schemes test`: every scheme signs a message that it then verifies and refuses with another key; and
//! the messages of its folder get the verdicts they should, and are made again from what was read of them.

mod again;
mod round_trip;
mod unsigned;
mod vectors;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use countersign_core::{Explanation, UnixTime};
use countersign_schemes::catalogue;
use serde::Serialize;
use serde_json::Value;

use crate::answer::VerdictAnswer;
use crate::engine::{Decision, Engine, Task};
use crate::explain;
use crate::failure::Failure;
use crate::out::{Outcome, Output};
use crate::paint::Paint;
use crate::scheme_file::SchemeFile;
use crate::verify;

pub(super) use round_trip::signed;
pub(super) use unsigned::bare;
use vectors::KeyPairs;
pub(super) use vectors::without_notes;

/// What a scheme's trial came to.
#[derive(Debug, Default)]
struct Report {
    /// As it was named: a name of the catalogue, or a path.
    scheme: String,
    /// Its folder of messages, if there is one.
    folder: Option<PathBuf>,
    /// How many messages had to verify, and did.
    verified: usize,
    /// How many had to be refused, and were.
    refused: usize,
    /// How many were signed again.
    signed_again: usize,
    /// A request, and an answer, that verified and that can be signed anew.
    samples: Vec<Task>,
    faults: Vec<Fault>,
}

/// Something that is not as it should be.
#[derive(Debug)]
struct Fault {
    /// The file and line, where it came from one, and the line's id.
    place: Option<(String, Value)>,
    what: String,
    explained: Option<Box<Explained>>,
}

/// What `explain` says of a message.
#[derive(Debug)]
struct Explained {
    decision: Decision,
    explanation: Explanation,
    now: UnixTime,
}

pub(super) fn run(named: &[String], folder: Option<&Path>, json: bool, out: &mut Output) -> Result<Outcome, Failure> {
    let beside = Path::new("vectors");
    let folder = folder.or_else(|| beside.is_dir().then_some(beside));
    if let Some(folder) = folder {
        std::fs::read_dir(folder).map_err(|source| Failure::Unreadable { path: folder.to_owned(), source })?;
    }
    let catalogue: Vec<String> = catalogue::names().iter().map(|name| (*name).to_owned()).collect();
    let schemes = if named.is_empty() { &catalogue } else { named };
    for name in schemes {
        SchemeFile::open(name)?;
    }
    let width = schemes.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    if !json {
        if folder.is_none() {
            writeln!(out, "there is no folder `vectors` here: only what needs no vectors is tried\n")?;
        }
        writeln!(out, "{:width$}  verified  refused  signed again", "")?;
    }
    let pairs = folder.map(KeyPairs::read).transpose()?.unwrap_or_default();
    let mut total = Report::default();
    let mut failed = 0;
    for name in schemes {
        let report = trial(name, folder, &pairs)?;
        failed += usize::from(!report.faults.is_empty());
        total.verified += report.verified;
        total.refused += report.refused;
        total.signed_again += report.signed_again;
        if json {
            out.json(&Row::of(report))?;
        } else {
            report.show(width, out)?;
        }
    }
    if !json {
        let Report { verified, refused, signed_again, .. } = total;
        writeln!(out, "{:width$}  {verified:8}  {refused:7}  {signed_again:12}", "")?;
        let passed = schemes.len() - failed;
        writeln!(out, "\n{passed} scheme{} passed, {failed} failed", if passed == 1 { "" } else { "s" })?;
    }
    Ok(if failed == 0 { Outcome::Holds } else { Outcome::Refused })
}

fn trial(name: &str, folder: Option<&Path>, pairs: &KeyPairs) -> Result<Report, Failure> {
    let mut report = Report { scheme: name.to_owned(), ..Report::default() };
    // A message may stand in several files, and every time it is a new one.
    let mut engine = Engine::default();
    engine.scheme(name)?;
    if let Some(folder) = folder.map(|folder| folder.join(stem(name))).filter(|folder| folder.is_dir()) {
        vectors::read(&folder, pairs, &mut engine, &mut report)?;
        report.folder = Some(folder);
    }
    if let Err(what) = round_trip::check(name, &report.samples, &mut Engine::new(true)) {
        report.faults.push(Fault { place: None, what, explained: None });
    }
    Ok(report)
}

/// The name of the scheme in a file of that path; a name is its own.
fn stem(name: &str) -> &str {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.strip_suffix(".toml").unwrap_or(file)
}

impl Report {
    fn show(&self, width: usize, out: &mut Output) -> io::Result<()> {
        let Self { scheme, folder, verified, refused, signed_again, faults, .. } = self;
        write!(out, "{scheme:width$}  {verified:8}  {refused:7}  {signed_again:12}")?;
        let paint = Paint::new(out.colour());
        match (faults.len(), folder) {
            (0, None) => writeln!(out, "  no vectors")?,
            (0, Some(_)) => writeln!(out)?,
            (count, _) => writeln!(out, "  {}", paint.bad(format_args!("{count} failed")))?,
        }
        for fault in faults {
            fault.show(paint, out)?;
        }
        Ok(())
    }
}

impl Fault {
    fn show(&self, paint: Paint, out: &mut impl Write) -> io::Result<()> {
        match &self.place {
            Some((place, id)) => writeln!(out, "\n{}: {place}: {id}: {}", paint.bad("FAIL"), self.what)?,
            None => writeln!(out, "{}: signing and verifying: {}", paint.bad("FAIL"), self.what)?,
        }
        let Some(explained) = &self.explained else { return Ok(()) };
        let Explained { decision, explanation, now } = &**explained;
        let mut text = Vec::new();
        explain::steps(explanation, &decision.scheme, Paint::new(false), &mut text)?;
        verify::show(decision, None, *now, Paint::new(false), &mut text)?;
        for line in String::from_utf8_lossy(&text).lines() {
            writeln!(out, "{}", format!("    {line}").trim_end())?;
        }
        writeln!(out)
    }
}

/// A report as JSON.
#[derive(Debug, Serialize)]
struct Row {
    scheme: String,
    passed: bool,
    vectors: Option<PathBuf>,
    verified: usize,
    refused: usize,
    signed_again: usize,
    faults: Vec<FaultRow>,
}

#[derive(Debug, Serialize)]
struct FaultRow {
    /// The file and line.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Value>,
    fault: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<VerdictAnswer<'static>>,
}

impl Row {
    fn of(report: Report) -> Self {
        Self {
            passed: report.faults.is_empty(),
            scheme: report.scheme,
            vectors: report.folder,
            verified: report.verified,
            refused: report.refused,
            signed_again: report.signed_again,
            faults: report.faults.into_iter().map(FaultRow::of).collect(),
        }
    }
}

impl FaultRow {
    fn of(fault: Fault) -> Self {
        let (place, id) = fault.place.unzip();
        let explain = fault.explained.map(|explained| {
            let Explained { decision, explanation, .. } = *explained;
            let scheme = std::sync::Arc::clone(&decision.scheme);
            VerdictAnswer::new(None, decision).with_steps(&scheme, explanation, None)
        });
        Self { place, id, fault: fault.what, explain }
    }
}
