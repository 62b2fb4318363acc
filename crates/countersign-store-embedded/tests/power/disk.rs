//! A disk that forgets what was not synced, as disks do when the power goes.
//!
//! Contents and names are kept twice: as a running system sees them, and as they are on the platter with what was done
//! since. When the power goes, each write since the last sync of its file is there, gone, or there in part, whatever
//! became of the others; and so is each name. Nothing of the operating system is used.

use countersign_store_embedded::journal::folder::{Folder, LogFile};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

#[derive(Debug, Clone, Default)]
struct File {
    now: Vec<u8>,
    platter: Vec<u8>,
    since: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Length(usize),
}

#[derive(Debug, Clone)]
enum Naming {
    Is(String, usize),
    IsNot(String),
    Becomes(String, String, usize),
}

#[derive(Debug, Default)]
struct State {
    files: Vec<File>,
    names: BTreeMap<String, usize>,
    platter: BTreeMap<String, usize>,
    since: Vec<Naming>,
    boots: u32,
    /// How many more things can be done before the power goes.
    left: Option<u32>,
    random: u64,
}

/// The disk.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    state: Arc<Mutex<State>>,
    /// Whether a sync does anything.
    syncs: bool,
    /// Whether the process that holds it lives.
    lives: Arc<AtomicBool>,
}

struct Open {
    disk: Disk,
    file: usize,
}

impl Disk {
    pub(crate) fn new(seed: u64, syncs: bool) -> Self {
        let state = State { random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, ..State::default() };
        Self { state: Arc::new(Mutex::new(state)), syncs, lives: Arc::new(AtomicBool::new(true)) }
    }

    /// The same disk in the hands of another process.
    pub(crate) fn for_another_process(&self) -> Self {
        Self { lives: Arc::new(AtomicBool::new(true)), ..self.clone() }
    }

    /// Ends the process that holds it: none of its threads does anything any more.
    pub(crate) fn process_ends(&self) {
        // With the lock, so that what it is doing is done or not begun.
        let _state = self.state.lock().unwrap();
        self.lives.store(false, Ordering::Relaxed);
    }

    /// Lets the power go after so many more operations.
    pub(crate) fn power_goes_after(&self, operations: u32) {
        self.state.lock().unwrap().left = Some(operations);
    }

    /// What is there when the power is back.
    pub(crate) fn power_comes_back(&self) {
        let state = &mut *self.state.lock().unwrap();
        state.left = None;
        state.boots += 1;
        for naming in std::mem::take(&mut state.since) {
            if below(&mut state.random, 2) == 0 {
                continue;
            }
            match naming {
                Naming::Is(name, file) => drop(state.platter.insert(name, file)),
                Naming::IsNot(name) => drop(state.platter.remove(&name)),
                Naming::Becomes(old, new, file) => {
                    state.platter.remove(&old);
                    state.platter.insert(new, file);
                }
            }
        }
        state.names = state.platter.clone();
        for file in &mut state.files {
            for change in std::mem::take(&mut file.since) {
                let kept = below(&mut state.random, 4);
                match change {
                    // Its room on the disk is there, what was written is not.
                    Change::Write { at, bytes } if kept == 1 => write(&mut file.platter, at, &vec![0; bytes.len()]),
                    Change::Write { at, bytes } if kept == 2 => {
                        let part = below(&mut state.random, bytes.len() as u64 + 1);
                        write(&mut file.platter, at, &bytes[..usize::try_from(part).unwrap()]);
                    }
                    Change::Write { at, bytes } if kept == 3 => write(&mut file.platter, at, &bytes),
                    Change::Length(length) if kept >= 2 => file.platter.resize(length, 0),
                    Change::Write { .. } | Change::Length(_) => {}
                }
            }
            file.now.clone_from(&file.platter);
        }
    }

