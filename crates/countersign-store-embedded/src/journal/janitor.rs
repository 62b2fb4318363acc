//! Unlinks what is over, on a thread of its own: freeing a large file takes milliseconds that no request should
//! wait for.
//!
//! The floor is on the disk before the first file goes. If either fails, the files stay and the next round tries
//! again: a file too many costs room, a floor too few costs a promise.

use super::floor::Floor;
use super::folder::Folder;
use super::format::FileName;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

/// The thread. Dropping it lets it finish what it was given.
#[derive(Debug)]
pub(crate) struct Janitor {
    orders: Option<Sender<Vec<FileName>>>,
    thread: Option<JoinHandle<()>>,
}

impl Janitor {
    pub(crate) fn start(folder: Arc<dyn Folder>, floor: Arc<Floor>) -> io::Result<Self> {
        let (orders, received) = channel();
        let work = move || clean_up(&*folder, &floor, &received);
        let thread = std::thread::Builder::new().name("replay-janitor".to_owned()).spawn(work)?;
        Ok(Self { orders: Some(orders), thread: Some(thread) })
    }

    /// Has the files unlinked some time soon.
    pub(crate) fn remove(&self, over: Vec<FileName>) {
        if let Some(orders) = &self.orders
            && let Err(lost) = orders.send(over)
        {
            tracing::warn!(files = lost.0.len(), "nobody unlinks journal files any more; the next start will");
        }
    }
}

impl Drop for Janitor {
    fn drop(&mut self) {
        drop(self.orders.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::warn!("the thread that unlinks journal files failed; the next start unlinks them");
        }
    }
}

/// Raises the floor over the files, then removes them. What is left in `over` is still to be removed.
pub(crate) fn remove(folder: &dyn Folder, floor: &Floor, over: &mut Vec<FileName>) -> io::Result<()> {
    floor.raise(over.iter().map(|name| name.span.last).max().unwrap_or(0))?;
    let mut outcome = Ok(());
    over.retain(|name| match folder.remove(&name.to_string()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            outcome = Err(error);
            true
        }
        _ => false,
    });
    outcome
}

fn clean_up(folder: &dyn Folder, floor: &Floor, orders: &Receiver<Vec<FileName>>) {
    let mut over = Vec::new();
    while let Ok(more) = orders.recv() {
        over.extend(more);
        if let Err(error) = remove(folder, floor, &mut over) {
            tracing::warn!(%error, files = over.len(), "journal files that are over could not be unlinked");
        }
    }
}
