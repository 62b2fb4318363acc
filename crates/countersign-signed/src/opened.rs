//! What comes of a value: [`Opened`] where it held, [`Refused`] where not.

use countersign_core::UnixTime;

/// Why a value is refused. There is nothing else to be had of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refused {
    /// It is for another method, address or key.
    #[error("it is for another method, address or key")]
    Bound,
    /// It may be used once, and was signed later than now: one of the clocks is wrong.
    #[error("it is from the future")]
    Early,
    /// It was signed too long ago, or says itself that it is over.
    #[error("it is older than it may be")]
    Expired,
    /// It has not the form that the format has: no separator, no time, a payload that is none.
    #[error("it has not the form of such a value")]
    Malformed,
    /// It was redeemed as often as it may be.
    #[error("it was redeemed before")]
    Replayed,
    /// No key makes this signature for this value, under this salt or purpose.
    #[error("no key makes this signature")]
    SignatureMismatch,
    /// It is larger than it may be, compressed or not.
    #[error("it is larger than it may be")]
    TooLarge,
}

impl Refused {
    /// The stable code, as in `signature-mismatch`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Bound => "bound-otherwise",
            Self::Early => "timestamp-future",
            Self::Expired => "expired",
            Self::Malformed => "malformed",
            Self::Replayed => "replayed",
            Self::SignatureMismatch => "signature-mismatch",
            Self::TooLarge => "too-large",
        }
    }
}

/// Why a value cannot be signed: it is the caller's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CannotSign {
    /// Rails takes no signed nothing back.
    #[error("this format cannot carry an empty value")]
    Empty,
    /// Who reads it would round the number, or not read it at all.
    #[error("a number in it is larger than its readers can hold")]
    Number,
    /// It is before 1970, or past the years that the format can write.
    #[error("the time does not fit the format")]
    Time,
    /// The format has no such operation.
    #[error("this format does not do that")]
    Unsupported,
}

/// Why settings make no signer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingFault {
    /// Something about the keys.
    #[error("{0}")]
    Keys(#[from] crate::KeyFault),
    /// The purpose must say something.
    #[error("the purpose is empty")]
    Purpose,
    /// Part of it could be part of a signature.
    #[error("the separator may not be empty, nor consist only of characters that signatures have")]
    Separator,
}

/// How a value is to be judged: at what time, and how old it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judging {
    /// The time.
    pub now: UnixTime,
    /// The most seconds since it was signed. `None`: as many as it says itself, or any number.
    pub max_age: Option<u64>,
}

impl Judging {
    /// At a time, whatever the age.
    #[must_use]
    pub const fn at(now: UnixTime) -> Self {
        Self { now, max_age: None }
    }

    /// Limits the age, in seconds.
    #[must_use]
    pub const fn max_age(self, seconds: u64) -> Self {
        Self { max_age: Some(seconds), ..self }
    }

    /// Whether something signed at a time is too old, to the millisecond: as Django counts.
    pub(crate) fn is_over(&self, signed_at: UnixTime) -> bool {
        let Some(most) = self.max_age else { return false };
        let age = self.now.millis().saturating_sub(signed_at.millis());
        age > millis(most)
    }
}

/// Seconds as milliseconds; what does not fit is for ever.
pub(crate) fn millis(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000)
}

/// A value whose signature held, and whose time did. Nobody else can make one.
///
/// ```compile_fail,E0624
/// let forge = countersign_signed::Opened::<String>::new;
/// ```
///
/// ```compile_fail,E0451
/// let forged = countersign_signed::Opened { value: "admin", signed_at: None, key: 0, aged: false };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened<T> {
    value: T,
    signed_at: Option<UnixTime>,
    key: usize,
    aged: bool,
}

impl<T> Opened<T> {
    pub(crate) const fn new(value: T, signed_at: Option<UnixTime>, key: usize) -> Self {
        Self { value, signed_at, key, aged: false }
    }

    /// The value.
    #[must_use]
    pub const fn value(&self) -> &T {
        &self.value
    }

    /// The value, taken out.
    #[must_use]
    pub fn into_value(self) -> T {
        self.value
    }

    /// When it was signed, where the format tells.
    #[must_use]
    pub const fn signed_at(&self) -> Option<UnixTime> {
        self.signed_at
    }

    /// Whether it was made with an old key, digest or format, and should be signed anew.
    #[must_use]
    pub const fn needs_resign(&self) -> bool {
        self.aged || self.key > 0
    }

    /// Which of the keys signed it: 0 for the newest.
    #[must_use]
    pub const fn key(&self) -> usize {
        self.key
    }

    pub(crate) fn map<U>(self, to: impl FnOnce(T) -> U) -> Opened<U> {
        Opened { value: to(self.value), signed_at: self.signed_at, key: self.key, aged: self.aged }
    }

    pub(crate) fn try_map<U>(self, to: impl FnOnce(T) -> Result<U, Refused>) -> Result<Opened<U>, Refused> {
        Ok(Opened { value: to(self.value)?, signed_at: self.signed_at, key: self.key, aged: self.aged })
    }

    /// The same, as something to be signed anew.
    pub(crate) fn aged(self) -> Self {
        Self { aged: true, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_over_one_millisecond_after_it() {
        let judging = |millis| Judging::at(UnixTime::from_millis(millis)).max_age(10);
        let signed_at = UnixTime::from_secs(100);
        assert!(!judging(110_000).is_over(signed_at));
        assert!(judging(110_001).is_over(signed_at));
        assert!(!judging(0).is_over(signed_at), "Django takes what comes from the future");
        assert!(!Judging::at(UnixTime::from_secs(i64::MAX)).is_over(signed_at));
        let forever = Judging::at(UnixTime::from_millis(i64::MAX)).max_age(u64::MAX);
        assert!(!forever.is_over(UnixTime::from_millis(i64::MIN)));
    }
}
