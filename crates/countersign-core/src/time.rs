//! Instants as the engine knows them: arguments, never readings of a clock; and the ways in which schemes write them.
//!
//! A written time has one spelling. [`TimeFormat::parse`] takes what [`TimeFormat::write`] produces for some instant
//! and nothing else, so a time that was read from a request and is written into a signature base is the same text.
//!
//! Deliberately absent: time zones (an offset is a constant of a pattern), leap seconds, and guessing a format.

mod civil;
mod format;
mod pattern;

pub use format::TimeFormat;
pub use pattern::TimePattern;

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
///
/// The engine never reads a clock. Whoever calls it says what time it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime {
    millis: i64,
}

impl UnixTime {
    /// From whole seconds since the epoch. Saturates at the ends of the range.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self { millis: secs.saturating_mul(1000) }
    }

    /// From milliseconds since the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self { millis }
    }

    /// Whole seconds since the epoch, rounded towards the past.
    #[must_use]
    pub const fn secs(self) -> i64 {
        self.millis.div_euclid(1000)
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.millis
    }
}
