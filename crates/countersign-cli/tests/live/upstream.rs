//! An upstream that accepts anything and remembers it to the byte.

use std::io::{self, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use super::client::read_message;

/// A request as the upstream received it.
#[derive(Debug, Clone)]
pub struct Received {
    /// To the byte, the last empty line included.
    pub head: String,
    pub body: Vec<u8>,
}

impl Received {
    /// The request target.
    pub fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }
}

/// The upstream. Its thread ends with the test's process.
pub struct Upstream {
    addr: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Upstream {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&received);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let log = Arc::clone(&log);
                thread::spawn(move || converse(stream, &log));
            }
        });
        Self { addr, received }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Everything that came, in order.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// How many requests came.
    pub fn count(&self) -> usize {
        self.received.lock().unwrap().len()
    }

    /// Makes sure that nothing came.
    pub fn assert_untouched(&self) {
        let received = self.received();
        assert!(received.is_empty(), "{received:#?}");
    }

    /// The one request that came.
    pub fn only(&self) -> Received {
        let mut received = self.received();
        assert_eq!(received.len(), 1, "{received:#?}");
        received.remove(0)
    }
}

/// Writes down each request before it is answered, so that whoever has the answer finds it in the list.
fn converse(stream: TcpStream, log: &Mutex<Vec<Received>>) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let (head, body) = read_message(&mut reader)?;
        log.lock().unwrap().push(Received { head, body });
        reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ndone\n")?;
    }
}
