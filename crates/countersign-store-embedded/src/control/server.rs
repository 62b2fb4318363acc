//! The gateway's end of the control socket: one thread, one connection at a time.
//!
//! Changes are made one at a time anyway, and each takes milliseconds.

use super::socket;
use super::wire::{self, Answer, Request};
use crate::keys::{KeyStore, KeyStoreError, Rotation};
use countersign_core::time::UnixTime;
use std::io::Write as _;
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Answers key commands until it is stopped or dropped.
#[derive(Debug)]
pub struct ControlServer {
    path: PathBuf,
    /// The listening socket again, to be shut from outside the thread that waits on it.
    listening: UnixStream,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl ControlServer {
    /// Starts answering on the socket in a store's folder, whose keys are `keys`.
    pub fn spawn(keys: Arc<KeyStore>, store: &Path) -> Result<Self, KeyStoreError> {
        let path = socket::path_in(store);
        let failed = |doing: &str, error: std::io::Error| KeyStoreError::Io {
            doing: doing.to_owned(),
            path: path.display().to_string(),
            why: error.to_string(),
        };
        let listener = socket::listen(&path).map_err(|error| failed("listen on", error))?;
        let listening = listener.try_clone().map_err(|error| failed("listen on", error))?;
        let listening = UnixStream::from(OwnedFd::from(listening));
        let stopping = Arc::new(AtomicBool::new(false));
        let is_stopping = Arc::clone(&stopping);
        let thread = std::thread::Builder::new()
            .name("key-control".to_owned())
            .spawn(move || serve(&keys, &listener, &is_stopping))
            .map_err(|error| failed("start a thread for", error))?;
        Ok(Self { path, listening, stopping, thread: Some(thread) })
    }

    /// Stops answering, and returns once the keys are not used here any more. A connection that is being served is
    /// finished first.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for ControlServer {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Release);
        // Removed first: who does not find it opens the store, and waits for it as long as that takes.
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(%error, path = %self.path.display(), "the control socket could not be removed");
        }
        // Shutting a listening socket wakes the thread that waits for a connection.
        let woken = self.listening.shutdown(Shutdown::Both);
        match (woken, self.thread.take()) {
            (Ok(()), Some(thread)) => {
                if thread.join().is_err() {
                    tracing::warn!("the thread that answers key commands failed");
                }
            }
            (Err(error), _) => tracing::warn!(%error, "the control socket could not be shut"),
            (Ok(()), None) => {}
        }
    }
}

fn serve(keys: &KeyStore, listener: &UnixListener, stopping: &AtomicBool) {
    loop {
        let connection = listener.accept();
        if stopping.load(Ordering::Acquire) {
            return;
        }
        match connection {
            Ok((stream, _)) => {
                if let Err(error) = answer(keys, &stream) {
                    tracing::debug!(%error, "a key command went away");
                }
            }
            Err(error) => {
                // Out of descriptors, most likely. Others will give some back.
                tracing::warn!(%error, "no connection on the control socket");
                std::thread::sleep(AFTER_A_FAILURE);
            }
        }
    }
}

fn answer(keys: &KeyStore, mut stream: &UnixStream) -> Result<(), KeyStoreError> {
    let failed = |error: std::io::Error| KeyStoreError::Protocol { why: error.to_string() };
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    stream.set_write_timeout(Some(PATIENCE)).map_err(failed)?;
    let line = wire::read_line(stream).map_err(failed)?;
    let answer = wire::parse(&line).and_then(|request| perform(keys, request));
    let answer = answer.unwrap_or_else(|error| Answer::Refused { error });
    stream.write_all(&wire::line(&answer)?).map_err(failed)
}

fn perform(keys: &KeyStore, request: Request) -> Result<Answer, KeyStoreError> {
    let at = UnixTime::from_millis;
    Ok(match request {
        Request::Add { key, now } => Answer::Stored { version: keys.add(key.try_into()?, at(now))? },
        Request::Export { id } => Answer::Exported { text: keys.export(id.as_deref())?.into() },
        Request::Import { text, now } => Answer::Imported { keys: keys.import(text.as_str(), at(now))? },
        Request::List => Answer::Keys { keys: keys.list()? },
        Request::Ping => Answer::Pong { revision: keys.revision() },
        Request::Reseal { is_given } if is_given == keys.is_seal_given() => Answer::Resealed { keys: keys.reseal()? },
        Request::Reseal { .. } => {
            let why = "it was started with another seal key than the configuration names now: stop it first";
            return Err(KeyStoreError::Protocol { why: why.to_owned() });
        }
        Request::Revoke { id, version, now } => Answer::Revoked { versions: keys.revoke(&id, version, at(now))? },
        Request::Rotate { id, material, encoding, overlap_until, legacy, now } => {
            let material = encoding.read(&material)?;
            let rotation = Rotation { id, material, overlap_until: at(overlap_until), legacy };
            Answer::Stored { version: keys.rotate(rotation, at(now))? }
        }
        Request::Show { id } => Answer::Keys { keys: keys.show(&id)? },
        Request::Uses => Answer::Uses { uses: keys.uses()? },
    })
}

const PATIENCE: Duration = Duration::from_secs(5);
const AFTER_A_FAILURE: Duration = Duration::from_millis(100);