    /// Does one thing, if there is power.
    fn works(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state.lock().unwrap();
        if !self.lives.load(Ordering::Relaxed) {
            return Err(io::Error::other("the process is gone"));
        }
        match &mut state.left {
            Some(0) => return Err(io::Error::other("the power is gone")),
            Some(left) => *left -= 1,
            None => {}
        }
        Ok(state)
    }

    fn find(state: &State, name: &str) -> io::Result<usize> {
        state.names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn made(state: &mut State, name: &str) -> usize {
        state.files.push(File::default());
        let file = state.files.len() - 1;
        state.names.insert(name.to_owned(), file);
        state.since.push(Naming::Is(name.to_owned(), file));
        file
    }

    fn change(state: &mut State, file: usize, change: Change) {
        let file = &mut state.files[file];
        match &change {
            Change::Write { at, bytes } => write(&mut file.now, *at, bytes),
            Change::Length(length) => file.now.resize(*length, 0),
        }
        file.since.push(change);
    }

    fn sync_one(&self, state: &mut State, file: usize) {
        if self.syncs {
            let file = &mut state.files[file];
            file.platter.clone_from(&file.now);
            file.since.clear();
        }
    }

    fn sync_names(&self, state: &mut State) {
        if self.syncs {
            state.platter = state.names.clone();
            state.since.clear();
        }
    }
}

impl Folder for Disk {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.works()?.names.keys().cloned().collect())
    }

    fn read(&self, name: &str) -> io::Result<Box<dyn Read>> {
        let state = self.works()?;
        Ok(Box::new(io::Cursor::new(state.files[Self::find(&state, name)?].now.clone())))
    }

    fn length(&self, name: &str) -> io::Result<u64> {
        let state = self.works()?;
        Ok(state.files[Self::find(&state, name)?].now.len() as u64)
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn LogFile>> {
        let mut state = self.works()?;
        if state.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let file = Self::made(&mut state, name);
        Ok(Box::new(Open { disk: self.clone(), file }))
    }

    fn cut(&self, name: &str, length: u64) -> io::Result<()> {
        let mut state = self.works()?;
        let file = Self::find(&state, name)?;
        Self::change(&mut state, file, Change::Length(usize::try_from(length).unwrap()));
        drop(state);
        self.sync_one(&mut *self.works()?, file);
        Ok(())
    }

    fn replace(&self, name: &str, contents: &[u8]) -> io::Result<()> {
        let temporary = format!("{name}.new");
        let file = Self::made(&mut *self.works()?, &temporary);
        Self::change(&mut *self.works()?, file, Change::Write { at: 0, bytes: contents.to_vec() });
        self.sync_one(&mut *self.works()?, file);
        let mut state = self.works()?;
        state.names.remove(&temporary);
        state.names.insert(name.to_owned(), file);
        state.since.push(Naming::Becomes(temporary, name.to_owned(), file));
        drop(state);
        self.sync_names(&mut *self.works()?);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.works()?;
        Self::find(&state, name)?;
        state.names.remove(name);
        state.since.push(Naming::IsNot(name.to_owned()));
        Ok(())
    }

    fn sync_file(&self, name: &str) -> io::Result<()> {
        let mut state = self.works()?;
        let file = Self::find(&state, name)?;
        self.sync_one(&mut state, file);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_names(&mut *self.works()?);
        Ok(())
    }

    fn boot(&self) -> String {
        format!("boot-{}", self.state.lock().unwrap().boots)
    }

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from("disk").join(name)
    }
}

impl LogFile for Open {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let at = usize::try_from(offset).unwrap();
        Disk::change(&mut *self.disk.works()?, self.file, Change::Write { at, bytes: bytes.to_vec() });
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.sync_one(&mut *self.disk.works()?, self.file);
        Ok(())
    }
}

fn write(contents: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    if contents.len() < at + bytes.len() {
        contents.resize(at + bytes.len(), 0);
    }
    contents[at..at + bytes.len()].copy_from_slice(bytes);
}

/// Enough randomness for a test (xorshift).
pub(crate) fn below(random: &mut u64, end: u64) -> u64 {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    (*random >> 16) % end
}
