//! The log, on standard error: gathered in memory and written a few times a second by a thread of its own.
//!
//! A write for each line costs more than verifying the request that the line tells of. Nothing is dropped: who logs
//! more than [`MOST`] between two writes writes it out himself. A process that is killed takes the last
//! [`EVERY`] of its log with it; what has to survive that is in the store, not here.

use std::io::{self, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::args::LogFormat;
use crate::log_line::{Clock, PlainFields};

/// How often what was gathered is written.
const EVERY: Duration = Duration::from_millis(50);
/// How much is gathered before it is written at once, in bytes.
const MOST: usize = 1 << 20;

/// Begins the log. `RUST_LOG` says how much of it; otherwise what concerns an operator. It ends with the guard, which
/// writes what is left.
#[must_use = "the log ends with its guard"]
pub(crate) fn to_stderr(format: LogFormat) -> Guard {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let gathered = Arc::new(Gathered::default());
    let lines = Lines(Arc::clone(&gathered));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(move || lines.clone()).with_target(false);
    // A log that is there already was set up by whoever runs us as a library, and is theirs.
    let _ = match format {
        LogFormat::Json => log.json().flatten_event(true).try_init(),
        LogFormat::Text => {
            let log = log.with_ansi(crate::out::colour_on_stderr()).with_timer(Clock);
            log.fmt_fields(PlainFields::default()).try_init()
        }
    };
    Guard::over(gathered)
}

/// Lines that wait to be written.
#[derive(Default)]
struct Gathered(Mutex<Vec<u8>>);

impl Gathered {
    fn add(&self, line: &[u8]) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.extend_from_slice(line);
        if waiting.len() >= MOST {
            write(&mut waiting);
        }
    }

    fn write(&self) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        write(&mut waiting);
    }
}

/// Where standard error is closed there is nobody left to tell.
fn write(waiting: &mut Vec<u8>) {
    if !waiting.is_empty() {
        let _ = io::stderr().lock().write_all(waiting);
        waiting.clear();
    }
}

/// Takes the lines of one thread.
#[derive(Clone)]
struct Lines(Arc<Gathered>);

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.add(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Keeps the log going.
pub(crate) struct Guard {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
    gathered: Arc<Gathered>,
}

impl Guard {
    fn over(gathered: Arc<Gathered>) -> Self {
        let (stop, stopped) = mpsc::channel::<()>();
        let waiting = Arc::clone(&gathered);
        let writer = move || {
            while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                waiting.write();
            }
        };
        // Without the thread, lines are written when there are many, and at the end.
        let thread = std::thread::Builder::new().name("log".to_owned()).spawn(writer).ok();
        Self { stop: Some(stop), thread, gathered }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A thread that failed has written what it could.
            let _ = thread.join();
        }
        self.gathered.write();
    }
}
