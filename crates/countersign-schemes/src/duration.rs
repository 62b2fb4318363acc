//! Durations as scheme files write them: `90s`, `5m`, `24h`, `7d`, `1h30m`.
//!
//! A bare number is no duration: seconds and milliseconds have been confused too often.

/// Seconds, or `None` where `text` is no duration.
pub(crate) fn seconds(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total = 0u64;
    for (unit, length) in [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)] {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, behind) = rest.split_at(digits);
        if let Some(behind) = behind.strip_prefix(unit) {
            total = number.parse::<u64>().ok()?.checked_mul(length)?.checked_add(total)?;
            rest = behind;
        }
    }
    (!text.is_empty() && rest.is_empty()).then_some(total)
}

/// So many seconds in words: in the largest unit of which they are a whole number; in several units where they are
/// more than 120 of that one.
#[must_use]
pub fn in_words(seconds: u64) -> String {
    let said = |count: u64, name: &str| format!("{count} {name}{}", if count == 1 { "" } else { "s" });
    let units = [(86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")];
    let whole = units.iter().find(|(unit, _)| seconds >= *unit && seconds.is_multiple_of(*unit));
    match whole {
        Some((unit, name)) if seconds / unit <= 120 || *unit == 86_400 => said(seconds / unit, name),
        None => said(seconds, "second"),
        Some(_) => {
            let mut rest = seconds;
            let mut words = Vec::new();
            for (unit, name) in units.into_iter().filter(|(unit, _)| seconds >= *unit) {
                if rest >= unit {
                    words.push(said(rest / unit, name));
                    rest %= unit;
                }
            }
            words.join(" ")
        }
    }
}

/// What to say to somebody who wrote something else.
pub(crate) const HINT: &str = "days, hours, minutes and seconds, as in `7d`, `24h`, `5m`, `90s` or `1h30m`";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations() {
        for (text, expected) in [
            ("90s", Some(90)),
            ("5m", Some(300)),
            ("24h", Some(86_400)),
            ("7d", Some(604_800)),
            ("1h30m", Some(5_400)),
            ("1d1h1m1s", Some(90_061)),
            ("0s", Some(0)),
            ("007s", Some(7)),
            ("", None),
            ("5", None),
            ("m", None),
            ("5 m", None),
            ("5M", None),
            ("5ms", None),
            ("-5m", None),
            ("+5m", None),
            ("1.5h", None),
            ("30m1h", None),
            ("5m5m", None),
            ("5m5", None),
            ("99999999999999999999s", None),
            ("999999999999999999d", None),
            ("18446744073709551615s", Some(u64::MAX)),
            ("1m18446744073709551615s", None),
            ("٣m", None),
        ] {
            assert_eq!(seconds(text), expected, "{text:?}");
        }
    }

    #[test]
    fn durations_are_said_in_whole_units() {
        for (seconds, said) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (90, "90 seconds"),
            (121, "2 minutes 1 second"),
            (300, "5 minutes"),
            (3600, "1 hour"),
            (7260, "2 hours 1 minute"),
            (29_400, "8 hours 10 minutes"),
            (86_400, "1 day"),
            (90_000, "25 hours"),
            (604_800, "7 days"),
            (31_536_000, "365 days"),
        ] {
            assert_eq!(in_words(seconds), said);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(d in 0u64..1000, h in 0u64..100, m in 0u64..100, s in 0u64..100) {
            prop_assert_eq!(seconds(&format!("{d}d{h}h{m}m{s}s")), Some(((d * 24 + h) * 60 + m) * 60 + s));
        }

        #[test]
        fn anything_is_read_or_refused(text in ".{0,20}") {
            let _ = seconds(&text);
        }
    }
}
