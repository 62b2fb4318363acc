//! Sizes and durations as people write them: `8 MiB`, `512 KiB`, `90s`, `5m`.
//!
//! A unit is required, so that nobody has to guess one. `KiB` is 1024 bytes, `KB` is refused: it has meant both.

use std::time::Duration;

pub(super) const SIZE_HINT: &str = "write a number and B, KiB, MiB or GiB, as in \"512 KiB\"";
pub(super) const DURATION_HINT: &str = "write a number and ms, s, m or h, as in \"30s\"";

/// A number of bytes.
pub(super) fn size(text: &str) -> Option<u64> {
    let (number, unit) = number_and_unit(text)?;
    let factor = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(factor)
}

/// A stretch of time of up to a day, which is longer than anything a server waits for.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = number_and_unit(text)?;
    let factor = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    let millis = number.checked_mul(factor)?;
    (millis <= 86_400_000).then(|| Duration::from_millis(millis))
}

pub(super) const AGE_HINT: &str = "write a number and s, m, h or d, as in \"14d\"";

/// Seconds that something may be old, up to ten years.
pub(super) fn age(text: &str) -> Option<u64> {
    let (number, unit) = number_and_unit(text)?;
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    number.checked_mul(factor).filter(|seconds| (1..=3_660 * 86_400).contains(seconds))
}

fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    Some((number.parse().ok()?, unit.strip_prefix(' ').unwrap_or(unit)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ages() {
        for (text, expected) in [
            ("1s", Some(1)),
            ("15 m", Some(900)),
            ("14d", Some(1_209_600)),
            ("0s", None),
            ("14", None),
            ("1y", None),
            ("3661d", None),
            ("18446744073709551615d", None),
        ] {
            assert_eq!(age(text), expected, "{text}");
        }
    }

    #[test]
    fn sizes() {
        for (text, expected) in [
            ("0B", Some(0)),
            ("7 B", Some(7)),
            ("512 KiB", Some(524_288)),
            ("8MiB", Some(8_388_608)),
            ("2 GiB", Some(2_147_483_648)),
            ("", None),
            ("8", None),
            ("KiB", None),
            ("8 KB", None),
            ("8  KiB", None),
            ("8 kib", None),
            ("-8 KiB", None),
            ("+8 KiB", None),
            ("1.5 MiB", None),
            ("99999999999 GiB", None),
            ("99999999999999999999 B", None),
        ] {
            assert_eq!(size(text), expected, "{text}");
        }
    }

    #[test]
    fn durations() {
        for (text, millis) in [
            ("250ms", Some(250)),
            ("30s", Some(30_000)),
            ("5 m", Some(300_000)),
            ("24h", Some(86_400_000)),
            ("25h", None),
            ("30", None),
            ("s", None),
            ("1d", None),
            ("1m30s", None),
            ("99999999999999999999h", None),
        ] {
            assert_eq!(duration(text), millis.map(Duration::from_millis), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,20}") {
            let _ = (size(&text), duration(&text));
        }
    }
}
