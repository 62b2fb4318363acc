//! Unlinks what is over, and raises the ceilings of the run before they are reached, on a thread of its own: freeing a
//! large file and syncing a small one take milliseconds that no request should wait for.
//!
//! The floor is on the disk before the first file goes. If either fails, the files stay and the next round tries
//! again: a file too many costs room, a floor too few costs a promise.

use super::boot::{Bounds, Run};
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
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
enum Order {
    Raise(Bounds),
    Remove(Vec<FileName>),
}

impl Janitor {
    pub(crate) fn start(folder: Arc<dyn Folder>, floor: Arc<Floor>, run: Arc<Run>) -> io::Result<Self> {
        let (orders, received) = channel();
        let work = move || clean_up(&*folder, &floor, &run, &received);
        let thread = std::thread::Builder::new().name("replay-janitor".to_owned()).spawn(work)?;
        Ok(Self { orders: Some(orders), thread: Some(thread) })
    }

    /// Has the files unlinked some time soon.
    pub(crate) fn remove(&self, over: Vec<FileName>) {
        if let Some(orders) = &self.orders
            && orders.send(Order::Remove(over)).is_err()
        {
            tracing::warn!("nobody unlinks journal files any more; the next start will");
        }
    }

    /// Has the ceilings raised above an entry some time soon. Where nobody does, those who meet them do.
    pub(crate) fn raise(&self, above: Bounds) {
        if let Some(orders) = &self.orders {
            let _ = orders.send(Order::Raise(above));
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

fn clean_up(folder: &dyn Folder, floor: &Floor, run: &Run, orders: &Receiver<Order>) {
    let mut over = Vec::new();
    while let Ok(order) = orders.recv() {
        match order {
            Order::Raise(above) => {
                if let Err(error) = run.raise(above) {
                    tracing::warn!(%error, "the ceilings of the replay journal could not be raised ahead");
                }
                continue;
            }
            Order::Remove(more) => over.extend(more),
        }
        if let Err(error) = remove(folder, floor, &mut over) {
            tracing::warn!(%error, files = over.len(), "journal files that are over could not be unlinked");
        }
    }
}
