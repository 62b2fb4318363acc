//! Time patterns, in the letters that Java's `DateTimeFormatter` made common.

use super::UnixTime;
use super::civil::{Civil, digits, number};

/// A calendar format of fixed width with a fixed offset from UTC, as in `yyyy-MM-dd HH:mm:ss@+08:00`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimePattern {
    parts: Box<[Part]>,
    /// How far the pattern's clocks are ahead of UTC, in milliseconds.
    ahead: i64,
    resolution_millis: i64,
}

impl TimePattern {
    /// Reads a pattern.
    ///
    /// `yyyy`, `MM`, `dd`, `HH`, `mm`, `ss` and `SSS` are year, month, day, hour, minute, second and millisecond.
    /// The date must be complete, no field may come twice, and a finer one needs those above it, so that a text
    /// stands for one instant. Other ASCII letters have to be quoted, as in `'T'`, where `''` is a quote; what is
    /// neither a letter nor a quote stands for itself. The offset follows the last `@`, as `+08:00`; without one it
    /// is UTC.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (pattern, ahead) = match text.rsplit_once('@') {
            Some((pattern, offset)) => (pattern, millis_ahead(offset.as_bytes())?),
            None => (text, 0),
        };
        let parts = parts(pattern.as_bytes())?;
        let count = |field: &Field| parts.iter().filter(|part| **part == Part::Field(*field)).count();
        let present = FIELDS.iter().take_while(|(_, field, _)| count(field) == 1).count();
        let repeated_or_skipped = FIELDS.iter().skip(present).any(|(_, field, _)| count(field) > 0);
        let (_, finest, resolution_millis) = FIELDS.get(present.checked_sub(1)?)?;
        let is_date = !matches!(finest, Field::Year | Field::Month);
        (is_date && !repeated_or_skipped).then_some(Self { parts, ahead, resolution_millis: *resolution_millis })
    }

    pub(super) const fn resolution_millis(&self) -> i64 {
        self.resolution_millis
    }

    pub(super) fn read(&self, mut text: &[u8]) -> Option<UnixTime> {
        let mut civil = Civil::day(0, 0, 0);
        for part in &self.parts {
            match part {
                Part::Byte(byte) => text = text.strip_prefix(std::slice::from_ref(byte))?,
                Part::Field(Field::Year) => civil.year = take::<4>(&mut text)?,
                Part::Field(Field::Month) => civil.month = take::<2>(&mut text)?,
                Part::Field(Field::Day) => civil.day = take::<2>(&mut text)?,
                Part::Field(Field::Hour) => civil.hour = take::<2>(&mut text)?,
                Part::Field(Field::Minute) => civil.minute = take::<2>(&mut text)?,
                Part::Field(Field::Second) => civil.second = take::<2>(&mut text)?,
                Part::Field(Field::Milli) => civil.milli = take::<3>(&mut text)?,
            }
        }
        if text.is_empty() { civil.instant(self.ahead) } else { None }
    }

    pub(super) fn write(&self, instant: UnixTime, out: &mut Vec<u8>) {
        let Some(at) = Civil::of(instant, self.ahead) else { return };
        for part in &self.parts {
            match part {
                Part::Byte(byte) => out.push(*byte),
                Part::Field(Field::Year) => out.extend_from_slice(&digits::<4>(at.year)),
                Part::Field(Field::Month) => out.extend_from_slice(&digits::<2>(at.month)),
                Part::Field(Field::Day) => out.extend_from_slice(&digits::<2>(at.day)),
                Part::Field(Field::Hour) => out.extend_from_slice(&digits::<2>(at.hour)),
                Part::Field(Field::Minute) => out.extend_from_slice(&digits::<2>(at.minute)),
                Part::Field(Field::Second) => out.extend_from_slice(&digits::<2>(at.second)),
                Part::Field(Field::Milli) => out.extend_from_slice(&digits::<3>(at.milli)),
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Field(Field),
    Byte(u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Milli,
}

fn parts(mut pattern: &[u8]) -> Option<Box<[Part]>> {
    let mut parts = Vec::new();
    while let Some((byte, rest)) = pattern.split_first() {
        pattern = match byte {
            b'\'' => quoted(rest, &mut parts)?,
            b'a'..=b'z' | b'A'..=b'Z' => {
                let run = pattern.iter().take_while(|letter| *letter == byte).count();
                let (letters, rest) = pattern.split_at_checked(run)?;
                let (_, field, _) = FIELDS.iter().find(|(name, _, _)| *name == letters)?;
                parts.push(Part::Field(*field));
                rest
            }
            _ => {
                parts.push(Part::Byte(*byte));
                rest
            }
        };
    }
    Some(parts.into_boxed_slice())
}

/// Reads a literal whose opening quote is read already; gives what follows the closing one.
fn quoted<'a>(mut rest: &'a [u8], parts: &mut Vec<Part>) -> Option<&'a [u8]> {
    // Outside of quotes, too, `''` is a quote.
    if let [b'\'', after @ ..] = rest {
        parts.push(Part::Byte(b'\''));
        return Some(after);
    }
    loop {
        match rest {
            [b'\'', b'\'', after @ ..] => {
                parts.push(Part::Byte(b'\''));
                rest = after;
            }
            [b'\'', after @ ..] => return Some(after),
            [byte, after @ ..] => {
                parts.push(Part::Byte(*byte));
                rest = after;
            }
            [] => return None,
        }
    }
}

/// The milliseconds of an offset like `+08:00`.
fn millis_ahead(offset: &[u8]) -> Option<i64> {
    let [sign, h1, h2, b':', m1, m2] = *offset else { return None };
    let (hours, minutes) = (number([h1, h2])?, number([m1, m2])?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let millis = i64::from(hours).checked_mul(60)?.checked_add(i64::from(minutes))?.checked_mul(60_000)?;
    match sign {
        b'+' => Some(millis),
        b'-' => millis.checked_neg(),
        _ => None,
    }
}

fn take<const LEN: usize>(text: &mut &[u8]) -> Option<u16> {
    let (digits, rest) = text.split_first_chunk::<LEN>()?;
    *text = rest;
    number(*digits)
}

/// The fields, the coarsest first, with their letters and how many milliseconds each is long; what is coarser than
/// a day cannot be the finest.
const FIELDS: &[(&[u8], Field, i64)] = &[
    (b"yyyy", Field::Year, 0),
    (b"MM", Field::Month, 0),
    (b"dd", Field::Day, 86_400_000),
    (b"HH", Field::Hour, 3_600_000),
    (b"mm", Field::Minute, 60_000),
    (b"ss", Field::Second, 1000),
    (b"SSS", Field::Milli, 1),
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn patterns_write_and_read() {
        let instant = UnixTime::from_millis(1_440_938_160_045);
        for (pattern, text, resolution) in [
            ("yyyy-MM-dd HH:mm:ss@+08:00", "2015-08-30 20:36:00", 1000),
            ("yyyy-MM-dd HH:mm:ss@+00:00", "2015-08-30 12:36:00", 1000),
            ("yyyyMMddHHmmssSSS", "20150830123600045", 1),
            ("yyyyMMddHHmm@-12:45", "201508292351", 60_000),
            ("dd.MM.yyyy, HH 'o''clock'", "30.08.2015, 12 o'clock", 3_600_000),
            ("yyyy-MM-dd'T'HH:mm:ss.SSS'+0800'@+08:00", "2015-08-30T20:36:00.045+0800", 1),
            ("''yyyy年MM月dd日", "'2015年08月30日", 86_400_000),
            ("yyyyMMdd'@'@+00:00", "20150830@", 86_400_000),
        ] {
            let parsed = TimePattern::parse(pattern).unwrap_or_else(|| panic!("{pattern}"));
            let mut out = Vec::new();
            parsed.write(instant, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text, "{pattern}");
            let read = parsed.read(text.as_bytes()).unwrap_or_else(|| panic!("{pattern}"));
            assert!((0..resolution).contains(&(instant.millis() - read.millis())), "{pattern}");
            assert_eq!(parsed.resolution_millis(), resolution, "{pattern}");
        }
    }

    #[test]
    fn a_text_must_fit_to_the_byte() {
        let pattern = TimePattern::parse("yyyy-MM-dd HH:mm:ss@+08:00").unwrap();
        assert!(pattern.read(b"2015-08-30 20:36:00").is_some());
        for wrong in [
            "",
            "2015-08-30 20:36:0",
            "2015-08-30 20:36:000",
            "2015-08-30T20:36:00",
            " 2015-08-30 20:36:00",
            "2015-8-30 20:36:00",
            "2015-08-30 20:36:60",
            "2015-08-30 24:00:00",
            "2015-02-29 00:00:00",
            "2015-08-30 20:36:00+08:00",
            "2015-08-30 +2:36:00",
        ] {
            assert_eq!(pattern.read(wrong.as_bytes()), None, "{wrong:?}");
        }
    }

    #[test]
    fn what_does_not_name_one_instant_is_no_pattern() {
        for wrong in [
            "",
            "yyyy",
            "yyyyMM",
            "MMdd",
            "yyyydd",
            "yyyyMMddmm",
            "yyyyMMddHHss",
            "yyyyMMddSSS",
            "yyyyMMddHHmmSSS",
            "yyyyMMddyyyy",
            "yyyyMMdddd",
            "yyyyMMddHHHH",
            "yyMMdd",
            "yyyyyMMdd",
            "yyyyMMddhh",
            "yyyyMMddT",
            "YYYYMMDD",
            "yyyyMMdd'T",
            "yyyyMMdd'",
            "yyyyMMdd@",
            "yyyyMMdd@Z",
            "yyyyMMdd@08:00",
            "yyyyMMdd@+8:00",
            "yyyyMMdd@+0800",
            "yyyyMMdd@+24:00",
            "yyyyMMdd@+08:60",
            "yyyyMMdd@+08:00 ",
            "yyyyMMdd@x@+08:00",
            "@+08:00",
        ] {
            assert_eq!(TimePattern::parse(wrong), None, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_patterns_read_what_they_write(
            pattern in "(yyyy|MM|dd|HH|mm|ss|SSS|'[aT@']{0,2}'|[-:/ ]){3,8}(@[+-][012][0-9]:[0-5][0-9])?",
            millis in 0..99_999_999_999_999_i64,
        ) {
            if let Some(pattern) = TimePattern::parse(&pattern) {
                let mut text = Vec::new();
                pattern.write(UnixTime::from_millis(millis), &mut text);
                let read = pattern.read(&text).expect("read back");
                let mut again = Vec::new();
                pattern.write(read, &mut again);
                prop_assert_eq!(text, again);
            }
        }

        #[test]
        fn arbitrary_text_never_panics(pattern: String, text: Vec<u8>) {
            if let Some(pattern) = TimePattern::parse(&pattern) {
                let _ = pattern.read(&text);
            }
        }
    }
}
