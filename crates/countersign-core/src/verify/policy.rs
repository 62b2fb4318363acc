//! A signed policy, judged: the message must be one of those for which it was made.
//!
//! It is read only when its signature holds. What it grants is no part of what the signature covers: a policy of
//! `*` covers nothing but itself.

use crate::canon::{self, Policy};
use crate::plan::PolicyPlan;
use crate::plan::run::{Env, Scratch, Stop, run_whole};
use crate::reject::{Reason, Rejection, Subject};
use crate::time::UnixTime;

/// Judges a message by its policy; answers the last instant at which that grants it.
pub(crate) fn judge(
    env: &Env<'_>,
    plan: &PolicyPlan,
    scratch: &mut Scratch,
    now: UnixTime,
) -> Result<UnixTime, Stop> {
    let refuse = |reason, subject| Stop::from(Rejection::new(reason, Some(plan.span), subject));
    let mark = scratch.out.len();
    run_whole(env, scratch, &plan.text)?;
    let policy = Policy::parse(scratch.out.get(mark..).unwrap_or_default())
        .map_err(|canon::Malformed| refuse(Reason::CredentialMalformed, Subject::Part))?;
    scratch.out.truncate(mark);
    // Both ends are outside: it is `less than` and `greater than`.
    let before = millis(policy.before);
    let late = now.millis().saturating_sub(before);
    if late >= 0 {
        return Err(refuse(Reason::Expired, Subject::Time(late.checked_div(1000).unwrap_or(0))));
    }
    let early = policy.after.map_or(-1, |after| millis(after).saturating_sub(now.millis()));
    if early >= 0 {
        let seconds = early.checked_div(1000).unwrap_or(0);
        return Err(refuse(Reason::TimestampFuture, Subject::Time(seconds.saturating_neg())));
    }
    run_whole(env, scratch, &plan.resource)?;
    let granted = policy.is_for(scratch.out.get(mark..).unwrap_or_default()) && policy.admits(env.view.peer);
    scratch.out.truncate(mark);
    if !granted {
        return Err(refuse(Reason::ValueDisagrees, Subject::Part));
    }
    Ok(UnixTime::from_millis(before.saturating_sub(1)))
}

fn millis(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000)
}
