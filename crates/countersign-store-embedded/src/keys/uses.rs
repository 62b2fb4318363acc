//! Uses of keys: counted in memory, one tally for each version of each id, and written down now and then.
//!
//! ```text
//! accepted ─► Tally of its key          UseWriter, once a minute and at the end ─► pending ─► store ─► settled
//! ```
//!
//! What is settled was written; what could not be written stays pending and is tried again. So a process that is killed
//! loses what it counted since the last time, and one that ends in good order nothing. A count that is written while the
//! answer gets lost is written again: it may be too high by that, and is never too low for it.
//!
//! Nothing of this is secret, and nothing that is sealed is touched. Absent on purpose: clocks and waiting on the way of a
//! request.

use super::KeyStoreError;
use countersign_core::time::UnixTime;
use countersign_core::{Tally, Used};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How a key was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyUses {
    /// The key id.
    pub id: String,
    /// Which of the id's keys.
    pub version: u32,
    /// How often it verified what was accepted, or signed.
    pub uses: u64,
    /// When it last did, in seconds since the epoch.
    pub last_used_at: i64,
}

impl KeyUses {
    /// Of a key, if it was used at all.
    pub(crate) fn of(id: &str, version: u32, used: Used) -> Option<Self> {
        let last_used_at = used.last?.secs();
        Some(Self { id: id.to_owned(), version, uses: used.uses, last_used_at })
    }

    pub(crate) fn used(&self) -> Used {
        Used { uses: self.uses, last: Some(UnixTime::from_secs(self.last_used_at)) }
    }
}

/// The tallies of a store's keys: the same for a version however often its id changes.
#[derive(Debug, Default)]
pub struct Tallies {
    by_name: Mutex<ByName>,
    /// Held while what is pending is being written: until then it is neither here nor there.
    writing: Mutex<()>,
}

type ByName = BTreeMap<(String, u32), Arc<Tally>>;

impl Tallies {
    /// The tally of a version.
    pub(crate) fn of(&self, id: &str, version: u32) -> Arc<Tally> {
        Arc::clone(self.by_name().entry((id.to_owned(), version)).or_default())
    }

    /// Writes down what was counted since the last time, by id and version. What is not written is kept for the next
    /// time. Returns for how many keys there was something to write.
    pub fn write(&self, write: impl FnOnce(&[KeyUses]) -> Result<(), KeyStoreError>) -> Result<usize, KeyStoreError> {
        let _one_at_a_time = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let (pending, tallies): (Vec<_>, Vec<_>) = self.pending().into_iter().unzip();
        if pending.is_empty() {
            return Ok(0);
        }
        write(&pending)?;
        for (written, tally) in pending.iter().zip(&tallies) {
            tally.settle(written.uses);
        }
        Ok(pending.len())
    }

    /// What was written, with what was counted since.
    pub(crate) fn with_pending(
        &self,
        written: impl FnOnce() -> Result<Vec<KeyUses>, KeyStoreError>,
    ) -> Result<Vec<KeyUses>, KeyStoreError> {
        let _not_meanwhile = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let name = |uses: KeyUses| ((uses.id.clone(), uses.version), uses.used());
        let mut all: BTreeMap<_, Used> = written()?.into_iter().map(name).collect();
        for (pending, _) in self.pending() {
            let ((id, version), used) = name(pending);
            let total = all.entry((id, version)).or_default();
            *total = total.and(used);
        }
        Ok(all.into_iter().filter_map(|((id, version), used)| KeyUses::of(&id, version, used)).collect())
    }

    fn pending(&self) -> Vec<(KeyUses, Arc<Tally>)> {
        let of = |((id, version), tally): (&(String, u32), &Arc<Tally>)| {
            let pending = Some(tally.pending()).filter(|pending| pending.uses > 0)?;
            Some((KeyUses::of(id, *version, pending)?, Arc::clone(tally)))
        };
        self.by_name().iter().filter_map(of).collect()
    }

