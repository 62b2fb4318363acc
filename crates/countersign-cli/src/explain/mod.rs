//! `countersign explain`: what was read, what was made of it step by step, and where claimed and computed part.

pub(crate) mod visible;

use std::io::{self, Write};

use countersign_core::alg::{Asymmetric, Hash};
use countersign_core::{Explanation, Stage};

use crate::answer::VerdictAnswer;
use crate::args::ExplainArguments;
use crate::engine::{Decision, Engine};
use crate::failure::Failure;
use crate::jsonl::{self, Mode};
use crate::message::Message;
use crate::out::{Outcome, Output};
use crate::paint::Paint;
use crate::scheme_file::SchemeFile;
use crate::task;
use crate::verify;
use crate::world;
use visible::{Visible, first_difference};

pub(crate) fn run(arguments: &ExplainArguments, out: &mut Output) -> Result<Outcome, Failure> {
    let arguments = &arguments.verify;
    let defaults = verify::defaults(arguments)?;
    let mut engine = Engine::new(arguments.replay);
    if arguments.input.jsonl {
        return jsonl::run(&arguments.input.request, Mode::Explain, &defaults, &mut engine, out);
    }
    defaults.check(&mut engine)?;
    let decided = task::read_message(&arguments.input).and_then(|message| {
        let task = defaults.task(message)?;
        let (decision, explanation) = engine.explain(&task)?;
        let open = open(&decision, &task.message);
        let advice = verify::advice(&mut engine, &task, &decision);
        Ok(((decision, explanation, open, advice), task.now))
    });
    let ((decision, explanation, open, advice), now) = match decided {
        Ok(decided) => decided,
        Err(failure) => return verify::undecided(failure, arguments.json, out),
    };
    let outcome = verify::outcome(&decision);
    if arguments.json {
        let scheme = std::sync::Arc::clone(&decision.scheme);
        out.json(&VerdictAnswer::new(None, decision).with_steps(&scheme, explanation, open))?;
    } else {
        let paint = Paint::new(out.colour());
        steps(&explanation, &decision.scheme, paint, out)?;
        verify::show(&decision, advice, now, paint, out)?;
        if let Some(open) = open {
            writeln!(out, "{}: {open}", paint.bad("warning"))?;
        }
    }
    Ok(outcome)
}

/// What is to be said of a message signature that holds and leaves open what a handler goes by: the message lists itself
/// what it covers, and a policy may insist on little.
pub(crate) fn open(decision: &Decision, message: &Message) -> Option<String> {
    let facts = decision.verdict.as_ref().ok()?;
    let scheme = decision.plan.scheme();
    let rules = if message.status.is_some() { scheme.response.as_ref()? } else { &scheme.request };
    rules.message_signature.as_ref()?;
    let matters = |part: &&str| match *part {
        "body" => !message.content().is_empty(),
        _ => message.status.is_none(),
    };
    let left = |part: &&str| facts.coverage.not_covered.iter().any(|open| open == part);
    let parts: Vec<&str> = ["body", "method", "query"].into_iter().filter(matters).filter(left).collect();
    let last = parts.last()?;
    let parts = match parts.split_last() {
        Some((_, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => (*last).to_owned(),
    };
    Some(format!("the signature holds and does not cover the {parts}: whoever carries the message can change that"))
}

/// How much of a stage is shown to people, in bytes.
const MOST_SHOWN: usize = 16 * 1024;

pub(crate) fn steps(
    explanation: &Explanation,
    scheme: &SchemeFile,
    paint: Paint,
    out: &mut impl Write,
) -> Result<(), io::Error> {
    if !explanation.fields.is_empty() {
        writeln!(out, "{}", paint.title("fields"))?;
        let width = explanation.fields.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        for (name, value) in &explanation.fields {
            writeln!(out, "  {name:width$}  {}", Visible::of(value).on_one_line())?;
        }
        writeln!(out)?;
    }
    for stage in &explanation.stages {
        let place = scheme.place(stage.span);
        writeln!(out, "{}  {}", paint.title(&stage.name), paint.faint(place))?;
        match &stage.claimed {
            None => alone(stage, out)?,
            Some(claimed) => side_by_side(claimed, &stage.bytes, paint, out)?,
        }
        writeln!(out)?;
    }
    Ok(())
}

fn alone(stage: &Stage, out: &mut impl Write) -> io::Result<()> {
    if is_raw(&stage.name) {
        return writeln!(out, "  {}", world::hex(&stage.bytes));
    }
    let shown = stage.bytes.get(..MOST_SHOWN).unwrap_or(&stage.bytes);
    for line in Visible::of(shown).lines() {
        writeln!(out, "  {line}")?;
    }
    match stage.bytes.len() - shown.len() {
        0 => Ok(()),
        more => writeln!(out, "  … and {more} bytes more, which --json shows"),
    }
}

/// What the message claims above what was computed, and where they part.
fn side_by_side(claimed: &[u8], computed: &[u8], paint: Paint, out: &mut impl Write) -> io::Result<()> {
    let (above, below) = (Visible::of(claimed), Visible::of(computed));
    let Some(at) = first_difference(claimed, computed) else {
        return writeln!(out, "  {}\n  {}", above.on_one_line(), paint.good("as claimed"));
    };
    writeln!(out, "  claimed   {}", above.on_one_line())?;
    writeln!(out, "  computed  {}", below.on_one_line())?;
    let column = below.width_before(at);
    writeln!(out, "            {:column$}{}", "", paint.bad(format_args!("^ they differ from byte {} on", at + 1)))
}

/// Whether a stage holds what a primitive gave: bytes that no text has come of yet.
pub(crate) fn is_raw(name: &str) -> bool {
    Hash::from_name(name.strip_prefix("hmac-").unwrap_or(name)).is_some() || Asymmetric::from_record(name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(claimed: &[u8], computed: &[u8]) -> String {
        let mut out = Vec::new();
        side_by_side(claimed, computed, Paint::new(false), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_first_byte_that_differs_is_marked() {
        assert_eq!(
            compared(b"abcd", b"abXd"),
            "  claimed   abcd\n  computed  abXd\n              ^ they differ from byte 3 on\n"
        );
        assert_eq!(
            compared(b"a\n\nb", b"a\n\nc"),
            "  claimed   a␊␊b\n  computed  a␊␊c\n               ^ they differ from byte 4 on\n"
        );
        assert!(compared(b"abc", b"ab").contains("\n              ^ they differ from byte 3 on"));
        assert_eq!(compared(b"abc", b"abc"), "  abc\n  as claimed\n");
    }

    #[test]
    fn what_a_primitive_gave_is_shown_as_digits() {
        for name in ["md5", "hmac-sha256", "ed25519", "rsa-sha256"] {
            assert!(is_raw(name), "{name}");
        }
        for name in ["b64", "signature-base", "signature", "canonical", "hmac-"] {
            assert!(!is_raw(name), "{name}");
        }
    }
}
