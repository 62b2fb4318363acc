//! A client that sends any bytes at all.

use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A connection to the gateway.
pub struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    pub fn to(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    pub fn write(&mut self, wire: &[u8]) {
        self.stream.get_mut().write_all(wire).unwrap();
    }

    /// Reads one response, which has a length.
    pub fn read(&mut self) -> Response {
        let (head, body) = read_message(&mut self.stream).expect("a response");
        Response { head, body }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    pub head: String,
    pub body: Vec<u8>,
}

impl Response {
    pub fn status(&self) -> u16 {
        self.head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status line")
    }

    /// The problem's `reason`; empty where the body is none.
    pub fn reason(&self) -> String {
        let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        problem["reason"].as_str().unwrap_or_default().to_owned()
    }

    /// Status and reason.
    pub fn verdict(&self) -> (u16, String) {
        (self.status(), self.reason())
    }

    /// Everything but the time of day.
    pub fn dateless(&self) -> (Vec<&str>, &[u8]) {
        let fields = self.head.lines().filter(|line| !line.to_ascii_lowercase().starts_with("date:"));
        (fields.collect(), &self.body)
    }
}

/// Reads a message by its `Content-Length`; without one it has no body.
pub fn read_message(stream: &mut BufReader<TcpStream>) -> io::Result<(String, Vec<u8>)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_until(b'\n', &mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let head = String::from_utf8(head).map_err(io::Error::other)?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>())
    });
    let mut body = vec![0; length.transpose().map_err(io::Error::other)?.unwrap_or(0)];
    stream.read_exact(&mut body)?;
    Ok((head, body))
}
