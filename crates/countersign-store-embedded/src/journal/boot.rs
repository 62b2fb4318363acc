//! What is known of the run before: whether it ended in good order, on which boot, and up to which request it may have
//! accepted something that the disk does not have.
//!
//! One line of text, replaced as a whole. While a journal is open the line names two **ceilings**: no entry whose
//! [`since`](countersign_core::replay::ReplayEntry::since) and last second are both above them was accepted. They are
//! raised on the disk before an entry that is above them is accepted, some seconds at a time, so that this costs a sync
//! every few seconds and not one for each request.
//!
//! A run that was killed loses nothing: the kernel has it. A run that did not end in good order and was on another boot
//! may have lost what was not synced. Then the ceilings become the **quarantine**: whatever is not above either of them
//! could be a request that was accepted and forgotten, and is not decided. What was signed after the crash is above, so
//! the quarantine ends by itself. It is kept in the line for good.

use super::folder::Folder;
use countersign_core::replay::ReplayEntry;
use countersign_store::{Record, second};
use std::io::{self, Read as _};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// Two seconds that bound entries: an entry is below if neither its `since` nor its last second is above.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Bounds {
    pub(crate) since: u32,
    pub(crate) until: u32,
}

impl Bounds {
    /// Of one entry.
    pub(crate) fn of(entry: &ReplayEntry) -> Self {
        Self { since: second(entry.since), until: Record::of(entry).until }
    }

    /// Whether an entry is above neither.
    pub(crate) fn hold(self, entry: Self) -> bool {
        entry.since <= self.since && entry.until <= self.until
    }

    fn union(self, other: Self) -> Self {
        Self { since: self.since.max(other.since), until: self.until.max(other.until) }
    }
}

/// How a run ended, or that it has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Everything was synced, and nothing written since.
    Closed,
    /// Records are in the kernel's hands.
    Open,
    /// Every accepted record was synced.
    OpenSynced,
}

/// The line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) state: State,
    boot: String,
    ceiling: Bounds,
    quarantine: Bounds,
}

/// Why the line is not known.
#[derive(Debug)]
pub(crate) enum NoLine {
    /// There is no such file.
    Missing,
    /// There is, and it is not one that was written here.
    Damaged,
    Failed(io::Error),
}

/// What the run before left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    /// Everything that it accepted is in the files.
    Whole,
    /// The system crashed or lost power; what was synced is there, and nothing else was accepted.
    CrashedSynced,
    /// The system crashed or lost power, and nobody knows what is missing.
    Crashed,
}

/// The line on the disk, and what it says.
#[derive(Debug)]
pub(crate) struct Run {
    folder: Arc<dyn Folder>,
    line: Mutex<Line>,
    /// The ceilings of the line, to be looked at without its lock.
    ceiling: AtomicU64,
    /// Whether somebody has been asked to raise them.
    asked: AtomicBool,
    quarantine: Bounds,
}

/// How an entry stands to the ceilings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cover {
    /// Well below.
    Good,
    /// Below, and they should be raised soon: to be asked once.
    Soon,
    /// Above: nothing above may be accepted.
    None,
}

impl Run {
    /// What the run before left. `None` where there was none.
    pub(crate) fn before(folder: &dyn Folder) -> Result<(Before, Line), NoLine> {
        let line = read(folder)?;
        let same_boot = !line.boot.is_empty() && folder.boot() == line.boot;
        let before = match line.state {
            State::Closed => Before::Whole,
            _ if same_boot => Before::Whole,
            State::Open => Before::Crashed,
            State::OpenSynced => Before::CrashedSynced,
        };
        Ok((before, line))
    }

    /// Begins a run. `lost`: whether what is below the ceilings of the run before may be lost.
    pub(crate) fn begin(
        folder: Arc<dyn Folder>,
        before: Option<&Line>,
        lost: bool,
        state: State,
    ) -> io::Result<Self> {
        let (mut ceiling, mut quarantine) = (Bounds::default(), Bounds::default());
        if let Some(before) = before {
            quarantine = before.quarantine;
            if before.state != State::Closed {
                // Of this boot, or of one before that lost nothing: what it accepted is only as safe as it was.
                ceiling = before.ceiling;
            }
            if lost {
                quarantine = quarantine.union(before.ceiling);
            }
        }
        let line = Line { state, boot: folder.boot(), ceiling, quarantine };
        write(&*folder, &line)?;
        let ceiling = AtomicU64::new(packed(line.ceiling));
        Ok(Self { folder, line: Mutex::new(line), ceiling, asked: AtomicBool::new(false), quarantine })
    }

    /// What cannot be decided any more.
    pub(crate) fn quarantine(&self) -> Bounds {
        self.quarantine
    }

    /// Whether an entry is below the ceilings on the disk.
    pub(crate) fn covers(&self, entry: Bounds) -> Cover {
        let ceiling = unpacked(self.ceiling.load(Ordering::Acquire));
        if entry.since > ceiling.since || entry.until > ceiling.until {
            return Cover::None;
        }
        let near = |second: u32, ceiling: u32| ceiling != u32::MAX && ceiling - second < AHEAD / 2;
        let soon = near(entry.since, ceiling.since) || near(entry.until, ceiling.until);
        if soon && !self.asked.swap(true, Ordering::Relaxed) { Cover::Soon } else { Cover::Good }
    }

