//! Streams: one JSON object a line in, one answer a line out, in the same order.
//!
//! Every line gets its answer, a malformed one too. Answers are written when the reader would otherwise wait, so a
//! program may send one line and wait for the answer, or send all and read all: neither blocks the other.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::path::Path;

use serde_json::Value;

use crate::answer::{SignedAnswer, VerdictAnswer};
use crate::engine::{Engine, Undecided};
use crate::explain;
use crate::failure::Failure;
use crate::message::json::{Line, Unreadable};
use crate::out::{Outcome, Output};
use crate::task::Defaults;

/// What is done with each line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Explain,
    Sign,
    Verify,
}

/// Answers every line of a file; `-` is standard input.
pub(crate) fn run(
    path: &Path,
    mode: Mode,
    defaults: &Defaults,
    engine: &mut Engine,
    out: &mut Output,
) -> Result<Outcome, Failure> {
    if path == Path::new("-") {
        return answer_all(io::stdin().lock(), mode, defaults, engine, out);
    }
    let file = File::open(path).map_err(|source| Failure::Unreadable { path: path.to_owned(), source })?;
    answer_all(file, mode, defaults, engine, out)
}

/// How long a line may be, in bytes.
pub(crate) const LONGEST: usize = 64 * 1024 * 1024;

fn answer_all(
    input: impl Read,
    mode: Mode,
    defaults: &Defaults,
    engine: &mut Engine,
    out: &mut Output,
) -> Result<Outcome, Failure> {
    let mut lines = Lines::new(input);
    let mut outcome = Outcome::Holds;
    loop {
        let answered = match lines.next(out)? {
            Next::End => break,
            Next::TooLong => {
                out.json(&VerdictAnswer::undecided(Some(&Value::Null), &Undecided::LineTooLong { most: LONGEST }))?;
                false
            }
            // White space between lines is nobody's request.
            Next::Line if lines.line.trim_ascii().is_empty() => continue,
            Next::Line => answer(&lines.line, mode, defaults, engine, out)?,
        };
        if !answered {
            outcome = Outcome::Undecided;
        }
    }
    out.flush()?;
    Ok(outcome)
}

/// Answers one line; whether it was decided.
fn answer(
    text: &[u8],
    mode: Mode,
    defaults: &Defaults,
    engine: &mut Engine,
    out: &mut Output,
) -> Result<bool, io::Error> {
    let (id, done) = match Line::read(text) {
        Err(unreadable) => {
            let Unreadable { id, error } = *unreadable;
            (id, Err(error.into()))
        }
        Ok(mut line) => {
            let id = std::mem::take(&mut line.id);
            let done = decide(&id, &mut line, mode, defaults, engine, out);
            (id, done)
        }
    };
    match done {
        Ok(written) => written.map(|()| true),
        Err(undecided) => {
            out.json(&VerdictAnswer::undecided(Some(&id), &undecided))?;
            Ok(false)
        }
    }
}

fn decide(
    id: &Value,
    line: &mut Line,
    mode: Mode,
    defaults: &Defaults,
    engine: &mut Engine,
    out: &mut Output,
) -> Result<io::Result<()>, Undecided> {
    let (mut task, binary) = defaults.task_of(line)?;
    Ok(match mode {
        Mode::Verify => out.json(&VerdictAnswer::new(Some(id), engine.verify(&task)?)),
        Mode::Explain => {
            let (decision, explanation) = engine.explain(&task)?;
            let open = explain::open(&decision, &task.message);
            let scheme = std::sync::Arc::clone(&decision.scheme);
            out.json(&VerdictAnswer::new(Some(id), decision).with_steps(&scheme, explanation, open))
        }
        Mode::Sign => {
            let signed = engine.sign(&task)?;
            task.message.apply(&signed);
            out.json(&SignedAnswer::new(Some(id), &task.message, &signed, binary))
        }
    })
}

/// The lines of an input.
pub(crate) struct Lines<R> {
    input: BufReader<R>,
    pub(crate) line: Vec<u8>,
}

/// What comes next.
pub(crate) enum Next {
    End,
    /// It is in `line`.
    Line,
    TooLong,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(input: R) -> Self {
        Self { input: BufReader::with_capacity(64 * 1024, input), line: Vec::new() }
    }

    /// Reads a line; what was answered before goes out first, if the line has to be waited for.
    pub(crate) fn next(&mut self, out: &mut impl Write) -> Result<Next, Failure> {
        self.line.clear();
        let mut too_long = false;
        loop {
            if self.input.buffer().is_empty() {
                out.flush()?;
            }
            let unreadable = |source| Failure::Unreadable { path: "the input".into(), source };
            let there = self.input.fill_buf().map_err(unreadable)?;
            if there.is_empty() {
                return Ok(match (too_long, self.line.is_empty()) {
                    (true, _) => Next::TooLong,
                    (false, true) => Next::End,
                    (false, false) => Next::Line,
                });
            }
            let end = there.iter().position(|byte| *byte == b'\n');
            let piece = &there[..end.unwrap_or(there.len())];
            let used = end.map_or(there.len(), |end| end + 1);
            too_long |= self.line.len() + piece.len() > LONGEST;
            if !too_long {
                self.line.extend_from_slice(piece);
            }
            self.input.consume(used);
            if end.is_some() {
                return Ok(if too_long { Next::TooLong } else { Next::Line });
            }
        }
    }
}
