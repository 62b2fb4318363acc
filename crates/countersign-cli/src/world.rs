//! What the engine is told and never reads itself: the time, and random bits.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use countersign_core::UnixTime;

/// The clock, in whole seconds: what a message can carry and what one is judged by.
pub(crate) fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime::from_secs(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// There is no randomness to be had, so nothing new can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random bits")]
pub(crate) struct NoRandomness;

/// 128 random bits as 32 hexadecimal digits: a nonce for every scheme that has one.
pub(crate) fn nonce() -> Result<String, NoRandomness> {
    Ok(hex(&random::<16>()?))
}

/// A nonce for schemes whose nonces have to grow: milliseconds since 1970, or one more than the last where the clock
/// has not moved on. Others who count with the same key mostly take their clocks' milliseconds too.
pub(crate) fn counted_nonce(last: &mut u64) -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    *last = u64::try_from(since.as_millis()).unwrap_or(u64::MAX).max(last.saturating_add(1));
    last.to_string()
}

/// 128 random bits: what tells one link from all others.
pub(crate) fn number() -> Result<[u8; 16], NoRandomness> {
    random()
}

/// 256 random bits as 64 hexadecimal digits.
pub(crate) fn secret() -> Result<String, NoRandomness> {
    Ok(hex(&random::<32>()?))
}

fn random<const LENGTH: usize>() -> Result<[u8; LENGTH], NoRandomness> {
    let mut bytes = [0; LENGTH];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// An instant for people, in UTC.
pub(crate) fn instant(time: UnixTime) -> String {
    jiff::Timestamp::from_millisecond(time.millis()).map_or_else(|_| time.secs().to_string(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonces_fit_every_scheme_and_differ() {
        let (one, other) = (nonce().unwrap(), nonce().unwrap());
        assert_ne!(one, other);
        assert!(one.len() == 32 && one.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(secret().unwrap().len(), 64);
    }

    #[test]
    fn counted_nonces_grow_and_never_come_twice() {
        let mut last = 0;
        let all: Vec<u64> = (0..1000).map(|_| counted_nonce(&mut last).parse().unwrap()).collect();
        assert!(all.is_sorted_by(|one, next| one < next));
        // Behind the clock of another computer it still grows.
        let mut ahead = u64::MAX - 1;
        assert_eq!(counted_nonce(&mut ahead), u64::MAX.to_string());
    }

    #[test]
    fn instants_are_shown_in_utc() {
        assert_eq!(instant(UnixTime::from_secs(1_714_566_896)), "2024-05-01T12:34:56Z");
        assert_eq!(instant(UnixTime::from_millis(i64::MAX)), (i64::MAX / 1000).to_string());
    }
}
