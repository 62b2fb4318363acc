//! The demo upstream: answers every request with what it got, as JSON.
//!
//! It has one client, the gateway in the same process, which sends what was verified and framed anew. So this is no
//! server for anybody else: one thread a connection, a length or no body, no time limits.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use countersign_core::Transport;
use serde::Serialize;

use crate::message::Message;

/// Listens on a free port, and answers until the process ends.
pub(super) fn start() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    std::thread::Builder::new().name("upstream".to_owned()).spawn(move || {
        for stream in listener.incoming().flatten() {
            // Without a thread the connection is closed, and the gateway answers that there is no upstream.
            let _ = std::thread::Builder::new().spawn(move || serve(stream));
        }
    })?;
    Ok(address)
}

/// Answers the requests of a connection until the other side closes it, or sends what is no request.
fn serve(stream: TcpStream) -> io::Result<()> {
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_request(&mut reader)? {
        let body = echo(&request);
        let length = body.len();
        write!(writer, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n")?;
        if request.method != "HEAD" {
            writer.write_all(body.as_bytes())?;
        }
        writer.flush()?;
    }
    Ok(())
}

/// The longest head; the gateway lets none through that is longer.
const LONGEST_HEAD: u64 = 128 * 1024;

fn read_request(reader: &mut BufReader<TcpStream>) -> io::Result<Option<Message>> {
    let mut head = Vec::new();
    let mut length = 0;
    loop {
        let start = head.len();
        if reader.by_ref().take(LONGEST_HEAD).read_until(b'\n', &mut head)? == 0 || head.len() as u64 > LONGEST_HEAD {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&head[start..]).trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().map_err(|_| io::ErrorKind::InvalidData)?;
        }
        if line.is_empty() {
            break;
        }
    }
    let mut message = head;
    reader.by_ref().take(length).read_to_end(&mut message)?;
    Message::from_http(&message, Transport::Http).map(Some).map_err(io::Error::other)
}

#[derive(Debug, Serialize)]
struct Echo<'a> {
    method: &'a str,
    target: String,
    headers: Vec<(&'a str, String)>,
    body: String,
}

fn echo(request: &Message) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let echo = Echo {
        method: &request.method,
        target: text(&request.target),
        headers: request.fields.iter().map(|(name, value)| (name.as_str(), text(value))).collect(),
        body: text(request.content()),
    };
    // Strings alone: this cannot fail.
    serde_json::to_string(&echo).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_comes_back_request_after_request() {
        let mut stream = TcpStream::connect(start().unwrap()).unwrap();
        let request = "POST /a?b HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nxyz";
        stream.write_all(format!("{request}GET /c HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answers = String::new();
        stream.read_to_string(&mut answers).unwrap();
        assert!(answers.contains(r#"{"method":"POST","target":"/a?b","headers":[["Host","h"],"#), "{answers}");
        assert!(answers.contains(r#""body":"xyz"}"#) && answers.contains(r#""target":"/c""#), "{answers}");
    }

    #[test]
    fn what_is_no_request_ends_the_connection() {
        for text in ["nonsense\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n"] {
            let mut stream = TcpStream::connect(start().unwrap()).unwrap();
            stream.write_all(text.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            assert_eq!(answer, "", "{text}");
        }
    }
}
