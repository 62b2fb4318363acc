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
