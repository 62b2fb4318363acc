//! The formats that schemes name.

use super::civil::{Civil, digits, number};
use super::{TimePattern, UnixTime};

/// A way to write an instant. All but patterns with an offset are UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimeFormat {
    /// Whole seconds since 1970: digits, at most 11.
    Unix,
    /// Milliseconds since 1970: digits, at most 14.
    UnixMs,
    /// `2015-10-19T09:58:37Z` (RFC 3339, section 5.6).
    Iso,
    /// `2015-10-19T09:58:37.123Z` (RFC 3339, section 5.6).
    IsoMs,
    /// `20150830T123600Z` (ISO 8601, basic format).
    IsoBasic,
    /// `Sun, 06 Nov 1994 08:49:37 GMT`: IMF-fixdate alone (RFC 9110, section 5.6.7).
    HttpDate,
    /// `20150830`.
    Date,
    /// `2015-08-30`.
    Ymd,
    /// As a pattern says.
    Pattern(TimePattern),
    /// In one of several ways: read as the first that fits, written as the first.
    OneOf(Box<[TimeFormat]>),
}

impl TimeFormat {
    /// The format of a name: `unix`, `unix-ms`, `iso`, `iso-ms`, `iso-basic`, `http-date`, `date`, `ymd`; a
    /// [pattern](TimePattern::parse), which is known by its `yyyy` or `@`; or several of these with ` | ` between.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        if name.contains(OR) {
            let formats = name.split(OR).map(Self::from_name).collect::<Option<_>>()?;
            return Some(Self::OneOf(formats));
        }
        Some(match name {
            "unix" => Self::Unix,
            "unix-ms" => Self::UnixMs,
            "iso" => Self::Iso,
            "iso-ms" => Self::IsoMs,
            "iso-basic" => Self::IsoBasic,
            "http-date" => Self::HttpDate,
            "date" => Self::Date,
            "ymd" => Self::Ymd,
            pattern if pattern.contains('@') || pattern.contains("yyyy") => {
                Self::Pattern(TimePattern::parse(pattern)?)
            }
            _ => return None,
        })
    }

    /// The instant that a text stands for: the first one of the second or day it names.
    ///
    /// The text must be what [`write`](Self::write) of the format, or of one of several, produces for that instant. No sign, no leading zero, no other
    /// case, no other offset, no second 60 and no thirtieth of February.
    #[must_use]
    pub fn parse(&self, text: &[u8]) -> Option<UnixTime> {
        let civil = match self {
            Self::Unix => return Some(UnixTime::from_secs(count(text, UNIX_DIGITS)?)),
            Self::UnixMs => return Some(UnixTime::from_millis(count(text, UNIX_MS_DIGITS)?)),
            Self::Pattern(pattern) => return pattern.read(text),
            Self::OneOf(formats) => return formats.iter().find_map(|format| format.parse(text)),
            Self::HttpDate => return http_date(text),
            Self::Iso => iso(text.strip_suffix(b"Z")?)?,
            Self::IsoMs => {
                let (head, [b'.', m1, m2, m3, b'Z']) = text.split_last_chunk()? else { return None };
                Civil { milli: number([*m1, *m2, *m3])?, ..iso(head)? }
            }
            Self::IsoBasic => {
                let [y1, y2, y3, y4, mo1, mo2, d1, d2, b'T', h1, h2, m1, m2, s1, s2, b'Z'] = *text else {
                    return None;
                };
                Civil {
                    hour: number([h1, h2])?,
                    minute: number([m1, m2])?,
                    second: number([s1, s2])?,
                    ..Civil::day(number([y1, y2, y3, y4])?, number([mo1, mo2])?, number([d1, d2])?)
                }
            }
            Self::Date => {
                let [y1, y2, y3, y4, m1, m2, d1, d2] = *text else { return None };
                Civil::day(number([y1, y2, y3, y4])?, number([m1, m2])?, number([d1, d2])?)
            }
            Self::Ymd => ymd(text)?,
        };
        civil.instant(UTC)
    }

    /// Appends an instant, cut to what the format can express.
    ///
    /// A year needs four digits: for an instant outside the years 0 to 9999 the calendar formats append nothing,
    /// which no format reads. Times before 1970 and those with more digits than [`parse`](Self::parse) takes are
    /// written as numbers and not read back.
    pub fn write(&self, instant: UnixTime, out: &mut Vec<u8>) {
        match self {
            Self::Unix => put(instant.secs(), out),
            Self::UnixMs => put(instant.millis(), out),
            Self::Pattern(pattern) => pattern.write(instant, out),
            Self::OneOf(formats) => {
                if let Some(first) = formats.first() {
                    first.write(instant, out);
                }
            }
            _ => {
                if let Some(civil) = Civil::of(instant, UTC) {
                    self.write_civil(&civil, out);
                }
            }
        }
    }

    /// The step between two instants that are written differently, in milliseconds: of several formats, the largest.
    #[must_use]
    pub fn resolution_millis(&self) -> i64 {
        match self {
            Self::UnixMs | Self::IsoMs => 1,
            Self::Unix | Self::Iso | Self::IsoBasic | Self::HttpDate => 1000,
            Self::Date | Self::Ymd => 86_400_000,
            Self::Pattern(pattern) => pattern.resolution_millis(),
            Self::OneOf(formats) => formats.iter().map(Self::resolution_millis).max().unwrap_or_default(),
        }
    }

    fn write_civil(&self, at: &Civil, out: &mut Vec<u8>) {
        let [y1, y2, y3, y4] = digits(at.year);
        let ([mo1, mo2], [d1, d2]) = (digits(at.month), digits(at.day));
        let ([h1, h2], [m1, m2], [s1, s2]) = (digits(at.hour), digits(at.minute), digits(at.second));
        match self {
            Self::Unix | Self::UnixMs | Self::Pattern(_) | Self::OneOf(_) => {}
            Self::Iso | Self::IsoMs => {
                out.extend_from_slice(&[
                    y1, y2, y3, y4, b'-', mo1, mo2, b'-', d1, d2, b'T', h1, h2, b':', m1, m2, b':', s1, s2,
                ]);
                if *self == Self::IsoMs {
                    out.push(b'.');
                    out.extend_from_slice(&digits::<3>(at.milli));
                }
                out.push(b'Z');
            }
            Self::IsoBasic => {
                out.extend_from_slice(&[y1, y2, y3, y4, mo1, mo2, d1, d2, b'T', h1, h2, m1, m2, s1, s2, b'Z']);
            }
            Self::HttpDate => {
                let month = usize::from(at.month).checked_sub(1);
                let names =
                    (at.weekday().and_then(|day| WEEKDAYS.get(day)), month.and_then(|month| MONTHS.get(month)));
                let (Some([w1, w2, w3]), Some([n1, n2, n3])) = names else { return };
                out.extend_from_slice(&[*w1, *w2, *w3, b',', b' ', d1, d2, b' ', *n1, *n2, *n3, b' ']);
                out.extend_from_slice(&[y1, y2, y3, y4, b' ', h1, h2, b':', m1, m2, b':', s1, s2]);
                out.extend_from_slice(b" GMT");
            }
            Self::Date => out.extend_from_slice(&[y1, y2, y3, y4, mo1, mo2, d1, d2]),
            Self::Ymd => out.extend_from_slice(&[y1, y2, y3, y4, b'-', mo1, mo2, b'-', d1, d2]),
        }
    }
}