    /// Raises the ceilings well above an entry. They are on the disk when this returns.
    pub(crate) fn raise(&self, entry: Bounds) -> io::Result<()> {
        let mut line = self.locked()?;
        self.asked.store(false, Ordering::Relaxed);
        let Bounds { since, until } = line.ceiling;
        let above = |second: u32, ceiling: u32| {
            if second.saturating_add(AHEAD / 2) > ceiling { second.saturating_add(AHEAD) } else { ceiling }
        };
        let ceiling = Bounds { since: above(entry.since, since), until: above(entry.until, until) };
        if ceiling == line.ceiling {
            return Ok(());
        }
        let raised = Line { ceiling, ..line.clone() };
        write(&*self.folder, &raised)?;
        *line = raised;
        self.ceiling.store(packed(ceiling), Ordering::Release);
        Ok(())
    }

    /// Says that everything is synced. Nothing may be written to the journal any more.
    pub(crate) fn close(&self) -> io::Result<()> {
        let mut line = self.locked()?;
        let closed = Line { state: State::Closed, ceiling: Bounds::default(), ..line.clone() };
        write(&*self.folder, &closed)?;
        *line = closed;
        Ok(())
    }

    fn locked(&self) -> io::Result<MutexGuard<'_, Line>> {
        self.line.lock().map_err(|_| io::Error::other("writing the state of the run failed before"))
    }
}

fn packed(bounds: Bounds) -> u64 {
    u64::from(bounds.since) << 32 | u64::from(bounds.until)
}

fn unpacked(bounds: u64) -> Bounds {
    let half = |bits: u64| u32::try_from(bits & u64::from(u32::MAX)).unwrap_or(u32::MAX);
    Bounds { since: half(bounds >> 32), until: half(bounds) }
}

fn read(folder: &dyn Folder) -> Result<Line, NoLine> {
    let file = match folder.read(NAME) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(NoLine::Missing),
        Err(error) => return Err(NoLine::Failed(error)),
    };
    let mut text = Vec::new();
    file.take(MOST_BYTES).read_to_end(&mut text).map_err(NoLine::Failed)?;
    std::str::from_utf8(&text).ok().and_then(parse).ok_or(NoLine::Damaged)
}

fn write(folder: &dyn Folder, line: &Line) -> io::Result<()> {
    folder.replace(NAME, render(line).as_bytes())
}

fn render(line: &Line) -> String {
    let Line { state, boot, ceiling, quarantine } = line;
    let state = STATES.iter().find(|(_, known)| known == state).map_or("open", |(word, _)| word);
    let boot = if boot.is_empty() { "-" } else { boot };
    let text = format!(
        "countersign replay run {state} {boot} {} {} {} {}",
        ceiling.since, ceiling.until, quarantine.since, quarantine.until
    );
    let crc = crc32fast::hash(text.as_bytes());
    format!("{text} {crc:08x}\n")
}

fn parse(text: &str) -> Option<Line> {
    let words: Vec<&str> = text.strip_prefix("countersign replay run ")?.trim_end().split(' ').collect();
    let [state, boot, since, until, quarantined_since, quarantined_until, _crc] = words[..] else { return None };
    let (_, state) = *STATES.iter().find(|(word, _)| *word == state)?;
    let bounds = |since: &str, until: &str| Some(Bounds { since: since.parse().ok()?, until: until.parse().ok()? });
    let line = Line {
        state,
        boot: if boot == "-" { String::new() } else { boot.to_owned() },
        ceiling: bounds(since, until)?,
        quarantine: bounds(quarantined_since, quarantined_until)?,
    };
    (render(&line) == text).then_some(line)
}

pub(crate) const NAME: &str = "run";
const STATES: &[(&str, State)] =
    &[("closed", State::Closed), ("open", State::Open), ("open-synced", State::OpenSynced)];
/// By how many seconds a ceiling is raised over what asks for it: how much more than necessary is refused after a
/// crash, and how often there is a sync.
const AHEAD: u32 = 10;
const MOST_BYTES: u64 = 512;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line() -> Line {
        let (ceiling, quarantine) = (Bounds { since: 7, until: 8 }, Bounds { since: 5, until: 6 });
        Line { state: State::OpenSynced, boot: "b-1".to_owned(), ceiling, quarantine }
    }

    #[test]
    fn a_run_is_one_line() {
        assert!(render(&line()).starts_with("countersign replay run open-synced b-1 7 8 5 6 "));
        assert_eq!(parse(&render(&line())), Some(line()));
        let unknown = Line { boot: String::new(), ..line() };
        assert_eq!(parse(&render(&unknown)), Some(unknown));
    }

    #[test]
    fn a_changed_byte_or_a_cut_is_damage() {
        let text = render(&line());
        for at in 0..text.len() {
            assert_eq!(parse(&text[..at]), None, "cut at {at}");
            let mut changed = text.clone().into_bytes();
            changed[at] ^= 1;
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(parse(&changed), None, "byte {at}");
        }
        assert_eq!(parse(&format!("{text}\n")), None);
    }

    proptest! {
        #[test]
        fn arbitrary_text_is_no_line(text in "(countersign replay run )?\\PC{0,80}") {
            prop_assert_eq!(parse(&text), None);
        }
    }
}
