//! `countersign verify`.

use std::io::{self, Write};

use countersign_core::{Reason, UnixTime};

use crate::advice;
use crate::answer::VerdictAnswer;
use crate::args::VerifyArguments;
use crate::engine::{Decision, Engine, Facts, Task};
use crate::failure::Failure;
use crate::jsonl::{self, Mode};
use crate::out::{Outcome, Output};
use crate::paint::Paint;
use crate::task::{self, Defaults};
use crate::world;

pub(crate) fn run(arguments: &VerifyArguments, out: &mut Output) -> Result<Outcome, Failure> {
    let defaults = defaults(arguments)?;
    let mut engine = Engine::new(arguments.replay);
    if arguments.input.jsonl {
        return jsonl::run(&arguments.input.request, Mode::Verify, &defaults, &mut engine, out);
    }
    defaults.check(&mut engine)?;
    let decided = task::read_message(&arguments.input).and_then(|message| {
        let task = defaults.task(message)?;
        let decision = engine.verify(&task)?;
        let advice = advice(&mut engine, &task, &decision);
        Ok((decision, advice, task.now))
    });
    let (decision, advice, now) = match decided {
        Ok(decided) => decided,
        Err(failure) => return undecided(failure, arguments.json, out),
    };
    let outcome = outcome(&decision);
    if arguments.json {
        out.json(&VerdictAnswer::new(None, decision))?;
    } else {
        show(&decision, advice, now, Paint::new(out.colour()), out)?;
    }
    Ok(outcome)
}

pub(crate) fn defaults(arguments: &VerifyArguments) -> Result<Defaults, Failure> {
    let mut defaults = Defaults::read(
        &arguments.scheme,
        &arguments.key,
        arguments.keys.as_deref(),
        arguments.certificates.as_deref(),
    )?;
    defaults.peer.clone_from(&arguments.input.peer);
    Ok(defaults)
}

/// What may be behind a refusal, beyond its reason.
pub(crate) fn advice(engine: &mut Engine, task: &Task, decision: &Decision) -> Option<&'static str> {
    let reason = decision.verdict.as_ref().err()?.reason();
    let of_body = matches!(reason, Reason::DigestMismatch | Reason::SignatureMismatch | Reason::ValueDisagrees);
    let trimmed = of_body && holds_without_line_end(engine, task);
    advice::on_refusal(reason, &task.message, trimmed)
}

/// Whether a message holds without the line feed at its end, where nothing says that it belongs to the body.
fn holds_without_line_end(engine: &mut Engine, task: &Task) -> bool {
    let Some(body) = task.message.body.as_deref().and_then(|body| body.strip_suffix(b"\n")) else { return false };
    if task.message.values("content-length").next().is_some() {
        return false;
    }
    let mut other = task.clone();
    other.message.body = Some(body.to_vec());
    engine.verify(&other).is_ok_and(|decision| decision.verdict.is_ok())
}

pub(crate) const fn outcome(decision: &Decision) -> Outcome {
    match decision.verdict {
        Ok(_) => Outcome::Holds,
        Err(_) => Outcome::Refused,
    }
}

/// A program that asked for JSON gets its answer as JSON, too, when there is no verdict.
pub(crate) fn undecided(failure: Failure, json: bool, out: &mut Output) -> Result<Outcome, Failure> {
    if let (true, Failure::Undecided(error)) = (json, &failure) {
        out.json(&VerdictAnswer::undecided(None, error))?;
    }
    Err(failure)
}

/// The verdict for people, and what may be behind a refusal.
pub(crate) fn show(
    decision: &Decision,
    advice: Option<&str>,
    now: UnixTime,
    paint: Paint,
    out: &mut impl Write,
) -> io::Result<()> {
    let scheme = decision.plan.scheme();
    match &decision.verdict {
        Ok(Facts { key_id, signed_at, coverage }) => {
            writeln!(out, "{} {}", paint.good("verified"), scheme.name)?;
            if let Some(key_id) = key_id {
                writeln!(out, "  key          {key_id}")?;
            }
            if let Some(signed_at) = signed_at {
                writeln!(out, "  signed       {} ({})", world::instant(*signed_at), age(*signed_at, now))?;
            }
            writeln!(out, "  covered      {}", listed(&coverage.covered))?;
            writeln!(out, "  not covered  {}", listed(&coverage.not_covered))
        }
        Err(rejection) => {
            let code = rejection.reason().code();
            writeln!(out, "{} {code}: {}", paint.bad("rejected"), rejection.detail(scheme))?;
            if let Some(step) = rejection.step() {
                writeln!(out, "{}", decision.scheme.excerpt(step))?;
            }
            writeln!(out, "  `countersign reason {code}` says what that means")?;
            advice.map_or(Ok(()), |advice| writeln!(out, "  {advice}"))
        }
    }
}

fn listed(parts: &[String]) -> String {
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
}

fn age(signed_at: UnixTime, now: UnixTime) -> String {
    match now.secs().saturating_sub(signed_at.secs()) {
        0 => "now".to_owned(),
        seconds @ 1.. => format!("{seconds} s ago"),
        seconds => format!("{} s ahead", seconds.unsigned_abs()),
    }
}
