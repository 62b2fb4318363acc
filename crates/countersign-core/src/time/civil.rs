//! The calendar of the years 0 to 9999 (proleptic Gregorian, ISO 8601), and decimal digits.
//!
//! Written out rather than taken from a library: instants of the whole range have to be expressible, `9999-12-31`
//! being a popular way to say "never expires", and the hot path reads one timestamp a request.

use super::UnixTime;

/// A calendar date and a time of day. What was read is checked by [`Civil::instant`], and not before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Civil {
    pub(super) year: u16,
    pub(super) month: u16,
    pub(super) day: u16,
    pub(super) hour: u16,
    pub(super) minute: u16,
    pub(super) second: u16,
    pub(super) milli: u16,
}

impl Civil {
    /// A day, from its start.
    pub(super) const fn day(year: u16, month: u16, day: u16) -> Self {
        Self { year, month, day, hour: 0, minute: 0, second: 0, milli: 0 }
    }

    /// The date and time of an instant, on clocks that are so many milliseconds ahead of UTC. `None` outside the
    /// years 0 to 9999, which have no four digits.
    pub(super) fn of(instant: UnixTime, ahead: i64) -> Option<Self> {
        let millis = instant.millis().checked_add(ahead)?;
        let days = millis.div_euclid(MILLIS_PER_DAY).checked_add(DAYS_TO_1970)?;
        let days = u32::try_from(days).ok().filter(|days| *days < days_before(10_000))?;
        let in_day = u32::try_from(millis.rem_euclid(MILLIS_PER_DAY)).ok()?;

        // 400 years have 146,097 days; dividing by that average is off by a year at most.
        let guess = u32::try_from(u64::from(days).saturating_mul(400) / 146_097).ok()?;
        let year = if days < days_before(guess) {
            guess.checked_sub(1)?
        } else if days >= days_before(guess.saturating_add(1)) {
            guess.saturating_add(1)
        } else {
            guess
        };
        let in_year = u16::try_from(days.checked_sub(days_before(year))?).ok()?;
        let starts = month_starts(year);
        let month = starts.iter().take_while(|start| **start <= in_year).count();
        let day = in_year.checked_sub(*starts.get(month.checked_sub(1)?)?)?.checked_add(1)?;

        Some(Self {
            year: u16::try_from(year).ok()?,
            month: u16::try_from(month).ok()?,
            day,
            hour: u16::try_from(in_day / 3_600_000).ok()?,
            minute: u16::try_from(in_day / 60_000 % 60).ok()?,
            second: u16::try_from(in_day / 1000 % 60).ok()?,
            milli: u16::try_from(in_day % 1000).ok()?,
        })
    }

    /// The instant at which clocks that are so many milliseconds ahead of UTC show this; `None` if there is no such
    /// date or time of day.
    pub(super) fn instant(self, ahead: i64) -> Option<UnixTime> {
        let in_day = u32::from(self.hour)
            .saturating_mul(3_600_000)
            .saturating_add(u32::from(self.minute).saturating_mul(60_000))
            .saturating_add(u32::from(self.second).saturating_mul(1000))
            .saturating_add(u32::from(self.milli));
        if self.hour > 23 || self.minute > 59 || self.second > 59 || self.milli > 999 {
            return None;
        }
        let days = i64::from(self.day_number()?).checked_sub(DAYS_TO_1970)?;
        let millis = days.checked_mul(MILLIS_PER_DAY)?.checked_add(i64::from(in_day))?.checked_sub(ahead)?;
        Some(UnixTime::from_millis(millis))
    }

    /// The day of the week, Monday being 0; `None` if there is no such date.
    pub(super) fn weekday(self) -> Option<usize> {
        // The first day of year 0 is a Saturday.
        usize::try_from(self.day_number()?.saturating_add(5) % 7).ok()
    }

    /// Days since the first of January of year 0.
    fn day_number(self) -> Option<u32> {
        let year = u32::from(self.year);
        let starts = month_starts(year);
        let month = usize::from(self.month);
        let start = *starts.get(month.checked_sub(1)?)?;
        let end = starts.get(month).copied().unwrap_or(if is_leap(year) { 366 } else { 365 });
        let in_year = start.checked_add(self.day.checked_sub(1)?)?;
        (year < 10_000 && in_year < end).then(|| days_before(year).saturating_add(u32::from(in_year)))
    }
}

/// The number that ASCII digits spell; at most four of them, so that it fits.
pub(super) fn number<const LEN: usize>(digits: [u8; LEN]) -> Option<u16> {
    const { assert!(LEN <= 4) };
    digits.iter().try_fold(0_u16, |number, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(u16::from(digit))
    })
}

/// The last decimal digits of a number, which fill the array.
pub(super) fn digits<const LEN: usize>(mut number: u16) -> [u8; LEN] {
    let mut digits = [b'0'; LEN];
    for slot in digits.iter_mut().rev() {
        *slot |= u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
    digits
}

/// How many days the years before this one have, from year 0, which is a leap year.
const fn days_before(year: u32) -> u32 {
    year.saturating_mul(365)
        .saturating_add(year.div_ceil(4))
        .saturating_sub(year.div_ceil(100))
        .saturating_add(year.div_ceil(400))
}

const fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// On which day of the year, from 0, each month begins.
const fn month_starts(year: u32) -> &'static [u16; 12] {
    if is_leap(year) {
        &[0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335]
    } else {
        &[0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]
    }
}

const MILLIS_PER_DAY: i64 = 86_400_000;
const DAYS_TO_1970: i64 = 719_528;

#[cfg(test)]
mod tests {
    use super::*;

    /// Every month there is, its first day and its last ones, each day counted.
    #[test]
    fn days_follow_each_other() {
        let (mut millis, mut weekday) = (-DAYS_TO_1970 * MILLIS_PER_DAY, 5);
        for year in 0..10_000_u16 {
            let february = if is_leap(year.into()) { 29 } else { 28 };
            for (month, days) in (1..).zip([31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) {
                for day in 1..=days {
                    let date = Civil::day(year, month, day);
                    if !(2..=27).contains(&day) {
                        assert_eq!(date.instant(0), Some(UnixTime::from_millis(millis)), "{date:?}");
                        assert_eq!(Civil::of(UnixTime::from_millis(millis), 0), Some(date));
                        assert_eq!(date.weekday(), Some(weekday), "{date:?}");
                    }
                    millis += MILLIS_PER_DAY;
                    weekday = (weekday + 1) % 7;
                }
                assert_eq!(Civil::day(year, month, days + 1).instant(0), None);
                assert_eq!(Civil::day(year, month, 0).instant(0), None);
            }
            assert_eq!(Civil::day(year, 0, 1).instant(0), None);
            assert_eq!(Civil::day(year, 13, 1).instant(0), None);
        }
        assert_eq!(Civil::of(UnixTime::from_millis(millis), 0), None);
        assert_eq!(Civil::of(UnixTime::from_millis(-DAYS_TO_1970 * MILLIS_PER_DAY - 1), 0), None);
        assert_eq!(Civil::day(1970, 1, 1).instant(0), Some(UnixTime::from_millis(0)));
    }

    #[test]
    fn numbers_and_digits() {
        assert_eq!((digits::<2>(7), digits::<4>(42), digits::<3>(0)), (*b"07", *b"0042", *b"000"));
        assert_eq!((number(*b"0042"), number(*b"9999")), (Some(42), Some(9999)));
        for wrong in ["4 ", "+1", "-1", "1.", "a1", "\u{661}"] {
            assert_eq!(number::<2>(wrong.as_bytes().try_into().unwrap()), None, "{wrong:?}");
        }
    }
}