/// A number without sign and leading zeros, of at most so many digits.
fn count(text: &[u8], most: usize) -> Option<i64> {
    match text {
        [b'0'] => Some(0),
        // At most fourteen digits: nothing can overflow, and nothing has to be checked for each.
        [b'1'..=b'9', ..] if text.len() <= most.min(UNIX_MS_DIGITS) && text.iter().all(u8::is_ascii_digit) => Some(
            text.iter().fold(0_i64, |number, digit| number.wrapping_mul(10).wrapping_add(i64::from(digit & 0xf))),
        ),
        _ => None,
    }
}

/// Appends a number in as many digits as it has.
fn put(number: i64, out: &mut Vec<u8>) {
    if number < 0 {
        out.push(b'-');
    }
    let mut digits = [b'0'; 20];
    let mut rest = number.unsigned_abs();
    let mut first = digits.len();
    for slot in digits.iter_mut().rev() {
        *slot |= u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
        first = first.saturating_sub(1);
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(first..).unwrap_or_default());
}

fn ymd(text: &[u8]) -> Option<Civil> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text else { return None };
    Some(Civil::day(number([y1, y2, y3, y4])?, number([m1, m2])?, number([d1, d2])?))
}

/// `2015-10-19T09:58:37`.
fn iso(text: &[u8]) -> Option<Civil> {
    let (date, time) = text.split_at_checked(10)?;
    let date = ymd(date)?;
    let [b'T', h1, h2, b':', m1, m2, b':', s1, s2] = *time else { return None };
    Some(Civil { hour: number([h1, h2])?, minute: number([m1, m2])?, second: number([s1, s2])?, ..date })
}

