//! A line of the log as text, byte for byte what `tracing_subscriber` writes without colours, only cheaper: that
//! formats every field by way of `Debug` and a style that paints nothing, and each date from the year on.
//!
//! Whatever is not plain (colours, errors, text that has to be escaped) is left to it.

use std::cell::RefCell;
use std::error::Error;
use std::fmt::{self, Debug, Write as _};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tracing::field::{Field, Visit};
use tracing_subscriber::field::{RecordFields, VisitOutput as _};
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{DefaultFields, DefaultVisitor, Writer};
use tracing_subscriber::fmt::time::{self, FormatTime};

/// Formats the fields of an event.
#[derive(Debug, Default)]
pub(crate) struct PlainFields(DefaultFields);

impl<'writer> FormatFields<'writer> for PlainFields {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'writer>, fields: R) -> fmt::Result {
        if writer.has_ansi_escapes() {
            return self.0.format_fields(writer, fields);
        }
        // A value that logs while it is formatted finds an empty one in its place.
        let mut visitor = PlainVisitor { text: BUFFER.take(), first: true, result: Ok(()) };
        fields.record(&mut visitor);
        let PlainVisitor { mut text, result, .. } = visitor;
        let written = result.and_then(|()| writer.write_str(&text));
        text.clear();
        if text.capacity() <= MOST_KEPT {
            BUFFER.set(text);
        }
        written
    }
}

thread_local!(static BUFFER: RefCell<String> = const { RefCell::new(String::new()) });

/// The longest buffer that is kept for the next line, in bytes.
const MOST_KEPT: usize = 16 * 1024;

/// The system's time. Within a second only its fraction is formatted anew.
#[derive(Debug)]
pub(crate) struct Clock;

impl FormatTime for Clock {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let Ok(now) = SystemTime::now().duration_since(UNIX_EPOCH) else {
            return time::SystemTime.format_time(writer);
        };
        thread_local!(static SECOND: RefCell<Second> = const { RefCell::new(Second::new()) });
        SECOND.with_borrow_mut(|second| second.write(now, writer))
    }
}

/// A second, and its text up to the fraction.
struct Second {
    second: Option<u64>,
    text: String,
}

impl Second {
    const fn new() -> Self {
        Self { second: None, text: String::new() }
    }

    fn write(&mut self, since_epoch: Duration, writer: &mut Writer<'_>) -> fmt::Result {
        if self.second != Some(since_epoch.as_secs()) {
            let second = i64::try_from(since_epoch.as_secs()).ok();
            let second = second.and_then(|second| jiff::Timestamp::from_second(second).ok()).ok_or(fmt::Error)?;
            self.second = None;
            self.text.clear();
            write!(self.text, "{}", second.strftime("%Y-%m-%dT%H:%M:%S."))?;
            self.second = Some(since_epoch.as_secs());
        }
        writer.write_str(&self.text)?;
        write_padded(since_epoch.subsec_micros(), writer)?;
        writer.write_char('Z')
    }
}

/// Six digits.
fn write_padded(mut number: u32, writer: &mut Writer<'_>) -> fmt::Result {
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit += u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
    writer.write_str(str::from_utf8(&digits).unwrap_or_default())
}

/// A message's way to the log: what could steer a terminal is escaped.
struct Escaping<'a>(&'a mut String);

impl fmt::Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            self.0.push_str(text);
            return Ok(());
        }
        for character in text.chars() {
            match character {
                '\x07' | '\x08' | '\x0c' | '\x1b' | '\x7f' => write!(self.0, "\\x{:02x}", u32::from(character))?,
                '\u{80}'..='\u{9f}' => write!(self.0, "\\u{{{:x}}}", u32::from(character))?,
                _ => self.0.push(character),
            }
        }
        Ok(())
    }
}

struct PlainVisitor {
    text: String,
    first: bool,
    result: fmt::Result,
}

impl PlainVisitor {
    /// Writes what stands before a value.
    fn begin(&mut self, field: &Field) {
        self.separate();
        let name = field.name();
        if name != "message" {
            self.text.push_str(name.strip_prefix("r#").unwrap_or(name));
            self.text.push('=');
        }
    }

    fn separate(&mut self) {
        if !std::mem::take(&mut self.first) {
            self.text.push(' ');
        }
    }

