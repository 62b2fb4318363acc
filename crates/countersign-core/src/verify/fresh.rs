//! Freshness: whether a message may still, or already, be accepted, and until when that holds.

use crate::plan::run::Scratch;
use crate::reject::{Reason, Rejection, Subject};
use crate::scheme::model::{FieldId, FieldType, Fresh, Message};
use crate::time::UnixTime;

/// How far ahead of our clock the beginning of a validity may be, in seconds.
const LEAD: i64 = 60;

/// What the message says about time, judged.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Judged {
    /// The signed time.
    pub(crate) signed_at: Option<UnixTime>,
    /// The last instant at which the message is accepted; `None`: no instant is the last.
    pub(crate) accepted_until: Option<UnixTime>,
    /// The first instant at which the message is accepted; `None`: no instant is the first.
    pub(crate) accepted_from: Option<UnixTime>,
}

/// Judges the times that were captured.
pub(crate) fn judge(fresh: &Fresh, message: &Message, scratch: &Scratch, now: UnixTime) -> Result<Judged, Rejection> {
    let refuse = |reason, millis: i64| {
        Rejection::new(reason, Some(fresh.span), Subject::Time(millis.checked_div(1000).unwrap_or(0)))
    };
    let mut until: Option<UnixTime> = None;
    let mut last = |instant: UnixTime| until = Some(until.map_or(instant, |other| other.min(instant)));
    let mut signed_at = None;
    let mut from: Option<UnixTime> = None;
    if let Some(window) = fresh.timestamp {
        let stamp = instant(message, scratch, window.field).ok_or_else(|| malformed(window.field))?;
        let age = now.millis().saturating_sub(stamp.millis());
        if window.future.is_some_and(|most| age.saturating_neg() > millis(most)) {
            return Err(refuse(Reason::TimestampFuture, age));
        }
        from = window.future.map(|most| UnixTime::from_millis(stamp.millis().saturating_sub(millis(most))));
        if let Some(past) = window.past {
            if age > millis(past) {
                return Err(refuse(Reason::TimestampStale, age));
            }
            last(UnixTime::from_millis(stamp.millis().saturating_add(millis(past))));
        }
        if let Some((field, most)) = fresh.lifetime {
            let seconds = number(scratch, field).ok_or_else(|| malformed(field))?;
            if seconds > most {
                return Err(Rejection::new(Reason::LifetimeTooLong, Some(fresh.span), Subject::Capture(field)));
            }
            if age > millis(seconds) {
                return Err(refuse(Reason::Expired, age.saturating_sub(millis(seconds))));
            }
            last(UnixTime::from_millis(stamp.millis().saturating_add(millis(seconds))));
        }
        signed_at = Some(stamp);
    }
    if let Some(field) = fresh.starts
        && let Some(starts) = instant(message, scratch, field)
    {
        let ahead = starts.millis().saturating_sub(now.millis());
        if ahead > LEAD.saturating_mul(1000) {
            return Err(refuse(Reason::TimestampFuture, ahead.saturating_neg()));
        }
        from = from.max(Some(UnixTime::from_millis(starts.millis().saturating_sub(LEAD.saturating_mul(1000)))));
        signed_at = signed_at.or(Some(starts));
    }
    if let Some(field) = fresh.expires
        && let Some(expires) = instant(message, scratch, field)
    {
        let past = now.millis().saturating_sub(expires.millis());
        if past > 0 {
            return Err(refuse(Reason::Expired, past));
        }
        last(expires);
    }
    Ok(Judged { signed_at, accepted_until: until, accepted_from: from })
}

/// The signed time, where the message has one.
pub(crate) fn stamp(fresh: &Fresh, message: &Message, scratch: &Scratch) -> Option<UnixTime> {
    instant(message, scratch, fresh.timestamp?.field)
}

fn instant(message: &Message, scratch: &Scratch, field: FieldId) -> Option<UnixTime> {
    match &message.fields.get(field)?.kind {
        FieldType::Time(format) => {
            scratch.captures.instant(field).or_else(|| format.parse(scratch.captures.get(field)?))
        }
        _ => None,
    }
}

fn number(scratch: &Scratch, field: FieldId) -> Option<u64> {
    std::str::from_utf8(scratch.captures.get(field)?).ok()?.parse().ok()
}

fn malformed(field: FieldId) -> Rejection {
    Rejection::new(Reason::CredentialMalformed, None, Subject::Capture(field))
}

fn millis(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000)
}
