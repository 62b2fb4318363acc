//! What a message states and what is computed of it must agree: captures that `[let]` defines, and bound fields.

use super::coverage::bit;
use crate::plan::run::{Env, Scratch, Stop, push_line, run, run_whole};
use crate::reject::{Reason, Rejection, Subject};
use crate::scheme::Message;
use crate::scheme::model::{FieldId, Source};

/// Compares them all, under the alternative that holds. The answer has one bit for each of the first 64 bound fields
/// that is there and was compared, and not waived by one of its other values. `chunked`: the capture that says how the
/// body comes was settled by the chunks.
pub(crate) fn agree(env: &Env<'_>, message: &Message, scratch: &mut Scratch, chunked: bool) -> Result<u64, Stop> {
    let settled = message.chunks.as_ref().filter(|_| chunked).map(|chunks| chunks.mode);
    // What was computed for another candidate or another alternative is of no use here.
    scratch.forget_lets(env.variant.lets.len());
    captures(env, message, scratch, settled)?;
    binds(env, scratch, settled)
}

fn captures(env: &Env<'_>, message: &Message, scratch: &mut Scratch, settled: Option<FieldId>) -> Result<(), Stop> {
    for (id, field) in message.fields.iter().enumerate() {
        let Some(definition) = field.definition else { continue };
        if scratch.captures.get(id).is_none() || settled == Some(id) {
            continue;
        }
        let Some(entry) = env.variant.lets.get(definition) else { continue };
        let mark = scratch.out.len();
        let present = run(env, scratch, &entry.program)?;
        let same = present && scratch.captures.get(id) == scratch.out.get(mark..);
        scratch.out.truncate(mark);
        if !same {
            let reason = if entry.body { Reason::DigestMismatch } else { Reason::ValueDisagrees };
            return Err(Rejection::new(reason, Some(field.span), Subject::Capture(id)).into());
        }
    }
    Ok(())
}

fn binds(env: &Env<'_>, scratch: &mut Scratch, settled: Option<FieldId>) -> Result<u64, Stop> {
    let mut compared = 0;
    for (index, bind) in env.plan.binds.iter().enumerate() {
        if settled.is_some_and(|id| bind.what == Source::Field(id)) {
            continue;
        }
        let start = scratch.out.len();
        let present = match &bind.what {
            Source::Field(id) => match scratch.captures.get(*id) {
                Some(value) => {
                    scratch.out.extend_from_slice(value);
                    true
                }
                None => false,
            },
            Source::Header(_) => match bind.line {
                Some(number) => push_line(env, scratch, number)?,
                None => false,
            },
            // What is computed is not optional.
            Source::Let(id) => match env.variant.lets.get(*id) {
                Some(entry) => {
                    run_whole(env, scratch, &entry.program)?;
                    true
                }
                None => false,
            },
            _ => false,
        };
        if !present {
            continue;
        }
        let end = scratch.out.len();
        let held = scratch.out.get(start..end).unwrap_or_default();
        if bind.or.iter().any(|other| other.as_slice() == held) {
            scratch.out.truncate(start);
            continue;
        }
        run_whole(env, scratch, &bind.value)?;
        let same = scratch.out.get(start..end) == scratch.out.get(end..);
        scratch.out.truncate(start);
        if !same {
            let reason = if bind.body { Reason::DigestMismatch } else { Reason::ValueDisagrees };
            return Err(Rejection::new(reason, Some(bind.span), Subject::Bind(index)).into());
        }
        compared |= bit(index);
    }
    Ok(compared)
}