    /// What the library writes.
    fn usual(&mut self, record: impl FnOnce(&mut DefaultVisitor<'_>)) {
        self.separate();
        let mut visitor = DefaultVisitor::new(Writer::new(&mut self.text), true);
        record(&mut visitor);
        self.result = self.result.and(visitor.finish());
    }
}

impl Visit for PlainVisitor {
    fn record_str(&mut self, field: &Field, value: &str) {
        let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
        if field.name() == "message" || !value.bytes().all(is_plain) {
            return self.usual(|visitor| visitor.record_str(field, value));
        }
        self.begin(field);
        self.text.push('"');
        self.text.push_str(value);
        self.text.push('"');
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.begin(field);
        self.result = self.result.and(write!(self.text, "{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.begin(field);
        self.text.push_str(if value { "true" } else { "false" });
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.usual(|visitor| visitor.record_error(field, value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.begin(field);
        let written = match field.name() {
            "message" => write!(Escaping(&mut self.text), "{value:?}"),
            _ => write!(self.text, "{value:?}"),
        };
        self.result = self.result.and(written);
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use proptest::prelude::*;
    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Sink {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    /// What the library writes, and what is written here.
    fn both(ansi: bool, event: impl Fn()) -> (String, String) {
        let (theirs, ours) = (Sink::default(), Sink::default());
        let log = || tracing_subscriber::fmt().without_time().with_target(false).with_ansi(ansi);
        tracing::subscriber::with_default(log().with_writer(theirs.clone()).finish(), &event);
        let plain = log().fmt_fields(PlainFields::default()).with_writer(ours.clone()).finish();
        tracing::subscriber::with_default(plain, &event);
        let text = |sink: Sink| String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
        (text(theirs), text(ours))
    }

    proptest! {
        #[test]
        fn a_line_is_the_librarys_to_the_byte(
            text in any::<String>(),
            shown in ".{0,20}",
            plain in "[ -~]{0,20}",
            number in any::<u64>(),
            signed in any::<i64>(),
            real in any::<f64>(),
            whole in any::<bool>(),
            there in any::<bool>(),
            ansi in any::<bool>(),
        ) {
            let (theirs, ours) = both(ansi, || {
                let absent = there.then_some(text.as_str());
                let error = io::Error::other(text.clone());
                let error: &(dyn Error + 'static) = &error;
                tracing::info!(
                    text, plain, shown = %shown, listed = ?[&text], number, signed, real, whole, absent, error, r#type = 1,
                    "{shown} {text}"
                );
                tracing::warn!(whole, "request");
                tracing::error!(message = text, number);
                tracing::error!(message = number);
                tracing::error!(message = whole);
                tracing::error!("\x07\x08\x0c\x1b\x7f\u{80}\u{9f}\u{a0}\n\t");
                tracing::info!("{plain}");
            });
            prop_assert!(ours.lines().count() >= 7, "{}", ours);
            prop_assert_eq!(theirs, ours);
        }

        #[test]
        fn a_time_is_written_like_the_librarys(seconds in 0..253_402_300_799_u64, nanos in 0..1_000_000_000_u32) {
            let mut second = Second::new();
            for (seconds, nanos) in [(seconds, nanos), (seconds, 0), (seconds, 999_999_999), (seconds / 2, nanos)] {
                let mut text = String::new();
                second.write(Duration::new(seconds, nanos), &mut Writer::new(&mut text)).unwrap();
                let time = jiff::Timestamp::new(i64::try_from(seconds).unwrap(), 0).unwrap();
                let expected = format!("{}.{:06}Z", time.strftime("%Y-%m-%dT%H:%M:%S"), nanos / 1_000);
                prop_assert_eq!(text, expected);
            }
        }
    }

    #[test]
    fn both_clocks_say_the_same() {
        let text = |clock: &dyn FormatTime| {
            let mut text = String::new();
            clock.format_time(&mut Writer::new(&mut text)).unwrap();
            text
        };
        let (before, between, after) = (text(&time::SystemTime), text(&Clock), text(&time::SystemTime));
        assert!(before <= between && between <= after, "{before} {between} {after}");
        assert_eq!(between.len(), before.len());
    }
}
