//! A network between two programs: everything passes, or everything is lost.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::spawn;

/// Listens at a port and passes on what comes, to wherever it is pointed.
pub(crate) struct Relay {
    pub(crate) port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    target: AtomicU16,
    /// What comes is read and thrown away, in both directions; nobody is told.
    drops: AtomicBool,
    /// What the server answers is thrown away; what it is asked arrives.
    drops_answers: AtomicBool,
    over: AtomicBool,
    connections: Mutex<Vec<TcpStream>>,
}

impl Relay {
    /// In front of a port.
    pub(crate) fn to(target: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("its number").port();
        let state = Arc::new(State { target: AtomicU16::new(target), ..State::default() });
        let relaying = Arc::clone(&state);
        spawn(move || {
            for stream in listener.incoming() {
                if relaying.over.load(Ordering::SeqCst) {
                    return;
                }
                if let Ok(stream) = stream {
                    relay(&relaying, stream);
                }
            }
        });
        Self { port, state }
    }

    /// From now on whatever is sent is lost, and new connections meet silence.
    pub(crate) fn drop_everything(&self) {
        self.state.drops.store(true, Ordering::SeqCst);
    }

    /// From now on questions arrive and answers are lost.
    pub(crate) fn drop_answers(&self) {
        self.state.drops_answers.store(true, Ordering::SeqCst);
    }

    /// Everything passes again. Connections that lost something are cut: their ends disagree about what was sent.
    pub(crate) fn heal(&self) {
        self.state.drops.store(false, Ordering::SeqCst);
        self.state.drops_answers.store(false, Ordering::SeqCst);
        self.cut();
    }

    /// Points elsewhere, and cuts the connections to where it pointed before.
    pub(crate) fn point_to(&self, target: u16) {
        self.state.target.store(target, Ordering::SeqCst);
        self.cut();
    }

    /// Breaks all connections off.
    pub(crate) fn cut(&self) {
        for stream in self.state.connections.lock().expect("the list").drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.state.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        self.cut();
    }
}

fn relay(state: &Arc<State>, near: TcpStream) {
    let target = state.target.load(Ordering::SeqCst);
    let mut held = state.connections.lock().expect("the list");
    held.extend(near.try_clone());
    if state.drops.load(Ordering::SeqCst) {
        // Held open, and silent. What is sent into it stays unread, which is as lost as it can be.
        return;
    }
    let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)) else {
        let _ = near.shutdown(Shutdown::Both);
        return;
    };
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    held.extend(far.try_clone());
    drop(held);
    let (Ok(from_near), Ok(from_far)) = (near.try_clone(), far.try_clone()) else { return };
    pump(Arc::clone(state), from_near, far, false);
    pump(Arc::clone(state), from_far, near, true);
}

fn pump(state: Arc<State>, mut from: TcpStream, mut to: TcpStream, answers: bool) {
    spawn(move || {
        let mut bytes = vec![0; 64 * 1024];
        // What comes after something that was lost must not arrive in its place.
        let mut lost = false;
        loop {
            match from.read(&mut bytes) {
                Ok(0) | Err(_) => break,
                Ok(length) => {
                    let drops = &state.drops;
                    lost |= drops.load(Ordering::SeqCst) || answers && state.drops_answers.load(Ordering::SeqCst);
                    if !lost && to.write_all(&bytes[..length]).is_err() {
                        break;
                    }
                }
            }
        }
        // While everything is lost, so is the news that the other side has gone away.
        if !state.drops.load(Ordering::SeqCst) {
            let _ = to.shutdown(Shutdown::Both);
        }
    });
}