    fn by_name(&self) -> MutexGuard<'_, ByName> {
        self.by_name.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Has uses written down: at most once in an interval, and once more when it is dropped.
#[derive(Debug)]
pub struct UseWriter {
    /// Dropped to say that it is over.
    running: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl UseWriter {
    /// How long it waits from one time to the next where nothing else is asked for, and so what a crash may lose.
    pub const INTERVAL: Duration = Duration::from_mins(1);

    /// Starts a thread that calls `write` after each interval.
    pub fn spawn(
        interval: Duration,
        write: impl FnMut() -> Result<usize, KeyStoreError> + Send + 'static,
    ) -> Result<Self, KeyStoreError> {
        let (running, over) = mpsc::channel();
        let failed = |error: std::io::Error| KeyStoreError::Io {
            doing: "start a thread for".to_owned(),
            path: "the uses of keys".to_owned(),
            why: error.to_string(),
        };
        let thread = std::thread::Builder::new().name("key-uses".to_owned());
        let thread = thread.spawn(move || write_now_and_then(interval, &over, write)).map_err(failed)?;
        Ok(Self { running: Some(running), thread: Some(thread) })
    }
}

impl Drop for UseWriter {
    fn drop(&mut self) {
        drop(self.running.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::warn!("the thread that writes down how keys are used failed");
        }
    }
}

fn write_now_and_then(
    interval: Duration,
    over: &mpsc::Receiver<()>,
    mut write: impl FnMut() -> Result<usize, KeyStoreError>,
) {
    let mut failing = false;
    loop {
        let is_over = over.recv_timeout(interval) != Err(RecvTimeoutError::Timeout);
        match write() {
            Ok(_) => failing = false,
            Err(error) if is_over => {
                tracing::warn!(%error, "how keys were used since the last time could not be written, and is lost");
            }
            Err(error) => {
                if !failing {
                    tracing::warn!(%error, "how keys are used cannot be written now; it is tried again");
                }
                failing = true;
            }
        }
        if is_over {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> UnixTime {
        UnixTime::from_secs(seconds)
    }

    fn uses(id: &str, version: u32, uses: u64, last_used_at: i64) -> KeyUses {
        KeyUses { id: id.to_owned(), version, uses, last_used_at }
    }

    fn failed() -> KeyStoreError {
        KeyStoreError::Damaged { what: "for this test".to_owned() }
    }

    #[test]
    fn what_could_not_be_written_is_kept_for_the_next_time() {
        let tallies = Tallies::default();
        tallies.of("a", 1).count(at(5));
        assert_eq!(tallies.write(|_| Err(failed())), Err(failed()));
        tallies.of("a", 1).count(at(6));
        let mut written = Vec::new();
        let mut keep = |uses: &[KeyUses]| {
            written.extend_from_slice(uses);
            Ok(())
        };
        assert_eq!(tallies.write(&mut keep), Ok(1));
        // And not once more.
        assert_eq!(tallies.write(&mut keep), Ok(0));
        tallies.of("a", 1).count(at(7));
        assert_eq!(tallies.write(&mut keep), Ok(1));
        assert_eq!(written, [uses("a", 1, 2, 6), uses("a", 1, 1, 7)]);
    }

    #[test]
    fn what_is_counted_while_it_is_written_is_not_lost() {
        let tallies = Tallies::default();
        let tally = tallies.of("a", 1);
        tally.count(at(5));
        tallies
            .write(|_| {
                tally.count(at(6));
                Ok(())
            })
            .unwrap();
        assert_eq!(tallies.with_pending(|| Ok(vec![uses("a", 1, 1, 5)])), Ok(vec![uses("a", 1, 2, 6)]));
    }

    #[test]
    fn a_key_that_was_not_used_has_no_uses() {
        let tallies = Tallies::default();
        let _unused = tallies.of("a", 1);
        tallies.of("b", 2).count(at(5));
        let written = || Ok(vec![uses("b", 1, 7, 4)]);
        assert_eq!(tallies.with_pending(written), Ok(vec![uses("b", 1, 7, 4), uses("b", 2, 1, 5)]));
    }

    #[test]
    fn nothing_is_lost_where_many_count_while_it_is_written() {
        let tallies = Tallies::default();
        let mut written = Used::default();
        let mut keep = |uses: &[KeyUses]| {
            for uses in uses {
                written = written.and(uses.used());
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let counting: Vec<_> = (0..4)
                .map(|thread| {
                    let tally = tallies.of("a", 1);
                    scope.spawn(move || (0..1_000).for_each(|second| tally.count(at(thread * 1_000 + second))))
                })
                .collect();
            while !counting.iter().all(std::thread::ScopedJoinHandle::is_finished) {
                tallies.write(&mut keep).unwrap();
            }
        });
        tallies.write(&mut keep).unwrap();
        assert_eq!(written, Used { uses: 4_000, last: Some(at(3_999)) });
    }

    #[test]
    fn a_writer_that_ends_has_written() {
        let (tallies, kept) = (Arc::new(Tallies::default()), Arc::new(Mutex::new(Vec::new())));
        let (writing, keeping) = (Arc::clone(&tallies), Arc::clone(&kept));
        let write = move || {
            writing.write(|uses| {
                keeping.lock().unwrap().extend_from_slice(uses);
                Ok(())
            })
        };
        // Longer than any test: what is written is written at the end.
        let writer = UseWriter::spawn(Duration::from_hours(24), write).unwrap();
        tallies.of("a", 1).count(at(5));
        assert_eq!(*kept.lock().unwrap(), []);
        drop(writer);
        assert_eq!(*kept.lock().unwrap(), [uses("a", 1, 1, 5)]);
    }

    #[test]
    fn a_writer_writes_after_each_interval_and_goes_on_after_a_failure() {
        let (told, hear) = mpsc::channel();
        let mut times = 0;
        let write = move || {
            times += 1;
            told.send(times).unwrap();
            if times == 1 { Err(failed()) } else { Ok(1) }
        };
        let writer = UseWriter::spawn(Duration::from_millis(1), write).unwrap();
        for time in 1..=3 {
            assert_eq!(hear.recv(), Ok(time));
        }
        std::thread::spawn(move || hear.iter().for_each(drop));
        drop(writer);
    }
}
