//! A service that counts its connections, and says back every byte.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

pub(crate) struct Service {
    addr: SocketAddr,
    accepted: Arc<AtomicUsize>,
}

impl Service {
    /// Says back what it gets, and when that ends, how much it was.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let accepted = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&accepted);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                count.fetch_add(1, Ordering::SeqCst);
                thread::spawn(move || echo(stream));
            }
        });
        Self { addr, accepted }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// How many connections there have been.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

fn echo(mut stream: TcpStream) {
    let mut total = 0;
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(count) => {
                total += count;
                if stream.write_all(&buffer[..count]).is_err() {
                    break;
                }
            }
        }
    }
    // The client has finished and still listens: half of a connection is a connection.
    let _ = stream.write_all(format!("|{total} bytes").as_bytes());
    let _ = stream.shutdown(Shutdown::Write);
}