fn http_date(text: &[u8]) -> Option<UnixTime> {
    let (day_name, rest) = text.split_first_chunk::<3>()?;
    let [b',', b' ', d1, d2, b' ', rest @ ..] = rest else { return None };
    let (month_name, rest) = rest.split_first_chunk::<3>()?;
    let (time, b" GMT") = rest.split_last_chunk()? else { return None };
    let [b' ', y1, y2, y3, y4, b' ', h1, h2, b':', m1, m2, b':', s1, s2] = *time else { return None };
    let month = MONTHS.iter().position(|name| name == month_name)?.checked_add(1)?;
    let civil = Civil {
        hour: number([h1, h2])?,
        minute: number([m1, m2])?,
        second: number([s1, s2])?,
        ..Civil::day(number([y1, y2, y3, y4])?, u16::try_from(month).ok()?, number([*d1, *d2])?)
    };
    let instant = civil.instant(UTC)?;
    (WEEKDAYS.get(civil.weekday()?) == Some(day_name)).then_some(instant)
}

/// What stands between the formats of one that has several.
const OR: &str = " | ";
const UTC: i64 = 0;
const UNIX_DIGITS: usize = 11;
const UNIX_MS_DIGITS: usize = 14;
const WEEKDAYS: &[[u8; 3]] = &[*b"Mon", *b"Tue", *b"Wed", *b"Thu", *b"Fri", *b"Sat", *b"Sun"];
const MONTHS: &[[u8; 3]] =
    &[*b"Jan", *b"Feb", *b"Mar", *b"Apr", *b"May", *b"Jun", *b"Jul", *b"Aug", *b"Sep", *b"Oct", *b"Nov", *b"Dec"];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NAMES: &[&str] = &[
        "unix",
        "unix-ms",
        "iso",
        "iso-ms",
        "iso-basic",
        "http-date",
        "date",
        "ymd",
        "yyyy-MM-dd HH:mm:ss@+08:00",
        "yyyyMMddHHmmssSSS@-05:30",
        "dd/MM/yyyy 'at' HH",
    ];

    fn format(name: &str) -> TimeFormat {
        TimeFormat::from_name(name).unwrap_or_else(|| panic!("{name}"))
    }

    fn written(format: &TimeFormat, instant: UnixTime) -> String {
        let mut out = b"before".to_vec();
        format.write(instant, &mut out);
        String::from_utf8(out).unwrap().strip_prefix("before").unwrap().to_owned()
    }

    #[test]
    fn every_format_writes_and_reads_its_example() {
        for (name, millis, text) in [
            ("unix", 1_440_938_160_000, "1440938160"),
            ("unix", 0, "0"),
            ("unix", 99_999_999_999_000, "99999999999"),
            ("unix-ms", 1_440_938_160_123, "1440938160123"),
            ("unix-ms", 99_999_999_999_999, "99999999999999"),
            ("iso", 1_445_248_717_000, "2015-10-19T09:58:37Z"),
            ("iso-ms", 1_445_248_717_123, "2015-10-19T09:58:37.123Z"),
            ("iso-ms", 1_445_248_717_007, "2015-10-19T09:58:37.007Z"),
            ("iso-basic", 1_440_938_160_000, "20150830T123600Z"),
            ("iso-basic", -1_000, "19691231T235959Z"),
            ("http-date", 784_111_777_000, "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("date", 1_440_892_800_000, "20150830"),
            ("ymd", 1_440_892_800_000, "2015-08-30"),
            ("ymd", 1_709_164_800_000, "2024-02-29"),
            ("iso", -62_167_219_200_000, "0000-01-01T00:00:00Z"),
            ("iso", 253_402_300_799_000, "9999-12-31T23:59:59Z"),
        ] {
            let instant = UnixTime::from_millis(millis);
            assert_eq!(written(&format(name), instant), text, "{name}");
            assert_eq!(format(name).parse(text.as_bytes()), Some(instant), "{name}: {text}");
        }
    }

    #[test]
    fn what_is_finer_is_cut_towards_the_past() {
        let instant = UnixTime::from_millis(-1);
        for (name, text) in [
            ("unix", "-1"),
            ("iso", "1969-12-31T23:59:59Z"),
            ("iso-ms", "1969-12-31T23:59:59.999Z"),
            ("date", "19691231"),
        ] {
            assert_eq!(written(&format(name), instant), text, "{name}");
        }
    }

    #[test]
    fn another_spelling_is_no_time() {
        for (name, wrong) in [
            ("unix", &["", "00", "01", "+1", "-1", "-0", " 1", "1 ", "1.0", "1e3", "0x1", "100000000000", "١"][..]),
            ("unix-ms", &["", "01", "+1", "-1", "100000000000000"]),
            (
                "iso",
                &[
                    "",
                    "2015-10-19T09:58:37",
                    "2015-10-19T09:58:37z",
                    "2015-10-19t09:58:37Z",
                    "2015-10-19 09:58:37Z",
                    "2015-10-19T09:58:37+00:00",
                    "2015-10-19T09:58:37.0Z",
                    "2015-10-19T09:58:60Z",
                    "2015-10-19T24:00:00Z",
                    "2015-10-19T09:60:00Z",
                    "2015-02-29T00:00:00Z",
                    "2015-13-01T00:00:00Z",
                    "2015-00-01T00:00:00Z",
                    "2015-01-00T00:00:00Z",
                    "2015-1-19T09:58:37Z",
                    "+015-10-19T09:58:37Z",
                    "2015-10-19T09:58:37ZZ",
                    "2015-10-19T09:58:3 Z",
                    "2015-10-19T-9:58:37Z",
                    "15-10-19T09:58:37Z",
                    "12015-10-19T09:58:37Z",
                ],
            ),
            (
                "iso-ms",
                &[
                    "2015-10-19T09:58:37Z",
                    "2015-10-19T09:58:37.12Z",
                    "2015-10-19T09:58:37,123Z",
                    "2015-10-19T09:58:37.1234Z",
                ],
            ),
            (
                "iso-basic",
                &[
                    "20150830T123600",
                    "20150830t123600Z",
                    "20150830T123600z",
                    "20150230T123600Z",
                    "20150830T126000Z",
                    "2015083T1123600Z",
                ],
            ),
            (
                "http-date",
                &[
                    "Mon, 06 Nov 1994 08:49:37 GMT",
                    "sun, 06 Nov 1994 08:49:37 GMT",
                    "Sun, 6 Nov 1994 08:49:37 GMT",
                    "Sun, 06 nov 1994 08:49:37 GMT",
                    "Sun, 06 Nov 1994 08:49:37 UTC",
                    "Sun, 06 Nov 1994 08:49:37 +0000",
                    "Sunday, 06-Nov-94 08:49:37 GMT",
                    "Sun Nov  6 08:49:37 1994",
                    "Sun, 31 Nov 1994 08:49:37 GMT",
                    "Sun, 06 Nov 1994 08:49:60 GMT",
                    "Sun,06 Nov 1994 08:49:37 GMT",
                    "Sun, 06 Nov 1994 08:49:37 GMT ",
                ],
            ),
            ("date", &["2015083", "201508300", "20150832", "2015-08-30", "20150229"]),
            ("ymd", &["2015-8-30", "2015/08/30", "20150830", "2015-08-30 ", "1900-02-29"]),
        ] {
            for text in wrong {
                assert_eq!(format(name).parse(text.as_bytes()), None, "{name}: {text:?}");
            }
        }
    }

    #[test]
    fn a_year_without_four_digits_is_not_written() {
        for instant in [253_402_300_800_000, -62_167_219_200_001, i64::MAX, i64::MIN].map(UnixTime::from_millis) {
            for name in NAMES.iter().filter(|name| !name.starts_with("unix") && !name.contains('@')) {
                assert_eq!(written(&format(name), instant), "", "{name}");
            }
        }
        assert_eq!(written(&format("unix-ms"), UnixTime::from_millis(i64::MIN)), "-9223372036854775808");
    }

    #[test]
    fn of_several_formats_the_first_that_fits_is_read_and_the_first_is_written() {
        let several = format("unix-ms | yyyy-MM-dd HH:mm:ss@+08:00");
        let (millis, text) = (UnixTime::from_millis(1_440_938_160_123), "1440938160123");
        assert_eq!(several.parse(text.as_bytes()), Some(millis));
        assert_eq!(several.parse(b"2015-08-30 20:36:00"), Some(UnixTime::from_secs(1_440_938_160)));
        assert_eq!(several.parse(b"2015-08-30T20:36:00Z"), None);
        assert_eq!((written(&several, millis), several.resolution_millis()), (text.to_owned(), 1000));
        // Ten digits fit both: they are seconds where seconds come first.
        assert_eq!(format("unix | unix-ms").parse(b"1440938160"), Some(UnixTime::from_secs(1_440_938_160)));
        assert_eq!(format("unix | unix-ms").parse(text.as_bytes()), Some(millis));
    }

    #[test]
    fn unknown_names_are_no_format() {
        for wrong in [
            "",
            "unix | ",
            " | unix",
            "unix | ts",
            "unix |unix-ms",
            "Unix",
            "unix ",
            "iso8601",
            "rfc3339",
            "ts",
            "HH:mm",
            "@",
            "@+08:00",
        ] {
            assert_eq!(TimeFormat::from_name(wrong), None, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_at_its_resolution(millis in 0..99_999_999_999_999_i64) {
            for format in NAMES.iter().map(|name| format(name)) {
                let text = written(&format, UnixTime::from_millis(millis));
                let read = format.parse(text.as_bytes()).unwrap_or_else(|| panic!("{format:?}: {text}"));
                prop_assert!((0..format.resolution_millis()).contains(&(millis - read.millis())), "{:?}", format);
                prop_assert_eq!(written(&format, read), text);
            }
        }

        #[test]
        fn what_is_read_would_be_written(text in "[0-9]{1,15}|[012][0-9]{3}-?[01][0-9]-?[0-3][0-9](T?[0-2][0-9]:?[0-5][0-9]:?[0-5][0-9](\\.[0-9]{3})?Z?)?") {
            for format in NAMES.iter().map(|name| format(name)) {
                if let Some(instant) = format.parse(text.as_bytes()) {
                    prop_assert_eq!(written(&format, instant), text.clone());
                }
            }
        }

        #[test]
        fn arbitrary_bytes_and_instants_never_panic(text: Vec<u8>, millis: i64, name: String) {
            for format in NAMES.iter().map(|name| format(name)) {
                let _ = (format.parse(&text), written(&format, UnixTime::from_millis(millis)));
            }
            let _ = TimeFormat::from_name(&name);
        }
    }
}
